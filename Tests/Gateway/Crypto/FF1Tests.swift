import TestSupport
import Testing
import TidegateCrypto

@Suite struct FF1Tests {
    static let digits = Array("0123456789abcdefghijklmnopqrstuvwxyz".utf8)
    static let longestKey = "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94"

    struct Sample: Sendable {
        var keyCount: Int
        var radix: Int
        var tweak: String
        var plain: String
        var encrypted: String
    }

    /// NIST's FF1 samples: the same texts and tweaks under keys of 128, 192 and 256 bits that begin alike.
    static let samples: [Sample] = [
        (16, "2433477484", "6124200773", "a9tv40mll9kdu509eum"),
        (24, "2830668132", "2496655549", "xbj3kv35jrawxv32ysr"),
        (32, "6657667009", "1001623463", "xs8a0azh2avyalyzuwd"),
    ].flatMap { count, first, second, third in
        [
            Sample(keyCount: count, radix: 10, tweak: "", plain: "0123456789", encrypted: first),
            Sample(
                keyCount: count, radix: 10, tweak: "39383736353433323130", plain: "0123456789", encrypted: second),
            Sample(
                keyCount: count, radix: 36, tweak: "3737373770717273373737", plain: "0123456789abcdefghi",
                encrypted: third),
        ]
    }

    @Test(arguments: samples)
    func `NIST's nine samples come out, both ways`(sample: Sample) throws {
        let key = Array(CipherVectors.bytes(FF1Tests.longestKey).prefix(sample.keyCount))
        let cipher = try #require(FF1(key: key, radix: sample.radix))
        func symbols(_ text: String) throws -> [UInt8] {
            try text.utf8.map { UInt8(try #require(FF1Tests.digits.firstIndex(of: $0))) }
        }
        let tweak = CipherVectors.bytes(sample.tweak)
        let (plain, encrypted) = (try symbols(sample.plain), try symbols(sample.encrypted))
        #expect(cipher.run(plain, tweak: tweak, isForward: true) == encrypted)
        #expect(cipher.run(encrypted, tweak: tweak, isForward: false) == plain)
    }

    static let files = [
        "aes_ff1_base10_test.json", "aes_ff1_base62_test.json", "aes_ff1_radix10_test.json",
        "aes_ff1_radix36_test.json",
    ]

    /// The numeral of a vector; nil where a symbol is none. Symbols come as text over an alphabet, or as numbers.
    static func symbols(_ value: Any?, alphabet: String?) -> [UInt8]? {
        if let numbers = value as? [Int] {
            let symbols = numbers.compactMap { UInt8(exactly: $0) }
            return symbols.count == numbers.count ? symbols : nil
        }
        guard let text = value as? String, let alphabet else { return nil }
        let places = Array(alphabet)
        let symbols = text.compactMap { places.firstIndex(of: $0).map { UInt8($0) } }
        return symbols.count == text.count ? symbols : nil
    }

    @Test(.enabled(if: files.allSatisfy(CipherVectors.has), Comment(rawValue: CipherVectors.lacking)), arguments: files)
    func `Wycheproof's vectors hold, and what it calls invalid is refused`(file: String) throws {
        var (valid, invalid) = (0, 0)
        for (group, test) in try CipherVectors.cases(file) {
            let alphabet = group["alphabet"] as? String
            let radix = try #require(group["radix"] as? Int)
            let plain = FF1Tests.symbols(test["msg"], alphabet: alphabet)
            let tweak = CipherVectors.bytes(test["tweak"])
            let cipher = FF1(key: CipherVectors.bytes(test["key"]), radix: radix)
            let result = plain.flatMap { cipher?.run($0, tweak: tweak, isForward: true) }
            let name: Comment = "\(file) \(test["tcId"] ?? "") \(test["comment"] ?? "")"
            if test["result"] as? String == "valid" {
                valid += 1
                let expected = try #require(FF1Tests.symbols(test["ct"], alphabet: alphabet))
                #expect(result == expected, name)
                #expect(cipher?.run(expected, tweak: tweak, isForward: false) == plain, name)
            } else {
                invalid += 1
                #expect(result == nil, name)
            }
        }
        #expect(valid > 2000)
        #expect(invalid > 300)
    }

    @Test(arguments: [(10, 3), (10, 2), (62, 2), (36, 2), (2, 7), (26, 2)])
    func `all numerals of a small domain are permuted, and another tweak permutes them otherwise`(
        radix: Int, count: Int
    ) throws {
        let cipher = try #require(FF1(key: [UInt8](repeating: 7, count: 32), radix: radix))
        let size = (0..<count).reduce(1) { size, _ in size * radix }
        func table(_ tweak: [UInt8]) throws -> [[UInt8]] {
            try (0..<size).map { number in
                var rest = number
                var symbols = [UInt8](repeating: 0, count: count)
                for index in symbols.indices.reversed() {
                    symbols[index] = UInt8(rest % radix)
                    rest /= radix
                }
                let encrypted = try #require(cipher.run(symbols, tweak: tweak, isForward: true))
                #expect(cipher.run(encrypted, tweak: tweak, isForward: false) == symbols)
                return encrypted
            }
        }
        let first = try table([1, 2, 3])
        #expect(Set(first).count == size)
        #expect(try table([1, 2, 4]) != first)
    }

    @Test(arguments: [2, 3, 10, 26, 36, 52, 62])
    func `every length and every length of a tweak comes back`(radix: Int) throws {
        var generator = SeededGenerator(seed: 6)
        let cipher = try #require(FF1(key: [UInt8](repeating: 9, count: 32), radix: radix))
        for count in 8...FF1.maximumLength {
            let tweak = (0..<(count % 40)).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            let symbols = (0..<count).map { _ in UInt8.random(in: 0..<UInt8(radix), using: &generator) }
            let encrypted = try #require(cipher.run(symbols, tweak: tweak, isForward: true))
            #expect(encrypted.allSatisfy { Int($0) < radix })
            #expect(encrypted != symbols || radix == 2)
            #expect(cipher.run(encrypted, tweak: tweak, isForward: false) == symbols)
        }
    }

    @Test func `what is too short, too long or not of the radix is refused`() throws {
        let cipher = try #require(FF1(key: [UInt8](repeating: 9, count: 32), radix: 10))
        for symbols: [UInt8] in [[], [1], [1, 10], [255, 1, 1, 1, 1, 1, 1]] {
            #expect(cipher.run(symbols, tweak: [], isForward: true) == nil)
            #expect(cipher.run(symbols, tweak: [], isForward: false) == nil)
        }
        #expect(cipher.run([UInt8](repeating: 1, count: 273), tweak: [], isForward: true) == nil)
        #expect(FF1(key: [UInt8](repeating: 9, count: 32), radix: 63) == nil)
        #expect(FF1(key: [UInt8](repeating: 9, count: 32), radix: 1) == nil)
        #expect(FF1(key: [UInt8](repeating: 9, count: 31), radix: 10) == nil)
        let binary = try #require(FF1(key: [UInt8](repeating: 9, count: 32), radix: 2))
        #expect(binary.run([1, 0, 1, 0, 1, 0], tweak: [], isForward: true) == nil, "64 numerals are under a hundred")
    }
}
