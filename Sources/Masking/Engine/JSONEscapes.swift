extension JSONScanner {
    /// The bytes that a string with escapes stands for; a lone surrogate becomes U+FFFD, as readers do.
    static func unescape(_ raw: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var at = 0
        func unit(_ from: Int) -> UInt32? {
            guard from + 6 <= raw.count, raw[from] == UInt8(ascii: "\\"), raw[from + 1] == UInt8(ascii: "u") else {
                return nil
            }
            return UInt32(String(decoding: raw[(from + 2)..<(from + 6)], as: UTF8.self), radix: 16)
        }
        while at < raw.count {
            guard raw[at] == UInt8(ascii: "\\"), at + 1 < raw.count else {
                result.append(raw[at])
                at += 1
                continue
            }
            switch raw[at + 1] {
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "t"): result.append(9)
            case UInt8(ascii: "r"): result.append(13)
            case UInt8(ascii: "b"): result.append(8)
            case UInt8(ascii: "f"): result.append(12)
            case UInt8(ascii: "u"):
                var code = unit(at) ?? 0xfffd
                var length = 6
                if (0xd800..<0xdc00).contains(code), let low = unit(at + 6), (0xdc00..<0xe000).contains(low) {
                    code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
                    length = 12
                }
                let scalar = Unicode.Scalar(code) ?? "\u{fffd}"
                result.append(contentsOf: Array(String(scalar).utf8))
                at += length
                continue
            default: result.append(raw[at + 1])
            }
            at += 2
        }
        return result
    }
}
