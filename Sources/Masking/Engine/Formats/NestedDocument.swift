import TidegateWire

/// What a text may hold of JSON, judged by its first characters: as a document, or as what only a lenient reader takes.
enum NestedDocument {
    /// True where a lenient reader might see an object or an array.
    static func mayBe(_ text: RawSpan) -> Bool {
        let first = text.byte(at: firstCharacter(of: text, 0, alsoQuotes: false))
        return first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    }

    /// True where rules may have to do with what stands in the text.
    static func mayHold(_ text: RawSpan) -> Bool {
        switch text.byte(at: firstCharacter(of: text, 0, alsoQuotes: false)) {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""), UInt8(ascii: "\\"): return true
        default: return false
        }
    }

    /// True where the text may be one string of JSON in which there is something that the quotes, or escapes, hide: a
    /// document once more encoded.
    static func mayBeString(_ text: RawSpan) -> Bool {
        let start = firstCharacter(of: text, 0, alsoQuotes: false)
        guard text.byte(at: start) == UInt8(ascii: "\"") else { return false }
        var end = text.byteCount
        while end > start + 1, let byte = text.byte(at: end - 1), byte <= 0x20 { end -= 1 }
        guard end > start + 1, text.byte(at: end - 1) == UInt8(ascii: "\"") else { return false }
        if mayBe(text.extracting((start + 1)..<end)) { return true }
        for at in start..<end where text.byte(at: at) == UInt8(ascii: "\\") { return true }
        return false
    }

    /// True for a text that is no JSON and yet has members or elements for whom reads JSON less strictly: they must not
    /// slip past rules that name them. `{0} items` and `[draft] hello` have none.
    static func looksBroken(_ text: RawSpan) -> Bool {
        let start = firstCharacter(of: text, 0, alsoQuotes: true)
        switch text.byte(at: start) {
        case UInt8(ascii: "{"): return hasMember(text, start)
        case UInt8(ascii: "["):
            switch text.byte(at: firstCharacter(of: text, start + 1, alsoQuotes: false)) ?? 0 {
            case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "-"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                return true
            default: return hasMember(text, start)
            }
        default: return false
        }
    }

    /// A brace, and a colon somewhere behind it.
    private static func hasMember(_ text: RawSpan, _ start: Int) -> Bool {
        var isInside = false
        for at in start..<text.byteCount {
            switch text.byte(at: at) {
            case UInt8(ascii: "{"): isInside = true
            case UInt8(ascii: ":"): if isInside { return true }
            default: continue
            }
        }
        return false
    }

    /// The first place from `start` on that is no white space, control character or part of a byte order mark.
    private static func firstCharacter(of text: RawSpan, _ start: Int, alsoQuotes: Bool) -> Int {
        var at = start
        while let byte = text.byte(at: at) {
            switch byte {
            case 0...0x20, 0xef, 0xbb, 0xbf, 0xfe, 0xff: at += 1
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                if !alsoQuotes { return at }
                at += 1
            default: return at
            }
        }
        return at
    }

    /// Whether an escape stands in the text.
    static func hasEscape(_ text: RawSpan) -> Bool {
        for at in 0..<text.byteCount where text.byte(at: at) == UInt8(ascii: "\\") { return true }
        return false
    }
}
