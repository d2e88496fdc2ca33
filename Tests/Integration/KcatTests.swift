import Foundation
import Testing
import TidegateDemo

extension Integration {
    /// kcat through the gateway does what it does without it. (It knows no transactions.)
    @Suite(
        .enabled(if: Surroundings.hasCluster, Comment(rawValue: Surroundings.lacking)),
        .enabled(if: Surroundings.kcat != nil, "kcat is not installed"))
    struct KcatTests {
        let servers: KafkaServers
        static let lines = "a:one\nb:two\nc:three\n"

        init() throws { servers = try KafkaServers.shared.get() }

        @Test func `writes, reads and consumes with a group`() throws {
            let gateway = try GatewayProcess(before: servers)
            defer { gateway.stop() }
            let ways = [Kcat.direct(servers), try Kcat.through(gateway, "eva", groups: ["engineers"])]
            let results = try ways.map { kcat in
                let topic = servers.fresh("kcat")
                try servers.create([topic])
                try kcat.write(KcatTests.lines, to: topic)
                let group = "analytics-\(topic)"
                let first = try kcat.consume(topic, group: group)
                try kcat.write("d:four\n", to: topic, partition: 2)
                return [try kcat.read(topic), first, try kcat.consume(topic, group: group)]
            }
            #expect(results[0] == results[1])
            #expect(results[1].map(\.count) == [4, 3, 1], "the second time only what is new")
        }

        @Test func `what one way wrote the other reads alike`() throws {
            let gateway = try GatewayProcess(before: servers)
            defer { gateway.stop() }
            let topic = servers.fresh("kcat")
            try servers.create([topic])
            let through = try Kcat.through(gateway, "eva", groups: ["engineers"])
            try through.write(KcatTests.lines, to: topic)
            try Kcat.direct(servers).write(KcatTests.lines, to: topic, partition: 0)
            #expect(try through.read(topic) == Kcat.direct(servers).read(topic))
            #expect(try through.read(topic).count == 6)
        }

        @Test func `members of a group share its partitions, and take over from one that leaves`() throws {
            let gateway = try GatewayProcess(before: servers)
            defer { gateway.stop() }
            for kcat in [Kcat.direct(servers), try Kcat.through(gateway, "eva", groups: ["engineers"])] {
                let topic = servers.fresh("kcat-members")
                try servers.create([topic])
                var members = [try kcat.join("analytics-\(topic)", topic: topic)]
                defer { for member in members { member.stop() } }
                func wait(_ shares: [Int]) throws {
                    try eventually("shares \(shares)", within: 30) {
                        members.map(Kcat.partitions).sorted() == shares
                    }
                }
                try wait([3])
                members.append(try kcat.join("analytics-\(topic)", topic: topic))
                try wait([1, 2])
                // It leaves the group as it ends, so nobody waits for its session to time out.
                let leaving = members.removeLast()
                kill(leaving.process.identifier, SIGTERM)
                #expect(leaving.process.wait(seconds: 10) != nil)
                leaving.stop()
                try wait([3])
            }
        }
    }
}
