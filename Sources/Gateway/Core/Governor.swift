import TidegateWire

/// Decides for one connection: identity, policy, masks and evidence behind a handful of calls that answer at once or say
/// *not yet*.
///
/// Stored in its relay and passed `inout`; its caches are values (a class cost twice as much a call). What they cannot
/// answer it asks of the `Authority`: the cold path, and scripted in tests.
public struct Governor: ~Copyable {
    /// Set by the relay at each wake-up: nobody else has a clock.
    public var now: Instant
    /// The last `mark` that has left for the client.
    public var released: Position?
    public private(set) var session: Session
    public private(set) var principal: Principal?
    /// Rises whenever answers given before may no longer hold: with the authority's version and at a re-authentication.
    ///
    /// Only to be compared with a value seen before; what was decided under another one is asked again.
    public private(set) var decisionEpoch: UInt64 = 0
    /// Wakes this connection from other threads.
    public let waker: Waker

    @usableFromInline var authority: Authority
    @usableFromInline var version: UInt32
    let evidence: EvidenceBuffer
    let meter: Meter
    let ledger: SessionLedger
    /// Distinguishes sessions in the evidence buffer; unique on its loop.
    let number: UInt64

    @usableFromInline var names = NameTable()
    /// Rulings may depend on the command, so that the decision cache is kept apart by wire name too.
    @usableFromInline var distinguishesCommands: Bool
    /// The version since which it is; 0 is never.
    var apartSince: UInt32 = 0
    /// The decision cache: lines, found by resource and action, chained by `within` and, where they differ, command.
    @usableFromInline var lines: [Line] = []
    @usableFromInline var heads: [UInt32] = []
    /// Counts of lines that have been decided otherwise since.
    var closed: [Tally] = []
    var closedLeftOut = 0
    /// Counts whose names were forgotten since, as text.
    var forgotten = (text: [UInt8](), entries: 0, leftOut: 0)
    var clientTicket: Ticket = 0
    var backendTicket: Ticket = 0
    var identityText: [UInt8] = []
    var lastDelivery: DeliveryText?
    /// Requests refused as such that are written already.
    var refusedRequests: Set<String> = []
    static let refusedRequestLimit = 64
    var counted = false
    var ending: Refusal?
    /// Written ones.
    var rejections = 0
    static let rejectionLimit = 8
    /// When the principal's token ends; beyond all time before there is one.
    public private(set) var expires = Instant.distantFuture
    /// The version in which some rule was seen to cover the principal; 0 is none.
    var coveredIn: UInt32 = 0
    var totals = (records: UInt64(0), bytes: UInt64(0), maskedFields: UInt64(0), openedFields: UInt64(0))

    @usableFromInline
    struct Line {
        @usableFromInline var operation: Operation
        /// Index + 1 of the next line of the same resource and action.
        @usableFromInline var next: UInt32
        /// The authority's version that answered; 0 is none.
        @usableFromInline var version: UInt32
        @usableFromInline var decision: Decision
        @usableFromInline var rule: Int32
        /// The rule's name in the policy that decided: a number means another rule in the next one.
        @usableFromInline var ruleName: String?
        /// Since this decision by this rule was written.
        @usableFromInline var count: UInt64
        /// The decision stands in evidence.
        @usableFromInline var isWritten: Bool
        /// It answered for other commands than its operation's, while these were not kept apart.
        @usableFromInline var isShared = false
        /// The version under which `verdict` was given; it may be before, or without, any decision.
        var judged: UInt32 = 0
        var verdict = Verdict.noRule
    }

    /// How often an operation was decided in one way: an entry of `session.ended`.
    struct Tally {
        var operation: Operation
        var rule: String?
        var decision: String
        var count: UInt64
        /// All of them were of the operation's own command.
        var isOfOneCommand: Bool

        init(_ line: Line, isOfOneCommand: Bool) {
            operation = line.operation
            self.isOfOneCommand = isOfOneCommand
            rule = line.ruleName
            decision = line.decision.outcome.word
            count = line.count
        }
    }
    /// Of `session.ended`: names are a peer's input.
    static let tallyLimit = (entries: 1000, bytes: 256 << 10)

