import TidegateWire

/// Several users' patterns in one database: one scan serves all. May be used by any number of threads at once.
public final class PatternSet: Sendable {
    public static let maximumPatterns = 64
    /// Bytes before and behind a match in which a context word counts.
    public static let contextReach = 64

    public let patterns: [UserPattern]
    let rules: [Rule]
    private let database: PatternDatabase
    /// Words of the patterns that have any; the identifier is the pattern's place.
    private let words: PatternDatabase?
    private let wanting: PatternContext

    /// What the scan asks of a pattern.
    struct Rule: Sendable {
        var checksum: Checksum?
        var hasContext: Bool
        var needsContext: Bool
    }

    /// - Throws: where there are too many patterns, two of one name, or they need too many states together.
    public init(_ patterns: [UserPattern]) throws(PatternError) {
        func refuse(_ name: String, _ message: String, _ suggestion: String) -> PatternError {
            PatternError(pattern: name, reason: .declaration, offset: nil, message: message, suggestion: suggestion)
        }
        guard !patterns.isEmpty, patterns.count <= PatternSet.maximumPatterns else {
            throw refuse(
                patterns.last?.name ?? "", "\(patterns.count) patterns in one set", "1 to \(PatternSet.maximumPatterns)"
            )
        }
        var names = Set<String>()
        for pattern in patterns where !names.insert(pattern.name).inserted {
            throw refuse(pattern.name, "the name is given twice", "a name of its own")
        }
        self.patterns = patterns
        rules = patterns.map {
            Rule(checksum: $0.checksum, hasContext: !$0.context.isEmpty, needsContext: $0.needsContext)
        }
        var bits: UInt64 = 0
        var expressions: [PatternDatabase.Expression] = []
        var wordExpressions: [PatternDatabase.Expression] = []
        for (index, pattern) in patterns.enumerated() {
            expressions.append(PatternDatabase.Expression(text: pattern.pattern, identifier: UInt32(index)))
            for word in pattern.context {
                bits |= 1 << UInt64(index)
                wordExpressions.append(
                    PatternDatabase.Expression(text: PatternSet.literal(word), identifier: UInt32(index)))
            }
        }
        wanting = PatternContext(bits: bits)
        do throws(PatternDatabase.Failure) {
            database = try PatternDatabase(expressions)
            words = wordExpressions.isEmpty ? nil : try PatternDatabase(wordExpressions)
        } catch {
            let culprit = patterns[error.expression.flatMap { patterns.indices.contains($0) ? $0 : nil } ?? 0]
            throw PatternError(patterns.count == 1 ? culprit.name : "all together", error, of: culprit.pattern)
        }
    }

    /// Bytes that the compiled patterns take, and that each thread's scan takes in addition.
    public var byteCounts: (shared: Int, perScan: Int) {
        (
            database.byteCount + (words?.byteCount ?? 0),
            database.scratchByteCount + (words?.scratchByteCount ?? 0)
        )
    }

    /// The patterns whose context words stand in a text: of a field's name this is worth keeping.
    ///
    /// A word counts where no letter continues it; in `badgeNumber` and `badge_number` stands `badge`.
    public func context(of text: RawSpan) -> PatternContext {
        guard let words else { return .none }
        var search = WordSearch(wanted: wanting)
        var start = 0
        while search.found != wanting, let stretch = UTF8Stretches.next(in: text, from: start) {
            search.look(stretch, of: text, words)
            start = stretch.upperBound
        }
        return search.found
    }

    /// Appends what the patterns match, in the order of its beginnings; matches of one pattern that overlap are one.
    ///
    /// Where a pattern has a checksum, each of its matches is judged before they are joined. Bytes that are no UTF-8 end
    /// a match and begin another text. In the steady state nothing is allocated, but by `matches` growing.
    ///
    /// - Parameters:
    ///   - name: what `context(of:)` says of the field's name.
    ///   - limit: the most matches that may be appended.
    /// - Returns: false where the text could not be scanned to its end or has more matches: nothing is appended then, and
    ///   the whole of it is to be treated as found.
    public func appendMatches(
        in text: RawSpan, name: PatternContext = .none, limit: Int = 100_000, to matches: inout [PatternMatch]
    ) -> Bool {
        let base = matches.count
        var start = 0
        while let stretch = UTF8Stretches.next(in: text, from: start) {
            guard scan(stretch, of: text, base, limit, &matches) else {
                matches.removeSubrange(base...)
                return false
            }
            start = stretch.upperBound
        }
        if matches.count > base {
            PatternMatches.join(&matches, from: base)
            judge(text, name, base, &matches)
        }
        return true
    }

    private func scan(
        _ stretch: Range<Int>, of text: RawSpan, _ base: Int, _ limit: Int, _ matches: inout [PatternMatch]
    ) -> Bool {
        unsafe text.extracting(stretch).withUnsafeBytes { bytes in
            var search = unsafe PatternSearch(
                rules: rules, bytes: bytes, origin: stretch.lowerBound, base: base, limit: limit, matches: [])
            swap(&search.matches, &matches)
            defer { swap(&search.matches, &matches) }
            return unsafe withUnsafeMutablePointer(to: &search) { search in
                unsafe database.scan(bytes, search, PatternSearch.report)
            }
        }
    }

    /// Says of each match whether it has context, and takes out those that need it and have none.
    private func judge(_ text: RawSpan, _ name: PatternContext, _ base: Int, _ matches: inout [PatternMatch]) {
        var kept = base
        for index in base..<matches.count {
            var match = matches[index]
            let rule = rules[match.pattern]
            if rule.hasContext { match.hasContext = name.holds(match.pattern) || isNear(match, text) }
            guard match.hasContext || !rule.needsContext else { continue }
            matches[kept] = match
            kept += 1
        }
        matches.removeSubrange(kept...)
    }

    private func isNear(_ match: PatternMatch, _ text: RawSpan) -> Bool {
        let before = max(0, match.start - PatternSet.contextReach)..<match.start
        let behind = match.end..<min(text.byteCount, match.end + PatternSet.contextReach)
        return context(of: text.extracting(before)).holds(match.pattern)
            || context(of: text.extracting(behind)).holds(match.pattern)
    }

    /// An expression that matches a word as it is written, in either case.
    private static func literal(_ word: String) -> String {
        var result = "(?i)"
        for scalar in word.unicodeScalars {
            let isPlain = scalar.value >= 128 || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
            if isPlain {
                result.unicodeScalars.append(scalar)
            } else {
                result += "\\x{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return result
    }
}
