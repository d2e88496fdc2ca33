import TidegateCore
import TidegateWire

/// Subscriptions, and the messages that come by them.
extension RedisMachine {
    mutating func subscribe(
        _ kind: RedisSubscriptions.Kind, _ name: WireName, _ bytes: RawSpan, _ frame: Range<Int>?,
        _ governor: inout Governor, _ output: inout WireOutput
    ) -> Progress {
        guard arguments.count > 1 else { return refuseCount(name, &output) }
        if transaction.isOpen {
            governor.refuseRequest(name, "a subscription inside MULTI")
            return refuse("NOPERM subscriptions inside MULTI are not open here", &output)
        }
        for index in 1..<arguments.count {
            let isServers = bytes.isServersOwn(arguments[index])
            request.ask(CommandTarget(isServers ? .admin : .consume, isServers ? .cluster : .channel, index))
        }
        if let words = stage(name, bytes, &governor) { return refuse("NOPERM \(words)", &output) }
        guard let clearance = staged.last?.clearance else { return refuseCount(name, &output) }
        // The rights wait for the server's confirmations, which come in this order; until then nothing else is sent.
        for right in staged { asked.append(right) }
        awaited.append(
            Awaited(
                kind: .confirmations, effect: .subscribe(kind), rule: name.index,
                targets: Int32(clamping: staged.count), count: Int32(clamping: staged.count)))
        hasBarrier = true
        send(plain: bytes, frame, under: clearance, &output)
        return .done
    }

    mutating func unsubscribe(
        _ kind: RedisSubscriptions.Kind, _ name: WireName, _ bytes: RawSpan, _ frame: Range<Int>?,
        _ governor: inout Governor, _ output: inout WireOutput
    ) -> Progress {
        if transaction.isOpen { return refuse("NOPERM subscriptions inside MULTI are not open here", &output) }
        guard let clearance = governor.openClearance() else {
            return refuse("NOPERM no rule covers you here", &output)
        }
        // Without names: one confirmation for each, and one where there is none.
        let count = arguments.count > 1 ? arguments.count - 1 : max(1, subscriptions.count(kind))
        awaited.append(
            Awaited(
                kind: .confirmations, effect: .unsubscribe(kind), rule: name.index, count: Int32(clamping: count)))
        hasBarrier = true
        send(plain: bytes, frame, under: clearance, &output)
        return .done
    }

    /// True where an array may be a message or a confirmation (RESP2 has no pushes).
    var mayBeMessage: Bool {
        guard version == 2 else { return false }
        guard let first = awaited.first else { return true }
        return first.isSubscribed || first.kind == .confirmations
    }

    /// Takes what comes by a subscription: `[kind, channel, payload]`, `[pmessage, pattern, channel, payload]`, or
    /// `[subscribe, channel, count]`.
    ///
    /// - Returns: nil where it is an answer after all (RESP2).
    /// - Throws: a push that nobody asked for.
    mutating func takeMessage(
        _ reply: Range<Int>, _ head: RESPToken, _ window: RawSpan, _ governor: inout Governor,
        _ output: inout WireOutput
    ) throws(WireViolation) -> Progress? {
        var cursor = ReplyCursor(head.range.upperBound..<reply.upperBound)
        var tokens: [RESPToken] = []
        do throws(ShapeFailure) {
            for _ in 0..<min(head.count, 5) { tokens.append(try cursor.next(window)) }
        } catch { throw WireViolation("a message without its parts", side: .backend, at: reply.lowerBound) }
        guard let kind = tokens.first, kind.isText else {
            if head.kind != .push { return nil }
            throw WireViolation("a push of no kind", side: .backend, at: reply.lowerBound)
        }
        let isPattern = window.equals("pmessage", kind.content)
        if isPattern || window.equals("message", kind.content) || window.equals("smessage", kind.content) {
            guard tokens.count == (isPattern ? 4 : 3), tokens.allSatisfy({ $0.isText }) else {
                throw WireViolation("a message without its parts", side: .backend, at: reply.lowerBound)
            }
            return deliverMessage(
                reply, head, channel: tokens[isPattern ? 2 : 1], payload: tokens[isPattern ? 3 : 2], window,
                isShard: window.equals("smessage", kind.content), isPattern: isPattern, &governor, &output)
        }
        guard let confirmation = Confirmation(window, kind.content) else {
            if head.kind != .push { return nil }
            throw WireViolation("a push that nobody asked for", side: .backend, at: reply.lowerBound)
        }
        guard tokens.count == 3 else {
            throw WireViolation("a confirmation without its parts", side: .backend, at: reply.lowerBound)
        }
        return try confirm(confirmation, tokens[1], reply, window, &governor, &output)
    }

