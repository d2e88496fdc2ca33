import TidegateCore
import TidegateWire

/// Commands that change what the connection is: log-in, protocol version, database, transaction, subscriptions.
extension RedisMachine {
    // MARK: Log-in

    /// A command of a client that nobody knows yet, or that RESET has logged out.
    mutating func takeUnknown(
        _ found: Int?, _ bytes: RawSpan, _ frame: Range<Int>?, _ governor: inout Governor, _ output: inout WireOutput
    ) -> Progress {
        guard let found, case .session(let command) = table.rules[found].handling else {
            return refuse("NOAUTH Authentication required.", &output)
        }
        let name = WireName(UInt16(truncatingIfNeeded: found))
        switch command {
        case .auth: return takeAuth(bytes, &governor, &output)
        case .hello: return takeHello(name, bytes, frame, &governor, &output)
        case .quit: return takeQuit(&output)
        case .reset where phase == .greeting:
            owe(RESPText.simple("RESET"), &output)
            return .done
        default: return refuse("NOAUTH Authentication required.", &output)
        }
    }

    private mutating func takeAuth(
        _ bytes: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) -> Progress {
        guard arguments.count == 2 || arguments.count == 3 else {
            return refuse("ERR wrong number of arguments for 'auth' command", &output)
        }
        if transaction.isOpen { return refuse("ERR AUTH inside MULTI is not allowed", &output) }
        switch logIn(bytes.bytes(arguments[arguments.count - 1]), &governor, &output) {
        case .parked: return .parked
        case .isOver: return .done
        case .isIn:
            owe(RESPText.simple("OK"), &output)
            return .done
        }
    }

    private enum LogIn {
        case isIn
        /// A question is open: the same bytes come again.
        case parked
        /// The client has been told, or the session ends.
        case isOver
    }

    /// Verifies a token, and takes the way to the server where it is the first one.
    private mutating func logIn(
        _ token: [UInt8], _ governor: inout Governor, _ output: inout WireOutput
    ) -> LogIn {
        switch verify(token, &governor, &output) {
        case .notYet: return .parked
        case .refused: return .isOver
        case .verified: break
        }
        switch join(governor, &output) {
        case .parked: return .parked
        case .nowhere: return .isOver
        case .done:
            isLoggedOut = false
            return .isIn
        }
    }

    private enum Verification { case verified, notYet, refused }

    /// Verifies a token; where it is refused the client has been told.
    private mutating func verify(
        _ token: [UInt8], _ governor: inout Governor, _ output: inout WireOutput
    ) -> Verification {
        guard governor.session.route.isConfidential else {
            governor.rejectSession("tokens need TLS on this listener")
            _ = refuse("NOPERM tokens need TLS on this listener", &output)
            closeBehindAnswers(.refused(Refusal(.unauthenticated)), &output)
            return .refused
        }
        switch governor.authenticate(Credential(secret: token)) {
        case .notYet:
            output.park(.client)
            return .notYet
        case .refused(let refusal):
            _ = refuse(
                refusal.code == .limit
                    ? "ERR max number of sessions of this subject reached"
                    : "WRONGPASS invalid username-password pair or user is disabled.", &output)
            rejections += 1
            if rejections >= RedisMachine.rejectionLimit { closeBehindAnswers(.refused(refusal), &output) }
            return .refused
        case .ready: return .verified
        }
    }

