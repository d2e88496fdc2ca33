import TidegateCore
import TidegateWire

/// Topics by name and by id, resolved to resources of this connection.
extension KafkaMachine {
    enum TopicLookup {
        case found(Resource)
        /// No topic of that id is known.
        case unknown
        case refused(Refusal)
    }

    /// Ids whose topics one connection remembers.
    private static let heardLimit = 65_536

    /// Asks for a fresh catalogue where one of the ids is not known: all ids of a request are looked up before the first of
    /// its topics is decided, and once.
    ///
    /// - Returns: true where the client is parked until the catalogue is there.
    mutating func awaitTopics(
        _ ids: some Sequence<TopicID>, _ governor: borrowing Governor, _ output: inout WireOutput
    ) -> Bool {
        if refresh.isDone { return false }
        for id in ids where !id.isZero && heard[id] == nil && catalogue?.topics[id] == nil {
            return awaitRefresh(governor, &output, isLookUp: true)
        }
        return false
    }

    /// A topic by its name, or by its id where that is not zero.
    mutating func topic(
        named range: Range<Int>, id: TopicID, _ window: RawSpan, _ governor: inout Governor
    ) -> TopicLookup {
        let kind = ResourceKind(KafkaKind.topic)
        if id.isZero {
            guard window.holds(range) else { return .unknown }
            switch governor.resource(kind, named: window.extracting(range)) {
            case .ready(let resource): return .found(resource)
            case .notYet: return .unknown
            case .refused(let refusal): return .refused(refusal)
            }
        }
        // An id is never given to another topic: what it stood for holds after the topic is gone, too.
        if let resource = heard[id] { return .found(resource) }
        guard let name = catalogue?.topics[id] else { return .unknown }
        switch unsafe governor.resource(kind, named: name.span.bytes) {
        case .ready(let resource):
            if heard.count < KafkaMachine.heardLimit { heard[id] = resource }
            return .found(resource)
        case .notYet: return .unknown
        case .refused(let refusal): return .refused(refusal)
        }
    }

    /// A topic of an answer: never asks, since nothing waits on the answer's side.
    func knownTopic(
        named range: Range<Int>, id: TopicID, _ window: RawSpan, _ governor: inout Governor
    ) -> TopicLookup {
        let answer: Answer<Resource>
        if id.isZero {
            guard window.holds(range) else { return .unknown }
            answer = governor.resource(.topic, named: window.extracting(range))
        } else if let resource = heard[id] {
            return .found(resource)
        } else {
            guard let name = cluster.catalogue(newerThan: catalogue).topics[id] else { return .unknown }
            answer = unsafe governor.resource(.topic, named: name.span.bytes)
        }
        switch answer {
        case .ready(let resource): return .found(resource)
        case .notYet: return .unknown
        case .refused(let refusal): return .refused(refusal)
        }
    }
}
