import TidegateWire

/// May he? Answered from the connection's cache, else by the authority.
extension Governor {
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
                    if lines[line].operation.wireName == operation.wireName { return recall(line) }
                    if !distinguishesCommands {
                        lines[line].isShared = true
                        return recall(line)
                    }
                }
            }
        }
        return decideAnew(operation)
    }

    @usableFromInline
    mutating func decideAnew(_ operation: Operation) -> Decision {
        // Behind the first of its chain: a pair, or one of several commands.
        if !operation.action.isChange, !isExpired, let index = find(operation), lines[index].version == version {
            share(index, operation)
            return recall(index)
        }
        guard let principal else { return .deny(Refusal(.unauthenticated)) }
        if principal.expires <= now { return .deny(Refusal(.expired)) }
        if operation.action.isChange, evidence.isBroken { return .deny(unrecordable()) }
        guard let index = line(for: operation) else {
            return .deny(tooManyDecisions(operation))
        }
        share(index, operation)
        if operation.action.isChange || !lines[index].isWritten, evidence.isFull(at: now) {
            return .deny(unrecordable())
        }
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
        let isNews = settle(index, decision, by: ruling)
        lines[index].count &+= 1
        if operation.action.isChange || isNews {
            let ticket = write(operation, outcome, decision)
            if operation.action.isChange, outcome == .allowed { note(ticket, towards: .backend) }
        }
        return decision
    }

    /// Keeps what the authority of now says about a line; what was counted under another decision or rule is closed.
    ///
    /// - Returns: true where evidence does not say so yet.
    mutating func settle(_ index: Int, _ decision: Decision, by ruling: Ruling) -> Bool {
        let name = authority.policy.name(ofRule: ruling.rule)
        let isNews =
            !lines[index].isWritten || lines[index].decision.outcome != decision.outcome
            || lines[index].ruleName != name
        if isNews, lines[index].count > 0 { close(index) }
        lines[index].version = version
        lines[index].judged = version
        lines[index].verdict = Verdict(ruling)
        lines[index].decision = decision
        lines[index].rule = ruling.rule
        lines[index].ruleName = name
        lines[index].isWritten = true
        return isNews
    }

    /// Ends a line's count: what comes is counted anew.
    mutating func close(_ index: Int) {
        if closed.count < Governor.tallyLimit.entries {
            closed.append(Tally(lines[index], isOfOneCommand: distinguishesCommands))
        } else {
            closedLeftOut += 1
        }
        lines[index].count = 0
    }

    /// A decision from the cache, counted.
    @usableFromInline
    mutating func recall(_ line: Int) -> Decision {
        lines[line].count &+= 1
        let decision = lines[line].decision
        meter.count(lines[line].operation.action, decision.outcome)
        return decision
    }

    func judge(_ principal: Principal, _ operation: Operation) -> Ruling {
        guard authority.knows(session.route), authority.authenticator.stands(principal) else {
            return Ruling(effect: .deny, rule: -1)
        }
        let start = meter.clock()
        defer { meter.tally { $0.decisions.observe(nanoseconds: meter.clock() - start) } }
        let route = session.route
        return authority.policy.judge(
            principal,
            Question(
                route: route.name, action: operation.action, kind: kindName(operation.resource),
                name: names.name(operation.resource.index),
                withinKind: operation.within.map { kindName($0) },
                withinName: operation.within.map { names.name($0.index) },
                command: route.name(of: operation.wireName), mustBeNamed: route.mustBeNamed(operation.wireName)))
    }

    func kindName(_ resource: Resource) -> String {
        let index = Int(names.kind(resource.index))
        let kinds = session.route.kinds
        return index < kinds.count ? kinds[index].singular : ""
    }

    /// Decisions that one connection may have cached, two for each name (a consumer describes and reads): pairs of names
    /// are a peer's input.
    static let lineLimit = 2 * NameTable.limit.names

    /// Bytes of memory that names and decisions of this connection hold.
    public var heldBytes: Int {
        names.heldBytes + lines.capacity * MemoryLayout<Line>.stride + heads.capacity * MemoryLayout<UInt32>.stride
    }

    mutating func tooManyDecisions(_ operation: Operation) -> Refusal {
        refuseRequest(operation.wireName, "more decisions than one connection may ask for")
        return Refusal(.limit)
    }

    mutating func line(for operation: Operation) -> Int? {
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
                ruleName: nil, count: 0, isWritten: false))
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
            if lines[index].operation.within == operation.within,
                !distinguishesCommands || lines[index].operation.wireName == operation.wireName
            {
                return index
            }
            at = lines[index].next
        }
        return nil
    }

    /// Judges a name that is only listed, not asked for: neither interned nor recorded.
    ///
    /// - Parameter command: what lists it; without it no `commands` of a rule match.
    public func permits(
        _ action: Action, _ kind: ResourceKind, named name: RawSpan, by command: WireName? = nil
    ) -> Bool {
        verdict(action, kind, named: name, by: command) == .allow
    }

    /// As `permits`, for a name that may be of either kind: as `decide(anyOf:)`.
    public func permits(
        _ action: Action, anyOf first: ResourceKind, _ second: ResourceKind, named name: RawSpan,
        by command: WireName? = nil
    ) -> Bool {
        max(verdict(action, first, named: name, by: command), verdict(action, second, named: name, by: command))
            == .allow
    }

    private func verdict(_ action: Action, _ kind: ResourceKind, named name: RawSpan, by command: WireName?) -> Verdict
    {
        guard let principal, !isExpired, Int(kind.index) < session.route.kinds.count,
            authority.knows(session.route), authority.authenticator.stands(principal)
        else { return .deny }
        return Verdict(
            authority.policy.judge(
                principal,
                Question(
                    route: session.route.name, action: action, kind: session.route.kinds[Int(kind.index)].singular,
                    name: String(decoding: name.allBytes, as: UTF8.self),
                    command: command.map { session.route.name(of: $0) } ?? "",
                    mustBeNamed: command.map { session.route.mustBeNamed($0) } ?? false)))
    }

    /// True where some rule of the route covers the principal; opens what names nothing.
    public var isCovered: Bool {
        guard let principal, !isExpired else { return false }
        return authority.knows(session.route) && authority.authenticator.stands(principal)
            && authority.policy.covers(principal, route: session.route.name)
    }

    /// A decision asked for on the request, asked again on the response.
    ///
    /// - Returns: nil where it no longer holds; the clearance of now otherwise.
    @inlinable
    public mutating func renew(_ clearance: Clearance) -> Clearance? {
        if clearance.authority == version, !isExpired {
            let line = Int(clearance.line)
            if clearance.isOpen || line < lines.count && lines[line].version == version { return clearance }
        }
        return renewAnew(clearance)
    }

    @usableFromInline
    mutating func renewAnew(_ clearance: Clearance) -> Clearance? {
        guard Int(clearance.line) < lines.count, !isExpired else { return nil }
        let index = Int(clearance.line)
        if lines[index].isShared, clearance.authority < apartSince { return nil }
        rejudge(index)
        guard case .allow(let fresh) = lines[index].decision else { return nil }
        return fresh
    }

    /// Asks the authority of now about a line; a right that is lost is written, nothing is counted.
    mutating func rejudge(_ index: Int) {
        guard lines[index].version != version, let principal else { return }
        let operation = lines[index].operation
        let ruling = judge(principal, operation)
        let decision: Decision
        switch (ruling.effect, lines[index].decision) {
        case (.allow, _):
            decision = .allow(
                Clearance(
                    line: UInt32(index), authority: version, mask: ruling.mask, recording: ruling.recording))
        case (_, .allow): decision = .deny(Refusal(.revoked, rule: ruling.rule))
        case (.deny, _): decision = .deny(Refusal(ruling.rule < 0 ? .noRule : .denied, rule: ruling.rule))
        case (.requireApproval, _): decision = .deny(Refusal(.approvalRequired, rule: ruling.rule))
        }
        if settle(index, decision, by: ruling) { _ = write(operation, decision.outcome, decision) }
    }

    /// What holds for an operation now, asked on the response: as `decide`, but neither counted nor recorded again.
    public mutating func standing(_ operation: Operation) -> Decision {
        guard let index = find(operation), lines[index].isWritten else { return decideAnew(operation) }
        if isExpired { return .deny(Refusal(.expired)) }
        share(index, operation)
        rejudge(index)
        return lines[index].decision
    }

    /// The right to exchange what names nothing (housekeeping) and answers without records to what was decided; nil where
    /// no rule of the route covers the principal any more.
    public mutating func openClearance() -> Clearance? {
        if isExpired { return nil }
        if coveredIn != version {
            guard isCovered else { return nil }
            coveredIn = version
        }
        return Clearance(line: .max, authority: version, mask: .none, recording: .positions)
    }
}