    /// `HELLO [version [AUTH user token] [SETNAME name]]`: the token stays here, the rest is the server's to answer.
    private mutating func takeHello(
        _ name: WireName, _ bytes: RawSpan, _ frame: Range<Int>?, _ governor: inout Governor,
        _ output: inout WireOutput
    ) -> Progress {
        if transaction.isOpen { return refuse("ERR HELLO inside MULTI is not allowed", &output) }
        var asked: UInt8 = 0
        if arguments.count > 1 {
            guard let number = arguments.integer(1, bytes) else {
                return refuse("ERR Protocol version is not an integer or out of range", &output)
            }
            guard number == 2 || number == 3 else { return refuse("NOPROTO unsupported protocol version", &output) }
            asked = UInt8(number)
        }
        var token: Range<Int>?
        var clientName: Range<Int>?
        var index = 2
        while index < arguments.count {
            if arguments.isWord(index, "AUTH", bytes), index + 2 < arguments.count {
                token = arguments[index + 2]
                index += 3
            } else if arguments.isWord(index, "SETNAME", bytes), index + 1 < arguments.count {
                clientName = arguments[index + 1]
                index += 2
            } else {
                return refuse("ERR Syntax error in HELLO option", &output)
            }
        }
        if let token {
            switch logIn(bytes.bytes(token), &governor, &output) {
            case .parked: return .parked
            case .isOver: return .done
            case .isIn: break
            }
        } else if phase == .greeting || isLoggedOut {
            return refuse(
                "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
                &output)
        }
        // The same bytes come again when the server is there; the token is then known.
        if mustJoin(&output) { return .parked }
        request.empty()
        staged.removeAll(keepingCapacity: true)
        guard token != nil else {
            return forward(bytes, frame, name, &governor, &output, effect: .hello(asked))
        }
        var words = [Array("HELLO".utf8), bytes.bytes(arguments[1])]
        if let clientName { words += [Array("SETNAME".utf8), bytes.bytes(clientName)] }
        let composed = RESPText.command(words)
        return unsafe forward(composed.span.bytes, nil, name, &governor, &output, effect: .hello(asked))
    }

    private mutating func takeQuit(_ output: inout WireOutput) -> Progress {
        owe(RESPText.simple("OK"), &output)
        closeBehindAnswers(.ended, &output)
        return .done
    }

    /// The server forgets everything of the connection, the gateway's own log-in too: that is made again.
    private mutating func takeReset(
        _ name: WireName, _ bytes: RawSpan, _ frame: Range<Int>?, _ governor: inout Governor,
        _ output: inout WireOutput
    ) -> Progress {
        guard arguments.count == 1 else {
            return refuseCount(name, &output)
        }
        guard let clearance = governor.openClearance() else {
            return refuse("NOPERM no rule covers you here", &output)
        }
        awaited.append(
            Awaited(
                kind: .server, effect: .reset, rule: name.index, count: Int32(clamping: transaction.count),
                isSubscribed: version == 2 && !subscriptions.isEmpty))
        transaction.isOpen = false
        transaction.isDirty = false
        transaction.count = 0
        isLoggedOut = true
        hasBarrier = true
        send(plain: bytes, frame, under: clearance, &output)
        if let logIn = upstream.command {
            output.sayToBackend(logIn, about: .logIn)
            awaited.append(Awaited(kind: .mute))
        }
        return .done
    }

    func send(
        plain bytes: RawSpan, _ frame: Range<Int>?, under clearance: Clearance, _ output: inout WireOutput
    ) {
        if let frame { return output.pass(frame, to: .backend, under: clearance) }
        let start = output.scratch.count
        output.scratch.append(bytes: bytes)
        output.put(start..<output.scratch.count, to: .backend, under: clearance)
    }

    // MARK: The others

    mutating func takeSession(
        _ command: CommandRule.SessionCommand, _ name: WireName, _ bytes: RawSpan, _ frame: Range<Int>?,
        _ governor: inout Governor, _ output: inout WireOutput
    ) -> Progress {
        request.empty()
        staged.removeAll(keepingCapacity: true)
        switch command {
        case .auth: return takeAuth(bytes, &governor, &output)
        case .hello: return takeHello(name, bytes, frame, &governor, &output)
        case .quit: return takeQuit(&output)
        case .reset: return takeReset(name, bytes, frame, &governor, &output)
        case .select:
            guard arguments.count == 2, let number = arguments.integer(1, bytes), let database = Int32(exactly: number)
            else { return refuse("ERR invalid DB index", &output) }
            // What is queued behind it would be for a database that nobody knows before EXEC.
            if transaction.isOpen { return refuse("NOPERM SELECT inside MULTI is not open here", &output) }
            guard servers.settings.databases.contains(number) else {
                governor.refuseRequest(name, "database \(number) is not open")
                return refuse("NOPERM this database is not open here", &output)
            }
            return forward(bytes, frame, name, &governor, &output, effect: .select(database))
        case .clientReply:
            // An answer that is left out, and one in its place, cannot be told apart.
            guard arguments.count == 3, arguments.isWord(2, "ON", bytes) else {
                governor.refuseRequest(name, "CLIENT REPLY other than ON")
                return refuse("NOPERM CLIENT REPLY OFF and SKIP are not open here", &output)
            }
            return forward(bytes, frame, name, &governor, &output)
        case .asking, .readOnly, .readWrite:
            guard arguments.count == 1 else { return refuseCount(name, &output) }
            return forward(bytes, frame, name, &governor, &output)
        case .multi, .exec, .discard, .watch, .unwatch:
            return takeTransaction(command, name, bytes, frame, &governor, &output)
        case .subscribe: return subscribe(.channel, name, bytes, frame, &governor, &output)
        case .patternSubscribe: return subscribe(.pattern, name, bytes, frame, &governor, &output)
        case .shardSubscribe: return subscribe(.shard, name, bytes, frame, &governor, &output)
        case .unsubscribe: return unsubscribe(.channel, name, bytes, frame, &governor, &output)
        case .patternUnsubscribe: return unsubscribe(.pattern, name, bytes, frame, &governor, &output)
        case .shardUnsubscribe: return unsubscribe(.shard, name, bytes, frame, &governor, &output)
        }
    }

