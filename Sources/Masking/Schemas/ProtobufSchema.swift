/// Messages of a Protobuf schema, those of its imports too.
struct ProtobufSchema: Sendable {
    enum Content: Sendable {
        /// Index of a leaf type.
        case leaf(Int)
        /// Index of a message.
        case message(Int)
    }
    struct Field: Sendable {
        var name: [UInt8]
        var number: UInt32
        var wire: UInt8
        var shape: FieldEntry.Shape
        var isPackable: Bool
        var content: Content
        var tags: [String]
    }
    struct Message: Sendable {
        var name: String
        /// By number.
        var fields: [Field]
        var tags: [String]
        /// Messages inside it, in the schema's order: what message indexes count.
        var nested: [Int] = []
        /// Its fields are no level of a path: a wrapper's value, a `Struct`'s fields.
        var isTransparent: Bool { ProtobufSchema.transparent.contains(name) }
    }
    var messages: [Message]
    var leafTypes: [LeafType]
    /// The root file's messages.
    var topLevel: [Int]

    /// Messages that stand for a plain value: what is in them has the path of the field that holds them.
    static let transparent: Set<String> = Set(
        [
            "Struct", "Value", "ListValue", "DoubleValue", "FloatValue", "Int64Value", "UInt64Value", "Int32Value",
            "UInt32Value", "BoolValue", "StringValue", "BytesValue",
        ].map { "google.protobuf." + $0 })

    /// Types as plans count them: messages, then leaf types.
    func type(of content: Content) -> Int {
        switch content {
        case .message(let index): index
        case .leaf(let index): messages.count + index
        }
    }

    /// Adds tags that stand beside the schema.
    mutating func add(_ patterns: TagPatterns) {
        for index in messages.indices {
            for at in messages[index].fields.indices {
                let name = String(decoding: messages[index].fields[at].name, as: UTF8.self)
                messages[index].fields[at].tags += patterns.tags(of: messages[index].name + "." + name)
            }
        }
    }

    func tags(ofType type: Int) -> [String] { messages.indices.contains(type) ? messages[type].tags : [] }

    /// The message that a payload's indexes lead to (the framing's way to name it).
    func message(at path: MessagePath) -> Int? {
        var candidates = topLevel
        var found: Int?
        for index in path {
            guard candidates.indices.contains(index) else { return nil }
            found = candidates[index]
            candidates = messages[candidates[index]].nested
        }
        return found
    }
}
