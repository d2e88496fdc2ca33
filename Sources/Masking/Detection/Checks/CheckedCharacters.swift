import TidegateWire

/// What the rules read of a candidate; whatever is not there, or is of another kind, is nil.
extension RawSpan {
    /// 0 to 9.
    @inline(__always)
    func decimal(at offset: Int) -> Int? {
        guard let byte = byte(at: offset) else { return nil }
        let value = byte &- UInt8(ascii: "0")
        return value < 10 ? Int(value) : nil
    }

    /// 0 to 25 for A to Z.
    @inline(__always)
    func capital(at offset: Int) -> Int? {
        guard let byte = byte(at: offset) else { return nil }
        let value = byte &- UInt8(ascii: "A")
        return value < 26 ? Int(value) : nil
    }

    /// 0 to 9 for digits, 10 to 35 for A to Z (ISO 7064, ISO 13616).
    @inline(__always)
    func alphanumeric(at offset: Int) -> Int? { decimal(at: offset) ?? capital(at: offset).map { $0 &+ 10 } }

    /// The number that the digits of a range write; nil beyond 18 digits too.
    @inline(__always)
    func number(_ range: Range<Int>) -> Int? {
        guard range.count <= 18 else { return nil }
        var value = 0
        for offset in range {
            guard let digit = decimal(at: offset) else { return nil }
            value = value &* 10 &+ digit
        }
        return value
    }

    /// The sum of the first digits, each times its weight; nil where one is no digit.
    @inline(__always)
    func weighted(_ weights: [Int]) -> Int? {
        var sum = 0
        for offset in weights.indices {
            guard let digit = decimal(at: offset) else { return nil }
            sum &+= digit &* weights[offset]
        }
        return sum
    }

    /// True where all bytes are the same.
    @inline(__always)
    func repeatsOneByte() -> Bool {
        for offset in 0..<byteCount where byte(at: offset) != byte(at: 0) { return false }
        return true
    }
}

/// A set of capital letters, one bit each.
struct Capitals: Sendable {
    private let bits: UInt32

    init(_ letters: StaticString) {
        var bits: UInt32 = 0
        for scalar in letters.description.unicodeScalars where ("A"..."Z").contains(scalar) {
            bits |= 1 << (scalar.value &- 65)
        }
        self.bits = bits
    }

    /// - Parameter letter: 0 to 25.
    @inline(__always)
    func contains(_ letter: Int) -> Bool { letter >= 0 && letter < 26 && bits >> UInt32(letter) & 1 == 1 }
}

/// A day of the Gregorian calendar.
enum CalendarDay {
    /// True where the month has such a day in that year.
    @inline(__always)
    static func exists(year: Int, month: Int, day: Int) -> Bool {
        guard day >= 1, day <= 31, month >= 1, month <= 12 else { return false }
        switch month {
        case 2:
            let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            return day <= (isLeapYear ? 29 : 28)
        case 4, 6, 9, 11: return day <= 30
        default: return true
        }
    }
}
