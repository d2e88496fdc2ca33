import Dispatch
import Synchronization
public import TidegateCore

/// Writes events that belong to no session, and waits until they are stored: for what is answered outside of the loops.
///
/// One for a writer, which knows whom it has to tell as long as it runs.
public final class EvidenceDesk: EvidenceWaiter {
    /// Told apart from loops, which count from 0.
    public let index = -1
    private let writer: EvidenceWriter
    private let state = Mutex(State())

    private struct State {
        var last: Ticket = 0
        var waiting: [Ticket: Wait] = [:]
    }

    private final class Wait: Sendable {
        let done = DispatchSemaphore(value: 0)
        let isStored = Mutex(false)
        func end(stored: Bool) {
            isStored.withLock { $0 = stored }
            done.signal()
        }
    }

    public init(_ writer: EvidenceWriter) { self.writer = writer }

    /// - Parameters:
    ///   - seconds: how long this may take at most. Never called from a loop.
    ///   - members: appends `,"key":value` members.
    /// - Returns: false where it is not known to be stored.
    public func write(_ type: StaticString, within seconds: Double, _ members: (inout [UInt8]) -> Void) -> Bool {
        guard writer.status.isResponsive else { return false }
        let line = writer.line(type, at: .current, members)
        let wait = Wait()
        let ticket = state.withLock { state in
            state.last += 1
            state.waiting[state.last] = wait
            return state.last
        }
        writer.submit(line, upTo: ticket, from: self)
        let isOver = wait.done.wait(timeout: .now() + seconds) == .success
        state.withLock { _ = $0.waiting.removeValue(forKey: ticket) }
        return isOver && wait.isStored.withLock { $0 }
    }

    public func evidenceIsDurable(upTo ticket: Ticket) { end({ $0 <= ticket }, stored: true) }
    public func evidenceFailed() { end({ _ in true }, stored: false) }
    public func evidenceRecovered() {}

    private func end(_ ended: (Ticket) -> Bool, stored: Bool) {
        let waits = state.withLock { state in
            let tickets = state.waiting.keys.filter(ended)
            return tickets.compactMap { state.waiting.removeValue(forKey: $0) }
        }
        for wait in waits { wait.end(stored: stored) }
    }
}
