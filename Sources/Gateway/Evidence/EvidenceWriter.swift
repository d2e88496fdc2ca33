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
    public init() {}
}

/// Writes evidence to stable storage, on a thread of its own, by group commit.
///
/// A commit takes all that gathered while the one before was synchronised: one write, one sync, one call per loop. So in
/// strict mode there is no timer. After a failure what was not stored is given up and counted, the file is taken back to
/// where it was stored, and storing is tried again with every commit and every 200 ms; the first line that can be stored
/// then is an `evidence.gap` with count and time span.
public final class EvidenceWriter: EvidenceSink {
    static let interval = 200

    private struct Batch {
        var lines: [UInt8]
        var waiter: (any EvidenceWaiter)?
        var ticket: Ticket
        var since: Instant
    }

    private struct Shared {
        var batches: [Batch] = []
        /// When the oldest line of the commit under way came.
        var committingSince: Instant?
        var isClosing = false
        var status = EvidenceStatus()
        var written: UInt64 = 0
    }

    private let shared = Mutex(Shared())
    private let signal = ThreadSignal()
    private let thread: Mutex<WriterThread?> = Mutex(nil)
    private let settings: EvidenceSettings
    private let log: Log
    private let idPrefix: String

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
        shared.withLock { $0.status.segment = journal.segment }
        start(journal)
    }

    private func start(_ journal: sending EvidenceJournal) {
        let handover = Handover(journal)
        let started = WriterThread { [self] in
            guard let journal = handover.take() else { return }
            var committer = EvidenceCommitter(self, journal)
            committer.run()
        }
        thread.withLock { $0 = started }
    }

    // MARK: Submitting

    public func submit(_ lines: [UInt8], upTo ticket: Ticket, from loop: any EvidenceWaiter) {
        put(Batch(lines: lines, waiter: loop, ticket: ticket, since: .current))
    }

    /// Writes an event that belongs to no session (`config.reloaded`); nobody waits for it.
    ///
    /// - Parameter members: appends `,"key":value` members.
    public func write(_ type: StaticString, _ members: (inout [UInt8]) -> Void = { _ in }) {
        let now = Instant.current
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
        put(Batch(lines: line, waiter: nil, ticket: 0, since: now))
    }

    private func put(_ batch: Batch) {
        let (isFirst, isClosed) = shared.withLock { shared in
            if shared.isClosing { return (false, true) }
            shared.batches.append(batch)
            return (shared.batches.count == 1, false)
        }
        if isClosed {
            batch.waiter?.evidenceFailed()
        } else if isFirst {
            signal.raise()
        }
    }

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
        let now = Instant.current
        return shared.withLock { shared in
            var status = shared.status
            if let oldest = shared.committingSince ?? shared.batches.first?.since {
                status.oldestWaitingSeconds = max(0, Double(now.milliseconds(since: oldest)) / 1000)
            }
            return status
        }
    }

    // MARK: Committing

    /// What the thread does; its state is the thread's alone.
    private struct EvidenceCommitter {
        let writer: EvidenceWriter
        let journal: EvidenceJournal
        var waiters: [ObjectIdentifier: any EvidenceWaiter] = [:]
        var lost: (lines: Int, from: Instant, to: Instant)?
        var gaps = 0
        var isSynchronised = true
        var isWritable = true

        init(_ writer: EvidenceWriter, _ journal: EvidenceJournal) {
            self.writer = writer
            self.journal = journal
        }

        mutating func run() {
            var lastSync = Instant.current
            while true {
                if isSynchronised, isWritable {
                    writer.signal.wait()
                } else {
                    writer.signal.wait(milliseconds: EvidenceWriter.interval)
                }
                let (batches, isClosing) = writer.shared.withLock { shared in
                    let taken = shared.batches
                    shared.batches = []
                    shared.committingSince = taken.first?.since
                    return (taken, shared.isClosing)
                }
                if !batches.isEmpty || !isWritable { commit(batches) }
                let isDue = Instant.current.milliseconds(since: lastSync) >= Int64(EvidenceWriter.interval)
                if !isSynchronised, isDue || isClosing {
                    synchronise()
                    lastSync = .current
                }
                writer.shared.withLock { $0.committingSince = nil }
                if isClosing, writer.shared.withLock({ $0.batches.isEmpty }) { return }
            }
        }

        private mutating func commit(_ batches: [Batch]) {
            let started = Instant.current
            var highest: [ObjectIdentifier: Ticket] = [:]
            var lines: [UInt8] = []
            for batch in batches {
                lines += batch.lines
                guard let waiter = batch.waiter else { continue }
                let id = ObjectIdentifier(waiter)
                waiters[id] = waiter
                highest[id] = max(highest[id] ?? 0, batch.ticket)
            }
            do throws(EvidenceError) {
                let bytes = try store(lines, at: started)
                stored(lines.count { $0 == 10 }, bytes, since: started)
                for (id, ticket) in highest { waiters[id]?.evidenceIsDurable(upTo: ticket) }
            } catch {
                // A retry that had nothing to store tells nobody again.
                let isNews = isWritable || !batches.isEmpty
                fail(error, lines.count { $0 == 10 }, since: batches.first?.since ?? started)
                switch writer.settings.onFailure {
                case .stop: if isNews { for waiter in waiters.values { waiter.evidenceFailed() } }
                case .gap: for (id, ticket) in highest { waiters[id]?.evidenceIsDurable(upTo: ticket) }
                }
            }
        }

        /// - Returns: bytes written.
        private mutating func store(_ lines: [UInt8], at now: Instant) throws(EvidenceError) -> Int {
            try journal.rollIfFull(adding: lines.count, at: now)
            var all = lines
            if let lost {
                let number = gaps
                let mode = writer.settings.onFailure == .stop ? "stop" : "gap"
                all =
                    journal.gap(at: now, id: "\(writer.idPrefix)-gap-\(number)") { line in
                        JSONText.member("reason", "evidence could not be stored", to: &line)
                        JSONText.member("mode", mode, to: &line)
                        JSONText.member("lines", lost.lines, to: &line)
                        JSONText.member("from", lost.from.rfc3339, to: &line)
                        JSONText.member("to", lost.to.rfc3339, to: &line)
                    } + lines
            }
            let bytes = try journal.append(all)
            if writer.settings.durability == .strict || !isWritable {
                try journal.synchronize()
            } else {
                isSynchronised = false
            }
            journal.keep()
            return bytes
        }

        private mutating func stored(_ lines: Int, _ bytes: Int, since started: Instant) {
            let wasWritable = isWritable
            isWritable = true
            if lost != nil { gaps += 1 }
            lost = nil
            let seconds = Double(max(0, Instant.current.nanoseconds - started.nanoseconds)) / 1e9
            writer.shared.withLock { shared in
                shared.status.linesWritten += UInt64(lines)
                shared.status.bytesWritten += UInt64(bytes)
                shared.status.commits += 1
                shared.status.lastCommitSeconds = seconds
                shared.status.segment = journal.segment
                shared.status.isWritable = true
                shared.status.failure = nil
            }
            if !wasWritable {
                writer.log.info("evidence is stored again", ["directory": writer.settings.directory])
                if writer.settings.onFailure == .stop { for waiter in waiters.values { waiter.evidenceRecovered() } }
            }
        }

        private mutating func fail(_ error: EvidenceError, _ lines: Int, since: Instant) {
            journal.rollBack()
            let now = Instant.current
            lost = (lines + (lost?.lines ?? 0), lost?.from ?? since, now)
            let wasWritable = isWritable
            isWritable = false
            writer.shared.withLock { shared in
                shared.status.failures += 1
                shared.status.linesLost += UInt64(lines)
                shared.status.isWritable = false
                shared.status.failure = error.description
            }
            if wasWritable {
                writer.log.error("evidence cannot be stored", ["reason": error.description])
            }
        }

        /// Relaxed mode: what was written, and let go, in the last 200 ms.
        private mutating func synchronise() {
            isSynchronised = true
            do throws(EvidenceError) {
                try journal.synchronize()
            } catch {
                fail(error, 0, since: .current)
                if writer.settings.onFailure == .stop { for waiter in waiters.values { waiter.evidenceFailed() } }
            }
        }
    }
}

/// Gives the journal to the writer's thread, once.
private final class Handover: Sendable {
    private let box: Mutex<EvidenceJournal?>
    init(_ journal: sending EvidenceJournal) { box = Mutex(journal) }
    func take() -> sending EvidenceJournal? {
        box.withLock { held in
            let journal = held
            held = nil
            return journal
        }
    }
}
