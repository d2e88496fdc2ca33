import TidegateWire

/// What one scan for patterns knows while vectorscan reports.
@safe
struct PatternSearch {
    let rules: [PatternSet.Rule]
    private let bytes: UnsafeRawBufferPointer
    /// Of the bytes, in the text.
    let origin: Int
    let base: Int
    let limit: Int
    var matches: [PatternMatch]

    @unsafe
    init(
        rules: [PatternSet.Rule], bytes: UnsafeRawBufferPointer, origin: Int, base: Int, limit: Int,
        matches: [PatternMatch]
    ) {
        self.rules = rules
        unsafe self.bytes = bytes
        self.origin = origin
        self.base = base
        self.limit = limit
        self.matches = matches
    }

    /// The context is the search itself.
    static let report: PatternDatabase.Report = { identifier, start, end, _, context in
        guard let search = unsafe context?.assumingMemoryBound(to: PatternSearch.self) else { return 1 }
        return unsafe search.pointee.add(Int(identifier), Int(start), Int(end)) ? 0 : 1
    }

    private mutating func add(_ pattern: Int, _ start: Int, _ end: Int) -> Bool {
        guard start < end, unsafe end <= bytes.count, rules.indices.contains(pattern) else { return false }
        if let checksum = rules[pattern].checksum, !passes(checksum, start, end) { return true }
        let found = PatternMatch(start: origin + start, end: origin + end, pattern: pattern, hasContext: false)
        // Mostly one match grows, end by end.
        if let last = matches.last, matches.count > base, last.pattern == pattern, found.start < last.end,
            last.start < found.end
        {
            matches[matches.count - 1].start = min(last.start, found.start)
            matches[matches.count - 1].end = max(last.end, found.end)
            return true
        }
        guard matches.count - base < limit else { return false }
        matches.append(found)
        return true
    }

    /// Bytes of a match that a checksum is asked about; a longer one passes none. A match that grows is reported with
    /// each of its ends, and is read each time.
    private static let longestChecked = 384

    /// Judges digits and letters only; capitals, but where a checksum tells the cases apart.
    private func passes(_ checksum: Checksum, _ start: Int, _ end: Int) -> Bool {
        guard end &- start <= PatternSearch.longestChecked else { return false }
        let keepsCase = checksum == .bitcoinBase58 || checksum == .bitcoinBech32
        var text = InlineArray<96, UInt8>(repeating: 0)
        var count = 0
        for offset in start..<end {
            var byte = unsafe bytes[offset]
            if byte >= UInt8(ascii: "a"), byte <= UInt8(ascii: "z") {
                if !keepsCase { byte &-= 32 }
            } else if !(byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")),
                !(byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
            {
                continue
            }
            guard count < 96 else { return false }
            text[count] = byte
            count &+= 1
        }
        return checksum.accepts(unsafe text.span.bytes.extracting(first: count))
    }
}

enum PatternMatches {
    /// Puts the matches from `base` on in order, and joins those of one pattern that overlap.
    static func join(_ matches: inout [PatternMatch], from base: Int) {
        if matches.count - base < 2 { return }
        unsafe matches.withUnsafeMutableBufferPointer { all in
            var mine = unsafe UnsafeMutableBufferPointer(rebasing: all[base...])
            unsafe mine.sort { ($0.start, $0.pattern, $0.end) < ($1.start, $1.pattern, $1.end) }
        }
        var last = InlineArray<64, Int>(repeating: -1)  // by pattern: its latest match that is kept
        var kept = base
        for index in base..<matches.count {
            let match = matches[index]
            let earlier = last[match.pattern]
            if earlier >= 0, match.start < matches[earlier].end {
                matches[earlier].end = max(matches[earlier].end, match.end)
                continue
            }
            last[match.pattern] = kept
            matches[kept] = match
            kept += 1
        }
        matches.removeSubrange(kept...)
    }
}
