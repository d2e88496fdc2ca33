import CUring
import Glibc
import TidegateCore

/// One thread on one core: its listeners, connections, buffers, timers and evidence. Born on its thread, not Sendable, not
/// locked; others reach it by its `LoopHandle`.
///
/// A wake-up has five steps: take all that arrived; offer it to the machines; hand the evidence to the writer; send; wait.
@safe
final class EventLoop {
    let handle: LoopHandle
    let driver: any Driver
    let pool: BufferPool
    let log: Log
    /// What peers cause, within bounds.
    let refusals: RefusalLog
    let ledger: SessionLedger
    let budget: MemoryBudget
    let resolver: Resolver
    let evidence: EvidenceBuffer
    let sink: (any EvidenceSink)?
    var authority: Authority
    var output: WireOutput

    /// Wall-clock time of this wake-up.
    private(set) var now: Instant
    /// Nanoseconds of this wake-up, on a clock that only rises.
    private(set) var monotonic: Int64
    var wheel: TimerWheel
    /// What gathers the pieces of one send.
    let vectors: UnsafeMutableBufferPointer<iovec>
    /// Where small pieces become one record of TLS.
    let record: UnsafeMutableRawPointer

    var relays = SlotTable<Relay>()
    var halves = SlotTable<Half>()
    var listeners: [Listener] = []
    /// Listeners have their slots among the halves, so that no token means two things to a driver.
    var listenerTokens: [Token: Listener] = [:]
    var meters: [String: Meter] = [:]
    /// Evidence up to here is durable.
    private(set) var durable: Ticket = 0
    private(set) var noted: Ticket = 0
    private var dirty: [Relay] = []
    private var spare: [Relay] = []
    private var waiting: [Relay] = []
    /// Connections whose PROXY header is awaited, by the token of their half.
    var entrances: [Token: Entrance] = [:]
    private var arrivals: [Arrival] = []
    private var jobs: [LoopHandle.Job] = []
    private var due: [UInt64] = []
    private var lines: [UInt8] = []
    /// The chunk into which small pieces are copied, and how far.
    private var fill = BufferPool.none
    private var filled = 0
    private(set) var published = 0
    /// Bytes that governors hold, of all sessions.
    var remembered = 0
    /// No memory is left to read more.
    var isStarved = false
    /// When sessions are ended to free memory, in monotonic nanoseconds; only while `isStarved`.
    var shedAt: Int64 = 0
    /// Until when starvation counts as going on, in monotonic nanoseconds.
    var calmAt: Int64 = 0
    /// Strict mode: above so many bytes of evidence that wait for storage nothing more is read.
    private let evidenceMark: Int
    private var isBehind = false
    /// Neither memory nor evidence bears that more is read.
    var readsNothing: Bool { isStarved || isBehind }
    /// TLS sessions whose buffers have grown; looked at when they have had time to become idle.
    var grownTLS: [Token] = []
    private var sessions: UInt64 = 0
    private var wakeUps: UInt64 = 0
    private var adoption: Adoption?
    var isRunning = true
    var isDraining = false
    private let idPrefix: String
    private var trimAt: Int64 = 0

    /// A new authority on its way to the sessions, in slices.
    private struct Adoption {
        var cursor = 0
        var done: [@Sendable () -> Void]
    }
    private static let slice = 256

    /// - Parameter makeDriver: makes the driver on the loop's own thread.
    init(handle: LoopHandle, settings: LoopSettings, authority: Authority) {
        self.handle = handle
        log = settings.log
        refusals = RefusalLog(log)
        ledger = settings.ledger
        budget = settings.budget
        resolver = settings.resolver
        sink = settings.sink
        evidenceMark = settings.isStrict ? settings.evidenceBytes : .max
        pool = BufferPool(bytes: settings.poolBytes)
        driver = settings.makeDriver(pool, handle)
        let clock = driver.clock()
        now = clock.wall
        monotonic = clock.monotonic
        wheel = TimerWheel(now: clock.monotonic)
        let start = String(UInt64(max(0, clock.wall.nanoseconds)) / 1_000_000, radix: 16)
        idPrefix = "\(start)-\(handle.index)"
        evidence = EvidenceBuffer(isStrict: settings.isStrict, idPrefix: idPrefix, log: refusals)
        self.authority = authority
        output = WireOutput(authority: authority.version)
        unsafe vectors = .allocate(capacity: UringDriver.vectorsASend)
        unsafe record = .allocate(byteCount: Relay.recordBytes, alignment: 16)
    }

    deinit {
        unsafe vectors.deallocate()
        unsafe record.deallocate()
    }

    // MARK: A wake-up

