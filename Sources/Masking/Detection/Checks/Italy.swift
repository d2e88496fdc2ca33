import TidegateWire

extension Checksum {
    /// A person's codice fiscale, with the letters that replace digits where two people would share one (omocodia).
    ///
    /// Decreto ministeriale 12 marzo 1974 n. 2227 and 23 dicembre 1976: sixteen characters; day of birth plus 40 for
    /// women; a check letter from two tables of values.
    static func isFiscalCode(_ text: RawSpan) -> Bool {
        guard text.byteCount == 16, text.capital(at: 11) != nil, let check = text.capital(at: 15) else { return false }
        for offset in 0..<6 where text.capital(at: offset) == nil { return false }
        guard let year = fiscalNumber(text, 6), let month = text.capital(at: 8), let day = fiscalNumber(text, 9),
            fiscalDigit(text, 12) != nil, fiscalNumber(text, 13) != nil, fiscalMonths[month] > 0
        else { return false }
        // Two digits of a year: 00 is 2000, a leap year as every fourth one is.
        let dayOfMonth = day > 40 ? day &- 40 : day
        guard CalendarDay.exists(year: 2000 &+ year, month: Int(fiscalMonths[month]), day: dayOfMonth) else {
            return false
        }
        var sum = 0
        for offset in 0..<15 {
            guard let value = text.alphanumeric(at: offset) else { return false }
            let rank = value < 10 ? value : value &- 10  // a digit counts as the letter of its rank
            sum &+= offset % 2 == 0 ? Int(fiscalOddValues[rank]) : rank
        }
        return sum % 26 == check
    }

    /// A digit, or the letter that stands for it: L for 0 to V for 9, without O.
    @inline(__always)
    private static func fiscalDigit(_ text: RawSpan, _ offset: Int) -> Int? {
        if let digit = text.decimal(at: offset) { return digit }
        guard let letter = text.capital(at: offset), fiscalSubstitutes[letter] >= 0 else { return nil }
        return Int(fiscalSubstitutes[letter])
    }

    @inline(__always)
    private static func fiscalNumber(_ text: RawSpan, _ offset: Int) -> Int? {
        guard let tens = fiscalDigit(text, offset), let ones = fiscalDigit(text, offset &+ 1) else { return nil }
        return tens &* 10 &+ ones
    }

    /// By letter from A: the digit it stands for, or -1 (L M N P Q R S T U V).
    private static let fiscalSubstitutes: [Int8] = [
        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 1, 2, -1, 3, 4, 5, 6, 7, 8, 9, -1, -1, -1, -1,
    ]
    /// By letter from A: the month it stands for, or 0 (A B C D E H L M P R S T).
    private static let fiscalMonths: [UInt8] = [
        1, 2, 3, 4, 5, 0, 0, 6, 0, 0, 0, 7, 8, 0, 0, 9, 0, 10, 11, 12, 0, 0, 0, 0, 0, 0,
    ]
    /// Values in the first, third and so on place.
    private static let fiscalOddValues: [UInt8] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
    ]
}
