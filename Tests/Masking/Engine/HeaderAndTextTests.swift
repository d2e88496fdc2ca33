import Testing
import TidegateCore
import TidegateMasking

/// Batches as a backend hands them over: parts, headers with names, several records.
struct HeaderAndTextTests {
    /// Masks a header; nil where its whole content is to be null.
    private func header(_ name: String, _ value: [UInt8], _ field: String, _ action: MaskingAction) throws -> [UInt8]? {
        let profile = try MaskingProfile(.init(name: "h", rules: [MaskingRule(field: field, action: action)]))
        let bytes = Array(name.utf8) + value
        let fields = [
            MaskField(part: .header, range: name.utf8.count..<bytes.count, name: 0..<name.utf8.count)
        ]
        var scratch: [UInt8] = []
        var outcomes: [MaskOutcome] = []
        var counters = MaskCounters()
        _ = profile.mask(
            fields.span, in: bytes.span.bytes, for: MaskRequest(), into: &scratch, outcomes: &outcomes,
            counters: &counters)
        switch try #require(outcomes.first) {
        case .unchanged: return value
        case .edited(let range): return Array(scratch[range])
        case .null: return nil
        case .dropRecord: return Array("dropped".utf8)
        }
    }

    private func header(_ name: String, _ value: String, _ field: String, _ action: MaskingAction) throws -> String? {
        try header(name, Array(value.utf8), field, action).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `a header is named by the first part of a path`() throws {
        #expect(try header("email", "a@b.example", "email", .redact("x")) == "x")
        #expect(try header("email", "a@b.example", "**.email", .keepFirst(1)) == "a****")
        #expect(try header("email", "a@b.example", "email", .nullify) == nil)
        #expect(try header("other", "a@b.example", "**.email", .redact("x")) == "a@b.example")
        #expect(try header("trace", "00-4bf9", "trace.email", .redact("x")) == "00-4bf9")
    }

    @Test(arguments: [
        #"{"email":"s"}"#, "  [{\"email\":\"s\"}]", "\u{feff}{\"email\":\"s\"}", "{\"email\":\"s\"",
        "\0{\"email\":\"s\"}",
    ])
    func `what may be a document in a header is looked into, or replaced`(value: String) throws {
        let masked = try #require(try header("user", value, "user.email", .redact("x")))
        #expect(!masked.contains("\"s\""))
        #expect(masked != value)
    }

    @Test func `text has no escapes and need not be UTF-8: no more characters stay than the rule says`() throws {
        #expect(try header("n", #"\u0031\u0032\u0033\u0034"#, "n", .keepLast(2)) == "****34")
        #expect(
            try header("n", [0xf0, 0x31, 0x32, 0x33, 0xf0, 0x34, 0x35, 0x36], "n", .keepLast(2)) == Array("****56".utf8)
        )
    }

    @Test(arguments: [1, 2, 4, 7])
    func `what stays does not tell how long the value was`(kept: Int) throws {
        for action in [MaskingAction.keepLast(kept), .keepFirst(kept), .redact("x")] {
            let lengths = try Set(
                (kept + 1..<60).map { count in
                    try header("n", String(repeating: "7", count: count), "n", action)?.utf8.count
                })
            #expect(lengths.count == 1)
        }
    }

    @Test func `fields keep their order, a key is never left clear, and a field outside of the bytes drops its record`()
        throws
    {
        let profile = try MaskingProfile(.init(name: "b", rules: [MaskingRule(field: "a", action: .redact("x"))]))
        let bytes = Array(#"{"a":"1"}{"b":"2"}{"a":3}{"a":"#.utf8)
        let fields = [
            MaskField(part: .key, range: 0..<9), MaskField(part: .value, range: 0..<9),
            MaskField(part: .value, record: 1, range: 9..<18), MaskField(part: .value, record: 2, range: 18..<25),
            MaskField(part: .value, record: 3, range: 25..<30), MaskField(part: .value, record: 4, range: 25..<31),
            MaskField(part: .value, record: 5, range: 0..<0),
        ]
        var scratch: [UInt8] = Array("kept".utf8)
        var outcomes: [MaskOutcome] = []
        var counters = MaskCounters()
        let isAnswered = profile.mask(
            fields.span, in: bytes.span.bytes, for: MaskRequest(), into: &scratch, outcomes: &outcomes,
            counters: &counters)
        #expect(isAnswered)
        let texts = outcomes.map { outcome -> String in
            guard case .edited(let range) = outcome else { return "\(outcome)" }
            return String(decoding: scratch[range], as: UTF8.self)
        }
        #expect(
            texts == [
                "dropRecord", #"{"a":"x"}"#, "unchanged", #"{"a":null}"#, #""[redacted]""#, "dropRecord",
                #""[redacted]""#,
            ])
        #expect(scratch.starts(with: Array("kept".utf8)))
        #expect(counters.maskedFields == 4 && counters.failures == 3)
    }

    @Test func `lines of text are replaced whole under path rules`() throws {
        let rules = [MaskingRule(field: "a", action: .nullify)]
        let text = Array("mail a@b.example".utf8)
        #expect(
            try MaskingProfile(.init(name: "t", rules: rules)).mask(line: text, isJSON: false)
                == Array("[redacted]".utf8))
        #expect(
            try MaskingProfile(.init(name: "t", onFailure: .dropRecord, rules: rules)).mask(line: text, isJSON: false)
                == nil)
        #expect(
            try MaskingProfile(.init(name: "t", onFailure: .pass, rules: rules)).mask(line: text, isJSON: false) == text
        )
    }

    @Test(arguments: [
        (["**", "a.b"], [1]), (["a.*", "a.b"], [1]), (["a", "a.b"], [1]), (["**.b", "a.**.b"], [1]),
        (["a.b", "**.b"], []), (["a.b", "a.c"], []), (["a[*]", "a[0]"], [1]), (["a[0]", "a[*]"], []),
    ])
    func `a rule that an earlier one covers is warned about`(paths: [String], expected: [Int]) throws {
        let rules = paths.enumerated().map { MaskingRule(field: $1, action: .redact("\($0)")) }
        #expect(try MaskingProfile(.init(name: "w", rules: rules)).warnings.map(\.rule) == expected)
    }
}