    func run() {
        while isRunning { turn() }
        shut()
    }

    /// One wake-up. Waits at most `limit` nanoseconds.
    func turn(waitingUpTo limit: Int64? = nil) {
        let adopting = adoption != nil
        var wait = adopting || !dirty.isEmpty ? 0 : wheel.delay(from: monotonic)
        if isStarved { wait = min(wait ?? .max, 10_000_000) }
        if let limit { wait = min(wait ?? limit, limit) }
        driver.wait(upTo: wait, &arrivals)
        (now, monotonic) = driver.clock()
        wakeUps &+= 1

        // Mail first: what has become durable leaves with this wake-up, a new authority judges its bytes.
        for index in arrivals.indices where arrivals[index].kind == .mail { takeMail() }
        for index in arrivals.indices { handle(arrivals[index]) }
        arrivals.removeAll(keepingCapacity: true)
        wheel.advance(to: monotonic, &due)
        for token in due { tick(token) }
        due.removeAll(keepingCapacity: true)
        if adoption != nil { adopt() }
        handOver()
        swap(&dirty, &spare)
        for relay in spare {
            relay.isDirty = false
            relay.flush()
        }
        spare.removeAll(keepingCapacity: true)
        handOver()
        account()
        if wakeUps & 63 == 0 { observe() }
    }

    private func takeMail() {
        handle.take(into: &jobs)
        let access = LoopAccess(self)
        for job in jobs { job(access) }
        jobs.removeAll(keepingCapacity: true)
    }

    /// Hands the evidence noted meanwhile to the writer.
    private func handOver() {
        evidence.settle(at: now)
        guard evidence.hasEntries else { return }
        noted = evidence.take(into: &lines)
        guard let sink else {
            durable = noted
            evidence.forget(upTo: noted)
            return
        }
        if evidence.pendingBytes > evidenceMark, !isBehind {
            isBehind = true
            lookAtAll()
        }
        sink.submit(lines, upTo: noted, from: handle)
    }

    /// Storage has answered: what waited for it is read again.
    private func catchUp() {
        if isBehind, evidence.pendingBytes <= evidenceMark / 2 {
            isBehind = false
            lookAtAll()
        }
    }

    private func account() {
        let held = pool.bytesHeld - driver.bytesLent + remembered
        if held != published {
            budget.add(held - published)
            published = held
        }
        updateStarvation()
        if monotonic >= trimAt {
            trimAt = monotonic + 5_000_000_000
            pool.trim(keeping: 256)
            shrinkTLS()
        }
    }

    func lookAtAll() {
        for slot in 0..<relays.slots { if let relay = relays.element(inSlot: slot) { look(at: relay) } }
    }

    /// A wake-up's time, sampled: from the arrivals to all that is sent.
    private func observe() {
        let spent = driver.clock().monotonic - monotonic
        for meter in meters.values { meter.counts.relays.observe(nanoseconds: spent) }
    }

    private func handle(_ arrival: Arrival) {
        switch arrival.kind {
        case .mail: return
        case .accepted: return accepted(arrival)
        case .received, .sent, .connected: break
        }
        guard let half = halves[arrival.token] else {
            if arrival.buffer != BufferPool.none { pool.release(arrival.buffer) }
            return
        }
        if half.phase == .closed { return arrivedAfterClose(arrival, half) }
        switch arrival.kind {
        case .received:
            if !arrival.more {
                half.isReceiving = false
                half.isStopping = false
                half.awaited.remove(.receiving)
            }
            received(arrival, half)
        case .sent: half.relay?.sent(arrival.result, on: half)
        case .connected: half.relay?.connected(error: -arrival.result)
        case .accepted, .mail: break
        }
    }

    private func received(_ arrival: Arrival, _ half: Half) {
        if arrival.result > 0, arrival.buffer != BufferPool.none {
            if let entrance = entrances[half.token] {
                entrance.received(arrival.buffer, Int(arrival.result))
            } else if let relay = half.relay {
                relay.received(arrival.buffer, Int(arrival.result), on: half)
            } else {
                pool.release(arrival.buffer)
            }
            return
        }
        if let relay = half.relay { look(at: relay) }
        switch -arrival.result {
        case ECANCELED, ENOBUFS, EAGAIN, EINTR:
            // Stopped by us, or out of buffers: the relay arms it again when it wants more.
            if half.relay == nil, entrances[half.token] != nil, !isStarved { rearm(half) }
        case let error:
            if let entrance = entrances[half.token] {
                entrance.close(.ended)
            } else {
                half.relay?.ended(half, error: error)
            }
        }
    }

