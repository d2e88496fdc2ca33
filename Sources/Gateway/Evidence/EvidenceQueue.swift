import TidegateCore

/// Lines that were submitted together.
struct EvidenceBatch {
    var lines: [UInt8]
    var waiter: (any EvidenceWaiter)?
    var ticket: Ticket
    var since: Instant
    /// Milliseconds of the monotonic clock.
    var arrived: Int64

    init(_ lines: [UInt8], upTo ticket: Ticket = 0, for waiter: (any EvidenceWaiter)? = nil, since: Instant) {
        self.lines = lines
        self.waiter = waiter
        self.ticket = ticket
        self.since = since
        arrived = Monotonic.milliseconds
    }

    var count: Int { lines.count { $0 == 10 } }
}

/// What the writer's callers and its thread share.
struct EvidenceQueue {
    /// In relaxed mode nothing else holds sessions back behind storage that does not answer.
    static let patienceMilliseconds: Int64 = 5000

    private(set) var batches: [EvidenceBatch] = []
    /// Of batches, and of the commit under way.
    private(set) var pendingBytes = 0
    private var committingBytes = 0
    private var committingArrived: Int64?
    /// What was given up since the thread last took batches: storage does not answer.
    private(set) var refused: (lines: Int, from: Instant, to: Instant)?
    private(set) var waiters: [ObjectIdentifier: any EvidenceWaiter] = [:]
    var isClosing = false
    var status = EvidenceStatus()
    /// Lines of no session.
    var written: UInt64 = 0

    mutating func know(_ waiter: any EvidenceWaiter) { waiters[ObjectIdentifier(waiter)] = waiter }

    /// Telling is posting: it neither waits nor calls back.
    func tellFailure() { for waiter in waiters.values { waiter.evidenceFailed() } }
    func tellRecovery() { for waiter in waiters.values { waiter.evidenceRecovered() } }

    mutating func append(_ batch: EvidenceBatch) {
        batches.append(batch)
        pendingBytes += batch.lines.count
    }

    /// True where nothing more may pile up: storage does not answer.
    ///
    /// - Parameter limit: of bytes that wait behind the commit under way: what is added, or is being written, may be more
    ///   than it by itself, and that is no outage.
    func isStalled(beyond limit: Int) -> Bool {
        if refused != nil { return true }
        if pendingBytes - committingBytes > limit { return true }
        return oldestMilliseconds(at: Monotonic.milliseconds) > EvidenceQueue.patienceMilliseconds
    }

    mutating func refuse(_ batch: EvidenceBatch) {
        refused = ((refused?.lines ?? 0) + batch.count, refused?.from ?? batch.since, batch.since)
        status.linesLost += UInt64(batch.count)
        status.isWritable = false
        status.failure = "storage does not answer"
    }

    /// Takes everything to be committed.
    mutating func take() -> (batches: [EvidenceBatch], refused: (lines: Int, from: Instant, to: Instant)?) {
        let taken = (batches, refused)
        committingBytes = pendingBytes
        committingArrived = batches.first?.arrived
        batches = []
        refused = nil
        return taken
    }

    mutating func endCommit() {
        pendingBytes -= committingBytes
        committingBytes = 0
        committingArrived = nil
    }

    /// How long the oldest line has waited; zero where none waits.
    func oldestMilliseconds(at milliseconds: Int64) -> Int64 {
        guard let oldest = committingArrived ?? batches.first?.arrived else { return 0 }
        return max(0, milliseconds - oldest)
    }
}
