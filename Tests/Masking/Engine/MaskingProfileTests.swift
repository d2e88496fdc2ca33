import Testing
import TidegateCore
import TidegateMasking

@Suite struct MaskingProfileTests {
    private func mask(_ json: String, _ rules: [MaskingRule], onFailure: MaskingOnFailure = .redactValue) throws
        -> String?
    {
        let profile = try MaskingProfile(.init(name: "test", onFailure: onFailure, rules: rules))
        return profile.mask(line: Array(json.utf8), isJSON: true).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [
        (#"{"card":{"number":"4111111111111111"}}"#, "card.number", #"{"card":{"number":"****1111"}}"#),
        (#"{"card":{"number":4111111111111111}}"#, "card.number", #"{"card":{"number":null}}"#),
        (#"{"a":[{"n":"12345"},{"n":"98765"}]}"#, "a.n", #"{"a":[{"n":"****2345"},{"n":"****8765"}]}"#),
        (#"{"a":["12345","98765"]}"#, "a[1]", #"{"a":["12345","****8765"]}"#),
        (#"{"n":"12345","x":{"n":"54321"}}"#, "**.n", #"{"n":"****2345","x":{"n":"****4321"}}"#),
        (#"{"n":"12345", "n":"54321"}"#, "n", #"{"n":"****2345", "n":"****4321"}"#),
        (#"{"\u006e":"12345"}"#, "n", #"{"\u006e":"****2345"}"#),
        (#"["12345"]"#, "**", "null"),
        (#"{"n":"123"}"#, "n", #"{"n":"****"}"#),
        (#"{"n":"ab\u00e9d\ud83d\ude00x"}"#, "n", #"{"n":"****\u00e9d\ud83d\ude00x"}"#),
        (#"{ "other" : 1 }"#, "n", #"{ "other" : 1 }"#),
    ])
    func `the last characters stay, and all that no rule names`(json: String, path: String, expected: String) throws {
        #expect(try mask(json, [MaskingRule(field: path, action: .keepLast(4))]) == expected)
    }

    @Test func `metrics, which anybody may read, name no table`() throws {
        let profile = try MaskingProfile(
            .init(
                name: "test",
                rules: [
                    MaskingRule(.column("crm.customers.phone"), action: .nullify),
                    MaskingRule(.column("customers.mail"), action: .nullify), MaskingRule(field: "a.b", action: .drop),
                ]))
        #expect(profile.tallies().map(\.label) == ["column phone", "column mail", "a.b"])
    }

    @Test(arguments: [
        (#"{"a":{"n":"12345"}}"#, "a.n", #"{"a":{"n":"****"}}"#),
        (#"{"a":[{"n":"12345"}]}"#, "a.n", #"{"a":[{"n":"****"}]}"#),
        (#"{"a":{"n":"12345"}}"#, "a[*].n", #"{"a":{"n":"12345"}}"#),
        (#"{"a":"12345"}"#, "a[*]", #"{"a":"12345"}"#), (#"{"a":"12345"}"#, "a[0]", #"{"a":"12345"}"#),
    ])
    func `brackets name elements of lists only, names look through lists`(
        json: String, path: String, expected: String
    ) throws {
        #expect(try mask(json, [MaskingRule(field: path, action: .redact("****"))]) == expected)
    }

    @Test(arguments: [
        (#"{"a":1,"b":2,"c":3}"#, "a", #"{"b":2,"c":3}"#), (#"{"a":1,"b":2,"c":3}"#, "b", #"{"a":1,"c":3}"#),
        (#"{"a":1,"b":2,"c":3}"#, "c", #"{"a":1,"b":2}"#), (#"{"a":1}"#, "a", "{}"),
        (#"{"a":1,"b":2}"#, "*", "{}"), (#"{"x":[1,2,3]}"#, "x[*]", #"{"x":[]}"#),
        (#"{"x":[1,2,3]}"#, "x[2]", #"{"x":[1,2]}"#), (#"{ "a" : 1 , "b" : 2 }"#, "b", #"{ "a" : 1 }"#),
    ])
    func `a dropped member takes one comma with it`(json: String, path: String, expected: String) throws {
        #expect(try mask(json, [MaskingRule(field: path, action: .drop)]) == expected)
    }

    @Test(arguments: [
        "", "{", #"{"n":}"#, "nul", #"{"n":1}{"#, #"{"n":"\x"}"#, #"{"n":01}"#, "[1,]", "\"\u{1}\"",
        "plain text 4111111111111111",
    ])
    func `what is no JSON is replaced whole`(text: String) throws {
        #expect(try mask(text, [MaskingRule(field: "n", action: .redact("x"))]) == "\"[redacted]\"")
        #expect(try mask(text, [MaskingRule(field: "n", action: .redact("x"))], onFailure: .dropRecord) == nil)
        #expect(try mask(text, [MaskingRule(field: "n", action: .redact("x"))], onFailure: .pass) == text)
    }

    @Test(arguments: ["", "a..b", ".a", "a.", "a[x]", "a[", "a*b", "\"a"])
    func `a path that is none is refused with its place`(path: String) {
        #expect(throws: MaskingSettingsErrors.self) {
            try MaskingProfile(.init(name: "test", rules: [MaskingRule(field: path, action: .nullify)]))
        }
    }

    @Test func `a record key is never masked with what is not injective`() {
        #expect(throws: MaskingSettingsErrors.self) {
            try MaskingProfile(
                .init(name: "test", rules: [MaskingRule(field: "a", parts: [.key], action: .redact("x"))]))
        }
    }

    @Test func `every rule that is wrong is told`() {
        let error = #expect(throws: MaskingSettingsErrors.self) {
            try MaskingProfile(
                .init(
                    name: "test",
                    rules: [
                        MaskingRule(field: "a..b", parts: [.key], action: .nullify),
                        MaskingRule(field: "b", action: .nullify),
                        MaskingRule(field: "c[", action: .keepFirst(0)),
                    ]))
        }
        #expect(error?.list.map(\.rule) == [0, 0, 2, 2])
    }
}
