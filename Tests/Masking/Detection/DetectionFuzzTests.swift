import TestSupport
import Testing
import TidegateDetection

/// Whatever the bytes are: nothing traps, findings lie in the text, in order, apart from each other, and `mayMatch` never
/// denies what `find` finds.
struct DetectionFuzzTests {
    static let names = ["", "ssn", "phone", "cardNumber", "dob", "api_key", "bsn", "orderId", "x"]
    /// What texts are put together of: whole values, pieces of them, marks, and what must not disturb.
    private static let pieces: [String] =
        [
            "4111111111111111", "4111 1111 1111 1111", "123-45-6789", "123456789", "DE89 3704 0044 0532 0130 00",
            "GB82", "WEST",
            "1234", "5698", "7654", "32", "AB", "12", "C", "AB123456C", "12345678Z", "X1234567L", "S1234567D",
            "1EG4-TE5-MK73",
            "RSSMRA85M01H501Q", "ABCPE1234F", "943 476 5919", "44051401359", "123.456.789-09", "11010519491231002X",
            "john@example.com", "@", "example", ".com", "+14155552671", "(415) 555-2671", "020 7946 0958", "10.1.2.3",
            "::",
            "fe80::1ff:fe23:4567:890a", "00:1A:2b:3C:4d:5E", "001a.2b3c.4d5e", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
            "1990-01-02", "12 March 1990", "March", "1990", "AKIAIOSFODNN7EXAMPLE",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
            "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "xoxb-123456789012-abcdefghijkl",
            "sk_live_abcdefghij0123456789",
            "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "password=Xk29fLq81mZp07RtQ", "ssn", "phone",
            "card",
            "order", "born", "call", "550e8400-e29b-41d4-a716-446655440000", "2024-01-02T03:04:05Z", "1699999999999",
            " ", " ", "-", ".", "/", "_", ",", ":", "(", ")", "+", "\n", "\t", "\"", "\\", "n", "x", "é", "\u{a0}",
            "\u{200b}",
            "\u{ad}", "４", "１１１１", "٤", "\u{1f600}", "中", "0", "1", "7", "42", "aa-bb-cc-dd-ee-01", "%40", "Z",
            "T00:00",
        ] + ["&", "#", "%", "!", "Xk29", "fLq8", "1mZp", "aaaaaa", "api_key=", "\r", "\u{8}", "\u{c}", "{", "}", "="]

    static func text(_ generator: inout SeededGenerator) -> [UInt8] {
        var text: [UInt8] = []
        for _ in 0..<Int.random(in: 1...14, using: &generator) {
            let piece = pieces.randomElement(using: &generator) ?? ""
            text += Array(piece.utf8)
            switch Int.random(in: 0..<20, using: &generator) {
            case 0: text.append(UInt8.random(in: 0...255, using: &generator))
            case 1: if !text.isEmpty { text.removeLast() }
            case 2: text += [UInt8](repeating: 0x61, count: Int.random(in: 0..<70, using: &generator))
            case 3...9: text.append(0x20)
            default: break
            }
        }
        return text
    }

