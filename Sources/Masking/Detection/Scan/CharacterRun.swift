/// Digits and letters that may be one number: groups of them with marks between, in capitals without the marks, and where
/// each stood.
///
/// Owns its room, which is made when it is first used; indices wrap around inside of it.
@safe
struct CharacterRun: ~Copyable {
    static let room = 64
    static let groupRoom = 32

    /// A group: digits and letters without a mark between.
    struct Group: BitwiseCopyable {
        /// Its bytes in the text.
        var start: Int
        var end: Int
        /// Behind its last character in the run.
        var limit: UInt8
        /// The first mark before it, 0 where there is none; how many.
        var mark: UInt8
        var marks: UInt8
        var hasDigit: Bool
        /// One of the marks before it is a bracket.
        var hasBracket: Bool
        /// It follows an "x" that may begin an extension.
        var isExtension: Bool
    }

    private var characters: UnsafeMutablePointer<UInt8>?
    private var groups: UnsafeMutablePointer<Group>?
    private(set) var count = 0
    private(set) var groupCount = 0
    /// Bit i: character i is a letter.
    private(set) var letters: UInt64 = 0
    /// Behind what was read; where the zone goes on, or ended.
    private(set) var end = 0
    /// The zone ended with this run.
    private(set) var isLast = true

    /// Reads groups from `start` on, where one begins, until something no number has inside or until there is no room.
    ///
    /// - Parameter masks: of the bytes from there on.
    mutating func read(_ text: TextBytes, from start: Int, _ masks: TextMasks) {
        if !readBlock(text, from: start, masks) { readSlowly(text, from: start) }
    }

    /// As `readSlowly`, by masks.
    ///
    /// - Returns: false where it does not end in them.
    private mutating func readBlock(_ text: TextBytes, from start: Int, _ masks: TextMasks) -> Bool {
        guard start >= 0, start < text.count else { return false }
        let (characters, groups) = unsafe made()
        let limit = min(64, text.count &- start)
        let isEnd = start &+ limit == text.count
        let alphanumeric = masks.alphanumeric
        var count = 0
        var groupCount = 0
        var letters: UInt64 = 0
        var at = 0
        var mark: UInt8 = 0
        var marks = 0
        var lettersOnly = 0
        var isExtension = false
        var hasBracket = false
        while true {
            var length = (~(alphanumeric &>> UInt64(at))).trailingZeroBitCount
            if at &+ length >= limit, !isEnd { return false }
            var inGroup: UInt64 = length >= 64 ? ~0 : 1 &<< UInt64(length) &- 1
            var groupLetters = masks.letter &>> UInt64(at) & inGroup
            var cut = false
            if groupLetters != 0 {
                let first = groupLetters.trailingZeroBitCount
                let place = start &+ at &+ first
                if first >= 4, text[place] | 0x20 == UInt8(ascii: "x"), text.isDigit(place &+ 1) {
                    cut = true
                    length = first
                    inGroup = 1 &<< UInt64(length) &- 1
                    groupLetters = 0
                }
            }
            let hasDigit = groupLetters != inGroup
            lettersOnly = hasDigit ? 0 : lettersOnly &+ 1
            if groupCount > 0, !hasDigit {
                let beginsAccount = unsafe groups[0].limit == 4 && letters & 0b1111 == 0b0011
                // A word: what is a number ended before it.
                if length > 4 || (lettersOnly > 1 && !beginsAccount) { break }
            }
            unsafe copy(text, start &+ at, length, to: characters + count)
            letters |= groupLetters &<< UInt64(count)
            count &+= length
            unsafe groups[groupCount] = Group(
                start: start &+ at, end: start &+ at &+ length, limit: UInt8(truncatingIfNeeded: count), mark: mark,
                marks: UInt8(truncatingIfNeeded: marks), hasDigit: hasDigit, hasBracket: hasBracket,
                isExtension: isExtension)
            groupCount &+= 1
            at &+= length
            isExtension = cut
            hasBracket = false
            if cut {
                mark = UInt8(ascii: "x")
                marks = 1
            } else {
                if at >= limit { break }
                marks = (~(masks.mark &>> UInt64(at))).trailingZeroBitCount
                if marks == 0 || marks > 3 { break }
                if at &+ marks >= limit {
                    if isEnd { break }
                    return false
                }
                if alphanumeric &>> UInt64(at &+ marks) & 1 == 0 { break }
                mark = text[start &+ at]
                for offset in 0..<marks where text[start &+ at &+ offset] & 0xfe == UInt8(ascii: "(") {
                    hasBracket = true
                }
            }
            at &+= marks
            if at >= limit || groupCount == CharacterRun.groupRoom { return false }
        }
        self.count = count
        self.groupCount = groupCount
        self.letters = letters
        end = unsafe groups[groupCount &- 1].end
        isLast = true
        return true
    }

