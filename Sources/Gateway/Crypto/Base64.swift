/// RFC 4648 without Foundation: base64 with padding, base64url without, and lower-case hexadecimal.
public enum Base64 {
    private static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let url = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    public static func encode(_ bytes: [UInt8]) -> String { encode(bytes, standard, padded: true) }
    public static func encodeURL(_ bytes: [UInt8]) -> String { encode(bytes, url, padded: false) }

    /// - Returns: nil where the text is not base64 with its padding.
    public static func decode(_ text: String) -> [UInt8]? {
        var digits = Array(text.utf8)
        guard digits.count % 4 == 0 else { return nil }
        for _ in 0..<2 where digits.last == UInt8(ascii: "=") { digits.removeLast() }
        return decode(digits, standard)
    }

    /// - Returns: nil where the text is not base64url without padding (RFC 7515, section 2).
    public static func decodeURL(_ text: some StringProtocol) -> [UInt8]? { decode(Array(text.utf8), url) }

    private static func encode(_ bytes: [UInt8], _ alphabet: [UInt8], padded: Bool) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count * 4 / 3 + 4)
        var at = 0
        while at < bytes.count {
            let rest = bytes.count - at
            var group = UInt32(bytes[at]) << 16
            if rest > 1 { group |= UInt32(bytes[at + 1]) << 8 }
            if rest > 2 { group |= UInt32(bytes[at + 2]) }
            result.append(alphabet[Int(group >> 18)])
            result.append(alphabet[Int(group >> 12 & 63)])
            if rest > 1 { result.append(alphabet[Int(group >> 6 & 63)]) } else if padded { result.append(61) }
            if rest > 2 { result.append(alphabet[Int(group & 63)]) } else if padded { result.append(61) }
            at += 3
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func decode(_ digits: [UInt8], _ alphabet: [UInt8]) -> [UInt8]? {
        guard digits.count % 4 != 1 else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(digits.count * 3 / 4)
        var group: UInt32 = 0
        var bits = 0
        for digit in digits {
            guard let value = value(digit, alphabet) else { return nil }
            group = group << 6 | value
            bits += 6
            if bits >= 8 {
                bits -= 8
                result.append(UInt8(truncatingIfNeeded: group >> UInt32(bits)))
            }
        }
        // What is left over must be zero, or two texts would stand for the same bytes.
        return group & (1 << UInt32(bits) - 1) == 0 ? result : nil
    }

    private static func value(_ digit: UInt8, _ alphabet: [UInt8]) -> UInt32? {
        switch digit {
        case 65...90: UInt32(digit - 65)
        case 97...122: UInt32(digit - 71)
        case 48...57: UInt32(digit + 4)
        case alphabet[62]: 62
        case alphabet[63]: 63
        default: nil
        }
    }
}

public enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)
    public static func encode(_ bytes: [UInt8]) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            result.append(digits[Int(byte >> 4)])
            result.append(digits[Int(byte & 15)])
        }
        return String(decoding: result, as: UTF8.self)
    }
}
