import Foundation
import Testing
import TidegateDemo

extension Integration {
    /// Peers that break the rules, and a gateway that outlives them. The embedded cluster is enough here.
    @Suite(.enabled(if: Surroundings.gateway != nil, "needs a built tidegate (TIDEGATE_BINARY)"))
    struct FaultTests {
        private func serving<Value>(_ body: (GatewayProcess, MockCluster) throws -> Value) throws -> Value {
            let cluster = try MockCluster()
            try cluster.create(topic: "clients-orders", partitions: 3)
            let gateway = try GatewayProcess(before: cluster.bootstrap)
            defer { gateway.stop() }
            return try body(gateway, cluster)
        }

        private func write(_ count: Int, _ gateway: GatewayProcess) throws {
            var orders = SampleOrders()
            let records = (0..<count).map { number in
                KafkaClient.Record(
                    partition: Int32(number % 3), offset: 0, key: [], value: Array(orders.next(number).json.utf8))
            }
            let token = try gateway.issuer.mint(subject: "eva", groups: ["engineers"])
            try KafkaClient.producer(
                bootstrap: gateway.bootstrapAddress, logIn: .plain(user: "token", password: token)
            ).produce(records, to: "clients-orders")
        }

        private func read(_ gateway: GatewayProcess, _ group: String) throws -> Int {
            let token = try gateway.issuer.mint(subject: "ada", groups: [group])
            return try KafkaClient.consumer(
                bootstrap: gateway.bootstrapAddress, group: "analytics-faults",
                logIn: .plain(user: "token", password: token)
            ).readAll("clients-orders", partitions: 3).count
        }

        static let bad: [(String, [UInt8])] = [
            ("garbage", Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)),
            ("a giant length", [0x7f, 0xff, 0xff, 0xff, 0, 18, 0, 3]),
            ("a negative length", [0xff, 0xff, 0xff, 0xff, 0, 18, 0, 3]),
            ("an unknown key", [0, 0, 0, 10, 0x7f, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff]),
            ("a request before log-in", [0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            ("half a frame", [0, 0, 0, 20, 0, 18, 0]),
            ("nothing at all", []),
        ]

        @Test(arguments: bad)
        func `who breaks the protocol or never logs in is closed, and others go on`(what: String, bytes: [UInt8]) throws
        {
            try serving { gateway, _ in
                let connection = try Connection(port: gateway.port, seconds: 8)
                connection.send(bytes)
                #expect(connection.receiveToEnd() != nil, "\(what) was not closed")
                try write(6, gateway)
                #expect(try read(gateway, "analysts") == 6)
                #expect(gateway.isRunning)
                #expect(
                    gateway.evidence.contains {
                        $0.contains("\"session.rejected\"") || $0.contains("\"session.ended\"")
                    })
            }
        }

        @Test func `a reload takes a right away, and a broken file changes nothing`() throws {
            try serving { gateway, _ in
                try write(6, gateway)
                #expect(try read(gateway, "analysts") == 6)
                try gateway.write(policies: "  - name: broken\n    effect: perhaps")
                gateway.signal(SIGHUP)
                try eventually("the broken file is refused") {
                    try gateway.metrics().contains("tidegate_config_last_reload_successful 0")
                }
                #expect(try read(gateway, "analysts") == 6)
                try gateway.write(
                    policies: GatewayProcess.policies
                        + "\n  - name: analysts no more\n    subjects: { groups: [analysts] }\n    effect: deny\n")
                gateway.signal(SIGHUP)
                try eventually("the new file is in force") {
                    try gateway.metrics().contains("tidegate_config_last_reload_successful 1")
                }
                let failure = #expect(throws: KafkaFailure.self) { try read(gateway, "analysts") }
                #expect(failure?.isReadDenied == true)
            }
        }

        @Test func `a changed file is noticed without a signal`() throws {
            try serving { gateway, _ in
                try gateway.write(
                    policies: GatewayProcess.policies
                        + "\n  - { name: nobody, subjects: { groups: [x] }, effect: deny }")
                try eventually("the change is in force", within: 12) {
                    gateway.evidence.contains { $0.contains("\"config.reloaded\"") }
                }
            }
        }

        @Test func `SIGTERM drains and ends with 0, and the evidence is intact`() throws {
            try serving { gateway, _ in
                try write(6, gateway)
                #expect(try read(gateway, "analysts") == 6)
                gateway.signal(SIGTERM)
                #expect(gateway.exitStatus(within: 30) == 0)
                let binary = try #require(Surroundings.gateway)
                let verdict = try Program.run(
                    binary, ["evidence", "verify", "--directory", gateway.folder + "/evidence"])
                #expect(verdict.status == 0, "\(verdict.output)")
            }
        }

        @Test(.enabled(if: Surroundings.kcat != nil, "kcat is not installed"))
        func `SIGTERM with an idle consumer and a long poll ends soon`() throws {
            try serving { gateway, _ in
                try write(6, gateway)
                let token = try gateway.issuer.mint(subject: "eva", groups: ["engineers"])
                let kcat = try RunningProgram(
                    try #require(Surroundings.kcat),
                    [
                        "-b", gateway.bootstrapAddress, "-X", "security.protocol=SASL_PLAINTEXT", "-X",
                        "sasl.mechanisms=PLAIN", "-X", "sasl.username=token", "-X", "sasl.password=\(token)", "-C",
                        "-t",
                        "clients-orders", "-o", "beginning", "-u", "-q",
                    ])
                defer { kcat.stop() }
                try eventually("the consumer has read all, and waits for more") { kcat.lines.count == 6 }
                let raw = try RawKafka(port: gateway.port + 1, token: token)
                raw.sendFetch(
                    epoch: -1, [RawKafka.Place(topic: "clients-orders", partition: 1)], wait: 30_000)
                gateway.signal(SIGTERM)
                #expect(gateway.exitStatus(within: 5) == 0)
                #expect(gateway.evidence.contains { $0.contains("\"reason\":\"draining\"") })
            }
        }

        @Test func `service resumes when a broker that was away is back`() throws {
            try serving { gateway, cluster in
                try write(6, gateway)
                for broker in Int32(1)...3 { try cluster.set(broker: broker, up: false) }
                let token = try gateway.issuer.mint(subject: "ada", groups: ["analysts"])
                #expect(throws: KafkaFailure.self) {
                    try KafkaClient.consumer(
                        bootstrap: gateway.bootstrapAddress, group: "analytics-faults",
                        logIn: .plain(user: "token", password: token)
                    ).readAll("clients-orders", partitions: 3, within: 2)
                }
                for broker in Int32(1)...3 { try cluster.set(broker: broker, up: true) }
                #expect(try read(gateway, "analysts") == 6)
            }
        }

        @Test func `expired and foreign tokens do not log in`() throws {
            try serving { gateway, _ in
                let expired = try gateway.issuer.mint(subject: "eva", groups: ["engineers"], lifetime: -3600)
                for token in [expired, "not-a-token", expired.uppercased()] {
                    let client = try KafkaClient.consumer(
                        bootstrap: gateway.bootstrapAddress, group: "g", logIn: .plain(user: "token", password: token))
                    let failure = #expect(throws: KafkaFailure.self) {
                        try client.readAll("clients-orders", partitions: 3)
                    }
                    #expect(failure?.isLogInRefused == true)
                    #expect(!gateway.log.contains(token))
                }
            }
        }
    }
}
