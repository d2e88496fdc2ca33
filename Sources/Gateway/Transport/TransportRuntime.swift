import Glibc
import Synchronization
public import TidegateCore

/// The gateway's event loops: what the executable starts, reloads, asks for figures, and stops. Safe from any thread.
public final class TransportRuntime: Sendable {
    private let loops: [LoopHandle]
    private let threads: Mutex<[ThreadBox]>
    private let log: Log
    private let resolver: Resolver
    private let budget: MemoryBudget
    private let descriptors: (all: Int, others: Int)
    /// Which addresses are bound, and the port that each got.
    private let bound = Mutex<[SocketAddress: UInt16]>([:])
    public let ledger: SessionLedger
    /// What was chosen: `io_uring`, `epoll`.
    public let driverName: String

    private final class ThreadBox: Sendable {
        private let thread: Mutex<LoopThread?>
        init(_ thread: consuming LoopThread) { self.thread = Mutex(consume thread) }
        func join() {
            let taken = thread.withLock { $0.take() }
            if let taken { taken.join() }
        }
    }

    /// How a runtime is made.
    public struct Settings: Sendable {
        /// Zero: one for each core.
        public var loops = 0
        public var driver = DriverChoice.auto
        /// Each loop stays on a core of its own.
        public var pinsThreads = false
        /// Deliveries wait for the sink (CONTRACT, *strict*).
        public var isStrict = false
        /// Bytes that all sessions together may hold.
        public var totalBytes = SessionLimits().totalBytes
        /// Descriptors that the process may have, and those among them that others open.
        public var descriptors = Int.max
        public var otherDescriptors = 0
        /// Strict mode: evidence of one loop that may wait for storage before the loop reads no more, in bytes.
        package var evidenceBytes = 32 << 20
        /// Who knows names; nil is the system.
        package var lookUp: (@Sendable (String) -> [SocketAddress])?
        public init() {}
    }

    /// Starts the loops.
    ///
    /// - Throws: `DriverError` where the driver asked for cannot be had.
    public convenience init(
        _ settings: Settings, authority: Authority, ledger: SessionLedger, sink: (any EvidenceSink)?, log: Log
    ) throws(DriverError) {
        let made = try TransportRuntime.choose(settings.driver, log)
        self.init(settings, authority: authority, ledger: ledger, sink: sink, log: log, name: made.name, made.make)
    }

    init(
        _ settings: Settings, authority: Authority, ledger: SessionLedger, sink: (any EvidenceSink)?, log: Log,
        name: String, _ makeDriver: @escaping @Sendable (BufferPool, LoopHandle) -> any Driver
    ) {
        let count = settings.loops > 0 ? settings.loops : max(1, Int(sysconf(CInt(_SC_NPROCESSORS_ONLN))))
        self.log = log
        self.ledger = ledger
        driverName = name
        resolver = Resolver(lookUp: settings.lookUp ?? { Resolver.lookUp($0) })
        budget = MemoryBudget(limit: settings.totalBytes)
        descriptors = (settings.descriptors, settings.otherDescriptors)
        loops = (0..<count).map { LoopHandle(index: $0) }
        let shared = LoopSettings(
            log: log, ledger: ledger, budget: budget, resolver: resolver, sink: sink, isStrict: settings.isStrict,
            poolBytes: settings.totalBytes, evidenceBytes: settings.evidenceBytes, makeDriver: makeDriver)
        threads = Mutex(
            loops.map { handle in
                ThreadBox(
                    LoopThread(
                        named: "loop \(handle.index)", pinnedTo: settings.pinsThreads ? handle.index : nil
                    ) { EventLoop(handle: handle, settings: shared, authority: authority).run() })
            })
    }

    /// Tries what is asked for, on this thread, and says in the log which and why.
    private static func choose(
        _ choice: DriverChoice, _ log: Log
    ) throws(DriverError) -> (name: String, make: @Sendable (BufferPool, LoopHandle) -> any Driver) {
        let epoll: @Sendable (BufferPool, LoopHandle) -> any Driver = {
            EpollDriver(pool: $0, mailbox: $1.descriptor)
        }
        if choice == .epoll {
            log.info("event loops run on epoll", ["reason": "configured"])
            return ("epoll", epoll)
        }
        if let refusal = ioUringRefusal {
            if choice == .ioUring { throw DriverError(reason: refusal) }
            log.info("event loops run on epoll", ["reason": refusal])
            return ("epoll", epoll)
        }
        log.info("event loops run on io_uring", ["reason": choice == .auto ? "it works here" : "configured"])
        return (
            "io_uring",
            { pool, handle in
                do throws(KernelRefusal) {
                    return try UringDriver(pool: pool, mailbox: handle.descriptor)
                } catch {
                    log.warning("this event loop runs on epoll", ["loop": "\(handle.index)", "reason": "\(error)"])
                    return EpollDriver(pool: pool, mailbox: handle.descriptor)
                }
            }
        )
    }

