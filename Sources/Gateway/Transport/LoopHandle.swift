import CUring
import Glibc
import Synchronization
import TidegateCore

/// All that other threads hold of an event loop: a mailbox and a descriptor that says there is mail.
final class LoopHandle: Sendable {
    typealias Job = @Sendable (borrowing LoopAccess) -> Void
    private struct Mailbox {
        var jobs: [Job] = []
        var isOpen = true
    }
    let index: Int
    let descriptor: CInt
    private let mailbox = Mutex(Mailbox())

    init(index: Int) {
        self.index = index
        descriptor = shim_eventfd()
    }

    deinit { close(descriptor) }

    /// Executes a job on the loop.
    ///
    /// - Returns: false where the loop has ended: nothing is silently dropped.
    @discardableResult
    func post(_ job: @escaping Job) -> Bool {
        let (accepted, isFirst) = mailbox.withLock { box in
            guard box.isOpen else { return (false, false) }
            box.jobs.append(job)
            return (true, box.jobs.count == 1)
        }
        if isFirst { ring() }
        return accepted
    }

    /// Makes the loop wake up.
    func ring() {
        var one: UInt64 = 1
        _ = unsafe write(descriptor, &one, 8)
    }

    /// Takes all jobs; called by the loop.
    func take(into jobs: inout [Job]) {
        var count: UInt64 = 0
        _ = unsafe read(descriptor, &count, 8)
        mailbox.withLock { box in swap(&box.jobs, &jobs) }
    }

    /// Refuses jobs from here on; called by the loop when it ends.
    func shut() { mailbox.withLock { $0.isOpen = false } }
}

extension LoopHandle: EvidenceWaiter {
    func evidenceIsDurable(upTo ticket: Ticket) { post { $0.loop.evidenceIsDurable(upTo: ticket) } }
    func evidenceFailed() { post { $0.loop.evidenceFailed() } }
    func evidenceRecovered() { post { $0.loop.evidenceRecovered() } }
}

/// Proof of being on the loop's thread: noncopyable, not Sendable, made by the loop only.
struct LoopAccess: ~Copyable {
    let loop: EventLoop
    init(_ loop: EventLoop) { self.loop = loop }
}

/// A thread of our own, joined by its starter.
@safe
struct LoopThread: ~Copyable {
    private let id: pthread_t

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// - Parameter core: the core that it stays on; nil is any.
    init(named name: String, pinnedTo core: Int?, _ body: @escaping @Sendable () -> Void) {
        var id = pthread_t()
        let box = unsafe Unmanaged.passRetained(Body(body))
        let code = unsafe pthread_create(
            &id, nil,
            { raw in
                guard let raw = unsafe raw else { return nil }
                unsafe Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        // invariant: at start only, before anything listens
        guard code == 0 else { preconditionFailure("the system has no thread for an event loop") }
        self.id = id
        unsafe shim_name_thread(id, String(name.prefix(15)))
        if let core, core >= 0, core < 1024 {
            var set = [UInt8](repeating: 0, count: 128)
            set[core / 8] = 1 << UInt8(core % 8)
            unsafe shim_pin_thread(id, set.count, set)
        }
    }

    consuming func detach() { pthread_detach(id) }
    consuming func join() { pthread_join(id, nil) }
}
