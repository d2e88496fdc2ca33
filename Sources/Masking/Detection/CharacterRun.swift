/// Digits and letters that may be one number: groups of them with marks between, in capitals without the marks, and where
/// each stood.
struct CharacterRun {
    static let room = 64
    static let groupRoom = 32

    /// A group: digits and letters without a mark between.
    struct Group: BitwiseCopyable {
        /// Its bytes in the text.
        var start: Int32 = 0
        var end: Int32 = 0
        /// Behind its last character in the run.
        var limit: UInt8 = 0
        /// The first mark before it, 0 where there is none; how many.
        var mark: UInt8 = 0
        var marks: UInt8 = 0
        var hasDigit = false
        /// One of the marks before it is a bracket.
        var hasBracket = false
        /// It follows an "x" that may begin an extension.
        var isExtension = false
    }

    private(set) var characters = InlineArray<64, UInt8>(repeating: 0)
    private(set) var groups = InlineArray<32, Group>(repeating: Group())
    private(set) var count = 0
    private(set) var groupCount = 0
    /// Bit i: character i is a letter.
    private(set) var letters: UInt64 = 0
    /// Behind what was read; where the zone goes on, or ended.
    private(set) var end = 0
    /// The zone ended with this run.
    private(set) var isLast = true

    /// Reads groups from `start` on, where one begins, until something no number has inside or until there is no room.
    mutating func read(_ text: TextBytes, from start: Int) {
        count = 0
        groupCount = 0
        letters = 0
        isLast = true
        var at = start
        var mark: UInt8 = 0
        var marks: UInt8 = 0
        var lettersOnly = 0
        var isExtension = false
        var hasBracket = false
        while true {
            let begin = at
            let first = count
            var digits = 0
            var others = 0
            var cut = false
            while true {
                let byte = text[at]
                if byte.isDigit {
                    digits &+= 1
                } else if byte.isLetter {
                    if byte | 0x20 == UInt8(ascii: "x"), digits >= 4, others == 0, text[at &+ 1].isDigit {
                        cut = true
                        break
                    }
                    others &+= 1
                } else {
                    break
                }
                if count < CharacterRun.room {
                    if byte.isLetter { letters |= 1 << UInt64(count) }
                    characters[count] = byte.isLetter ? byte & 0xdf : byte
                }
                count &+= 1
                at &+= 1
            }
            if digits == 0 { lettersOnly &+= 1 } else { lettersOnly = 0 }
            let length = at &- begin
            if groupCount > 0, digits == 0, length > 4 || lettersOnly > 1 {
                // A word: what is a number ended before it.
                count = first
                end = Int(groups[groupCount &- 1].end)
                trim()
                return
            }
            if count > CharacterRun.room {
                // Alone too long for any number, or too long together with the groups before.
                count = first
                end = groupCount == 0 ? at : begin
                isLast = groupCount == 0
                trim()
                return
            }
            groups[groupCount] = Group(
                start: Int32(truncatingIfNeeded: begin), end: Int32(truncatingIfNeeded: at),
                limit: UInt8(truncatingIfNeeded: count), mark: mark, marks: marks, hasDigit: digits > 0,
                hasBracket: hasBracket, isExtension: isExtension)
            groupCount &+= 1
            end = at
            isExtension = cut
            hasBracket = false
            if cut {
                mark = UInt8(ascii: "x")
                marks = 1
                at &+= 1
            } else {
                mark = text[at]
                marks = 0
                while marks < 4, text[at].isMark {
                    hasBracket = hasBracket || text[at] & 0xfe == UInt8(ascii: "(")
                    at &+= 1
                    marks &+= 1
                }
                if marks == 0 || marks > 3 || !text[at].isAlphanumeric {
                    trim()
                    return
                }
            }
            if groupCount == CharacterRun.groupRoom {
                end = at
                isLast = false
                trim()
                return
            }
        }
    }

    private mutating func trim() {
        if count < 64 { letters &= 1 << UInt64(count) &- 1 }
    }

    /// The first of a group's characters.
    @inline(__always)
    func first(_ group: Int) -> Int { group == 0 ? 0 : Int(groups[group &- 1].limit) }

    @inline(__always)
    func lettersIn(_ first: Int, _ length: Int) -> UInt64 {
        let bits = letters >> UInt64(first)
        return length >= 64 ? bits : bits & (1 << UInt64(length) &- 1)
    }

    @inline(__always)
    func digit(_ at: Int) -> Int { Int(characters[at] &- 48) }
}
