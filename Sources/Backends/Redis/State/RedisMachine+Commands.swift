import TidegateCore
import TidegateWire

/// What becomes of one command: decided, forwarded, or answered here.
extension RedisMachine {
    /// - Parameters:
    ///   - bytes: the command's own.
    ///   - frame: where it stands in the window; nil where the gateway has written it anew.
    mutating func take(
        _ bytes: RawSpan, _ frame: Range<Int>?, _ governor: inout Governor, _ output: inout WireOutput
    ) -> Progress {
        let found = table.find(arguments, bytes)
        if version == 2, !subscriptions.isEmpty, !isOfSubscriber(found) {
            // As Redis; and so no array but a message's can come.
            return refuse(
                "ERR Can't execute this command: only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
                &output)
        }
        if phase == .greeting || isLoggedOut {
            return takeUnknown(found, bytes, frame, &governor, &output)
        }
        guard let found else {
            governor.refuseRequest(nil, "unknown command")
            return refuse("ERR unknown command", &output)
        }
        if mustJoin(&output) { return .parked }
        let rule = table.rules[found]
        let name = WireName(UInt16(truncatingIfNeeded: found))
        switch rule.handling {
        case .session(let command): return takeSession(command, name, bytes, frame, &governor, &output)
        case .refused(let reason):
            governor.refuseRequest(name, "\(reason)")
            return refuse("NOPERM \(reason)", &output)
        case .open:
            request.empty()
            staged.removeAll(keepingCapacity: true)
            return forward(bytes, frame, name, &governor, &output)
        case .cluster(let action, let shape):
            request.empty()
            request.ask(CommandTarget(action, .cluster, 0))
            request.shape = shape
        case .exposing:
            request.empty()
            request.ask(CommandTarget(.admin, .cluster, 0))
        case .governed(let grammar):
            request.empty()
            do throws(GrammarFailure) { try grammar(arguments, bytes, &request) } catch {
                governor.refuseRequest(name, "\(error.reason)")
                return error == .count ? refuseCount(name, &output) : refuse("ERR \(error.reason)", &output)
            }
        }
        return decideAndForward(name, bytes, frame, &governor, &output)
    }

    /// Answers with an error; between MULTI and EXEC it spoils the transaction, as any error there does.
    mutating func refuse(_ words: String, _ output: inout WireOutput) -> Progress {
        if transaction.isOpen { transaction.isDirty = true }
        owe(RESPText.error(words), &output)
        return .done
    }

    /// In Redis' words, which some clients show: `for 'xgroup|create' command`.
    mutating func refuseCount(_ name: WireName, _ output: inout WireOutput) -> Progress {
        let words = "\(table.rules[Int(name.index)].name)".lowercased().replacing(" ", with: "|")
        return refuse("ERR wrong number of arguments for '\(words)' command", &output)
    }

    mutating func decideAndForward(
        _ name: WireName, _ bytes: RawSpan, _ frame: Range<Int>?, _ governor: inout Governor,
        _ output: inout WireOutput
    ) -> Progress {
        if !servers.settings.databases.contains(Int(database)) {
            governor.refuseRequest(name, "database \(database) is not open")
            return refuse("NOPERM this database is not open here: SELECT another", &output)
        }
        isOutOfRoom = false
        if let words = stage(name, bytes, &governor) {
            guard isOutOfRoom, subscriptions.isEmpty, !transaction.isOpen else {
                return refuse("NOPERM \(words)", &output)
            }
            // Names of before are in the way: they are forgotten, once nothing is under way that needs them.
            guard awaited.isEmpty else {
                output.awaitReplies()
                return .parked
            }
            governor.forgetNames()
            if let words = stage(name, bytes, &governor) { return refuse("NOPERM \(words)", &output) }
        }
        return forward(bytes, frame, name, &governor, &output)
    }

    /// True of what a connection of RESP2 may say while it listens.
    private func isOfSubscriber(_ found: Int?) -> Bool {
        guard let found else { return false }
        guard case .session(let command) = table.rules[found].handling else { return found == table.ping }
        switch command {
        case .subscribe, .unsubscribe, .patternSubscribe, .patternUnsubscribe, .shardSubscribe, .shardUnsubscribe,
            .quit, .reset:
            return true
        default: return false
        }
    }

    /// Decides every target; those allowed are staged.
    ///
    /// - Returns: why one is not, in words for the client.
    mutating func stage(_ name: WireName, _ bytes: RawSpan, _ governor: inout Governor) -> String? {
        staged.removeAll(keepingCapacity: true)
        for target in request.targets {
            switch decide(target, name, bytes, &governor) {
            case .allowed(let asked):
                if asked.clearance.mask.hides, request.isRefusedUnderMask {
                    governor.refuseRequest(name, "its answer cannot be masked")
                    return "the answer of this command cannot be masked"
                }
                staged.append(asked)
            case .refused(let words): return words
            }
        }
        return nil
    }

    private enum Verdict {
        case allowed(Asked)
        case refused(String)
    }

