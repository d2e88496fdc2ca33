/// Groups of a run that may be one number together.
struct NumberWindow {
    /// Its first group, its last one, and its characters in the run.
    var group: Int
    var last: Int
    var first: Int
    var length = 0
    /// Where it stands in the text.
    var start: Int
    var end: Int
    /// The groups' lengths, four bits each, 15 for longer ones: 0x324 is 3, 2 and 4.
    var shape: UInt64 = 0
    var isOnes = true
    /// All marks are single ones and the same; 0 where there is none, 255 where they differ.
    var mark: UInt8 = 0
    var hasBracket = false
    /// The longest row of marks.
    var marks: UInt8 = 0

    /// Digits without any mark among them.
    @inline(__always) var isBare: Bool { group == last }
    @inline(__always) func has(_ mark: UInt8) -> Bool { self.mark == mark }

    @inline(__always)
    init(_ run: borrowing CharacterRun, _ group: Int) {
        self.group = group
        last = group
        first = run.first(group)
        start = run.group(group).start
        end = start
    }

    /// Takes the group `last` in.
    @inline(__always)
    mutating func extend(_ run: borrowing CharacterRun, to last: Int) {
        let next = run.group(last)
        let before = length
        self.last = last
        length = Int(next.limit) &- first
        end = next.end
        let size = length &- before
        shape = shape &<< 4 | UInt64(min(size, 15))
        if size != 1 { isOnes = false }
        if last > group {
            hasBracket = hasBracket || next.hasBracket
            marks = max(marks, next.marks)
            if next.marks > 1 {
                mark = 255
            } else if last == group &+ 1 {
                mark = next.mark
            } else if mark != next.mark {
                mark = 255
            }
        }
    }
}

extension DetectionPass {
    @inline(__always)
    func accepts(_ checksum: Checksum, _ window: NumberWindow) -> Bool {
        run.accepts(checksum, window.first, window.length)
    }
}

extension TextBytes {
    /// True where a mark other than a space or bracket ties the window to a digit or letter: it is a part of something longer.
    @inline(__always)
    func isTied(_ window: NumberWindow) -> Bool { isTiedLeft(window) || isTiedRight(window) }

    @inline(__always)
    private func isTie(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "-") < 3 || byte == UInt8(ascii: "_") }

    @inline(__always)
    func isTiedLeft(_ window: NumberWindow) -> Bool {
        isTie(self[window.start &- 1]) && isAlphanumeric(window.start &- 2)
    }

    @inline(__always)
    func isTiedRight(_ window: NumberWindow) -> Bool {
        isTie(self[window.end]) && isAlphanumeric(window.end &+ 1)
    }

    /// True where the same mark as inside goes on to a digit on either side.
    @inline(__always)
    func goesOn(_ window: NumberWindow) -> Bool {
        let before = self[window.start &- 1]
        let behind = self[window.end]
        return (before != UInt8(ascii: " ") && before.isMark && isDigit(window.start &- 2))
            || (behind != UInt8(ascii: " ") && behind.isMark && isDigit(window.end &+ 1))
    }

    /// True where a point and a digit stand at either end of bare digits: a decimal number.
    @inline(__always)
    func isDecimal(_ window: NumberWindow) -> Bool {
        (self[window.start &- 1] == UInt8(ascii: ".") && isDigit(window.start &- 2))
            || (self[window.end] == UInt8(ascii: ".") && isDigit(window.end &+ 1))
    }

    /// True where the window lies in a UUID (RFC 9562): 8-4-4-4-12 hexadecimal digits.
    func isInUUID(_ start: Int, _ end: Int) -> Bool {
        var low = start
        while start &- low < 37, self[low &- 1].isHex || self[low &- 1] == UInt8(ascii: "-") { low &-= 1 }
        var high = end
        while high &- low < 37, self[high].isHex || self[high] == UInt8(ascii: "-") { high &+= 1 }
        guard high &- low == 36 else { return false }
        for place in [8, 13, 18, 23] where self[low &+ place] != UInt8(ascii: "-") { return false }
        return true
    }

    func hasSmallLetter(_ start: Int, _ end: Int) -> Bool {
        var at = start
        while at < end {
            if self[at].isLetter, !self[at].isCapital { return true }
            at &+= 1
        }
        return false
    }
}
