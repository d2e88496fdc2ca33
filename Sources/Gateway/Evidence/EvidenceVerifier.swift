/// What a check of a directory found: counts, and the first wrong place.
public struct EvidenceVerdict: Sendable, Equatable {
    public var segments = 0
    public var firstSegment: UInt64 = 0
    public var lastSegment: UInt64 = 0
    public var lines: UInt64 = 0
    public var bytes: UInt64 = 0
    /// `evidence.gap` lines: places where the gateway itself says that something was lost.
    public var gaps: UInt64 = 0
    /// Digest of the last line that was followed, in hexadecimal; to be compared with one kept elsewhere.
    public var digest = ""
    /// The first place that is wrong; nil where all is well.
    public var problem: EvidenceError?
    /// Bytes of an unfinished line at the very end: one being written now, or a crash.
    public var unfinishedBytes = 0
    public var isIntact: Bool { problem == nil }
    public init() {}
}

/// The digest of one line, as it stands in the line, in the log, and in a verdict.
public struct EvidenceDigest: Sendable, CustomStringConvertible {
    let chain: EvidenceChain
    /// - Returns: nil where the text is not 64 lower-case hexadecimal digits.
    public init?(_ text: String) {
        guard let chain = EvidenceChain(hexadecimal: text.utf8) else { return nil }
        self.chain = chain
    }
    public var description: String { chain.hexadecimal }
}

/// Checks the chain of a directory offline, across segments, in constant memory; works beside a running writer.
public struct EvidenceVerifier: Sendable {
    public let directory: String
    public init(directory: String) { self.directory = directory }

    /// Checks the chain of what is there.
    ///
    /// A chain alone does not show that its end, or segments at its beginning, were taken away: the arguments do.
    ///
    /// - Parameters:
    ///   - expected: a digest kept elsewhere, such as in the log: a problem where the chain does not pass it.
    ///   - fromStart: the first segment must be there.
    /// - Throws: where the directory or a file cannot be read; what is wrong with their content is in the verdict.
    public func verify(
        expecting expected: EvidenceDigest? = nil, fromStart: Bool = false
    ) throws(EvidenceError) -> EvidenceVerdict {
        var seen = Expectation(expected)
        var verdict = try follow(&seen, fromStart: fromStart)
        if verdict.problem == nil, let expected, !seen.isMet {
            verdict.problem = EvidenceError(
                .missing, file: directory, "the digest \(expected) was not passed: evidence was taken away or replaced")
        }
        return verdict
    }

    private struct Expectation {
        let chain: EvidenceChain?
        var isMet = false
        init(_ digest: EvidenceDigest?) { chain = digest?.chain }
        mutating func pass(_ passed: EvidenceChain) { if passed == chain { isMet = true } }
    }

    private func follow(_ seen: inout Expectation, fromStart: Bool) throws(EvidenceError) -> EvidenceVerdict {
        var verdict = EvidenceVerdict()
        var chain = EvidenceChain.start
        let numbers = try Segment.list(directory)
        guard let first = numbers.first else {
            verdict.problem = EvidenceError(.missing, file: directory, "there is no evidence")
            return verdict
        }
        if fromStart, first != 1 {
            verdict.firstSegment = first
            verdict.problem = EvidenceError(
                .missing, file: directory, "the first segment is \(first): those before it are not there")
            return verdict
        }
        verdict.firstSegment = numbers.first ?? 0
        for (index, number) in numbers.enumerated() {
            let path = "\(directory)/\(Segment.name(number))"
            if index > 0, number != numbers[index - 1] + 1 {
                verdict.problem = EvidenceError(
                    .brokenOrder, file: path, line: 1,
                    "segment \(numbers[index - 1] + 1) is missing before it")
                return verdict
            }
            let problem = try follow(
                path, number, &chain, isFirst: index == 0, isLast: index == numbers.count - 1, &seen, &verdict)
            verdict.digest = chain.hexadecimal
            if let problem {
                verdict.problem = problem
                return verdict
            }
            verdict.segments += 1
            verdict.lastSegment = number
        }
        return verdict
    }

    private func follow(
        _ path: String, _ number: UInt64, _ chain: inout EvidenceChain, isFirst: Bool, isLast: Bool,
        _ seen: inout Expectation, _ verdict: inout EvidenceVerdict
    ) throws(EvidenceError) -> EvidenceError? {
        let reader = try LineReader(path)
        while let line = try reader.next() {
            if reader.line == 1 {
                guard let previous = Segment.previous(of: line, number) else {
                    return EvidenceError(
                        .brokenOrder, file: path, line: 1, "the first line is no header of segment \(number)")
                }
                // Segments before the first may have been archived; the chain then starts where it says.
                if isFirst, number > 1 { chain = previous }
                guard previous == chain else {
                    return EvidenceError(
                        .brokenOrder, file: path, line: 1, "does not follow from the segment before it")
                }
            }
            seen.pass(chain)
            guard chain.follow(line) else {
                return EvidenceError(
                    .brokenChain, file: path, line: reader.line,
                    "the digest does not follow from the lines before it")
            }
            verdict.lines += 1
            if line.starts(with: Segment.gapOpening) { verdict.gaps += 1 }
        }
        seen.pass(chain)
        verdict.bytes += UInt64(reader.consumed)
        let rest = reader.rest.count
        if rest > 0, !isLast {
            return EvidenceError(.brokenChain, file: path, line: reader.line + 1, "an unfinished line of \(rest) bytes")
        }
        if reader.line == 0, !isLast {
            return EvidenceError(.brokenOrder, file: path, line: 1, "the segment is empty")
        }
        verdict.unfinishedBytes = rest
        return nil
    }
}

/// Reads the lines of a directory in order, segment by segment, without checking them (`evidence export`, a plain scan for
/// `who-read`).
public struct EvidenceReader: Sendable {
    public let directory: String
    public init(directory: String) { self.directory = directory }

    /// Where a line stands.
    public struct Place: Sendable, Equatable {
        public let file: String
        public let line: Int
    }

    /// Shows each line (without its newline) until `body` returns false. Memory is that of the longest line.
    ///
    /// - Throws: where the directory or a file cannot be read.
    public func read(_ body: (Place, ArraySlice<UInt8>) -> Bool) throws(EvidenceError) {
        for number in try Segment.list(directory) {
            let path = "\(directory)/\(Segment.name(number))"
            let reader = try LineReader(path)
            while let line = try reader.next() {
                guard body(Place(file: path, line: reader.line), line) else { return }
            }
        }
    }
}
