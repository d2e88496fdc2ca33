import Foundation
import Testing
import TidegateCore
import TidegateMasking
import TidegateTokens

/// Tokens in records: the same for the same value everywhere, of the same type, openable where the form says so.
struct TokenMaskingTests {
    @Test func `the same value has the same token in a topic, a stream, a table and a header`() throws {
        let rules = [
            MaskingRule(.field("**.email"), action: EngineFixture.token("email")),
            MaskingRule(.column("customers.email"), action: EngineFixture.token("email")),
        ]
        let fixture = try EngineFixture(rules)
        let document = try #require(fixture.json(#"{"a":{"email":"ann@example.com"}}"#))
        let object = try JSONSerialization.jsonObject(with: Data(document.utf8)) as? [String: [String: String]]
        let token = try #require(object?["a"]?["email"])
        #expect(token.hasPrefix("tgh1_"))
        let clear = Array("ann@example.com".utf8)
        #expect(fixture.field(.field, clear, name: "email").text == token)
        #expect(fixture.field(.header, clear, name: "email").text == token)
        #expect(fixture.field(.column, clear, name: "public.customers.email", type: 25).text == token)
        #expect(fixture.field(.column, clear, name: "public.customers.email", type: 25, isBinary: true).text == token)
        let other = try EngineFixture([MaskingRule(field: "email", action: EngineFixture.token("other"))])
        #expect(other.field(.field, clear, name: "email").text != token)
    }

    @Test(arguments: [TokenForm.opaque, .reversible, .sealed])
    func `masking twice is masking once`(form: TokenForm) throws {
        let fixture = try EngineFixture([
            MaskingRule(field: "a", action: EngineFixture.token("d", form)),
            MaskingRule(.detectors(["all"]), action: EngineFixture.token("d", form)),
        ])
        for document in [
            #"{"a":"ann@example.com"}"#, #"{"b":"write to ann@example.com or +1 415 555 2671"}"#,
            #"{"b":"4111111111111111"}"#,
        ] {
            let once = try #require(fixture.json(document))
            #expect(once != document)
            #expect(fixture.json(once) == once, "\(once)")
        }
    }

    @Test func `a number's token is a number of as many digits, and any other token of one is null`() throws {
        let digits = TokenForm.preserving(PreservingSettings(alphabet: .digits))
        let fixture = try EngineFixture([
            MaskingRule(field: "n", action: EngineFixture.token("n", digits)),
            MaskingRule(field: "m", action: EngineFixture.token("n")),
        ])
        let masked = try #require(fixture.json(#"{"n":12345678,"m":12345678}"#))
        let object = try JSONSerialization.jsonObject(with: Data(masked.utf8)) as? [String: Any]
        let number = try #require(object?["n"] as? NSNumber)
        #expect("\(number)".count == 8 && number != 12_345_678)
        #expect(object?["m"] is NSNull)
    }

    @Test func `what FF1 cannot hold is redacted, never left`() throws {
        let digits = TokenForm.preserving(PreservingSettings(alphabet: .digits))
        let fixture = try EngineFixture([MaskingRule(field: "n", action: EngineFixture.token("n", digits))])
        #expect(fixture.json(#"{"n":"123"}"#) == #"{"n":"[redacted]"}"#)
        #expect(fixture.json(#"{"n":"abc"}"#) == #"{"n":"[redacted]"}"#)
    }

    @Test func `a record key becomes a token, injective and always the same; without key material its record goes`()
        throws
    {
        let rules = [MaskingRule(.detectors(["email"]), action: .redact("[x]"))]
        let fixture = try EngineFixture(rules)
        let first = fixture.field(.key, Array("ann@example.com".utf8)).text
        let second = fixture.field(.key, Array("bob@example.com".utf8)).text
        #expect(first.hasPrefix("tgh1_") && second.hasPrefix("tgh1_") && first != second)
        #expect(fixture.field(.key, Array("ann@example.com".utf8)).text == first)
        #expect(fixture.field(.key, Array("order-17".utf8)).outcome == .unchanged)
        let bare = try EngineFixture(rules, keys: false)
        #expect(bare.field(.key, Array("ann@example.com".utf8)).outcome == .dropRecord)
    }

