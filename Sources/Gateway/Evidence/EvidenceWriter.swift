import Synchronization
public import TidegateCore

/// How evidence is kept: `evidence:` of the configuration.
public struct EvidenceSettings: Sendable, Equatable {
    public enum Durability: Sendable, Equatable {
        /// Durable means synchronised.
        case strict
        /// Durable means written; synchronised within 200 ms.
        case relaxed
    }
    /// What happens to sessions while nothing can be stored.
    public enum OnFailure: Sendable, Equatable {
        /// They are cut, and no new ones get anything.
        case stop
        /// They go on, and a gap is written down when storing works again.
        case gap
    }

    public var directory: String
    public var durability: Durability
    public var onFailure: OnFailure
    public var rolling: EvidenceRolling
    /// Relaxed mode: bytes that may wait for storage before it counts as not answering; the last batch may exceed them.
    public var pendingBytes = 32 << 20

    public init(
        directory: String, durability: Durability = .strict, onFailure: OnFailure = .stop,
        rolling: EvidenceRolling = EvidenceRolling()
    ) {
        self.directory = directory
        self.durability = durability
        self.onFailure = onFailure
        self.rolling = rolling
    }
}

/// How the writer is doing, for /metrics and /readyz.
public struct EvidenceStatus: Sendable, Equatable {
    /// False from a failure until storing works again.
    public var isWritable = true
    /// What the last failure said; nil where storing works.
    public var failure: String?
    public var linesWritten: UInt64 = 0
    public var bytesWritten: UInt64 = 0
    public var commits: UInt64 = 0
    public var failures: UInt64 = 0
    /// Lines that were given up.
    public var linesLost: UInt64 = 0
    public var lastCommitSeconds = 0.0
    /// How long the oldest line has waited that is not durable yet; zero where none waits.
    public var oldestWaitingSeconds = 0.0
    public var segment: UInt64 = 0
    /// Free for this process on the directory's disk, seconds ago; zero where nothing is known.
    public var freeBytes: UInt64 = 0
    public init() {}

    /// False where nothing can be stored, and where storage has not answered for so long that nobody should wait for it.
    public var isResponsive: Bool { isWritable && oldestWaitingSeconds <= 5 }
}

/// Writes evidence to stable storage, on a thread of its own, by group commit.
///
/// A commit takes all that gathered while the one before was synchronised: one write a MiB, one sync, one call per
/// loop. So in strict mode there is no timer. After a failure what was not stored is given up and counted, the file is taken back to
/// where it was stored, and storing is tried again with every commit and every 200 ms; the first line that can be stored
/// then is an `evidence.gap` with count and time span. What is owed then is noted in a file, so that it outlives the process.
public final class EvidenceWriter: EvidenceSink {
    let shared = Mutex(EvidenceQueue())
    let signal = ThreadSignal()
    private let thread: Mutex<WriterThread?> = Mutex(nil)
    let settings: EvidenceSettings
    let log: Log
    let idPrefix: String

    /// Opens the directory, recovers its last segment, and starts the thread.
    ///
    /// - Parameters:
    ///   - idPrefix: of entries that no loop writes; unique over restarts.
    ///   - files: where segments are written; tests let it fail.
    /// - Throws: `EvidenceError` where the directory is in use, its last segment is broken, or cannot be written.
    public init(
        _ settings: EvidenceSettings, idPrefix: String, log: Log,
        files: sending any EvidenceFileSystem = PosixFileSystem()
    ) throws(EvidenceError) {
        self.settings = settings
        self.log = log
        self.idPrefix = idPrefix
        let journal = try EvidenceJournal(
            settings.directory, rolling: settings.rolling, files: files, at: .current)
        let note = try OutageNote(settings.directory)
        // The gap line may have been stored, and only the note not cleared.
        let owed = try note.read().flatMap { journal.knownGaps.contains($0.id) ? nil : $0 }
        if owed == nil { try note.write(nil) }
        shared.withLock { $0.status.segment = journal.segment }
        start(Start(journal: journal, note: note, owed: owed))
    }

