/// Characters beyond ASCII that a reader takes for ASCII or does not see at all: what hides a number from a simple search.
///
/// Decimal digits of other scripts (Unicode 16, general category Nd, in the basic plane and the mathematical ones), forms
/// of double width (FF01 to FF5E), spaces and dashes, and characters without width. Bytes that are no UTF-8 stay.
enum Folding {
    /// The character takes no room.
    static let nothing: UInt8 = 1

    /// What stands for the character at `offset`: an ASCII byte, `nothing`, or 0 where it stays as it is.
    static func folded(_ text: TextBytes, _ offset: Int) -> (byte: UInt8, length: Int) {
        let second = text[offset &+ 1]
        switch text[offset] {
        case 0xc2:
            if second == 0xa0 { return (0x20, 2) }
            return (second == 0xad ? nothing : 0, 2)
        case 0xd9: return (digit(second, from: 0xa0), 2)
        case 0xdb: return (digit(second, from: 0xb0), 2)
        case 0xdf: return (digit(second, from: 0x80), 2)
        case 0xe0...0xef: return (three(text[offset], second, text[offset &+ 2]), 3)
        case 0xf0:
            guard second == 0x9d, text[offset &+ 2] == 0x9f, text[offset &+ 3] >= 0x8e, text[offset &+ 3] <= 0xbf else {
                return (0, 4)
            }
            return (48 &+ (text[offset &+ 3] &- 0x8e) % 10, 4)
        default: return (0, 1)
        }
    }

    @inline(__always)
    private static func digit(_ byte: UInt8, from zero: UInt8) -> UInt8 { byte &- zero < 10 ? 48 &+ byte &- zero : 0 }

    private static func three(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> UInt8 {
        switch (first, second) {
        case (0xe0, 0xa5), (0xe0, 0xa7), (0xe0, 0xa9), (0xe0, 0xab), (0xe0, 0xad), (0xe0, 0xaf), (0xe0, 0xb1),
            (0xe0, 0xb3), (0xe0, 0xb5):  // Devanagari to Malayalam
            return digit(third, from: 0xa6)
        case (0xe0, 0xb9), (0xe0, 0xbb), (0xe1, 0xa0): return digit(third, from: 0x90)  // Thai, Lao, Mongolian
        case (0xe0, 0xbc), (0xe1, 0x9f): return digit(third, from: 0xa0)  // Tibetan, Khmer
        case (0xe1, 0x81): return digit(third, from: 0x80)  // Myanmar
        case (0xe2, 0x80):
            switch third {
            case 0x80...0x8a, 0xaf: return 0x20
            case 0x8b...0x8f, 0xaa...0xae: return nothing
            case 0x90...0x95: return UInt8(ascii: "-")
            default: return 0
            }
        case (0xe2, 0x81):
            if third == 0x9f { return 0x20 }
            return third >= 0xa0 && third <= 0xaf ? nothing : 0
        case (0xe2, 0x83): return third == 0xa3 ? nothing : 0  // a key around a digit
        case (0xe2, 0x88): return third == 0x92 ? UInt8(ascii: "-") : 0
        case (0xe3, 0x80): return third == 0x80 ? 0x20 : 0
        case (0xef, 0xb8): return third <= 0x8f ? nothing : 0  // variation selectors
        case (0xef, 0xbb): return third == 0xbf ? nothing : 0
        case (0xef, 0xbc): return third > 0x80 && third <= 0xbf ? wide(third &- 0x60) : 0
        case (0xef, 0xbd): return third >= 0x80 && third <= 0x9e ? wide(third &- 0x20) : 0
        default: return 0
        }
    }

    /// Of the wide forms only those that something looked for can be made of: a comma ends every other clause of Chinese.
    private static func wide(_ byte: UInt8) -> UInt8 {
        byte.isAlphanumeric || byte.isMark || byte == UInt8(ascii: "@") || byte == UInt8(ascii: "+") ? byte : 0
    }

    /// True where the character at `offset`, beyond ASCII, can matter: a digit or letter; a mark, a space or something
    /// without width next to a digit or letter.
    @inline(__always)
    static func matters(_ text: TextBytes, _ offset: Int) -> Bool {
        switch text[offset] {
        case 0xc2, 0xd9, 0xdb, 0xdf, 0xe0, 0xe1, 0xe2, 0xe3, 0xef, 0xf0: break
        default: return false
        }
        let (byte, length) = folded(text, offset)
        if byte == 0 { return false }
        if byte != nothing, !byte.isMark { return true }
        return isNeighbour(text[offset &- 1]) || isNeighbour(text[offset &+ length])
    }

    private static func isNeighbour(_ byte: UInt8) -> Bool {
        byte.isAlphanumeric || byte == UInt8(ascii: "@") || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")")
            || byte == UInt8(ascii: "\\")
    }

    /// Writes the text as a reader takes it, and of each byte where its character begins in the text.
    static func fold(_ text: TextBytes, into folded: inout [UInt8], _ origins: inout [Int32]) {
        folded.removeAll(keepingCapacity: true)
        origins.removeAll(keepingCapacity: true)
        var at = 0
        while at < text.count {
            let byte = text[at]
            if byte >= 0x80 {
                let (other, length) = Folding.folded(text, at)
                if other != 0 {
                    if other != nothing {
                        folded.append(other)
                        origins.append(Int32(truncatingIfNeeded: at))
                    }
                    at &+= length
                    continue
                }
            }
            folded.append(byte)
            origins.append(Int32(truncatingIfNeeded: at))
            at &+= 1
        }
    }
}
