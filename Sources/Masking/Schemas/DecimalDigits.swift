import TidegateWire

/// Exact decimals: an unscaled two's complement integer in network order, and a scale (Avro, Logical Types: Decimal).
enum DecimalDigits {
    /// Longer ones are not written as text.
    static let byteLimit = 128

    /// Appends digits with `scale` of them behind the point.
    ///
    /// - Returns: false, with nothing appended, where there is no number or too long a one.
    static func append(_ range: Range<Int>, scale: Int, _ payload: RawSpan, to text: inout [UInt8]) -> Bool {
        guard !range.isEmpty, range.count <= byteLimit, payload.holds(range), scale >= 0, scale <= 1024 else {
            return false
        }
        let start = text.count
        if range.count <= 8 {
            // As nearly all are: nothing is allocated.
            var value: Int64 = (payload.byte(at: range.lowerBound) ?? 0) & 0x80 == 0 ? 0 : -1
            for at in range { value = value &<< 8 | Int64(payload.byte(at: at) ?? 0) }
            if value < 0 { text.append(UInt8(ascii: "-")) }
            appendDigits(value.magnitude, to: &text, width: scale + 1)
        } else {
            var limbs = payload.bytes(range)
            if limbs[0] & 0x80 != 0 {
                negate(&limbs)
                text.append(UInt8(ascii: "-"))
            }
            var digits: [UInt8] = []
            while limbs.contains(where: { $0 != 0 }) { digits.append(UInt8(ascii: "0") + divideByTen(&limbs)) }
            while digits.count < scale + 1 { digits.append(UInt8(ascii: "0")) }
            text.append(contentsOf: digits.reversed())
        }
        if scale > 0 { text.insert(UInt8(ascii: "."), at: text.count - scale) }
        return text.count > start
    }

    static func appendDigits(_ value: UInt64, to text: inout [UInt8], width: Int = 1) {
        var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
        var first = 20
        var rest = value
        repeat {
            first &-= 1
            digits[first] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        for _ in 0..<max(0, width &- (20 &- first)) { text.append(UInt8(ascii: "0")) }
        for at in first..<20 { text.append(digits[at]) }
    }

    private static func negate(_ limbs: inout [UInt8]) {
        var carry: UInt16 = 1
        for index in limbs.indices.reversed() {
            let sum = UInt16(~limbs[index]) &+ carry
            limbs[index] = UInt8(truncatingIfNeeded: sum)
            carry = sum &>> 8
        }
    }

    private static func divideByTen(_ limbs: inout [UInt8]) -> UInt8 {
        var rest: UInt16 = 0
        for index in limbs.indices {
            let part = rest &<< 8 | UInt16(limbs[index])
            limbs[index] = UInt8(truncatingIfNeeded: part / 10)
            rest = part % 10
        }
        return UInt8(truncatingIfNeeded: rest)
    }

    /// The unscaled number of a text, in the fewest bytes, or in `size` where that is not 0.
    ///
    /// - Returns: nil where the text is no decimal, has more digits than `precision`, or more of them behind the point than
    ///   `scale` without being zeros, or does not fit.
    static func unscaled(_ text: RawSpan, scale: Int, precision: Int, size: Int) -> [UInt8]? {
        var at = 0
        let isNegative = text.byte(at: 0) == UInt8(ascii: "-")
        if isNegative || text.byte(at: 0) == UInt8(ascii: "+") { at = 1 }
        var digits: [UInt8] = []
        var behind = -1
        var count = 0
        guard text.byteCount <= 2048, scale <= 1024 else { return nil }
        while let byte = text.byte(at: at) {
            at += 1
            if byte == UInt8(ascii: "."), behind < 0 {
                behind = 0
                continue
            }
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            count += 1
            let digit = byte &- UInt8(ascii: "0")
            if behind >= 0 {
                behind += 1
                if behind > scale {
                    guard digit == 0 else { return nil }
                    continue
                }
            }
            if digit != 0 || !digits.isEmpty { digits.append(digit) }
        }
        guard count > 0 else { return nil }
        if !digits.isEmpty { digits += [UInt8](repeating: 0, count: max(0, scale - max(behind, 0))) }
        guard digits.count <= precision, digits.count <= 308 else { return nil }
        var limbs: [UInt8] = [0]
        for digit in digits {
            var carry = UInt16(digit)
            for index in limbs.indices.reversed() {
                let part = UInt16(limbs[index]) &* 10 &+ carry
                limbs[index] = UInt8(truncatingIfNeeded: part)
                carry = part &>> 8
            }
            if carry > 0 { limbs.insert(UInt8(truncatingIfNeeded: carry), at: 0) }
        }
        if limbs[0] & 0x80 != 0 { limbs.insert(0, at: 0) }
        if isNegative { negate(&limbs) }
        // -128 is one byte, and came as two.
        while limbs.count > 1, limbs[0] == 0 && limbs[1] & 0x80 == 0 || limbs[0] == 0xff && limbs[1] & 0x80 != 0 {
            limbs.removeFirst()
        }
        guard size > 0 else { return limbs }
        guard limbs.count <= size else { return nil }
        let sign: UInt8 = limbs[0] & 0x80 == 0 ? 0 : 0xff
        return [UInt8](repeating: sign, count: size - limbs.count) + limbs
    }
}
