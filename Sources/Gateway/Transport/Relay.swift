import Glibc
import TidegateCore

/// One connection: a client side, a backend side, and the machine between them. It offers windows, runs steps, and keeps
/// what was not consumed.
///
///     running ──close──▶ closing ──flushed, or 5 s──▶ lingering ──client ended, or 2 s──▶ gone
///        │ cut, reset                                                                      ▲
///        └─────────────────────────────────────────────────────────────────────────────────┘
///
/// Everything happens on the loop's thread. Machine calls are never nested: what a step leads to is noted and done by
/// `advance`.
final class Relay {
    /// A frame's length stands in front of it and is no part of it: so many bytes at most, in any protocol.
    static let lengthBytes = 8

    enum Phase {
        case running
        case closing(CloseReason)
        case lingering, gone
    }

    let loop: EventLoop
    let token: Token
    let limits: SessionLimits
    let machine: any MachineBox
    let meter: Meter
    var governor: Governor
    /// Nil for the gateway's own connections, which have no client.
    let runtime: RouteRuntime?
    /// Told once when a connection of the gateway's own is gone.
    var onEnd: (@Sendable (CloseReason) -> Void)?
    let client: Half
    private(set) var backend = Half(.backend)
    var phase = Phase.running

    /// Events that the machine has not been told yet, in order.
    var events: [WireEvent] = []
    var isAdvancing = false
    /// The governor has a principal.
    private(set) var isAuthenticated = false
    /// The client's window waits until the backend has answered something.
    var awaitsReplies = false
    /// In the loop's list of relays to look at before it waits.
    var isDirty = false
    var waitsForEvidence = false
    var endpoint: Endpoint?
    /// What else `endpoint` may be reached at.
    var addresses: ArraySlice<SocketAddress> = []
    /// The machine asked for a cut: done as soon as its call is over.
    private var cutting: Refusal?
    /// Closed for this as soon as the machine has been told all.
    var closesFor: CloseReason?
    /// What was not written has been dropped; the gateway's last words alone may still leave.
    var isCut = false
    /// The expiry that the deadlines know.
    private var knownExpiry = Instant.distantFuture
    /// Bytes that the governor held when the loop was told last.
    private(set) var remembered = 0
    /// Rises with every attempt to connect: an answer of the resolver for another one is ignored.
    var attempt: UInt32 = 0

    // Deadlines, in monotonic nanoseconds; `.max` is none.
    var lastActivity: Int64
    /// The machine waits for what the backend says one day: no idle limit.
    var mayBeSilent = false
    var authenticateBy: Int64 = .max
    var connectBy: Int64 = .max
    /// The end of all attempts to connect.
    var connectEnd: Int64 = .max
    var closeBy: Int64 = .max
    /// The end of what is in flight, once nothing more is taken.
    var leaveBy: Int64 = .max
    var armedFor: Int64 = .max

    init(
        loop: EventLoop, token: Token, runtime: RouteRuntime?, client: Half, machine: any MachineBox, meter: Meter,
        limits: SessionLimits, governor: consuming Governor
    ) {
        self.loop = loop
        self.token = token
        self.runtime = runtime
        self.client = client
        self.machine = machine
        self.meter = meter
        self.limits = limits
        self.governor = governor
        lastActivity = loop.monotonic
        client.relay = self
        backend.relay = self
    }

    /// A fresh backend side; the one before waits for its arrivals alone.
    func replaceBackend() {
        backend.relay = nil
        backend = Half(.backend)
        backend.relay = self
    }

    /// The connection is there: TLS first where the route has it, then the machine.
    func start() {
        guard let runtime else {
            note(.accepted)
            return advance()
        }
        authenticateBy = Relay.time(limits.secondsToAuthenticate, after: loop.monotonic)
        arm(min(authenticateBy, idleAt))
        if let context = runtime.tls {
            secureClient(context)
        } else {
            client.phase = .open
            note(.accepted)
        }
        advance()
    }

    /// A new authority: every clearance must be renewed; who is covered by nothing any more goes, and who is on a route
    /// that is gone. Whose backend was made anew leaves: what it is connected to stands for settings that do not hold.
    ///
    /// What a session that closes has still to send goes too, unless it is the words of a cut.
    func adopt(_ authority: Authority) {
        switch phase {
        case .running: break
        case .closing: if isCut { return }
        case .lingering, .gone: return
        }
        governor.now = loop.now
        governor.adopt(authority)
        let route = governor.session.route
        if runtime != nil, !authority.knows(route) || governor.principal != nil && !governor.isCovered {
            return cut(Refusal(.revoked))
        }
        guard isRunning else { return }
        note(.authorityChanged)
        advance()
        if runtime != nil, authority.replaces(backendOf: route) { leave() }
    }

    /// Takes no more, finishes what is in flight, and ends.
    func leave() {
        guard isRunning, leaveBy == .max else { return }
        if governor.principal == nil { return close(.draining) }
        leaveBy = loop.monotonic + Relay.leaveSeconds * 1_000_000_000
        arm(leaveBy)
        note(.draining)
        advance()
    }

