import Foundation
import TidegateCore

/// Evaluates the part of JSON Schema (draft 2020-12) that the published schema uses.
///
/// What it does not know is a fault of its own: a keyword passed over would make the schema look stricter than it is.
struct SchemaEvaluator {
    enum Value {
        case text(String)
        case integer(Int)
        case boolean(Bool)
        case null
        case list([Value])
        case object([(key: String, value: Value)])

        /// As YAML's core schema reads a node.
        init(_ node: ConfigurationNode) {
            switch node.content {
            case .scalar(let text, _):
                self =
                    if node.isNull { .null } else if let boolean = node.boolean {
                        .boolean(boolean)
                    } else if let integer = node.integer { .integer(integer) } else { .text(text) }
            case .sequence(let elements): self = .list(elements.map { Value($0) })
            case .mapping(let entries): self = .object(entries.map { ($0.key.text ?? "", Value($0.value)) })
            }
        }

        var type: String {
            switch self {
            case .text: "string"
            case .integer: "integer"
            case .boolean: "boolean"
            case .null: "null"
            case .list: "array"
            case .object: "object"
            }
        }
    }

    struct Unknown: Error { var keyword: String }

    private static let annotations: Set = ["description", "examples", "title", "$schema"]

    static func accepts(_ schema: [String: Any], _ value: Value) throws -> Bool {
        for (keyword, operand) in schema where !annotations.contains(keyword) {
            guard try holds(keyword, operand, schema, value) else { return false }
        }
        return true
    }

    private static func holds(
        _ keyword: String, _ operand: Any, _ schema: [String: Any], _ value: Value
    ) throws -> Bool {
        let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
        switch (keyword, operand, value) {
        case ("type", let type as String, _): return type == value.type
        case ("type", let types as [String], _): return types.contains(value.type)
        case ("enum", let words as [String], .text(let text)): return words.contains(text)
        case ("enum", _, _): return false
        case ("anyOf", let shapes as [[String: Any]], _): return try shapes.contains { try accepts($0, value) }
        case ("not", let shape as [String: Any], _): return try !accepts(shape, value)
        case ("pattern", let pattern as String, .text(let text)):
            return try text.firstMatch(of: Regex(pattern)) != nil
        case ("minLength", let least as Int, .text(let text)): return text.unicodeScalars.count >= least
        case ("minimum", let least as Int, .integer(let number)): return number >= least
        case ("exclusiveMinimum", let below as Int, .integer(let number)): return number > below
        case ("maximum", let most as Int, .integer(let number)): return number <= most
        case ("items", let shape as [String: Any], .list(let elements)):
            return try elements.allSatisfy { try accepts(shape, $0) }
        case ("minItems", let least as Int, .list(let elements)): return elements.count >= least
        case ("minProperties", let least as Int, .object(let entries)): return entries.count >= least
        case ("maxProperties", let most as Int, .object(let entries)): return entries.count <= most
        case ("required", let names as [String], .object(let entries)):
            return names.allSatisfy { name in entries.contains { $0.key == name } }
        case ("properties", _, .object(let entries)):
            return try entries.allSatisfy { entry in
                try properties[entry.key].map { try accepts($0, entry.value) } ?? true
            }
        case ("additionalProperties", let shape as [String: Any], .object(let entries)):
            return try entries.allSatisfy { entry in
                try properties[entry.key] != nil || accepts(shape, entry.value)
            }
        case ("additionalProperties", let allowed as Bool, .object(let entries)):
            return allowed || entries.allSatisfy { properties[$0.key] != nil }
        case (
            "pattern", _, _
        ), ("minLength", _, _), ("minimum", _, _), ("exclusiveMinimum", _, _), ("maximum", _, _), ("items", _, _),
            ("minItems", _, _), ("minProperties", _, _), ("maxProperties", _, _), ("required", _, _),
            ("properties", _, _), ("additionalProperties", _, _):
            return true  // of another type, which `type` judges
        default: throw Unknown(keyword: keyword)
        }
    }
}
