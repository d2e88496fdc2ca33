import Foundation
import Testing
import TidegateCore
import TidegateMasking

/// JSON in texts: looked into at every place where it may stand, and replaced where that cannot be done.
struct NestedDocumentTests {
    private func text(_ json: Any) throws -> String {
        String(
            decoding: try JSONSerialization.data(
                withJSONObject: json, options: [.fragmentsAllowed, .withoutEscapingSlashes]), as: UTF8.self)
    }

    @Test(arguments: [
        #"{"ssn":"PLANTED"}"#, #"{"ssn":"PLANTED",}"#, #"{"ssn":"PLANTED"}{"a":1}"#, "\u{feff}{\"ssn\":\"PLANTED\"}",
        #"{ssn:'PLANTED'}"#, #"{"ssn":"PLANTED""#, #"[{"ssn":"PLANTED"},]"#, #"[true,{"ssn":"PLANTED"}]x"#,
        #"["a",{"ssn":"PLANTED"}"#, " {\"ssn\":\"PLANTED\"} x", #""{\"ssn\":\"PLANTED\"}""#,
        #""{\"ssn\":\"PLANTED\"}","#, #""\"{\\\"ssn\\\":\\\"PLANTED\\\"}\"""#,
        "\0{\"ssn\":\"PLANTED\"}", String(repeating: "[", count: 130) + "{\"ssn\":\"PLANTED\"}",
        String(repeating: "[", count: 130) + "{\"ssn\":\"PLANTED\"}" + String(repeating: "]", count: 130),
    ])
    func `what rules name does not slip past them in a text`(inner: String) throws {
        let path = try EngineFixture([MaskingRule(field: "**.ssn", action: .redact("x"))])
        let pattern = try EngineFixture([MaskingRule(.namePattern("^ssn$"), action: .redact("x"))])
        for fixture in [path, pattern] {
            for document in [try text(["p": inner]), try text(["p": try text(["q": inner])])] {
                let masked = try #require(fixture.json(document))
                #expect(!masked.contains("PLANTED"), "\(document) became \(masked)")
            }
        }
        let dropping = try EngineFixture([MaskingRule(field: "p.ssn", action: .redact("x"))], onFailure: .dropRecord)
        #expect(dropping.json(try text(["p": inner]))?.contains("PLANTED") != true)
        let top = try #require(path.json(try text(inner)))
        #expect(!top.contains("PLANTED"), "\(top)")
    }

    @Test(arguments: [
        "[draft] hello", "{0} items of {1}", "[urgent", "{", "\"quoted\" words", #""a \"b\"""#, "{{name}}", "[]x",
        "[ ok ] x",
    ])
    func `a text that has no members stays`(inner: String) throws {
        let document = try text(["p": inner])
        let rules = [
            MaskingRule(field: "**.ssn", action: .redact("x")), MaskingRule(.detectors(["all"]), action: .redact("x")),
        ]
        #expect(try EngineFixture(rules).json(document) == document)
    }

    @Test func `a document once more encoded is edited inside`() throws {
        let fixture = try EngineFixture([MaskingRule(field: "p.ssn", action: .redact("x"))])
        let inner = try text(try text(["ssn": "PLANTED"]))
        #expect(fixture.json(try text(["p": inner])) == (try text(["p": try text(try text(["ssn": "x"]))])))
        let top = try EngineFixture([MaskingRule(field: "ssn", action: .redact("x"))])
        #expect(top.json(try text(inner)) == (try text(try text(try text(["ssn": "x"])))))
        #expect(fixture.field(.header, Array(inner.utf8), name: "p").text == (try text(try text(["ssn": "x"]))))
    }

    @Test func `escapes in a broken document hide nothing from detectors`() throws {
        let fixture = try EngineFixture.detecting("credit-card", "email")
        let inner = #"{"m":"ann@example.com","n":"\u0034111111111111111",}"#
        let masked = try #require(fixture.json(try text(["p": inner])))
        #expect(!masked.contains("111111111111111"), "\(masked)")
        let deep = String(repeating: "[", count: 130) + #""\u0034111111111111111""#
        #expect(fixture.json(try text(["p": deep])) == #"{"p":"[redacted]"}"#)
    }

