import TidegateWire

/// What one scan for context words knows while vectorscan reports.
@safe
struct WordSearch {
    private(set) var found = PatternContext.none
    /// All that can be found.
    let wanted: PatternContext
    private var bytes = unsafe UnsafeRawBufferPointer(start: nil, count: 0)

    init(wanted: PatternContext) { self.wanted = wanted }

    /// One valid stretch of a text.
    mutating func look(_ stretch: Range<Int>, of text: RawSpan, _ words: PatternDatabase) {
        unsafe text.extracting(stretch).withUnsafeBytes { raw in
            unsafe bytes = raw
            _ = unsafe withUnsafeMutablePointer(to: &self) { search in
                unsafe words.scan(raw, search, WordSearch.report)
            }
            unsafe bytes = UnsafeRawBufferPointer(start: nil, count: 0)
        }
    }

    private static let report: PatternDatabase.Report = { identifier, start, end, _, context in
        guard let search = unsafe context?.assumingMemoryBound(to: WordSearch.self) else { return 1 }
        return unsafe search.pointee.add(UInt64(identifier), Int(start), Int(end)) ? 0 : 1
    }

    /// - Returns: false where nothing is left to find.
    private mutating func add(_ pattern: UInt64, _ start: Int, _ end: Int) -> Bool {
        guard start < end, unsafe end <= bytes.count, pattern < 64 else { return false }
        let isBegun = unsafe start > 0 && WordSearch.continues(bytes[start - 1], bytes[start])
        let isGoingOn = unsafe end < bytes.count && WordSearch.continues(bytes[end - 1], bytes[end])
        if !isBegun, !isGoingOn { found.bits |= 1 << pattern }
        return found != wanted
    }

    /// True where both bytes belong to one word: letters, but for the capital that begins the next one.
    private static func continues(_ left: UInt8, _ right: UInt8) -> Bool {
        func isSmall(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") }
        func isCapital(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") }
        if isSmall(left) { return isSmall(right) || right >= 0x80 }
        guard isCapital(left) || left >= 0x80 else { return false }
        return isSmall(right) || isCapital(right) || right >= 0x80
    }
}
