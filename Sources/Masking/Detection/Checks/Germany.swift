import TidegateWire

extension Checksum {
    /// A tax identification number (Steuer-IdNr.): ISO/IEC 7064 MOD 11,10; of the first ten digits exactly one comes
    /// twice or three times, then not all three in a row; the first is not 0.
    ///
    /// Bundeszentralamt für Steuern, Prüfung der Steuer- und Identifikationsnummern; § 139b AO.
    static func isGermanTaxNumber(_ text: RawSpan) -> Bool {
        guard text.byteCount == 11, let first = text.decimal(at: 0), first != 0 else { return false }
        var counts: UInt64 = 0  // four bits a digit
        for offset in 0..<10 {
            guard let digit = text.decimal(at: offset) else { return false }
            counts &+= 1 << UInt64(digit &* 4)
        }
        var repeated = 0
        for digit in 0..<10 {
            let count = counts >> UInt64(digit &* 4) & 15
            guard count <= 3 else { return false }
            if count > 1 { repeated &+= 1 }
        }
        guard repeated == 1 else { return false }
        for offset in 2..<10
        where text.byte(at: offset) == text.byte(at: offset &- 1) && text.byte(at: offset) == text.byte(at: offset &- 2)
        {
            return false
        }
        return passesMod11And10(text)
    }
}
