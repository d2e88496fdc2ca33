import Foundation
import TestSupport
import Testing
import TidegateCore
import TidegateMasking

/// What stands in base64: found in whatever form decoders take, and replaced where nobody looks; ordinary words stay.
struct Base64MaskingTests {
    private let all: EngineFixture
    private static let card = "4111111111111111"

    init() throws { all = try EngineFixture.detecting("all") }

    private func encoded(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
    private func document(_ members: [String: String]) throws -> String {
        String(
            decoding: try JSONSerialization.data(
                withJSONObject: members, options: [.sortedKeys, .withoutEscapingSlashes]), as: UTF8.self)
    }

    /// The text, and all that it stands for in base64, as a lenient reader sees it.
    private func layers(_ text: String) -> String {
        var layers = [text]
        while let last = layers.last, layers.count < 10 {
            let letters = last.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "+/=".contains($0)) }
            guard letters.count >= 8, let data = Data(base64Encoded: letters) else { break }
            layers.append(String(decoding: data, as: UTF8.self))
        }
        return layers.joined(separator: "\n")
    }

    @Test(arguments: 1...6)
    func `a card that is encoded many times is masked, or nothing of it is shown`(times: Int) throws {
        var text = "card \(Base64MaskingTests.card)"
        for _ in 0..<times { text = encoded(text) }
        let masked = try #require(all.json(try document(["n": text])))
        let value = try #require(
            try JSONSerialization.jsonObject(with: Data(masked.utf8)) as? [String: String])["n"]
        let shown = layers(value ?? "")
        #expect(!shown.contains(Base64MaskingTests.card), "\(masked)")
        #expect(shown.contains("[x]") == (times <= 3), "\(masked)")
        #expect(times <= 3 || value == "[redacted]", "\(masked)")
        let header = all.field(.header, Array(text.utf8), name: "n")
        #expect(!layers(header.text).contains(Base64MaskingTests.card))
    }

    @Test(arguments: [
        ("email", "Ym9iQHguaW8="), ("email", "Ym9iQHguaW8"), ("ip", "MTAuMS4yLjM="), ("ssn", "NTM2OTA0Mzk5"),
        ("contact", "YUBiLmNv"), ("contact", "YUBiLmNvbQ=="), ("contact", "WVVCaUxtTnY="),
    ])
    func `short ones are looked into`(name: String, text: String) throws {
        let original = try document([name: text])
        let masked = try #require(all.json(original))
        #expect(masked != original && !masked.contains(text.prefix(8)), "\(masked)")
        #expect(all.field(.header, Array(text.utf8), name: name).outcome != .unchanged)
    }

    @Test func `white space, control characters and prefixes hide nothing`() throws {
        let card = Base64MaskingTests.card
        let text = encoded("the card of Ann is \(card), yes")
        var lines = ""
        for (index, letter) in text.enumerated() {
            lines += index > 0 && index % 16 == 0 ? "\r\n\(letter)" : "\(letter)"
        }
        let disguises = [
            lines, " \(text)", "\n\t\(text)\n", text.replacing(text.prefix(12), with: text.prefix(12) + " "),
            encoded("\0\(card)"), encoded("the card is\u{1}\(card)\u{7f}"), encoded("\(card)\0\0\0"),
            "data:text/plain;base64,\(text)", "DATA:text/plain;charset=utf-8;BASE64,\(text)",
            "data:;base64,\(encoded(card))", encoded("４１１１１１１１１１１１１１１１"),
            Data([0xff, 0xfe] + Array("card \(card)".utf8)).base64EncodedString(),
            Data(Array("card \(card)".utf8) + [0xff]).base64EncodedString(),
            text.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: ""),
        ]
        for disguise in disguises {
            for (name, fixture) in [("n", all), ("card", try .detecting("credit-card"))] {
                let original = try document([name: disguise])
                let masked = try #require(fixture.json(original))
                #expect(masked != original, "\(disguise)")
                let value = try JSONSerialization.jsonObject(with: Data(masked.utf8)) as? [String: String]
                let shown = layers(value?[name].map { String($0.split(separator: ",").last ?? "") } ?? "")
                #expect(!shown.contains(card) && !shown.contains("４１１１"), "\(disguise) became \(masked)")
            }
        }
        #expect(
            try EngineFixture.detecting("credit-card").json(
                try document(["n": "data:text/plain;base64,\(encoded(card))"]))
                == document(["n": "data:text/plain;base64,\(encoded("[x]"))"]))
    }

    @Test func `long ones are looked into to their end`() throws {
        let long = String(repeating: "nothing here, ", count: 100_000)
        let original = try document(["n": encoded(long + Base64MaskingTests.card)])
        let masked = try #require(try EngineFixture.detecting("credit-card").json(original))
        #expect(masked == (try document(["n": encoded(long + "[x]")])))
    }

    @Test func `words, identifiers and pictures stay`() throws {
        var words = [
            "COMPLETED", "SHIPPING", "DELIVERED", "information", "Dashboard", "ABCDEFGH", "ABCDEFGHIJKLMNOP",
            "deadbeefcafebabe", "ORDER_CREATED", "customerSupportRequest", "Beschaeftigungsverhaeltnis",
            "The quick brown fox jumps over the lazy dog", "Big bad dogs eat cake", "AAAAAAAAAAAAAAAAAAAAAAAA",
            "550e8400-e29b-41d4-a716-446655440000", "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB",
            "data: none", encoded("nothing of anybody's"), "CANCELLATION_REQUESTED", "a b c d e f g h i",
            "Feedback form",
        ]
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<300 {
            let count = Int.random(in: 8...30, using: &generator)
            let letters =
                [
                    "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ABCDEFabcdefghijklmnopqrstuvwxyz ",
                ].randomElement(using: &generator) ?? "a"
            words.append(String((0..<count).map { _ in letters.randomElement(using: &generator) ?? "a" }))
        }
        let picture = (0..<4000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        words.append(Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] + picture).base64EncodedString())
        // Three texts deep nobody decodes any more: there too, words are words.
        for word in words {
            var original = try document(["n": word])
            #expect(all.json(original) == original)
            #expect(all.field(.header, Array(word.utf8), name: "n").outcome == .unchanged)
            if word == encoded("nothing of anybody's") { continue }
            for _ in 0..<3 { original = try document(["n": original]) }
            #expect(all.json(original) == original)
        }
    }
}
