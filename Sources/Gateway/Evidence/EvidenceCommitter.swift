import Glibc
import Synchronization
import TidegateCore

/// What the writer's thread does; its state is the thread's alone.
struct EvidenceCommitter {
    private static let interval: Int32 = 200
    private static let idleMilliseconds: Int32 = 10_000
    private static let anchorMilliseconds: Int64 = 60_000

    private let writer: EvidenceWriter
    private let journal: EvidenceJournal
    private let note: OutageNote
    private var lost: Outage?
    private var gaps = 0
    private var isSynchronised = true
    private var isWritable = true
    /// When the oldest line came that is written but not synchronised.
    private var unsyncedSince: Instant?
    /// What was logged last, and when.
    private var anchored = (digest: "", at: Monotonic.milliseconds)

    init(_ writer: EvidenceWriter, _ journal: EvidenceJournal, _ note: OutageNote, owing lost: Outage?) {
        self.writer = writer
        self.journal = journal
        self.note = note
        self.lost = lost
    }

    mutating func run() {
        var lastSync = Monotonic.milliseconds
        var lastLook = lastSync
        lookAtDisk()
        if lost != nil { commit([]) }
        while true {
            let isIdle = isSynchronised && isWritable && lost == nil
            writer.signal.wait(
                milliseconds: isIdle ? EvidenceCommitter.idleMilliseconds : EvidenceCommitter.interval)
            let (taken, isClosing) = writer.shared.withLock { ($0.take(), $0.isClosing) }
            if let refused = taken.refused { stalled(refused) }
            if !taken.batches.isEmpty || lost != nil { commit(taken.batches) }
            let isDue = Monotonic.milliseconds - lastSync >= Int64(EvidenceCommitter.interval)
            if !isSynchronised, isDue || isClosing {
                synchronise()
                lastSync = Monotonic.milliseconds
            }
            let isEmpty = writer.shared.withLock { shared in
                shared.endCommit()
                return shared.batches.isEmpty && shared.refused == nil
            }
            if Monotonic.milliseconds - anchored.at >= EvidenceCommitter.anchorMilliseconds { logAnchor() }
            if isClosing, isEmpty { return end() }
            if Monotonic.milliseconds - lastLook >= Int64(EvidenceCommitter.idleMilliseconds) {
                lookAtDisk()
                lastLook = Monotonic.milliseconds
            }
        }
    }

    /// Here, since asking a disk may take as long as writing to it.
    private func lookAtDisk() {
        var free = statvfs()
        guard unsafe statvfs(writer.settings.directory, &free) == 0 else { return }
        let bytes = UInt64(free.f_bavail).multipliedReportingOverflow(by: UInt64(free.f_frsize))
        writer.shared.withLock { $0.status.freeBytes = bytes.overflow ? .max : bytes.partialValue }
    }

    private mutating func end() {
        logAnchor()
        // What cannot be taken back here is moved aside by the next start.
        try? journal.clean()
        guard let lost else { return }
        writer.log.error(
            "evidence is lost; the next start writes the gap",
            ["lines": "\(lost.lines)", "from": lost.from.rfc3339, "to": lost.to.rfc3339])
    }

    /// Says where the chain stands, where someone else keeps it: `evidence verify --expect` compares.
    private mutating func logAnchor(_ end: EvidenceJournal.Anchor? = nil) {
        let anchor = end ?? journal.anchor
        defer { anchored = (anchor.digest, Monotonic.milliseconds) }
        guard anchor.digest != anchored.digest else { return }
        writer.log.info(
            "evidence stands",
            ["segment": "\(anchor.segment)", "lines": "\(anchor.lines)", "digest": anchor.digest])
    }

    private mutating func commit(_ batches: [EvidenceBatch]) {
        let started = Instant.current
        var highest: [ObjectIdentifier: (waiter: any EvidenceWaiter, ticket: Ticket)] = [:]
        var lines = 0
        for batch in batches {
            lines += batch.count
            guard let waiter = batch.waiter else { continue }
            let id = ObjectIdentifier(waiter)
            highest[id] = (waiter, max(highest[id]?.ticket ?? 0, batch.ticket))
        }
        do throws(EvidenceError) {
            let bytes = try store(batches, at: started)
            if !isSynchronised { unsyncedSince = unsyncedSince ?? batches.first?.since }
            stored(lines, bytes, since: started)
            for (waiter, ticket) in highest.values { waiter.evidenceIsDurable(upTo: ticket) }
        } catch {
            // A retry that had nothing to store tells nobody again.
            let isNews = isWritable || !batches.isEmpty
            fail(error, lines, since: batches.first?.since ?? started)
            switch writer.settings.onFailure {
            case .stop: if isNews { writer.tellFailure() }
            case .gap: for (waiter, ticket) in highest.values { waiter.evidenceIsDurable(upTo: ticket) }
            }
        }
    }

