import Foundation

/// An Avro schema's JSON as read by Foundation, bounded and checked as far as libavro does not: what libavro drops (logical
/// types, tags, defaults) is read from it.
indirect enum AvroText {
    /// A primitive's or an earlier definition's name.
    case name(String)
    case union([AvroText])
    case array(AvroText)
    case map(AvroText)
    case record(name: String, fields: [Field], tags: [String])
    case enumeration(name: String, symbols: [String], default: String?, tags: [String])
    case fixed(name: String, size: Int, Properties)
    /// A primitive's or an earlier definition's name, with properties.
    case annotated(String, Properties)
    /// Tags of a type where it stands: other uses of its name do not have them.
    case tagged(AvroText, [String])

    struct Field {
        var name: String
        var type: AvroText
        var tags: [String]
    }
    struct Properties {
        var logicalType: String?
        var precision = 0
        var scale = 0
        var tags: [String] = []
    }

    static let depthLimit = 64
    static let byteLimit = 1 << 20
    static let primitives: Set<String> = [
        "null", "boolean", "int", "long", "float", "double", "bytes", "string",
    ]

    static func parse(_ text: [UInt8]) throws(SchemaError) -> AvroText {
        guard text.count <= byteLimit else { throw SchemaError("the Avro schema is larger than 1 MiB") }
        guard let json = try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed) else {
            throw SchemaError("the Avro schema is no JSON")
        }
        return try AvroText(json, depth: 0)
    }

    private init(_ json: Any, depth: Int) throws(SchemaError) {
        guard depth < AvroText.depthLimit else { throw SchemaError("the Avro schema is nested too deeply") }
        if let name = json as? String {
            self = .name(try AvroText.checked(name, dots: true))
            return
        }
        if let branches = json as? [Any] {
            self = .union(try AvroText.union(branches, depth))
            return
        }
        guard let object = json as? [String: Any], let type = object["type"] else {
            throw SchemaError("a type of the Avro schema is neither a name, a list nor an object with a type")
        }
        guard let name = type as? String else {
            // {"type": {"type": ...}}: only the inner one counts, but for tags.
            self = try AvroText(type, depth: depth + 1).with(AvroText.tags(object))
            return
        }
        let properties = AvroText.properties(object)
        switch name {
        case "record", "error":
            guard let list = object["fields"] as? [Any] else { throw SchemaError("an Avro record has no fields") }
            var fields: [Field] = []
            var seen: Set<String> = []
            for item in list {
                guard let item = item as? [String: Any], let name = item["name"] as? String, let type = item["type"]
                else { throw SchemaError("an Avro field has no name or no type") }
                guard seen.insert(name).inserted else { throw SchemaError("the Avro field '\(name)' is there twice") }
                fields.append(
                    Field(
                        name: try AvroText.checked(name), type: try AvroText(type, depth: depth + 1),
                        tags: AvroText.tags(item)))
            }
            self = .record(name: try AvroText.fullName(object), fields: fields, tags: properties.tags)
        case "enum":
            guard let symbols = object["symbols"] as? [String] else { throw SchemaError("an Avro enum has no symbols") }
            for symbol in symbols { _ = try AvroText.checked(symbol) }
            self = .enumeration(
                name: try AvroText.fullName(object), symbols: symbols, default: object["default"] as? String,
                tags: properties.tags)
        case "fixed":
            guard let size = object["size"] as? Int, size >= 0, size <= 1 << 24 else {
                throw SchemaError("an Avro fixed has no size that can be")
            }
            self = .fixed(name: try AvroText.fullName(object), size: size, properties)
        case "array":
            guard let items = object["items"] else { throw SchemaError("an Avro array has no items") }
            self = AvroText.array(try AvroText(items, depth: depth + 1)).with(properties.tags)
        case "map":
            guard let values = object["values"] else { throw SchemaError("an Avro map has no values") }
            self = AvroText.map(try AvroText(values, depth: depth + 1)).with(properties.tags)
        default:
            self = .annotated(try AvroText.checked(name, dots: true), properties)
        }
    }

    private func with(_ tags: [String]) -> AvroText { tags.isEmpty ? self : .tagged(self, tags) }

    private static func union(_ branches: [Any], _ depth: Int) throws(SchemaError) -> [AvroText] {
        var result: [AvroText] = []
        for branch in branches {
            if branch is [Any] { throw SchemaError("an Avro union stands directly in another") }
            result.append(try AvroText(branch, depth: depth + 1))
        }
        return result
    }

    private static func properties(_ object: [String: Any]) -> Properties {
        Properties(
            logicalType: object["logicalType"] as? String, precision: object["precision"] as? Int ?? 0,
            scale: object["scale"] as? Int ?? 0, tags: tags(object))
    }

    /// Confluent's property; one tag may stand there without its list.
    static func tags(_ object: [String: Any]) -> [String] {
        if let tags = object["confluent:tags"] as? [Any] { return tags.compactMap { $0 as? String } }
        return (object["confluent:tags"] as? String).map { [$0] } ?? []
    }

    private static func fullName(_ object: [String: Any]) throws(SchemaError) -> String {
        guard let name = object["name"] as? String else { throw SchemaError("a named Avro type has no name") }
        _ = try checked(name, dots: true)
        // A dotted name is whole; an empty namespace is none, and not the enclosing one.
        guard !name.contains("."), let space = object["namespace"] as? String else { return name }
        return space.isEmpty ? "." + name : try checked(space, dots: true) + "." + name
    }

    /// Letters, digits and underscores: nothing that would need an escape in what libavro is given.
    private static func checked(_ name: String, dots: Bool = false) throws(SchemaError) -> String {
        let isName = name.utf8.allSatisfy { byte in
            (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a || byte >= 0x30 && byte <= 0x39 || byte == 0x5f
                || dots && byte == 0x2e
        }
        guard isName, let first = name.utf8.first, !(first >= 0x30 && first <= 0x39), name.utf8.count <= 1024 else {
            throw SchemaError("a name of the Avro schema is none that Avro allows")
        }
        return name
    }

    /// The schema for libavro: what it reads, and nothing else.
    func write(to text: inout String) {
        switch self {
        case .tagged(let inner, _): inner.write(to: &text)
        case .name(let name), .annotated(let name, _): text += "\"\(name)\""
        case .union(let branches):
            text += "["
            for (index, branch) in branches.enumerated() {
                if index > 0 { text += "," }
                branch.write(to: &text)
            }
            text += "]"
        case .array(let items):
            text += #"{"type":"array","items":"#
            items.write(to: &text)
            text += "}"
        case .map(let values):
            text += #"{"type":"map","values":"#
            values.write(to: &text)
            text += "}"
        case .record(let name, let fields, _):
            text += #"{"type":"record",\#(AvroText.named(name)),"fields":["#
            for (index, field) in fields.enumerated() {
                if index > 0 { text += "," }
                text += #"{"name":"\#(field.name)","type":"#
                field.type.write(to: &text)
                text += "}"
            }
            text += "]}"
        case .enumeration(let name, let symbols, _, _):
            let list = symbols.map { "\"\($0)\"" }.joined(separator: ",")
            text += #"{"type":"enum",\#(AvroText.named(name)),"symbols":[\#(list)]}"#
        case .fixed(let name, let size, _):
            text += #"{"type":"fixed",\#(AvroText.named(name)),"size":\#(size)}"#
        }
    }

    private static func named(_ name: String) -> String {
        name.hasPrefix(".") ? #""name":"\#(name.dropFirst())","namespace":"""# : #""name":"\#(name)""#
    }
}
