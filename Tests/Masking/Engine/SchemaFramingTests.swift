import Foundation
import Testing
import TidegateCore
import TidegateMasking
import TidegateSchemas

/// JSON Schema in a registry's framing, and rules by tag where no schema says what is tagged.
struct SchemaFramingTests {
    private static let schema = #"""
        {"type":"object","properties":{"mail":{"type":"string","confluent:tags":["PII"]},"n":{"type":"integer"}}}
        """#

    @Test func `JSON behind a registry's framing is masked, the framing stays`() async throws {
        let profile = try RecordFixture.profile(
            [MaskingRule(.tag("PII"), action: .redact("x")), MaskingRule(field: "n", action: .bucket(width: "10"))],
            schemas: [(SchemaFramingTests.schema, "JSON")])
        let framing: [UInt8] = [0, 0, 0, 0, 1]
        func framed(_ text: String) -> [UInt8] { framing + Array(text.utf8) }
        var records = RecordFixture()
        records.add(.value, framed(#"{"mail":"ann@example.com","n":37}"#))
        records.add(.value, framed(#"{"m":1}"#), record: 1)
        records.add(.value, framed(#"{"mail":"#), record: 2)
        records.add(.value, framing, record: 3)
        records.add(.key, framed(#"{"mail":"ann@example.com"}"#), record: 4)
        records.add(.key, framed(#"{"mail":"#), record: 5)
        let made = await records.masked(profile)
        #expect(made[0] == framed(#"{"mail":"x","n":30}"#))
        #expect(made[1] == framed(#"{"m":1}"#))
        #expect(made[2] == framed(#""[redacted]""#))
        #expect(made[3] == framed(#""[redacted]""#))
        let key = String(decoding: try #require(made[4]).dropFirst(5), as: UTF8.self)
        #expect(made[4]?.starts(with: framing) == true && key.hasPrefix(#"{"mail":"tgh1_"#))
        let broken = String(decoding: try #require(made[5]).dropFirst(5), as: UTF8.self)
        #expect(made[5]?.starts(with: framing) == true && broken.hasPrefix(#""tgh1_"#))
    }

    @Test func `under a rule by tag what has no schema is replaced, a key of plain text is not`() async throws {
        let tag = MaskingRule(.tag("PII"), action: .redact("x"))
        let profile = try RecordFixture.profile([tag], schemas: [(SchemaFramingTests.schema, "JSON")])
        var records = RecordFixture()
        records.add(.key, "order-17")
        records.add(.value, #"{"mail":"ann@example.com"}"#)
        records.add(.key, #"{"mail":"ann@example.com"}"#, record: 1)
        records.add(.key, [4, 0xff, 0, 1], record: 2)
        records.add(.value, [0, 0, 0], record: 3)
        let made = await records.texts(profile)
        #expect(made[0] == "order-17")
        #expect(made[1] == "[redacted]")
        #expect(made[2]?.contains("tgh1_") == true && made[3]?.contains("tgh1_") == true && made[2] != made[3])
        #expect(made[4] == "[redacted]")
        // Where no rule asks for a tag, values without a schema are JSON.
        let plain = try RecordFixture.profile(
            [MaskingRule(field: "mail", action: .redact("x"))], schemas: [(SchemaFramingTests.schema, "JSON")])
        #expect(await records.texts(plain)[1] == #"{"mail":"x"}"#)
    }

    @Test(arguments: [MaskingFormat.json, .text])
    func `a rule by tag is refused in a format that reads no schema`(format: MaskingFormat) throws {
        #expect(throws: MaskingSettingsErrors.self) {
            try RecordFixture.profile(
                [MaskingRule(.tag("PII"), action: .redact("x"))], format: format,
                schemas: [(SchemaFramingTests.schema, "JSON")])
        }
    }

    @Test func `a file's schema is found for each record of a call, of keys and of values`() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/tidegate-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = folder + "/value.json"
        try SchemaFramingTests.schema.write(toFile: file, atomically: true, encoding: .utf8)
        let profile = try MaskingProfile(
            MaskingProfileSettings(
                name: "f", rules: [MaskingRule(.tag("PII"), action: .redact("x"))],
                schemas: [
                    FileSchemaSettings(resources: ["pay*"], part: .key, file: file),
                    FileSchemaSettings(resources: ["orders", "o?"], file: file),
                ]),
            EngineFixture.material())
        var records = RecordFixture()
        for record in 0..<3 { records.add(.value, #"{"mail":"a","n":1}"#, record: UInt32(record)) }
        #expect(await records.texts(profile) == Array(repeating: #"{"mail":"x","n":1}"#, count: 3))
        #expect(await records.texts(profile, resource: "o1") == Array(repeating: #"{"mail":"x","n":1}"#, count: 3))
        #expect(await records.texts(profile, resource: "pay") == Array(repeating: "[redacted]", count: 3))
    }
}
