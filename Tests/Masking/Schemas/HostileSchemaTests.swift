import TestSupport
import Testing
import TidegateSchemas

/// Schemas come from a registry that others may write to: whatever they are, they are read or refused.
struct HostileSchemaTests {
    private func broken(_ text: String, _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = Array(text.utf8)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let at = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: at)
            case 2: bytes.insert(bytes.randomElement(using: &random) ?? 0, at: at)
            default:
                let other = Int.random(in: 0..<bytes.count, using: &random)
                let part = bytes[min(at, other)..<min(max(at, other), min(at, other) + 40)]
                bytes.insert(contentsOf: part, at: at)
            }
        }
        return bytes
    }

    @Test(arguments: [
        (Schema.Format.avro, AvroPathTests.order), (.protobuf, ProtobufPathTests.order),
        (.protobuf, ProtobufSchemaTests.node),
        (.jsonSchema, ##"{"properties":{"a":{"confluent:tags":["T"],"items":{"$ref":"#/properties/a"}}}}"##),
    ])
    func `a schema whose text was changed is read or refused`(format: Schema.Format, text: String) {
        var random = SeededGenerator(seed: 5)
        var counts = (read: 0, refused: 0)
        for _ in 0..<1500 {
            do throws(SchemaError) {
                let schema = try Schema(format, broken(text, &random))
                counts.read += 1
                if format != .jsonSchema {
                    _ = try SchemaPlan.compile(schema, against: TakesPaths(["*.*"], detects: true))
                }
            } catch {
                counts.refused += 1
            }
        }
        #expect(counts.read > 0 && counts.refused > 0)
    }
}
