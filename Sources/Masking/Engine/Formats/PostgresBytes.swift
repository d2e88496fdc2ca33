import TidegateWire

/// Texts of bytes and of addresses (`src/backend/utils/adt/varlena.c`, `network.c`).
enum PostgresBytes {
    private static let digits = Array("0123456789abcdef".utf8)

    /// The bytes of `bytea`'s text: `\x` and hexadecimal digits, or the older form with `\\` and `\` before three octal ones.
    static func bytes(ofText text: RawSpan) -> [UInt8]? {
        var bytes: [UInt8] = []
        var at = 0
        if text.byte(at: 0) == UInt8(ascii: "\\"), text.byte(at: 1) == UInt8(ascii: "x") {
            at = 2
            while at < text.byteCount {
                guard let high = nibble(text, at), let low = nibble(text, at + 1) else { return nil }
                bytes.append(high << 4 | low)
                at += 2
            }
            return bytes
        }
        while let byte = text.byte(at: at) {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                at += 1
                continue
            }
            if text.byte(at: at + 1) == byte {
                bytes.append(byte)
                at += 2
                continue
            }
            var value = 0
            for index in 1...3 {
                guard let digit = text.byte(at: at + index), digit &- 48 < 8 else { return nil }
                value = value * 8 + Int(digit &- 48)
            }
            guard let octet = UInt8(exactly: value) else { return nil }
            bytes.append(octet)
            at += 4
        }
        return bytes
    }

    private static func nibble(_ text: RawSpan, _ at: Int) -> UInt8? {
        guard let byte = text.byte(at: at) else { return nil }
        let letter = byte | 0x20
        if byte &- 48 < 10 { return byte &- 48 }
        return letter &- 97 < 6 ? letter &- 87 : nil
    }

    static func append(hex bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\\"))
        output.append(UInt8(ascii: "x"))
        for byte in bytes { append(byte, to: &output) }
    }

    private static func append(_ byte: UInt8, to output: inout [UInt8]) {
        output.append(digits[Int(byte >> 4)])
        output.append(digits[Int(byte & 15)])
    }

    /// The text of `macaddr`, which is its six or eight bytes.
    static func text(ofHardware content: RawSpan) -> [UInt8]? {
        guard content.byteCount == 6 || content.byteCount == 8 else { return nil }
        var text: [UInt8] = []
        for at in 0..<content.byteCount {
            if at > 0 { text.append(UInt8(ascii: ":")) }
            append(content.byte(at: at) ?? 0, to: &text)
        }
        return text
    }

    /// The text of `inet` and `cidr`: family, bits of the network, which of the two, length, bytes.
    static func text(ofNetwork content: RawSpan) -> [UInt8]? {
        var text: [UInt8] = []
        guard let bits = content.byte(at: 1), let length = content.byte(at: 3), content.byteCount == 4 + Int(length)
        else { return nil }
        let bytes = content.bytes(4..<content.byteCount)
        switch (content.byte(at: 0), bytes.count) {
        case (2, 4): text = Array(bytes.map { String($0) }.joined(separator: ".").utf8)
        case (3, 16):
            for index in stride(from: 0, to: 16, by: 2) {
                if index > 0 { text.append(UInt8(ascii: ":")) }
                text += Array(String(UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1]), radix: 16).utf8)
            }
        default: return nil
        }
        if Int(bits) != bytes.count * 8 { text += Array("/\(bits)".utf8) }
        return text
    }
}
