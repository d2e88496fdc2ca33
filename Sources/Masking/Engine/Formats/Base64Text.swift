import TidegateCrypto
import TidegateWire

/// A text that is base64 (RFC 4648, both alphabets, padded or not) of something that can be read.
struct Base64Text {
    /// Shorter ones hide nothing that a detector would know.
    static let shortest = 16
    /// Longer ones are not text that people hide in a field.
    private static let longest = 1 << 20

    let decoded: [UInt8]
    private let isURL: Bool
    private let isPadded: Bool

    /// Nil where it is none, or stands for bytes that are no text.
    init?(_ text: RawSpan) {
        guard (Base64Text.shortest...Base64Text.longest).contains(text.byteCount) else { return nil }
        var isURL = false
        var letters = 0
        var end = text.byteCount
        while end > 0, text.byte(at: end - 1) == UInt8(ascii: "=") { end -= 1 }
        guard text.byteCount - end <= 2 else { return nil }
        var sextets: [UInt8] = []
        for at in 0..<end {
            guard let byte = text.byte(at: at) else { return nil }
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"):
                sextets.append(byte - 65)
                letters += 1
            case UInt8(ascii: "a")...UInt8(ascii: "z"):
                sextets.append(byte - 71)
                letters += 1
            case UInt8(ascii: "0")...UInt8(ascii: "9"): sextets.append(byte + 4)
            case UInt8(ascii: "+"), UInt8(ascii: "-"): sextets.append(62)
            case UInt8(ascii: "/"), UInt8(ascii: "_"): sextets.append(63)
            default: return nil
            }
            if byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") { isURL = true }
        }
        guard letters > 0, sextets.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(sextets.count * 3 / 4)
        var word: UInt32 = 0
        var bits = 0
        for sextet in sextets {
            word = word << 6 | UInt32(sextet)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
            }
        }
        // Random letters decode to bytes that are no text: those are looked at as they are, and that was done.
        guard bytes.allSatisfy({ $0 >= 0x20 || $0 == 9 || $0 == 10 || $0 == 13 }),
            String(validating: bytes, as: UTF8.self) != nil
        else { return nil }
        decoded = bytes
        self.isURL = isURL
        isPadded = end < text.byteCount
    }

    /// Appends bytes in the same alphabet. What had no padding because it needed none is padded where it does now: decoders
    /// that want it want it always.
    func append(_ bytes: [UInt8], to output: inout [UInt8]) {
        let isPadded = isPadded || !isURL && decoded.count % 3 == 0
        let text = isURL ? Base64.encodeURL(bytes) : Base64.encode(bytes)
        output.append(contentsOf: text.utf8.prefix { $0 != UInt8(ascii: "=") })
        if isPadded { output.append(contentsOf: repeatElement(UInt8(ascii: "="), count: (3 - bytes.count % 3) % 3)) }
    }
}
