/// A schema, parsed: what plans are compiled from.
public final class Schema: Sendable {
    public enum Format: String, Sendable {
        case avro = "AVRO"
        case protobuf = "PROTOBUF"
        case jsonSchema = "JSON"
    }
    enum Model: Sendable {
        case avro(AvroSchema)
        case protobuf(ProtobufSchema)
        case jsonSchema([TaggedPath])
    }
    /// A schema's text under the name by which others refer to it: of an Avro type, of a Protobuf file that is imported, of
    /// a JSON Schema.
    public struct Source: Sendable {
        public var name: String
        public var text: [UInt8]
        public init(name: String, text: [UInt8]) {
            self.name = name
            self.text = text
        }
    }

    let model: Model

    /// - Parameters:
    ///   - references: all that it refers to, each behind what it refers to itself.
    ///   - tags: those that a registry keeps beside an Avro or Protobuf schema, by patterns of full names (`**.email`).
    /// - Throws: why it cannot be used.
    public init(
        _ format: Format, _ text: [UInt8], references: [Source] = [], tags: [String: [String]] = [:]
    ) throws(SchemaError) {
        let patterns = try TagPatterns(tags)
        switch format {
        case .avro:
            var schema = try AvroSchemaReader.read(text, references: references.map(\.text))
            if !patterns.isEmpty { schema.add(patterns) }
            model = .avro(schema)
        case .protobuf:
            let root = "tidegate/root.proto"
            let files = references.map { (name: $0.name, text: $0.text) } + [(name: root, text: text)]
            var schema = try ProtobufSchemaReader.read(files, root: root)
            if !patterns.isEmpty { schema.add(patterns) }
            model = .protobuf(schema)
        case .jsonSchema: model = .jsonSchema(try JSONSchemaReader.read(text, references: references))
        }
    }

    /// A set of descriptors, as `protoc --descriptor_set_out --include_imports` writes it. Its last file is the root.
    public init(descriptors: [UInt8]) throws(SchemaError) {
        model = .protobuf(try ProtobufSchemaReader.read(descriptors: descriptors))
    }

    public var format: Format {
        switch model {
        case .avro: .avro
        case .protobuf: .protobuf
        case .jsonSchema: .jsonSchema
        }
    }

    /// The index of a Protobuf message, for `SchemaPlan.compile`; nil where there is none.
    public func message(at path: MessagePath) -> Int? {
        guard case .protobuf(let schema) = model else { return nil }
        return schema.message(at: path)
    }

    /// As `message(at:)`, by its full name (`shop.v1.Order`).
    public func message(named name: String) -> Int? {
        guard case .protobuf(let schema) = model else { return nil }
        return schema.messages.firstIndex { $0.name == name }
    }

    /// A JSON Schema's properties that have tags. Empty for other formats, whose plans know them.
    public var taggedPaths: [TaggedPath] {
        guard case .jsonSchema(let paths) = model else { return [] }
        return paths
    }

    /// Every tag that a field or a type has: a rule for another can never match.
    public var tags: Set<String> {
        switch model {
        case .avro(let schema):
            var tags = Set(schema.types.flatMap(\.tags))
            for type in schema.types {
                if case .record(let fields) = type.shape { tags.formUnion(fields.flatMap(\.tags)) }
            }
            return tags
        case .protobuf(let schema):
            return Set(schema.messages.flatMap { $0.tags + $0.fields.flatMap(\.tags) })
        case .jsonSchema(let paths): return Set(paths.flatMap(\.tags))
        }
    }
}