    // MARK: Transactions

    private mutating func takeTransaction(
        _ command: CommandRule.SessionCommand, _ name: WireName, _ bytes: RawSpan, _ frame: Range<Int>?,
        _ governor: inout Governor, _ output: inout WireOutput
    ) -> Progress {
        guard arguments.count == 1 || command == .watch else {
            return refuseCount(name, &output)
        }
        switch command {
        case .multi:
            if transaction.isOpen { return refuseOnly("ERR MULTI calls can not be nested", &output) }
            let progress = forward(bytes, frame, name, &governor, &output, effect: .multi)
            // Refused where nothing covers the client any more.
            if let last = awaited.last, case .multi = last.effect { transaction.isOpen = true }
            return progress
        case .exec: return takeExec(name, bytes, frame, &governor, &output)
        case .discard:
            guard transaction.isOpen else { return refuseOnly("ERR DISCARD without MULTI", &output) }
            guard let clearance = governor.openClearance() else {
                return refuse("NOPERM no rule covers you here", &output)
            }
            awaited.append(
                Awaited(kind: .server, effect: .discard, rule: name.index, count: closeTransaction()))
            send(plain: bytes, frame, under: clearance, &output)
            return .done
        case .watch:
            if transaction.isOpen { return refuseOnly("ERR WATCH inside MULTI is not allowed", &output) }
            guard arguments.count > 1 else { return refuseCount(name, &output) }
            for index in 1..<arguments.count { request.ask(CommandTarget(.describe, .anyKey, index)) }
            return decideAndForward(name, bytes, frame, &governor, &output)
        default: return forward(bytes, frame, name, &governor, &output)
        }
    }

    /// An error that spoils no transaction.
    private mutating func refuseOnly(_ words: String, _ output: inout WireOutput) -> Progress {
        owe(RESPText.error(words), &output)
        return .done
    }

    /// - Returns: how many commands were queued in it.
    private mutating func closeTransaction() -> Int32 {
        defer {
            transaction.isOpen = false
            transaction.isDirty = false
            transaction.count = 0
        }
        return Int32(clamping: transaction.count)
    }

    /// Every queued command is asked about again; where one was refused, or is no longer allowed, DISCARD goes in the
    /// place of EXEC, and the client hears what Redis says of such a transaction.
    private mutating func takeExec(
        _ name: WireName, _ bytes: RawSpan, _ frame: Range<Int>?, _ governor: inout Governor,
        _ output: inout WireOutput
    ) -> Progress {
        guard transaction.isOpen else { return refuseOnly("ERR EXEC without MULTI", &output) }
        var isDirty = transaction.isDirty
        // The open transaction's targets are the last ones.
        var targets = 0
        for index in (transaction.queued.count - transaction.count)..<transaction.queued.count {
            targets += Int(transaction.queued[index].targets)
        }
        for index in (transaction.asked.count - targets)..<transaction.asked.count {
            guard let fresh = governor.renew(transaction.asked[index].clearance) else {
                isDirty = true
                break
            }
            transaction.asked[index].clearance = fresh
        }
        guard !isDirty, let clearance = governor.openClearance() else {
            awaited.append(Awaited(kind: .aborted, rule: name.index, count: closeTransaction()))
            output.sayToBackend(RESPText.command([Array("DISCARD".utf8)]), about: .cancel)
            return .done
        }
        awaited.append(Awaited(kind: .transaction, rule: name.index, count: closeTransaction()))
        send(plain: bytes, frame, under: clearance, &output)
        return .done
    }
}
