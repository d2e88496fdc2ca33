import Foundation
import TestSupport
import Testing
import TidegateDetection
import TidegateWire

extension PatternSet {
    func find(in text: [UInt8], name: String = "", limit: Int = 100_000) -> [PatternMatch]? {
        var matches: [PatternMatch] = []
        let context = context(of: Array(name.utf8).span.bytes)
        return appendMatches(in: text.span.bytes, name: context, limit: limit, to: &matches) ? matches : nil
    }
    func find(in text: String, name: String = "") -> [PatternMatch]? { find(in: Array(text.utf8), name: name) }
    /// What was matched, as text.
    func texts(in text: String, name: String = "") -> [String] {
        let bytes = Array(text.utf8)
        return (find(in: bytes, name: name) ?? []).map { String(decoding: bytes[$0.start..<$0.end], as: UTF8.self) }
    }
}

extension NamePattern {
    func matches(_ name: [UInt8]) -> Bool { matches(name.span.bytes) }
}

struct UserPatternTests {
    private func set(_ patterns: String...) throws -> PatternSet {
        try PatternSet(patterns.map { try UserPattern(name: $0, pattern: $0) })
    }

    @Test func `matches carry their places and their pattern`() throws {
        let set = try set("EMP-\\d{6}", "(?i)proj[a-z]+")
        let matches = try #require(set.find(in: "see EMP-004711 of Projekt, EMP-12"))
        #expect(
            matches == [
                PatternMatch(start: 4, end: 14, pattern: 0, hasContext: false),
                PatternMatch(start: 18, end: 25, pattern: 1, hasContext: false),
            ])
    }

    @Test func `overlapping matches of one pattern are one, those of two stay two`() throws {
        let digits = try set("\\d{4}")
        #expect(digits.texts(in: "123456 1234 12345678 123") == ["123456", "1234", "12345678"])
        let two = try set("ab+c?", "b+cd")
        #expect(two.texts(in: "xabbbcd") == ["abbbc", "bbbcd"])
        #expect(two.find(in: "abcd abcd")?.map(\.start) == [0, 1, 5, 6])
    }

    @Test func `the longest match counts, from its leftmost start`() throws {
        #expect(try set("a[a-z]*").texts(in: "  banana  ") == ["anana"])
        #expect(try set("secret=.+").texts(in: "x secret=abc def\nother") == ["secret=abc def"])
    }

    @Test func `nothing is appended beyond the limit, and the answer is no`() throws {
        let set = try set("x")
        var matches = [PatternMatch(start: 9, end: 10, pattern: 0, hasContext: false)]
        let text = Array(String(repeating: "x ", count: 20).utf8)
        #expect(!set.appendMatches(in: text.span.bytes, limit: 10, to: &matches))
        #expect(matches.count == 1)
        #expect(set.appendMatches(in: text.span.bytes, limit: 20, to: &matches))
        #expect(matches.count == 21)
    }

    @Test func `a checksum judges each match, with its separators taken out`() throws {
        let card = try UserPattern(name: "card", pattern: "\\d{4}[ -]?\\d{4}[ -]?\\d{4}[ -]?\\d{4}", checksum: .luhn)
        let set = try PatternSet([card])
        #expect(set.texts(in: "4111-1111-1111-1111 and 4111 1111 1111 1112") == ["4111-1111-1111-1111"])
        #expect(set.texts(in: "order 94111111111111111") == ["4111111111111111"])
        let iban = try PatternSet([
            try UserPattern(
                name: "iban", pattern: "(?i)\\b[a-z]{2}\\d\\d( ?[a-z0-9]{4}){2,7}( ?[a-z0-9]{1,3})?\\b", checksum: .iban
            )
        ])
        #expect(iban.texts(in: "to de89 3704 0044 0532 0130 00.") == ["de89 3704 0044 0532 0130 00"])
        #expect(iban.texts(in: "to de88 3704 0044 0532 0130 00.") == [])
        let coin = try PatternSet([
            try UserPattern(name: "coin", pattern: "\\b[13][1-9A-HJ-NP-Za-km-z]{25,34}\\b", checksum: .bitcoinBase58)
        ])
        #expect(coin.texts(in: "pay 1NEDqZPvTWRaoho48qXuLLsrYomMXPABfD now").count == 1)
        #expect(coin.texts(in: "pay 1nEDqZPvTWRaoho48qXuLLsrYomMXPABfD now").isEmpty)
    }

    @Test func `where context is required, a word must stand nearby or in the name of the field`() throws {
        let badge = try UserPattern(
            name: "badge", pattern: "\\b\\d{5}\\b", context: ["badge", "Ausweis", "id-card"], needsContext: true)
        let set = try PatternSet([badge])
        #expect(set.texts(in: "badge 12345") == ["12345"])
        #expect(set.texts(in: "12345 is my BADGE") == ["12345"])
        #expect(set.texts(in: "id-card: 12345") == ["12345"])
        #expect(set.texts(in: "order 12345") == [])
        #expect(set.texts(in: "badges 12345") == [])
        #expect(set.texts(in: "Dienstausweis 12345") == [])
        #expect(set.texts(in: "badge" + String(repeating: " ", count: 80) + "12345") == [])
        for name in ["badge", "badgeNumber", "employee_badge", "BADGE_NO", "employeeBadge", "badge2"] {
            #expect(set.texts(in: "12345", name: name) == ["12345"], "\(name)")
        }
        for name in ["badges", "order", "", "xbadge"] {
            #expect(set.texts(in: "12345", name: name) == [], "\(name)")
        }
        let rows = String(repeating: "x", count: 30) + " badge 12345 " + String(repeating: "x ", count: 60) + "54321"
        #expect(set.texts(in: rows) == ["12345"])
    }

    @Test func `where context is welcome, a match says whether it has it`() throws {
        let set = try PatternSet([
            try UserPattern(name: "a", pattern: "\\d{5}", context: ["größe"]),
            try UserPattern(name: "b", pattern: "[A-Z]{5}"),
        ])
        #expect(set.find(in: "Größe 12345 ABCDE")?.map(\.hasContext) == [true, false])
        #expect(set.find(in: "12345")?.map(\.hasContext) == [false])
    }

    @Test func `characters are code points, and their bytes stay together`() throws {
        let set = try set("x[^y]z", "[äöü]{2}")
        #expect(set.texts(in: "xéz öü ö") == ["xéz", "öü"])
    }

    /// `(?s).+` finds all that may be scanned: exactly the stretches of UTF-8.
    @Test func `bytes that are no UTF-8 part a text, and nothing else does`() throws {
        let set = try set("(?s).+")
        var generator = SeededGenerator(seed: 11)
        let pieces: [[UInt8]] = [
            [0x41], [0xc3, 0xa9], [0xe2, 0x82, 0xac], [0xf0, 0x9f, 0x98, 0x80], [0xff], [0xc0, 0x80],
            [0xed, 0xa0, 0x80],
            [0xe2, 0x82], [0xf4, 0x90, 0x80, 0x80], [0x80], [0xf0, 0x8f, 0xbf, 0xbf], [0xe0, 0x9f, 0xbf], [0],
            Array("0123456789abcdefghij".utf8),
        ]
        for _ in 0..<3000 {
            let text = (0..<Int.random(in: 0...12, using: &generator)).flatMap { _ in
                pieces.randomElement(using: &generator) ?? []
            }
            var expected: [Range<Int>] = []
            var at = 0
            while at < text.count {
                let length = (1...4).first {
                    at + $0 <= text.count && String(validating: text[at..<(at + $0)], as: UTF8.self) != nil
                }
                if let length, let last = expected.last, last.upperBound == at {
                    expected[expected.count - 1] = last.lowerBound..<(at + length)
                } else if let length {
                    expected.append(at..<(at + length))
                }
                at += length ?? 1
            }
            #expect(set.find(in: text)?.map { $0.start..<$0.end } == expected, "\(text)")
        }
    }

    /// Each window of a text is looked at, and what overlaps is joined.
    @Test func `many patterns in one scan find what each finds by looking everywhere`() throws {
        let set = try set("\\d{3}", "[ab]{2,4}c", "b\\d+b", "(?:ab|ba)+")
        let windows: [(ArraySlice<UInt8>) -> Bool] = [
            { $0.count == 3 && $0.allSatisfy { $0 >= 48 && $0 <= 57 } },
            { (3...5).contains($0.count) && $0.last == 99 && $0.dropLast().allSatisfy { $0 == 97 || $0 == 98 } },
            {
                $0.count >= 3 && $0.first == 98 && $0.last == 98
                    && $0.dropFirst().dropLast().allSatisfy { $0 >= 48 && $0 <= 57 }
            },
            { window in
                let bytes = Array(window)
                return !bytes.isEmpty && bytes.count % 2 == 0
                    && stride(from: 0, to: bytes.count, by: 2).allSatisfy {
                        bytes[$0] != bytes[$0 + 1] && "ab".utf8.contains(bytes[$0]) && "ab".utf8.contains(bytes[$0 + 1])
                    }
            },
        ]
        var generator = SeededGenerator(seed: 12)
        for _ in 0..<600 {
            let text = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                Array("aabbc12 ".utf8).randomElement(using: &generator) ?? 32
            }
            let found = try #require(set.find(in: text))
            for (pattern, matches) in windows.enumerated() {
                var expected: [Range<Int>] = []
                for start in text.indices {
                    guard let end = (start..<text.count).last(where: { matches(text[start...$0]) }) else { continue }
                    if let last = expected.last, start < last.upperBound {
                        expected[expected.count - 1] = last.lowerBound..<max(last.upperBound, end + 1)
                    } else {
                        expected.append(start..<(end + 1))
                    }
                }
                let actual = found.filter { $0.pattern == pattern }.map { $0.start..<$0.end }
                #expect(actual == expected, "pattern \(pattern) in \(String(decoding: text, as: UTF8.self))")
            }
        }
    }

    @Test func `several threads may scan at once`() throws {
        let set = try PatternSet([
            try UserPattern(name: "a", pattern: "EMP-\\d{6}", context: ["employee"]),
            try UserPattern(name: "b", pattern: "\\d{16}", checksum: .luhn),
        ])
        let text =
            Array("employee EMP-004711 paid with 4111111111111111 \u{e9}".utf8) + [0xff] + Array("EMP-000001".utf8)
        let expected = try #require(set.find(in: text))
        #expect(expected.count == 3)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<2000 { #expect(set.find(in: text) == expected) }
        }
    }

    @Test func `what makes a backtracking matcher give up takes one pass here`() throws {
        let set = try set("(?:a+)+b", "(?:a|aa)+$")
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 18)
        #expect(set.find(in: text)?.map { $0.start..<$0.end } == [0..<(1 << 18)])
    }

    @Test func `names match in part, unless the pattern says otherwise`() throws {
        func matches(_ pattern: String, _ name: String) throws -> Bool {
            try NamePattern(pattern).matches(Array(name.utf8))
        }
        #expect(try matches("ssn", "customer_ssn_hash"))
        #expect(try !matches("^ssn$", "customer_ssn"))
        #expect(try matches("^ssn$", "ssn"))
        #expect(try !matches("ssn", "SSN"))
        #expect(try matches("(?i)ssn|größe", "GRÖßE"))
        #expect(try !matches("ssn", ""))
        let pattern = try NamePattern("^card(Number|_no)$")
        #expect(pattern.matches(Array("card_no".utf8)))
        #expect(pattern.matches([0xff] + Array("card_no".utf8)))
        #expect(!pattern.matches([0xff, 0xfe]))
    }
}
