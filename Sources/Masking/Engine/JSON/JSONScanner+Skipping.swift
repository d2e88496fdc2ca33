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

    /// An array or object that no rule can reach into, with all that is inside of it: without a call for each.
    mutating func skipContainer(_ start: Int, _ depth: Int) -> Int? {
        guard var reader = unsafe JSONReader(document, stops, at: start) else { return nil }
        let first = reader.space(start &+ 1)
        guard first >= 0 else { return nil }
        let close = reader.byte(start) &+ 2  // '{' and '}', '[' and ']' are two apart
        if reader.byte(first) == close { return first &+ 1 }
        // Behind the highest bit, which only marks the end, a bit for each one that is open, the innermost the lowest: it is
        // an object.
        var objects: UInt64 = close == UInt8(ascii: "}") ? 0b11 : 0b10
        var at = first
        while true {
            if objects & 1 != 0 {
                guard reader.byte(at) == UInt8(ascii: "\""), let end = string(at, &reader) else { return nil }
                let colon = reader.space(end)
                guard colon >= 0, reader.byte(colon) == UInt8(ascii: ":") else { return nil }
                at = reader.space(colon &+ 1)
                guard at >= 0 else { return nil }
            }
            var end: Int
            switch reader.byte(at) {
            case UInt8(ascii: "\""):
                guard let behind = string(at, &reader) else { return nil }
                end = behind
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                let close = reader.byte(at) &+ 2
                let first = reader.space(at &+ 1)
                guard first >= 0 else { return nil }
                let inside = depth &+ 63 &- objects.leadingZeroBitCount
                guard inside < JSONScanner.depthLimit else { return tooDeep() }
                if reader.byte(first) == close {
                    end = first &+ 1
                } else if objects &>> 63 == 0 {
                    objects = objects &<< 1 | (close == UInt8(ascii: "}") ? 1 : 0)
                    at = first
                    continue
                } else {
                    guard let behind = skipContainer(at, inside) else { return nil }
                    end = behind
                    reader.seek(end)
                }
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                end = reader.number(at)
                if end < 0 {
                    guard let behind = number(at) else { return nil }
                    end = behind
                }
            default:
                guard let behind = skip(at, depth: depth) else { return nil }
                end = behind
            }
            while true {
                let next = reader.space(end)
                guard next >= 0 else { return nil }
                if reader.byte(next) == UInt8(ascii: ",") {
                    at = reader.space(next &+ 1)
                    guard at >= 0 else { return nil }
                    break
                }
                let close = objects & 1 != 0 ? UInt8(ascii: "}") : UInt8(ascii: "]")
                guard reader.byte(next) == close else { return nil }
                end = next &+ 1
                objects &>>= 1
                if objects == 1 { return end }
            }
        }
    }

    /// As `string`, read by the reader where it can.
    @inline(__always)
    mutating func string(_ start: Int, _ reader: inout JSONReader) -> Int? {
        let end = reader.string(start)
        if end >= 0 { return end }
        guard let behind = string(start) else { return nil }
        reader.seek(behind)
        return behind
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

    @inline(never)
    mutating func number(_ start: Int) -> Int? {
        if let base = unsafe document.baseAddress {
            let end = unsafe JSONReader.number(base.assumingMemoryBound(to: UInt8.self), count, start)
            if end >= 0 { return end }
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
