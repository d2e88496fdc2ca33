import TidegateWire

/// Dates and times as ISO 8601 writes them, in the proleptic Gregorian calendar, and back.
///
/// Years from 0 to 9999 have four digits, others a sign as well.
enum CalendarText {
    // MARK: Writing

    static func appendDate(day: Int64, to text: inout [UInt8]) {
        // 400 years have 146,097 days; counted from March, the leap day is a year's last.
        let shifted = day &+ 719_468
        let era = (shifted >= 0 ? shifted : shifted &- 146_096) / 146_097
        let dayOfEra = shifted &- era &* 146_097
        let yearOfEra = (dayOfEra &- dayOfEra / 1460 &+ dayOfEra / 36_524 &- dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
        let index = (5 &* dayOfYear &+ 2) / 153
        let dayOfMonth = dayOfYear &- (153 &* index &+ 2) / 5 &+ 1
        let month = index < 10 ? index &+ 3 : index &- 9
        let year = yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0)
        if year < 0 { text.append(UInt8(ascii: "-")) }
        if year > 9999 { text.append(UInt8(ascii: "+")) }
        DecimalDigits.appendDigits(year.magnitude, to: &text, width: 4)
        text.append(UInt8(ascii: "-"))
        DecimalDigits.appendDigits(month.magnitude, to: &text, width: 2)
        text.append(UInt8(ascii: "-"))
        DecimalDigits.appendDigits(dayOfMonth.magnitude, to: &text, width: 2)
    }

    /// - Returns: false, with nothing appended, where it is no time of a day.
    static func appendTime(_ value: Int64, unit: Int64, to text: inout [UInt8]) -> Bool {
        guard value >= 0, unit > 0, value / unit < 86_400 else { return false }
        let second = value / unit
        for (index, part) in [second / 3600, second / 60 % 60, second % 60].enumerated() {
            if index > 0 { text.append(UInt8(ascii: ":")) }
            DecimalDigits.appendDigits(part.magnitude, to: &text, width: 2)
        }
        text.append(UInt8(ascii: "."))
        DecimalDigits.appendDigits((value % unit).magnitude, to: &text, width: digits(unit))
        return true
    }

    static func appendTimestamp(_ value: Int64, unit: Int64, to text: inout [UInt8]) {
        let perDay = unit &* 86_400
        let day = value >= 0 ? value / perDay : (value &+ 1) / perDay &- 1
        appendDate(day: day, to: &text)
        text.append(UInt8(ascii: "T"))
        _ = appendTime(value &- day &* perDay, unit: unit, to: &text)
    }

    private static func digits(_ unit: Int64) -> Int { unit >= 1_000_000_000 ? 9 : unit >= 1_000_000 ? 6 : 3 }

    // MARK: Reading

    static func day(_ text: RawSpan) -> Int64? {
        var at = 0
        guard let day = day(text, &at), at == text.byteCount else { return nil }
        return day
    }

    static func time(_ text: RawSpan, unit: Int64) -> Int64? {
        var at = 0
        guard let time = time(text, &at, unit), at == text.byteCount else { return nil }
        return time
    }

    /// A date alone is its midnight. `Z` may stand at the end.
    static func timestamp(_ text: RawSpan, unit: Int64) -> Int64? {
        var at = 0
        guard let day = day(text, &at) else { return nil }
        var time: Int64 = 0
        if skip("T", text, &at) || skip(" ", text, &at) {
            guard let read = self.time(text, &at, unit) else { return nil }
            time = read
        }
        _ = skip("Z", text, &at)
        guard at == text.byteCount else { return nil }
        // Towards zero first, so that the least number of all is reached without leaving its range.
        let perDay = unit &* 86_400
        let (start, overflow) = (day < 0 ? day &+ 1 : day).multipliedReportingOverflow(by: perDay)
        let (sum, more) = start.addingReportingOverflow(day < 0 ? time &- perDay : time)
        return overflow || more ? nil : sum
    }

    private static func skip(_ byte: Unicode.Scalar, _ text: RawSpan, _ at: inout Int) -> Bool {
        guard text.byte(at: at) == UInt8(ascii: byte) else { return false }
        at &+= 1
        return true
    }

    private static func number(_ text: RawSpan, _ at: inout Int, digits: ClosedRange<Int>) -> Int64? {
        var value: Int64 = 0
        var count = 0
        while count < digits.upperBound, let byte = text.byte(at: at), byte >= 0x30, byte <= 0x39 {
            value = value &* 10 &+ Int64(byte &- 0x30)
            at &+= 1
            count &+= 1
        }
        return count >= digits.lowerBound ? value : nil
    }

    private static func day(_ text: RawSpan, _ at: inout Int) -> Int64? {
        let isNegative = skip("-", text, &at)
        let isLong = !isNegative && skip("+", text, &at)
        guard var year = number(text, &at, digits: 4...(isNegative || isLong ? 9 : 4)), skip("-", text, &at),
            let month = number(text, &at, digits: 2...2), month >= 1, month <= 12, skip("-", text, &at),
            let day = number(text, &at, digits: 2...2), day >= 1, day <= length(month, year)
        else { return nil }
        if isNegative { year = -year }
        let shifted = month <= 2 ? year &- 1 : year
        let era = (shifted >= 0 ? shifted : shifted &- 399) / 400
        let yearOfEra = shifted &- era &* 400
        let dayOfYear = (153 &* (month > 2 ? month &- 3 : month &+ 9) &+ 2) / 5 &+ day &- 1
        return era &* 146_097 &+ yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear &- 719_468
    }

    private static func length(_ month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// `05:29`, `05:29:21` or `05:29:21.123`.
    private static func time(_ text: RawSpan, _ at: inout Int, _ unit: Int64) -> Int64? {
        guard let hour = number(text, &at, digits: 2...2), hour < 24, skip(":", text, &at),
            let minute = number(text, &at, digits: 2...2), minute < 60
        else { return nil }
        var second: Int64 = 0
        var fraction: Int64 = 0
        if skip(":", text, &at) {
            guard let read = number(text, &at, digits: 2...2), read < 60 else { return nil }
            second = read
            if skip(".", text, &at) {
                let start = at
                guard var read = number(text, &at, digits: 1...9) else { return nil }
                for _ in (at &- start)..<9 { read &*= 10 }
                let step = 1_000_000_000 / unit
                guard read % step == 0 else { return nil }
                fraction = read / step
            }
        }
        return (hour &* 3600 &+ minute &* 60 &+ second) &* unit &+ fraction
    }
}
