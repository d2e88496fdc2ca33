import Testing
import TidegateMasking

/// What the engine reads 8 and 64 bytes at a time is what stands there, wherever it begins and ends.
struct DocumentReadingTests {
    private func profile(_ rules: (String, MaskingAction)...) throws -> EngineFixture {
        try EngineFixture(rules.map { MaskingRule(field: $0.0, action: $0.1) })
    }

    @Test(arguments: [6, 7, 8, 14, 15, 16, 17, 40])
    func `a name is itself and no other of its length`(length: Int) throws {
        let name = String("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrst".prefix(length))
        let fixture = try profile((name, .redact("R")), ("\(name)x.b", .redact("S")))
        #expect(fixture.json("{\"\(name)\":\"v\"}") == "{\"\(name)\":\"R\"}")
        #expect(fixture.json("{\"\(name)\":1}") == "{\"\(name)\":null}")
        #expect(fixture.json("{\"\(name)x\":{\"b\":\"v\"}}") == "{\"\(name)x\":{\"b\":\"S\"}}")
        for place in 0..<length {
            var other = Array(name.utf8)
            other[place] = UInt8(ascii: "Z")
            let document = "{\"\(String(decoding: other, as: UTF8.self))\":\"v\",\"\(name.dropLast())\":\"v\"}"
            #expect(fixture.json(document) == document)
        }
    }

    @Test func `strings end where they do at every place in a block`() throws {
        let fixture = try profile(("a.b", .keepLast(2)), ("a.c", .redact("R")))
        for before in 0..<130 {
            for value in ["", "x", "12345", "é", "\\\"", "\\\\", String(repeating: "y", count: 70)] {
                let filler = String(repeating: "-", count: before)
                let document =
                    "{\"\(filler)\":[\"\(value)\",{\"\(value)\":\"\"}],\"a\":{\"c\":\"\(value)\",\"b\":\"v\(value)97\"}}"
                #expect(
                    fixture.json(document)
                        == "{\"\(filler)\":[\"\(value)\",{\"\(value)\":\"\"}],\"a\":{\"c\":\"R\",\"b\":\"****97\"}}")
                for bad in ["\u{1}", "\n", "\\x", "\\u12g4"] {
                    let broken = "{\"a\":{\"c\":\"v\"},\"\(filler)\":[\"\(value)\(bad)\"]}"
                    #expect(fixture.json(broken) == "\"[redacted]\"")
                }
            }
        }
    }

    @Test func `numbers are read whole or not at all`() throws {
        let fixture = try profile(("a", .redact("R")))
        for number in ["0", "-0", "7", "1234567", "12345678", "123456789012", "0.5", "1e5", "12E-3", "-1.25e+10"] {
            for end in ["", " ", "\n\t"] {
                #expect(
                    fixture.json("{\"n\":\(number)\(end),\"m\":[\(number)\(end)],\"a\":\"v\"}")
                        == "{\"n\":\(number)\(end),\"m\":[\(number)\(end)],\"a\":\"R\"}")
            }
        }
        for number in ["01", "00", "-", "1.", ".5", "1e", "+1", "0x1", "1 2", "12345678901a", "--1", "1.e5"] {
            #expect(fixture.json("{\"n\":\(number),\"a\":\"v\"}") == "\"[redacted]\"", "\(number)")
            #expect(fixture.json("{\"m\":[{\"n\":\(number)}],\"a\":\"v\"}") == "\"[redacted]\"", "\(number)")
        }
    }

    /// A value inside of `depth` others: arrays, objects, or both in turn.
    private func nested(_ depth: Int, _ isObject: (Int) -> Bool) -> String {
        var text = "1"
        for level in 0..<depth { text = isObject(level) ? "{\"k\":\(text)}" : "[\(text)]" }
        return text
    }

    @Test(arguments: 0..<3)
    func `128 levels are looked through, and no more`(kind: Int) throws {
        let fixture = try profile(("a", .redact("R")))
        let kinds: [(Int) -> Bool] = [{ _ in false }, { _ in true }, { $0 % 2 == 0 }]
        for depth in [1, 62, 63, 64, 65, 126, 127] {
            let inner = nested(depth, kinds[kind])
            #expect(fixture.json("{\"x\":\(inner),\"a\":\"v\"}") == "{\"x\":\(inner),\"a\":\"R\"}")
            #expect(fixture.json("{\"x\":\(inner.dropLast()),\"a\":\"v\"}") == "\"[redacted]\"")
            let broken = inner.replacing("1", with: "1]")
            #expect(fixture.json("{\"x\":\(broken),\"a\":\"v\"}") == "\"[redacted]\"")
        }
        for depth in [128, 129, 192, 300] {
            #expect(fixture.json("{\"x\":\(nested(depth, kinds[kind])),\"a\":\"v\"}") == "\"[redacted]\"")
        }
    }

    @Test func `what is found is replaced in place, with the rule's text escaped`() throws {
        let fixture = try EngineFixture([MaskingRule(.detectors(["email", "credit-card"]), action: .redact("<\"\\>"))])
        #expect(
            fixture.json("{\"t\":\"é a@b.com, 4111111111111111 \",\"john@example.com\":[1]}")
                == "{\"t\":\"é <\\\"\\\\>, <\\\"\\\\> \",\"<\\\"\\\\>\":[1]}")
    }

    @Test func `an escape in the last part of a domain hides no address`() throws {
        let fixture = try EngineFixture.detecting("email")
        for domain in ["b.d\\u00e9", "b2.d\\u00e9", "b2.\\u00e9\\u00e9", "b2.c\\u006fm"] {
            #expect(fixture.json("{\"t\":\"john9@\(domain)\"}") == "{\"t\":\"[x]\"}", "\(domain)")
        }
    }
}
