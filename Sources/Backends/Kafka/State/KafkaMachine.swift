import TidegateCore
import TidegateWire

/// The protocol state of one client connection and its one broker connection.
///
/// ```
///  greeting ──token verified──▶ joining ──broker logged in──▶ relaying
///     │ ApiVersions, SASL only     │ requests wait                │ every request is decided, every answer looked at
/// ```
/// Requests are read whole (up to the frame limit), decided, then passed, edited or answered here; answers leave in the
/// order of the requests. Fetch answers stream, unless something in them must be looked into or taken out.
struct KafkaMachine: WireMachine, ~Copyable {
    enum Phase { case greeting, joining, relaying }

    let cluster: KafkaCluster
    let rules: KafkaRules
    /// The broker that this listener stands for; nil: any.
    var node: Int32?
    var phase = Phase.greeting
    var catalogue: KafkaCatalogue?
    var logIn = ClientLogIn()
    var upstream: UpstreamLogIn
    /// What the request that is being decided asked of the catalogue, and the answer that is being read.
    var refresh = Refresh()
    var answerRefresh = Refresh()
    /// What ids stood for that this connection has used.
    var heard: [TopicID: Resource] = [:]

    var awaited = Ring<Awaited>()
    var details = SideTable<Detail>()
    /// Beyond so many no further request is read before an answer has gone.
    private static let keptLimit = 1 << 20

    /// Set where the session ends as soon as the answers that are owed are out; no request is taken any more.
    var closing: CloseReason?

    var fetchSession = FetchSession()
    var stream: FetchStream?
    /// Topics that this connection was ever allowed to consume.
    var consumed: Set<Resource> = []
    /// Whether one of them may not stream any more, as of an epoch of the governor's.
    var turned: (epoch: UInt64, isSo: Bool)?
    /// Bytes left of an answer that passes as it comes.
    var opaqueLeft = 0
    /// A part of an answer is there, and waits for the rest.
    private var isAnswerBegun = false
    /// What the last refusal said: for answers that carry text.
    var refusalText = ""
    /// What group members subscribed to with their last heartbeat that said so (KIP-848: null means unchanged).
    var subscriptions = Subscriptions()

    /// What an awaited answer needs to be read.
    enum Detail: Weighed {
        /// The gateway's own answer, whole with its length.
        case own([UInt8])
        case fetch(FetchExpectation)
        case produce(ProduceExpectation)
        case governed(GovernedExpectation)

        /// Bytes of memory, about.
        var weight: Int {
            switch self {
            case .own(let words): words.count
            case .fetch(let expectation): expectation.denied.count
            case .produce(let expectation): expectation.weight
            case .governed(let expectation): expectation.weight
            }
        }
    }

    /// Pages of DescribeTopicPartitions that begin with what the client may not see, by the number it knows them under.
    var cursors: [UInt32: Cursor] = [:]
    var nextCursor: UInt32 = 0
    struct Cursor {
        var name: [UInt8]
        var index: Int32
    }
    /// The producer's id that this connection used last, found to be its principal's; -1 is none.
    var ownProducer: Int64 = -1
    /// Batches that bore it since the cluster was told that it is in use.
    var ownUses: UInt32 = 0

    /// Batches that were answered with an error instead of records, the last one of each partition.
    var refusedBatches: [RefusedBatch: Position?] = [:]
    struct RefusedBatch: Hashable {
        var topic: Resource
        var part: Int32
    }

    struct SubscriptionKey: Hashable {
        var key: Int16
        var group: Resource
        var member: [UInt8]
    }

    init(cluster: KafkaCluster, rules: KafkaRules, node: Int32?) {
        self.cluster = cluster
        self.rules = rules
        self.node = node
        upstream = UpstreamLogIn(cluster: cluster)
    }

    // MARK: Events