    private struct Start {
        var journal: EvidenceJournal
        var note: OutageNote
        var owed: Outage?
    }

    private func start(_ start: sending Start) {
        let handover = Handover(start)
        let started = WriterThread { [self] in
            guard let start = handover.take() else { return }
            var committer = EvidenceCommitter(self, start.journal, start.note, owing: start.owed)
            committer.run()
        }
        thread.withLock { $0 = started }
    }

    // MARK: Submitting

    public func submit(_ lines: [UInt8], upTo ticket: Ticket, from loop: any EvidenceWaiter) {
        put(EvidenceBatch(lines, upTo: ticket, for: loop, since: .current))
    }

    /// Writes an event that belongs to no session (`config.reloaded`); nobody waits for it.
    ///
    /// - Parameter members: appends `,"key":value` members.
    public func write(_ type: StaticString, _ members: (inout [UInt8]) -> Void = { _ in }) {
        let now = Instant.current
        put(EvidenceBatch(line(type, at: now, members), since: now))
    }

    /// A line of no session, with an id of its own.
    func line(_ type: StaticString, at now: Instant, _ members: (inout [UInt8]) -> Void) -> [UInt8] {
        let number = shared.withLock { shared in
            shared.written += 1
            return shared.written
        }
        var line: [UInt8] = [UInt8(ascii: "{")]
        JSONText.member("type", "\(type)", to: &line)
        JSONText.member("time", now.rfc3339, to: &line)
        JSONText.member("id", "\(idPrefix)-\(number)", to: &line)
        members(&line)
        line.append(contentsOf: [UInt8(ascii: "}"), 10])
        return line
    }

    private enum Reception {
        case queued(isFirst: Bool)
        case closed
        case refused(isNews: Bool)
    }

    private func put(_ batch: EvidenceBatch) {
        let reception = shared.withLock { shared -> Reception in
            if shared.isClosing { return .closed }
            if let waiter = batch.waiter { shared.know(waiter) }
            if settings.durability == .relaxed, shared.isStalled(beyond: settings.pendingBytes) {
                let isNews = shared.refused == nil
                shared.refuse(batch)
                // Said before anybody can say that it is over.
                if settings.onFailure == .stop {
                    if isNews { shared.tellFailure() } else { batch.waiter?.evidenceFailed() }
                }
                return .refused(isNews: isNews)
            }
            shared.append(batch)
            return .queued(isFirst: shared.batches.count == 1)
        }
        switch reception {
        case .closed: batch.waiter?.evidenceFailed()
        case .queued(let isFirst): if isFirst { signal.raise() }
        case .refused(let isNews): refuse(batch, isNews)
        }
    }

    private func refuse(_ batch: EvidenceBatch, _ isNews: Bool) {
        if isNews {
            log.error("evidence cannot be stored", ["reason": "storage does not answer"])
            signal.raise()
        }
        if settings.onFailure == .gap { batch.waiter?.evidenceIsDurable(upTo: batch.ticket) }
    }

    func tellFailure() { shared.withLock { $0.tellFailure() } }

    /// Stores what was submitted, synchronises and ends the thread. What is submitted later fails.
    public func close() {
        shared.withLock { $0.isClosing = true }
        signal.raise()
        let running = thread.withLock { held in
            let running = held
            held = nil
            return running
        }
        running?.join()
    }

    /// A copy of the figures.
    public var status: EvidenceStatus {
        shared.withLock { shared in
            var status = shared.status
            status.oldestWaitingSeconds = Double(shared.oldestMilliseconds(at: Monotonic.milliseconds)) / 1000
            return status
        }
    }
}

/// Gives what it holds to the writer's thread, once.
private final class Handover<Content>: Sendable {
    private let box: Mutex<Content?>
    init(_ content: sending Content) { box = Mutex(content) }
    func take() -> sending Content? {
        box.withLock { held in
            let content = held
            held = nil
            return content
        }
    }
}
