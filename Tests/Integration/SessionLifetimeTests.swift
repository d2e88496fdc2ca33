import Foundation
import Testing
import TidegateDemo

extension Integration {
    /// Sessions that outlive their first token, or do not (KIP-368). The embedded cluster is enough here.
    @Suite(.enabled(if: Surroundings.hasClients, Comment(rawValue: Surroundings.lacking)))
    struct SessionLifetimeTests {
        static let topic = "clients-lifetime"
        /// Seconds.
        static let lifetime = 6, reading = 15

        /// Reads longer than a token lives, while `fresh` tokens replace it or not.
        ///
        /// - Returns: what the client said, the evidence, and how many sessions were handed records.
        private func read(fresh: Bool) throws -> (said: [String], evidence: [String], sessions: Int) {
            let cluster = try MockCluster()
            try cluster.create(topic: SessionLifetimeTests.topic, partitions: 1)
            let gateway = try GatewayProcess(before: cluster.bootstrap, GatewaySetup(issuer: ", leeway: 1s"))
            defer { gateway.stop() }
            let lifetime = SessionLifetimeTests.lifetime
            let file = try gateway.tokenFile("eva", groups: ["engineers"], lifetime: Int64(lifetime))
            let way = PythonClient.Way.through(gateway, mechanism: "OAUTHBEARER", tokenFile: file)
            let reader = try PythonClient.confluent.start(
                "refresh", way, topic: SessionLifetimeTests.topic, count: SessionLifetimeTests.reading,
                more: ["--token-lifetime", "\(fresh ? lifetime : 3000)"])
            defer { reader.stop() }
            var number = 0
            var hasBegun = false
            // The client's end is the condition; records and tokens come until then.
            try eventually("the client has read long enough", within: Double(SessionLifetimeTests.reading) + 20) {
                if number % 5 == 0 {
                    let record = KafkaClient.Record(partition: 0, offset: 0, key: [1], value: [2])
                    try KafkaClient.producer(bootstrap: cluster.bootstrap)
                        .produce([record], to: SessionLifetimeTests.topic)
                    // Until the client has logged in, its token is a fresh one: who knows when it has started.
                    hasBegun = hasBegun || gateway.evidence.contains { $0.contains("\"session.started\"") }
                    if fresh || !hasBegun {
                        try gateway.issuer.mint(subject: "eva", groups: ["engineers"], lifetime: Int64(lifetime))
                            .write(toFile: file, atomically: true, encoding: .utf8)
                    }
                }
                number += 1
                return !reader.process.isRunning
            }
            #expect(reader.process.exitStatus == 0, "\(reader.errors)")
            return (reader.lines, gateway.evidence, gateway.deliveringSessions.count)
        }

        private static let expired = "\"reason\":\"token or credential expired\""

        @Test func `a client with fresh tokens reads on in one session`() throws {
            let (said, evidence, sessions) = try read(fresh: true)
            #expect(said == [#"{"log_ins": 0, "what": "refused"}"#])
            #expect(sessions == 1)
            #expect(!evidence.contains { $0.contains(SessionLifetimeTests.expired) })
        }

        @Test func `without a fresh token the session ends with it, and no other begins`() throws {
            let (said, evidence, sessions) = try read(fresh: false)
            #expect(said != [#"{"log_ins": 0, "what": "refused"}"#])
            #expect(sessions == 1)
            #expect(
                evidence.contains { $0.contains("\"session.ended\"") && $0.contains(SessionLifetimeTests.expired) },
                "\(evidence.filter { $0.contains("\"session.") })")
        }
    }
}
