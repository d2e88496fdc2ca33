import TidegateWire

/// The grammar (RFC 8259): values that no rule can reach into are passed over, strictly.
extension JSONScanner {
    /// A value that no rule can reach into.
    mutating func skip(_ start: Int, depth: Int) -> Int? {
        switch byte(start) {
        case UInt8(ascii: "\""): return string(start)
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            return depth < JSONScanner.depthLimit ? skipContainer(start, depth) : tooDeep()
        case UInt8(ascii: "t"): return word(start, 0x6575_7274, 4)
        case UInt8(ascii: "n"): return word(start, 0x6c6c_756e, 4)
        case UInt8(ascii: "f"):
            guard start &+ 5 <= count, byte(start &+ 4) == UInt8(ascii: "e") else { return nil }
            return word(start, 0x736c_6166, 5)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return number(start)
        default: return nil
        }
    }

    @inline(never)
    mutating func tooDeep() -> Int? {
        isTooDeep = true
        return nil
    }

    mutating func skipContainer(_ start: Int, _ depth: Int) -> Int? {
        let isObject = byte(start) == UInt8(ascii: "{")
        let close = byte(start) &+ 2  // '{' and '}', '[' and ']' are two apart
        guard var at = space(start &+ 1) else { return nil }
        if byte(at) == close { return at &+ 1 }
        while true {
            if isObject {
                guard byte(at) == UInt8(ascii: "\""), let keyEnd = string(at), let colon = space(keyEnd),
                    byte(colon) == UInt8(ascii: ":"), let begin = space(colon &+ 1)
                else { return nil }
                at = begin
            }
            // Most are strings: without a call.
            let behind = byte(at) == UInt8(ascii: "\"") ? string(at) : skip(at, depth: depth &+ 1)
            guard let end = behind, let next = space(end) else { return nil }
            if byte(next) != UInt8(ascii: ",") { return byte(next) == close ? next &+ 1 : nil }
            guard let following = space(next &+ 1) else { return nil }
            at = following
        }
    }

    /// The next byte that is no white space; nil at the end.
    @inline(__always)
    func space(_ start: Int) -> Int? {
        var at = start
        while at < count {
            let found = byte(at)
            if found > 0x20 { return at }
            guard found == 0x20 || found == 0x0a || found == 0x0d || found == 0x09 else { return at }
            at &+= 1
        }
        return nil
    }

    /// `true`, `null`, the first four of `false`: little-endian.
    @inline(__always)
    func word(_ start: Int, _ expected: UInt32, _ length: Int) -> Int? {
        guard start &+ 4 <= count else { return nil }
        let found = unsafe document.loadUnaligned(fromByteOffset: start, as: UInt32.self)
        return UInt32(littleEndian: found) == expected ? start &+ length : nil
    }

    /// - Returns: the offset behind the closing quote; nil where the string is not valid (control characters, escapes that
    ///   are none, bytes that are no UTF-8).
    @inline(__always)
    mutating func string(_ start: Int) -> Int? {
        var at = start &+ 1
        while true {
            guard at < count else { return nil }
            var block = at &>> 6
            var left = unsafe stops[block] &>> UInt64(at & 63)
            if left == 0 {
                repeat {
                    block &+= 1
                    guard block &<< 6 < count else { return nil }
                    unsafe left = stops[block]
                } while left == 0
                at = block &<< 6
            }
            at &+= left.trailingZeroBitCount
            switch byte(at) {
            case UInt8(ascii: "\""): return at &+ 1
            case UInt8(ascii: "\\"):
                hasEscape = true
                guard let next = escape(at) else { return nil }
                at = next
            case 0x80...0xff:
                guard let next = multibyte(at) else { return nil }
                at = next
            default: return nil
            }
        }
    }

    mutating func escape(_ at: Int) -> Int? {
        guard at &+ 1 < count else { return nil }
        switch byte(at &+ 1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return at &+ 2
        case UInt8(ascii: "u"):
            guard at &+ 6 <= count else { return nil }
            for index in 2..<6 {
                switch byte(at &+ index) {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                    UInt8(ascii: "A")...UInt8(ascii: "F"):
                    continue
                default: return nil
                }
            }
            return at &+ 6
        default: return nil
        }
    }

    /// One UTF-8 sequence beyond ASCII (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
    mutating func multibyte(_ at: Int) -> Int? {
        let first = byte(at)
        let length: Int
        var low: UInt8 = 0x80
        var high: UInt8 = 0xbf
        switch first {
        case 0xc2...0xdf: length = 2
        case 0xe0: (length, low) = (3, 0xa0)
        case 0xe1...0xec, 0xee...0xef: length = 3
        case 0xed: (length, high) = (3, 0x9f)
        case 0xf0: (length, low) = (4, 0x90)
        case 0xf1...0xf3: length = 4
        case 0xf4: (length, high) = (4, 0x8f)
        default: return nil
        }
        guard at &+ length <= count, (low...high).contains(byte(at &+ 1)) else { return nil }
        for index in 2..<max(2, length) where byte(at &+ index) & 0xc0 != 0x80 { return nil }
        return at &+ length
    }

    mutating func number(_ start: Int) -> Int? {
        if start &+ 8 <= count {
            // A few digits, which end in the same eight bytes: most numbers. A carry only reaches bytes behind the first
            // that is no digit.
            let loaded = unsafe document.loadUnaligned(fromByteOffset: start, as: UInt64.self)
            let word = UInt64(littleEndian: loaded) ^ 0x3030_3030_3030_3030
            let others = ((word &+ 0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080
            if others != 0, word & 0xff != 0 || others & 0x8000 != 0 {
                let end = start &+ others.trailingZeroBitCount &>> 3
                let next = byte(end)
                if end > start, next != UInt8(ascii: "."), next | 0x20 != UInt8(ascii: "e") { return end }
            }
        }
        var at = start
        if byte(at) == UInt8(ascii: "-") { at &+= 1 }
        guard at < count else { return nil }
        if byte(at) == UInt8(ascii: "0") {
            at &+= 1
        } else {
            guard let end = digits(at) else { return nil }
            at = end
        }
        if at < count, byte(at) == UInt8(ascii: ".") {
            guard let end = digits(at &+ 1) else { return nil }
            at = end
        }
        if at < count, byte(at) | 0x20 == UInt8(ascii: "e") {
            at &+= 1
            if at < count, byte(at) == UInt8(ascii: "+") || byte(at) == UInt8(ascii: "-") { at &+= 1 }
            guard let end = digits(at) else { return nil }
            at = end
        }
        return at
    }

    /// At least one digit.
    @inline(__always)
    func digits(_ start: Int) -> Int? {
        var at = start
        while at < count, byte(at) &- 48 < 10 { at &+= 1 }
        return at > start ? at : nil
    }
}
