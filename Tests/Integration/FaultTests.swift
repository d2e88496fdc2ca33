import Foundation
import Testing
import TidegateDemo

extension Integration {
    /// Peers that break the rules, and a gateway that outlives them. The embedded cluster is enough here.
    @Suite(.enabled(if: Surroundings.gateway != nil, "needs a built tidegate (TIDEGATE_BINARY)"))
    struct FaultTests {
        private func serving<Value>(
            _ setup: GatewaySetup = GatewaySetup(), _ body: (GatewayProcess, MockCluster) throws -> Value
        ) throws -> Value {
            let cluster = try MockCluster()
            try cluster.create(topic: "clients-orders", partitions: 3)
            let gateway = try GatewayProcess(before: cluster.bootstrap, setup)
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

        /// What is sent, what the log says of it, and what the evidence says.
        struct Bad: CustomTestStringConvertible {
            var name: String
            var bytes: [UInt8]
            var log: String?
            var evidence: String
            var testDescription: String { name }
        }

        private static let late = "not-authenticated-in-time"
        private static let unknown = "a request before authentication"
        static let bad = [
            Bad(
                name: "garbage", bytes: Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8),
                log: "a request longer than the limit", evidence: "client-violation"),
            Bad(
                name: "a giant length", bytes: [0x7f, 0xff, 0xff, 0xff, 0, 18, 0, 3],
                log: "a request longer than the limit", evidence: "client-violation"),
            Bad(
                name: "a negative length", bytes: [0xff, 0xff, 0xff, 0xff, 0, 18, 0, 3],
                log: "a request longer than the limit", evidence: "client-violation"),
            Bad(
                name: "an unknown key", bytes: [0, 0, 0, 10, 0x7f, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff], log: unknown,
                evidence: unknown),
            Bad(
                name: "a request before log-in",
                bytes: [0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], log: unknown,
                evidence: unknown),
            Bad(name: "half a frame", bytes: [0, 0, 0, 20, 0, 18, 0], evidence: late),
            Bad(name: "nothing at all", bytes: [], evidence: late),
        ]

        @Test func `who breaks the protocol or never logs in is closed for what was wrong, and others go on`() throws {
            try serving { gateway, _ in
                for (index, bad) in FaultTests.bad.enumerated() {
                    let connection = try Connection(port: gateway.port, seconds: 8)
                    connection.send(bad.bytes)
                    #expect(connection.receiveToEnd() == [], "\(bad) was not closed")
                    try eventually("\(bad) is in the evidence") { gateway.rejections.count > index }
                    let rejections = gateway.rejections
                    #expect(rejections.count == index + 1, "\(bad)")
                    #expect(rejections[index].contains("\"reason\":\"\(bad.evidence)"), "\(bad): \(rejections[index])")
                    if let reason = bad.log {
                        let line = gateway.log.split(separator: "\n").last { $0.contains("violated its protocol") }
                        #expect(line?.contains("\"reason\":\"\(reason) (from the client") == true, "\(bad)")
                    }
                }
                #expect(!gateway.evidence.contains { $0.contains("\"session.started\"") })
                try write(6, gateway)
                #expect(try read(gateway, "analysts") == 6)
                #expect(gateway.isRunning)
            }
        }

        @Test func `thousands of bad connections leave no memory behind`() throws {
            try serving { gateway, _ in
                func spoil(_ count: Int) throws {
                    for number in 0..<count {
                        let bad = FaultTests.bad[number % 5]
                        let connection = try Connection(port: gateway.port, seconds: 8)
                        connection.send(bad.bytes)
                        try #require(connection.receiveToEnd() == [], "\(bad)")
                    }
                }
                try spoil(500)
                let before = try gateway.residentBytes()
                try spoil(5000)
                let after = try gateway.residentBytes()
                #expect(after < before + 8 << 20, "\(before) bytes before, \(after) after")
                #expect(gateway.isRunning)
            }
        }

        private static func proxied(from source: [UInt8], port: UInt16) -> [UInt8] {
            // PROXY v2, TCP over IPv4: source and destination address, then their ports.
            Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [0x21, 0x11, 0, 12] + source + [127, 0, 0, 1]
                + [UInt8(port >> 8), UInt8(port & 0xff), 0, 80]
        }

        @Test func `a balancer's PROXY header says who the client is, and one of anybody else closes`() throws {
            let header = FaultTests.proxied(from: [203, 0, 113, 7], port: 4711)
            try serving(GatewaySetup(route: #", proxyProtocol: ["127.0.0.1/32"]"#)) { gateway, _ in
                let token = try gateway.issuer.mint(subject: "eva", groups: ["engineers"])
                let raw = try RawKafka(port: gateway.port, token: token, preface: header)
                #expect(try raw.leaders(of: "clients-orders").count == 3)
                #expect(gateway.evidence.contains { $0.contains("\"client_address\":\"203.0.113.7:4711\"") })
            }
            try serving(GatewaySetup(route: #", proxyProtocol: ["10.0.0.0/8"]"#)) { gateway, _ in
                let connection = try Connection(port: gateway.port)
                connection.send(header)
                #expect(connection.receiveToEnd() == [])
                #expect(!gateway.evidence.contains { $0.contains("203.0.113.7") })
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
