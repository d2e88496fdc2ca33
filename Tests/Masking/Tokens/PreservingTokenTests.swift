import TestSupport
import Testing
import TidegateTokens

@Suite struct PreservingTokenTests {
    static func passesLuhn(_ text: String) -> Bool {
        let digits = text.compactMap(\.wholeNumberValue)
        let sum = digits.reversed().enumerated().reduce(0) { sum, digit in
            let doubled = digit.offset % 2 == 1 ? digit.element * 2 : digit.element
            return sum + doubled / 10 + doubled % 10
        }
        return sum % 10 == 0
    }

    /// Every value of a domain of a million in release builds; in debug builds, which sanitizers run, some of them.
    static let step: Int = {
        #if DEBUG
            return 197
        #else
            return 1
        #endif
    }()

    /// The digits with a last one that passes Luhn's check.
    static func card(_ digits: String) -> String {
        (0...9).map { "\(digits)\($0)" }.first(where: passesLuhn) ?? digits
    }

    @Test(arguments: [
        (TokenAlphabet.digits, "0123456789"), (.lowerCase, "abcxyz"), (.upperCase, "QWERTZ"),
        (.lowerAlphanumeric, "a1b2c3"), (.upperAlphanumeric, "DE89370400440532013000"), (.alphanumeric, "aB3dE6gH"),
    ])
    func `a token has its value's length and alphabet, and opens`(alphabet: TokenAlphabet, value: String) throws {
        let tokenizer = try TokenFixture.tokenizer(.preserving(.init(alphabet: alphabet)))
        let token = try #require(tokenizer.token(value))
        #expect(token != value)
        #expect(token.utf8.count == value.utf8.count)
        #expect(token.utf8.allSatisfy { alphabet.symbols.contains($0) })
        #expect(tokenizer.opened(token) == (.opened(version: 1), value))
        let other = try TokenFixture.tokenizer(.preserving(.init(alphabet: alphabet)), domain: "other")
        #expect(other.token(value) != token)
        #expect(other.value(token) != value)
    }

    @Test func `separators stay in their places and do not change the token`() throws {
        let tokenizer = try TokenFixture.tokenizer(.preserving(.init(keepFirst: 2, keepLast: 3)))
        let plain = try #require(tokenizer.token("123456789012345"))
        let spaced = try #require(tokenizer.token(" 12-34 56.7890-12345 "))
        #expect(spaced.filter { !" -.".contains($0) } == plain)
        #expect(spaced.map { $0.isNumber ? "0" : $0 } == " 00-00 00.0000-00000 ".map { $0 })
        #expect(plain.hasPrefix("12"))
        #expect(plain.hasSuffix("345"))
        #expect(tokenizer.value(spaced) == " 12-34 56.7890-12345 ")
    }

    @Test func `what stays in clear changes what does not`() throws {
        let tokenizer = try TokenFixture.tokenizer(.preserving(.init(keepFirst: 6, keepLast: 4)))
        let first = try #require(tokenizer.token("4111110000001111"))
        let second = try #require(tokenizer.token("4111120000001111"))
        let third = try #require(tokenizer.token("4111110000001112"))
        #expect(Set([first, second, third].map { $0.dropFirst(6).prefix(6) }).count == 3)
    }

    @Test(arguments: [
        "12345", "", "12345a", "123456\n", "１２３４５６", "123_456", "1234\u{a0}56", "12345é", "-----", "123456,7",
        String(repeating: "1", count: 273),
    ])
    func `what is too short, too long or of other characters has no token`(value: String) throws {
        let tokenizer = try TokenFixture.tokenizer(.preserving(.init()))
        #expect(tokenizer.token(value) == nil)
        #expect(tokenizer.opened(value).0 == .refused(.notAToken))
        let kept = try TokenFixture.tokenizer(.preserving(.init(keepFirst: 32, keepLast: 32)))
        #expect(kept.token(value) == nil || value.count == 273)
    }

    @Test(arguments: [(TokenAlphabet.digits, 6), (.lowerCase, 5), (.lowerAlphanumeric, 4), (.alphanumeric, 4)])
    func `a million values are the least`(alphabet: TokenAlphabet, length: Int) throws {
        #expect(alphabet.minimumLength == length)
        let tokenizer = try TokenFixture.tokenizer(.preserving(.init(alphabet: alphabet, keepLast: 1)))
        let symbol = String(decoding: [alphabet.symbols[1]], as: UTF8.self)
        #expect(tokenizer.token(String(repeating: symbol, count: length)) == nil)
        #expect(tokenizer.token(String(repeating: symbol, count: length + 1)) != nil)
    }