    func half(_ side: Side) -> Half { side == .client ? client : backend }

    var isRunning: Bool {
        if case .running = phase { return true }
        return false
    }

    /// The machine is told, in order, as soon as nothing else of this relay is under way.
    func note(_ event: WireEvent) { events.append(event) }

    // MARK: Machine

    /// Tells the machine what happened and offers it what is new, until nothing is left to do.
    func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        loop.look(at: self)
        while isRunning {
            if let refusal = cutting {
                cutting = nil
                cut(refusal)
            } else if !events.isEmpty {
                deliver(events.removeFirst())
            } else if let reason = closesFor {
                close(reason)
            } else if !offer(client), !offer(backend), !tellEnd(client), !tellEnd(backend) {
                break
            }
        }
        if client.hasEnded || backend.hasEnded { armDeadlines() }
    }

    /// Offers both windows again: an answer is there, or the authority has changed.
    func reoffer() {
        for half in [client, backend] {
            half.isParked = false
            half.isFresh = true
        }
    }

    func deliver(_ event: WireEvent) {
        governor.now = loop.now
        loop.output.empty()
        loop.output.authority = governor.authorityVersion
        do throws(WireViolation) {
            try machine.handle(event, asking: &governor, &loop.output)
            perform(nil)
        } catch {
            perform(nil)
            violate(error)
        }
        switch event {
        case .connected, .secured, .woken, .authorityChanged: reoffer()
        case .accepted, .ended, .lastWords, .draining, .gone: break
        }
    }

    /// Bytes of a client's window that its machine is offered at a time, where it does not need more.
    private static let mostOffered = 68 << 10

    /// - Returns: true where the machine was asked.
    private func offer(_ half: Half) -> Bool {
        guard half.isFresh else { return false }
        if half.side == .client {
            // Answers of the gateway's own need no backend: who does not read them is not asked for more.
            if half.waiting > Relay.ownMark { half.isGated = true }
            if half.isGated { return false }
        }
        half.isFresh = false
        let count = half.window.count
        guard count > 0, count >= half.window.need, !half.isParked, half.isOpen || half.hasEnded,
            half.side == .backend || !awaitsReplies
        else { return false }
        // A client's window in pieces, so that the gate is looked at between them: small requests can have long answers.
        let offered = half.side == .client ? min(count, max(half.window.need, Relay.mostOffered)) : count
        half.window.need = 0
        governor.now = loop.now
        loop.output.empty()
        loop.output.authority = governor.authorityVersion
        let base = unsafe loop.pool.address(of: half.window.buffer) + half.window.start
        let span = unsafe RawSpan(_unsafeStart: base, byteCount: offered)
        var consumed = 0
        do throws(WireViolation) {
            consumed = try machine.receive(span, from: half.side, asking: &governor, &loop.output)
        } catch {
            perform(half)
            violate(error)
            return true
        }
        consumed = min(offered, max(0, consumed))
        let securing = perform(half)
        if isRunning, cutting == nil {
            half.window.consume(consumed, loop.pool)
            if consumed > 0, half.side == .backend, awaitsReplies {
                awaitsReplies = false
                client.isFresh = true
            }
            if offered < count, !half.isParked, !awaitsReplies {
                if consumed == 0, half.window.need <= offered { half.window.need = count }
                half.isFresh = true
            }
            if let securing { secure(securing) }
            let longest =
                half.side == .client && !isAuthenticated && runtime != nil
                ? limits.unauthenticatedFrameBytes : limits.frameBytes
            let limit = longest.addingReportingOverflow(Relay.lengthBytes).overflow ? .max : longest + Relay.lengthBytes
            if half.window.count > limit || half.window.need > limit {
                if consumed == 0 || half.window.need > limit { close(.limit) }
            }
        }
        return true
    }

    private func tellEnd(_ half: Half) -> Bool {
        guard half.hasEnded, !half.hasToldEnd, !half.isFresh, !half.isParked,
            half.side == .backend || !awaitsReplies || half.window.isEmpty
        else { return false }
        half.hasToldEnd = true
        note(.ended(half.side))
        return true
    }

    private func violate(_ violation: WireViolation) {
        guard isRunning, cutting == nil else { return }
        loop.refusals.tell(
            "session violated its protocol", at: loop.now,
            [
                "session_id": governor.session.id, "route": governor.session.route.name,
                "client_address": governor.session.clientAddress, "reason": violation.description,
            ])
        close(.violation(violation.side))
    }

    // MARK: Steps

    /// Runs the steps of the last call; ranges of the window are of `half`.
    ///
    /// - Returns: a side that speaks TLS from here on.
    @discardableResult
    private func perform(_ half: Half?) -> Side? {
        let tickets = governor.takeTickets()
        client.outbox.await(tickets.client)
        backend.outbox.await(tickets.backend)
        let held = governor.heldBytes
        loop.remembered += held - remembered
        remembered = held
        if isAuthenticated ? half?.side == .client && governor.expires != knownExpiry : governor.principal != nil {
            isAuthenticated = true
            knownExpiry = governor.expires
            armDeadlines()
        }
        if let refusal = governor.takeEnding() { cutting = refusal }
        var securing: Side?
        let count = loop.output.steps.count
        for index in 0..<count {
            guard isRunning, cutting == nil else { break }
            switch loop.output.steps[index] {
            case .pass(let range, let side):
                guard let half, range.lowerBound >= 0, range.upperBound <= half.window.count else {
                    fault("a step outside of its window")
                    break
                }
                pass(range, of: half.window, to: self.half(side))
            case .put(let range, let side):
                put(range, to: self.half(side))
            case .boundary(let side): self.half(side).outbox.endMessage()
            case .mark(let position): client.outbox.mark(position)
            case .park(let side): self.half(side).isParked = true
            case .awaitReplies: awaitsReplies = true
            case .need(let side, let bytes): self.half(side).window.need = max(0, bytes)
            case .connect:
                if let endpoint = loop.output.endpoint { connect(to: endpoint) }
            case .secure(let side): securing = side
            case .mayBeSilent(let isSo):
                mayBeSilent = isSo
                armDeadlines()
            case .finish(let side): self.half(side).isFinishing = true
            case .close(.refused(let refusal)) where isAuthenticated && refusal.code.endsDelivery:
                // Nothing is allowed any more once the token is over: it is that which is told, whoever notices first.
                cutting = refusal.code == .revoked && governor.isExpired ? Refusal(.expired) : refusal
            case .close(let reason): close(reason)
            }
        }
        if loop.output.fault { fault("a clearance of another authority was used") }
        return securing
    }

    private func fault(_ message: StaticString) {
        meter.counts.faults &+= 1
        loop.log.error(message, ["session_id": governor.session.id, "route": governor.session.route.name])
        close(.fault)
    }

    private func pass(_ range: Range<Int>, of window: Window, to half: Half) {
        guard half.phase != .closed, half.side == .backend || runtime != nil else { return }
        if range.count < 512, half.outbox.endsSmall {
            let base = unsafe loop.pool.address(of: window.buffer) + window.start
            let bytes = unsafe UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
            unsafe loop.copy(bytes, to: &half.outbox)
        } else {
            half.outbox.append(window.buffer, at: window.start + range.lowerBound, count: range.count, loop.pool)
        }
    }

    private func put(_ range: Range<Int>, to half: Half) {
        guard half.phase != .closed, half.side == .backend || runtime != nil else { return }
        unsafe loop.output.scratch.withUnsafeBytes { scratch in
            guard range.lowerBound >= 0, range.upperBound <= scratch.count else { return }
            unsafe loop.copy(UnsafeRawBufferPointer(rebasing: scratch[range]), to: &half.outbox)
        }
    }

    // MARK: Arrivals

    /// Takes over the reference to `chunk`.
    func received(_ chunk: BufferID, _ count: Int, on half: Half) {
        lastActivity = loop.monotonic
        if half.side == .client {
            meter.counts.bytesFromClient &+= UInt64(count)
        } else {
            meter.counts.bytesFromBackend &+= UInt64(count)
        }
        guard isRunning else {
            loop.pool.release(chunk)
            return
        }
        if half.filter != nil {
            decrypt(chunk, BufferPool.room, count, on: half)
        } else {
            half.window.append(chunk, at: BufferPool.room, count: count, loop.pool)
            half.isFresh = true
        }
        advance()
    }

    /// That side sends no more: a FIN where `error` is zero, else a reset.
    func ended(_ half: Half, error: Int32) {
        lastActivity = loop.monotonic
        half.hasEnded = true
        switch phase {
        case .running:
            if error != 0 { return lost(half) }
            if half.phase == .securing { return lost(half) }
            advance()
        case .closing: if error != 0, half.side == .client { finish(.ended) }
        case .lingering: if half.side == .client { vanish() }
        case .gone: break
        }
        loop.look(at: self)
    }

    /// Nothing can be sent to that side any more.
    func lost(_ half: Half) {
        guard case .running = phase else {
            if half.side == .client {
                finish(.ended)
            } else if half.phase != .closed {
                half.outbox.drop(loop.pool)
                loop.dispose(half)
                loop.look(at: self)
            }
            return
        }
        if half.side == .client { return finish(.ended) }
        half.outbox.drop(loop.pool)
        half.hasEnded = true
        loop.dispose(half)
        isRunningTell(.ended(.backend))
        close(.backendEnded)
    }

    /// Tells the machine something at once, before the relay goes on to close.
    private func isRunningTell(_ event: WireEvent) {
        half(.backend).hasToldEnd = true
        note(event)
        advance()
    }
}

extension Refusal.Code {
    /// Nothing that was decided before may leave any more (law 8).
    fileprivate var endsDelivery: Bool {
        switch self {
        case .revoked, .expired, .evidenceUnavailable: true
        default: false
        }
    }
}