    /// Why this kernel or container refuses io_uring, found by trying; nil where it works.
    package static var ioUringRefusal: String? {
        do throws(KernelRefusal) {
            _ = try UringDriver(pool: BufferPool(bytes: 0), mailbox: LoopHandle(index: 0).descriptor)
            return nil
        } catch {
            return "\(error)"
        }
    }

    // MARK: Listeners

    /// Makes the gateway listen on exactly these addresses: sockets of addresses that stay are kept, and their new
    /// connections get the new runtime. Everything is bound before anything is swapped.
    ///
    /// - Parameters:
    ///   - authority: what knows the routes of `specifications`: swapped with them on each loop. Nil leaves the old one.
    ///   - inForce: as of `swapAuthority`.
    /// - Returns: the addresses listened on, in the order given, with the ports that port 0 became.
    /// - Throws: the first address that cannot be bound; then nothing has changed.
    @discardableResult
    public func replaceListeners(
        _ specifications: [ListenerSpecification], under authority: Authority? = nil,
        _ inForce: @escaping @Sendable () -> Void = {}
    ) throws(ListenerError) -> [SocketAddress] {
        let ours = bound.withLock { $0 }
        var taken = ours
        var fresh: [[SocketAddress: CInt]] = loops.map { _ in [:] }
        var actual: [SocketAddress] = []
        var ports: [SocketAddress: UInt16] = [:]
        for specification in specifications {
            let address = specification.address
            if let port = taken.removeValue(forKey: address) {
                ports[address] = port
            } else if ports[address] == nil {
                do throws(ListenerError) {
                    let isOurPort = ours.values.contains(address.port)
                    let (descriptors, port) = try bind(address, probing: !isOurPort)
                    for (index, descriptor) in descriptors.enumerated() { fresh[index][address] = descriptor }
                    ports[address] = port
                } catch {
                    for descriptors in fresh { for descriptor in descriptors.values { close(descriptor) } }
                    throw error
                }
            }
            var told = address
            told.port = ports[address] ?? address.port
            actual.append(told)
        }
        bound.withLock { $0 = ports }
        ledger.restrict(to: connectionLimit)
        let left = Countdown(loops.count, inForce)
        for (handle, descriptors) in zip(loops, fresh) {
            let posted = handle.post { access in
                access.loop.replaceListeners(specifications, descriptors)
                guard let authority else { return left.step() }
                access.loop.swapAuthority(authority) { left.step() }
            }
            if !posted { left.step() }
        }
        return actual
    }

    /// Connections that the process has descriptors for.
    public var connectionLimit: Int {
        // Each loop has its driver, its mailbox and its listeners.
        let ours = loops.count * (2 + bound.withLock { $0.count })
        return Descriptors.connections(of: descriptors.all, others: descriptors.others + ours)
    }

    /// One socket a loop, all on the same port.
    ///
    /// - Parameter probing: false where sockets of ours may be on that port, at another address.
    private func bind(
        _ address: SocketAddress, probing: Bool
    ) throws(ListenerError) -> (descriptors: [CInt], port: UInt16) {
        func fail(_ code: CInt) -> ListenerError {
            ListenerError(address: address, error: -code, reason: unsafe String(cString: strerror(-code)))
        }
        if address.port != 0, probing {
            // Sockets that share a port would be shared with another process of the same user too: one that does not
            // share shows whether somebody listens already.
            let probe = KernelSockets.listen(address, shared: false)
            if probe < 0 { throw fail(probe) }
            close(probe)
        }
        var port = address
        var descriptors: [CInt] = []
        for _ in loops {
            let descriptor = KernelSockets.listen(port, shared: true)
            if descriptor < 0 {
                for other in descriptors { close(other) }
                throw fail(descriptor)
            }
            descriptors.append(descriptor)
            if port.port == 0 { port.port = KernelSockets.address(of: descriptor, peer: false)?.port ?? 0 }
        }
        return (descriptors, port.port)
    }

    // MARK: Authority

