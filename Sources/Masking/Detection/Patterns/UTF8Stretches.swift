import TidegateWire

/// Where a text is UTF-8 (RFC 3629): what vectorscan may read.
enum UTF8Stretches {
    /// The next stretch of valid UTF-8 at or behind `offset`, or nil where there is none.
    static func next(in text: RawSpan, from offset: Int) -> Range<Int>? {
        var start = offset
        while start < text.byteCount {
            let end = validEnd(text, start)
            if end > start { return start..<end }
            start &+= 1
        }
        return nil
    }

    /// Where the valid characters that begin at `offset` end.
    static func validEnd(_ text: RawSpan, _ offset: Int) -> Int {
        var at = offset
        while true {
            at = asciiEnd(text, at)
            guard let first = text.byte(at: at) else { return at }
            if first < 0x80 {
                at &+= 1
                continue
            }
            let length = characterLength(text, at, first)
            if length == 0 { return at }
            at &+= length
        }
    }

    /// Behind the bytes of ASCII that begin at `offset`, eight at a time.
    @inline(__always)
    private static func asciiEnd(_ text: RawSpan, _ offset: Int) -> Int {
        let high: UInt64 = 0x8080_8080_8080_8080
        var at = offset
        while let last = text.littleEndian(UInt64.self, at: at &+ 24) {
            guard let first = text.littleEndian(UInt64.self, at: at),
                let second = text.littleEndian(UInt64.self, at: at &+ 8),
                let third = text.littleEndian(UInt64.self, at: at &+ 16), (first | second | third | last) & high == 0
            else { break }
            at &+= 32
        }
        while let block = text.littleEndian(UInt64.self, at: at) {
            let found = block & high
            if found != 0 { return at &+ found.trailingZeroBitCount / 8 }
            at &+= 8
        }
        return at
    }

    /// Bytes of the character that begins with `first`, beyond ASCII; 0 where it is none.
    @inline(__always)
    private static func characterLength(_ text: RawSpan, _ at: Int, _ first: UInt8) -> Int {
        guard let second = text.byte(at: at &+ 1), second & 0xc0 == 0x80 else { return 0 }
        if first < 0xe0 { return first >= 0xc2 ? 2 : 0 }
        guard let third = text.byte(at: at &+ 2), third & 0xc0 == 0x80 else { return 0 }
        switch first {
        case 0xe0: return second >= 0xa0 ? 3 : 0
        case 0xed: return second < 0xa0 ? 3 : 0  // no surrogates
        case 0xe1...0xef: return 3
        default: break
        }
        guard let fourth = text.byte(at: at &+ 3), fourth & 0xc0 == 0x80 else { return 0 }
        switch first {
        case 0xf0: return second >= 0x90 ? 4 : 0
        case 0xf1...0xf3: return 4
        case 0xf4: return second < 0x90 ? 4 : 0
        default: return 0
        }
    }
}
