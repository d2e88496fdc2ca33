import TidegateWire

/// A date as it stands at the beginning of a text, and where a time behind it ends.
struct DateLayout {
    var date: CivilDate
    /// Between year, month and day; nil for eight digits.
    var separator: UInt8?
    /// Bytes of the date.
    var count: Int
    /// Where the time of day ends and its offset begins; `count` without a time.
    var timeEnd: Int

    /// - Returns: nil where the text is no date, or has something behind it that is no time.
    init?(_ text: RawSpan) {
        func number(_ start: Int, _ count: Int) -> Int? {
            var value = 0
            for index in start..<(start &+ count) {
                guard let byte = text.byte(at: index), byte >= 48, byte <= 57 else { return nil }
                value = value &* 10 &+ Int(byte &- 48)
            }
            return value
        }
        guard let year = number(0, 4), let fifth = text.byte(at: 4) else { return nil }
        let isCompact = fifth >= 48 && fifth <= 57
        if isCompact {
            guard text.byteCount == 8, year >= 1800, year < 2300 else { return nil }
            separator = nil
            count = 8
        } else {
            guard fifth == UInt8(ascii: "-") || fifth == UInt8(ascii: "/") || fifth == UInt8(ascii: "."),
                text.byte(at: 7) == fifth
            else { return nil }
            separator = fifth
            count = 10
        }
        guard let month = number(isCompact ? 4 : 5, 2), let day = number(isCompact ? 6 : 8, 2),
            let date = CivilDate(year: year, month: month, day: day)
        else { return nil }
        self.date = date
        timeEnd = count
        if text.byteCount == count { return }
        // A time: hours and minutes at least.
        guard let between = text.byte(at: count), between | 0x20 == UInt8(ascii: "t") || between == 32,
            let hour = number(count &+ 1, 2), text.byte(at: count &+ 3) == UInt8(ascii: ":"),
            let minute = number(count &+ 4, 2), hour <= 24, minute < 60
        else { return nil }
        var at = count &+ 6
        if text.byte(at: at) == UInt8(ascii: ":") {
            guard let second = number(at &+ 1, 2), second <= 60 else { return nil }
            at &+= 3
            if let point = text.byte(at: at), point == UInt8(ascii: ".") || point == UInt8(ascii: ",") {
                at &+= 1
                let first = at
                while let byte = text.byte(at: at), byte >= 48, byte <= 57 { at &+= 1 }
                guard at > first else { return nil }
            }
        }
        timeEnd = at
        guard let sign = text.byte(at: at) else { return }
        at &+= 1
        switch sign {
        case UInt8(ascii: "Z"), UInt8(ascii: "z"): break
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            guard let hours = number(at, 2), hours < 24 else { return nil }
            at &+= 2
            if at < text.byteCount {
                if text.byte(at: at) == UInt8(ascii: ":") { at &+= 1 }
                guard let minutes = number(at, 2), minutes < 60 else { return nil }
                at &+= 2
            }
        default: return nil
        }
        guard at == text.byteCount else { return nil }
    }

    /// Appends another date in this layout.
    func append(_ date: CivilDate, to output: inout [UInt8]) {
        func digits(_ value: Int, _ divisor: Int) {
            var divisor = divisor
            while divisor > 0 {
                output.append(48 &+ UInt8(truncatingIfNeeded: value / divisor % 10))
                divisor /= 10
            }
        }
        digits(date.year, 1000)
        if let separator { output.append(separator) }
        digits(date.month, 10)
        if let separator { output.append(separator) }
        digits(date.day, 10)
    }
}
