import TidegateCore
import TidegateWire

/// The protocol state of one client connection and its one server connection.
///
/// ```
///  greeting ──token verified──▶ joining ──server logged in──▶ relaying
///     │ AUTH, HELLO only          │ commands wait                │ every command is decided, every answer looked at
/// ```
/// Commands are read whole, decided, then passed, edited or answered here; answers are read whole and leave in the order of
/// the commands. Commands that change how others are read (SELECT, HELLO, RESET) are waited for.
struct RedisMachine: WireMachine, ~Copyable {
    enum Phase { case greeting, joining, relaying }

    let servers: RedisServers
    let table: CommandTable
    /// The server that this listener stands for; nil: the first.
    var node: Int32?
    /// Where the server's side was sent.
    var joined: RedisServers.Joined?
    /// While nobody knows where the server is.
    var question = RedisServers.Question()
    var phase = Phase.greeting
    var upstream: UpstreamLogIn
    /// RESET has logged the client out.
    var isLoggedOut = false
    var rejections = 0
    /// Rejected log-ins after which the connection ends.
    static let rejectionLimit = 8

    var reader = CommandReader()
    var arguments = CommandArguments()
    var request = CommandRequest()
    var scan = ReplyScan()
    /// Borrowed while the server's bytes are looked at.
    var work = ReplyWorkspace()

    var awaited = Ring<Awaited>()
    /// Targets of the awaited commands, in their order.
    var asked = Ring<Asked>()
    /// Targets of the command that is being decided.
    var staged: [Asked] = []
    var details = SideTable<Detail>()
    /// Beyond so many no further command is read before an answer has gone.
    static let keptLimit = 1 << 20
    /// A name did not fit among those of the connection.
    var isOutOfRoom = false

    /// The database that the next command is for.
    var database: Int32 = 0
    /// RESP's version, 2 or 3.
    var version: UInt8 = 2
    /// A command that changes the connection's state is not answered yet.
    var hasBarrier = false
    var transaction = Transaction()
    var subscriptions = RedisSubscriptions()
    /// Set where the session ends as soon as the answers that are owed are out; no command is taken any more.
    var closing: CloseReason?
    private var mayBeSilent = false
    /// A part of an answer is there, and waits for the rest.
    private var isAnswerBegun = false

    enum Detail: Weighed {
        /// The gateway's own answer.
        case own([UInt8])
        /// Names of fields that the command gave, for masks (HGET, HMGET).
        case names([[UInt8]])

        var weight: Int {
            switch self {
            case .own(let words): words.count
            case .names(let names): names.reduce(0) { $0 + $1.count + 32 }
            }
        }
    }

    /// Commands between MULTI and EXEC, and those of transactions that are not answered yet.
    struct Transaction: ~Copyable {
        /// Between MULTI and EXEC.
        var isOpen = false
        /// Something was refused: EXEC must not be.
        var isDirty = false
        /// How many of `queued` are the open transaction's.
        var count = 0
        var queued = Ring<Awaited>()
        /// Targets of the queued commands, in their order.
        var asked = Ring<Asked>()
        static let limit = 1 << 16
    }

    init(servers: RedisServers, table: CommandTable, node: Int32?) {
        self.servers = servers
        self.table = table
        self.node = node
        upstream = UpstreamLogIn(servers: servers)
    }

    // MARK: Events

    mutating func handle(
        _ event: WireEvent, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) {
        switch event {
        case .accepted, .secured(.backend, _): break
        case .secured(.client, let serverName):
            if let serverName, let named = governor.session.route.advertise?.node(ofServerName: serverName) {
                node = named
            }
        case .woken: lookForServer(&output)
        case .connected:
            upstream.begin(&output)
            if upstream.isReady { phase = .relaying }
        case .ended(.client): output.close(.ended)
        case .ended(.backend): output.close(phase == .relaying ? .backendEnded : .backendUnreachable)
        case .authorityChanged: recheck(&governor, &output)
        case .draining: closeBehindAnswers(.draining, &output)
        case .lastWords(let refusal): output.say(RESPText.error("NOPERM \(refusal.reason)"))
        case .gone:
            recordUnanswered(&governor)
            if let joined { servers.leave(joined.session) }
        }
    }

