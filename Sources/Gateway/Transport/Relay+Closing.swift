import TidegateCore

extension Relay {
    static let flushSeconds: Int64 = 5
    static let lingerSeconds: Int64 = 2
    /// For what is in flight where a session leaves.
    static let leaveSeconds: Int64 = 25

    /// Reads no more, sends what waits, closes.
    func close(_ reason: CloseReason) {
        guard isRunning else { return }
        phase = .closing(reason)
        closeBy = loop.monotonic + Relay.flushSeconds * 1_000_000_000
        arm(closeBy)
        events.removeAll()
        client.window.clear(loop.pool)
        backend.window.clear(loop.pool)
        if backend.phase != .open || backend.waiting == 0 {
            backend.outbox.drop(loop.pool)
            loop.dispose(backend)
        }
        if client.phase == .securing {
            // No word can be said before TLS is up, but its alert.
            client.outbox.drop(loop.pool)
        }
        updateReading(client)
        updateReading(backend)
        loop.look(at: self)
    }

    func finishIfFlushed() {
        guard case .closing(let reason) = phase else { return }
        if backend.phase == .open, backend.waiting == 0, !backend.isSending { loop.dispose(backend) }
        let clientDone = client.phase == .absent || client.phase == .closed || client.waiting == 0 && !client.isSending
        if clientDone, backend.phase == .closed || backend.phase == .absent { finish(reason) }
    }

    /// Ends the session: evidence, counters, and the descriptors.
    func finish(_ reason: CloseReason, resetting: Bool = false) {
        switch phase {
        case .lingering: return vanish()
        case .gone: return
        case .running, .closing: break
        }
        let told: CloseReason
        if case .closing(let first) = phase { told = first } else { told = reason }
        governor.now = loop.now
        tellGone()
        governor.end(told)
        logEnd(told)
        events.removeAll()
        client.window.clear(loop.pool)
        backend.window.clear(loop.pool)
        dropOutboxes()
        backend.resetsOnClose = resetting
        loop.dispose(backend)
        if client.phase == .open, !client.hasEnded, !resetting, !client.isSending {
            // Closing a socket with unread bytes resets it, and what was said last would be lost.
            phase = .lingering
            client.isFinishing = true
            closeBy = loop.monotonic + Relay.lingerSeconds * 1_000_000_000
            arm(closeBy)
            loop.look(at: self)
        } else {
            client.resetsOnClose = resetting
            vanish()
        }
        onEnd?(told)
        onEnd = nil
    }

    /// The machine may owe evidence of what its peers were told; nobody is there for its steps.
    private func tellGone() {
        var output = WireOutput(authority: governor.authorityVersion)
        try? machine.handle(.gone, asking: &governor, &output)
    }

    /// An end that somebody may have to explain is told where nobody asked for detail.
    private func logEnd(_ reason: CloseReason) {
        let session = governor.session
        let members: KeyValuePairs<StaticString, String> = [
            "session_id": session.id, "route": session.route.name, "reason": reason.word,
            "client_address": session.clientAddress,
        ]
        switch reason {
        case .ended, .draining, .backendEnded: loop.log.debug("session ended", members)
        case .backendUnreachable, .backendRefusedLogIn, .violation, .refused, .limit, .idle, .notAuthenticatedInTime,
            .killed, .fault:
            // The gateway's own connections are told of by whoever opened them.
            if runtime != nil { loop.refusals.tell("session ended", at: loop.now, members) }
        }
    }

    private func dropOutboxes() {
        for half in [client, backend] {
            half.outbox.drop(loop.pool)
            half.filter?.outbox.drop(loop.pool)
        }
    }

    /// Gives up what is left; the loop forgets the relay.
    func vanish() {
        if case .gone = phase { return }
        phase = .gone
        dropOutboxes()
        loop.dispose(client)
        loop.dispose(backend)
        loop.forget(self)
    }