    mutating func handle(
        _ event: WireEvent, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) {
        switch event {
        case .accepted: break
        case .secured(.client, let serverName):
            if let serverName, let advertise = governor.session.route.advertise,
                let named = advertise.node(ofServerName: serverName)
            {
                node = named
            }
        case .connected:
            upstream.begin(&output)
            if upstream.isReady { phase = .relaying }
        case .ended(.client): output.close(.ended)
        case .ended(.backend): output.close(phase == .relaying ? .backendEnded : .backendUnreachable)
        case .authorityChanged: try answerOwn(&output)
        case .draining: closeBehindAnswers(.draining, &output)
        case .gone: recordUnanswered(&governor)
        case .secured(.backend, _), .lastWords, .woken: break
        }
    }

    mutating func receive(
        _ window: RawSpan, from side: Side, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Int {
        switch side {
        case .client: return try receiveFromClient(window, &governor, &output)
        case .backend:
            let consumed = try receiveFromBackend(window, &governor, &output)
            isAnswerBegun = consumed < window.byteCount
            return consumed
        }
    }

    // MARK: From the client

    private mutating func receiveFromClient(
        _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Int {
        var consumed = 0
        while true {
            if closing != nil {
                output.park(.client)
                return consumed
            }
            let limits = governor.session.route.limits
            if awaited.count >= limits.requestsInFlight || (details.weight > KafkaMachine.keptLimit && !awaited.isEmpty)
            {
                output.awaitReplies()
                return consumed
            }
            guard let length = window.bigEndian(Int32.self, at: consumed) else { return consumed }
            guard length >= 0, Int(length) <= limits.frameBytes else {
                throw WireViolation("a request longer than the limit", at: consumed)
            }
            if Int(length) > limits.unauthenticatedFrameBytes {
                guard let key = window.bigEndian(Int16.self, at: consumed + 4) else {
                    output.need(.client, bytes: 6)
                    return consumed
                }
                if isLogIn(key) { throw WireViolation("a log-in message longer than the limit", at: consumed) }
            }
            let frame = consumed..<(consumed + 4 + Int(length))
            guard frame.upperBound <= window.byteCount else {
                output.need(.client, bytes: frame.count)
                return consumed
            }
            switch try take(frame, window, &governor, &output) {
            case .done:
                consumed = frame.upperBound
                refresh = Refresh()
            case .parked: return consumed
            case .closed: return frame.upperBound
            }
        }
    }

    /// True where the next frame is a client's credential, or comes before one was verified.
    private func isLogIn(_ key: Int16) -> Bool {
        if phase == .greeting || key == KafkaKey.saslHandshake || key == KafkaKey.saslAuthenticate { return true }
        if case .offered(_, isFramed: false) = logIn.state { return true }
        return false
    }

    /// What became of a request.
    enum Progress {
        case done
        /// A question is open: the same bytes come again.
        case parked
        case closed
    }

    private mutating func take(
        _ frame: Range<Int>, _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Progress {
        if case .offered(let mechanism, isFramed: false) = logIn.state {
            return takeToken(
                frame.lowerBound + 4..<frame.upperBound, window, mechanism, reply: .bare, &governor, &output)
        }
        guard let header = RequestHead(window, frame) else {
            throw WireViolation("a request without a whole header", at: frame.lowerBound)
        }
        switch header.key {
        case KafkaKey.apiVersions: return answerAPIVersions(header, window, &governor, &output)
        case KafkaKey.saslHandshake: return try takeHandshake(header, window, &governor, &output)
        case KafkaKey.saslAuthenticate: return try takeAuthenticate(header, window, &governor, &output)
        default: break
        }
        guard phase != .greeting else {
            governor.rejectSession("a request before authentication")
            throw WireViolation("a request before authentication", at: frame.lowerBound)
        }
        guard let range = rules.served(header.key), range.contains(header.version) else {
            governor.refuseRequest(rules.wireName(header.key), "\(header.key) version \(header.version)")
            throw WireViolation("a request whose key or version is not served", at: frame.lowerBound)
        }
        guard phase == .relaying else {
            // Without a log-in the broker says nothing that would end the waiting: being connected does.
            if cluster.settings.sasl == nil { output.park(.client) } else { output.awaitReplies() }
            return .parked
        }
        catalogue = cluster.catalogue(newerThan: catalogue)
        do throws(FieldReader.Failure) {
            switch header.key {
            case KafkaKey.fetch: return try takeFetch(header, frame, window, &governor, &output)
            case KafkaKey.produce: return try takeProduce(header, frame, window, &governor, &output)
            default: return try takeGoverned(header, frame, window, &governor, &output)
            }
        } catch {
            let violation = error.violation(.client, at: frame.lowerBound)
            governor.refuseRequest(rules.wireName(header.key), "\(violation.reason)")
            throw violation
        }
    }

    /// Starts the broker's side once it is known who asks.
    mutating func join(_ output: inout WireOutput) {
        guard phase == .greeting else { return }
        phase = .joining
        guard let endpoint = cluster.endpoint(ofNode: node) else { return output.close(.backendUnreachable) }
        output.connect(endpoint)
    }

    // MARK: Order

    /// Owes the client an answer of the gateway's own: said at once where nothing is owed before it.
    mutating func owe(_ words: [UInt8], _ output: inout WireOutput) {
        if awaited.isEmpty {
            output.say(words)
            output.boundary(.client)
            return
        }
        awaited.append(
            Awaited(
                kind: .own, key: 0, version: 0, correlation: 0, detail: details.keep(.own(words)), epoch: 0))
    }

    /// Ends the session behind the answers that are owed.
    mutating func closeBehindAnswers(_ reason: CloseReason, _ output: inout WireOutput) {
        if closing == nil { closing = reason }
        closeIfAnswered(&output)
    }

    /// Closes where nothing is owed any more. A drain does not wait for long polls that nothing has come for: they change
    /// nothing, and clients ask again elsewhere.
    private func closeIfAnswered(_ output: inout WireOutput) {
        guard let closing else { return }
        var isAnswered = awaited.isEmpty
        if closing == .draining, !isAnswerBegun, stream == nil, opaqueLeft == 0 {
            isAnswered = (0..<awaited.count).allSatisfy { awaited[$0].kind == .fetch }
        }
        if isAnswered { output.close(closing) }
    }

    mutating func expect(_ kind: Awaited.Kind, _ header: RequestHead, _ governor: borrowing Governor, detail: Detail?) {
        awaited.append(
            Awaited(
                kind: kind, key: header.key, version: header.version, correlation: header.correlation,
                detail: detail.map { details.keep($0) } ?? 0, epoch: governor.decisionEpoch))
    }

    /// Says the own answers whose turn has come.
    mutating func answerOwn(_ output: inout WireOutput) throws(WireViolation) {
        while let head = awaited.first, head.kind == .own {
            _ = awaited.popFirst()
            if case .own(let words)? = details.drop(head.detail) {
                output.say(words)
                output.boundary(.client)
            }
        }
        closeIfAnswered(&output)
    }

    /// An answer is out: the next one's turn.
    mutating func finishAnswer(_ output: inout WireOutput) throws(WireViolation) {
        if let done = awaited.popFirst() { details.drop(done.detail) }
        answerRefresh = Refresh()
        isAnswerBegun = false
        output.boundary(.client)
        try answerOwn(&output)
    }

    // MARK: From the broker

    private mutating func receiveFromBackend(
        _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Int {
        if !upstream.isReady {
            let consumed = try upstream.receive(window, &governor, &output)
            if upstream.isReady, phase == .joining { phase = .relaying }
            return consumed
        }
        var consumed = 0
        while true {
            if opaqueLeft > 0 {
                let count = min(opaqueLeft, window.byteCount - consumed)
                guard count > 0 else { return consumed }
                guard let clearance = governor.openClearance() else {
                    output.close(.refused(Refusal(.revoked)))
                    return consumed
                }
                output.pass(consumed..<(consumed + count), to: .client, under: clearance)
                consumed += count
                opaqueLeft -= count
                if opaqueLeft == 0 { try finishAnswer(&output) }
                continue
            }
            if stream != nil {
                let before = consumed
                switch try streamFetch(window, from: &consumed, &governor, &output) {
                case .done: continue
                case .parked: return consumed
                case .closed: return max(before, consumed)
                }
            }
            guard let length = window.bigEndian(Int32.self, at: consumed),
                let correlation = window.bigEndian(Int32.self, at: consumed + 4)
            else { return consumed }
            guard length >= 4 else {
                throw WireViolation("an answer shorter than its header", side: .backend, at: consumed)
            }
            guard let head = awaited.first else {
                throw WireViolation("an answer to no request", side: .backend, at: consumed)
            }
            guard head.correlation == correlation else {
                throw WireViolation("an answer to another request", side: .backend, at: consumed)
            }
            let isHeld = head.kind == .fetch ? mustHold(head, &governor) : false
            switch head.kind {
            case .opaque where !isStale(head, governor):
                opaqueLeft = 4 + Int(length)
                continue
            case .fetch where !isHeld:
                stream = FetchStream(version: head.version, frameRemaining: 4 + Int(length))
                continue
            case .own:
                throw WireViolation("an answer out of order", side: .backend, at: consumed)
            case .opaque, .fetch, .produce, .governed: break
            }
            let frame = consumed..<(consumed + 4 + Int(length))
            guard Int(length) <= governor.session.route.limits.frameBytes else {
                throw WireViolation("an answer longer than the limit", side: .backend, at: consumed)
            }
            guard frame.upperBound <= window.byteCount else {
                output.need(.backend, bytes: frame.count)
                return consumed
            }
            let progress: Progress
            do throws(FieldReader.Failure) {
                progress =
                    switch head.kind {
                    case .fetch: try rebuildFetch(frame, head, window, &governor, &output)
                    case .produce: try readProduced(frame, head, window, &governor, &output)
                    case .governed, .opaque, .own: try readGoverned(frame, head, window, &governor, &output)
                    }
            } catch { throw error.violation(.backend, at: frame.lowerBound) }
            switch progress {
            case .done:
                consumed = frame.upperBound
                try finishAnswer(&output)
            case .parked: return consumed
            case .closed: return frame.upperBound
            }
        }
    }
}

/// The fields that every request begins with (RequestHeader; the client id is never compact).
struct RequestHead: BitwiseCopyable {
    var key: Int16
    var version: Int16
    var correlation: Int32
    /// Where the body starts.
    private var bodyStart: Int
    private var frameEnd: Int
    var body: Range<Int> { bodyStart..<frameEnd }

    /// - Returns: nil where the frame is too short for its header.
    init?(_ window: RawSpan, _ frame: Range<Int>) {
        let start = frame.lowerBound + 4
        guard frame.upperBound - start >= 10,
            let key = window.bigEndian(Int16.self, at: start),
            let version = window.bigEndian(Int16.self, at: start + 2),
            let correlation = window.bigEndian(Int32.self, at: start + 4),
            let length = window.bigEndian(Int16.self, at: start + 8)
        else { return nil }
        self.key = key
        self.version = version
        self.correlation = correlation
        frameEnd = frame.upperBound
        var reader = FieldReader(
            at: start + 10, end: frame.upperBound,
            isFlexible: KafkaRules.requestHeaderIsFlexible(key: key, version: version))
        do throws(FieldReader.Failure) {
            _ = try reader.take(max(0, Int(length)), window)
            try reader.skipTags(window)
        } catch { return nil }
        bodyStart = reader.at
    }
}
