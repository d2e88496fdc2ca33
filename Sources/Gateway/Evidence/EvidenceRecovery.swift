/// What a directory holds when a process begins to write into it, with torn ends moved aside.
///
/// Every step can be cut short by another crash: what was torn is copied before it is cut off, and its gap line is
/// missed as long as no line has its id.
struct EvidenceRecovery {
    /// Goes on with this one.
    let segment: UInt64
    let file: any EvidenceFile
    /// Where its chain ends; that of the segment before where it begins anew.
    let end: EvidenceJournal.State
    /// The segment has no header that counts, and is empty now.
    let beginsAnew: Bool
    /// Ids of the gap lines in the last two segments.
    let gaps: Set<String>
    /// Torn ends without a gap line.
    let unreported: [(end: Segment.TornEnd, bytes: Int)]

    /// - Returns: nil where there is no segment.
    /// - Throws: `brokenChain` or `brokenOrder` with file and line; what the system says.
    init?(_ directory: String, _ files: any EvidenceFileSystem) throws(EvidenceError) {
        let numbers = try Segment.list(directory)
        guard let number = numbers.last else { return nil }
        segment = number
        let last = try SegmentScan(directory, number)
        let before = number > 1 && numbers.contains(number - 1) ? try SegmentScan(directory, number - 1) : nil
        file = try files.open(last.path)
        var torn = try Segment.tornEnds(directory).filter {
            $0.segment == number || before != nil && $0.segment == number - 1
        }
        func moveAside(_ scan: SegmentScan, in file: any EvidenceFile) throws(EvidenceError) {
            guard !scan.rest.isEmpty else { return }
            let end = Segment.TornEnd(segment: scan.number, offset: scan.end.length)
            // A torn gap line says no more than what lies aside already.
            if !torn.contains(end) || !scan.isRestOfGap {
                let aside = try files.create("\(directory)/\(end.name)")
                try aside.append(scan.rest)
                try aside.synchronize()
            }
            if !torn.contains(end) { torn.append(end) }
            try file.truncate(to: scan.end.length)
        }
        try moveAside(last, in: file)
        // A header alone that does not follow was left by a roll that failed: the segment before went on.
        let follows = before.map { $0.end.chain == last.previous } ?? true
        guard follows || last.end.lines <= 1 else {
            throw EvidenceError(.brokenOrder, file: last.path, line: 1, "does not follow from the segment before it")
        }
        beginsAnew = last.end.lines == 0 || !follows
        if beginsAnew {
            if let before, !before.rest.isEmpty {
                let previous = try files.open(before.path)
                try moveAside(before, in: previous)
                try previous.synchronize()
            }
            try file.truncate(to: 0)
            end = EvidenceJournal.State(chain: before?.end.chain ?? .start)
        } else {
            end = last.end
        }
        let gaps = last.gaps.union(before?.gaps ?? [])
        self.gaps = gaps
        var unreported: [(end: Segment.TornEnd, bytes: Int)] = []
        for end in torn where !gaps.contains(end.gapID) {
            let reader = try LineReader("\(directory)/\(end.name)")
            while try reader.next() != nil {}
            unreported.append((end, reader.consumed + reader.rest.count))
        }
        self.unreported = unreported
    }
}

/// One segment, followed to its end.
private struct SegmentScan {
    let number: UInt64
    let path: String
    /// What its header says it follows.
    private(set) var previous = EvidenceChain.start
    private(set) var end = EvidenceJournal.State()
    private(set) var gaps: Set<String> = []
    /// Bytes behind the last newline.
    let rest: [UInt8]

    /// - Throws: `brokenChain` or `brokenOrder` with file and line; what the system says.
    init(_ directory: String, _ number: UInt64) throws(EvidenceError) {
        self.number = number
        path = "\(directory)/\(Segment.name(number))"
        let reader = try LineReader(path)
        while let line = try reader.next() {
            if reader.line == 1 {
                guard let previous = Segment.previous(of: line, number) else {
                    throw EvidenceError(
                        .brokenOrder, file: path, line: 1, "the first line is no header of segment \(number)")
                }
                self.previous = previous
                end.chain = previous
            }
            guard end.chain.follow(line) else {
                throw EvidenceError(
                    .brokenChain, file: path, line: reader.line,
                    "the digest does not follow from the lines before it; nothing is written behind it. "
                        + "Move the directory aside to go on with a new chain.")
            }
            if line.starts(with: Segment.gapOpening), let id = Segment.id(of: line) { gaps.insert(id) }
        }
        end.length = reader.consumed
        end.lines = reader.line
        rest = reader.rest
    }

    /// What is torn may be the line that says that something was torn.
    var isRestOfGap: Bool {
        let count = min(rest.count, Segment.gapOpening.count)
        return rest.prefix(count).elementsEqual(Segment.gapOpening.prefix(count))
    }
}
