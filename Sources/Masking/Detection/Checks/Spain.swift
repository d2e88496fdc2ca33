import TidegateWire

extension Checksum {
    /// A Spanish tax number: NIF of a person (DNI), NIE of a foreigner (X, Y, Z), K, L and M, or of an organisation.
    ///
    /// Orden INT/2058/2008 (letters, number modulo 23), Real Decreto 1065/2007, art. 19 to 22. Sources differ about
    /// which organisations take a digit as check and which a letter: both are accepted.
    static func isNIF(_ text: RawSpan) -> Bool {
        guard text.byteCount == 9, let number = text.number(1..<8) else { return false }
        if let first = text.decimal(at: 0) { return isPersonalLetter(text, first &* 10_000_000 &+ number) }
        switch text.byte(at: 0) {
        case UInt8(ascii: "K"), UInt8(ascii: "L"), UInt8(ascii: "M"), UInt8(ascii: "X"):
            return isPersonalLetter(text, number)
        case UInt8(ascii: "Y"): return isPersonalLetter(text, 10_000_000 &+ number)
        case UInt8(ascii: "Z"): return isPersonalLetter(text, 20_000_000 &+ number)
        default: break
        }
        guard let kind = text.capital(at: 0), organisations.contains(kind) else { return false }
        let check = (10 &- organisationSum(text) % 10) % 10
        if let digit = text.decimal(at: 8) { return digit == check }
        return text.capital(at: 8) == (check &+ 9) % 10  // J for 0, A for 1
    }

    private static func isPersonalLetter(_ text: RawSpan, _ number: Int) -> Bool {
        let letter = personalLetters[number % 23]
        return text.byte(at: 8) == letter
    }

    /// Luhn over the seven digits: the first one doubled.
    private static func organisationSum(_ text: RawSpan) -> Int {
        var sum = 0
        for offset in 1..<8 {
            let digit = text.decimal(at: offset) ?? 0
            let part = offset % 2 == 1 ? digit &* 2 : digit
            sum &+= part > 9 ? part &- 9 : part
        }
        return sum
    }

    private static let personalLetters: [UInt8] = Array("TRWAGMYFPDXBNJZSQVHLCKE".utf8)
    private static let organisations = Capitals("ABCDEFGHJNPQRSUVW")
}
