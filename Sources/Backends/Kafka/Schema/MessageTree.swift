import TidegateWire

/// A message as a tree of where its values stand: what rules read, and what edits point at. Nothing is copied.
///
/// For the requests and answers that are not hot; Produce and Fetch have readers of their own.
struct MessageNode {
    let name: String
    /// The whole encoding, lengths and counts included; of a tagged field its content.
    var range: Range<Int>
    /// The content of a string or of bytes; of an array what follows the count.
    var content: Range<Int>
    /// Where an array's number of elements stands.
    var count: Range<Int>
    /// Where the size of a tagged field stands: changes with what it holds.
    var tagSize: Range<Int>?
    var isNull: Bool
    /// Fields of a structure that are present, or elements of an array.
    var children: [MessageNode]

    init(_ name: String, at start: Int) {
        self.name = name
        range = start..<start
        content = start..<start
        count = start..<start
        isNull = false
        children = []
    }

    subscript(name: String) -> MessageNode? { children.first { $0.name == name } }

    /// A whole number of at most eight bytes; 0 where it is none.
    func integer(_ window: RawSpan) -> Int64 {
        switch range.count {
        case 1: Int64(window.bigEndian(Int8.self, at: range.lowerBound) ?? 0)
        case 2: Int64(window.bigEndian(Int16.self, at: range.lowerBound) ?? 0)
        case 4: Int64(window.bigEndian(Int32.self, at: range.lowerBound) ?? 0)
        case 8: window.bigEndian(Int64.self, at: range.lowerBound) ?? 0
        default: 0
        }
    }

    /// A boolean as Kafka reads it: any byte but zero.
    func isTrue(_ window: RawSpan) -> Bool { integer(window) != 0 }

    func topicID(_ window: RawSpan) -> TopicID {
        TopicID(
            high: window.bigEndian(UInt64.self, at: range.lowerBound) ?? 0,
            low: window.bigEndian(UInt64.self, at: range.lowerBound + 8) ?? 0)
    }
}

/// Reads a whole message into a tree.
struct MessageReader {
    /// Nodes that one answer may have, and nodes and numbers in arrays that one request of a client may have; more is
    /// refused.
    static let limit = 2_000_000
    static let requestLimit = 200_000
    /// Structures in structures; no definition nests deeper than six.
    static let depth = 16

    let schema: MessageSchema
    /// Arrays of these names are passed over: their count and end are found, not their elements.
    let skipped: Set<String>
    private var reader: FieldReader
    private var nodes = 0
    private let limit: Int

    /// - Parameter body: behind the header, to the end of the frame.
    init(_ schema: MessageSchema, body: Range<Int>, skipping skipped: Set<String> = []) {
        self.schema = schema
        limit = schema.isResponse ? MessageReader.limit : MessageReader.requestLimit
        self.skipped = skipped
        reader = FieldReader(at: body.lowerBound, end: body.upperBound, isFlexible: schema.isFlexible)
    }

    /// - Throws: `bad` where the bytes are not such a message; bytes behind its end are an error too.
    mutating func read(_ window: RawSpan) throws(FieldReader.Failure) -> MessageNode {
        let root = try structure("", schema.fields, window, depth: 0, isSkipped: false)
        guard reader.at == reader.end else { throw .bad("bytes behind the end of a message") }
        return root
    }

    private mutating func structure(
        _ name: String, _ fields: [MessageSchema.Field], _ window: RawSpan, depth: Int, isSkipped: Bool
    ) throws(FieldReader.Failure) -> MessageNode {
        guard depth < MessageReader.depth else { throw .bad("structures nested too deep") }
        var node = MessageNode(name, at: reader.at)
        for field in fields where field.tag == nil {
            let child = try value(field, window, depth: depth, isSkipped: isSkipped)
            if !isSkipped { node.children.append(child) }
        }
        if schema.isFlexible { try tags(fields, into: &node, window, depth: depth, isSkipped: isSkipped) }
        node.range = node.range.lowerBound..<reader.at
        return node
    }

