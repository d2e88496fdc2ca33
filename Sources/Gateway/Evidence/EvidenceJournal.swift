import Glibc
import TidegateCore

/// When a segment is full: by size, or by time since it was opened (by this process).
public struct EvidenceRolling: Sendable, Equatable {
    public var bytes: Int
    public var seconds: Int64
    public init(bytes: Int = 64 << 20, seconds: Int64 = 86_400) {
        self.bytes = bytes
        self.seconds = seconds
    }
}

/// The segments of one directory, as one thread writes them: chain, rolling, recovery. Not thread-safe.
///
/// What is appended counts only once `keep` is called; until then `rollBack` undoes it, a torn write included. What is
/// kept can still be lost until it is synchronised: where that fails, `rollBack` undoes it too and says how much it was.
final class EvidenceJournal {
    let directory: String
    let files: any EvidenceFileSystem
    private let rolling: EvidenceRolling
    private let lock: DirectoryLock
    private var file: (any EvidenceFile)?
    private(set) var segment: UInt64 = 0
    private var opened: Instant
    private var now = State()
    private var kept = State()
    private var synced = State()
    /// The file may hold more than what was kept.
    private var isDirty = false
    /// Lines that were kept, and are gone since a synchronisation failed.
    private var dropped = 0
    /// Ids of the gap lines in the last segments that were there at the start.
    private(set) var knownGaps: Set<String> = []

    struct State {
        var chain = EvidenceChain.start
        /// Bytes of the segment.
        var length = 0
        /// Lines of the segment, its header included.
        var lines = 0
    }

    /// Where the chain stands: enough to notice later that its end was taken away.
    struct Anchor {
        var segment: UInt64
        var lines: Int
        var digest: String
    }

    /// Locks the directory, makes it where it is missing, and follows the last segment's chain to its end.
    ///
    /// - Throws: `inUse`; `brokenChain` or `brokenOrder` with file and line; what the system says.
    init(
        _ directory: String, rolling: EvidenceRolling, files: any EvidenceFileSystem, at time: Instant
    ) throws(EvidenceError) {
        self.directory = directory
        self.files = files
        self.rolling = rolling
        opened = time
        lock = try DirectoryLock(directory)
        if let recovery = try EvidenceRecovery(directory, files) {
            try resume(recovery, at: time)
        } else {
            try open(1, at: time)
        }
    }

    private func path(_ number: UInt64) -> String { "\(directory)/\(Segment.name(number))" }

    private func resume(_ recovery: EvidenceRecovery, at time: Instant) throws(EvidenceError) {
        segment = recovery.segment
        knownGaps = recovery.gaps
        file = recovery.file
        now = recovery.end
        (kept, synced) = (now, now)
        if recovery.beginsAnew { try begin(segment, at: time) }
        var lines: [UInt8] = []
        for torn in recovery.unreported {
            lines += gap(at: time, id: torn.end.gapID) { line in
                JSONText.member("reason", "torn line after a crash", to: &line)
                JSONText.member("bytes", torn.bytes, to: &line)
            }
        }
        if !lines.isEmpty {
            try append([lines])
            keep()
        }
        // What was read may never have been synchronised, by a process that was killed.
        try synchronize()
    }

    private func open(_ number: UInt64, at time: Instant) throws(EvidenceError) {
        let next = try files.create(path(number))
        let before = (file, segment, opened, now, kept, synced)
        file = next
        segment = number
        now = State(chain: now.chain)
        (kept, synced) = (now, now)
        do throws(EvidenceError) {
            try begin(number, at: time)
        } catch {
            // The old segment stays current. A header in the new one would not follow from the lines still to come; where
            // it cannot be taken back, recovery finds that it does not.
            try? next.truncate(to: 0)
            (file, segment, opened, now, kept, synced) = before
            throw error
        }
    }

    private func begin(_ number: UInt64, at time: Instant) throws(EvidenceError) {
        opened = time
        try append([Segment.header(number, previous: now.chain, at: time) + [10]])
        try synchronize()
        keep()
    }

    /// Takes the file back to what was kept.
    func clean() throws(EvidenceError) {
        guard isDirty else { return }
        try file?.truncate(to: kept.length)
        now = kept
        isDirty = false
    }

    /// What is written at a time, about: lines and their digests beside each other take no more memory than that.
    private static let pieceBytes = 1 << 20

    /// Appends parts of lines, each line ended by `}` and a newline.
    ///
    /// - Returns: bytes written, digests included.
    /// - Throws: then call `rollBack`; nothing of `parts` counts.
    @discardableResult
    func append(_ parts: [[UInt8]]) throws(EvidenceError) -> Int {
        guard let file else { throw EvidenceError(.system(EBADF), file: directory, "no segment is open") }
        try clean()
        let size = parts.reduce(0) { $0 + $1.count }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(size + size / 2, EvidenceJournal.pieceBytes))
        var written = 0
        isDirty = true
        for lines in parts {
            var at = 0
            while at < lines.count {
                guard let end = lines[at...].firstIndex(of: 10), now.chain.append(lines[at..<end], to: &bytes) else {
                    throw EvidenceError(
                        .malformed, file: file.path, "a line that is no flat object was to be written")
                }
                now.lines += 1
                at = end + 1
                if bytes.count >= EvidenceJournal.pieceBytes { written += try write(&bytes, to: file) }
            }
        }
        written += try write(&bytes, to: file)
        isDirty = false
        return written
    }

    private func write(_ bytes: inout [UInt8], to file: any EvidenceFile) throws(EvidenceError) -> Int {
        guard !bytes.isEmpty else { return 0 }
        try file.append(bytes)
        now.length += bytes.count
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes.count
    }

    /// Starts the next segment where this one is full.
    ///
    /// - Returns: where the full one ended; nil where it goes on.
    func rollIfFull(adding bytes: Int, at time: Instant) throws(EvidenceError) -> Anchor? {
        try clean()
        let isOld = time.milliseconds(since: opened) / 1000 >= rolling.seconds
        guard isOld || now.length + bytes > rolling.bytes else { return nil }
        try synchronize()
        let end = anchor
        try open(segment + 1, at: time)
        return end
    }

    /// Everything appended is on stable storage when it returns.
    func synchronize() throws(EvidenceError) {
        do throws(EvidenceError) {
            try file?.synchronize()
        } catch {
            // Pages that could not be written may be gone, and the next fdatasync would not say so (fsync(2)).
            dropped += max(0, kept.lines - synced.lines)
            kept = synced
            throw error
        }
        synced = now
    }

    /// What was appended until now stays.
    func keep() { kept = now }

    /// What was appended since `keep` is undone, at the latest before the next append.
    ///
    /// - Returns: lines that had been kept, and are undone too.
    func rollBack() -> Int {
        defer { dropped = 0 }
        now = kept
        isDirty = true
        return dropped
    }

    /// The end of what is on stable storage.
    var anchor: Anchor { Anchor(segment: segment, lines: synced.lines, digest: synced.chain.hexadecimal) }

    /// An `evidence.gap` line with its newline.
    func gap(at time: Instant, id: String, _ members: (inout [UInt8]) -> Void) -> [UInt8] {
        var line: [UInt8] = [UInt8(ascii: "{")]
        JSONText.member("type", "evidence.gap", to: &line)
        JSONText.member("time", time.rfc3339, to: &line)
        JSONText.member("id", id, to: &line)
        members(&line)
        line.append(contentsOf: [UInt8(ascii: "}"), 10])
        return line
    }
}
