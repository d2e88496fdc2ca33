import Foundation
import Testing
import TidegateDemo

extension Integration {
    /// What is allowed and what is denied in one request, and rights that change under an open session.
    @Suite(.enabled(if: Surroundings.hasCluster, Comment(rawValue: Surroundings.lacking)))
    struct DenialTests {
        let servers: KafkaServers
        /// Two topics, each with a partition on the same broker.
        let open, closed: RawKafka.Place
        let leader: Int32

        init() throws {
            servers = try KafkaServers.shared.get()
            (open, closed, leader) = try DenialTests.places.get()
        }

        /// Made once: tests of this suite begin where the one before ended.
        private static let places = Result {
            let servers = try KafkaServers.shared.get()
            let topics = [servers.fresh("open"), servers.fresh("closed")]
            try servers.create(topics)
            let gateway = try GatewayProcess(before: servers)
            defer { gateway.stop() }
            let token = try gateway.issuer.mint(subject: "eva", groups: ["engineers"])
            let raw = try RawKafka(port: gateway.port, token: token)
            let (leader, other) = try DenialTests.shared(topics, raw)
            for (topic, partition) in [(topics[0], 0), (topics[1], 0), (topics[1], other)] {
                try servers.write(3, to: topic, partition: partition)
            }
            return (
                RawKafka.Place(topic: topics[0], partition: 0), RawKafka.Place(topic: topics[1], partition: other),
                leader
            )
        }

        /// The leader of the first topic's partition 0, and the partition of the second that it leads too.
        private static func shared(_ topics: [String], _ raw: RawKafka) throws -> (leader: Int32, other: Int32) {
            var found: (Int32, Int32)?
            try eventually("both topics have leaders") {
                let leaders = try topics.map { try raw.leaders(of: $0, version: 4) }
                guard let leader = leaders[0][0], let other = leaders[1].first(where: { $0.value == leader })?.key
                else { return false }
                found = (leader, other)
                return true
            }
            return try #require(found)
        }

        /// Readers may use `topics`, see those of `seen`, and lose those of `denied`.
        private func policy(_ topics: [String], seen: [String] = [], denied: [String] = []) -> String {
            func list(_ names: [String]) -> String { names.map { "\"\($0)\"" }.joined(separator: ", ") }
            var rules = [
                "name: some, \(subjects), actions: [describe, consume, produce, commit], "
                    + "resources: { topics: [\(list(topics))], groups: [\"analytics-*\"] }, effect: allow"
            ]
            if !seen.isEmpty {
                rules.append(
                    "name: seen, \(subjects), actions: [describe], resources: { topics: [\(list(seen))] }, effect: allow"
                )
            }
            if !denied.isEmpty {
                rules.append("name: taken away, \(subjects), resources: { topics: [\(list(denied))] }, effect: deny")
            }
            return rules.map { "  - { \($0) }\n" }.joined()
        }
        private var subjects: String { "subjects: { groups: [readers] }" }

        private func connect(_ gateway: GatewayProcess, seconds: Int = 10) throws -> RawKafka {
            try RawKafka(
                port: gateway.port + UInt16(leader), token: gateway.issuer.mint(subject: "rita", groups: ["readers"]),
                seconds: seconds)
        }

