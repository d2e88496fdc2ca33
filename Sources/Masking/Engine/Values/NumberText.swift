import TidegateWire

/// Numbers as the digits that they stand for.
enum NumberText {
    /// Shorter ones with a fraction or an exponent are looked at by nobody: `4e15` has one digit.
    static let shortestScaled = 8
    /// More digits are no identifier.
    private static let longest = 32

    /// True for a text that is a number with a fraction or an exponent, as JSON, a `double` or a `numeric` writes it.
    @inline(__always)
    static func isScaled(_ text: UnsafeRawBufferPointer) -> Bool {
        guard text.count >= shortestScaled else { return false }
        switch unsafe text[0] {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            return unsafe isScaledNumber(text)
        default: return false
        }
    }

    private static func isScaledNumber(_ text: UnsafeRawBufferPointer) -> Bool {
        var points = 0
        var exponents = 0
        for index in text.indices {
            switch unsafe text[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): continue
            case UInt8(ascii: "."):
                points &+= 1
                if points > 1 || exponents > 0 { return false }
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                exponents &+= 1
                if exponents > 1 { return false }
            case UInt8(ascii: "-"), UInt8(ascii: "+"):
                if index > 0, unsafe text[index &- 1] | 0x20 != UInt8(ascii: "e") { return false }
            default: return false
            }
        }
        return points &+ exponents > 0
    }

    /// Appends the digits of a whole number that is written with a fraction or an exponent. A fraction's zeros, and those
    /// before the first other digit, may be any number.
    ///
    /// - Returns: false, with nothing appended, for any other, and for one that is written as its digits already.
    static func append(digitsOf number: RawSpan, to digits: inout [UInt8]) -> Bool {
        let made = digits.count
        // Zeros behind the last digit that was appended.
        var zeros = 0
        // Digits before the point, from the first one appended on; below 0 where zeros follow the point.
        var whole = 0
        var (isFraction, isPlain, isTooLong) = (false, true, false)
        var at = 0
        while let byte = number.byte(at: at), !isTooLong {
            at += 1
            switch byte {
            case UInt8(ascii: "0"):
                if digits.count > made {
                    zeros += 1
                    if !isFraction { whole += 1 }
                } else if isFraction {
                    whole -= 1
                }
            case UInt8(ascii: "1")...UInt8(ascii: "9"):
                if zeros + digits.count - made >= longest {
                    isTooLong = true
                    continue
                }
                for _ in 0..<zeros { digits.append(UInt8(ascii: "0")) }
                zeros = 0
                digits.append(byte)
                if !isFraction { whole += 1 }
            case UInt8(ascii: "."): (isFraction, isPlain) = (true, false)
            case UInt8(ascii: "-"), UInt8(ascii: "+"): continue
            default:
                guard let exponent = exponent(number, at) else {
                    isTooLong = true
                    continue
                }
                isPlain = false
                whole += exponent
                at = number.byteCount
            }
        }
        let count = digits.count - made
        guard !isTooLong, !isPlain, count > 0, whole >= count, whole <= longest else {
            digits.removeLast(count)
            return false
        }
        for _ in count..<whole { digits.append(UInt8(ascii: "0")) }
        return true
    }

    private static func exponent(_ number: RawSpan, _ start: Int) -> Int? {
        var at = start
        var value = 0
        let isNegative = number.byte(at: at) == UInt8(ascii: "-")
        if isNegative || number.byte(at: at) == UInt8(ascii: "+") { at += 1 }
        while let byte = number.byte(at: at) {
            guard byte &- 48 < 10, value < 100_000_000 else { return nil }
            value = value * 10 + Int(byte - 48)
            at += 1
        }
        return isNegative ? -value : value
    }
}
