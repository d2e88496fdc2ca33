import Synchronization
package import TidegateCore

/// A cluster whose catalogue is given, not asked for: machines of it are played from transcripts, without a broker.
package final class KafkaRehearsal: Sendable {
    /// A topic of the catalogue, its id in two halves.
    package struct Topic: Sendable {
        package var name: String
        package var high, low: UInt64
        package init(_ name: String, high: UInt64, low: UInt64) {
            self.name = name
            self.high = high
            self.low = low
        }
    }

    private let cluster: KafkaCluster
    private let rules = KafkaRules()
    private let publishLater: @Sendable () -> Void
    private let asked = Mutex((open: false, count: 0))

    /// How often the catalogue was asked for anew.
    package var refreshes: Int { asked.withLock { $0.count } }

    /// - Parameters:
    ///   - later: topics that only a refresh of the catalogue brings.
    ///   - gone: names of topics that a refresh takes away.
    ///   - isLost: no refresh can be made.
    ///   - versions: what the broker serves; nil: all that the tables know.
    ///   - sasl: the gateway's own log-in: mechanism, user and password.
    package init(
        brokers: [Int32: (host: String, port: UInt16)], topics: [Topic], later: [Topic] = [], gone: [String] = [],
        isLost: Bool = false, versions: [Int16: ClosedRange<Int16>]? = nil,
        sasl: (mechanism: String, username: String, password: String)? = nil
    ) {
        let nodes = brokers.mapValues { KafkaCatalogue.Node(host: $0.host, port: $0.port) }
        let addresses = brokers.sorted { $0.key < $1.key }.map(\.value)
        var settings = KafkaSettings(bootstrap: addresses)
        if let sasl, let mechanism = KafkaSettings.Mechanism(rawValue: sasl.mechanism) {
            settings.sasl = .init(mechanism: mechanism, username: sasl.username, password: Array(sasl.password.utf8))
        }
        let cluster = KafkaCluster(
            name: "rehearsal", settings: settings, log: Log(minimum: .error, sink: { _ in }))
        var ranges: [Int16: ClosedRange<Int16>] = [:]
        for api in MessageCatalog.shared.apis.compactMap({ $0 }) { ranges[api.key] = api.versions }
        self.cluster = cluster
        let told = BrokerVersions(ranges: versions ?? ranges)
        KafkaRehearsal.publish(topics, nodes, told, cluster)
        publishLater = {
            if isLost {
                cluster.begin()
                return cluster.publishFailure()
            }
            let left = (topics + later).filter { !gone.contains($0.name) }
            KafkaRehearsal.publish(left, nodes, told, cluster)
        }
        cluster.attachRefresher { [weak self] in
            self?.asked.withLock { asked in
                asked.open = true
                asked.count += 1
            }
        }
    }

    /// Makes the refresh that was asked for. As in life it comes behind the call that asked, never within it.
    fileprivate func answer() {
        let isOpen = asked.withLock { asked in
            defer { asked.open = false }
            return asked.open
        }
        if isOpen { publishLater() }
    }

    private static func publish(
        _ topics: [Topic], _ nodes: [Int32: KafkaCatalogue.Node], _ versions: BrokerVersions, _ cluster: KafkaCluster
    ) {
        var ids: [TopicID: [UInt8]] = [:]
        for topic in topics { ids[TopicID(high: topic.high, low: topic.low)] = Array(topic.name.utf8) }
        cluster.begin()
        cluster.publish(nodes: nodes, topics: ids, names: Set(ids.values), apiVersions: versions)
    }

    package func machine(for session: Session) -> any MachineBox {
        RehearsedMachine(
            self,
            MachineOf(
                KafkaMachine(
                    cluster: cluster, rules: rules, node: session.route.advertise?.node(ofPort: session.localPort))))
    }
}

/// A machine whose questions to the catalogue are answered when its call is over.
private final class RehearsedMachine: MachineBox {
    private let rehearsal: KafkaRehearsal
    private let machine: MachineOf<KafkaMachine>

    init(_ rehearsal: KafkaRehearsal, _ machine: MachineOf<KafkaMachine>) {
        self.rehearsal = rehearsal
        self.machine = machine
    }

    func receive(
        _ window: RawSpan, from side: Side, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Int {
        defer { rehearsal.answer() }
        return try machine.receive(window, from: side, asking: &governor, &output)
    }

    func handle(
        _ event: WireEvent, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) {
        defer { rehearsal.answer() }
        try machine.handle(event, asking: &governor, &output)
    }
}
