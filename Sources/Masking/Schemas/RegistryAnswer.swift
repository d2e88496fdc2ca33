import Foundation

/// A schema as a registry tells it (`GET /schemas/ids/{id}`, `GET /subjects/{subject}/versions/{version}?deleted=true`).
struct RegistryAnswer: Decodable, Sendable {
    struct Reference: Decodable, Sendable {
        /// The name by which the schema refers to it.
        var name: String
        var subject: String
        var version: Int
    }
    struct Metadata: Decodable, Sendable {
        var tags: [String: [String]]?
    }
    var schema: String
    /// `AVRO` where it is not said.
    var schemaType: String?
    var references: [Reference]?
    var metadata: Metadata?

    static func parse(_ body: [UInt8]) throws(SchemaError) -> RegistryAnswer {
        guard let answer = try? JSONDecoder().decode(RegistryAnswer.self, from: Data(body)) else {
            throw SchemaError("the registry's answer is none of a schema registry's")
        }
        return answer
    }

    func format() throws(SchemaError) -> Schema.Format {
        guard let format = Schema.Format(rawValue: schemaType ?? "AVRO") else {
            throw SchemaError("the registry's schema is neither Avro, Protobuf nor JSON Schema")
        }
        return format
    }
}
