import CByteClasses
import TidegateCrypto
import TidegateWire

/// A text that is base64 (RFC 4648, both alphabets, padded or not, with white space as in MIME), also as a `data:` URL.
struct Base64Text {
    /// Shorter ones hide nothing that a detector would know: six bytes are a short e-mail address.
    static let shortest = 8
    /// From so many characters on a text that decodes to text is not taken for a word.
    static let surely = 16

    /// What stands before the base64: of a `data:` URL.
    private let head: [UInt8]
    private let isURL: Bool
    private let isPadded: Bool
    private let decodedCount: Int

    /// False for most texts, by their first characters: those of base64 of text decode to UTF-8.
    ///
    /// - Parameters:
    ///   - text: plain, or the inside of a JSON string, escapes and all.
    ///   - anything: even words may be looked for in it.
    @inline(__always)
    static func mayBe(_ text: UnsafeRawBufferPointer, anything: Bool) -> Bool {
        guard let base = text.baseAddress, text.count >= shortest else { return false }
        let start = unsafe base.assumingMemoryBound(to: UInt8.self)
        let first = unsafe tidegate_base64_three(start)
        let second = unsafe tidegate_base64_three(start + 4)
        let both = first | second
        if both & 0x8080_8080 == 0 { return unsafe begins(text, anything) }
        if both & 0x8000_0000 != 0 { return unsafe hasDisguise(base) && begins(text, anything) }
        // Beyond ASCII. Bytes in front of a text make it no less readable, but most that are no ASCII are no text.
        if text.count < surely { return false }
        let others = (first & 0x80_8080).nonzeroBitCount &+ (second & 0x80_8080).nonzeroBitCount
        let isMultibyte = first >= 0xc2_0000 && first & 0xc000 == 0x8000
        return unsafe (others <= 2 || isMultibyte) && begins(text, anything)
    }

    /// True where one of eight bytes that are not all base64 is what may stand in or before it: a control character, an
    /// escape, a space in front, or `data:`.
    @inline(__always)
    private static func hasDisguise(_ text: UnsafeRawPointer) -> Bool {
        let word = unsafe UInt64(littleEndian: text.loadUnaligned(as: UInt64.self))
        let slashes = word ^ 0x5c5c_5c5c_5c5c_5c5c
        let hasSlash = (slashes &- 0x0101_0101_0101_0101) & ~slashes & 0x8080_8080_8080_8080 != 0
        let hasControl = (word &- 0x1010_1010_1010_1010) & ~word & 0x8080_8080_8080_8080 != 0
        return hasSlash || hasControl || word & 0xff == 0x20
            || (word | 0x20_2020_2020) & 0xff_ffff_ffff == 0x3a_6174_6164
    }

    /// Looks at the first sixteen characters of the alphabet. A short text must also decode to something of a number, an
    /// address or more base64: words do not.
    private static func begins(_ text: UnsafeRawBufferPointer, _ anything: Bool) -> Bool {
        let isShort = text.count < surely
        var start = DecodedStart()
        var word: UInt32 = 0
        var letters = 0
        var at = 0
        scan: while at < text.count, letters < surely {
            let byte = unsafe text[at]
            at &+= 1
            guard let sextet = sextet(byte) else {
                switch byte {
                case 0x09, 0x0a, 0x0d, 0x20: continue
                case UInt8(ascii: "\\"): return true
                case UInt8(ascii: "="): break scan
                case UInt8(ascii: ":"): return unsafe isData(text)
                default: return false
                }
            }
            word = word &<< 6 | UInt32(sextet)
            letters &+= 1
            guard letters & 3 == 0 else { continue }
            start.append(UInt8(truncatingIfNeeded: word &>> 16))
            start.append(UInt8(truncatingIfNeeded: word &>> 8))
            start.append(UInt8(truncatingIfNeeded: word))
            // Bytes in front of a text make it no less readable, but random ones are no text.
            if start.malformed > (isShort ? 0 : 2) { return unsafe at < 5 && isData(text) }
        }
        if letters & 3 >= 2 {
            word = word &<< UInt32(6 &* (4 &- letters & 3))
            start.append(UInt8(truncatingIfNeeded: word &>> 16))
            if letters & 3 == 3 { start.append(UInt8(truncatingIfNeeded: word &>> 8)) }
        }
        guard letters >= shortest else { return false }
        return !isShort || anything || start.isTelling
    }

    /// What the first decoded bytes are.
    private struct DecodedStart {
        /// Bytes that are no UTF-8.
        var malformed = 0
        private var continuing = 0
        private var count = 0
        private var digits = 0
        private var letters = 0
        private var marks = 0