    @Test(arguments: [TokenForm.reversible, .sealed])
    func `who may see them gets tokens opened and clear values as they are`(form: TokenForm) throws {
        let fixture = try EngineFixture([MaskingRule(field: "a", action: EngineFixture.token("notes", form))])
        let masked = try #require(fixture.json(#"{"a":"a \"quoted\" note","b":1}"#))
        let bytes = Array(masked.utf8)
        #expect(fixture.field(.value, bytes, opens: .everything).text == #"{"a":"a \"quoted\" note","b":1}"#)
        #expect(fixture.field(.value, bytes, opens: .domains(["notes"])).text == #"{"a":"a \"quoted\" note","b":1}"#)
        #expect(fixture.field(.value, bytes, opens: .domains(["other"])).text == masked)
        let clear = Array(#"{"a":"clear"}"#.utf8)
        #expect(fixture.field(.value, clear, opens: .everything).outcome == .unchanged)
        #expect(fixture.field(.value, clear, opens: .domains(["other"])).text != #"{"a":"clear"}"#)
    }

    @Test func `cards keep their shape; whoever may see tokens opened sees no other card instead`() throws {
        let form = TokenForm.preserving(PreservingSettings(keepFirst: 6, keepLast: 4, shape: .card))
        let fixture = try EngineFixture([MaskingRule(field: "c", action: EngineFixture.token("card", form))])
        for document in [#"{"c":"4111-1111-1111-1111"}"#, #"{"c":4111111111111111}"#, #"{"c":"5500005555555559"}"#] {
            let masked = try #require(fixture.json(document))
            #expect(masked != document && masked.utf8.count == document.utf8.count)
            #expect(masked.contains("1111") || masked.contains("5559"))
            let isFound = try EngineFixture.detecting("credit-card").json(masked) != masked
            #expect(!isFound, "a token is no card")
            // Clear values are masked for him too: nothing tells a token from a value that was mistyped.
            #expect(fixture.field(.value, Array(document.utf8), opens: .everything).text == masked)
            #expect(fixture.field(.value, Array(masked.utf8), opens: .everything).text == fixture.json(masked))
        }
        for last in 0..<100 {
            let mistyped = "41111111\(100 + last)11112".filter { $0 != " " }
            let seen = fixture.field(.value, Array(#"{"c":"\#(mistyped)"}"#.utf8), opens: .domains(["card"]))
            #expect(seen.text == fixture.json(#"{"c":"\#(mistyped)"}"#), "another number of a card")
        }
    }

    @Test func `a number in a document and the text of a column have one token`() throws {
        let form = TokenForm.preserving(PreservingSettings(alphabet: .digits))
        let fixture = try EngineFixture([
            MaskingRule(field: "n", action: EngineFixture.token("n", form)),
            MaskingRule(.column("t.n"), action: EngineFixture.token("n", form)),
        ])
        for number in (0..<200).map({ 12_345_678 + $0 * 40_009 }) {
            let masked = try #require(fixture.json(#"{"n":\#(number)}"#))
            let token = masked.filter(\.isNumber)
            #expect(fixture.field(.column, Array("\(number)".utf8), name: "public.t.n", type: 25).text == token)
            #expect(fixture.json(#"{"n":"\#(number)"}"#) == #"{"n":"\#(token)"}"#)
        }
    }

    @Test func `dates of one subject move together, those of another otherwise`() throws {
        let shift = MaskingAction.shiftDate(
            DateShiftSettings(key: "default", domain: "visits", days: 300, subject: "patient.id"))
        let fixture = try EngineFixture([MaskingRule(field: "**.date", action: shift)])
        func dates(_ subject: String) throws -> [String] {
            let masked = try #require(
                fixture.json(
                    #"{"visits":[{"date":"2024-05-17"},{"date":"2024-05-27T10:00:00Z"}],"patient":{"id":"\#(subject)"}}"#
                ))
            let object = try JSONSerialization.jsonObject(with: Data(masked.utf8)) as? [String: Any]
            return (object?["visits"] as? [[String: String]])?.compactMap { $0["date"] } ?? []
        }
        let first = try dates("p-1")
        #expect(first[0] != "2024-05-17" && first[1].hasSuffix("T10:00:00Z"))
        #expect(try dates("p-1") == first)
        let others = try (2..<8).map { try dates("p-\($0)")[0] }
        #expect(others.contains { $0 != first[0] })
    }

    @Test func `what is made coarser keeps its type and its layout`() throws {
        let fixture = try EngineFixture([
            MaskingRule(field: "age", action: .bucket(width: "10")),
            MaskingRule(field: "born", action: .coarsen(.year)),
            MaskingRule(field: "mail", action: .email(.initial)),
        ])
        #expect(
            fixture.json(#"{"age":37,"born":"1987-05-17","mail":"ann@example.com"}"#)
                == #"{"age":30,"born":"1987-01-01","mail":"a****@example.com"}"#)
        #expect(
            fixture.json(#"{"age":"x","born":17,"mail":"no address"}"#)
                == #"{"age":"[redacted]","born":null,"mail":"****"}"#)
    }
}
