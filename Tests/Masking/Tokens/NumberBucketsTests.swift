import TestSupport
import Testing
import TidegateTokens

@Suite struct NumberBucketsTests {
    private func bound(_ number: String, _ size: String) throws -> String? {
        let buckets = try NumberBuckets(size: size)
        let bytes = Array(number.utf8)
        return written { buckets.append(lowerBoundOf: bytes.span.bytes, to: &$0) }
    }

    @Test(arguments: [
        ("37", "10", "30"), ("30", "10", "30"), ("0", "10", "0"), ("9", "10", "0"), ("-1", "10", "-10"),
        ("-10", "10", "-10"), ("-10.0", "10", "-10"), ("-10.01", "10", "-20"), ("-0", "10", "0"),
        ("-0.0", "0.5", "0.0"),
        ("1.74", "0.5", "1.5"), ("-1.74", "0.5", "-2.0"), ("0.49", "0.5", "0.0"), ("1234.56", "100", "1200"),
        ("1.5e3", "250", "1500"), ("1.5E-3", "0.001", "0.001"), ("-1.5e-3", "1", "-1"), ("1e-999", "10", "0"),
        ("-1e-999", "10", "-10"), ("0e99999", "10", nil), ("1e400", "10", "1" + String(repeating: "0", count: 400)),
        ("123456789012345678901234567890", "1000", "123456789012345678901234567000"),
        ("-123456789012345678901234567890", "1000", "-123456789012345678901234568000"),
        ("-999", "1000", "-1000"), ("-1", "999999999999999999", "-999999999999999999"),
        ("999999999999999998", "999999999999999999", "0"),
        ("0.000000000000000001", "0.000000000000000001", "0.000000000000000001"),
        ("65", "2.50", "65.0"), ("66", "2.50", "65.0"), ("007", "5", "5"), ("12.30", "0.10", "12.3"),
    ])
    func `a number becomes the lower bound of its bucket`(number: String, size: String, expected: String?) throws {
        #expect(try bound(number, size) == expected)
    }

    @Test(arguments: [
        "", "-", "+1", ".5", "1.", "1e", "1e+", "1x", " 1", "1 ", "NaN", "1,5", "0x10", "--1", "1e99999", "é",
    ])
    func `what is no number of JSON, or too long, has no bucket`(text: String) throws {
        #expect(try bound(text, "10") == nil)
        #expect(try bound(String(repeating: "1", count: 513), "10") == nil)
    }

    @Test(arguments: ["", "0", "0.0", "-1", "1e3", "abc", "1.", ".5", "1.2.3", "1234567890123456789", " 1"])
    func `a size is a positive decimal number`(size: String) {
        #expect(throws: TokenSettingsError.self) { try NumberBuckets(size: size) }
    }

    @Test func `bounds agree with integer arithmetic`() throws {
        var generator = SeededGenerator(seed: 21)
        for _ in 0..<20_000 {
            let size = Int.random(in: 1...5000, using: &generator)
            let value = Int.random(in: -1_000_000...1_000_000, using: &generator)
            let remainder = value % size
            let expected = value - (remainder < 0 ? remainder + size : remainder)
            #expect(try bound("\(value)", "\(size)") == "\(expected)")
            // The same in thousandths.
            func decimal(_ thousandths: Int) -> String {
                let digits = "\(thousandths.magnitude)"
                let padded = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
                return (thousandths < 0 ? "-" : "") + padded.dropLast(3) + "." + padded.suffix(3)
            }
            let expectedText = decimal(expected)
            let result = try #require(try bound(decimal(value), decimal(size)))
            #expect(Double(result) == Double(expectedText), "\(value) by \(size)")
        }
    }
}
