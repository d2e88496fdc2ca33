public import TidegateCore

/// The published forms of the configuration's schema: a JSON Schema for editors, a reference for people.
public enum SchemaDocument {
    /// A JSON Schema (draft 2020-12), indented, with a newline at its end.
    public static func json(_ schema: SettingsSchema) -> String {
        var writer = Writer()
        writer.open()
        writer.member("$schema", "https://json-schema.org/draft/2020-12/schema")
        writer.member("title", "Tidegate configuration")
        writer.write(schema)
        writer.close()
        return writer.text + "\n"
    }

    /// A Markdown list of every key, with its path.
    public static func reference(_ schema: SettingsSchema) -> String {
        var lines: [String] = []
        list(schema, path: "", into: &lines)
        return lines.joined(separator: "\n") + "\n"
    }

    /// Every key path of the schema, `[]` for an element and `NAME` for a name of the writer's own.
    public static func paths(_ schema: SettingsSchema) -> [String] {
        var lines: [String] = []
        list(schema, path: "", into: &lines)
        return lines.compactMap { line in
            line.split(separator: "`").dropFirst().first.map(String.init)
        }
    }

    private static func list(_ schema: SettingsSchema, path: String, into lines: inout [String]) {
        switch schema {
        case .object(let properties), .choice(let properties):
            for property in properties {
                let inner = path.isEmpty ? property.key : "\(path).\(property.key)"
                let form = property.unavailable == nil ? form(property.schema) : "not available in this version"
                let required = property.isRequired ? ", required" : ""
                lines.append("- `\(inner)` (\(form)\(required)): \(property.about)")
                if property.unavailable == nil { list(property.schema, path: inner, into: &lines) }
            }
        case .list(let element, _), .oneOrMore(let element): list(element, path: "\(path)[]", into: &lines)
        case .map(let value, _): list(value, path: "\(path).NAME", into: &lines)
        case .either(let shapes): for shape in shapes { list(shape, path: path, into: &lines) }
        case .text, .integer, .boolean, .word, .anything: return
        }
    }

    private static func form(_ schema: SettingsSchema) -> String {
        switch schema {
        case .text(let example, _): "text, such as `\(example)`"
        case .integer(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .boolean: "true or false"
        case .word(let words): words.joined(separator: ", ")
        case .list(let element, _): "list of \(form(element))"
        case .oneOrMore(let element): "one or a list of \(form(element))"
        case .object: "keys"
        case .map: "names and values"
        case .either(let shapes): shapes.map(form).joined(separator: "; or ")
        case .choice: "one key"
        case .anything: "any"
        }
    }

    /// Writes JSON in the order of the schema.
    private struct Writer {
        private(set) var text = ""
        private var depth = 0
        private var isFirst = true

        mutating func open(_ bracket: Character = "{") {
            text.append(bracket)
            depth += 1
            isFirst = true
        }

        mutating func close(_ bracket: Character = "}") {
            depth -= 1
            if !isFirst { newline() }
            text.append(bracket)
            isFirst = false
        }

        private mutating func newline() { text += "\n" + String(repeating: "  ", count: depth) }

        mutating func next() {
            if !isFirst { text += "," }
            isFirst = false
            newline()
        }

        mutating func key(_ name: String) {
            next()
            text += quoted(name) + ": "
        }

        mutating func member(_ name: String, _ value: String) {
            key(name)
            text += quoted(value)
        }

        private func quoted(_ value: String) -> String {
            var bytes: [UInt8] = []
            JSONText.append(value, to: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        }

        private mutating func words(_ name: String, _ values: [String]) {
            key(name)
            text += "[" + values.map(quoted).joined(separator: ", ") + "]"
        }

        /// The members of the open object that describe a schema.
        mutating func write(_ schema: SettingsSchema) {
            switch schema {
            case .text(let example, let check):
                member("type", "string")
                if let pattern = SchemaDocument.pattern(check) { member("pattern", pattern) }
                key("examples")
                text += "[\(quoted(example))]"
            case .integer(let range):
                member("type", "integer")
                key("minimum")
                text += "\(range.lowerBound)"
                key("maximum")
                text += "\(range.upperBound)"
            case .boolean: member("type", "boolean")
            case .word(let values): words("enum", values)
            case .list(let element, let nonEmpty):
                member("type", "array")
                if nonEmpty {
                    key("minItems")
                    text += "1"
                }
                nested("items", element)
            case .oneOrMore(let element): alternatives([element, .list(element)])
            case .either(let shapes): alternatives(shapes)
            case .map(let value, let nonEmpty):
                member("type", "object")
                if nonEmpty {
                    key("minProperties")
                    text += "1"
                }
                nested("additionalProperties", value)
            case .object(let properties): object(properties)
            case .choice(let properties):
                object(properties)
                for name in ["minProperties", "maxProperties"] {
                    key(name)
                    text += "1"
                }
            case .anything: return
            }
        }

        private mutating func nested(_ name: String, _ schema: SettingsSchema) {
            key(name)
            open()
            write(schema)
            close()
        }

        private mutating func alternatives(_ shapes: [SettingsSchema]) {
            key("anyOf")
            open("[")
            for shape in shapes {
                next()
                open()
                write(shape)
                close()
            }
            close("]")
        }

        /// Keys that are not available are left out: they are refused.
        private mutating func object(_ properties: [SettingsSchema.Property]) {
            member("type", "object")
            key("properties")
            open()
            for property in properties where property.unavailable == nil {
                key(property.key)
                open()
                member("description", property.about)
                write(property.schema)
                close()
            }
            close()
            let required = properties.filter { $0.isRequired && $0.unavailable == nil }.map(\.key)
            if !required.isEmpty { words("required", required) }
            key("additionalProperties")
            text += "false"
        }
    }

    private static func pattern(_ check: SettingsSchema.TextCheck) -> String? {
        switch check {
        case .any, .file, .glob, .network: nil
        case .address: "^.+:[0-9]{1,5}$"
        case .portRange: "^[0-9]{1,5}(-[0-9]{1,5})?$"
        case .url: "^https?://"
        case .duration: "^[0-9]+[smhd]$"
        case .size: "^[0-9]+([KMGT]iB|[kMG]B|B)?$"
        }
    }
}
