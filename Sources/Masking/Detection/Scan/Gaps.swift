// Tabs and ends of lines between the digits of one number, which part them as spaces do. Elsewhere they stay what they are:
// they end what a word announces.

extension DetectorSet {
    /// True where a tab or the end of a line in the block parts the digits of a number.
    ///
    /// - Parameters: the block's masks, one by one: they are at hand in registers.
    @inline(never)
    func hasGap(_ text: TextBytes, _ offset: Int, _ control: UInt64, _ digit: UInt64, _ mark: UInt64) -> Bool {
        // Behind a digit, with marks between; of the block's first three bytes that cannot be told.
        let gap = mark | control
        let first = gap & (digit &<< 1 | 1)
        let second = gap & (first &<< 1 | 0b11)
        let third = gap & (second &<< 1 | 0b111)
        var left = control & (first | second | third)
        while left != 0 {
            if Folding.isGap(text, offset &+ left.trailingZeroBitCount) { return true }
            left &= left &- 1
        }
        return false
    }
}

extension Folding {
    /// True where a tab or the end of a line, at `offset`, parts digits as a space would: a number goes on behind it.
    static func isGap(_ text: TextBytes, _ offset: Int) -> Bool {
        text[offset].isLineControl && text.followsDigit(offset) && leadsToDigit(text, offset &+ 1)
    }

    /// True where a digit of any script follows, behind marks and what has no width.
    static func leadsToDigit(_ text: TextBytes, _ offset: Int) -> Bool {
        var at = offset
        for _ in 0..<8 {
            let byte = text[at]
            if byte < 0x80 {
                if byte.isDigit { return true }
                guard byte.isMark || byte.isLineControl else { return false }
                at &+= 1
            } else {
                let (other, length) = folded(text, at)
                if other.isDigit { return true }
                guard other == nothing || other.isMark else { return false }
                at &+= length
            }
        }
        return false
    }

    /// True where the last byte is a digit, but for the marks behind it.
    static func endsWithDigit(_ folded: [UInt8]) -> Bool {
        var at = folded.count &- 1
        let last = at &- 3
        while at > last, at >= 0, folded[at].isMark { at &-= 1 }
        return at >= 0 && folded[at].isDigit
    }
}