    private mutating func tags(
        _ fields: [MessageSchema.Field], into node: inout MessageNode, _ window: RawSpan, depth: Int, isSkipped: Bool
    ) throws(FieldReader.Failure) {
        var count = try reader.varint(window)
        while count > 0 {
            count -= 1
            let tag = try reader.varint(window)
            let sizeStart = reader.at
            let size = try reader.varint(window)
            let sizeRange = sizeStart..<reader.at
            let start = reader.at
            guard size <= reader.end - start else { throw .bad("a tagged field runs past the end of its message") }
            guard let field = fields.first(where: { $0.tag == UInt32(tag) }) else {
                _ = try reader.take(size, window)
                continue
            }
            var child = try value(field, window, depth: depth, isSkipped: isSkipped)
            guard reader.at == start + size else { throw .bad("a tagged field of another size than it says") }
            child.tagSize = sizeRange
            if !isSkipped { node.children.append(child) }
        }
    }

    private mutating func value(
        _ field: MessageSchema.Field, _ window: RawSpan, depth: Int, isSkipped: Bool
    ) throws(FieldReader.Failure) -> MessageNode {
        nodes += 1
        guard nodes <= limit else { throw .bad("a message of too many fields") }
        if field.isArray { return try array(field, window, depth: depth, isSkipped: isSkipped) }
        var node = MessageNode(field.name, at: reader.at)
        switch field.kind {
        case .fixed(let size): _ = try reader.take(size, window)
        case .uuid: _ = try reader.take(16, window)
        case .string, .bytes:
            let length = try reader.length(isString: field.kind == .string, window)
            node.isNull = length < 0
            guard !node.isNull || field.isNullable else { throw .bad("a null where none may be") }
            let start = try reader.take(max(0, length), window)
            node.content = start..<reader.at
        case .structure:
            // An untagged nullable structure begins with -1 (null) or 1.
            if field.isNullable, field.tag == nil {
                let mark = try reader.integer(Int8.self, window)
                if mark < 0 {
                    node.isNull = true
                    break
                }
            }
            var inner = try structure(field.name, field.fields, window, depth: depth + 1, isSkipped: isSkipped)
            inner.range = node.range.lowerBound..<reader.at
            return inner
        }
        node.range = node.range.lowerBound..<reader.at
        return node
    }

    private mutating func array(
        _ field: MessageSchema.Field, _ window: RawSpan, depth: Int, isSkipped: Bool
    ) throws(FieldReader.Failure) -> MessageNode {
        var node = MessageNode(field.name, at: reader.at)
        let count = try reader.count(atLeast: field.least, window)
        node.count = node.range.lowerBound..<reader.at
        node.isNull = count < 0
        guard !node.isNull || field.isNullable else { throw .bad("a null where none may be") }
        let skips = isSkipped || skipped.contains(field.name)
        let start = reader.at
        switch field.kind {
        case .fixed(let size):
            // Numbers have no nodes of their own: rules read them from the content. A refusal has an element for each.
            if !schema.isResponse {
                nodes += max(0, count)
                guard nodes <= limit else { throw .bad("a message of too many fields") }
            }
            _ = try reader.take(max(0, count) * size, window)
        case .uuid, .string, .bytes, .structure:
            if !skips { node.children.reserveCapacity(max(0, min(count, 4096))) }
            for _ in 0..<max(0, count) {
                let element = try element(field, window, depth: depth, isSkipped: skips)
                if !skips { node.children.append(element) }
            }
        }
        node.content = start..<reader.at
        node.range = node.range.lowerBound..<reader.at
        return node
    }

    private mutating func element(
        _ field: MessageSchema.Field, _ window: RawSpan, depth: Int, isSkipped: Bool
    ) throws(FieldReader.Failure) -> MessageNode {
        nodes += 1
        guard nodes <= limit else { throw .bad("a message of too many fields") }
        if field.kind == .structure {
            return try structure(field.name, field.fields, window, depth: depth + 1, isSkipped: isSkipped)
        }
        var node = MessageNode(field.name, at: reader.at)
        switch field.kind {
        case .fixed(let size): _ = try reader.take(size, window)
        case .uuid: _ = try reader.take(16, window)
        case .string, .bytes, .structure:
            let length = try reader.length(isString: field.kind == .string, window)
            let start = try reader.take(max(0, length), window)
            node.isNull = length < 0
            node.content = start..<reader.at
        }
        node.range = node.range.lowerBound..<reader.at
        return node
    }
}
