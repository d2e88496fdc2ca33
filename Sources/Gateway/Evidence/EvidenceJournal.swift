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
/// What is appended counts only once `keep` is called; until then `rollBack` undoes it, a torn write included.
final class EvidenceJournal {
    private let directory: String
    private let files: any EvidenceFileSystem
    private let rolling: EvidenceRolling
    private let lock: DirectoryLock
    private var file: (any EvidenceFile)?
    private(set) var segment: UInt64 = 0
    private var opened: Instant
    private var now = State()
    private var kept = State()
    /// The file may hold more than what was kept.
    private var isDirty = false

    private struct State {
        var chain = EvidenceChain.start
        var length = 0
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
        if let last = try Segment.list(directory).last {
            try recover(last, at: time)
        } else {
            try open(1, at: time)
        }
    }

    private func path(_ number: UInt64) -> String { "\(directory)/\(Segment.name(number))" }

    private func recover(_ number: UInt64, at time: Instant) throws(EvidenceError) {
        let reader = try LineReader(path(number))
        segment = number
        while let line = try reader.next() {
            if reader.line == 1 {
                guard let previous = Segment.previous(of: line, number) else {
                    throw EvidenceError(
                        .brokenOrder, file: reader.path, line: 1, "the first line is no header of segment \(number)")
                }
                now.chain = previous
            }
            guard now.chain.follow(line) else {
                throw EvidenceError(
                    .brokenChain, file: reader.path, line: reader.line,
                    "the digest does not follow from the lines before it; nothing is written behind it. "
                        + "Move the directory aside to go on with a new chain.")
            }
        }
        now.length = reader.consumed
        let torn = reader.rest
        let file = try files.open(path(number))
        self.file = file
        kept = now
        if !torn.isEmpty {
            try moveAside(torn, of: number)
            try file.truncate(to: now.length)
        }
        if reader.line == 0 {
            // Not even the header was stored: the chain stands where the segment before it ended.
            now.chain = try endOfChain(before: number)
            kept = now
            try begin(number, at: time)
        }
        if !torn.isEmpty {
            try append(
                gap(at: time, id: "segment-\(number)-recovery-\(now.length)") { line in
                    JSONText.member("reason", "torn line after a crash", to: &line)
                    JSONText.member("bytes", torn.count, to: &line)
                })
            try synchronize()
            keep()
        }
    }

    /// Follows the segment before one that has no line yet.
    private func endOfChain(before number: UInt64) throws(EvidenceError) -> EvidenceChain {
        guard let previous = try Segment.list(directory).last(where: { $0 < number }) else { return .start }
        let reader = try LineReader(path(previous))
        var chain = EvidenceChain.start
        while let line = try reader.next() {
            if reader.line == 1, let before = Segment.previous(of: line, previous) { chain = before }
            guard chain.follow(line) else {
                throw EvidenceError(
                    .brokenChain, file: reader.path, line: reader.line,
                    "the digest does not follow from the lines before it")
            }
        }
        return chain
    }

    private func moveAside(_ torn: [UInt8], of number: UInt64) throws(EvidenceError) {
        let aside = try files.create("\(path(number)).torn-\(now.length)")
        try aside.append(torn)
        try aside.synchronize()
    }

    private func open(_ number: UInt64, at time: Instant) throws(EvidenceError) {
        let next = try files.create(path(number))
        let before = (file, segment, now, kept)
        file = next
        segment = number
        now.length = 0
        kept = State(chain: now.chain, length: 0)
        do throws(EvidenceError) {
            try begin(number, at: time)
        } catch {
            // The old segment stays current; the new file is emptied when it is tried again.
            (file, segment, now, kept) = before
            throw error
        }
    }

    private func begin(_ number: UInt64, at time: Instant) throws(EvidenceError) {
        opened = time
        try append(Segment.header(number, previous: now.chain, at: time) + [10])
        try synchronize()
        keep()
    }

    /// Appends lines, each ended by `}` and a newline; rolls before them where the segment is full.
    ///
    /// - Returns: bytes written, digests included.
    /// - Throws: then call `rollBack`; nothing of `lines` counts.
    @discardableResult
    func append(_ lines: [UInt8]) throws(EvidenceError) -> Int {
        guard let file else { throw EvidenceError(.system(EBADF), file: directory, "no segment is open") }
        if isDirty {
            try file.truncate(to: kept.length)
            now = kept
            isDirty = false
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(lines.count + lines.count / 2)
        var at = 0
        while at < lines.count {
            guard let end = lines[at...].firstIndex(of: 10), now.chain.append(lines[at..<end], to: &bytes) else {
                throw EvidenceError(.malformed, file: file.path, "a line that is no flat object was to be written")
            }
            at = end + 1
        }
        isDirty = true
        try file.append(bytes)
        now.length += bytes.count
        isDirty = false
        return bytes.count
    }

    /// Starts the next segment where this one is full.
    func rollIfFull(adding bytes: Int, at time: Instant) throws(EvidenceError) {
        let isOld = time.milliseconds(since: opened) / 1000 >= rolling.seconds
        guard isOld || now.length + bytes > rolling.bytes else { return }
        try synchronize()
        keep()
        try open(segment + 1, at: time)
    }

    func synchronize() throws(EvidenceError) { try file?.synchronize() }

    /// What was appended until now stays.
    func keep() { kept = now }

    /// What was appended since `keep` is undone, at the latest before the next append.
    func rollBack() {
        now = kept
        isDirty = true
    }

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

/// One process writes into a directory: a lock on the file `pid`, which names the process that holds it.
final class DirectoryLock {
    private let descriptor: Int32

    init(_ directory: String) throws(EvidenceError) {
        if unsafe mkdir(directory, 0o700) == 0 {
            try PosixFileSystem.synchronizeDirectory(of: directory)
        } else if errno != EEXIST {
            throw .system("mkdir", directory)
        }
        let path = "\(directory)/pid"
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("open", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            guard number == EWOULDBLOCK else { throw .system("flock", path, number) }
            var text = [UInt8](repeating: 0, count: 20)
            let count = unsafe text.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            let holder = String(decoding: text.prefix(max(0, count)).filter { (48...57).contains($0) }, as: UTF8.self)
            throw EvidenceError(
                .inUse, file: path, "the evidence directory is in use by process \(holder.isEmpty ? "?" : holder)")
        }
        let pid = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        _ = unsafe pid.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}