        @Test func `a denied topic beside an allowed one is refused alone, and so is a transaction`() throws {
            let gateway = try GatewayProcess(
                before: servers, GatewaySetup(policies: policy([open.topic], seen: [closed.topic])))
            defer { gateway.stop() }
            let tokenFile = try gateway.tokenFile("rita", groups: ["readers"])
            let token = try String(contentsOfFile: tokenFile, encoding: .utf8)
            let way = PythonClient.Way.through(gateway, tokenFile: tokenFile)
            let lines = try PythonClient.confluent.run(
                "mixed", way, topic: "\(open.topic),\(closed.topic)", count: 3)
            #expect(
                lines == [
                    #"{"offset": 0, "topic": 0, "what": "read"}"#, #"{"offset": 1, "topic": 0, "what": "read"}"#,
                    #"{"offset": 2, "topic": 0, "what": "read"}"#,
                    #"{"name": "TOPIC_AUTHORIZATION_FAILED", "topic": 1, "what": "refused"}"#,
                    #"{"name": "stored", "topic": 0, "what": "written"}"#,
                    #"{"name": "TOPIC_AUTHORIZATION_FAILED", "topic": 1, "what": "written"}"#,
                    #"{"code": 53, "name": "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "what": "error"}"#,
                ])
            let denied = gateway.evidence.filter { $0.contains("\"operation.denied\"") }
            for what in ["topic:\(closed.topic)\"", "transaction:not-mine\""] {
                #expect(denied.contains { $0.contains(what) }, "\(what)")
            }
            #expect(!gateway.evidence.contains { $0.contains("records.delivered") && $0.contains(closed.topic) })
            let told = gateway.log.split(separator: "\n").filter { $0.contains("\"type\":\"operation.denied\"") }
            #expect(
                told.contains {
                    $0.contains("\"subject\":\"rita\"") && $0.contains("\"operation\":\"Fetch\"")
                        && $0.contains("\"resource\":\"topic:\(closed.topic)\"") && $0.contains("no rule allows it")
                })
            #expect(!gateway.log.contains(token))
        }

        @Test func `a fetch session is of its connection, and what is allowed later is served in it`() throws {
            let gateway = try GatewayProcess(before: servers, GatewaySetup(policies: policy([open.topic])))
            defer { gateway.stop() }
            let first = try connect(gateway)
            let begun = try first.fetch(epoch: 0, [open, closed])
            #expect(begun.error == 0 && begun.session != 0)
            #expect(begun.partitions[open]?.error == 0)
            #expect((begun.partitions[open]?.bytes ?? 0) > 0)
            #expect(begun.partitions[closed]?.error == 29)
            #expect(begun.partitions[closed]?.bytes == 0)

            let second = try connect(gateway)
            let foreign = try second.fetch(session: begun.session, epoch: 1, [])
            #expect(foreign.error == 70, "FETCH_SESSION_ID_NOT_FOUND")
            #expect(foreign.partitions.isEmpty)

            try gateway.reload { $0.policies = policy([open.topic, closed.topic]) }
            var bytes = 0
            var epoch: Int32 = 1
            try eventually("the session serves what was denied") {
                let next = try first.fetch(session: begun.session, epoch: epoch, [])
                try #require(next.error == 0)
                epoch += 1
                bytes += next.partitions[closed]?.bytes ?? 0
                return bytes > 0
            }
        }

        @Test func `a right taken away during a long poll withholds the record, and the session goes on`() throws {
            let gateway = try GatewayProcess(
                before: servers, GatewaySetup(policies: policy([open.topic, closed.topic])))
            defer { gateway.stop() }
            let topics = [servers.fresh("revoked"), servers.fresh("kept")]
            try servers.create(topics)
            try gateway.reload { $0.policies = policy(topics) }
            let token = try gateway.issuer.mint(subject: "rita", groups: ["readers"])
            let raw = try RawKafka(port: gateway.port, token: token)
            let (leader, other) = try DenialTests.shared(topics, raw)
            let revoked = RawKafka.Place(topic: topics[0], partition: 0)
            let kept = RawKafka.Place(topic: topics[1], partition: other)

            // One that reads both, and one that reads what is taken away only.
            let both = try RawKafka(port: gateway.port + UInt16(leader), token: token, seconds: 40)
            let one = try RawKafka(port: gateway.port + UInt16(leader), token: token, seconds: 40)
            let begun = try both.fetch(epoch: 0, [revoked, kept], wait: 100)
            let alone = try one.fetch(epoch: 0, [revoked], wait: 100)
            #expect(begun.partitions[revoked]?.error ?? 0 == 0 && alone.partitions[revoked]?.error ?? 0 == 0)
            both.sendFetch(session: begun.session, epoch: 1, [], wait: 30_000)
            one.sendFetch(session: alone.session, epoch: 1, [], wait: 30_000)

            try gateway.reload { $0.policies = policy(topics, denied: [topics[0]]) }
            try servers.write(1, to: revoked.topic)
            for (reader, name) in [(one, "alone"), (both, "beside another")] {
                // Nil is a closed connection, which is right too.
                let answer = try reader.receiveFetch()
                #expect(answer?.partitions[revoked]?.bytes ?? 0 == 0, "\(name)")
                if let seen = answer?.partitions[revoked] { #expect(seen.error == 29, "\(name)") }
                if name == "beside another" { try #require(answer != nil, "the session goes on") }
            }
            try servers.write(1, to: kept.topic, partition: kept.partition)
            var bytes = 0
            var epoch: Int32 = 2
            try eventually("the allowed topic is served in the same session") {
                let next = try both.fetch(session: begun.session, epoch: epoch, [])
                try #require(next.error == 0)
                epoch += 1
                bytes += next.partitions[kept]?.bytes ?? 0
                #expect(next.partitions[revoked]?.bytes ?? 0 == 0)
                return bytes > 0
            }
            #expect(!gateway.evidence.contains { $0.contains("records.delivered") && $0.contains(revoked.topic) })
        }
    }
}
