import TidegateWire

/// What a number counts since 1970-01-01T00:00:00Z.
public enum EpochUnit: String, Sendable, CaseIterable {
    case days, seconds, milliseconds, microseconds, nanoseconds

    var perDay: Int {
        switch self {
        case .days: 1
        case .seconds: 86_400
        case .milliseconds: 86_400_000
        case .microseconds: 86_400_000_000
        case .nanoseconds: 86_400_000_000_000
        }
    }

    /// What a number of so many digits counts: each has five thousand years for itself.
    init?(digits: Int) {
        switch digits {
        case 9...11: self = .seconds
        case 12...14: self = .milliseconds
        case 15...17: self = .microseconds
        case 18...19: self = .nanoseconds
        default: return nil
        }
    }
}

/// Dates changed in their text, the layout kept.
///
/// Read are: `2024-05-17` (also with slashes or dots), `20240517`; with a time behind it as in RFC 3339 and ISO 8601:
/// `2024-05-17T10:11:12.123+02:00`, a space for the `T`, without seconds, without an offset, with an offset of hours
/// (Postgres); and whole numbers since 1970. Of these, 8 digits that make a day of 1800 to 2299 are a date; 9 to 11
/// digits are seconds, 12 to 14 milliseconds, 15 to 17 microseconds, 18 and 19 nanoseconds.
public enum DateText {
    /// Appends the date some days later, or earlier.
    ///
    /// - Parameter unit: the text is a number of these, whatever its digits.
    /// - Returns: false, and nothing is appended, where the text is no date, or the other date is not of the years 1 to 9999.
    public static func append(
        _ text: RawSpan, movedBy days: Int, unit: EpochUnit? = nil, to output: inout [UInt8]
    ) -> Bool {
        if let number = EpochNumber(text, unit) {
            let (shift, isLarge) = days.multipliedReportingOverflow(by: number.unit.perDay)
            let (moved, overflows) = number.value.addingReportingOverflow(shift)
            guard !isLarge, !overflows, CivilDate(dayNumber: moved.floored(by: number.unit.perDay)) != nil else {
                return false
            }
            output.append(contentsOf: "\(moved)".utf8)
            return true
        }
        guard unit == nil, let layout = DateLayout(text) else { return false }
        let (number, overflows) = layout.date.dayNumber.addingReportingOverflow(days)
        guard !overflows, let moved = CivilDate(dayNumber: number) else { return false }
        layout.append(moved, to: &output)
        output.append(bytes: text.extracting(layout.count..<text.byteCount))
        return true
    }

    /// Appends the first moment of the date's month or year: `2024-05-01`, `2024-05-01T00:00:00.000+02:00`.
    ///
    /// - Parameter isCut: the text ends behind what is left: `2024-05`. It is no date for most readers then.
    /// - Returns: as above; false also where a number would have to be cut.
    public static func append(
        _ text: RawSpan, startOf precision: DatePrecision, isCut: Bool = false, unit: EpochUnit? = nil,
        to output: inout [UInt8]
    ) -> Bool {
        if let number = EpochNumber(text, unit) {
            guard !isCut, let date = CivilDate(dayNumber: number.value.floored(by: number.unit.perDay)) else {
                return false
            }
            let (start, overflows) = date.start(of: precision).dayNumber
                .multipliedReportingOverflow(by: number.unit.perDay)
            guard !overflows else { return false }
            output.append(contentsOf: "\(start)".utf8)
            return true
        }
        guard unit == nil, let layout = DateLayout(text) else { return false }
        if isCut {
            let monthEnd = layout.separator == nil ? 6 : 7
            output.append(bytes: text.extracting(0..<(precision == .year ? 4 : monthEnd)))
            return true
        }
        layout.append(layout.date.start(of: precision), to: &output)
        for index in layout.count..<text.byteCount {
            guard let byte = text.byte(at: index) else { continue }
            let isTime = index < layout.timeEnd && byte >= 48 && byte <= 57
            output.append(isTime ? 48 : byte)
        }
        return true
    }
}

/// A whole number since 1970 as text, written in the only way it has.
private struct EpochNumber {
    var value: Int
    var unit: EpochUnit

    init?(_ text: RawSpan, _ unit: EpochUnit?) {
        let isNegative = text.byte(at: 0) == UInt8(ascii: "-")
        let first = isNegative ? 1 : 0
        let digits = text.byteCount &- first
        guard digits >= 1, digits <= 19 else { return nil }
        guard text.byte(at: first) != 48 || (digits == 1 && !isNegative) else { return nil }
        var value = 0
        for index in first..<text.byteCount {
            guard let byte = text.byte(at: index), byte >= 48, byte <= 57 else { return nil }
            let (tenfold, isLarge) = value.multipliedReportingOverflow(by: 10)
            let (next, overflows) = tenfold.addingReportingOverflow(Int(byte &- 48))
            guard !isLarge, !overflows else { return nil }
            value = next
        }
        guard let unit = unit ?? EpochUnit(digits: digits) else { return nil }
        self.value = isNegative ? -value : value
        self.unit = unit
    }
}

extension Int {
    /// Divided, and rounded down.
    fileprivate func floored(by divisor: Int) -> Int {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient &- 1 : quotient
    }
}
