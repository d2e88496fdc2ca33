import TidegateWire

extension Checksum {
    /// An NHS number: ten digits, weights 10 to 1, divisible by 11 (NHS Data Dictionary, NHS NUMBER).
    ///
    /// All zeros are none.
    static func isHealthServiceNumber(_ text: RawSpan) -> Bool {
        guard text.byteCount == 10, let sum = text.weighted(healthServiceWeights) else { return false }
        return sum % 11 == 0 && sum != 0
    }

    private static let healthServiceWeights = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]

    /// A National Insurance number: a prefix that is in use, six digits, a suffix A to D (HMRC, NIM39110).
    static func isNationalInsuranceNumber(_ text: RawSpan) -> Bool {
        guard text.byteCount == 9, let first = text.capital(at: 0), let second = text.capital(at: 1),
            insuranceFirst.contains(first), insuranceSecond.contains(second), text.number(2..<8) != nil,
            let suffix = text.capital(at: 8), suffix < 4
        else { return false }
        switch (UInt8(truncatingIfNeeded: first &+ 65), UInt8(truncatingIfNeeded: second &+ 65)) {
        case (UInt8(ascii: "B"), UInt8(ascii: "G")), (UInt8(ascii: "G"), UInt8(ascii: "B")),
            (UInt8(ascii: "K"), UInt8(ascii: "N")), (UInt8(ascii: "N"), UInt8(ascii: "K")),
            (UInt8(ascii: "N"), UInt8(ascii: "T")), (UInt8(ascii: "T"), UInt8(ascii: "N")),
            (UInt8(ascii: "Z"), UInt8(ascii: "Z")):
            return false
        default: return true
        }
    }

    private static let insuranceFirst = Capitals("ABCEGHJKLMNOPRSTWXYZ")
    private static let insuranceSecond = Capitals("ABCEGHJKLMNPRSTWXYZ")
}
