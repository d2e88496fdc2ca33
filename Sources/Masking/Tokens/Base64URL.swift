import TidegateWire

/// base64url without padding (RFC 4648, section 5), in place and without an allocation of its own.
enum Base64URL {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
        return values
    }()

    /// Replaces the bytes from `start` to the end by the prefix and their digits: from the last to the first, since none
    /// of them moves down.
    static func encode(_ bytes: inout [UInt8], from start: Int, behind prefix: [UInt8]) {
        let count = bytes.count &- start
        let digitCount = (count &* 4 &+ 2) / 3
        for _ in 0..<(prefix.count &+ digitCount &- count) { bytes.append(0) }
        let target = start &+ prefix.count
        let digits = digits
        var digit = digitCount
        var group = count / 3
        func byte(_ at: Int) -> UInt32 { at < count ? UInt32(bytes[start &+ at]) : 0 }
        while group >= 0 {
            let at = 3 &* group
            let value = byte(at) &<< 16 | byte(at &+ 1) &<< 8 | byte(at &+ 2)
            // The last group may have fewer digits than four, or none.
            while digit > 4 &* group {
                digit &-= 1
                let shift = UInt32(truncatingIfNeeded: 18 &- 6 &* (digit &- 4 &* group))
                bytes[target &+ digit] = digits[Int(value &>> shift & 63)]
            }
            group &-= 1
        }
        for index in prefix.indices { bytes[start &+ index] = prefix[index] }
    }

    /// Appends what the digits stand for.
    ///
    /// - Returns: false, and nothing is appended, where they are not base64url, or where another text would stand for the
    ///   same bytes.
    static func decode(_ text: RawSpan, to output: inout [UInt8]) -> Bool {
        guard text.byteCount & 3 != 1 else { return false }
        let start = output.count
        let values = values
        var group: UInt32 = 0
        var bits: UInt32 = 0
        for at in 0..<text.byteCount {
            let value = values[Int(text.byte(at: at) ?? 0)]
            guard value < 64 else {
                output.removeSubrange(start...)
                return false
            }
            group = group &<< 6 | UInt32(value)
            bits &+= 6
            if bits >= 8 {
                bits &-= 8
                output.append(UInt8(truncatingIfNeeded: group &>> bits))
            }
        }
        guard group & (1 &<< bits &- 1) == 0 else {
            output.removeSubrange(start...)
            return false
        }
        return true
    }
}