    /// Copies digits and letters, in capitals.
    @inline(__always) @unsafe
    private func copy(_ text: TextBytes, _ start: Int, _ length: Int, to: UnsafeMutablePointer<UInt8>) {
        guard text.count >= 8 else {
            for index in 0..<length {
                let byte = text[start &+ index]
                unsafe to[index] = byte.isLetter ? byte & 0xdf : byte
            }
            return
        }
        var index = 0
        while index < length {
            // Eight bytes, of which the first are wanted; at the text's end they lie higher.
            let from = min(start &+ index, text.count &- 8)
            let loaded = unsafe UnsafeRawPointer(text.block(from)).loadUnaligned(as: UInt64.self)
            let word = UInt64(littleEndian: loaded) &>> UInt64((start &+ index &- from) &* 8)
            // Of digits and letters only these have that bit.
            let capitals = word & ~((word & 0x4040_4040_4040_4040) &>> 1)
            unsafe UnsafeMutableRawPointer(to + index).storeBytes(of: capitals.littleEndian, as: UInt64.self)
            index &+= 8
        }
    }

    private mutating func readSlowly(_ text: TextBytes, from start: Int) {
        let (characters, groups) = unsafe made()
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
                    unsafe characters[count] = byte.isLetter ? byte & 0xdf : byte
                }
                count &+= 1
                at &+= 1
            }
            if digits == 0 { lettersOnly &+= 1 } else { lettersOnly = 0 }
            let length = at &- begin
            if groupCount > 0, digits == 0, length > 4 || (lettersOnly > 1 && !beginsAccount) {
                // A word: what is a number ended before it.
                count = first
                end = unsafe groups[groupCount &- 1].end
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
            unsafe groups[groupCount] = Group(
                start: begin, end: at, limit: UInt8(truncatingIfNeeded: count), mark: mark, marks: marks,
                hasDigit: digits > 0,
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

    /// As an IBAN in groups does: a country, two digits, and a mark.
    private var beginsAccount: Bool { group(0).limit == 4 && letters & 0b1111 == 0b0011 }

    private mutating func trim() {
        if count < 64 { letters &= 1 << UInt64(count) &- 1 }
    }

    private mutating func made() -> (UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<Group>) {
        if let characters = unsafe characters, let groups = unsafe groups { return unsafe (characters, groups) }
        // What is copied eight bytes at a time may reach behind the last one.
        let characters = UnsafeMutablePointer<UInt8>.allocate(capacity: CharacterRun.room + 8)
        let groups = UnsafeMutablePointer<Group>.allocate(capacity: CharacterRun.groupRoom)
        unsafe characters.initialize(repeating: 0, count: CharacterRun.room + 8)
        let empty = Group(
            start: 0, end: 0, limit: 0, mark: 0, marks: 0, hasDigit: false, hasBracket: false, isExtension: false)
        unsafe groups.initialize(repeating: empty, count: CharacterRun.groupRoom)
        unsafe self.characters = characters
        unsafe self.groups = groups
        return unsafe (characters, groups)
    }

    deinit {
        unsafe characters?.deallocate()
        unsafe groups?.deallocate()
    }

    @inline(__always)
    subscript(character: Int) -> UInt8 {
        guard let characters = unsafe characters else { return 0 }
        return unsafe characters[character & (CharacterRun.room &- 1)]
    }

    @inline(__always)
    func group(_ index: Int) -> Group {
        guard let groups = unsafe groups else {
            return Group(
                start: 0, end: 0, limit: 0, mark: 0, marks: 0, hasDigit: false, hasBracket: false, isExtension: false)
        }
        return unsafe groups[index & (CharacterRun.groupRoom &- 1)]
    }

    /// The first of a group's characters.
    @inline(__always)
    func first(_ group: Int) -> Int { group == 0 ? 0 : Int(self.group(group &- 1).limit) }

    @inline(__always)
    func lettersIn(_ first: Int, _ length: Int) -> UInt64 {
        let bits = letters >> UInt64(first)
        return length >= 64 ? bits : bits & (1 << UInt64(length) &- 1)
    }

    @inline(__always)
    func digit(_ at: Int) -> Int { Int(self[at] &- 48) }

    /// What the checksum says of `length` characters from `first` on.
    @inline(__always)
    func accepts(_ checksum: Checksum, _ first: Int, _ length: Int) -> Bool {
        guard let characters = unsafe characters, first >= 0, length >= 0, length <= CharacterRun.room &- first else {
            return false
        }
        return unsafe checksum.accepts(UnsafeRawBufferPointer(start: characters + first, count: length).bytes)
    }
}
