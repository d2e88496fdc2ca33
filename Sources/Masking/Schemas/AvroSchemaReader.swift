import CAvro
import Synchronization

/// Reads an Avro schema: libavro resolves the names and says what is valid, the JSON beside it gives what libavro drops.
struct AvroSchemaReader {
    /// Types of one schema, those of its references too.
    static let typeLimit = 1 << 14

    /// libavro's last error may be the process's, and not the thread's.
    private static let library = Mutex(())

    private var types: [AvroSchema.Entry] = []
    /// Named types by libavro's handle: what a link leads to.
    private var named: [UInt: Int] = [:]
    /// Types that are others but for more tags, in the order in which they can be filled in: a record may stand in itself.
    private var aliases: [(index: Int, target: Int, tags: [String])] = []

    /// - Parameter references: schemas whose names the schema uses, each after those that it uses itself.
    static func read(_ text: [UInt8], references: [[UInt8]] = []) throws(SchemaError) -> AvroSchema {
        var parts: [AvroText] = []
        for part in references + [text] { parts.append(try AvroText.parse(part)) }
        // A record around them shares its names; without a namespace it changes none of theirs.
        var fields: [AvroText.Field] = []
        for (index, part) in parts.enumerated() { fields.append(.init(name: "part\(index)", type: part, tags: [])) }
        let whole = AvroText.record(name: "TidegateParts", fields: fields, tags: [])
        var normal = ""
        whole.write(to: &normal)
        let (types, root) = try library.withLock { _ throws(SchemaError) in try parse(whole, normal) }
        guard case .record(let roots) = types[root].shape, let main = roots.last else {
            throw SchemaError("the Avro schema has no root")
        }
        var result = AvroSchema(types: types, root: main.type)
        try result.findEmptyTypes()
        return result
    }

    /// - Parameter normal: the same, as libavro is given it.
    private static func parse(_ whole: AvroText, _ normal: String) throws(SchemaError) -> ([AvroSchema.Entry], Int) {
        // Plain ASCII, so that its length is the same for both.
        guard let schema = unsafe shim_avro_parse(normal, normal.utf8.count) else {
            throw SchemaError("libavro does not take the Avro schema: \(unsafe String(cString: avro_strerror()))")
        }
        defer { unsafe shim_avro_free(schema) }
        var reader = AvroSchemaReader()
        let root = unsafe try reader.add(whole, schema)
        for alias in reader.aliases {
            reader.types[alias.index] = reader.types[alias.target]
            reader.types[alias.index].tags += alias.tags
        }
        return (reader.types, root)
    }

    private mutating func reserve() throws(SchemaError) -> Int {
        guard types.count < AvroSchemaReader.typeLimit else { throw SchemaError("the Avro schema has too many types") }
        types.append(AvroSchema.Entry(shape: .null, isEmpty: true))
        return types.count - 1
    }

    private mutating func alias(of target: Int, _ tags: [String]) throws(SchemaError) -> Int {
        if tags.isEmpty { return target }
        let index = try reserve()
        aliases.append((index, target, tags))
        return index
    }

    private static func fullName(_ schema: UnsafeRawPointer) -> String {
        guard let name = unsafe shim_avro_name(schema) else { return "" }
        let space = unsafe shim_avro_namespace(schema).map { unsafe String(cString: $0) } ?? ""
        return unsafe space.isEmpty ? String(cString: name) : space + "." + String(cString: name)
    }

    private static func mismatch() -> SchemaError {
        SchemaError("libavro reads the Avro schema otherwise than its JSON says")
    }

