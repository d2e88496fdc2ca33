import TidegateWire

/// Writes JSON by appending to bytes: evidence and log lines are flat objects, and a coder would cost more than a batch.
public enum JSONText {
    /// Appends a string with its quotes, escaped as RFC 8259 demands; invalid UTF-8 becomes U+FFFD.
    public static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 { append(escaping: byte, to: &bytes) }
        bytes.append(UInt8(ascii: "\""))
    }

    @inline(__always)
    static func append(escaping byte: UInt8, to bytes: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(byte)
        case 0x0a: bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "n")])
        case 0x00..<0x20, 0x7f:
            let digits = Array("0123456789abcdef".utf8)
            bytes.append(contentsOf: Array("\\u00".utf8))
            bytes.append(digits[Int(byte >> 4)])
            bytes.append(digits[Int(byte & 15)])
        default: bytes.append(byte)
        }
    }

    /// Appends `,"key":"text"`; the first member of an object has no comma.
    public static func member(_ key: StaticString, _ text: String, to bytes: inout [UInt8]) {
        self.key(key, to: &bytes)
        append(text, to: &bytes)
    }

    /// Appends `,"key":number`.
    public static func member(_ key: StaticString, _ number: some BinaryInteger, to bytes: inout [UInt8]) {
        self.key(key, to: &bytes)
        append(number: Int64(clamping: number), to: &bytes)
    }

    /// Appends `,"key":["text",...]`.
    public static func member(_ key: StaticString, _ texts: [String], to bytes: inout [UInt8]) {
        self.key(key, to: &bytes)
        bytes.append(UInt8(ascii: "["))
        for (index, text) in texts.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            append(text, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// Appends text of the source as it stands.
    public static func append(literal text: StaticString, to bytes: inout [UInt8]) {
        text.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) }
    }

    /// Appends `,"key":` (without the comma behind an opening brace).
    public static func key(_ key: StaticString, to bytes: inout [UInt8]) {
        if let last = bytes.last, last != UInt8(ascii: "{") { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        key.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    public static func append(number: Int64, to bytes: inout [UInt8]) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        var magnitude = number.magnitude
        var digits: InlineArray<20, UInt8> = .init(repeating: 0)
        var count = 0
        repeat {
            digits[count] = UInt8(48 + magnitude % 10)
            magnitude /= 10
            count += 1
        } while magnitude > 0
        while count > 0 {
            count -= 1
            bytes.append(digits[count])
        }
    }

    /// Appends a record's content: a JSON string where it is UTF-8, else `{"base64":"..."}`.
    public static func append(content: RawSpan, to bytes: inout [UInt8]) {
        let raw = content.allBytes
        if let text = String(validating: raw, as: UTF8.self) { return append(text, to: &bytes) }
        bytes.append(contentsOf: Array("{\"base64\":\"".utf8))
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var at = 0
        while at < raw.count {
            let rest = raw.count - at
            let group =
                UInt32(raw[at]) << 16 | (rest > 1 ? UInt32(raw[at + 1]) << 8 : 0) | (rest > 2 ? UInt32(raw[at + 2]) : 0)
            bytes.append(alphabet[Int(group >> 18)])
            bytes.append(alphabet[Int(group >> 12 & 63)])
            bytes.append(rest > 1 ? alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "="))
            bytes.append(rest > 2 ? alphabet[Int(group & 63)] : UInt8(ascii: "="))
            at += 3
        }
        bytes.append(contentsOf: Array("\"}".utf8))
    }
}