    func rearm(_ half: Half) {
        guard !half.isReceiving else { return }
        half.isReceiving = true
        half.awaited.insert(.receiving)
        driver.receive(half.descriptor, half.token)
    }

    private func tick(_ token: UInt64) {
        let kind = token >> 56
        if kind == 0 {
            guard let relay = relays[token] else { return }
            relay.tick()
            look(at: relay)
        } else if kind == 1 {
            entrances[token & 0x00FF_FFFF_FFFF_FFFF]?.close(.notAuthenticatedInTime)
        } else {
            for listener in listeners where !listener.isAccepting && !isDraining {
                listener.isAccepting = true
                driver.accept(on: listener.descriptor, listener.token)
            }
        }
    }

    // MARK: Relays

    /// Has a relay looked at before the loop waits.
    func look(at relay: Relay) {
        guard !relay.isDirty else { return }
        relay.isDirty = true
        dirty.append(relay)
    }

    func awaitEvidence(_ relay: Relay) {
        guard !relay.waitsForEvidence else { return }
        relay.waitsForEvidence = true
        waiting.append(relay)
    }

    /// Gives a side its descriptor and its place.
    func register(_ half: Half, _ descriptor: CInt) {
        half.descriptor = descriptor
        half.token = halves.reserve()
        halves[half.token] = half
    }

    /// Closes a side when nothing of it is under way any more.
    func dispose(_ half: Half) {
        guard half.phase != .closed else { return }
        let hadDescriptor = half.phase != .absent && half.descriptor >= 0
        half.phase = .closed
        half.window.clear(pool)
        guard hadDescriptor else { return }
        half.awaited = driver.cancel(half.descriptor, half.token, half.awaited)
        closeIfDone(half)
    }

    private func arrivedAfterClose(_ arrival: Arrival, _ half: Half) {
        if arrival.buffer != BufferPool.none { pool.release(arrival.buffer) }
        switch arrival.kind {
        case .received: if !arrival.more { half.awaited.remove(.receiving) }
        case .sent: half.awaited.remove(.sending)
        case .connected: half.awaited.remove(.connecting)
        case .accepted, .mail: break
        }
        closeIfDone(half)
    }

    private func closeIfDone(_ half: Half) {
        guard half.awaited.isEmpty else { return }
        _ = half.outbox.take(0, pool)
        half.outbox.drop(pool)
        if let filter = half.filter {
            _ = filter.outbox.take(0, pool)
            filter.outbox.drop(pool)
        }
        driver.close(half.descriptor, half.token, resetting: half.resetsOnClose)
        half.descriptor = -1
        halves.remove(half.token)
    }

    /// The relay is gone; its sides may still wait for arrivals.
    func forget(_ relay: Relay) {
        relay.client.relay = nil
        relay.backend.relay = nil
        remembered -= relay.remembered
        relays.remove(relay.token)
        if relay.runtime != nil { ledger.disconnect() }
    }

    /// Copies bytes behind what waits in `outbox`.
    func copy(_ bytes: UnsafeRawBufferPointer, to outbox: inout Outbox) {
        var at = 0
        while at < bytes.count {
            if fill != BufferPool.none, filled == BufferPool.stride {
                pool.release(fill)
                fill = BufferPool.none
            }
            if fill == BufferPool.none {
                // Where no chunk is left, a block: what was decided is not lost for want of a chunk.
                fill = pool.takeChunk() ?? pool.takeBlock(capacity: BufferPool.stride)
                filled = 0
            } else if !pool.isShared(fill) {
                filled = 0
            }
            let count = min(bytes.count - at, BufferPool.stride - filled)
            unsafe memcpy(pool.address(of: fill) + filled, bytes.baseAddress! + at, count)  // invariant: not empty
            outbox.append(fill, at: filled, count: count, pool)
            filled += count
            at += count
        }
    }

    /// What TLS encrypts next: the first piece of `vectors` where it is long, else the first pieces behind each other in
    /// `record`. Good until the next call.
    func plaintext(_ filled: Int, upTo recordBytes: Int, _ most: Int) -> UnsafeRawBufferPointer {
        let first = unsafe vectors[0]
        if unsafe filled == 1 || first.iov_len >= recordBytes / 2 {
            return unsafe UnsafeRawBufferPointer(start: first.iov_base, count: min(first.iov_len, most))
        }
        var count = 0
        for index in 0..<filled where count < recordBytes {
            let vector = unsafe vectors[index]
            let taken = unsafe min(vector.iov_len, recordBytes - count)
            if let base = unsafe vector.iov_base { unsafe memcpy(record + count, base, taken) }
            count += taken
        }
        return unsafe UnsafeRawBufferPointer(start: record, count: count)
    }

