import TidegateWire

extension Checksum {
    /// A citizen identification number (GB 11643-1999): region, day of birth, order, and ISO/IEC 7064 MOD 11-2.
    ///
    /// The region is checked as far as its province (GB/T 2260, with 81 to 83 and 91 of residence permits).
    static func isResidentNumber(_ text: RawSpan) -> Bool {
        guard text.byteCount == 18, let sum = text.weighted(residentWeights), let province = text.number(0..<2),
            let date = text.number(6..<14)
        else { return false }
        switch province {
        case 11...15, 21...23, 31...37, 41...46, 50...54, 61...65, 71, 81...83, 91: break
        default: return false
        }
        let year = date / 10_000
        guard year >= 1900, year < 2100, CalendarDay.exists(year: year, month: date / 100 % 100, day: date % 100) else {
            return false
        }
        let check = (12 &- sum % 11) % 11
        return check == 10 ? text.byte(at: 17) == UInt8(ascii: "X") : text.decimal(at: 17) == check
    }

    /// Powers of 2 modulo 11, from the seventeenth down.
    private static let residentWeights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
}
