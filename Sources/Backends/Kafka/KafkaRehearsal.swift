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

    /// - Parameters:
    ///   - later: topics that only a refresh of the catalogue brings.
    package init(brokers: [Int32: (host: String, port: UInt16)], topics: [Topic], later: [Topic] = []) {
        let nodes = brokers.mapValues { KafkaCatalogue.Node(host: $0.host, port: $0.port) }
        let addresses = brokers.sorted { $0.key < $1.key }.map(\.value)
        let cluster = KafkaCluster(
            name: "rehearsal", settings: KafkaSettings(bootstrap: addresses), log: Log(minimum: .error, sink: { _ in }))
        var ranges: [Int16: ClosedRange<Int16>] = [:]
        for api in MessageCatalog.shared.apis.compactMap({ $0 }) { ranges[api.key] = api.versions }
        self.cluster = cluster
        let versions = BrokerVersions(ranges: ranges)
        KafkaRehearsal.publish(topics, nodes, versions, cluster)
        cluster.attachRefresher { [weak cluster] in
            if let cluster { KafkaRehearsal.publish(topics + later, nodes, versions, cluster) }
        }
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
        MachineOf(
            KafkaMachine(
                cluster: cluster, rules: rules, node: session.route.advertise?.node(ofPort: session.localPort)))
    }
}