    func meter(for route: Route) -> Meter {
        if let meter = meters[route.name] { return meter }
        let meter = Meter(
            route: route.name, protocolName: route.protocolName, clock: { KernelSockets.clock().monotonic })
        meters[route.name] = meter
        return meter
    }

    /// Unique over restarts; sortable by start.
    func nextSessionID() -> (id: String, number: UInt64) {
        sessions += 1
        let time = String(UInt64(max(0, now.nanoseconds)) / 1_000_000, radix: 16)
        let count = String(sessions, radix: 16)
        return ("\(time)-\(idPrefix.suffix(5))-\(count)", sessions)
    }

    /// A waker for the connection of `token`: its machine is told (a session's), and what it parked is offered again.
    func waker(for token: Token) -> Waker {
        let handle = handle
        return Waker {
            handle.post { access in
                guard let relay = access.loop.relays[token] else { return }
                if relay.runtime == nil { relay.reoffer() } else { relay.note(.woken) }
                relay.advance()
            }
        }
    }

    /// Writes to evidence, log and figures that a connection became no session.
    ///
    /// - Parameter text: says more than the reason's word.
    func refuse(
        _ runtime: RouteRuntime, from peer: SocketAddress, localPort: UInt16, _ reason: CloseReason,
        _ text: String? = nil
    ) {
        var governor = governor(runtime, from: peer, localPort: localPort, waker: Waker {})
        if let text { governor.rejectSession(text) }
        governor.end(reason)
    }

    func governor(_ runtime: RouteRuntime, from peer: SocketAddress, localPort: UInt16, waker: Waker) -> Governor {
        let (id, number) = nextSessionID()
        let session = Session(
            id: id, route: runtime.route, clientAddress: "\(peer)", localPort: localPort, started: now)
        return Governor(
            session: session, authority: authority, evidence: evidence, meter: meter(for: runtime.route),
            ledger: ledger, number: number, waker: waker, now: now)
    }

    // MARK: Evidence

    func evidenceIsDurable(upTo ticket: Ticket) {
        durable = max(durable, ticket)
        evidence.forget(upTo: ticket)
        catchUp()
        let relays = waiting
        waiting.removeAll(keepingCapacity: true)
        for relay in relays {
            relay.waitsForEvidence = false
            look(at: relay)
        }
    }

    func evidenceFailed() {
        evidence.isBroken = true
        catchUp()
        for relay in waiting {
            relay.waitsForEvidence = false
            relay.cut(Refusal(.evidenceUnavailable))
        }
        waiting.removeAll()
        for slot in 0..<relays.slots { relays.element(inSlot: slot)?.cut(Refusal(.evidenceUnavailable)) }
    }

    func evidenceRecovered() { evidence.isBroken = false }

    // MARK: Authority

    /// Hands a new authority to all sessions, in slices; `done` is called when it is in force.
    func swapAuthority(_ authority: Authority, _ done: @escaping @Sendable () -> Void) {
        self.authority = authority
        adoption = Adoption(done: (adoption?.done ?? []) + [done])
    }

    private func adopt() {
        guard var current = adoption else { return }
        let end = min(relays.slots, current.cursor + EventLoop.slice)
        while current.cursor < end {
            if let relay = relays.element(inSlot: current.cursor) { relay.adopt(authority) }
            current.cursor += 1
        }
        adoption = current
        if current.cursor >= relays.slots {
            adoption = nil
            for done in current.done { done() }
        }
    }

    /// Ends everything; called when the loop stops.
    private func shut() {
        handle.shut()
        // What was accepted is done: somebody may wait for its answer.
        takeMail()
        for done in adoption?.done ?? [] { done() }
        adoption = nil
        for listener in listeners { driver.close(listener: listener.descriptor, listener.token) }
        listeners = []
        for slot in 0..<relays.slots { relays.element(inSlot: slot)?.finish(.draining, resetting: true) }
        handOver()
        for relay in dirty { relay.isDirty = false }
        dirty = []
        driver.shut()
        for slot in 0..<halves.slots {
            guard let half = halves.element(inSlot: slot), half.descriptor >= 0 else { continue }
            driver.close(half.descriptor, half.token, resetting: half.resetsOnClose)
        }
        budget.add(-published)
    }
}

/// What every loop is made of; shared.
struct LoopSettings: Sendable {
    var log: Log
    var ledger: SessionLedger
    var budget: MemoryBudget
    var resolver: Resolver
    var sink: (any EvidenceSink)?
    var isStrict: Bool
    var poolBytes: Int
    var evidenceBytes: Int
    var makeDriver: @Sendable (BufferPool, LoopHandle) -> any Driver
}
