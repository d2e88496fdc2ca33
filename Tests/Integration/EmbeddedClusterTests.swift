import Foundation
import Testing
import TidegateDemo

extension Integration {
    /// The clients on the embedded cluster, so that a machine without Apache Kafka shows something too: produce, read, a
    /// consumer group with its commit. It does not tell what a broker does to rebalances of several members, to an aborted
    /// transaction, to log-ins or to rights: those need the real one.
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
            let kcat = try #require(Surroundings.kcat)
            func settings(_ group: String) throws -> [String] {
                let token = try gateway.issuer.mint(subject: "eva", groups: [group])
                return [
                    "-b", gateway.bootstrapAddress, "-X", "security.protocol=SASL_PLAINTEXT", "-X",
                    "sasl.mechanisms=PLAIN", "-X", "sasl.username=token", "-X", "sasl.password=\(token)",
                ]
            }
            let wrote = try Program.run(
                kcat, settings("engineers") + ["-P", "-t", "clients-kcat", "-p", "1"],
                input: "{\"card\":{\"number\":\"4111111111111111\"}}\n", environment: ["KCAT_CONFIG": "/dev/null"])
            try #require(wrote.status == 0, "\(wrote.errors)")
            for (group, number) in [("engineers", "4111111111111111"), ("analysts", "****1111")] {
                let read = try Program.run(
                    kcat, settings(group) + ["-C", "-t", "clients-kcat", "-o", "beginning", "-e", "-q"])
                #expect(read.lines == ["{\"card\":{\"number\":\"\(number)\"}}"], "\(group): \(read.errors)")
            }
        }
    }
}
