/// Characters beyond ASCII that a reader takes for ASCII or does not see at all: what hides a number from a simple search.
///
/// Decimal digits of other scripts (Unicode 16, general category Nd, in the basic plane and the mathematical ones), forms
/// of double width (FF01 to FF5E), spaces and dashes, and characters without width. Bytes that are no UTF-8 stay. Of ASCII
/// only tabs and ends of lines between digits change: they are spaces.
enum Folding {
    /// The character takes no room.
    static let nothing: UInt8 = 1

    /// What stands for the character at `offset`: an ASCII byte, `nothing`, or 0 where it stays as it is.
    static func folded(_ text: TextBytes, _ offset: Int) -> (byte: UInt8, length: Int) {
        let second = text[offset &+ 1]
        switch text[offset] {
        case 0xc2:
            if second == 0xa0 || second == 0x85 { return (0x20, 2) }
            return (second == 0xad ? nothing : 0, 2)
        case 0xcd: return (second == 0x8f ? nothing : 0, 2)  // a joiner of graphemes
        case 0xd8: return (second == 0x9c ? nothing : 0, 2)  // Arabic letter mark
        case 0xd9: return (digit(second, from: 0xa0), 2)
        case 0xdb: return (digit(second, from: 0xb0), 2)
        case 0xdf: return (digit(second, from: 0x80), 2)
        case 0xe0...0xef: return (three(text[offset], second, text[offset &+ 2]), 3)
        case 0xf0:
            guard second == 0x9d, text[offset &+ 2] == 0x9f, text[offset &+ 3] >= 0x8e, text[offset &+ 3] <= 0xbf else {
                return (0, 4)
            }
            return (48 &+ (text[offset &+ 3] &- 0x8e) % 10, 4)
        case 0xf3:  // tags, and more variation selectors
            return (second == 0xa0 && text[offset &+ 2] >= 0x80 && text[offset &+ 2] <= 0x87 ? nothing : 0, 4)
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
        case (0xe0, 0xb9), (0xe0, 0xbb): return digit(third, from: 0x90)  // Thai, Lao
        case (0xe1, 0xa0): return third >= 0x8b && third <= 0x8f ? nothing : digit(third, from: 0x90)  // Mongolian
        case (0xe0, 0xbc), (0xe1, 0x9f): return digit(third, from: 0xa0)  // Tibetan, Khmer
        case (0xe1, 0x81): return digit(third, from: 0x80)  // Myanmar
        case (0xe1, 0x85): return third == 0x9f || third == 0xa0 ? nothing : 0  // Hangul's fillers, also below
        case (0xe1, 0x9a): return third == 0x80 ? 0x20 : 0  // Ogham's space
        case (0xe1, 0x9e): return third == 0xb4 || third == 0xb5 ? nothing : 0  // vowels of Khmer that nobody sees
        case (0xe2, 0x80):
            switch third {
            case 0x80...0x8a, 0xa8, 0xa9, 0xaf: return 0x20
            case 0x8b...0x8f, 0xaa...0xae: return nothing
            case 0x90...0x95: return UInt8(ascii: "-")
            default: return 0
            }
        case (0xe2, 0x81):
            if third == 0x9f { return 0x20 }
            return third >= 0xa0 && third <= 0xaf ? nothing : 0
        case (0xe2, 0x83): return third == 0xa3 ? nothing : 0  // a key around a digit
        case (0xe2, 0x88): return third == 0x92 ? UInt8(ascii: "-") : 0
        case (0xe2, 0xa0): return third == 0x80 ? 0x20 : 0  // Braille without a dot
        case (0xe3, 0x80): return third == 0x80 ? 0x20 : 0
        case (0xe3, 0x85): return third == 0xa4 ? nothing : 0
        case (0xef, 0xb8): return third <= 0x8f ? nothing : 0  // variation selectors
        case (0xef, 0xb9): return third == 0x98 || third == 0xa3 ? UInt8(ascii: "-") : 0
        case (0xef, 0xbb): return third == 0xbf ? nothing : 0
        case (0xef, 0xbc): return third > 0x80 && third <= 0xbf ? wide(third &- 0x60) : 0
        case (0xef, 0xbd): return third >= 0x80 && third <= 0x9e ? wide(third &- 0x20) : 0
        case (0xef, 0xbe): return third == 0xa0 ? nothing : 0
        case (0xef, 0xbf): return third >= 0xb9 && third <= 0xbb ? nothing : 0  // annotations
        default: return 0
        }
    }

    /// Of the wide forms only those that something looked for can be made of: a comma ends every other clause of Chinese.
    private static func wide(_ byte: UInt8) -> UInt8 {
        byte.isAlphanumeric || byte.isMark || byte == UInt8(ascii: "@") || byte == UInt8(ascii: "+") ? byte : 0
    }

    /// True where the character at `offset`, beyond ASCII, can matter: a digit or letter; a mark, a space or something
    /// without width next to a digit or letter, or among the marks beside a digit; something without width in the middle
    /// of other characters.
    ///
    /// - Parameter nearDigits: false where it is known that no digit stands within four bytes.
    @inline(__always)
    static func matters(_ text: TextBytes, _ offset: Int, nearDigits: Bool = true) -> Bool {
        switch text[offset] {
        case 0xc2, 0xcd, 0xd8, 0xd9, 0xdb, 0xdf, 0xe0, 0xe1, 0xe2, 0xe3, 0xef, 0xf0, 0xf3: break
        default: return false
        }
        let (byte, length) = folded(text, offset)
        if byte == 0 { return false }
        if byte != nothing, !byte.isMark { return true }
        let before = text[offset &- 1]
        let behind = text[offset &+ length]
        if isNeighbour(before) || isNeighbour(behind) { return true }
        if byte == nothing, isVisible(before), isVisible(behind) { return true }
        return nearDigits && (text.followsDigit(offset) || text.leadsToDigit(offset &+ length))
    }

    private static func isNeighbour(_ byte: UInt8) -> Bool {
        byte.isAlphanumeric || byte == UInt8(ascii: "@") || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")")
            || byte == UInt8(ascii: "\\")
    }

    private static func isVisible(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7f }

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
            // What stands before is folded already: a digit is one there, whatever its script.
            let isGap = byte.isLineControl && endsWithDigit(folded) && leadsToDigit(text, at &+ 1)
            folded.append(isGap ? 0x20 : byte)
            origins.append(Int32(truncatingIfNeeded: at))
            at &+= 1
        }
    }
}
