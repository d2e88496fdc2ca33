import TidegateCore
import TidegateWire

/// Topics by name and by id, resolved to resources of this connection.
extension KafkaMachine {
    enum TopicLookup {
        case found(Resource)
        /// No topic of that id is known, after a fresh look.
        case unknown
        /// The catalogue is being asked; the side is parked.
        case parked
        case refused(Refusal)
    }

    mutating func topic(
        named range: Range<Int>, id: TopicID, _ window: RawSpan, _ governor: inout Governor,
        _ output: inout WireOutput
    ) -> TopicLookup {
        let kind = ResourceKind(KafkaKind.topic)
        if id.isZero {
            guard window.holds(range) else { return .unknown }
            switch governor.resource(kind, named: window.extracting(range)) {
            case .ready(let resource): return .found(resource)
            case .notYet: return .parked
            case .refused(let refusal): return .refused(refusal)
            }
        }
        guard let name = catalogue?.topics[id] else {
            return awaitRefresh(governor, &output) ? .parked : lookUpRefreshed(id, kind, &governor)
        }
        return intern(name, kind, &governor)
    }

    private func lookUpRefreshed(_ id: TopicID, _ kind: ResourceKind, _ governor: inout Governor) -> TopicLookup {
        guard let name = catalogue?.topics[id] else { return .unknown }
        return intern(name, kind, &governor)
    }

    private func intern(_ name: [UInt8], _ kind: ResourceKind, _ governor: inout Governor) -> TopicLookup {
        switch unsafe governor.resource(kind, named: name.span.bytes) {
        case .ready(let resource): return .found(resource)
        case .notYet: return .parked
        case .refused(let refusal): return .refused(refusal)
        }
    }
}
