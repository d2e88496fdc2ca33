import Foundation
import Testing

extension Integration {
    /// Kafka's own tools, directly and through the gateway.
    @Suite(.enabled(if: Surroundings.hasCluster, Comment(rawValue: Surroundings.lacking)))
    struct JavaToolTests {
        @Test func `Kafka's own tools do through it what they do without it`() throws {
            let servers = try KafkaServers.shared.get()
            let gateway = try GatewayProcess(before: servers)
            defer { gateway.stop() }
            let logIn = try gateway.toolSettings("eva", groups: ["engineers"])
            let names = [servers.fresh("tools"), servers.fresh("tools")]
            /// Runs it both ways, each with a topic of its own; what differs by name alone counts as equal.
            func both(_ arguments: (String) -> [String], command: String = "--command-config") throws -> [[String]] {
                let ways = [(servers.bootstrap, servers.toolSettings), (gateway.bootstrapAddress, logIn)]
                return try zip(ways, names).map { way, name in
                    let words = arguments(name)
                    let done = try servers.tool(
                        [words[0], "--bootstrap-server", way.0, command, way.1] + words.dropFirst())
                    try #require(done.status == 0, "\(words[0]): \(done.output.suffix(300)) \(done.errors.suffix(300))")
                    return done.lines.map {
                        $0.replacingOccurrences(of: name, with: "NAME").replacing(#/TopicId: \S+/#, with: "TopicId: ID")
                            .replacing(#/ +/#, with: " ")
                    }.sorted()
                }
            }
            let created = try both { ["topics", "--create", "--topic", $0, "--partitions", "3"] }
            #expect(created[0] == created[1] && created[0].contains("Created topic NAME."))
            let written = try both({
                [
                    "producer-perf", "--topic", $0, "--num-records", "300", "--record-size", "100", "--throughput",
                    "-1", "--command-property", "enable.idempotence=true", "acks=all",
                ]
            })
            for lines in written { #expect(lines.last?.hasPrefix("300 records sent") == true, "\(lines)") }
            let read = try both {
                [
                    "console-consumer", "--topic", $0, "--group", "analytics-\($0)", "--from-beginning",
                    "--max-messages", "300", "--timeout-ms", "30000", "--command-property", "group.protocol=consumer",
                ]
            }
            #expect(read.allSatisfy { $0.count == 300 })
            // How many records a partition has is the producer's whim: group, topic, partition and lag are not.
            let groups = try both { ["consumer-groups", "--describe", "--group", "analytics-\($0)", "--offsets"] }
                .map { lines in
                    lines.map { $0.split(separator: " ") }.map { $0.count > 5 ? [$0[0], $0[1], $0[2], $0[5]] : $0 }
                }
            #expect(groups[0].count >= 4 && groups[0] == groups[1])
            let settings = try both {
                ["configs", "--describe", "--entity-type", "topics", "--entity-name", $0, "--all"]
            }
            #expect(settings[0].count > 20 && settings[0] == settings[1])
            let described = try both { ["topics", "--describe", "--topic", $0] }
            func withoutBrokers(_ lines: [String]) -> [String] {
                lines.map { $0.replacing(#/(Leader|Replicas|Isr): \d/#) { "\($0.output.1): N" } }
            }
            #expect(described[0].count == 4 && withoutBrokers(described[0]) == withoutBrokers(described[1]))
            #expect(!gateway.evidence.contains { $0.contains("\"operation.denied\"") && !$0.contains("PushTelemetry") })
        }
    }
}
