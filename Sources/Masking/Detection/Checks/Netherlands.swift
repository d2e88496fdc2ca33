import TidegateWire

extension Checksum {
    /// A burgerservicenummer: nine digits, weights 9 to 2 and -1, divisible by 11 (Besluit burgerservicenummer).
    ///
    /// All zeros are none.
    static func isBSN(_ text: RawSpan) -> Bool {
        guard text.byteCount == 9, let sum = text.weighted(citizenWeights), let number = text.number(0..<9) else {
            return false
        }
        return sum % 11 == 0 && number != 0
    }

    private static let citizenWeights = [9, 8, 7, 6, 5, 4, 3, 2, -1]
}