    /// Stores all of the batches, or throws; then none of them counts.
    ///
    /// - Returns: bytes written.
    private mutating func store(_ batches: [EvidenceBatch], at now: Instant) throws(EvidenceError) -> Int {
        let size = batches.reduce(0) { $0 + $1.lines.count }
        if let end = try journal.rollIfFull(adding: size, at: now) {
            (isSynchronised, unsyncedSince) = (true, nil)
            logAnchor(end)
        }
        var parts = batches.map(\.lines)
        if let lost {
            let mode = writer.settings.onFailure == .stop ? "stop" : "gap"
            parts.insert(
                journal.gap(at: now, id: lost.id) { line in
                    JSONText.member("reason", "evidence could not be stored", to: &line)
                    JSONText.member("mode", mode, to: &line)
                    JSONText.member("lines", lost.lines, to: &line)
                    JSONText.member("from", lost.from.rfc3339, to: &line)
                    JSONText.member("to", lost.to.rfc3339, to: &line)
                }, at: 0)
        }
        let bytes = try journal.append(parts)
        if writer.settings.durability == .strict || lost != nil {
            try journal.synchronize()
            (isSynchronised, unsyncedSince) = (true, nil)
        } else {
            isSynchronised = false
        }
        journal.keep()
        return bytes
    }

    private mutating func stored(_ lines: Int, _ bytes: Int, since started: Instant) {
        let wasWritable = isWritable
        isWritable = true
        if lost != nil {
            gaps += 1
            lost = nil
            remember()
        }
        let seconds = Double(max(0, Instant.current.nanoseconds - started.nanoseconds)) / 1e9
        writer.shared.withLock { shared in
            shared.status.linesWritten += UInt64(lines)
            shared.status.bytesWritten += UInt64(bytes)
            shared.status.commits += 1
            shared.status.lastCommitSeconds = seconds
            shared.status.segment = journal.segment
            guard shared.refused == nil else { return }
            shared.status.isWritable = true
            shared.status.failure = nil
            if !wasWritable, writer.settings.onFailure == .stop { shared.tellRecovery() }
        }
        if !wasWritable {
            writer.log.info("evidence is stored again", ["directory": writer.settings.directory])
        }
    }

    private mutating func fail(_ error: EvidenceError, _ lines: Int, since: Instant) {
        let dropped = journal.rollBack()
        let wasWritable = isWritable
        isWritable = false
        lose(lines + dropped, from: dropped > 0 ? min(since, unsyncedSince ?? since) : since)
        if dropped > 0 { (isSynchronised, unsyncedSince) = (true, nil) }
        writer.shared.withLock { shared in
            shared.status.failures += 1
            shared.status.linesLost += UInt64(lines + dropped)
            shared.status.isWritable = false
            shared.status.failure = error.description
        }
        if wasWritable {
            writer.log.error("evidence cannot be stored", ["reason": error.description])
        }
    }

    /// Lines were given up while this thread waited for storage.
    private mutating func stalled(_ refused: (lines: Int, from: Instant, to: Instant)) {
        isWritable = false
        lose(refused.lines, from: refused.from, to: refused.to)
    }

    private mutating func lose(_ lines: Int, from: Instant, to: Instant = .current) {
        var outage = lost ?? Outage(id: "\(writer.idPrefix)-gap-\(gaps)", lines: 0, from: from, to: to)
        outage.add(lines: lines, from: from, to: to)
        lost = outage
        remember()
    }

    private func remember() {
        do throws(EvidenceError) {
            try note.write(lost)
        } catch {
            writer.log.error("an outage of evidence cannot be noted", ["reason": error.description])
        }
    }

    /// Relaxed mode: what was written, and let go, in the last 200 ms.
    private mutating func synchronise() {
        isSynchronised = true
        do throws(EvidenceError) {
            try journal.synchronize()
            unsyncedSince = nil
        } catch {
            fail(error, 0, since: .current)
            if writer.settings.onFailure == .stop { writer.tellFailure() }
        }
    }
}
