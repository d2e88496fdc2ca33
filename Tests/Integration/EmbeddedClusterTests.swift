import Foundation
import Testing
import TidegateDemo

extension Integration {
    /// The clients on the embedded cluster, so that a machine without Apache Kafka shows something too: produce, read, a
    /// consumer group with its commit. It rebalances slowly (and answers aiokafka's SyncGroup with INVALID_REQUEST, without a
    /// gateway too), keeps the records of an aborted transaction, and knows no log-ins and no rights: those need the real one.
    @Suite(.enabled(if: Surroundings.hasClients, Comment(rawValue: Surroundings.lacking)))
    struct EmbeddedClusterTests {
        @Test func `every client writes and reads as it does without a gateway`() throws {
            let cluster = try MockCluster()
            let gateway = try GatewayProcess(before: cluster.bootstrap)
            defer { gateway.stop() }
            let through = PythonClient.Way.through(
                gateway, mechanism: "OAUTHBEARER", tokenFile: try gateway.tokenFile("eva", groups: ["engineers"]))
            for client in PythonClient.allCases {
                let topics = ["clients-\(client)-direct", "clients-\(client)-through"]
                for topic in topics { try cluster.create(topic: topic, partitions: 3) }
                for action in ["produce", "consume", "group"] {
                    let results = try [PythonClient.Way.direct(cluster), through].enumerated().map { index, way in
                        try client.run(
                            action, way, topic: topics[index], group: "analytics-\(topics[index])", count: 12)
                    }
                    #expect(results[0].count >= 1)
                    #expect(results[0] == results[1], "\(client) \(action)")
                }
            }
        }

        @Test(.enabled(if: Surroundings.kcat != nil, "kcat is not installed"))
        func `kcat writes and reads, and an analyst's copy is masked`() throws {
            let cluster = try MockCluster()
            try cluster.create(topic: "clients-kcat", partitions: 3)
            let gateway = try GatewayProcess(before: cluster.bootstrap)
            defer { gateway.stop() }
            try Kcat.through(gateway, "eva", groups: ["engineers"])
                .write("a:{\"card\":{\"number\":\"4111111111111111\"}}\n", to: "clients-kcat")
            for (way, number) in [
                (Kcat.direct(cluster), "4111111111111111"),
                (try Kcat.through(gateway, "eva", groups: ["engineers"]), "4111111111111111"),
                (try Kcat.through(gateway, "ada", groups: ["analysts"]), "****1111"),
            ] {
                #expect(try way.read("clients-kcat") == ["1 0 a {\"card\":{\"number\":\"\(number)\"}}"])
            }
        }
    }
}
