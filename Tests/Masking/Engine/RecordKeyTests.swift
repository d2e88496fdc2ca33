import Foundation
import Testing
import TidegateCore
import TidegateMasking
import TidegateTokens

/// Record keys: two never become one, and one is always the same.
struct RecordKeyTests {
    private static let digits = TokenForm.preserving(PreservingSettings(alphabet: .digits))

    /// Masks each key twice; nil for one whose record is left out.
    private func masked(_ fixture: EngineFixture, _ keys: [String]) -> [String?] {
        keys.map { key in
            let first = fixture.field(.key, Array(key.utf8))
            #expect(fixture.field(.key, Array(key.utf8)) == first, "the same key again: \(key)")
            #expect(first.outcome != .null)
            return first.content.map { String(decoding: $0, as: UTF8.self) }
        }
    }

    @Test func `values of every type in a key stay apart`() throws {
        let keys = [
            #"{"id":12}"#, #"{"id":13}"#, #"{"id":"12"}"#, #"{"id":true}"#, #"{"id":false}"#, #"{"id":{"a":1}}"#,
            #"{"id":{"a":2}}"#, #"{"id":[1]}"#, #"{"id":null}"#, #"{"id":1.5}"#, #"{"id":-12}"#, #"{"id":"1234567"}"#,
            #"{"id":1234567}"#, #"{"id":"abc"}"#, #"{"id":"abd"}"#,
        ]
        for action in [
            MaskingAction.redact("x"), .nullify, .drop, EngineFixture.token("id"),
            EngineFixture.token("id", RecordKeyTests.digits),
        ] {
            let fixture = try EngineFixture([MaskingRule(field: "id", action: action)])
            let made = masked(fixture, keys).compactMap(\.self)
            #expect(Set(made).count == keys.count, "\(made)")
            for (key, text) in zip(keys, made) where key != #"{"id":null}"# {
                #expect(text != key)
                #expect((try? JSONSerialization.jsonObject(with: Data(text.utf8))) != nil, "\(text)")
            }
        }
    }

    @Test func `numbers that detectors find in keys stay apart`() throws {
        let fixture = try EngineFixture([MaskingRule(.detectors(["credit-card"]), action: .redact("x"))])
        let keys = [
            "{\"id\":4111111111111111}", "{\"id\":5500005555555559}", "{\"id\":\"4111111111111111\"}",
            "{\"id\":4.111111111111111e15}",
        ]
        let made = masked(fixture, keys).compactMap(\.self)
        #expect(
            Set(made).count == keys.count && !made.contains { $0.contains("null") || $0.contains("1111") }, "\(made)")
    }

    @Test func `ways to write a text are ways to write a key`() throws {
        let fixture = try EngineFixture([MaskingRule(.detectors(["credit-card"]), action: .redact("x"))])
        let keys = [
            "4111111111111111", "4.111111111111111e15", "4111111111111111.0", "4111-1111-1111-1111",
            "NDExMTExMTExMTExMTExMQ==", "NDExMTExMTExMTExMTExMQ", "NDExMTExMTEx\nMTExMTExMQ==",
            "{\"a\":\"NDExMTExMTExMTExMTExMQ==\"}", "{\"a\":\"NDExMTExMTExMTExMTExMQ\"}",
        ]
        let made = masked(fixture, keys).compactMap(\.self)
        #expect(Set(made).count == keys.count, "\(made)")
        #expect(made.allSatisfy { $0.contains("tgh1_") }, "\(made)")
    }

    @Test func `keys that cannot be looked into stay apart`() throws {
        let fixture = try EngineFixture([MaskingRule(field: "id", action: .redact("x"))])
        let keys = [#"{"id":"#, #"{"id":1"#, #"[{"id":"#, "{]", #"{"id":"12"}"#, #"{"id":12}"#]
        let made = masked(fixture, keys).compactMap(\.self)
        #expect(Set(made).count == keys.count, "\(made)")
        #expect(made.allSatisfy { $0.contains("tgh1_") })
        let text = try EngineFixture(
            [MaskingRule(.everything, action: EngineFixture.token("id", RecordKeyTests.digits))], format: .text)
        let short = masked(text, ["12", "13", "1234567", "1234568", "ab"]).compactMap(\.self)
        #expect(Set(short).count == 5, "\(short)")
    }

    @Test func `without key material a key that must be masked takes its record with it`() throws {
        let rules = [
            MaskingRule(field: "id", action: .redact("x")), MaskingRule(.detectors(["email"]), action: .redact("x")),
        ]
        let bare = try EngineFixture(rules, keys: false)
        for key in ["ann@example.com", #"{"id":"a"}"#, #"{"id":1}"#, #"{"a":"ann@example.com"}"#, #"{"id":"#] {
            #expect(bare.field(.key, Array(key.utf8)).outcome == .dropRecord, "\(key)")
        }
        #expect(bare.field(.key, Array("order-17".utf8)).outcome == .unchanged)
        #expect(bare.field(.key, Array(#"{"a":1}"#.utf8)).outcome == .unchanged)
        #expect(bare.profile.warnings.contains { $0.rule == 1 && $0.message.contains("default") })
        #expect(throws: MaskingSettingsErrors.self) {
            try EngineFixture([MaskingRule(.everything, action: .redact("x"))], keys: false)
        }
        #expect(throws: Never.self) {
            try EngineFixture([MaskingRule(.everything, in: [.value, .header], action: .redact("x"))], keys: false)
        }
    }

    @Test func `keys of Avro and Protobuf stay apart where a token fits no field`() async throws {
        let avro = #"{"type":"record","name":"K","fields":[{"name":"id","type":"long"},{"name":"s","type":"string"}]}"#
        let protobuf = #"syntax = "proto3"; message K { int64 id = 1; string s = 2; }"#
        let profile = try RecordFixture.profile(
            [
                MaskingRule(field: "id", action: .redact("x")),
                MaskingRule(field: "s", action: EngineFixture.token("s", RecordKeyTests.digits)),
            ], schemas: [(avro, "AVRO"), (protobuf, "PROTOBUF")])
        var records = RecordFixture()
        let contents: [[UInt8]] = [
            [0, 0, 0, 0, 1, 2] + RecordFixture.avro("1234567"), [0, 0, 0, 0, 1, 4] + RecordFixture.avro("1234567"),
            [0, 0, 0, 0, 1, 2] + RecordFixture.avro("12"), [0, 0, 0, 0, 1, 2] + RecordFixture.avro("13"),
            [0, 0, 0, 0, 1, 2], [0, 0, 0, 0, 1, 4], [0, 0, 0, 0, 9, 1], [0, 0, 0, 0, 9, 2],
            [0, 0, 0, 0, 2, 0, 8, 1], [0, 0, 0, 0, 2, 0, 8, 2], [0, 0, 0, 0, 2, 0, 0x7a, 1, 0x61],
            [0, 0, 0, 0, 2, 0, 0x7a, 1, 0x62],
        ]
        for (index, content) in contents.enumerated() { records.add(.key, content, record: UInt32(index)) }
        let made = await records.masked(profile)
        #expect(Set(made.compactMap(\.self)).count == contents.count, "\(made)")
        for (content, key) in zip(contents, made) { #expect(key != content) }
        #expect(await records.masked(profile) == made)
    }

    @Test func `a key of text in Avro keeps its schema`() async throws {
        let profile = try RecordFixture.profile(
            [MaskingRule(field: "s", action: .redact("x"))],
            schemas: [(#"{"type":"record","name":"K","fields":[{"name":"s","type":"string"}]}"#, "AVRO")])
        var records = RecordFixture()
        records.add(.key, [0, 0, 0, 0, 1] + RecordFixture.avro("ann"))
        let made = try #require(await records.masked(profile)[0])
        #expect(made.starts(with: [0, 0, 0, 0, 1]) && String(decoding: made[6...], as: UTF8.self).hasPrefix("tgh1_"))
    }
}
