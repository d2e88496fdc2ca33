/// Strings of JSON and the text that they stand for.
enum JSONEscapes {
    /// Appends the text that the inside of a string stands for; a lone surrogate becomes U+FFFD, as readers do.
    static func appendText(of raw: UnsafeRawBufferPointer, to text: inout [UInt8]) {
        var at = 0
        while at < raw.count {
            var plain = at
            while plain < raw.count, unsafe raw[plain] != UInt8(ascii: "\\") { plain &+= 1 }
            if plain > at { unsafe text.append(contentsOf: UnsafeRawBufferPointer(rebasing: raw[at..<plain])) }
            guard plain &+ 1 < raw.count else { return }
            at = plain &+ 2
            switch unsafe raw[plain &+ 1] {
            case UInt8(ascii: "n"): text.append(10)
            case UInt8(ascii: "t"): text.append(9)
            case UInt8(ascii: "r"): text.append(13)
            case UInt8(ascii: "b"): text.append(8)
            case UInt8(ascii: "f"): text.append(12)
            case UInt8(ascii: "u"):
                var code = unsafe unit(raw, plain) ?? 0xfffd
                at = min(raw.count, plain &+ 6)
                if code & 0xffff_fc00 == 0xd800, let low = unsafe unit(raw, at), low & 0xffff_fc00 == 0xdc00 {
                    code = 0x10000 &+ (code &- 0xd800) &<< 10 &+ (low &- 0xdc00)
                    at &+= 6
                }
                append(Unicode.Scalar(code) ?? "\u{fffd}", to: &text)
            case let other: text.append(other)
            }
        }
    }

    /// The unit of UTF-16 that `\u` and four digits at that place stand for.
    private static func unit(_ raw: UnsafeRawBufferPointer, _ at: Int) -> UInt32? {
        guard at &+ 6 <= raw.count, unsafe raw[at] == UInt8(ascii: "\\"), unsafe raw[at &+ 1] == UInt8(ascii: "u")
        else {
            return nil
        }
        var unit: UInt32 = 0
        for index in 2..<6 {
            let digit = unsafe raw[at &+ index]
            let value = digit < 0x3a ? digit &- 0x30 : (digit | 0x20) &- 87
            unit = unit &<< 4 | UInt32(value & 15)
        }
        return unit
    }

    private static func append(_ scalar: Unicode.Scalar, to text: inout [UInt8]) {
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { text.append(byte) }
    }

    /// Appends text as a string, quotes and all. What is no UTF-8 becomes U+FFFD.
    static func appendString(_ text: ArraySlice<UInt8>, to json: inout [UInt8]) {
        json.append(UInt8(ascii: "\""))
        if isPlain(text) {
            json.append(contentsOf: text)
        } else if text.allSatisfy({ $0 < 0x80 }) || String(validating: text, as: UTF8.self) != nil {
            append(text, to: &json)
        } else {
            append(Array(String(decoding: text, as: UTF8.self).utf8)[...], to: &json)
        }
        json.append(UInt8(ascii: "\""))
    }

    /// True where each byte stands for itself in a string: ASCII without quotes, backslashes and control characters.
    @inline(__always)
    private static func isPlain(_ text: ArraySlice<UInt8>) -> Bool {
        unsafe text.withUnsafeBytes { raw in
            // Without a way out in the middle: the compiler makes vectors of it.
            var others: UInt8 = 0
            for at in 0..<raw.count {
                let byte = unsafe raw[at]
                others |= Int8(bitPattern: byte) < 0x20 ? 1 : 0
                others |= byte == UInt8(ascii: "\"") ? 1 : 0
                others |= byte == UInt8(ascii: "\\") ? 1 : 0
            }
            return others == 0
        }
    }

    private static func append(_ text: ArraySlice<UInt8>, to json: inout [UInt8]) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                json.append(UInt8(ascii: "\\"))
                json.append(byte)
            case 8: append(short: UInt8(ascii: "b"), to: &json)
            case 9: append(short: UInt8(ascii: "t"), to: &json)
            case 10: append(short: UInt8(ascii: "n"), to: &json)
            case 12: append(short: UInt8(ascii: "f"), to: &json)
            case 13: append(short: UInt8(ascii: "r"), to: &json)
            case 0..<0x20:
                json.append(word: 0x3030_755c)  // \u00
                json.append(byte < 16 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
                let low = byte & 15
                json.append(low < 10 ? low &+ 0x30 : low &+ 87)
            default: json.append(byte)
            }
        }
    }

    private static func append(short letter: UInt8, to json: inout [UInt8]) {
        json.append(UInt8(ascii: "\\"))
        json.append(letter)
    }

    /// True where the text is one number of JSON and nothing else.
    static func isNumber(_ text: ArraySlice<UInt8>) -> Bool {
        var rest = text
        func digits() -> Bool {
            let count = rest.prefix { $0 &- 48 < 10 }.count
            rest = rest.dropFirst(count)
            return count > 0
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        if rest.first == UInt8(ascii: "0") { rest = rest.dropFirst() } else if !digits() { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            if !digits() { return false }
        }
        if let byte = rest.first, byte | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            if !digits() { return false }
        }
        return rest.isEmpty
    }
}