    @Test func `what fails inside of a text counts, and drops its record`() throws {
        var document = #"{"n":"4111111111111111"}"#
        for _ in 0..<4 { document = try text(["n": document]) }
        let redacting = try EngineFixture([MaskingRule(.detectors(["credit-card"]), action: .redact("x"))])
        let dropping = try EngineFixture(
            [MaskingRule(.detectors(["credit-card"]), action: .redact("x"))], onFailure: .dropRecord)
        #expect(redacting.json(document)?.contains("[redacted]") == true)
        #expect(dropping.json(document) == nil)
        for part in [RecordPart.value, .header, .field] {
            #expect(dropping.field(part, Array(document.utf8), name: "n").outcome == .dropRecord)
        }
        let (_, counters) = NestedDocumentTests.masked(redacting.profile, Array(document.utf8))
        #expect(counters.failures == 1)
        // A field that failed leaves nothing to the next.
        #expect(dropping.json(#"{"n":"4111111111111111"}"#) == #"{"n":"x"}"#)
    }

    @Test func `the place of a find is right behind a text that was no document`() throws {
        let fixture = try EngineFixture.detecting("us-ssn")
        var findings: [MaskingFinding]? = []
        _ = fixture.profile.mask(
            line: Array(#"{"p":"{\"a\":{\"b\":[1,","ssn":"536-90-4399"}"#.utf8), isJSON: true, explaining: &findings)
        #expect(findings?.map(\.path) == ["ssn"])
    }

    private static func masked(_ profile: MaskingProfile, _ content: [UInt8]) -> ([UInt8]?, MaskCounters) {
        var scratch: [UInt8] = []
        var outcomes: [MaskOutcome] = []
        var counters = MaskCounters()
        let fields = [MaskField(part: .value, range: 0..<content.count)]
        let request = MaskRequest(resource: Array("orders".utf8))
        _ = unsafe profile.mask(
            fields.span, in: content.span.bytes, for: request, into: &scratch, outcomes: &outcomes,
            counters: &counters)
        switch outcomes.first {
        case .edited(let range): return (Array(scratch[range]), counters)
        case .unchanged: return (content, counters)
        default: return (nil, counters)
        }
    }

    // MARK: In payloads with a schema

    private static let avro = #"""
        {"type":"record","name":"E","fields":[{"name":"id","type":"string"},
         {"name":"payload","type":["null","string"]},{"name":"raw","type":{"type":"map","values":"bytes"}}]}
        """#
    private static func string(_ text: String) -> [UInt8] {
        let count = text.utf8.count * 2
        return (count < 128 ? [UInt8(count)] : [UInt8(count & 127 | 128), UInt8(count >> 7)]) + Array(text.utf8)
    }
    private static func event(_ id: String, _ payload: String, _ raw: String) -> [UInt8] {
        string(id) + [2] + string(payload) + [2] + string("k") + string(raw) + [0]
    }

    @Test(arguments: [false, true], [MaskingOnFailure.redactValue, .dropRecord])
    func `rules reach into documents in the texts of a schema`(detects: Bool, onFailure: MaskingOnFailure) throws {
        let path = FileManager.default.temporaryDirectory.path + "/tidegate-\(UUID().uuidString).avsc"
        try NestedDocumentTests.avro.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        var rules = [
            MaskingRule(field: "payload.ssn", action: .redact("x")),
            MaskingRule(field: "raw.*.card", action: .keepLast(4)),
        ]
        if detects { rules.append(MaskingRule(.detectors(["email"]), action: .redact("m"))) }
        let profile = try MaskingProfile(
            MaskingProfileSettings(
                name: "s", onFailure: onFailure, rules: rules,
                schemas: [FileSchemaSettings(resources: ["orders"], file: path)]), EngineFixture.material())
        func masked(_ content: [UInt8]) -> [UInt8]? { NestedDocumentTests.masked(profile, content).0 }
        let event = NestedDocumentTests.event
        #expect(
            masked(event("1", #"{"ssn":"clear","card":"a"}"#, #"[{"card":"4111111111111111"}]"#))
                == event("1", #"{"ssn":"x","card":"a"}"#, #"[{"card":"****1111"}]"#))
        #expect(
            masked(event("1", #""{\"ssn\":\"clear\"}""#, "b")) == event("1", #""{\"ssn\":\"x\"}""#, "b"))
        let plain = event(#"{"ssn":"not named"}"#, "hello", #"{"ssn":"not named"}"#)
        #expect(masked(plain) == plain)
        let broken = masked(event("1", #"{"ssn":"clear",}"#, "b"))
        #expect(broken == (onFailure == .dropRecord ? nil : event("1", "[redacted]", "b")))
        if detects { #expect(masked(event("a@b.example", "c", "d")) == event("m", "c", "d")) }
    }
}
