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
    private let evidence: EvidenceBuffer
    private let meter: Meter
    private let ledger: SessionLedger
    /// Distinguishes sessions in the evidence buffer; unique on its loop.
    private let number: UInt64

    @usableFromInline var names = NameTable()
    /// The decision cache: lines, found by resource and action, chained by `within`.
    @usableFromInline var lines: [Line] = []
    @usableFromInline var heads: [UInt32] = []
    private var clientTicket: Ticket = 0
    private var backendTicket: Ticket = 0
    private var identityText: [UInt8] = []
    private var lastDelivery: DeliveryText?
    /// Requests refused as such that are written already.
    private var refusedRequests: Set<String> = []
    private static let refusedRequestLimit = 64
    private var counted = false
    /// Written ones.
    private var rejections = 0
    private static let rejectionLimit = 8
    /// When the principal's token ends; beyond all time before there is one.
    @usableFromInline var expires = Instant.distantFuture
    /// The version in which some rule was seen to cover the principal; 0 is none.
    private var coveredIn: UInt32 = 0
    private var totals = (records: UInt64(0), bytes: UInt64(0), maskedFields: UInt64(0))

    @usableFromInline
    struct Line {
        @usableFromInline var operation: Operation
        /// Index + 1 of the next line of the same resource and action.
        @usableFromInline var next: UInt32
        /// The authority's version that answered; 0 is none.
        @usableFromInline var version: UInt32
        @usableFromInline var decision: Decision
        @usableFromInline var rule: Int32
        @usableFromInline var count: UInt64
    }

    public init(
        session: Session, authority: Authority, evidence: EvidenceBuffer, meter: Meter, ledger: SessionLedger,
        number: UInt64, waker: Waker, now: Instant
    ) {
        self.session = session
        self.authority = authority
        version = authority.version
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
            if evidence.isBroken { return .refused(Refusal(.evidenceUnavailable)) }
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

    /// Written once before there is a principal, and a few times for re-authentications: a client may repeat both as fast
    /// as it likes.
    private mutating func reject(_ reason: String, code: Refusal.Code = .unauthenticated) -> Refusal {
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
        guard let index = names.intern(kind.index, name) else { return .refused(Refusal(.limit)) }
        return .ready(Resource(index: index))
    }

    public func name(of resource: Resource) -> String { names.name(resource.index) }

    // MARK: Decisions

    /// Decides one operation, from the cache where the authority has not changed.
    ///
    /// - Parameter bearable: how long the protocol can wait for an approval; zero refuses at once.
    @inlinable
    public mutating func decide(_ operation: Operation, holdingUpTo bearable: Duration = .zero) -> Decision {
        if operation.within == nil, !operation.action.isChange {
            let slot = Int(operation.resource.index) &* 8 &+ Int(operation.action.rawValue)
            if slot < heads.count, heads[slot] != 0 {
                let line = Int(heads[slot] &- 1)
                if lines[line].operation.within == nil, lines[line].version == version, !isExpired {
                    return recall(line)
                }
            }
        }
        return decideAnew(operation)
    }

    @usableFromInline
    mutating func decideAnew(_ operation: Operation) -> Decision {
        guard let principal else { return .deny(Refusal(.unauthenticated)) }
        if principal.expires <= now { return .deny(Refusal(.expired)) }
        if operation.action.isChange, evidence.isBroken { return .deny(Refusal(.evidenceUnavailable)) }
        guard let index = line(for: operation) else { return .deny(Refusal(.limit)) }
        if lines[index].version == version, !operation.action.isChange { return recall(index) }
        let ruling = judge(principal, operation)
        let decision: Decision
        switch ruling.effect {
        case .allow:
            decision = .allow(
                Clearance(
                    line: UInt32(index), authority: version, mask: ruling.mask, recording: ruling.recording))
        case .deny:
            decision = .deny(Refusal(ruling.rule < 0 ? .noRule : .denied, rule: ruling.rule))
        case .requireApproval:
            // Access requests are not part of this version: a held operation is refused like a denied one.
            decision = .deny(Refusal(.approvalRequired, rule: ruling.rule))
        }
        let outcome = decision.outcome
        meter.count(operation.action, outcome)
        let before = lines[index]
        lines[index].version = version
        lines[index].decision = decision
        lines[index].rule = ruling.rule
        lines[index].count &+= 1
        if operation.action.isChange || before.count == 0 || !before.decision.isSameKind(as: decision)
            || before.rule != ruling.rule
        {
            let ticket = write(operation, outcome, decision)
            if operation.action.isChange, outcome == .allowed { note(ticket, towards: .backend) }
        }
        return decision
    }

    /// A decision from the cache, counted.
    @usableFromInline
    mutating func recall(_ line: Int) -> Decision {
        lines[line].count &+= 1
        let decision = lines[line].decision
        meter.count(lines[line].operation.action, decision.outcome)
        return decision
    }

    private func judge(_ principal: Principal, _ operation: Operation) -> Ruling {
        guard authority.authenticator.stands(principal) else { return Ruling(effect: .deny, rule: -1) }
        let start = meter.clock()
        defer { meter.tally { $0.decisions.observe(nanoseconds: meter.clock() - start) } }
        let route = session.route
        return authority.policy.judge(
            principal,
            Question(
                route: route.name, action: operation.action, kind: kindName(operation.resource),
                name: names.name(operation.resource.index),
                withinKind: operation.within.map { kindName($0) },
                withinName: operation.within.map { names.name($0.index) }))
    }

    private func kindName(_ resource: Resource) -> String {
        let index = Int(names.kind(resource.index))
        let kinds = session.route.kinds
        return index < kinds.count ? kinds[index].singular : ""
    }

    /// Decisions that one connection may have cached: pairs of names are a peer's input.
    static let lineLimit = 65_536

    private mutating func line(for operation: Operation) -> Int? {
        guard Int(operation.resource.index) < names.count else { return nil }
        let slot = Int(operation.resource.index) * 8 + Int(operation.action.rawValue)
        if slot >= heads.count {
            heads.append(contentsOf: repeatElement(0, count: max(slot + 1, heads.count * 2) - heads.count))
        }
        if let found = find(operation) { return found }
        guard lines.count < Governor.lineLimit else { return nil }
        lines.append(
            Line(
                operation: operation, next: heads[slot], version: 0, decision: .deny(Refusal(.noRule)), rule: -1,
                count: 0))
        heads[slot] = UInt32(lines.count)
        return lines.count - 1
    }

    /// The line of an operation asked before.
    @usableFromInline
    func find(_ operation: Operation) -> Int? {
        let slot = Int(operation.resource.index) &* 8 &+ Int(operation.action.rawValue)
        var at = slot < heads.count ? heads[slot] : 0
        while at != 0 {
            let index = Int(at) - 1
            if lines[index].operation.within == operation.within { return index }
            at = lines[index].next
        }
        return nil
    }

    /// Judges a name that is only listed, not asked for: neither interned nor recorded.
    public func permits(_ action: Action, _ kind: ResourceKind, named name: RawSpan) -> Bool {
        guard let principal, !isExpired, Int(kind.index) < session.route.kinds.count else { return false }
        let question = Question(
            route: session.route.name, action: action, kind: session.route.kinds[Int(kind.index)].singular,
            name: String(decoding: name.allBytes, as: UTF8.self))
        return authority.authenticator.stands(principal)
            && authority.policy.judge(principal, question).effect == .allow
    }

    /// True where some rule of the route covers the principal; opens what names nothing.
    public var isCovered: Bool {
        guard let principal, !isExpired else { return false }
        return authority.authenticator.stands(principal)
            && authority.policy.covers(principal, route: session.route.name)
    }

    /// A decision asked for on the request, asked again on the response.
    ///
    /// - Returns: nil where it no longer holds; the clearance of now otherwise.
    @inlinable
    public mutating func renew(_ clearance: Clearance) -> Clearance? {
        if clearance.authority == version, !isExpired {
            let line = Int(clearance.line)
            if line >= lines.count || lines[line].version == version { return clearance }
        }
        return renewAnew(clearance)
    }

    @usableFromInline
    mutating func renewAnew(_ clearance: Clearance) -> Clearance? {
        guard Int(clearance.line) < lines.count, !isExpired else { return nil }
        let index = Int(clearance.line)
        rejudge(index)
        guard case .allow(let fresh) = lines[index].decision else { return nil }
        return fresh
    }

    /// Asks the authority of now about a line; a right that is lost is written, nothing is counted.
    private mutating func rejudge(_ index: Int) {
        guard lines[index].version != version, let principal else { return }
        let operation = lines[index].operation
        let before = lines[index]
        let ruling = judge(principal, operation)
        let decision: Decision
        switch (ruling.effect, before.decision) {
        case (.allow, _):
            decision = .allow(
                Clearance(
                    line: UInt32(index), authority: version, mask: ruling.mask, recording: ruling.recording))
        case (_, .allow): decision = .deny(Refusal(.revoked, rule: ruling.rule))
        case (.deny, _): decision = .deny(Refusal(ruling.rule < 0 ? .noRule : .denied, rule: ruling.rule))
        case (.requireApproval, _): decision = .deny(Refusal(.approvalRequired, rule: ruling.rule))
        }
        lines[index].version = version
        lines[index].rule = ruling.rule
        lines[index].decision = decision
        if !before.decision.isSameKind(as: decision) || before.rule != ruling.rule {
            _ = write(operation, decision.outcome, decision)
        }
    }

    /// What holds for an operation now, asked on the response: as `decide`, but neither counted nor recorded again.
    public mutating func standing(_ operation: Operation) -> Decision {
        guard let index = find(operation), lines[index].count > 0 else { return decideAnew(operation) }
        if isExpired { return .deny(Refusal(.expired)) }
        rejudge(index)
        return lines[index].decision
    }

    /// The right to exchange what names nothing (housekeeping) and answers without records to what was decided; nil where
    /// no rule of the route covers the principal any more.
    public mutating func openClearance() -> Clearance? {
        if isExpired { return nil }
        if coveredIn != version {
            guard let principal, authority.authenticator.stands(principal),
                authority.policy.covers(principal, route: session.route.name)
            else { return nil }
            coveredIn = version
        }
        return Clearance(line: .max, authority: version, mask: .none, recording: .positions)
    }

    // MARK: Deliveries

    /// Asks the profile of a clearance to look at the fields of one batch.
    ///
    /// - Returns: what was masked, or nil where a question is open: park that side and ask again.
    public mutating func mask(
        _ fields: Span<MaskField>, in bytes: RawSpan, under clearance: Clearance, into scratch: inout [UInt8],
        outcomes: inout [MaskOutcome]
    ) -> MaskCounters? {
        var counters = MaskCounters()
        guard clearance.authority == version, let masker = authority.masker(clearance.mask) else {
            // A mask that is gone, or may mean another profile by now, fails closed: each field drops its record.
            let isUnmasked = clearance.authority == version && clearance.mask.isNone
            for _ in fields.indices { outcomes.append(isUnmasked ? .unchanged : .dropRecord) }
            return counters
        }
        guard masker.mask(fields, in: bytes, into: &scratch, outcomes: &outcomes, counters: &counters) else {
            return nil
        }
        meter.tally { $0.maskFailures &+= UInt64(counters.failures) }
        return counters
    }

    /// The last question before records are handed over: expiry, range, budget; the answer is written as evidence.
    public mutating func admit(_ delivery: Delivery, under clearance: Clearance) -> Admission {
        guard let current = check(clearance) else { return refuseDelivery(delivery, clearance) }
        let rule = lines[Int(current.line)].rule
        if let ticket = evidence.extend(delivery, session: number, rule: rule, mask: current.mask) {
            finish(delivery, ticket)
            return .release(current)
        }
        let text = deliveryText(current, rule, delivery.wireName)
        let ticket = evidence.open(
            delivery, session: number, rule: rule, mask: current.mask, at: now, head: text.head, tail: text.tail)
        finish(delivery, ticket)
        return .release(current)
    }

    /// The members of a delivery's line that are the same for all of its kind, kept from one to the next.
    private mutating func deliveryText(
        _ clearance: Clearance, _ rule: Int32, _ wireName: WireName
    ) -> (head: [UInt8], tail: [UInt8]) {
        if let kept = lastDelivery, kept.line == clearance.line, kept.version == version, kept.rule == rule,
            kept.wireName == wireName, !identityText.isEmpty
        {
            return (kept.head, kept.tail)
        }
        let head = identity() + operationMembers(lines[Int(clearance.line)].operation, wireName: wireName)
        let made = DeliveryText(
            line: clearance.line, version: version, rule: rule, wireName: wireName, head: head, tail: ruleMember(rule))
        lastDelivery = made
        return (made.head, made.tail)
    }

    private struct DeliveryText {
        var line, version: UInt32
        var rule: Int32
        var wireName: WireName
        var head, tail: [UInt8]
    }

    /// As `admit`, at messages level: the records as the client gets them are written too.
    ///
    /// - Parameters:
    ///   - records: pieces of `window` or of `scratch`.
    ///   - headers: what the records' ranges of headers point into.
    public mutating func admit(
        _ delivery: Delivery, records: Span<RecordView>, headers: Span<HeaderView>, window: RawSpan, scratch: RawSpan,
        under clearance: Clearance
    ) -> Admission {
        guard let current = check(clearance) else { return refuseDelivery(delivery, clearance) }
        let line = lines[Int(current.line)]
        let session = identity()
        let type: StaticString = delivery.towards == .client ? "records.delivered" : "records.produced"
        let operation = operationMembers(line.operation, wireName: delivery.wireName)
        let rule = ruleMember(line.rule)
        var body: [UInt8] = []
        for index in records.indices {
            Governor.append(records[index], headers, window, scratch, to: &body)
        }
        let ticket = evidence.write(type, at: now, session: session) { bytes in
            bytes.append(contentsOf: operation)
            EvidenceBuffer.members(of: delivery, to: &bytes)
            bytes.append(contentsOf: rule)
            JSONText.key("messages", to: &bytes)
            bytes.append(UInt8(ascii: "["))
            bytes.append(contentsOf: body)
            bytes.append(UInt8(ascii: "]"))
        }
        finish(delivery, ticket)
        return .release(current)
    }

    private static func append(
        _ record: RecordView, _ headers: Span<HeaderView>, _ window: RawSpan, _ scratch: RawSpan, to body: inout [UInt8]
    ) {
        if !body.isEmpty { body.append(UInt8(ascii: ",")) }
        body.append(UInt8(ascii: "{"))
        JSONText.key("position", to: &body)
        EvidenceBuffer.append(record.position, to: &body)
        if record.timestamp >= 0 { JSONText.member("timestamp", record.timestamp, to: &body) }
        JSONText.key("key", to: &body)
        append(record.key, window, scratch, to: &body)
        JSONText.key("value", to: &body)
        append(record.value, window, scratch, to: &body)
        let range = record.headers.clamped(to: headers.indices)
        if !range.isEmpty {
            JSONText.key("headers", to: &body)
            body.append(UInt8(ascii: "["))
            for index in range {
                if index > range.lowerBound { body.append(UInt8(ascii: ",")) }
                body.append(UInt8(ascii: "{"))
                JSONText.key("key", to: &body)
                append(headers[index].name, window, scratch, to: &body)
                JSONText.key("value", to: &body)
                append(headers[index].value, window, scratch, to: &body)
                body.append(UInt8(ascii: "}"))
            }
            body.append(UInt8(ascii: "]"))
        }
        body.append(UInt8(ascii: "}"))
    }

    private static func append(_ piece: Piece, _ window: RawSpan, _ scratch: RawSpan, to body: inout [UInt8]) {
        switch piece {
        case .window(let range) where window.holds(range):
            JSONText.append(content: window.extracting(range), to: &body)
        case .scratch(let range) where scratch.holds(range):
            JSONText.append(content: scratch.extracting(range), to: &body)
        case .window, .scratch, .none: body.append(contentsOf: Array("null".utf8))
        }
    }

    private mutating func check(_ clearance: Clearance) -> Clearance? {
        if evidence.isBroken { return nil }
        guard let current = renew(clearance), Int(current.line) < lines.count else { return nil }
        return current
    }

    private mutating func finish(_ delivery: Delivery, _ ticket: Ticket) {
        // Produced records wait on the answer's side; where there is none, the machine asks for the other.
        note(ticket, towards: .client)
        totals.records &+= UInt64(delivery.records)
        totals.bytes &+= UInt64(delivery.bytes)
        totals.maskedFields &+= UInt64(delivery.maskedFields)
        meter.tally { $0.maskedFields &+= UInt64(delivery.maskedFields) }
        switch delivery.towards {
        case .client: meter.tally { $0.recordsDelivered &+= UInt64(delivery.records) }
        case .backend: meter.tally { $0.recordsProduced &+= UInt64(delivery.records) }
        }
    }

    private mutating func refuseDelivery(_ delivery: Delivery, _ clearance: Clearance) -> Admission {
        if evidence.isBroken { return .cut(Refusal(.evidenceUnavailable)) }
        let refusal = Refusal(isExpired ? .expired : .revoked)
        withhold(delivery, refusal)
        return isExpired ? .cut(refusal) : .withhold(refusal)
    }

    /// Writes that records were kept back, and why.
    public mutating func withhold(_ delivery: Delivery, _ refusal: Refusal) {
        meter.tally { $0.recordsWithheld &+= UInt64(delivery.records) }
        let action: Action = delivery.towards == .client ? .consume : .produce
        let operation = Operation(action, delivery.resource, wireName: delivery.wireName)
        let members = operationMembers(operation, wireName: delivery.wireName) + ruleMember(refusal.rule)
        note(
            evidence.write("records.withheld", at: now, session: identity()) { bytes in
                bytes.append(contentsOf: members)
                EvidenceBuffer.members(of: delivery, to: &bytes)
                JSONText.member("reason", refusal.reason, to: &bytes)
            }, towards: .client)
    }

    /// Writes that a request was refused as such: a field that is not for clients, a version that is not served.
    ///
    /// Once a session for each request and reason: a client may repeat them as fast as it likes.
    public mutating func refuseRequest(_ wireName: WireName?, _ reason: String) {
        guard refusedRequests.count < Governor.refusedRequestLimit,
            refusedRequests.insert("\(wireName?.index ?? .max) \(reason)").inserted
        else { return }
        let session = identity()
        var members: [UInt8] = [UInt8(ascii: " ")]
        let names = self.session.route.wireNames
        if let wireName, Int(wireName.index) < names.count {
            JSONText.member("operation", names[Int(wireName.index)], to: &members)
        }
        JSONText.member("decision", "denied", to: &members)
        JSONText.member("reason", reason, to: &members)
        members.removeFirst()
        let ticket = evidence.write("operation.denied", at: now, session: session) {
            $0.append(contentsOf: members)
        }
        note(ticket, towards: .client)
    }

    /// Writes what has happened although no rule covers it any more: a write that the backend has already stored when
    /// the policy changed.
    public mutating func recordUncovered(_ delivery: Delivery) {
        let operation = Operation(.produce, delivery.resource, wireName: delivery.wireName)
        let head = identity() + operationMembers(operation, wireName: delivery.wireName)
        let ticket = evidence.open(
            delivery, session: number, rule: -1, mask: .none, at: now, head: head, tail: [])
        finish(delivery, ticket)
    }

    // MARK: What the relay asks

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

    private mutating func note(_ ticket: Ticket, towards side: Side) {
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
        var operations: [UInt8] = []
        for line in lines where line.count > 0 {
            if !operations.isEmpty { operations.append(UInt8(ascii: ",")) }
            operations.append(UInt8(ascii: "{"))
            JSONText.member("action", line.operation.action.name, to: &operations)
            JSONText.member("resource", text(line.operation.resource), to: &operations)
            JSONText.member("decision", line.decision.word, to: &operations)
            JSONText.member("count", line.count, to: &operations)
            operations.append(UInt8(ascii: "}"))
        }
        let totals = totals
        evidence.write("session.ended", at: now, session: session) { bytes in
            JSONText.member("reason", reason.word, to: &bytes)
            JSONText.member("records", totals.records, to: &bytes)
            JSONText.member("bytes", totals.bytes, to: &bytes)
            JSONText.member("masked_fields", totals.maskedFields, to: &bytes)
            JSONText.key("operations", to: &bytes)
            bytes.append(UInt8(ascii: "["))
            bytes.append(contentsOf: operations)
            bytes.append(UInt8(ascii: "]"))
        }
    }

    private mutating func forgetDecisions() {
        for index in lines.indices { lines[index].version = 0 }
    }

    // MARK: Words

    /// The text of a refusal where the protocol carries one: action, resource and rule.
    public func text(_ refusal: Refusal, _ operation: Operation) -> String {
        let what = "\(operation.action.name) \(text(operation.resource))"
        switch refusal.code {
        case .denied:
            return "\(what) is denied by rule '\(authority.policy.name(ofRule: refusal.rule) ?? "")'"
        case .approvalRequired:
            return
                "\(what) needs an approval under rule '\(authority.policy.name(ofRule: refusal.rule) ?? "")', which this version cannot ask for"
        default: return "\(what): \(refusal.reason)"
        }
    }

    private func text(_ resource: Resource) -> String { "\(kindName(resource)):\(names.name(resource.index))" }

    /// The members that every event of this session has, made once.
    private mutating func identity() -> [UInt8] {
        if !identityText.isEmpty { return identityText }
        var bytes: [UInt8] = [UInt8(ascii: " ")]
        JSONText.member("session_id", session.id, to: &bytes)
        JSONText.member("route", session.route.name, to: &bytes)
        JSONText.member("backend", session.route.backendName, to: &bytes)
        JSONText.member("protocol", session.route.protocolName, to: &bytes)
        if let principal {
            JSONText.member("subject", principal.subject, to: &bytes)
            JSONText.member("groups", principal.groups, to: &bytes)
        }
        JSONText.member("client_address", session.clientAddress, to: &bytes)
        bytes.removeFirst()
        identityText = bytes
        lastDelivery = nil
        return bytes
    }

    private func operationMembers(_ operation: Operation, wireName: WireName) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: " ")]
        let names = session.route.wireNames
        if Int(wireName.index) < names.count {
            JSONText.member("operation", names[Int(wireName.index)], to: &bytes)
        }
        JSONText.member("action", operation.action.name, to: &bytes)
        JSONText.member("resource", text(operation.resource), to: &bytes)
        bytes.removeFirst()
        return bytes
    }

    private func ruleMember(_ rule: Int32) -> [UInt8] {
        guard rule >= 0, let name = authority.policy.name(ofRule: rule) else { return [] }
        var bytes: [UInt8] = [UInt8(ascii: " ")]
        JSONText.member("rule", name, to: &bytes)
        bytes.removeFirst()
        return bytes
    }

    private mutating func write(_ operation: Operation, _ outcome: Meter.Outcome, _ decision: Decision) -> Ticket {
        let session = identity()
        var members = operationMembers(operation, wireName: operation.wireName)
        if let within = operation.within { JSONText.member("within", text(within), to: &members) }
        if case .deny(let refusal) = decision {
            members += ruleMember(refusal.rule)
            JSONText.member("decision", outcome == .held ? "held" : "denied", to: &members)
            JSONText.member("reason", refusal.reason, to: &members)
        } else if case .allow(let clearance) = decision {
            members += ruleMember(lines[Int(clearance.line)].rule)
            JSONText.member("decision", "allowed", to: &members)
        }
        let type: StaticString =
            switch outcome {
            case .allowed: "operation.allowed"
            case .denied: "operation.denied"
            case .held: "operation.held"
            }
        return evidence.write(type, at: now, session: session) { $0.append(contentsOf: members) }
    }
}

extension Decision {
    func isSameKind(as other: Decision) -> Bool {
        switch (self, other) {
        case (.allow, .allow), (.deny, .deny), (.hold, .hold): true
        default: false
        }
    }

    var outcome: Meter.Outcome {
        switch self {
        case .allow: .allowed
        case .deny(let refusal): refusal.code == .approvalRequired ? .held : .denied
        case .hold: .held
        }
    }

    var word: String {
        switch outcome {
        case .allowed: "allowed"
        case .denied: "denied"
        case .held: "held"
        }
    }
}
