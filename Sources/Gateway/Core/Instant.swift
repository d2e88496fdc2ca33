/// A moment of wall-clock time, in nanoseconds since 1970-01-01T00:00:00Z.
///
/// Nobody below the event loop reads a clock: the loop reads it once a wake-up and hands it on.
public struct Instant: Comparable, Hashable, Sendable, BitwiseCopyable {
    public var nanoseconds: Int64
    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    /// Whole seconds since 1970 (a JWT's NumericDate); a number beyond the range is held at its end.
    @inlinable public init(seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        nanoseconds = overflow ? (seconds < 0 ? Int64.min : Int64.max) : product
    }
    @inlinable public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

    public static let distantPast = Instant(nanoseconds: .min)
    public static let distantFuture = Instant(nanoseconds: .max)

    /// The moment `seconds` later, held at the range's end.
    @inlinable public func advanced(bySeconds seconds: Int64) -> Instant {
        let step = Instant(seconds: seconds).nanoseconds
        let (sum, overflow) = nanoseconds.addingReportingOverflow(step)
        return Instant(nanoseconds: overflow ? (step < 0 ? Int64.min : Int64.max) : sum)
    }

    /// Milliseconds from `other` to here; negative where `other` is later.
    @inlinable public func milliseconds(since other: Instant) -> Int64 {
        let (difference, overflow) = nanoseconds.subtractingReportingOverflow(other.nanoseconds)
        return overflow ? (nanoseconds < other.nanoseconds ? Int64.min : Int64.max) : difference / 1_000_000
    }
}

extension Instant {
    /// RFC 3339 in UTC with microseconds: `2026-11-24T12:00:00.000000Z`.
    public var rfc3339: String {
        var bytes: [UInt8] = []
        append(rfc3339: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the RFC 3339 form; days by Howard Hinnant's civil-from-days algorithm.
    public func append(rfc3339 bytes: inout [UInt8]) {
        let clamped = max(0, nanoseconds)
        let seconds = clamped / 1_000_000_000
        let micros = (clamped % 1_000_000_000) / 1000
        let days = seconds / 86_400 + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let ofDay = seconds % 86_400
        func digits(_ value: Int64, _ count: Int, _ separator: UInt8) {
            var divisor: Int64 = 1
            for _ in 1..<count { divisor *= 10 }
            while divisor > 0 {
                bytes.append(UInt8(truncatingIfNeeded: 48 + (value / divisor) % 10))
                divisor /= 10
            }
            bytes.append(separator)
        }
        digits(year, 4, UInt8(ascii: "-"))
        digits(month, 2, UInt8(ascii: "-"))
        digits(day, 2, UInt8(ascii: "T"))
        digits(ofDay / 3600, 2, UInt8(ascii: ":"))
        digits(ofDay % 3600 / 60, 2, UInt8(ascii: ":"))
        digits(ofDay % 60, 2, UInt8(ascii: "."))
        digits(micros, 6, UInt8(ascii: "Z"))
    }
}