    /// Ends the session here and now: what was not written is dropped (law 8).
    func cut(_ refusal: Refusal) {
        guard isRunning else {
            if case .closing = phase, !isCut { finish(.refused(refusal), resetting: true) }
            return
        }
        isCut = true
        backend.outbox.drop(loop.pool)
        client.outbox.drop(loop.pool)
        let isAtBoundary: Bool
        if let filter = client.filter {
            isAtBoundary = filter.outbox.isEmpty && filter.outbox.isAtBoundary
        } else {
            isAtBoundary = client.outbox.isAtBoundary
        }
        // Words behind evidence that never becomes durable would never leave either.
        let isStuck = loop.evidence.isBroken && client.outbox.ticket > loop.durable
        guard client.phase == .open, isAtBoundary, !client.isSending, !isStuck else {
            return finish(.refused(refusal), resetting: true)
        }
        backend.resetsOnClose = true
        loop.dispose(backend)
        events.removeAll()
        client.isParked = true
        client.isFresh = false
        deliver(.lastWords(refusal))
        close(.refused(refusal))
    }

    // MARK: Deadlines

    /// Makes the loop look at the deadlines at `time`.
    func arm(_ time: Int64) {
        guard time < armedFor else { return }
        armedFor = time
        loop.wheel.arm(token, at: time)
    }

    /// The earliest deadline of now.
    private func nextDeadline() -> Int64 {
        var next = min(authenticateBy, min(connectBy, closeBy))
        guard runtime != nil else { return next }
        switch phase {
        case .running:
            next = min(next, min(min(idleAt, expiresAt), min(leaveBy, partingAt(client), partingAt(backend))))
        case .closing: if !isCut { next = min(next, expiresAt) }
        case .lingering, .gone: break
        }
        return next
    }

    private var expiresAt: Int64 {
        guard governor.principal != nil else { return .max }
        let left = governor.expires.nanoseconds.subtractingReportingOverflow(loop.now.nanoseconds)
        if left.overflow { return .max }
        let due = loop.monotonic.addingReportingOverflow(max(0, left.partialValue))
        return due.overflow ? .max : due.partialValue
    }

    /// When a side that sends no more has waited for too long with a question that nobody answers: a log-in's time.
    private func partingAt(_ half: Half) -> Int64 {
        guard half.hasEnded, !half.hasToldEnd, half.isParked || half.side == .client && awaitsReplies else {
            return .max
        }
        return Relay.time(limits.secondsToAuthenticate, after: lastActivity)
    }

    /// When the session has been idle for too long.
    var idleAt: Int64 { mayBeSilent ? .max : Relay.time(limits.idleSeconds, after: lastActivity) }

    /// - Returns: nanoseconds; `.max` where no clock gets that far.
    static func time(_ seconds: Int, after start: Int64) -> Int64 {
        let (span, isTooLong) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (end, isTooLate) = start.addingReportingOverflow(span)
        return isTooLong || isTooLate ? .max : end
    }

    func armDeadlines() {
        let next = nextDeadline()
        if next != .max { arm(next) }
    }

    /// A deadline may be over.
    func tick() {
        armedFor = .max
        let now = loop.monotonic
        switch phase {
        case .running:
            governor.now = loop.now
            if isAuthenticated { authenticateBy = .max }
            if authenticateBy <= now {
                close(.notAuthenticatedInTime)
            } else if connectBy <= now {
                dialNext("no answer in time")
            } else if governor.isExpired {
                cut(Refusal(.expired))
            } else if runtime != nil, idleAt <= now {
                close(.idle)
            } else if leaveBy <= now {
                close(.draining)
            } else if partingAt(client) <= now {
                close(.ended)
            } else if partingAt(backend) <= now {
                close(.backendEnded)
            }
        case .closing(let reason):
            governor.now = loop.now
            if closeBy <= now || !isCut && governor.principal != nil && governor.isExpired {
                finish(reason, resetting: true)
            }
        case .lingering: if closeBy <= now { vanish() }
        case .gone: return
        }
        armDeadlines()
    }
}