    @Test func `all numbers of six digits have different tokens, and all open`() throws {
        let tokenizer = try TokenFixture.tokenizer(.preserving(.init()))
        var seen = [Bool](repeating: false, count: 1_000_000)
        var output: [UInt8] = []
        var failures = 0
        var count = 0
        for number in stride(from: 0, to: 1_000_000, by: PreservingTokenTests.step) {
            count += 1
            let value = Array("\(1_000_000 + number)".utf8.dropFirst())
            output.removeAll(keepingCapacity: true)
            if !tokenizer.append(value.span.bytes, to: &output) { failures += 1 }
            let token = output
            seen[Int(String(decoding: token, as: UTF8.self)) ?? 0] = true
            output.removeAll(keepingCapacity: true)
            if tokenizer.open(token.span.bytes, to: &output) != .opened(version: 1) || output != value { failures += 1 }
        }
        #expect(failures == 0)
        #expect(seen.count { $0 } == count)
    }

    /// First six and last four stay: every card that those can stand in.
    @Test(arguments: [LuhnRule.invalid, .valid])
    func `all cards between a first six and a last four have different tokens of the rule, and all open`(
        rule: LuhnRule
    ) throws {
        let settings = PreservingSettings(keepFirst: 6, keepLast: 4, luhn: rule, shape: .card)
        #expect(settings.refusal == nil)
        let tokenizer = try TokenFixture.tokenizer(.preserving(settings))
        var tokens: Set<[UInt8]> = []
        var failures = 0
        var cards = 0
        for number in stride(from: 0, to: 1_000_000, by: PreservingTokenTests.step) {
            let text = "411111\("\(1_000_000 + number)".dropFirst())1234"
            let value = Array(text.utf8)
            var token: [UInt8] = []
            let hasToken = tokenizer.append(value.span.bytes, to: &token)
            let passes = PreservingTokenTests.passesLuhn(text)
            if hasToken != passes { failures += 1 }
            guard hasToken else { continue }
            cards += 1
            tokens.insert(token)
            if PreservingTokenTests.passesLuhn(String(decoding: token, as: UTF8.self)) != (rule == .valid) {
                failures += 1
            }
            var opened: [UInt8] = []
            if tokenizer.open(token.span.bytes, to: &opened) != .opened(version: 1) || opened != value { failures += 1 }
        }
        #expect(failures == 0)
        #expect(tokens.count == cards)
        #expect(cards == 100_000 || PreservingTokenTests.step > 1)
    }

