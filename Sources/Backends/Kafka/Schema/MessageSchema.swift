/// The fields of one message in one version, compiled from Kafka's definitions.
final class MessageSchema: Sendable {
    /// How a value stands on the wire.
    enum Kind: Sendable, Equatable {
        /// So many bytes; numbers are big-endian.
        case fixed(Int)
        case uuid
        case string
        /// `bytes` and `records`.
        case bytes
        case structure
    }

    struct Field: Sendable {
        let name: String
        let kind: Kind
        let isArray: Bool
        let isNullable: Bool
        /// Non-nil: stands in the section of tagged fields (KIP-482).
        let tag: UInt32?
        /// `null`, a number, or empty: the type's own zero.
        let defaultText: String
        /// The definition's `entityType`, or empty.
        let entity: String
        /// Of a structure, or of an array's elements; in the order of the wire, tagged ones behind.
        let fields: [Field]
        /// The least that one value can take, in bytes: what a count is held against.
        let least: Int
    }

    let key: Int16
    let name: String
    let isResponse: Bool
    let version: Int16
    let isFlexible: Bool
    let fields: [Field]
    /// Some field of it is text that brokers word freely, and in which their addresses may stand.
    let holdsText: Bool

    /// Fields with such text.
    static let texts: Set<String> = [
        "ErrorMessage", "BatchIndexErrorMessage", "AcknowledgeErrorMessage", "StatusDetail",
    ]

    init(key: Int16, name: String, isResponse: Bool, version: Int16, isFlexible: Bool, fields: [Field]) {
        self.key = key
        self.name = name
        self.isResponse = isResponse
        self.version = version
        self.isFlexible = isFlexible
        self.fields = fields
        holdsText = MessageSchema.holdsText(fields)
    }

    private static func holdsText(_ fields: [Field]) -> Bool {
        fields.contains { texts.contains($0.name) || holdsText($0.fields) }
    }

    /// A field at the top, or of the elements of an array there.
    func field(_ name: String, under array: String?) -> Field? {
        var fields = fields
        if let array { fields = fields.first { $0.name == array }?.fields ?? [] }
        return fields.first { $0.name == name }
    }

    /// Requests have header 2 where flexible, else 1; responses 1 or 0, but ApiVersions always 0.
    var hasFlexibleHeader: Bool { isFlexible && !(isResponse && key == KafkaKey.apiVersions) }
}

/// All messages of `KafkaDefinitions`, each compiled for each of its versions.
final class MessageCatalog: Sendable {
    static let shared = MessageCatalog()

    struct API: Sendable {
        let key: Int16
        let name: String
        let versions: ClosedRange<Int16>
        let firstFlexible: Int16
        let requests: [MessageSchema]
        let responses: [MessageSchema]
    }

    /// By key; a gap is a key that no client may use.
    let apis: [API?]

    private init() {
        var requests: [Int16: Definition] = [:]
        var responses: [Int16: Definition] = [:]
        for line in KafkaDefinitions.lines {
            var parser = DefinitionParser("\(line)")
            guard let definition = parser.definition() else { continue }
            if definition.isResponse {
                responses[definition.key] = definition
            } else {
                requests[definition.key] = definition
            }
        }
        let highest = requests.keys.max() ?? 0
        apis = (0...highest).map { key in
            guard let request = requests[key], let response = responses[key] else { return nil }
            let name = String(request.name.dropLast("Request".count))
            return API(
                key: key, name: name, versions: request.versions, firstFlexible: request.firstFlexible,
                requests: request.versions.map { request.schema(version: $0) },
                responses: request.versions.map { response.schema(version: $0) })
        }
    }

    func api(_ key: Int16) -> API? {
        guard key >= 0, Int(key) < apis.count else { return nil }
        return apis[Int(key)]
    }

    func request(_ key: Int16, version: Int16) -> MessageSchema? {
        guard let api = api(key), api.versions.contains(version) else { return nil }
        return api.requests[Int(version - api.versions.lowerBound)]
    }

    func response(_ key: Int16, version: Int16) -> MessageSchema? {
        guard let api = api(key), api.versions.contains(version) else { return nil }
        return api.responses[Int(version - api.versions.lowerBound)]
    }
}

/// One line of `KafkaDefinitions`, before a version is chosen.
private struct Definition {
    struct Field {
        var name = ""
        var type = ""
        var isArray = false
        var versions: ClosedRange<Int16> = 0...Int16.max
        var nullable: ClosedRange<Int16>?
        var tag: UInt32?
        var tagged: ClosedRange<Int16>?
        var defaultText = ""
        var entity = ""
        var fields: [Field] = []
    }
    var key: Int16
    var name: String
    var isResponse: Bool
    var versions: ClosedRange<Int16>
    /// The first flexible version; beyond all where there is none.
    var firstFlexible: Int16
    var fields: [Field]

    func schema(version: Int16) -> MessageSchema {
        let isFlexible = version >= firstFlexible
        return MessageSchema(
            key: key, name: name, isResponse: isResponse, version: version, isFlexible: isFlexible,
            fields: compile(fields, version, isFlexible))
    }

