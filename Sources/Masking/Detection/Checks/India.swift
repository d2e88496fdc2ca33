import TidegateWire

extension Checksum {
    /// An Aadhaar number: twelve digits, the first 2 to 9, no palindrome, Verhoeff.
    ///
    /// UIDAI, A UID Numbering Scheme for India (2010).
    static func isAadhaar(_ text: RawSpan) -> Bool {
        guard text.byteCount == 12, let first = text.decimal(at: 0), first >= 2, passesVerhoeff(text) else {
            return false
        }
        for offset in 0..<6 where text.byte(at: offset) != text.byte(at: 11 &- offset) { return true }
        return false
    }

    /// A Permanent Account Number: three letters, a kind of holder, an initial, four digits (not 0000), a letter.
    ///
    /// Income Tax Department, Know Your PAN. How its last letter is made is not published.
    static func isPermanentAccountNumber(_ text: RawSpan) -> Bool {
        guard text.byteCount == 10, let holder = text.capital(at: 3), accountHolders.contains(holder),
            let number = text.number(5..<9), number != 0
        else { return false }
        return text.capital(at: 0) != nil && text.capital(at: 1) != nil && text.capital(at: 2) != nil
            && text.capital(at: 4) != nil && text.capital(at: 9) != nil
    }

    private static let accountHolders = Capitals("ABCFGHJKLPT")
}