    /// A document that says the text, escaped where it must be and sometimes where it need not be.
    static func document(_ text: String, _ generator: inout SeededGenerator) -> String {
        var result = "{\"a\":\""
        for unit in text.utf16 {
            let chance = Int.random(in: 0..<40, using: &generator)
            switch unit {
            case 0x22, 0x5c: result += "\\" + String(UnicodeScalar(UInt8(unit)))
            case 0x0a: result += "\\n"
            case 0x0d: result += "\\r"
            case 0x09: result += "\\t"
            case 0x08: result += "\\b"
            case 0x0c: result += "\\f"
            case 0x2f where chance < 20: result += "\\/"
            case 0x20..<0x7f where chance > 0: result += String(UnicodeScalar(UInt8(unit)))
            default:
                let digits = String(unit, radix: 16, uppercase: chance % 2 == 0)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return result + "\"}"
    }

    private func check(_ search: Search, _ text: [UInt8], _ name: String, _ comment: Comment) {
        let findings = search.findings(text, name: name)
        var end = 0
        for finding in findings {
            #expect(finding.start >= end && finding.end > finding.start && finding.end <= text.count, comment)
            #expect(finding.detector >= 0 && finding.detector < search.detectors.count, comment)
            #expect(finding.confidence >= 50 && finding.confidence <= 100, comment)
            end = finding.end
        }
        if !findings.isEmpty { #expect(search.mayMatch(text), comment) }
    }

    @Test(arguments: 0..<8)
    func `texts of pieces: findings are sound, and mayMatch does not deny them`(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let all = try Search()
        let singles = try BuiltInDetector.allCases.map { try Search([$0]) }
        for round in 0..<6000 {
            let text = DetectionFuzzTests.text(&generator)
            let name = DetectionFuzzTests.names[round % DetectionFuzzTests.names.count]
            let comment: Comment = "seed \(seed), round \(round), \(name): \(String(decoding: text, as: UTF8.self))"
            check(all, text, name, comment)
            check(singles[round % singles.count], text, name, comment)
        }
    }

    @Test(arguments: 0..<8)
    func `what a document says with escapes is not denied`(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(100 + seed))
        let searches = try [Search()] + BuiltInDetector.allCases.map { try Search([$0]) }
        for round in 0..<6000 {
            let text = String(decoding: DetectionFuzzTests.text(&generator), as: UTF8.self)
            let name = DetectionFuzzTests.names[round % DetectionFuzzTests.names.count]
            let search = searches[round % searches.count]
            var document = DetectionFuzzTests.document(text, &generator)
            let found = search.found(text, name: name)
            if found.isEmpty { continue }
            #expect(search.mayMatch(document), "seed \(seed), round \(round), \(name), \(found): \(document)")
            document = DetectionFuzzTests.document(document, &generator)  // JSON in a string
            #expect(search.mayMatch(document), "seed \(seed), round \(round), \(name), \(found): \(document)")
        }
    }

    @Test(arguments: 0..<4)
    func `any bytes: nothing traps`(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(200 + seed))
        let search = try Search()
        let likely = Array("0123456789 -.()/@:+_abcdefABCDEFxXeyJ\\u\"\u{200b}\u{a0}１".utf8)
        for round in 0..<6000 {
            let isLikely = round % 2 == 0
            let text = (0..<Int.random(in: 0...200, using: &generator)).map { _ in
                isLikely ? likely.randomElement(using: &generator) ?? 0 : UInt8.random(in: 0...255, using: &generator)
            }
            check(search, text, "phone", "seed \(seed), round \(round): \(text)")
        }
    }

    @Test func `a value is found wherever blocks of the scan meet in it`() throws {
        let search = try Search()
        for value in [
            "4111 1111 1111 1111", "john@example.com", "DE89 3704 0044 0532 0130 00", "fe80::1ff:fe23:4567:890a",
            "(415) 555-2671", "AB123456C", "１２３-45-6789",
        ] {
            for padding in 0..<140 {
                let text = String(repeating: "a", count: max(0, padding - 1)) + (padding > 0 ? " " : "") + value
                #expect(search.found(text).count == 1, "\(padding): \(value)")
                #expect(
                    search.found(text + " " + String(repeating: "b", count: 100)).count == 1, "\(padding): \(value)")
                #expect(search.mayMatch(text))
            }
        }
    }

    @Test func `long and hostile texts take time linear in their length`() throws {
        let search = try Search()
        for piece in [
            "1 ", "12-", "1234 ", "a1", "aA1-", "@", "a@", ":", "a:", "1.", "----", "eyJ", "xox", "+1 ", "((1)", "1x2",
            "x1 1990", "4111", "é", "\u{200b}1", "A1 ", "May 1, 1990 ",
        ] {
            let text = Array(String(repeating: piece, count: 60_000 / piece.utf8.count).utf8)
            let clock = ContinuousClock()
            let time = clock.measure { _ = search.findings(text) }
            // A quadratic one would take minutes; the slowest of these takes some 20 ms in a release build.
            #expect(time < .seconds(10), "\(piece): \(time)")
        }
    }
}
