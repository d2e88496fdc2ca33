import CByteClasses

/// Of up to 64 bytes, which are what: bit i is byte i.
struct TextMasks: BitwiseCopyable {
    var digit: UInt64 = 0
    var letter: UInt64 = 0
    /// What may stand between the digits of one number.
    var mark: UInt64 = 0
    /// What letters and digits of one token may have among them, "=" excepted.
    var word: UInt64 = 0

    @inline(__always) var alphanumeric: UInt64 { digit | letter }

    /// Up to `place` there are digits with at most three marks in a row, and a digit first.
    @inline(__always)
    func isNumber(upTo place: Int) -> Bool {
        let these = (2 &<< UInt64(place)) &- 1
        let rows = mark & mark &>> 1 & mark &>> 2 & mark &>> 3
        return ((digit | mark) & these == these) && (rows & these == 0) && (digit & 1 != 0)
    }

    init() {}

    @inline(__always)
    init(_ classes: ByteClasses) {
        digit = classes.digit
        letter = classes.letter
        mark = classes.mark
        word = classes.word
    }

    /// Those from `offset` on.
    @inline(__always)
    func from(_ offset: Int) -> TextMasks {
        var masks = self
        masks.digit &>>= UInt64(offset)
        masks.letter &>>= UInt64(offset)
        masks.mark &>>= UInt64(offset)
        masks.word &>>= UInt64(offset)
        return masks
    }
}

extension DetectionPass {
    /// Of the next 64 bytes from `offset` on, which lies in the text; where the text is short, of what the scan knows.
    @inline(__always)
    func masks(_ text: TextBytes, from offset: Int) -> TextMasks {
        if isWhole { return whole.from(offset) }
        var classes = ByteClasses()
        unsafe tidegate_byte_classes(text.block(offset), min(64, text.count &- offset), &classes)
        return TextMasks(classes)
    }
}
