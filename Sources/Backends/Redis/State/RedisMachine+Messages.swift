import TidegateCore
import TidegateWire

/// Subscriptions, and the messages that come by them.
extension RedisMachine {
    mutating func subscribe(
        _ kind: RedisSubscriptions.Kind, _ name: WireName, _ bytes: RawSpan, _ frame: Range<Int>?,
        _ governor: inout Governor, _ output: inout WireOutput
    ) -> Progress {
        guard arguments.count > 1 else { return refuse("ERR wrong number of arguments", &output) }
        if transaction.isOpen {
            governor.refuseRequest(name, "a subscription inside MULTI")
            return refuse("NOPERM subscriptions inside MULTI are not open here", &output)
        }
        for index in 1..<arguments.count {
            // Notifications of keys name keys of all databases.
            let isOfKeys = bytes.extracting(arguments[index]).begins("__key")
            request.ask(CommandTarget(isOfKeys ? .admin : .consume, isOfKeys ? .cluster : .channel, index))
        }
        if let words = stage(name, bytes, &governor) { return refuse("NOPERM \(words)", &output) }
        guard let clearance = staged.last?.clearance else { return refuse("ERR wrong number of arguments", &output) }
        for index in 1..<arguments.count {
            if let resource = resource(.channel, bytes.extracting(arguments[index]), &governor) {
                subscriptions[kind][resource] = staged[index - 1]
            }
        }
        awaited.append(
            Awaited(kind: .confirmations, rule: name.index, count: Int32(clamping: arguments.count - 1)))
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
        var count = max(1, subscriptions.count(kind))
        if arguments.count > 1 {
            count = arguments.count - 1
            for index in 1..<arguments.count {
                if let resource = resource(.channel, bytes.extracting(arguments[index]), &governor) {
                    subscriptions[kind][resource] = nil
                }
            }
        } else {
            subscriptions[kind] = [:]
        }
        awaited.append(Awaited(kind: .confirmations, rule: name.index, count: Int32(clamping: count)))
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
        let words: [StaticString] = [
            "subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe",
        ]
        guard words.contains(where: { window.equals($0, kind.content) }) else {
            if head.kind != .push { return nil }
            throw WireViolation("a push that nobody asked for", side: .backend, at: reply.lowerBound)
        }
        guard let clearance = governor.openClearance() else {
            output.close(.refused(Refusal(.revoked)))
            return .done
        }
        output.pass(reply, to: .client, under: clearance)
        // A slot that moves away takes its subscriptions along unasked.
        guard var entry = awaited.first, entry.kind == .confirmations else {
            output.boundary(.client)
            return .done
        }
        entry.count -= 1
        if entry.count > 0 {
            awaited[0] = entry
            output.boundary(.client)
        } else {
            finishAnswer(&output)
        }
        return .done
    }

    /// A message is asked about by its own channel, whatever pattern brought it.
    private mutating func deliverMessage(
        _ reply: Range<Int>, _ head: RESPToken, channel: RESPToken, payload: RESPToken, _ window: RawSpan,
        isShard: Bool, isPattern: Bool, _ governor: inout Governor, _ output: inout WireOutput
    ) -> Progress {
        let isOfKeys = window.extracting(channel.content).begins("__key")
        let kind = isOfKeys ? CommandTarget.Kind.cluster : .channel
        let name = isOfKeys ? 0..<0 : channel.content
        guard let resource = resource(kind, window.extracting(name), &governor) else {
            output.close(.limit)
            return .done
        }
        let wireName = isPattern ? table.patternSubscribe : isShard ? table.shardSubscribe : table.subscribe
        let operation = Operation(isOfKeys ? .admin : .consume, resource, wireName: wireName)
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
    func begins(_ text: StaticString) -> Bool { equals(text, 0..<min(byteCount, text.utf8CodeUnitCount)) }
}
