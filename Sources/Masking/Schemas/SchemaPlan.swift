import TidegateWire

/// A schema compiled against rules: it finds the leaves of a payload that rules take or detectors are to see, and writes
/// the payload again with some of them replaced. One plan serves all threads.
public final class SchemaPlan: Sendable {
    /// `Leaf.type` of an Avro map's key.
    static let mapKeyType: Int32 = -1
    /// Offsets are 32 bits.
    static let byteLimit = 1 << 30

    enum Format: Sendable { case avro, protobuf }

    /// All names of fields, by `Leaf.nameID`. The first is empty: the root's.
    public let names: [[UInt8]]

    /// True where no payload has a leaf that anybody wants to see, nor an unknown field that is to go.
    public let isIdle: Bool

    let format: Format
    let leafTypes: [LeafType]
    private let root: Int32
    private let options: PlanOptions
    private let published: PublishedTables
    private let keys: MapKeys
    /// The `PlanCompiler` that made it.
    private let compiler: any MapKeyResolver
    private let keyType = LeafType(kind: .string, encoding: .zigzagBytes)

    /// Compiles a schema.
    ///
    /// - Parameters:
    ///   - message: of a Protobuf schema, by its index (`Schema.message(at:)`); 0 for others.
    /// - Throws: where the schema is JSON Schema, has no such message, or the rules see too many places in it.
    public static func compile<Resolver: PlaceResolver>(
        _ schema: Schema, message: Int = 0, against resolver: Resolver, options: PlanOptions = PlanOptions()
    ) throws(SchemaError) -> SchemaPlan {
        switch schema.model {
        case .avro(let avro):
            let compiler = PlanCompiler(.avro(avro), resolver)
            let root = try compiler.compile(root: avro.root, tags: avro.tags(ofType: avro.root))
            return SchemaPlan(
                .avro, root, compiler.names, avro.types.map(\.leaf), compiler.published, compiler, options)
        case .protobuf(let protobuf):
            guard protobuf.messages.indices.contains(message) else { throw SchemaError("there is no such message") }
            let compiler = PlanCompiler(.protobuf(protobuf, options.unknownFields), resolver)
            let root = try compiler.compile(root: message, tags: protobuf.messages[message].tags)
            return SchemaPlan(
                .protobuf, root, compiler.names, protobuf.leafTypes, compiler.published, compiler, options)
        case .jsonSchema: throw SchemaError("a JSON Schema has no plan: its payload is JSON")
        }
    }

    private init(
        _ format: Format, _ root: Int32, _ names: [[UInt8]], _ leafTypes: [LeafType], _ published: PublishedTables,
        _ resolver: any MapKeyResolver, _ options: PlanOptions
    ) {
        self.format = format
        self.root = root
        self.names = names
        self.leafTypes = leafTypes
        self.published = published
        self.options = options
        keys = MapKeys(resolver, published)
        compiler = resolver
        isIdle =
            (format == .avro || options.unknownFields == .keep)
            && published.tables.nodes.allSatisfy { $0.rule == Node.unseen && ($0.operation != .map || $0.extra < 0) }
    }

    /// Finds the leaves of a payload, which begins behind the registry's framing.
    ///
    /// - Returns: false where the payload is not exactly one value of the schema, or breaks a limit of the plan's options.
    public func leaves(in payload: RawSpan, into list: inout LeafList) -> Bool {
        list.clear()
        guard payload.byteCount <= SchemaPlan.byteLimit else { return false }
        list.payloadCount = payload.byteCount
        switch format {
        case .avro:
            var walker = AvroWalker(published.tables, keys, options)
            return walker.walk(payload, root: root, into: &list)
        case .protobuf:
            var walker = ProtobufWalker(published.tables, keys, leafTypes, options)
            return walker.walk(payload, root: root, into: &list)
        }
    }

    /// Appends a leaf as text: numbers decimal, decimals exact, dates ISO 8601; strings and bytes as they are.
    ///
    /// - Returns: false where these are not UTF-8, or where there is no such text and the content itself was appended.
    @discardableResult
    public func appendText(of leaf: Leaf, in payload: RawSpan, to text: inout [UInt8]) -> Bool {
        guard payload.holds(leaf.content) else { return false }
        switch leaf.kind {
        case .string, .bytes, .fixed:
            let bytes = unsafe payload.extracting(unchecked: leaf.content)
            text.append(bytes: bytes)
            return UTF8Check.isValid(bytes)
        case .int, .long:
            let index = Int(leaf.type)
            guard leafTypes.indices.contains(index) else { return false }
            return LeafText.appendInteger(leaf.content, leafTypes[index].encoding, leaf.kind, payload, to: &text)
        default: break
        }
        return LeafText.append(leaf.content, type(of: leaf), payload, to: &text)
    }

    /// Where a text stands into which rules reach.
    ///
    /// - Parameter resolver: the type of what the schema was compiled against.
    /// - Returns: nil for any other leaf.
    public func place<Resolver: PlaceResolver>(of leaf: Leaf, for resolver: Resolver.Type) -> Resolver.Place? {
        leaf.place.flatMap { (compiler as? PlanCompiler<Resolver>)?.place($0) }
    }

    /// The name of a leaf's field, or the key that it stands under.
    public func fieldName(of leaf: Leaf, in payload: RawSpan) -> [UInt8] {
        if names.indices.contains(Int(leaf.nameID)) { return names[Int(leaf.nameID)] }
        var name: [UInt8] = []
        appendFieldName(of: leaf, in: payload, to: &name)
        return name
    }

    /// As `fieldName`, without an allocation.
    public func appendFieldName(of leaf: Leaf, in payload: RawSpan, to text: inout [UInt8]) {
        if names.indices.contains(Int(leaf.nameID)) {
            text.append(contentsOf: names[Int(leaf.nameID)])
            return
        }
        let key = Int(min(leaf.keyStart, leaf.keyEnd))..<Int(leaf.keyEnd)
        let type = -2 - Int(leaf.nameID)
        guard payload.holds(key) else { return }
        if leafTypes.indices.contains(type), format == .protobuf, leafTypes[type].kind != .string {
            // A key that is not there is its type's zero.
            if key.isEmpty { return text.append(contentsOf: leafTypes[type].zeroText) }
            _ = LeafText.append(key, leafTypes[type], payload, to: &text)
        } else {
            text.append(bytes: unsafe payload.extracting(unchecked: key))
        }
    }

    /// Appends the payload with its leaves edited, and unknown fields left out where the options say so. All other bytes are
    /// the payload's own.
    ///
    /// - Parameters:
    ///   - list: as `leaves` left it for this payload.
    ///   - edits: one for each leaf.
    ///   - texts: what the edits' ranges are of.
    ///   - isStrict: a text that its leaf's type cannot hold is refused, and makes it not empty.
    /// - Returns: false, with `output` as it was, where edits and leaves do not belong together, or the payload would become
    ///   larger than a length can say, or a text is refused.
    public func rewrite(
        _ payload: RawSpan, _ list: inout LeafList, _ edits: [LeafEdit], texts: [UInt8], isStrict: Bool = false,
        into output: inout [UInt8]
    ) -> Bool {
        guard edits.count == list.leaves.count, payload.byteCount == list.payloadCount else { return false }
        return unsafe Splicer(plan: self, isStrict: isStrict).rewrite(payload, &list, edits, texts.span.bytes, &output)
    }

    func type(of leaf: Leaf) -> LeafType {
        leafTypes.indices.contains(Int(leaf.type)) ? leafTypes[Int(leaf.type)] : keyType
    }
}