    private mutating func decide(
        _ target: CommandTarget, _ name: WireName, _ bytes: RawSpan, _ governor: inout Governor
    ) -> Verdict {
        let range = target.kind == .cluster ? 0..<0 : arguments[target.name]
        guard bytes.holds(range), let resource = resource(target.kind, bytes.extracting(range), &governor) else {
            return .refused("more names than one connection may bring")
        }
        var operation = Operation(target.action, resource, wireName: name, from: target.from)
        if let group = target.group {
            guard bytes.holds(arguments[group]),
                let within = self.resource(.group, bytes.extracting(arguments[group]), &governor)
            else { return .refused("more names than one connection may bring") }
            operation.within = within
        }
        let decision: Decision
        if target.kind == .anyKey {
            guard let stream = self.resource(.stream, bytes.extracting(range), &governor) else {
                return .refused("more names than one connection may bring")
            }
            var other = operation
            other.resource = stream
            decision = governor.decide(anyOf: operation, other)
        } else {
            decision = governor.decide(operation)
        }
        switch decision {
        case .allow(let clearance): return .allowed(Asked(operation: operation, clearance: clearance))
        case .deny(let refusal): return .refused(governor.text(refusal, operation, isNaming: false))
        case .hold: return .refused(governor.text(Refusal(.approvalRequired), operation, isNaming: false))
        }
    }

    mutating func resource(_ kind: CommandTarget.Kind, _ name: RawSpan, _ governor: inout Governor) -> Resource? {
        guard case .ready(let resource) = governor.resource(kind.resourceKind, named: name) else {
            isOutOfRoom = true
            return nil
        }
        return resource
    }

    // MARK: Forwarding

    /// Passes the command on, with what it asked for on the list of what is awaited.
    mutating func forward(
        _ bytes: RawSpan, _ frame: Range<Int>?, _ name: WireName, _ governor: inout Governor,
        _ output: inout WireOutput, effect: Awaited.Effect = .none
    ) -> Progress {
        guard let clearance = staged.last?.clearance ?? governor.openClearance() else {
            return refuse("NOPERM no rule covers you here", &output)
        }
        var entry = Awaited(
            kind: .server, effect: effect, shape: request.shape, rule: name.index, database: database,
            targets: Int32(clamping: staged.count), bytes: UInt32(clamping: bytes.byteCount),
            isBlocking: request.wait != nil && !transaction.isOpen,
            isSubscribed: version == 2 && !subscriptions.isEmpty)
        if case .namedFields(let from, let isSingle) = request.shape, let first = staged.first,
            !first.clearance.mask.isNone || first.clearance.recording == .messages
        {
            let end = isSingle ? from + 1 : arguments.count
            entry.detail = details.keep(.names((from..<max(from, end)).map { bytes.bytes(arguments[$0]) }))
        }
        if transaction.isOpen {
            guard transaction.queued.count < Transaction.limit,
                transaction.asked.count + staged.count <= Transaction.limit, details.weight <= RedisMachine.keptLimit
            else {
                details.drop(entry.detail)
                return refuse("ERR more commands than one transaction may have", &output)
            }
            transaction.queued.append(entry)
            transaction.count += 1
            for asked in staged { transaction.asked.append(asked) }
            awaited.append(Awaited(kind: .queued, rule: name.index))
        } else {
            awaited.append(entry)
            for target in staged { asked.append(target) }
        }
        switch effect {
        case .select, .hello: hasBarrier = true
        default: break
        }
        send(bytes, frame, under: clearance, governor, &output)
        return .done
    }

    /// The command's bytes as they came, but for a wait that would go on behind the end of the client's right.
    private func send(
        _ bytes: RawSpan, _ frame: Range<Int>?, under clearance: Clearance, _ governor: borrowing Governor,
        _ output: inout WireOutput
    ) {
        if let wait = request.wait, let shorter = shortened(wait, bytes, governor) {
            let start = output.scratch.count
            RESPText.appendHeader("*", arguments.count, to: &output.scratch)
            for index in 0..<arguments.count {
                let argument = index == wait.argument ? shorter : bytes.bytes(arguments[index])
                RESPText.append(bulk: argument, to: &output.scratch)
            }
            output.put(start..<output.scratch.count, to: .backend, under: clearance)
        } else if let frame {
            output.pass(frame, to: .backend, under: clearance)
        } else {
            let start = output.scratch.count
            output.scratch.append(bytes: bytes)
            output.put(start..<output.scratch.count, to: .backend, under: clearance)
        }
    }

    /// The wait up to the end of the token, where what was asked for ends behind it or never; at least a millisecond,
    /// since zero is for ever.
    private func shortened(
        _ wait: CommandRequest.Wait, _ bytes: RawSpan, _ governor: borrowing Governor
    ) -> [UInt8]? {
        guard governor.expires != .distantFuture else { return nil }
        let left = max(1, governor.expires.milliseconds(since: governor.now))
        let text = bytes.text(arguments[wait.argument]) ?? ""
        switch wait.unit {
        case .milliseconds:
            guard let asked = Int64(text), asked == 0 || asked > left else { return nil }
            return Array("\(left)".utf8)
        case .seconds:
            // What is no number gets the server's own error.
            guard let asked = Double(text), asked == 0 || asked > Double(left) / 1000 else { return nil }
            return Array("\(Double(left) / 1000)".utf8)
        }
    }
}

extension CommandTarget.Kind {
    /// The kind's place in `RedisBackend.declaration`. A name of any type is called a key.
    var resourceKind: ResourceKind {
        switch self {
        case .stream: ResourceKind(0)
        case .group: ResourceKind(1)
        case .key, .anyKey: ResourceKind(2)
        case .channel: ResourceKind(3)
        case .cluster: ResourceKind(4)
        }
    }
}