    private func compile(_ fields: [Field], _ version: Int16, _ isFlexible: Bool) -> [MessageSchema.Field] {
        let present = fields.filter { $0.versions.contains(version) }
        let compiled = present.map { field in
            let inner = compile(field.fields, version, isFlexible)
            let isTagged = field.tag != nil && (field.tagged?.contains(version) ?? false)
            let kind = Definition.kind(field.type)
            let isNullable = field.nullable?.contains(version) ?? false
            return MessageSchema.Field(
                name: field.name, kind: kind, isArray: field.isArray, isNullable: isNullable,
                tag: isTagged ? field.tag : nil, defaultText: field.defaultText, entity: field.entity, fields: inner,
                least: Definition.least(kind, inner, isFlexible: isFlexible, isNullable: isNullable))
        }
        return compiled.filter { $0.tag == nil }
            + compiled.filter { $0.tag != nil }.sorted { ($0.tag ?? 0) < ($1.tag ?? 0) }
    }

    private static func kind(_ type: String) -> MessageSchema.Kind {
        switch type {
        case "bool", "int8": .fixed(1)
        case "int16", "uint16": .fixed(2)
        case "int32", "uint32": .fixed(4)
        case "int64", "float64": .fixed(8)
        case "uuid": .uuid
        case "string": .string
        case "bytes", "records": .bytes
        default: .structure
        }
    }

    private static func least(
        _ kind: MessageSchema.Kind, _ fields: [MessageSchema.Field], isFlexible: Bool, isNullable: Bool
    ) -> Int {
        switch kind {
        case .fixed(let size): return size
        case .uuid: return 16
        case .string: return isFlexible ? 1 : 2
        case .bytes: return isFlexible ? 1 : 4
        case .structure:
            var sum = isFlexible ? 1 : 0
            for field in fields where field.tag == nil {
                sum +=
                    field.isArray
                    ? (isFlexible ? 1 : 4) : field.isNullable && field.kind == .structure ? 1 : field.least
            }
            return max(1, sum)
        }
    }
}

/// Reads the lines that `scripts/kafka-definitions.py` writes.
private struct DefinitionParser {
    private let text: [UInt8]
    private var at = 0
    init(_ text: String) { self.text = Array(text.utf8) }

    mutating func definition() -> Definition? {
        guard let key = Int16(word()) else { return nil }
        let isResponse = word() == "response"
        let name = word()
        let versions = DefinitionParser.versions(word())
        let flexible = word()
        _ = word()
        let fields = self.fields()
        guard let versions else { return nil }
        return Definition(
            key: key, name: name, isResponse: isResponse, versions: versions,
            firstFlexible: flexible == "none"
                ? Int16.max : DefinitionParser.versions(flexible)?.lowerBound ?? Int16.max,
            fields: fields)
    }

    private var current: UInt8? { at < text.count ? text[at] : nil }

    private mutating func word() -> String {
        while current == UInt8(ascii: " ") { at += 1 }
        return until([UInt8(ascii: " ")])
    }

    private mutating func until(_ ends: [UInt8]) -> String {
        let start = at
        while let byte = current, !ends.contains(byte) { at += 1 }
        return String(decoding: text[start..<at], as: UTF8.self)
    }

    private mutating func fields() -> [Definition.Field] {
        var found: [Definition.Field] = []
        while let byte = current, byte != UInt8(ascii: "}") {
            if byte == UInt8(ascii: " ") {
                at += 1
                continue
            }
            found.append(field())
        }
        return found
    }

    private mutating func field() -> Definition.Field {
        let marks = Array("@?#=%{} ".utf8)
        var field = Definition.Field()
        field.name = until([UInt8(ascii: ":")])
        at += 1
        if current == UInt8(ascii: "[") {
            field.isArray = true
            at += 2
        }
        field.type = until(marks)
        while let mark = current {
            switch mark {
            case UInt8(ascii: "@"):
                at += 1
                field.versions = DefinitionParser.versions(until(marks)) ?? field.versions
            case UInt8(ascii: "?"):
                at += 1
                field.nullable = DefinitionParser.versions(until(marks))
            case UInt8(ascii: "#"):
                at += 1
                field.tag = UInt32(until([UInt8(ascii: "/")]))
                at += 1
                field.tagged = DefinitionParser.versions(until(marks))
            case UInt8(ascii: "="):
                at += 1
                field.defaultText = until(marks)
            case UInt8(ascii: "%"):
                at += 1
                field.entity = until(marks)
            case UInt8(ascii: "{"):
                at += 1
                field.fields = fields()
                at += 1
                return field
            default: return field
            }
        }
        return field
    }

    /// `4+`, `0-3`.
    private static func versions(_ text: String) -> ClosedRange<Int16>? {
        if text.hasSuffix("+") { return Int16(text.dropLast()).map { $0...Int16.max } }
        let ends = text.split(separator: "-")
        guard ends.count == 2, let low = Int16(ends[0]), let high = Int16(ends[1]), low <= high else { return nil }
        return low...high
    }
}
