import TidegateWire

extension Checksum {
    /// An ABA routing number: nine digits, weights 3-7-1, of a range that is assigned.
    ///
    /// American Bankers Association, Routing Number Policy: 00 to 12, 21 to 32, 61 to 72 and 80.
    static func isRoutingNumber(_ text: RawSpan) -> Bool {
        guard text.byteCount == 9, let sum = text.weighted(routingWeights), let range = text.number(0..<2) else {
            return false
        }
        switch range {
        case 0...12, 21...32, 61...72, 80: return sum % 10 == 0 && sum != 0
        default: return false
        }
    }

    private static let routingWeights = [3, 7, 1, 3, 7, 1, 3, 7, 1]

    /// A National Provider Identifier: ten digits that begin with 1 or 2, Luhn with 80840 before them (45 CFR 162.406).
    static func isProviderIdentifier(_ text: RawSpan) -> Bool {
        guard text.byteCount == 10, let first = text.byte(at: 0),
            first == UInt8(ascii: "1") || first == UInt8(ascii: "2"),
            let sum = luhnSum(text)
        else { return false }
        return (sum &+ 24) % 10 == 0  // what 80840 adds
    }

    /// A Medicare Beneficiary Identifier: eleven characters in a fixed order of kinds, without S, L, O, I, B, Z.
    ///
    /// CMS, Understanding the Medicare Beneficiary Identifier Format. It has no check digit.
    static func isMedicareIdentifier(_ text: RawSpan) -> Bool {
        guard text.byteCount == 11, let first = text.decimal(at: 0), first != 0 else { return false }
        for offset in 1..<11 {
            let isDigit = text.decimal(at: offset) != nil
            let isLetter = text.capital(at: offset).map { medicareLetters.contains($0) } ?? false
            switch offset {
            case 1, 4, 7, 8: guard isLetter else { return false }
            case 2, 5: guard isLetter || isDigit else { return false }
            default: guard isDigit else { return false }
            }
        }
        return true
    }

    private static let medicareLetters = Capitals("ACDEFGHJKMNPQRTUVWXY")

    /// A DEA registration number: kind of registrant, initial (or 9), seven digits, the last one a check digit.
    ///
    /// 21 CFR 1301; DEA Diversion Control Division, registration validation.
    static func isDrugRegistration(_ text: RawSpan) -> Bool {
        guard text.byteCount == 9, let kind = text.capital(at: 0), registrants.contains(kind),
            text.capital(at: 1) != nil || text.byte(at: 1) == UInt8(ascii: "9"), let number = text.number(2..<9)
        else { return false }
        let odd = number / 1_000_000 &+ number / 10_000 % 10 &+ number / 100 % 10
        let even = number / 100_000 % 10 &+ number / 1000 % 10 &+ number / 10 % 10
        return (odd &+ 2 &* even) % 10 == number % 10
    }

    private static let registrants = Capitals("ABCDEFGHJKLMPRSTUX")

    /// A Social Security number: no area 000, 666 or 9xx, no group 00, no serial 0000, and none of those known from
    /// advertisements (Social Security Administration, POMS RM 10201.035 and history of the number).
    static func isSocialSecurityNumber(_ text: RawSpan) -> Bool {
        guard text.byteCount == 9, let number = text.number(0..<9) else { return false }
        let area = number / 1_000_000
        guard area != 0, area != 666, area < 900, number / 10_000 % 100 != 0, number % 10_000 != 0 else { return false }
        switch number {
        case 078_05_1120, 219_09_9999, 457_55_5462: return false
        default: return true
        }
    }

    /// An Individual Taxpayer Identification Number: 9xx with a group of 50 to 65, 70 to 88, 90 to 92 or 94 to 99.
    ///
    /// IRS, Publication 1915 and IRM 3.21.263.
    static func isTaxpayerNumber(_ text: RawSpan) -> Bool {
        guard text.byteCount == 9, let number = text.number(0..<9), number / 100_000_000 == 9 else { return false }
        switch number / 10_000 % 100 {
        case 50...65, 70...88, 90...92, 94...99: return true
        default: return false
        }
    }
}
