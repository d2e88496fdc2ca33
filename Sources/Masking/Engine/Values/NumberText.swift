import TidegateWire

/// Numbers of JSON as the digits that they stand for.
enum NumberText {
    /// Shorter ones with a fraction or an exponent are looked at by nobody: `4e15` has one digit.
    static let shortestScaled = 8
    /// More digits are no identifier.
    private static let longest = 32

    /// The digits of a whole number that is written with a fraction or an exponent; nil for any other, and for one that is
    /// written as its digits already.
    static func digits(of number: RawSpan) -> [UInt8]? {
        var digits: [UInt8] = []
        var point: Int?
        var at = 0
        var isPlain = true
        while let byte = number.byte(at: at) {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits.append(byte)
            case UInt8(ascii: "."):
                point = digits.count
                isPlain = false
            case UInt8(ascii: "-"): break
            default:
                guard let exponent = exponent(number, at + 1) else { return nil }
                isPlain = false
                point = (point ?? digits.count) + exponent
                at = number.byteCount
            }
            if digits.count > 4 * longest { return nil }
            at += 1
        }
        if isPlain { return nil }
        let whole = point ?? digits.count
        guard whole > 0, whole <= longest else { return nil }
        while digits.count < whole { digits.append(UInt8(ascii: "0")) }
        guard digits[whole...].allSatisfy({ $0 == UInt8(ascii: "0") }) else { return nil }
        return Array(digits[..<whole])
    }

    private static func exponent(_ number: RawSpan, _ start: Int) -> Int? {
        var at = start
        var value = 0
        let isNegative = number.byte(at: at) == UInt8(ascii: "-")
        if isNegative || number.byte(at: at) == UInt8(ascii: "+") { at += 1 }
        while let byte = number.byte(at: at) {
            guard byte &- 48 < 10, value < 1000 else { return nil }
            value = value * 10 + Int(byte - 48)
            at += 1
        }
        return isNegative ? -value : value
    }
}