    mutating func receive(
        _ window: RawSpan, from side: Side, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Int {
        let consumed: Int
        switch side {
        case .client: consumed = receiveFromClient(window, &governor, &output)
        case .backend:
            consumed = try receiveFromBackend(window, &governor, &output)
            isAnswerBegun = consumed < window.byteCount
        }
        let isWaiting = !subscriptions.isEmpty || awaited.first?.isBlocking == true
        if isWaiting != mayBeSilent {
            mayBeSilent = isWaiting
            output.mayBeSilent(isWaiting)
        }
        return consumed
    }

    // MARK: From the client

    /// What became of a command.
    enum Progress {
        case done
        /// A question is open: the same bytes come again.
        case parked
    }

    private mutating func receiveFromClient(
        _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) -> Int {
        var consumed = 0
        while true {
            if closing != nil {
                output.park(.client)
                return consumed
            }
            let limits = governor.session.route.limits
            if hasBarrier || awaited.count >= limits.requestsInFlight || asked.count >= Transaction.limit
                || (details.weight > RedisMachine.keptLimit && !awaited.isEmpty)
            {
                output.awaitReplies()
                return consumed
            }
            // Keys are without number: at the limit they are forgotten, once nothing is under way.
            if governor.isShortOfRoom, subscriptions.isEmpty, !transaction.isOpen {
                if !awaited.isEmpty {
                    output.awaitReplies()
                    return consumed
                }
                governor.forgetNames()
            }
            let isKnown = phase != .greeting && !isLoggedOut
            do throws(WireViolation) {
                let reading = try reader.read(
                    window, from: consumed, isAuthenticated: isKnown,
                    byteLimit: isKnown ? limits.frameBytes : limits.unauthenticatedFrameBytes, into: &arguments)
                switch reading {
                case .incomplete(let upTo):
                    // Where the length is not known: any more. Without a word the relay stops at what it holds unasked.
                    output.need(.client, bytes: (upTo ?? window.byteCount + 1) - consumed)
                    return consumed
                case .command(let end):
                    let frame = consumed..<end
                    if arguments.count > 0,
                        take(window.extracting(frame), frame, &governor, &output) == .parked
                    {
                        return consumed
                    }
                    consumed = end
                case .quoted(let end):
                    guard let words = CommandReader.words(window, consumed..<end) else {
                        throw WireViolation("Protocol error: unbalanced quotes in request", at: consumed)
                    }
                    if !words.isEmpty, takeWords(words, &governor, &output) == .parked { return consumed }
                    consumed = end
                }
            } catch {
                // As Redis: the reason, then the end.
                if phase == .greeting { governor.rejectSession("no Redis command") }
                governor.refuseRequest(nil, "\(error.reason)")
                owe(RESPText.error("ERR \(error.reason)"), &output)
                closeBehindAnswers(.violation(.client), &output)
                return window.byteCount
            }
        }
    }

    /// A line with quotes: what the server gets is written anew, so that it reads what was decided.
    private mutating func takeWords(
        _ words: [[UInt8]], _ governor: inout Governor, _ output: inout WireOutput
    ) -> Progress {
        arguments.empty()
        let bytes = RESPText.command(words)
        var at = 0
        for word in words {
            // Behind `$5\r\n` of each.
            let start = RedisMachine.start(of: word, after: at, bytes)
            arguments.append(start..<(start + word.count))
            at = start + word.count
        }
        return unsafe take(bytes.span.bytes, nil, &governor, &output)
    }

    /// Where the next bulk's bytes begin, in a command that `RESPText` wrote.
    private static func start(of word: [UInt8], after at: Int, _ bytes: [UInt8]) -> Int {
        var at = at
        while at < bytes.count, bytes[at] != UInt8(ascii: "$") { at += 1 }
        while at < bytes.count, bytes[at] != 0x0A { at += 1 }
        return min(at + 1, bytes.count)
    }

    /// True where the command has to wait until the server's side is up.
    func mustJoin(_ output: inout WireOutput) -> Bool {
        guard phase == .joining else { return false }
        // Without a log-in the server says nothing that would end the waiting: being connected does.
        if servers.settings.login == nil { output.park(.client) } else { output.awaitReplies() }
        return true
    }

    // MARK: Order

    /// Owes the client an answer of the gateway's own: said at once where nothing is owed before it.
    mutating func owe(_ words: [UInt8], _ output: inout WireOutput) {
        if awaited.isEmpty {
            output.say(words)
            output.boundary(.client)
        } else {
            awaited.append(Awaited(kind: .own, detail: details.keep(.own(words))))
        }
    }

    /// An answer is out: the next one's turn, and of the gateway's own those that come now.
    mutating func finishAnswer(_ output: inout WireOutput) {
        if let done = awaited.popFirst() {
            details.drop(done.detail)
            for _ in 0..<done.targets { _ = asked.popFirst() }
        }
        output.boundary(.client)
        while let head = awaited.first, head.kind == .own {
            _ = awaited.popFirst()
            if case .own(let words)? = details.drop(head.detail) {
                output.say(words)
                output.boundary(.client)
            }
        }
        closeIfAnswered(&output)
    }

    /// Ends the session behind the answers that are owed.
    mutating func closeBehindAnswers(_ reason: CloseReason, _ output: inout WireOutput) {
        if closing == nil { closing = reason }
        closeIfAnswered(&output)
    }

    /// A drain does not wait for reads that nothing has come for: clients ask again elsewhere.
    private func closeIfAnswered(_ output: inout WireOutput) {
        guard let closing else { return }
        var isAnswered = awaited.isEmpty
        if closing == .draining, !isAnswerBegun {
            isAnswered = (0..<awaited.count).allSatisfy { awaited[$0].isBlocking }
        }
        if isAnswered { output.close(closing) }
    }

    // MARK: What has changed

    /// Policy has changed: a blocked read that nobody allows any more, and a subscription, must not go on. The server
    /// does not ask again, so the session ends.
    private mutating func recheck(_ governor: inout Governor, _ output: inout WireOutput) {
        var index = 0
        for number in 0..<awaited.count {
            let targets = Int(awaited[number].targets)
            if awaited[number].isBlocking {
                for place in index..<(index + targets) where governor.renew(asked[place].clearance) == nil {
                    return output.close(.refused(Refusal(.revoked)))
                }
            }
            index += targets
        }
        for entry in subscriptions.all where governor.renew(entry.clearance) == nil {
            return output.close(.refused(Refusal(.revoked)))
        }
    }

    /// What was sent to the server and not answered: whether it is stored nobody knows.
    private mutating func recordUnanswered(_ governor: inout Governor) {
        var target = 0
        var queued = 0
        var queuedTarget = 0
        for number in 0..<awaited.count {
            let entry = awaited[number]
            for place in target..<(target + Int(entry.targets)) where asked[place].operation.action == .produce {
                governor.recordUnanswered(entry.production(of: asked[place]))
            }
            target += Int(entry.targets)
            // Of queued commands only those whose EXEC was sent.
            guard entry.kind == .transaction || entry.isDiscarding else { continue }
            for _ in 0..<min(Int(entry.count), transaction.queued.count - queued) {
                let command = transaction.queued[queued]
                queued += 1
                for place in queuedTarget..<(queuedTarget + Int(command.targets))
                where entry.kind == .transaction && transaction.asked[place].operation.action == .produce {
                    governor.recordUnanswered(command.production(of: transaction.asked[place]))
                }
                queuedTarget += Int(command.targets)
            }
        }
    }
}

extension Awaited {
    /// Its answer means that `count` queued commands are gone.
    var isDiscarding: Bool {
        switch effect {
        case .discard, .reset: true
        default: kind == .aborted
        }
    }

    /// What the command writes to one of its targets.
    func production(of asked: Asked, at position: Position? = nil) -> Delivery {
        Delivery(
            asked.operation.resource, part: database, first: position, last: position, records: 1, bytes: bytes,
            towards: .backend, wireName: asked.operation.wireName)
    }
}
