import TidegateWire

/// What is handed over: masked, admitted, and written down.
extension Governor {
    /// Asks the profile of a clearance to look at the fields of one batch. In a dry run each is answered unchanged, and
    /// what would have been is counted.
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
        let request = MaskRequest(
            resource: resource(of: clearance), opens: authority.scope(clearance.mask), waker: waker)
        let (kept, start) = (outcomes.count, scratch.count)
        guard
            masker.mask(fields, in: bytes, for: request, into: &scratch, outcomes: &outcomes, counters: &counters)
        else { return nil }
        if clearance.mask.isDryRun {
            counters.isDryRun = true
            scratch.removeLast(scratch.count - start)
            for index in kept..<outcomes.count { outcomes[index] = .unchanged }
        } else {
            meter.tally { $0.maskFailures &+= UInt64(counters.failures) }
        }
        return counters
    }

    /// What the line of a clearance names, as it came.
    private func resource(of clearance: Clearance) -> [UInt8] {
        let line = Int(clearance.line)
        return line < lines.count ? names.nameBytes(lines[line].operation.resource.index) : []
    }

    /// The last question before records are handed over: expiry, range, budget; the answer is written as evidence.
    public mutating func admit(_ delivery: Delivery, under clearance: Clearance) -> Admission {
        guard let current = check(clearance) else { return refuseDelivery(delivery, clearance) }
        let rule = lines[Int(current.line)].rule
        if let ticket = evidence.extend(delivery, session: number, line: current.line, rule: rule, mask: current.mask) {
            finish(delivery, ticket)
            return .release(current)
        }
        let text = deliveryText(current, rule, delivery.wireName)
        let ticket = evidence.open(
            delivery, session.route.positions, session: number, line: current.line, rule: rule, mask: current.mask,
            at: now,
            head: text.head, tail: text.tail)
        finish(delivery, ticket)
        return .release(current)
    }

    /// The members of a delivery's line that are the same for all of its kind, kept from one to the next.
    mutating func deliveryText(
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

    struct DeliveryText {
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
        let form = self.session.route.positions
        let type: StaticString = delivery.towards == .client ? "records.delivered" : "records.produced"
        let operation = operationMembers(line.operation, wireName: delivery.wireName)
        let rule = ruleMember(line.rule)
        var body: [UInt8] = []
        for index in records.indices {
            Governor.append(records[index], form, headers, window, scratch, to: &body)
        }
        let ticket = evidence.write(type, at: now, session: session) { bytes in
            bytes.append(contentsOf: operation)
            EvidenceBuffer.members(of: delivery, form, to: &bytes)
            bytes.append(contentsOf: rule)
            JSONText.key("messages", to: &bytes)
            bytes.append(UInt8(ascii: "["))
            bytes.append(contentsOf: body)
            bytes.append(UInt8(ascii: "]"))
        }
        finish(delivery, ticket)
        return .release(current)
    }

    static func append(
        _ record: RecordView, _ form: PositionForm, _ headers: Span<HeaderView>, _ window: RawSpan, _ scratch: RawSpan,
        to body: inout [UInt8]
    ) {
        if !body.isEmpty { body.append(UInt8(ascii: ",")) }
        body.append(UInt8(ascii: "{"))
        // A value of a key has no place in a log; an entry's id is never 0-0.
        let hasPosition = form == .offset || record.position != Position(major: 0, minor: 0)
        JSONText.key("position", to: &body)
        if hasPosition {
            EvidenceBuffer.append(record.position, form, to: &body)
        } else {
            JSONText.append(literal: "null", to: &body)
        }
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

    static func append(_ piece: Piece, _ window: RawSpan, _ scratch: RawSpan, to body: inout [UInt8]) {
        switch piece {
        case .window(let range) where window.holds(range):
            JSONText.append(content: window.extracting(range), to: &body)
        case .scratch(let range) where scratch.holds(range):
            JSONText.append(content: scratch.extracting(range), to: &body)
        case .window, .scratch, .none: body.append(contentsOf: Array("null".utf8))
        }
    }

    mutating func check(_ clearance: Clearance) -> Clearance? {
        if evidence.isBroken { return nil }
        guard let current = renew(clearance), Int(current.line) < lines.count else { return nil }
        return current
    }

    mutating func finish(_ delivery: Delivery, _ ticket: Ticket) {
        // Produced records wait on the answer's side; where there is none, the machine asks for the other.
        note(ticket, towards: .client)
        totals.records &+= UInt64(delivery.records)
        totals.bytes &+= UInt64(delivery.bytes)
        if delivery.isDryRun {
            meter.tally { $0.fieldsInDryRun &+= UInt64(delivery.maskedFields) }
        } else {
            totals.maskedFields &+= UInt64(delivery.maskedFields)
            meter.tally { $0.maskedFields &+= UInt64(delivery.maskedFields) }
        }
        totals.openedFields &+= UInt64(delivery.openedFields)
        meter.tally { $0.openedFields &+= UInt64(delivery.openedFields) }
        switch delivery.towards {
        case .client: meter.tally { $0.recordsDelivered &+= UInt64(delivery.records) }
        case .backend: meter.tally { $0.recordsProduced &+= UInt64(delivery.records) }
        }
    }

    mutating func refuseDelivery(_ delivery: Delivery, _ clearance: Clearance) -> Admission {
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
        let form = session.route.positions
        note(
            evidence.write("records.withheld", at: now, session: identity()) { bytes in
                bytes.append(contentsOf: members)
                EvidenceBuffer.members(of: delivery, form, to: &bytes)
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
        let ticket = evidence.write("operation.denied", at: now, session: session, isRefusal: true) {
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
            delivery, session.route.positions, session: number, line: .max, rule: -1, mask: .none, at: now, head: head,
            tail: [])
        finish(delivery, ticket)
    }

    /// Writes what was handed to the backend, and of which the session ended before the answer came: whether it is stored
    /// is not known.
    public mutating func recordUnanswered(_ delivery: Delivery) {
        let operation = Operation(.produce, delivery.resource, wireName: delivery.wireName)
        var members = operationMembers(operation, wireName: delivery.wireName)
        EvidenceBuffer.members(of: delivery, session.route.positions, to: &members)
        // Another version of the policy numbers its rules anew.
        if let index = find(operation), lines[index].version == version, case .allow = lines[index].decision {
            members += ruleMember(lines[index].rule)
        }
        JSONText.member("reason", "answer not seen", to: &members)
        let ticket = evidence.write("records.produced", at: now, session: identity()) {
            $0.append(contentsOf: members)
        }
        finish(delivery, ticket)
    }
}
