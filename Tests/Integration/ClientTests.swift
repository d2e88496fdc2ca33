import Foundation
import Testing

/// Real processes on real ports: one after the other, so that a machine of two cores is enough.
@Suite(.serialized) enum Integration {}

extension Integration {
    /// The same client, run directly and through the gateway: the results are the same.
    @Suite(.enabled(if: Surroundings.hasCluster, Comment(rawValue: Surroundings.lacking)))
    struct ClientTests {
        let servers: KafkaServers

        init() throws { servers = try KafkaServers.shared.get() }

        @Test(arguments: PythonClient.allCases)
        func `produce, consume, group, rebalance and transaction look as they do without it`(client: PythonClient)
            throws
        {
            let gateway = try GatewayProcess(before: servers)
            defer { gateway.stop() }
            let through = PythonClient.Way.through(
                gateway, mechanism: "OAUTHBEARER",
                tokenFile: try gateway.tokenFile("eva", groups: ["engineers"]))
            let ways = [PythonClient.Way.direct(servers), through]
            let topics = [servers.fresh("direct"), servers.fresh("through")]
            let transactional = [servers.fresh("direct-tx"), servers.fresh("through-tx")]
            // The gateway's clients create their topics through it.
            for (index, way) in ways.enumerated() {
                try servers.create([topics[index], transactional[index]], way)
            }
            for action in ["produce", "consume", "group", "rebalance", "transaction"] {
                let chosen = action == "transaction" ? transactional : topics
                let results = try ways.indices.map { index in
                    try client.run(
                        action, ways[index], topic: chosen[index], group: "analytics-\(chosen[index])-\(action)")
                }
                #expect(!results[0].isEmpty)
                #expect(results[0] == results[1], "\(action)")
            }
        }

        @Test(arguments: ["none", "gzip", "snappy", "lz4", "zstd"])
        func `an analyst gets every codec masked, and the evidence says which offsets`(codec: String) throws {
            let gateway = try GatewayProcess(before: servers)
            defer { gateway.stop() }
            let topic = servers.fresh(codec)
            try servers.create([topic])
            let written = try PythonClient.confluent.run(
                "produce", .direct(servers), topic: topic, count: 30, more: ["--compression", codec])
            try #require(written.first?.contains("produced") == true)
            let analyst = PythonClient.Way.through(
                gateway, mechanism: "OAUTHBEARER", tokenFile: try gateway.tokenFile("ada", groups: ["analysts"]))
            let clear = try PythonClient.confluent.run("consume", .direct(servers), topic: topic, count: 30)
            let masked = try PythonClient.confluent.run("consume", analyst, topic: topic, count: 30)
            let expected = clear.map { line in
                line.replacingOccurrences(of: "4111111111111111", with: "****1111")
                    .replacing(#/c\d+@example\.com/#, with: "[redacted]")
            }
            #expect(masked == expected)
            let delivered = gateway.evidence.filter {
                $0.contains("\"records.delivered\"") && $0.contains("topic:\(topic)\"")
            }
            for partition in 0..<3 {
                #expect(
                    delivered.contains { $0.contains("{\"partition\":\(partition),\"first\":0,\"last\":9}") },
                    "partition \(partition)")
            }
            #expect(!gateway.evidence.contains { $0.contains("4111111111111111") })
            #expect(!gateway.log.contains("4111111111111111"))
        }

        @Test(arguments: PythonClient.allCases)
        func `whom no rule covers gets no record, and the evidence says what was denied`(client: PythonClient) throws {
            let gateway = try GatewayProcess(before: servers)
            defer { gateway.stop() }
            let topic = servers.fresh("denied")
            try servers.create([topic])
            _ = try client.run("produce", .direct(servers), topic: topic, count: 3)
            let contractor = PythonClient.Way.through(
                gateway, tokenFile: try gateway.tokenFile("carl", groups: ["contractors"]))
            let lines = try client.run("denied", contractor, topic: topic, group: "analytics-denied")
            #expect(lines.count <= 1 && lines.allSatisfy { $0.contains("\"what\": \"error\"") }, "\(lines)")
            if client == .confluent { #expect(lines.first?.contains("_AUTHORIZATION_FAILED") == true, "\(lines)") }
            let isWritten = gateway.evidence.contains {
                $0.contains("\"operation.denied\"") && $0.contains("\"subject\":\"carl\"")
            }
            #expect(isWritten)
            #expect(!gateway.evidence.contains { $0.contains("records.delivered") })
        }
    }
}