    @Test(arguments: [LuhnRule.invalid, .valid, .any], [13, 14, 15, 16, 17, 18, 19])
    func `cards of every length keep the rule and open`(rule: LuhnRule, length: Int) throws {
        let tokenizer = try TokenFixture.tokenizer(.preserving(.init(luhn: rule)))
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<500 {
            let digits = (0..<(length - 1)).map { _ in "\(Int.random(in: 0...9, using: &generator))" }.joined()
            let value = PreservingTokenTests.card(digits)
            let token = try #require(tokenizer.token(value))
            #expect(token.count == length)
            if rule != .any { #expect(PreservingTokenTests.passesLuhn(token) == (rule == .valid), "\(token)") }
            #expect(tokenizer.value(token) == value)
        }
    }

    @Test func `a number that Luhn's check finds wrong is no card and has no token; nor has a token`() throws {
        for rule in [LuhnRule.invalid, .valid] {
            let tokenizer = try TokenFixture.tokenizer(.preserving(.init(luhn: rule)))
            #expect(tokenizer.token("4111111111111112") == nil)
        }
        let tokenizer = try TokenFixture.tokenizer(.preserving(.init(shape: .card)))
        let token = try #require(tokenizer.token("4111111111111111"))
        #expect(tokenizer.token(token) == nil, "found again by nobody, and not masked again")
        #expect(tokenizer.opened("4111111111111111").0 == .refused(.notAToken))
    }

    @Test func `numbers stay numbers of as many digits, and all open`() throws {
        for settings in [PreservingSettings(), .init(luhn: .invalid), .init(luhn: .valid), .init(keepLast: 2)] {
            let tokenizer = try TokenFixture.tokenizer(.preserving(settings))
            var generator = SeededGenerator(seed: 9)
            for round in 0..<4000 {
                let length = 8 + round % 22
                let digits =
                    "\(Int.random(in: 1...9, using: &generator))"
                    + (0..<(length - 2)).map { _ in "\(Int.random(in: 0...9, using: &generator))" }.joined()
                let value = PreservingTokenTests.card(digits)
                let token = try #require(tokenizer.token(number: value))
                #expect(token.count == length)
                #expect(token.first != "0")
                #expect(tokenizer.value(token) == value)
                if settings.luhn != .any {
                    #expect(PreservingTokenTests.passesLuhn(token) == (settings.luhn == .valid))
                }
            }
        }
    }

    @Test func `all numbers of six digits that begin with no zero have different tokens among themselves`() throws {
        let tokenizer = try TokenFixture.tokenizer(.preserving(.init()))
        var seen = [Bool](repeating: false, count: 1_000_000)
        var output: [UInt8] = []
        var count = 0
        for number in stride(from: 100_000, to: 1_000_000, by: PreservingTokenTests.step) {
            count += 1
            let value = Array("\(number)".utf8)
            output.removeAll(keepingCapacity: true)
            if tokenizer.append(number: value.span.bytes, to: &output) {
                seen[Int(String(decoding: output, as: UTF8.self)) ?? 0] = true
            }
        }
        #expect(seen[100_000...].count { $0 } == count)
        #expect(seen[..<100_000].allSatisfy { !$0 })
    }

    @Test func `a number's token stays in the range of readers that its number fitted`() throws {
        let tokenizer = try TokenFixture.tokenizer(.preserving(.init()))
        let edges: [(UInt64, ClosedRange<UInt64>)] = [
            (2_147_483_647, 0...0x7fff_ffff), (2_147_483_648, 0x8000_0000...9_999_999_999),
            (9_007_199_254_740_992, 0...(1 << 53)), (9_007_199_254_740_993, (1 << 53) + 1...9_999_999_999_999_999),
            (9_223_372_036_854_775_807, 0...(1 << 63 - 1)), (9_223_372_036_854_775_808, 1 << 63...UInt64.max),
            (18_446_744_073_709_551_615, 0...UInt64.max),
        ]
        for (edge, range) in edges {
            for offset: UInt64 in 0..<50 {
                let value = range.contains(edge &- offset) ? edge &- offset : edge &+ offset
                let text = "\(value)"
                guard text.count == "\(edge)".count else { continue }
                let token = try #require(tokenizer.token(number: text))
                #expect(token.count == text.count)
                #expect(UInt64(token).map(range.contains) == true, "\(text) became \(token)")
                #expect(tokenizer.value(token) == text)
            }
        }
    }

    @Test func `a number has the token that its digits have as text, with separators or without`() throws {
        var generator = SeededGenerator(seed: 12)
        for settings in [
            PreservingSettings(), .init(luhn: .invalid), .init(luhn: .valid), .init(keepFirst: 1, keepLast: 2),
        ] {
            let tokenizer = try TokenFixture.tokenizer(.preserving(settings))
            for round in 0..<2000 {
                let digits =
                    "\(Int.random(in: 1...9, using: &generator))"
                    + (0..<(8 + round % 13)).map { _ in "\(Int.random(in: 0...9, using: &generator))" }.joined()
                let value = PreservingTokenTests.card(digits)
                let token = try #require(tokenizer.token(number: value))
                #expect(tokenizer.token(value) == token)
                let spaced = try #require(tokenizer.token(value.prefix(4) + " " + value.dropFirst(4)))
                #expect(spaced.filter { $0 != " " } == token)
            }
        }
    }

    @Test func `what begins with a zero has a token that does`() throws {
        let tokenizer = try TokenFixture.tokenizer(.preserving(.init()))
        for number in 0..<1000 {
            let token = try #require(tokenizer.token("00\(1_000_000 + number * 7919)"))
            #expect(token.first == "0")
            #expect(tokenizer.value(token) == "00\(1_000_000 + number * 7919)")
        }
    }

    @Test(arguments: ["0123456", "-1234567", "1234567.0", "1e10", "1234 567", "12345", "", "0"])
    func `what is no whole number without a leading zero has no token as a number`(text: String) throws {
        let tokenizer = try TokenFixture.tokenizer(.preserving(.init()))
        #expect(tokenizer.token(number: text) == nil)
        let letters = try TokenFixture.tokenizer(.preserving(.init(alphabet: .alphanumeric)))
        #expect(letters.token(number: "1234567") == nil)
        #expect(try TokenFixture.tokenizer(.opaque).token(number: "1234567") == nil)
    }

    @Test func `a version that is not the newest is told when opening`() throws {
        let old = try TokenFixture.tokenizer(.preserving(.init()), versions: [1])
        let rotated = try TokenFixture.tokenizer(.preserving(.init()), versions: [1, 2])
        let token = try #require(old.token("1234567890"))
        #expect(rotated.token("1234567890") != token)
        #expect(rotated.value(token) != "1234567890")
        #expect(rotated.opened(token, version: 1) == (.opened(version: 1), "1234567890"))
        #expect(rotated.opened(token, version: 3).0 == .refused(.unknownVersion))
        #expect(!rotated.knows(token))
        #expect(!rotated.isMarked)
    }
}
