import TidegateTokens

/// Dates and times of Postgres: days and microseconds since 2000-01-01, and their ISO texts.
enum PostgresTime {
    private static let dayOfEpoch = 10_957
    private static let dayMicroseconds: Int64 = 86_400_000_000

    /// The text of a date; nil for `infinity` and for years that ISO does not write with four digits.
    static func text(days: Int64) -> [UInt8]? {
        guard let date = CivilDate(dayNumber: Int(days) + dayOfEpoch) else { return nil }
        return Array(
            "\(padded(Int64(date.year), 4))-\(padded(Int64(date.month), 2))-\(padded(Int64(date.day), 2))".utf8)
    }

    static func text(microseconds: Int64) -> [UInt8]? {
        var days = microseconds / dayMicroseconds
        var rest = microseconds % dayMicroseconds
        if rest < 0 {
            rest += dayMicroseconds
            days -= 1
        }
        guard var text = text(days: days) else { return nil }
        let seconds = rest / 1_000_000
        let fraction = rest % 1_000_000
        text += Array(" \(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))".utf8)
        if fraction > 0 { text += Array(".\(padded(fraction, 6))".utf8) }
        return text
    }

    /// Days of `2026-11-26`; nil where the text is no such date.
    static func days(_ text: ArraySlice<UInt8>) -> Int64? {
        let text = Array(text)
        guard text.count == 10, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
            let year = number(text[0..<4]), let month = number(text[5..<7]), let day = number(text[8..<10]),
            let date = CivilDate(year: Int(year), month: Int(month), day: Int(day))
        else { return nil }
        return Int64(date.dayNumber - dayOfEpoch)
    }

    /// Microseconds of `2026-11-26 05:29:21[.123456][+00]`.
    static func microseconds(_ text: ArraySlice<UInt8>) -> Int64? {
        let text = Array(text)
        guard text.count >= 19, text[10] == UInt8(ascii: " ") || text[10] == UInt8(ascii: "T"),
            text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"), let days = days(text[0..<10]),
            let hour = number(text[11..<13]), let minute = number(text[14..<16]), let second = number(text[17..<19]),
            hour < 24, minute < 60, second < 60
        else { return nil }
        var fraction: Int64 = 0
        var rest = text[19...]
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix { $0 &- 48 < 10 }
            guard (1...6).contains(digits.count), let value = number(digits) else { return nil }
            fraction = (digits.count..<6).reduce(value) { value, _ in value * 10 }
            rest = rest.dropFirst(1 + digits.count)
        }
        guard rest.isEmpty || rest.elementsEqual("+00".utf8) || rest.elementsEqual("Z".utf8) else { return nil }
        return days * dayMicroseconds + (hour * 3600 + minute * 60 + second) * 1_000_000 + fraction
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard !digits.isEmpty, digits.allSatisfy({ $0 &- 48 < 10 }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int64($1 - 48) }
    }
}
