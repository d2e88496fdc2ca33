import TidegateWire

extension Checksum {
    /// A Social Insurance Number: nine digits, Luhn, first digit of a province (1 to 7) or a temporary resident (9).
    ///
    /// Government of Canada, SIN Code of Practice: 0 is not in use, 8 begins business numbers.
    static func isSocialInsuranceNumber(_ text: RawSpan) -> Bool {
        guard text.byteCount == 9, let first = text.decimal(at: 0), first != 0, first != 8 else { return false }
        return passesLuhn(text)
    }
}
