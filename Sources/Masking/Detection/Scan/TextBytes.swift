/// Bytes under examination. Outside of them every byte reads as 0, which belongs to nothing that is looked for.
///
/// Lives no longer than the span that it was made of: the scan makes it and ends before that.
@safe
struct TextBytes {
    private let base: UnsafePointer<UInt8>
    let count: Int

    @unsafe
    init(_ base: UnsafePointer<UInt8>, _ count: Int) {
        unsafe self.base = base
        self.count = count
    }

    @inline(__always)
    subscript(offset: Int) -> UInt8 {
        UInt(bitPattern: offset) < UInt(bitPattern: count) ? unsafe base[offset] : 0
    }

    /// Where the bytes from `offset` on begin, at most 64 of them and at least one.
    @inline(__always) @unsafe
    func block(_ offset: Int) -> UnsafePointer<UInt8> { unsafe base + offset }

    @inline(__always)
    func isDigit(_ offset: Int) -> Bool { self[offset].isDigit }

    @inline(__always)
    func isAlphanumeric(_ offset: Int) -> Bool { self[offset].isAlphanumeric }

    /// True where a digit stands before `offset`, with no more marks between than one number has.
    @inline(never)
    func followsDigit(_ offset: Int) -> Bool {
        var at = offset &- 1
        while at > offset &- 4, self[at].isMark || self[at].isLineControl { at &-= 1 }
        return self[at].isDigit
    }

    /// True where a digit stands at `offset`, or behind no more marks than one number has.
    @inline(never)
    func leadsToDigit(_ offset: Int) -> Bool {
        var at = offset
        while at < offset &+ 3, self[at].isMark || self[at].isLineControl { at &+= 1 }
        return self[at].isDigit
    }

    /// True where `text`, in capitals and ASCII, begins at `offset`, whatever the case there.
    func has(_ text: StaticString, at offset: Int) -> Bool {
        var at = 0
        let length = text.utf8CodeUnitCount
        let expected = unsafe text.utf8Start
        while at < length {
            let found = self[offset &+ at]
            if (found.isLetter ? found & 0xdf : found) != (unsafe expected[at]) { return false }
            at &+= 1
        }
        return true
    }

    /// True where exactly `text` begins at `offset`.
    func begins(_ text: StaticString, at offset: Int) -> Bool {
        var at = 0
        let length = text.utf8CodeUnitCount
        let expected = unsafe text.utf8Start
        while at < length {
            if self[offset &+ at] != (unsafe expected[at]) { return false }
            at &+= 1
        }
        return true
    }
}

extension UInt8 {
    @inline(__always) var isDigit: Bool { self &- 48 < 10 }
    @inline(__always) var isLetter: Bool { (self | 0x20) &- 97 < 26 }
    @inline(__always) var isCapital: Bool { self &- 65 < 26 }
    @inline(__always) var isAlphanumeric: Bool { isDigit || isLetter }
    @inline(__always) var isHex: Bool { isDigit || (self | 0x20) &- 97 < 6 }
    /// In a number's or a word's inside, as the scanner counts it: beyond ASCII everything counts as a letter.
    @inline(__always) var isWordByte: Bool { isAlphanumeric || self >= 0x80 }
    /// What may stand between the digits of one number.
    @inline(__always)
    var isMark: Bool {
        switch self {
        case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "("),
            UInt8(ascii: ")"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
    /// A tab, the end of a line or a page.
    @inline(__always) var isLineControl: Bool { self &- 9 < 5 }
    /// In a token: what keys and encodings are written in.
    @inline(__always)
    var isTokenByte: Bool {
        if isAlphanumeric { return true }
        switch self {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "_"), UInt8(ascii: "+"),
            UInt8(ascii: "="):
            return true
        default: return false
        }
    }
}