    /// What the server says of a subscription.
    private struct Confirmation {
        var kind: RedisSubscriptions.Kind
        var isEnd: Bool

        init?(_ window: RawSpan, _ word: Range<Int>) {
            let words: [(StaticString, RedisSubscriptions.Kind, Bool)] = [
                ("subscribe", .channel, false), ("psubscribe", .pattern, false), ("ssubscribe", .shard, false),
                ("unsubscribe", .channel, true), ("punsubscribe", .pattern, true), ("sunsubscribe", .shard, true),
            ]
            guard let found = words.first(where: { window.equals($0.0, word) }) else { return nil }
            (kind, isEnd) = (found.1, found.2)
        }
    }

    /// Keeps the subscriptions as the server has them, and passes its word on.
    private mutating func confirm(
        _ confirmation: Confirmation, _ name: RESPToken, _ reply: Range<Int>, _ window: RawSpan,
        _ governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Progress {
        guard let clearance = governor.openClearance() else {
            output.close(.refused(Refusal(.revoked)))
            return .done
        }
        var isAwaited = false
        if let entry = awaited.first, entry.kind == .confirmations {
            switch entry.effect {
            case .subscribe(let kind): isAwaited = !confirmation.isEnd && kind == confirmation.kind
            case .unsubscribe(let kind): isAwaited = confirmation.isEnd && kind == confirmation.kind
            default: break
            }
        }
        if confirmation.isEnd {
            if name.isText, let known = resource(.channel, window.extracting(name.content), &governor) {
                subscriptions.remove(confirmation.kind, known)
            }
        } else {
            guard isAwaited, let entry = awaited.first, name.isText,
                let known = resource(.channel, window.extracting(name.content), &governor)
            else { throw WireViolation("a subscription that nobody asked for", side: .backend, at: reply.lowerBound) }
            let right = asked[Int(entry.targets - entry.count)]
            guard let fresh = governor.renew(right.clearance) else {
                output.close(.refused(Refusal(.revoked)))
                return .done
            }
            subscriptions.insert(confirmation.kind, known, Asked(operation: right.operation, clearance: fresh))
        }
        output.pass(reply, to: .client, under: clearance)
        // A slot that moves away takes its subscriptions along unasked.
        guard isAwaited, var entry = awaited.first else {
            output.boundary(.client)
            return .done
        }
        entry.count -= 1
        if entry.count > 0 {
            awaited[0] = entry
            output.boundary(.client)
        } else {
            hasBarrier = false
            finishAnswer(&output)
        }
        return .done
    }

    /// A message is asked about by its own channel, whatever pattern brought it.
    private mutating func deliverMessage(
        _ reply: Range<Int>, _ head: RESPToken, channel: RESPToken, payload: RESPToken, _ window: RawSpan,
        isShard: Bool, isPattern: Bool, _ governor: inout Governor, _ output: inout WireOutput
    ) -> Progress {
        let isServers = window.isServersOwn(channel.content)
        let kind = isServers ? CommandTarget.Kind.cluster : .channel
        let name = isServers ? 0..<0 : channel.content
        guard let resource = resource(kind, window.extracting(name), &governor) else {
            output.close(.limit)
            return .done
        }
        let wireName = isPattern ? table.patternSubscribe : isShard ? table.shardSubscribe : table.subscribe
        let operation = Operation(isServers ? .admin : .consume, resource, wireName: wireName)
        guard case .allow(let clearance) = governor.standing(operation) else {
            // A pattern brings what its listener may not have; the refusal is written once a channel.
            output.boundary(.client)
            return .done
        }
        work.deliveries.begin()
        work.deliveries.add(
            reply, Awaited(kind: .server, shape: .message, rule: wireName.index, targets: 1), names: nil)
        work.deliveries.ask(Asked(operation: operation, clearance: clearance))
        return deliver(reply, window, &governor, &output, isMessage: true)
    }
}

extension RawSpan {
    /// True of channels by which servers and sentinels speak: events of keys (of all databases), and where the primary is,
    /// which sentinels believe of whoever says it.
    func isServersOwn(_ channel: Range<Int>) -> Bool { holds(channel) && extracting(channel).begins("__") }

    func begins(_ text: StaticString) -> Bool { equals(text, 0..<min(byteCount, text.utf8CodeUnitCount)) }
}
