import TidegateCore
import TidegateWire

/// A session that has decided something already.
final class DecidedSession {
    let surroundings = Surroundings(
        BackendDeclaration(
            protocolName: "bench", settings: .anything,
            kinds: [ResourceKindDeclaration(singular: "topic", plural: "topics")],
            wireNames: ["Fetch"]))
    var governor: Governor
    let name: [UInt8]
    let topic: Resource
    let operation: Operation
    let clearance: Clearance
    private var offset: UInt64 = 0

    init() {
        governor = surroundings.makeGovernor(surroundings.makeSession())
        _ = governor.authenticate(Credential(secret: []))
        let name = Array("orders.eu-west-1.payments".utf8)
        self.name = name
        guard case .ready(let topic) = unsafe governor.resource(ResourceKind(0), named: name.span.bytes) else {
            preconditionFailure("the first name of a session is always taken")
        }
        self.topic = topic
        operation = Operation(.consume, topic, wireName: WireName(0))
        guard case .allow(let clearance) = governor.decide(operation) else {
            preconditionFailure("the judge allows everything")
        }
        self.clearance = clearance
    }

    /// The next 100 records of the topic, without a gap.
    func nextDelivery() -> Delivery {
        defer { offset += 100 }
        return Delivery(
            topic, part: 0, first: Position(major: 0, minor: offset), last: Position(major: 0, minor: offset + 99),
            records: 100, bytes: 102_400, towards: .client, wireName: WireName(0))
    }
}

extension Suite {
    /// What each batch and each request asks.
    func addGovernor() {
        add("governor/decide from the cache", allocating: .none, on: DecidedSession.init) { session in
            guard case .allow(let clearance) = session.governor.decide(session.operation) else { return }
            keep(Int(clearance.mask.index))
        }
        add("governor/resource by a known name", allocating: .none, on: DecidedSession.init) { session in
            let name = session.name
            let answer = unsafe session.governor.resource(ResourceKind(0), named: name.span.bytes)
            if case .ready(let resource) = answer { keep(resource == session.topic ? 1 : 0) }
        }
        add("governor/renew", allocating: .none, on: DecidedSession.init) { session in
            keep(session.governor.renew(session.clearance) == nil ? 0 : 1)
        }
        add("governor/admit what follows without a gap", allocating: .none, on: DecidedSession.init) { session in
            if case .release(let clearance) = session.governor.admit(session.nextDelivery(), under: session.clearance) {
                keep(Int(clearance.mask.index))
            }
        }
        add("governor/admit, evidence taken each time", allocating: .counted, on: DecidedSession.init) { session in
            if case .release(let clearance) = session.governor.admit(session.nextDelivery(), under: session.clearance) {
                keep(Int(clearance.mask.index))
            }
            session.surroundings.takeEvidence()
        }
    }
}
