import Foundation
import TestSupport
import Testing
import TidegateDetection
import TidegateWire

struct PhoneNumbersTests {
    @Test(
        arguments: [
            ("+41446681800", nil), ("+1 415 555 2671", nil), ("+44 (0)20 7946 0958", nil), ("+49-30-901820", nil),
            ("+39 06 6982", nil), ("+55 11 91234-5678", nil), ("+800 1234 5678", nil), ("+86 138 0013 8000", nil),
            ("(212) 736-5000", "US"), ("212.736.5000", "US"), ("1-212-736-5000", "US"), ("020 7946 0958", "GB"),
            ("030/901820", "DE"), ("01 42 68 53 00", "FR"), ("011 44 20 7946 0958", "US"), ("0 11 91234-5678", "BR"),
            ("8 495 123-45-67", "RU"), ("0041 44 668 18 00", "DE"), ("06 6982", "IT"), ("044 668 18 00", "CH"),
        ] as [(String, String?)])
    func `numbers of many forms are valid`(text: String, region: String?) throws {
        #expect(PhoneNumbers.isValid(text, try Self.region(region)))
        #expect(PhoneNumbers.isPossible(text, try Self.region(region)))
    }

    @Test(
        arguments: [
            ("+41446681800000000", nil), ("+1 123 456 7890", nil), ("+999 1234567", nil), ("4146681800", nil),
            ("12345678", "US"), ("4111111111111111", "US"), ("1700000000000", "US"), ("123-45-6789", "US"),
            ("999 999 9999", "US"), ("+", nil), ("", "US"), ("1234", "US"), ("+41 44 668 18 00 x12", nil),
            ("1-800-FLOWERS", "US"), ("++41446681800", nil), ("41+446681800", nil), ("2026-11-26", "US"),
            ("+4144668180000000000000000000000000000000000", nil),
        ] as [(String, String?)])
    func `what only looks like a number is not`(text: String, region: String?) throws {
        #expect(!PhoneNumbers.isValid(text, try Self.region(region)))
    }

    @Test func `a list of regions is asked in turn, the international form once`() throws {
        let regions = try ["DE", "US"].map { try #require(PhoneRegion($0)) }
        #expect(PhoneNumbers.isValid("(212) 736-5000", anyOf: regions))
        #expect(PhoneNumbers.isValid("030 901820", anyOf: regions))
        #expect(PhoneNumbers.isValid("+41446681800", anyOf: []))
        #expect(!PhoneNumbers.isValid("(212) 736-5000", anyOf: []))
    }

    @Test func `regions are those of ISO 3166 that have a plan`() {
        #expect(PhoneRegion.known.count > 200)
        #expect(PhoneRegion("DE")?.description == "DE")
        for code in ["de", "XX", "", "DEU", "ZZ", "ÄÖ"] { #expect(PhoneRegion(code) == nil) }
    }

    /// Of random numbers, of numbers with a calling code or a prefix, and of valid ones with one digit changed.
    @Test(arguments: [3, 20_261_126] as [UInt64])
    func `the automata say what libphonenumber says`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let codes = [
            "1", "7", "20", "27", "30", "31", "33", "34", "39", "44", "48", "49", "52", "54", "55", "61", "62", "65",
            "81", "82", "86", "91", "234", "351", "353", "358", "380", "800", "870", "878", "883", "979", "998", "999",
        ]
        let prefixes = ["", "", "", "0", "0", "1", "8", "00", "011", "90", "15"]
        var valid: [(String, PhoneRegion)] = []
        var refused = 0
        for round in 0..<8000 {
            var text: String
            let region: PhoneRegion
            if round % 3 == 2, let (known, its) = valid.randomElement(using: &generator) {
                var characters = Array(known)
                let at = Int.random(in: 1..<characters.count, using: &generator)
                characters[at] = Character(String(Int.random(in: 0...9, using: &generator)))
                if Int.random(in: 0..<6, using: &generator) == 0 { characters.remove(at: at) }
                (text, region) = (String(characters), its)
            } else {
                let digits = (0..<Int.random(in: 4...14, using: &generator)).map { _ in
                    String(Int.random(in: 0...9, using: &generator))
                }
                let isInternational = round % 3 == 0
                let head = (isInternational ? codes : prefixes).randomElement(using: &generator) ?? ""
                text = (isInternational ? "+" : "") + head + digits.joined()
                region =
                    isInternational
                    ? .international : PhoneRegion.known.randomElement(using: &generator) ?? .international
            }
            let bytes = Array(text.utf8)
            let expected = PhoneNumbers.isValidSlowly(bytes.span.bytes, region: region)
            let actual = PhoneNumbers.isValid(bytes.span.bytes, region: region)
            #expect(actual == expected, "\(text) in \(region)")
            if expected { valid.append((text, region)) } else { refused += 1 }
        }
        #expect(valid.count > 700 && refused > 700)
    }

    @Test func `several threads may ask at once`() {
        let samples: [(String, String?, Bool)] = [
            ("+41446681800", nil, true), ("0 11 91234-5678", "BR", true), ("12345678", "US", false),
            ("+1 123 456 7890", nil, false), ("011 44 20 7946 0958", "US", true),
        ]
        DispatchQueue.concurrentPerform(iterations: 8) { worker in
            for round in 0..<400 {
                let (text, region, expected) = samples[(worker + round) % samples.count]
                #expect(PhoneNumbers.isValid(text, region.flatMap { PhoneRegion($0) } ?? .international) == expected)
            }
        }
    }

    @Test func `any bytes are answered`() throws {
        var generator = SeededGenerator(seed: 4)
        let region = try #require(PhoneRegion("US"))
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                Bool.random(using: &generator)
                    ? UInt8.random(in: 40...57, using: &generator) : UInt8.random(in: .min ... .max, using: &generator)
            }
            if PhoneNumbers.isValid(bytes.span.bytes, region: region) {
                #expect(bytes.allSatisfy { $0 < 128 } && bytes.count <= PhoneNumbers.maximumLength)
            }
        }
    }

    private static func region(_ code: String?) throws -> PhoneRegion {
        guard let code else { return .international }
        return try #require(PhoneRegion(code))
    }
}

extension PhoneNumbers {
    static func isValid(_ text: String, _ region: PhoneRegion) -> Bool {
        isValid(Array(text.utf8).span.bytes, region: region)
    }
    static func isValid(_ text: String, anyOf regions: [PhoneRegion]) -> Bool {
        isValid(Array(text.utf8).span.bytes, regions: regions)
    }
    static func isPossible(_ text: String, _ region: PhoneRegion) -> Bool {
        isPossible(Array(text.utf8).span.bytes, region: region)
    }
}