    private mutating func add(_ text: AvroText, _ schema: UnsafeRawPointer) throws(SchemaError) -> Int {
        let type = unsafe shim_avro_type(schema)
        switch text {
        case .tagged(let inner, let tags): return try alias(of: unsafe add(inner, schema), tags)
        case .name(let name), .annotated(let name, _):
            var properties = AvroText.Properties()
            if case .annotated(_, let own) = text { properties = own }
            if type == Int32(AVRO_LINK.rawValue) {
                guard let target = unsafe shim_avro_target(schema), let index = named[UInt(bitPattern: target)] else {
                    throw AvroSchemaReader.mismatch()
                }
                return try alias(of: index, properties.tags)
            }
            let index = try reserve()
            types[index] = try AvroSchemaReader.primitive(name, type, properties)
            return index
        case .record(_, let fields, let tags):
            guard type == Int32(AVRO_RECORD.rawValue), unsafe shim_avro_record_size(schema) == fields.count else {
                throw AvroSchemaReader.mismatch()
            }
            let index = try reserve()
            named[UInt(bitPattern: schema)] = index
            var read: [AvroSchema.Field] = []
            for (at, field) in fields.enumerated() {
                guard let name = unsafe shim_avro_field_name(schema, Int32(at)),
                    unsafe String(cString: name) == field.name,
                    let inner = unsafe shim_avro_field(schema, Int32(at))
                else { throw AvroSchemaReader.mismatch() }
                let type = unsafe try add(field.type, inner)
                read.append(.init(name: Array(field.name.utf8), type: type, tags: field.tags))
            }
            types[index] = AvroSchema.Entry(
                shape: .record(read), tags: tags, name: unsafe AvroSchemaReader.fullName(schema))
            return index
        case .union(let branches):
            guard type == Int32(AVRO_UNION.rawValue), unsafe shim_avro_union_size(schema) == branches.count else {
                throw AvroSchemaReader.mismatch()
            }
            let index = try reserve()
            var read: [Int] = []
            for (at, branch) in branches.enumerated() {
                guard let inner = unsafe shim_avro_branch(schema, Int32(at)) else { throw AvroSchemaReader.mismatch() }
                read.append(unsafe try add(branch, inner))
            }
            types[index] = AvroSchema.Entry(shape: .union(read))
            return index
        case .array(let items):
            guard type == Int32(AVRO_ARRAY.rawValue), let inner = unsafe shim_avro_items(schema) else {
                throw AvroSchemaReader.mismatch()
            }
            let index = try reserve()
            let read = unsafe try add(items, inner)
            types[index] = AvroSchema.Entry(shape: .array(read))
            return index
        case .map(let values):
            guard type == Int32(AVRO_MAP.rawValue), let inner = unsafe shim_avro_values(schema) else {
                throw AvroSchemaReader.mismatch()
            }
            let index = try reserve()
            let read = unsafe try add(values, inner)
            types[index] = AvroSchema.Entry(shape: .map(read))
            return index
        case .enumeration(_, let symbols, let standard, let tags):
            guard type == Int32(AVRO_ENUM.rawValue), unsafe shim_avro_symbol_count(schema) == symbols.count,
                Set(symbols).count == symbols.count
            else { throw AvroSchemaReader.mismatch() }
            let index = try reserve()
            named[UInt(bitPattern: schema)] = index
            var leaf = LeafType(kind: .enumeration, encoding: .zigzag, bits: 32)
            leaf.symbols = symbols.map { Array($0.utf8) }
            leaf.numbers = symbols.indices.map { Int32($0) }
            leaf.defaultNumber = Int32(standard.flatMap { symbols.firstIndex(of: $0) } ?? 0)
            types[index] = AvroSchema.Entry(shape: .leaf, leaf: leaf, tags: tags)
            return index
        case .fixed(_, let size, let properties):
            guard type == Int32(AVRO_FIXED.rawValue), unsafe shim_avro_fixed_size(schema) == Int64(size) else {
                throw AvroSchemaReader.mismatch()
            }
            let index = try reserve()
            named[UInt(bitPattern: schema)] = index
            types[index] = AvroSchema.Entry(
                shape: .leaf, leaf: AvroSchemaReader.fixed(size, properties), tags: properties.tags, isEmpty: size == 0)
            return index
        }
    }

    private static func fixed(_ size: Int, _ properties: AvroText.Properties) -> LeafType {
        var leaf = LeafType(kind: .fixed, encoding: .raw, size: size)
        switch properties.logicalType {
        case "decimal" where isDecimal(properties):
            leaf.kind = .decimal
            leaf.scale = properties.scale
            leaf.precision = properties.precision
        case "duration" where size == 12: leaf.kind = .duration
        case "uuid" where size == 16: leaf.kind = .uuid
        default: break
        }
        return leaf
    }

    /// A logical type that its own rules do not allow is none (specification, Logical Types).
    private static func isDecimal(_ properties: AvroText.Properties) -> Bool {
        properties.precision > 0 && properties.scale >= 0 && properties.scale <= properties.precision
    }

    private static func primitive(_ name: String, _ type: Int32, _ properties: AvroText.Properties)
        throws(SchemaError) -> AvroSchema.Entry
    {
        let expected: avro_type_t
        var leaf: LeafType
        let logical = properties.logicalType
        switch name {
        case "null":
            guard type == Int32(AVRO_NULL.rawValue) else { throw mismatch() }
            return AvroSchema.Entry(shape: .null, isEmpty: true)
        case "boolean": (expected, leaf) = (AVRO_BOOLEAN, LeafType(kind: .boolean, encoding: .flag))
        case "int":
            (expected, leaf) = (AVRO_INT32, LeafType(kind: .int, encoding: .zigzag, bits: 32))
            if logical == "date" { leaf.kind = .date }
            if logical == "time-millis" { (leaf.kind, leaf.unit) = (.time, 1000) }
        case "long":
            (expected, leaf) = (AVRO_INT64, LeafType(kind: .long, encoding: .zigzag))
            switch logical {
            case "time-micros": (leaf.kind, leaf.unit) = (.time, 1_000_000)
            case "timestamp-millis": (leaf.kind, leaf.unit) = (.timestamp, 1000)
            case "timestamp-micros": (leaf.kind, leaf.unit) = (.timestamp, 1_000_000)
            case "timestamp-nanos": (leaf.kind, leaf.unit) = (.timestamp, 1_000_000_000)
            case "local-timestamp-millis": (leaf.kind, leaf.unit) = (.localTimestamp, 1000)
            case "local-timestamp-micros": (leaf.kind, leaf.unit) = (.localTimestamp, 1_000_000)
            case "local-timestamp-nanos": (leaf.kind, leaf.unit) = (.localTimestamp, 1_000_000_000)
            default: break
            }
        case "float": (expected, leaf) = (AVRO_FLOAT, LeafType(kind: .float, encoding: .fixed32, size: 4))
        case "double": (expected, leaf) = (AVRO_DOUBLE, LeafType(kind: .double, encoding: .fixed64, size: 8))
        case "bytes":
            (expected, leaf) = (AVRO_BYTES, LeafType(kind: .bytes, encoding: .zigzagBytes))
            if logical == "decimal", isDecimal(properties) {
                leaf.kind = .decimal
                leaf.scale = properties.scale
                leaf.precision = properties.precision
            }
        case "string":
            (expected, leaf) = (AVRO_STRING, LeafType(kind: .string, encoding: .zigzagBytes))
            if logical == "uuid" { leaf.kind = .uuid }
        default: throw mismatch()
        }
        guard type == Int32(expected.rawValue) else { throw mismatch() }
        return AvroSchema.Entry(shape: .leaf, leaf: leaf, tags: properties.tags)
    }
}