    /// Swaps policy, masks and identity on all loops, and leaves the listeners as they are.
    ///
    /// - Parameter inForce: called once, on some loop's thread, when no session holds the old one any more.
    package func swapAuthority(_ authority: Authority, _ inForce: @escaping @Sendable () -> Void = {}) {
        let left = Countdown(loops.count, inForce)
        for handle in loops {
            if !handle.post({ $0.loop.swapAuthority(authority) { left.step() } }) { left.step() }
        }
    }

    // MARK: Figures

    /// What the loops counted.
    public struct Figures: Sendable {
        /// By route.
        public var routes: [String: Meter.Counts] = [:]
        public var protocols: [String: String] = [:]
        /// Entries of evidence noted and not durable yet, over all loops.
        public var evidenceLag: UInt64 = 0
        public var connections = 0
        /// Bytes that buffers hold.
        public var bytesHeld = 0
        public init() {}
    }

    /// Gathers the counters of all loops.
    public func figures(_ answer: @escaping @Sendable (Figures) -> Void) {
        let gathered = Gathering()
        let ledger = ledger
        let budget = budget
        let left = Countdown(loops.count) {
            var figures = gathered.take()
            figures.connections = ledger.connections
            figures.bytesHeld = budget.bytes
            answer(figures)
        }
        for handle in loops {
            let posted = handle.post { access in
                let loop = access.loop
                let counts = loop.meters.mapValues(\.counts)
                let names = loop.meters.mapValues(\.protocolName)
                gathered.add(counts, names, lag: loop.noted &- min(loop.noted, loop.durable))
                left.step()
            }
            if !posted { left.step() }
        }
    }

    public func figures() async -> Figures {
        await withCheckedContinuation { continuation in figures { continuation.resume(returning: $0) } }
    }

    private final class Gathering: Sendable {
        private let figures = Mutex(Figures())
        func add(_ counts: [String: Meter.Counts], _ names: [String: String], lag: UInt64) {
            figures.withLock { figures in
                for (route, count) in counts {
                    figures.routes[route, default: Meter.Counts()].add(count)
                    figures.protocols[route] = names[route]
                }
                figures.evidenceLag += lag
            }
        }
        func take() -> Figures { figures.withLock { $0 } }
    }

    // MARK: End

    /// Stops accepting, tells the machines to finish what is in flight, and waits.
    ///
    /// - Parameter seconds: how long at most; what is left a second before is closed.
    public func drain(seconds: Int) async {
        let end = ContinuousClock.now + .seconds(seconds)
        for handle in loops { handle.post { $0.loop.drain() } }
        bound.withLock { $0 = [:] }
        await untilNobodyIsLeft(or: end - .seconds(1))
        for handle in loops { handle.post { $0.loop.closeAll(.draining) } }
        await untilNobodyIsLeft(or: end)
    }

    private func untilNobodyIsLeft(or deadline: ContinuousClock.Instant) async {
        while ledger.connections > 0, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Ends the loops and waits for their threads; what is still connected is reset.
    public func shutdown() {
        for handle in loops { handle.post { $0.loop.isRunning = false } }
        let boxes = threads.withLock { boxes in
            defer { boxes = [] }
            return boxes
        }
        for box in boxes { box.join() }
    }

    var first: LoopHandle { loops[0] }
}

/// Why the driver that was asked for cannot be had.
public struct DriverError: Error, Sendable, CustomStringConvertible {
    public let reason: String
    public var description: String { "io_uring cannot be used: \(reason)" }
}

/// Calls once when all have said so.
final class Countdown: Sendable {
    private let left: Mutex<Int>
    private let done: @Sendable () -> Void
    init(_ count: Int, _ done: @escaping @Sendable () -> Void) {
        left = Mutex(count)
        self.done = done
    }
    func step() {
        let isLast = left.withLock { left in
            left -= 1
            return left == 0
        }
        if isLast { done() }
    }
}

extension EventLoop {
    /// No new connections; the machines finish what is in flight. The gateway's own connections serve them to the end.
    func drain() {
        stopListening()
        forEachSession { $0.leave() }
        for entrance in Array(entrances.values) { entrance.close(.draining) }
    }

    func closeAll(_ reason: CloseReason) { forEachSession { $0.close(reason) } }

    private func forEachSession(_ body: (Relay) -> Void) {
        for slot in 0..<relays.slots {
            if let relay = relays.element(inSlot: slot), relay.runtime != nil { body(relay) }
        }
    }
}
