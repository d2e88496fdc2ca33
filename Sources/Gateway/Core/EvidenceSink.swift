/// Takes the evidence of the event loops to stable storage. Implemented by Evidence.
public protocol EvidenceSink: AnyObject, Sendable {
    /// Takes lines of one loop, each ended by a newline, in order; returns at once.
    ///
    /// - Parameters:
    ///   - ticket: the last of the loop's tickets among them; `loop` is told when it is durable.
    ///   - loop: whom to tell; `loop.index` tells loops apart.
    func submit(_ lines: [UInt8], upTo ticket: Ticket, from loop: any EvidenceWaiter)
}

/// A loop whose outboxes wait for evidence; called from the writer's thread, once a commit.
public protocol EvidenceWaiter: AnyObject, Sendable {
    var index: Int { get }
    /// Everything up to `ticket` is on stable storage.
    func evidenceIsDurable(upTo ticket: Ticket)
    /// The writer has failed and the operator chose to stop: what waits is dropped, sessions are cut, nothing is admitted.
    func evidenceFailed()
    /// The writer works again.
    func evidenceRecovered()
}
