import Foundation

/// A property of a JSON Schema with its tags (`confluent:tags`).
public struct TaggedPath: Sendable, Hashable {
    public enum Step: Sendable, Hashable {
        case property([UInt8])
        /// Any property: `additionalProperties`, `patternProperties`.
        case anyProperty
        case element
        /// Any number of levels: the schema holds itself there.
        case anyDepth
    }
    public var steps: [Step]
    public var tags: [String]
}

/// Finds the tagged properties of a JSON Schema. The payload is plain JSON, so that nothing else of the schema counts.
struct JSONSchemaReader {
    static let byteLimit = 1 << 20
    static let depthLimit = 32
    /// Subschemas that are looked at, once for each way that leads to them.
    static let visitLimit = 100_000

    private let documents: [String: Any]
    private var found: [TaggedPath] = []
    private var visits = 0

    static func read(_ text: [UInt8], references: [Schema.Source]) throws(SchemaError) -> [TaggedPath] {
        var documents: [String: Any] = ["": try parse(text)]
        for reference in references {
            let document = try parse(reference.text)
            documents[reference.name] = document
            if let id = (document as? [String: Any])?["$id"] as? String { documents[id] = document }
        }
        var reader = JSONSchemaReader(documents: documents)
        try reader.visit(documents[""] as Any, document: "", [], open: [])
        return reader.found
    }

    private init(documents: [String: Any]) { self.documents = documents }

    private static func parse(_ text: [UInt8]) throws(SchemaError) -> Any {
        guard text.count <= byteLimit,
            let json = try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
        else { throw SchemaError("the JSON Schema is no JSON, or larger than 1 MiB") }
        return json
    }

    /// - Parameter open: references that were followed to get here.
    private mutating func visit(_ json: Any, document: String, _ path: [TaggedPath.Step], open: [String])
        throws(SchemaError)
    {
        visits += 1
        guard visits <= JSONSchemaReader.visitLimit, path.count <= JSONSchemaReader.depthLimit else {
            throw SchemaError("the JSON Schema is too large or nested too deeply")
        }
        guard let schema = json as? [String: Any] else { return }
        let tags = AvroText.tags(schema)
        if !tags.isEmpty { found.append(TaggedPath(steps: path, tags: tags)) }
        if let reference = (schema["$ref"] ?? schema["$dynamicRef"]) as? String {
            try follow(reference, document, path, open)
        }
        for word in ["allOf", "anyOf", "oneOf"] {
            for part in schema[word] as? [Any] ?? [] { try visit(part, document: document, path, open: open) }
        }
        for word in ["if", "then", "else", "not"] {
            if let part = schema[word] { try visit(part, document: document, path, open: open) }
        }
        for (name, part) in schema["dependentSchemas"] as? [String: Any] ?? [:] where !name.isEmpty {
            try visit(part, document: document, path, open: open)
        }
        for (name, part) in (schema["properties"] as? [String: Any] ?? [:]).sorted(by: { $0.key < $1.key }) {
            try visit(part, document: document, path + [.property(Array(name.utf8))], open: open)
        }
        for word in ["additionalProperties", "unevaluatedProperties"] {
            if let part = schema[word] { try visit(part, document: document, path + [.anyProperty], open: open) }
        }
        for (_, part) in (schema["patternProperties"] as? [String: Any] ?? [:]).sorted(by: { $0.key < $1.key }) {
            try visit(part, document: document, path + [.anyProperty], open: open)
        }
        for word in ["items", "additionalItems", "unevaluatedItems", "contains", "prefixItems"] {
            for part in schema[word] as? [Any] ?? schema[word].map({ [$0] }) ?? [] {
                try visit(part, document: document, path + [.element], open: open)
            }
        }
    }

    /// A reference into this document, or to another one by its name or `$id`.
    private mutating func follow(_ reference: String, _ document: String, _ path: [TaggedPath.Step], _ open: [String])
        throws(SchemaError)
    {
        let parts = reference.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = parts[0].isEmpty ? document : parts[0]
        let pointer = parts.count > 1 ? parts[1].removingPercentEncoding ?? parts[1] : ""
        guard let root = documents[name], let target = resolve(pointer, root) else {
            throw SchemaError("a reference of the JSON Schema leads nowhere")
        }
        let key = name + "#" + pointer
        if open.contains(key) {
            // The schema holds itself: what is tagged in it is tagged at any depth below here.
            try visitOnce(target, name, path, open)
            return
        }
        try visit(target, document: name, path, open: open + [key])
    }

    /// What is inside a schema that holds itself, from here on at any depth.
    private mutating func visitOnce(_ json: Any, _ document: String, _ path: [TaggedPath.Step], _ open: [String])
        throws(SchemaError)
    {
        guard !path.contains(.anyDepth) else { return }
        // Each reference may be followed once more behind the mark.
        try visit(json, document: document, path + [.anyDepth], open: [])
    }

    private func resolve(_ pointer: String, _ root: Any) -> Any? {
        if pointer.isEmpty { return root }
        guard pointer.hasPrefix("/") else { return anchored(pointer, root, 0) }
        var current: Any = root
        for part in pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            let name = part.replacingOccurrences(of: "~1", with: "/").replacingOccurrences(of: "~0", with: "~")
            if let object = current as? [String: Any], let next = object[name] {
                current = next
            } else if let list = current as? [Any], let index = Int(name), list.indices.contains(index) {
                current = list[index]
            } else {
                return nil
            }
        }
        return current
    }

    private func anchored(_ anchor: String, _ json: Any, _ depth: Int) -> Any? {
        guard depth < JSONSchemaReader.depthLimit else { return nil }
        if let object = json as? [String: Any] {
            if object["$anchor"] as? String == anchor || object["$dynamicAnchor"] as? String == anchor { return object }
            for value in object.values { if let found = anchored(anchor, value, depth + 1) { return found } }
        } else if let list = json as? [Any] {
            for value in list { if let found = anchored(anchor, value, depth + 1) { return found } }
        }
        return nil
    }
}
