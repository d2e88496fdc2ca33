import TidegateWire

extension Checksum {
    /// An IBAN (ISO 13616): its country's length and kinds of characters, and MOD 97-10 of ISO/IEC 7064.
    ///
    /// Genuine check digits are 02 to 98; 00, 01 and 99 leave the same remainder and are refused.
    static func isIBAN(_ text: RawSpan) -> Bool {
        guard let first = text.capital(at: 0), let second = text.capital(at: 1), let check = text.number(2..<4),
            check >= 2, check <= 98, text.byteCount <= 34
        else { return false }
        let structures = IBANStructures.shared
        let start = Int(structures.starts[first &* 26 &+ second])
        guard start >= 0, text.byteCount &- 4 == Int(structures.kinds[start]) else { return false }
        // What is left of a division by 97 now and then; 17 digits and a letter fit.
        var remainder = 0
        for offset in 4..<text.byteCount {
            let kind = structures.kinds[start &+ offset &- 3]
            if remainder >= 1_000_000_000_000_000 { remainder %= 97 }
            if let digit = text.decimal(at: offset) {
                guard kind != IBANStructures.letter else { return false }
                remainder = remainder &* 10 &+ digit
            } else {
                guard kind != IBANStructures.digit, let letter = text.capital(at: offset) else { return false }
                remainder = remainder &* 100 &+ letter &+ 10
            }
        }
        let country = (first &+ 10) &* 100 &+ second &+ 10
        return (remainder % 97 &* 1_000_000 &+ country &* 100 &+ check) % 97 == 1
    }
}

/// What follows the check digits in each country.
struct IBANStructures: Sendable {
    static let shared = IBANStructures()
    static let digit: UInt8 = 1
    static let letter: UInt8 = 2
    static let either: UInt8 = 3

    /// By country (first letter times 26, and the second): where its entry begins in `kinds`, or -1.
    let starts: [Int16]
    /// Entries: the length, and as many kinds of characters.
    let kinds: [UInt8]

    /// The SWIFT IBAN registry, release 101: `n` digits, `a` letters, `c` either.
    private static let registry = """
        AD8n12c AE19n AL8n16c AT16n AZ4a20c BA16n BE12n BG4a6n8c BH4a14c BI23n BR23n1a1c BY4c4n16c CH5n12c CR18n
        CY8n16c CZ20n DE18n DJ23n DK14n DO4c20n EE16n EG25n ES20n FI14n FK2a12n FO14n FR10n11c2n GB4a14n GE2a16n
        GI4a15c GL14n GR7n16c GT24c HN4a20n HR17n HU24n IE4a14n IL19n IQ4a15n IS22n IT1a10n12c JO4a4n18c KW4a22c
        KZ3n13c LB4n20c LC4a24c LI5n12c LT16n LU3n13c LV4a13c LY21n MC10n11c2n MD20c ME18n MK3n10c2n MN16n MR23n
        MT4a5n18c MU4a19n3a NI4a20n NL4a10n NO11n OM3n16c PK4a16c PL24n PS4a21c PT21n QA4a21c RO4a16c RS18n RU14n15c
        SA2n18c SC4a20n3a SD14n SE20n SI15n SK20n SM1a10n12c SO19n ST21n SV4a20n TL19n TN20n TR6n16c UA6n19c VA18n
        VG4a16n XK16n YE4a4n18c
        """
    /// Not in the registry, or under another country's entry there; their numbers are used all the same.
    private static let beside = """
        AO21n AX14n BF2c22n BJ2c22n BL10n11c2n CF23n CG23n CI2a22n CM23n CV21n DZ22n GA23n GF10n11c2n GG4a14n GP10n11c2n
        GQ23n GW2c19n IM4a14n IR22n JE4a14n KM23n MA24n MF10n11c2n MG23n ML2c22n MQ10n11c2n MZ21n NC10n11c2n NE2a22n
        PF10n11c2n PM10n11c2n RE10n11c2n SN2a22n TD23n TF10n11c2n TG2a22n WF10n11c2n YT10n11c2n
        """

    private init() {
        var starts = [Int16](repeating: -1, count: 676)
        var kinds: [UInt8] = []
        let lists = IBANStructures.registry + " " + IBANStructures.beside
        for entry in lists.utf8.split(whereSeparator: { $0 == 32 || $0 == 10 }) {
            let bytes = Array(entry)
            starts[Int(bytes[0] - 65) * 26 + Int(bytes[1] - 65)] = Int16(kinds.count)
            let length = kinds.count
            kinds.append(0)
            var count = 0
            for byte in bytes.dropFirst(2) {
                switch byte {
                case UInt8(ascii: "n"), UInt8(ascii: "a"), UInt8(ascii: "c"):
                    let kind =
                        byte == UInt8(ascii: "n")
                        ? IBANStructures.digit
                        : byte == UInt8(ascii: "a") ? IBANStructures.letter : IBANStructures.either
                    kinds.append(contentsOf: repeatElement(kind, count: count))
                    kinds[length] += UInt8(count)
                    count = 0
                default: count = count * 10 + Int(byte - UInt8(ascii: "0"))
                }
            }
        }
        self.starts = starts
        self.kinds = kinds
    }
}