        /// Digits, the marks of addresses, or nothing but base64 again.
        var isTelling: Bool { digits >= 4 || marks > 0 || letters &+ digits == count }

        @inline(__always)
        mutating func append(_ byte: UInt8) {
            count &+= 1
            if byte < 0x80 {
                if continuing > 0 { malformed &+= 1 }
                continuing = 0
                if byte &- 48 < 10 { digits &+= 1 }
                if (byte | 0x20) &- 97 < 26 { letters &+= 1 }
                if byte == UInt8(ascii: "@") || byte == UInt8(ascii: ":") { marks &+= 1 }
            } else if byte < 0xc0 {
                if continuing == 0 { malformed &+= 1 } else { continuing &-= 1 }
            } else {
                if continuing > 0 || byte > 0xf4 { malformed &+= 1 }
                continuing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : byte < 0xf5 ? 3 : 0
            }
        }
    }

    @inline(__always)
    private static func sextet(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte &- 71
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte &- 65
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte &+ 4
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }

    private static func isData(_ text: UnsafeRawBufferPointer) -> Bool {
        guard text.count >= 5 else { return false }
        for (index, letter) in "data:".utf8.enumerated() where unsafe text[index] | 0x20 != letter | 0x20 {
            return false
        }
        return true
    }

    /// Behind `data:...;base64,` (RFC 2397); 0 for any other text.
    private static func dataStart(_ text: RawSpan) -> Int {
        guard unsafe text.withUnsafeBytes({ unsafe isData($0) }) else { return 0 }
        let mark = ";base64,"
        for at in 5..<min(text.byteCount, 1024) where text.byte(at: at) == UInt8(ascii: ",") {
            let start = at + 1 - mark.utf8.count
            for (index, letter) in mark.utf8.enumerated() {
                guard let byte = text.byte(at: start + index), byte == letter || byte | 0x20 == letter else { return 0 }
            }
            return at + 1
        }
        return 0
    }

    /// Decodes a text that may be base64.
    ///
    /// - Parameter bytes: where what it stands for is appended; nothing where it is none.
    /// - Returns: nil where it is none.
    init?(_ text: RawSpan, into bytes: inout [UInt8]) {
        let start = Base64Text.dataStart(text)
        let made = bytes.count
        var (isURL, isPadded, isBroken) = (false, false, false)
        var word: UInt32 = 0
        var letters = 0
        var at = start
        while let byte = text.byte(at: at) {
            at &+= 1
            if let sextet = Base64Text.sextet(byte) {
                if isPadded { isBroken = true }
                if byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") { isURL = true }
                word = word &<< 6 | UInt32(sextet)
                letters &+= 1
                if letters & 3 == 0 {
                    bytes.append(UInt8(truncatingIfNeeded: word &>> 16))
                    bytes.append(UInt8(truncatingIfNeeded: word &>> 8))
                    bytes.append(UInt8(truncatingIfNeeded: word))
                }
                continue
            }
            switch byte {
            case 0x09, 0x0a, 0x0d, 0x20: break
            case UInt8(ascii: "="): isPadded = true
            default: isBroken = true
            }
            if isBroken { break }
        }
        if letters & 3 >= 2 {
            word = word &<< UInt32(6 &* (4 &- letters & 3))
            bytes.append(UInt8(truncatingIfNeeded: word &>> 16))
            if letters & 3 == 3 { bytes.append(UInt8(truncatingIfNeeded: word &>> 8)) }
        }
        if isBroken || letters & 3 == 1 || bytes.count - made < 6 {
            bytes.removeLast(bytes.count - made)
            return nil
        }
        head = start == 0 ? [] : text.bytes(0..<start)
        self.isURL = isURL
        self.isPadded = isPadded
        decodedCount = bytes.count - made
    }

    /// True for a text that is no word's chance: long, and nothing but what people write.
    static func isReadable(_ decoded: [UInt8]) -> Bool {
        decoded.count >= surely * 3 / 4 && decoded.allSatisfy { $0 >= 0x20 || (9...13).contains($0) }
    }

    /// Appends bytes in the same alphabet, without line breaks. What had no padding because it needed none is padded where
    /// it does now: decoders that want it want it always.
    func append(_ bytes: [UInt8], to output: inout [UInt8]) {
        let isPadded = isPadded || !isURL && decodedCount % 3 == 0
        let text = isURL ? Base64.encodeURL(bytes) : Base64.encode(bytes)
        output.append(contentsOf: head)
        output.append(contentsOf: text.utf8.prefix { $0 != UInt8(ascii: "=") })
        if isPadded { output.append(contentsOf: repeatElement(UInt8(ascii: "="), count: (3 - bytes.count % 3) % 3)) }
    }
}
