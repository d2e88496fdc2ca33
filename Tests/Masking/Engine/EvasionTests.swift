import Foundation
import Testing
import TidegateCore
import TidegateMasking

/// Ways by which a value could slip past a mask (`../shared/masking.md`): none may work.
struct EvasionTests {
    static let card = "4111111111111111"

    /// A document that a card number hides in.
    static let disguises: [(String, String)] = [
        ("spaces", #"{"n":"4111 1111 1111 1111"}"#),
        ("dashes", #"{"n":"4111-1111-1111-1111"}"#),
        ("dots", #"{"n":"4111.1111.1111.1111"}"#),
        ("no-break spaces", "{\"n\":\"4111\u{a0}1111\u{a0}1111\u{a0}1111\"}"),
        ("narrow no-break spaces", "{\"n\":\"4111\u{202f}1111\u{202f}1111\u{202f}1111\"}"),
        ("zero-width spaces", "{\"n\":\"4111\u{200b}1111\u{200c}1111\u{2060}1111\"}"),
        ("zero-width spaces between spaces", "{\"n\":\"4111 \u{200b} 1111 \u{2060} 1111 \u{feff} 1111\"}"),
        ("escaped zero-width spaces between spaces", #"{"n":"4111 \u200b 1111 \u00ad 1111 \u200d 1111"}"#),
        ("zero-width spaces between dashes", "{\"n\":\"4111-\u{200b}-1111-\u{200b}-1111-\u{200b}-1111\"}"),
        ("dashes of a typesetter between spaces", "{\"n\":\"4111 \u{2013} 1111 \u{2013} 1111 \u{2013} 1111\"}"),
        ("invisible tags", "{\"n\":\"4111\u{e0001}1111\u{e0020}1111\u{34f}1111\"}"),
        ("tabs", #"{"n":"4111\t1111\t1111\t1111"}"#),
        ("lines", #"{"n":"4111\n1111\r\n1111\u000a1111"}"#),
        ("lines in JSON in a string", #"{"n":"{\"a\":\"4111\\n1111\\n1111\\n1111\"}"}"#),
        ("full-width digits", "{\"n\":\"４１１１１１１１１１１１１１１１\"}"),
        ("Arabic-Indic digits", "{\"n\":\"٤١١١١١١١١١١١١١١١\"}"),
        ("an escape for a digit", #"{"n":"\u0034111111111111111"}"#),
        ("escapes for all digits", #"{"n":"\#(card.utf8.map { String(format: "\\u00%02x", $0) }.joined())"}"#),
        ("a number", #"{"n":4111111111111111}"#),
        ("a number with a fraction", #"{"n":4111111111111111.0}"#),
        ("a number with an exponent", #"{"n":4.111111111111111e15}"#),
        ("a number with an exponent and zeros", #"{"n":41111111111111110.000E-1}"#),
        ("JSON in a string", #"{"n":"{\"inner\":\"4111111111111111\"}"}"#),
        ("JSON in JSON in a string", #"{"n":"{\"a\":\"{\\\"b\\\":\\\"4111111111111111\\\"}\"}"}"#),
        ("JSON in a string that begins with an escape", #"{"n":"\u007b\"inner\":\"4111111111111111\"}"}"#),
        ("JSON in a string behind white space", #"{"n":"\n {\"inner\":\"4111111111111111\"}"}"#),
        ("base64", #"{"n":"\#(Data("card 4111111111111111 end".utf8).base64EncodedString())"}"#),
        ("base64 without padding", #"{"n":"Y2FyZCA0MTExMTExMTExMTExMTExIGVu"}"#),
        (
            "base64 of base64",
            #"{"n":"\#(Data(Data("card 4111111111111111 end".utf8).base64EncodedString().utf8).base64EncodedString())"}"#
        ),
        ("base64 of JSON", #"{"n":"\#(Data(#"{"inner":"4111111111111111"}"#.utf8).base64EncodedString())"}"#),
        ("a name", #"{"4111111111111111":"n"}"#),
        ("a name with an escape", #"{"\u0034111111111111111":"n"}"#),
        ("a top-level string", #""4111111111111111""#),
        ("a top-level array", #"["4111111111111111",1]"#),
        ("a top-level number", "4111111111111111"),
        ("a second member of the same name", #"{"n":"1","n":"4111111111111111"}"#),
    ]

    /// What a lenient reader makes of a text: digits in any script, no separators, escapes and base64 undone.
    private static func digits(_ text: String) -> String {
        var plain = text
        for _ in 0..<4 {
            let more = plain.split(whereSeparator: { !base64Letters.contains($0) })
                .compactMap { part -> String? in
                    let part = String(part)
                    guard part.count >= 16 else { return nil }
                    let padded = part + String(repeating: "=", count: (4 - part.count % 4) % 4)
                    return Data(base64Encoded: padded).flatMap { String(validating: $0, as: UTF8.self) }
                }
            if more.isEmpty { break }
            plain += more.joined(separator: " | ")
        }
        while let range = plain.range(of: #"\\+u[0-9a-fA-F]{4}"#, options: .regularExpression) {
            let code = UInt32(plain[range].suffix(4), radix: 16) ?? 0
            plain.replaceSubrange(range, with: Unicode.Scalar(code).map { String(Character($0)) } ?? "")
        }
        return plain.unicodeScalars.compactMap { scalar in
            scalar.properties.numericType == .decimal ? String(Int(scalar.properties.numericValue ?? 0)) : nil
        }.joined()
    }
    private static let base64Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    @Test(arguments: disguises)
    func `a card is found in any disguise, and the document stays one`(name: String, document: String) throws {
        #expect(
            name.contains("exponent") || name.contains("fraction")
                || EvasionTests.digits(document).contains(EvasionTests.card), "the test's reader sees it")
        let masked = try #require(try EngineFixture.detecting("credit-card").json(document))
        #expect(!EvasionTests.digits(masked).contains(EvasionTests.card), "\(name): \(masked)")
        #expect(masked != document)
        #expect(!masked.contains("4.111111111111111e15") && !masked.contains("41111111111111110"))
        #expect(throws: Never.self) {
            try JSONSerialization.jsonObject(with: Data(masked.utf8), options: .fragmentsAllowed)
        }
    }

    @Test func `what is deeper than anybody looks is not shown`() throws {
        var document = #"{"n":"4111111111111111"}"#
        for _ in 0..<5 {
            let inner = try JSONSerialization.data(withJSONObject: ["n": document])
            document = String(decoding: inner, as: UTF8.self)
        }
        let masked = try #require(try EngineFixture.detecting("credit-card").json(document))
        #expect(!masked.contains("4111"))
        #expect(masked.contains("[redacted]"))
    }

    @Test(arguments: [
        #"{"t":1700000000000,"id":"550e8400-e29b-41d4-a716-446655440000","order":"4000001234567890","n":3.14}"#,
        #"{"text":"nothing of anybody's","empty":"","list":[1,2,3],"nested":"{\"a\":1}","b64":"bm90aGluZyBvZiBhbnlib2R5J3M="}"#,
    ])
    func `what holds nothing stays as it is, byte for byte`(document: String) throws {
        #expect(try EngineFixture.detecting("credit-card", "us-ssn", "iban", "email").json(document) == document)
    }

    @Test func `paths reach through JSON in strings, and the rest of the string keeps its text`() throws {
        let fixture = try EngineFixture([MaskingRule(field: "payload.card", action: .keepLast(4))])
        #expect(
            fixture.json(#"{"payload":"{\"card\":\"4111111111111111\",\"x\":[1, 2]}"}"#)
                == #"{"payload":"{\"card\":\"****1111\",\"x\":[1, 2]}"}"#)
        // It is no JSON: the path finds nothing in it, and nothing is broken.
        #expect(fixture.json(#"{"payload":"[draft] hello"}"#) == #"{"payload":"[draft] hello"}"#)
    }

    @Test func `text is looked at as text`() throws {
        let fixture = try EngineFixture.detecting("email", "credit-card", format: .text)
        #expect(fixture.text("mail ann@example.com, card 4111 1111 1111 1111.") == "mail [x], card [x].")
        #expect(fixture.text("nothing") == "nothing")
    }

    @Test func `null of a detector takes the whole value, and numbers stay numbers or go`() throws {
        let null = try EngineFixture([MaskingRule(.detectors(["email"]), action: .nullify)])
        #expect(null.json(#"{"a":"to ann@example.com","b":"x"}"#) == #"{"a":null,"b":"x"}"#)
        let redact = try EngineFixture.detecting("credit-card")
        #expect(redact.json(#"{"a":4111111111111111,"b":1}"#) == #"{"a":null,"b":1}"#)
    }
}
