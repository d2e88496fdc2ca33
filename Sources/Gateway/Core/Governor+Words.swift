/// How decisions are said, to people and in evidence.
extension Governor {
    /// The text of a refusal where the protocol carries one: action, resource and rule.
    ///
    /// - Parameter isNaming: false where the protocol's clients must not be told the name, but the kind only (Redis).
    public func text(_ refusal: Refusal, _ operation: Operation, isNaming: Bool = true) -> String {
        let resource = isNaming ? text(operation.resource) : "this \(kindName(operation.resource))"
        let what = "\(operation.action.name) \(resource)"
        switch refusal.code {
        case .denied:
            return "\(what) is denied by rule '\(authority.policy.name(ofRule: refusal.rule) ?? "")'"
        case .approvalRequired:
            return
                "\(what) needs an approval under rule '\(authority.policy.name(ofRule: refusal.rule) ?? "")', which this version cannot ask for"
        default: return "\(what): \(refusal.reason)"
        }
    }

    func text(_ resource: Resource) -> String { "\(kindName(resource)):\(names.name(resource.index))" }

    /// The members that every event of this session has, made once.
    mutating func identity() -> [UInt8] {
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

    func operationMembers(_ operation: Operation, wireName: WireName) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: " ")]
        let names = session.route.wireNames
        if Int(wireName.index) < names.count {
            JSONText.member("operation", names[Int(wireName.index)], to: &bytes)
        }
        JSONText.member("action", operation.action.name, to: &bytes)
        JSONText.member("resource", text(operation.resource), to: &bytes)
        if let within = operation.within { JSONText.member("within", text(within), to: &bytes) }
        bytes.removeFirst()
        return bytes
    }

    func ruleMember(_ rule: Int32) -> [UInt8] {
        guard rule >= 0, let name = authority.policy.name(ofRule: rule) else { return [] }
        var bytes: [UInt8] = [UInt8(ascii: " ")]
        JSONText.member("rule", name, to: &bytes)
        bytes.removeFirst()
        return bytes
    }

    mutating func write(_ operation: Operation, _ outcome: Meter.Outcome, _ decision: Decision) -> Ticket {
        let session = identity()
        var members = operationMembers(operation, wireName: operation.wireName)
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
        return evidence.write(type, at: now, session: session, isRefusal: outcome != .allowed) {
            $0.append(contentsOf: members)
        }
    }
}

extension Decision {
    var outcome: Meter.Outcome {
        switch self {
        case .allow: .allowed
        case .deny(let refusal): refusal.code == .approvalRequired ? .held : .denied
        case .hold: .held
        }
    }
}

extension Meter.Outcome {
    var word: String {
        switch self {
        case .allowed: "allowed"
        case .denied: "denied"
        case .held: "held"
        }
    }
}
