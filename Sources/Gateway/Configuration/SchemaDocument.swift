import Foundation
public import TidegateCore

/// A settings schema in words that editors and readers understand: JSON Schema (draft 2020-12), and a table of keys.
public enum SchemaDocument {
    /// The text of `docs/tidegate.schema.json`: keys sorted, so that it only changes with the schema.
    public static func json(_ schema: SettingsSchema) -> String {
        var root = object(schema)
        root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
        root["title"] = "Tidegate configuration"
        let options: JSONSerialization.WritingOptions = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? JSONSerialization.data(withJSONObject: root, options: options) else { return "" }
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    private static func object(_ schema: SettingsSchema) -> [String: Any] {
        switch schema {
        case .text(let example, let check): text(example, check)
        case .integer(let range): ["type": "integer", "minimum": range.lowerBound, "maximum": range.upperBound]
        case .boolean: ["type": "boolean"]
        case .word(let words): ["enum": words]
        case .list(let element, let nonEmpty):
            nonEmpty
                ? ["type": "array", "items": object(element), "minItems": 1]
                : ["type": "array", "items": object(element)]
        case .oneOrMore(let element):
            ["anyOf": [object(element), ["type": "array", "items": object(element), "minItems": 1]]]
        case .object(let properties): keys(properties)
        case .map(let value, let nonEmpty):
            nonEmpty
                ? ["type": "object", "additionalProperties": object(value), "minProperties": 1]
                : ["type": "object", "additionalProperties": object(value)]
        case .either(let shapes): ["anyOf": shapes.map(object)]
        case .choice(let properties):
            keys(properties).merging(["minProperties": 1, "maxProperties": 1]) { $1 }
        case .anything: [:]
        }
    }

    private static func keys(_ properties: [SettingsSchema.Property]) -> [String: Any] {
        var named: [String: Any] = [:]
        for property in properties {
            var inner = property.isOpen ? object(property.schema) : ["not": [String: Any]()]
            inner["description"] =
                property.unavailable.map { "Not available in this version: \($0). \(property.about)" }
                ?? property.rejection.map { "Refused: \($0.message); \($0.suggestion). \(property.about)" }
                ?? property.about
            named[property.key] = inner
        }
        var object: [String: Any] = ["type": "object", "properties": named, "additionalProperties": false]
        let required = properties.filter(\.isRequired).map(\.key)
        if !required.isEmpty { object["required"] = required }
        return object
    }

    private static func text(_ example: String, _ check: SettingsSchema.TextCheck) -> [String: Any] {
        var object: [String: Any] = ["type": "string", "minLength": 1, "examples": [example]]
        switch check {
        case .any, .file, .secretFile, .glob, .network: break
        case .orEmpty: object["minLength"] = 0
        case .width:
            object["type"] = ["string", "integer", "number"]
            object["pattern"] = "^[0-9]{1,15}(\\.[0-9]{1,15})?$"
            object["exclusiveMinimum"] = 0
        case .address: object["pattern"] = "^(\\[[^\\]]+\\]|[^:\\[\\]]+):[0-9]{1,5}$"
        case .portRange:
            object["type"] = ["string", "integer"]
            object["pattern"] = "^[0-9]{1,5}(-[0-9]{1,5})?$"
        case .url: object["pattern"] = "^https?://."
        case .duration: object["pattern"] = "^[0-9]+[smhd]$"
        case .size(let range):
            object["type"] = ["string", "integer"]
            object["pattern"] = "^[0-9]+([KMGT]iB|kB|MB|GB|B)?$"
            object["minimum"] = range.lowerBound
            object["maximum"] = range.upperBound
        }
        return object
    }

    /// Every key path with its sentence: `routes[].tls.certificate`; NAME stands for a name of the writer's own.
    public static func paths(_ schema: SettingsSchema) -> [(path: String, form: String, about: String)] {
        var rows: [(path: String, form: String, about: String)] = []
        collect(schema, "", &rows)
        return rows
    }

    private static func collect(
        _ schema: SettingsSchema, _ path: String, _ rows: inout [(path: String, form: String, about: String)]
    ) {
        switch schema {
        case .object(let properties), .choice(let properties):
            for property in properties {
                let inner = path.isEmpty ? property.key : "\(path).\(property.key)"
                let about =
                    property.unavailable.map { _ in "*Not available in this version.* \(property.about)" }
                    ?? property.rejection.map { "*Refused:* \($0.message); \($0.suggestion)." } ?? property.about
                rows.append((inner, form(property), about))
                if property.isOpen { collect(property.schema, inner, &rows) }
            }
        case .list(let element, _): collect(element, "\(path)[]", &rows)
        case .oneOrMore(let element): collect(element, path, &rows)
        case .map(let value, _): collect(value, "\(path).NAME", &rows)
        case .either(let shapes): for shape in shapes { collect(shape, path, &rows) }
        case .text, .integer, .boolean, .word, .anything: break
        }
    }

    private static func form(_ property: SettingsSchema.Property) -> String {
        if !property.isOpen { return "" }
        return form(property.schema) + (property.isRequired ? ", required" : "")
    }

    private static func form(_ schema: SettingsSchema) -> String {
        switch schema {
        case .text(let example, .duration(let range)):
            "\(TextForms.duration(range.lowerBound)) to \(TextForms.duration(range.upperBound)), such as `\(example)`"
        case .text(let example, .size(let range)):
            "\(TextForms.size(range.lowerBound)) to \(TextForms.size(range.upperBound)), such as `\(example)`"
        case .text(let example, _): "text, such as `\(example)`"
        case .integer(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .boolean: "`true` or `false`"
        case .word(let words): words.map { "`\($0)`" }.joined(separator: ", ")
        case .list(let element, _): "list of: \(form(element))"
        case .oneOrMore(let element): "one or a list of: \(form(element))"
        case .object: "keys"
        case .map(let value, _): "names of your own, each: \(form(value))"
        case .either(let shapes): shapes.map(form).joined(separator: "; or ")
        case .choice: "exactly one of the keys below"
        case .anything: "anything"
        }
    }

    /// The text of `docs/configuration.md`.
    public static func reference(_ schema: SettingsSchema) -> String {
        var text = """
            # Configuration

            One YAML file. `tidegate check --config FILE` tells everything that is wrong with it in one run, each with file, line,
            column, key and what would be right. Editors complete and check with `docs/tidegate.schema.json`. This page and that
            schema are written from the code (`TIDEGATE_REGENERATE=1`, ConfigurationTests), and a test holds them against it.

            Relative paths start at the file's folder. Secrets come from files or the environment, never inline. A key with nothing
            behind it, an empty list of subjects, actions, resources or routes, a key that stands twice, a second document in the
            file: refused, since each could mean more than was meant. The file is at most 1 MiB and 64 levels deep.

            | key | value | meaning |
            | --- | --- | --- |

            """
        for row in paths(schema) {
            text +=
                "| `\(row.path)` | \(row.form.replacing("|", with: "\\|")) | \(row.about.replacing("|", with: "\\|")) |\n"
        }
        return text
    }
}

extension SettingsSchema.Property {
    /// Something may stand behind the key.
    fileprivate var isOpen: Bool { unavailable == nil && rejection == nil }
}