    public init(
        session: Session, authority: Authority, evidence: EvidenceBuffer, meter: Meter, ledger: SessionLedger,
        number: UInt64, waker: Waker, now: Instant
    ) {
        self.session = session
        self.authority = authority
        version = authority.version
        distinguishesCommands = authority.policy.distinguishesCommands || session.route.hasExplicitCommands
        self.evidence = evidence
        self.meter = meter
        self.ledger = ledger
        self.number = number
        self.waker = waker
        self.now = now
    }

    // MARK: Identity

    /// Verifies a credential; `notYet` parks the side until the waker is called.
    ///
    /// A second credential on the same session (Kafka's re-authentication, KIP-368) must be the same subject's.
    public mutating func authenticate(_ credential: Credential) -> Answer<Principal> {
        switch authority.authenticator.authenticate(credential, now: now, waker: waker) {
        case .notYet: return .notYet
        case .rejected(let reason): return .refused(reject(reason))
        case .verified(let verified):
            guard authority.knows(session.route) else { return .refused(reject("the route is gone")) }
            guard verified.expires > now else { return .refused(reject("token expired")) }
            if let principal {
                guard principal.subject == verified.subject, principal.issuer == verified.issuer else {
                    return .refused(reject("re-authentication as another subject"))
                }
                self.principal = verified
                expires = verified.expires
                identityText = []
                coveredIn = 0
                forgetDecisions()
                decisionEpoch &+= 1
                return .ready(verified)
            }
            if evidence.isBroken { return .refused(unrecordable()) }
            if evidence.isFull(at: now) {
                _ = reject(Refusal(.evidenceUnavailable).reason, code: .evidenceUnavailable)
                return .refused(unrecordable())
            }
            guard ledger.enter(subject: verified.subject, limit: session.route.limits.sessionsPerPrincipal) else {
                return .refused(reject("too many sessions of this subject", code: .limit))
            }
            counted = true
            principal = verified
            expires = verified.expires
            identityText = []
            meter.tally { $0.sessionsStarted &+= 1 }
            meter.tally { $0.sessionsActive += 1 }
            note(evidence.write("session.started", at: now, session: identity()) { _ in }, towards: .client)
            return .ready(verified)
        }
    }

    /// What cannot be written down is refused by the end of the connection: in a protocol's own words it would be a verdict
    /// on the client, which it may keep.
    mutating func unrecordable() -> Refusal {
        let refusal = Refusal(.evidenceUnavailable)
        ending = refusal
        return refusal
    }

    /// Written once before there is a principal, and a few times for re-authentications: a client may repeat both as fast
    /// as it likes.
    mutating func reject(_ reason: String, code: Refusal.Code = .unauthenticated) -> Refusal {
        if principal == nil, rejections == 0 { meter.tally { $0.sessionsRejected &+= 1 } }
        let limit = principal == nil ? 1 : Governor.rejectionLimit
        guard rejections < limit else { return Refusal(code) }
        rejections += 1
        note(evidence.reject(reason, at: now, session: identity()), towards: .client)
        return Refusal(code)
    }

    /// Writes that a session was refused before a credential was verified (garbage, a mechanism that is not offered).
    public mutating func rejectSession(_ reason: String) {
        if principal == nil { _ = reject(reason) }
    }

    @inlinable public var isExpired: Bool { expires <= now }

    // MARK: Names

    /// A name's number on this connection: no allocation once it is known.
    @inlinable
    public mutating func resource(_ kind: ResourceKind, named name: RawSpan) -> Answer<Resource> {
        guard let index = names.intern(kind.index, name) else { return refuseName() }
        return .ready(Resource(index: index))
    }

    @usableFromInline
    mutating func refuseName() -> Answer<Resource> {
        refuseRequest(nil, "more names than one connection may bring")
        return .refused(Refusal(.limit))
    }

    public func name(of resource: Resource) -> String { names.name(resource.index) }

    // MARK: What the relay asks

    /// Why the connection must end, whatever its machine makes of the refusal; asked after each call.
    public mutating func takeEnding() -> Refusal? {
        guard let refusal = ending else { return nil }
        ending = nil
        return refusal
    }

    /// Tickets that the bytes of the last call wait for; zero waits for nothing.
    public mutating func takeTickets() -> (client: Ticket, backend: Ticket) {
        defer {
            clientTicket = 0
            backendTicket = 0
        }
        return (clientTicket, backendTicket)
    }

