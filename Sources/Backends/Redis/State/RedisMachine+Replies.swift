import TidegateCore
import TidegateWire

/// What becomes of the server's answers.
extension RedisMachine {
    mutating func receiveFromBackend(
        _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Int {
        if !upstream.isReady {
            let consumed = try upstream.receive(window, &output)
            if upstream.isReady, phase == .joining { phase = .relaying }
            return consumed
        }
        work = servers.borrowRoom()
        defer { servers.giveBack(&work) }
        let limit = governor.session.route.limits.frameBytes
        var consumed = 0
        while true {
            var need: Int?
            guard let end = try scan.end(window, from: consumed, byteLimit: limit, need: &need) else {
                if let need { output.need(.backend, bytes: need) }
                return consumed
            }
            switch try take(reply: consumed..<end, window, &governor, &output) {
            case .parked: return consumed
            case .done:
                scan.reset()
                consumed = end
            }
            if isEnding(output) { return consumed }
        }
    }

    /// True where the call has ended the connection.
    private func isEnding(_ output: borrowing WireOutput) -> Bool {
        if case .close? = output.steps.last { return true }
        return false
    }

    private mutating func take(
        reply: Range<Int>, _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Progress {
        guard case .token(let head) = try RESP.read(window, at: reply.lowerBound, byteLimit: reply.count) else {
            throw WireViolation("an answer without a beginning", side: .backend, at: reply.lowerBound)
        }
        if head.kind == .push || (head.kind == .array && mayBeMessage) {
            if let progress = try takeMessage(reply, head, window, &governor, &output) { return progress }
        }
        guard let entry = awaited.first, entry.kind != .own else {
            throw WireViolation("an answer to no request", side: .backend, at: reply.lowerBound)
        }
        switch entry.kind {
        case .own: return .done
        case .mute:
            guard head.kind == .simple, window.equals("OK", head.content) else {
                upstream.refuse(head, window, &output)
                return .done
            }
            hasBarrier = false
            finishAnswer(&output)
            return .done
        case .confirmations:
            guard head.isError else {
                throw WireViolation("no confirmation", side: .backend, at: reply.lowerBound)
            }
            // What the server refuses is not listened to.
            hasBarrier = false
            return passPlain(reply, window, &governor, &output)
        case .queued:
            guard head.isError || (head.kind == .simple && window.equals("QUEUED", head.content)) else {
                throw WireViolation("a command that was to be queued was not", side: .backend, at: reply.lowerBound)
            }
            return passPlain(reply, window, &governor, &output)
        case .aborted:
            dropQueued(entry.count)
            output.say(RESPText.error("EXECABORT Transaction discarded because of previous errors."))
            finishAnswer(&output)
            return .done
        case .transaction: return try takeTransaction(reply, head, entry, window, &governor, &output)
        case .server:
            return takeAnswer(reply, head, entry, window, &governor, &output)
        }
    }

    private mutating func takeAnswer(
        _ reply: Range<Int>, _ head: RESPToken, _ entry: Awaited, _ window: RawSpan, _ governor: inout Governor,
        _ output: inout WireOutput
    ) -> Progress {
        if case .reset = entry.effect, head.kind != .simple || !window.equals("RESET", head.content) {
            output.close(.violation(.backend))
            return .done
        }
        if entry.shape == .plain || head.isError {
            if case .none = entry.effect {} else { apply(entry, isError: head.isError, &output) }
            return passPlain(reply, window, &governor, &output)
        }
        work.deliveries.begin()
        work.deliveries.add(reply, entry, names: names(of: entry))
        for place in 0..<Int(entry.targets) { work.deliveries.ask(asked[place]) }
        return deliver(reply, window, &governor, &output)
    }

    private func names(of entry: Awaited) -> [[UInt8]]? {
        guard case .names(let names)? = details[entry.detail] else { return nil }
        return names
    }

    /// An answer without anybody's values.
    mutating func passPlain(
        _ reply: Range<Int>, _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) -> Progress {
        guard let clearance = governor.openClearance() else {
            output.close(.refused(Refusal(.revoked)))
            return .done
        }
        if Redirection.mayBe(window, at: reply.lowerBound), let words = redirected(reply, window, governor) {
            output.say(words)
        } else {
            output.pass(reply, to: .client, under: clearance)
        }
        finishAnswer(&output)
        return .done
    }

    /// What a command does to the connection's state, now that it is answered.
    private mutating func apply(_ entry: Awaited, isError: Bool, _ output: inout WireOutput) {
        switch entry.effect {
        case .none: break
        case .select(let number):
            hasBarrier = false
            if !isError { database = number }
        case .hello(let asked):
            hasBarrier = false
            if !isError, asked != 0 { version = asked }
        case .reset:
            dropQueued(entry.count)
            // Where the gateway logs in again, that is waited for.
            hasBarrier = upstream.command != nil
            guard !isError else { return output.close(.violation(.backend)) }
            subscriptions.empty()
            version = 2
            database = 0
        case .multi: if isError { output.close(.violation(.backend)) }
        case .discard: dropQueued(entry.count)
        case .subscribe, .unsubscribe: break
        }
    }

    // MARK: Transactions

    /// Forgets the oldest queued commands.
    mutating func dropQueued(_ count: Int32) {
        for _ in 0..<count {
            guard let entry = transaction.queued.popFirst() else { return }
            details.drop(entry.detail)
            for _ in 0..<entry.targets { _ = transaction.asked.popFirst() }
        }
    }

    /// EXEC's answer: an array of the queued commands' own, null where a watched key has changed, or an error.
    private mutating func takeTransaction(
        _ reply: Range<Int>, _ head: RESPToken, _ entry: Awaited, _ window: RawSpan, _ governor: inout Governor,
        _ output: inout WireOutput
    ) throws(WireViolation) -> Progress {
        if head.isError || head.kind == .null {
            dropQueued(entry.count)
            return passPlain(reply, window, &governor, &output)
        }
        guard head.isAggregate, head.count == Int(entry.count) else {
            throw WireViolation("an EXEC of another length", side: .backend, at: reply.lowerBound)
        }
        work.deliveries.begin()
        var cursor = ReplyCursor(head.range.upperBound..<reply.upperBound)
        var place = 0
        for number in 0..<head.count {
            let element: Range<Int>
            do throws(ShapeFailure) { element = try cursor.skip(window) } catch {
                throw WireViolation("an EXEC without its answers", side: .backend, at: reply.lowerBound)
            }
            let queued = transaction.queued[number]
            work.deliveries.add(element, queued, names: names(of: queued))
            for _ in 0..<queued.targets {
                work.deliveries.ask(transaction.asked[place])
                place += 1
            }
        }
        let progress = deliver(reply, window, &governor, &output)
        if progress == .done { dropQueued(entry.count) }
        return progress
    }
}