    /// Evidence that must be durable before this call's bytes to the backend leave too (Produce without an answer).
    public mutating func holdBackendForEvidence() { backendTicket = max(backendTicket, clientTicket) }

    mutating func note(_ ticket: Ticket, towards side: Side) {
        switch side {
        case .client: clientTicket = max(clientTicket, ticket)
        case .backend: backendTicket = max(backendTicket, ticket)
        }
    }

    /// Swaps the authority; every clearance given before must be renewed.
    public mutating func adopt(_ authority: Authority) {
        if authority.version != version { decisionEpoch &+= 1 }
        self.authority = authority
        version = authority.version
        keepCommandsApart(authority.policy.distinguishesCommands || session.route.hasExplicitCommands)
    }

    public var authorityVersion: UInt32 { version }

    /// Writes `session.ended` with what the session did in all. Called once, when its connection is gone.
    public mutating func end(_ reason: CloseReason) {
        meter.tally { $0.sessionsEnded[reason.word, default: 0] &+= 1 }
        guard let principal else {
            if reason != .ended, rejections == 0 { _ = reject(reason.word) }
            return
        }
        if counted {
            ledger.leave(subject: principal.subject)
            meter.tally { $0.sessionsActive -= 1 }
            counted = false
        }
        let session = identity()
        let (operations, _, leftOut) = tallies()
        let totals = totals
        evidence.write("session.ended", at: now, session: session) { bytes in
            JSONText.member("reason", reason.word, to: &bytes)
            JSONText.member("records", totals.records, to: &bytes)
            JSONText.member("bytes", totals.bytes, to: &bytes)
            JSONText.member("masked_fields", totals.maskedFields, to: &bytes)
            if totals.openedFields > 0 { JSONText.member("opened_fields", totals.openedFields, to: &bytes) }
            JSONText.key("operations", to: &bytes)
            bytes.append(UInt8(ascii: "["))
            bytes.append(contentsOf: operations)
            bytes.append(UInt8(ascii: "]"))
            if leftOut > 0 { JSONText.member("operations_left_out", leftOut, to: &bytes) }
        }
    }

    /// The counted decisions as elements of a list, those that were changed first, and how many there was no room for.
    func tallies() -> (text: [UInt8], entries: Int, leftOut: Int) {
        let limit = Governor.tallyLimit
        let counted = lines.lazy.filter { $0.count > 0 }
        var (text, entries) = (forgotten.text, forgotten.entries)
        for tally in closed + counted.prefix(limit.entries).map({ Tally($0, isOfOneCommand: distinguishesCommands) }) {
            if entries == limit.entries || text.count >= limit.bytes { break }
            entries += 1
            if !text.isEmpty { text.append(UInt8(ascii: ",")) }
            text.append(UInt8(ascii: "{"))
            if tally.isOfOneCommand {
                JSONText.member("operation", session.route.name(of: tally.operation.wireName), to: &text)
            }
            JSONText.member("action", tally.operation.action.name, to: &text)
            JSONText.member("resource", self.text(tally.operation.resource), to: &text)
            if let within = tally.operation.within { JSONText.member("within", self.text(within), to: &text) }
            if let rule = tally.rule { JSONText.member("rule", rule, to: &text) }
            JSONText.member("decision", tally.decision, to: &text)
            JSONText.member("count", tally.count, to: &text)
            text.append(UInt8(ascii: "}"))
        }
        let here = closed.count + lines.count { $0.count > 0 }
        return (text, entries, forgotten.leftOut + closedLeftOut + here - (entries - forgotten.entries))
    }

    /// True where few further names or decisions fit: a protocol whose clients bring names without end (keys) then forgets
    /// them between its requests.
    public var isShortOfRoom: Bool { names.isNearlyFull || lines.count > Governor.lineLimit * 3 / 4 }

    /// Forgets all names and what was decided about them. Resources and clearances of before are void: nothing may be under
    /// way that needs them.
    public mutating func forgetNames() {
        forgotten = tallies()
        closed = []
        closedLeftOut = 0
        evidence.closeDelivery()
        names = NameTable()
        lines = []
        heads = []
        lastDelivery = nil
    }

    mutating func forgetDecisions() {
        for index in lines.indices {
            lines[index].version = 0
            lines[index].judged = 0
        }
    }
}
