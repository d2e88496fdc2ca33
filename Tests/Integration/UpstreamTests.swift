import Foundation
import Testing
import TidegateDemo

extension Integration {
    /// The gateway's own way to the brokers: its log-in, and TLS.
    @Suite(.enabled(if: Surroundings.hasCluster, Comment(rawValue: Surroundings.lacking)))
    struct UpstreamTests {
        /// One broker over TLS that asks for a log-in; its certificate names localhost and 127.0.0.1.
        static let secured = Result { try KafkaServers(brokers: 1, options: ["--sasl", "--tls", "--heap", "256"]) }
        static let topic = "clients-upstream"
        static let created = Result {
            let servers = try secured.get()
            return try servers.tool([
                "topics", "--bootstrap-server", servers.bootstrap, "--command-config", servers.toolSettings, "--create",
                "--topic", topic, "--partitions", "1",
            ])
        }

        private func setup(
            _ mechanism: String, password: String = KafkaServers.password, authority: String? = nil, name: String? = nil
        ) throws -> GatewaySetup {
            let authority = try authority ?? UpstreamTests.secured.get().folder + "/tls/ca.pem"
            let name = name.map { ", serverName: \($0)" } ?? ""
            return GatewaySetup(
                kafka: ", sasl: { mechanism: \(mechanism), username: admin, passwordFile: password }"
                    + ", tls: { ca: \"\(authority)\"\(name) }",
                files: ["password": password])
        }

        @Test(arguments: [
            ("PLAIN", nil), ("SCRAM-SHA-256", "localhost"), ("SCRAM-SHA-512", nil),
        ])
        func `it logs in with every mechanism over TLS, and checks the brokers' name`(mechanism: String, name: String?)
            throws
        {
            let servers = try UpstreamTests.secured.get()
            try #require(UpstreamTests.created.get().status == 0)
            let gateway = try GatewayProcess(before: servers.bootstrap, setup(mechanism, name: name))
            defer { gateway.stop() }
            let token = try gateway.issuer.mint(subject: "eva", groups: ["engineers"])
            let logIn = KafkaClient.LogIn.plain(user: "token", password: token)
            let record = KafkaClient.Record(partition: 0, offset: 0, key: [1], value: Array(mechanism.utf8))
            try KafkaClient.producer(bootstrap: gateway.bootstrapAddress, logIn: logIn)
                .produce([record], to: UpstreamTests.topic)
            let read = try KafkaClient.consumer(
                bootstrap: gateway.bootstrapAddress, group: "analytics-upstream", logIn: logIn
            ).readAll(UpstreamTests.topic, partitions: 1)
            #expect(read.last?.value == Array(mechanism.utf8))
            #expect(!gateway.log.contains(KafkaServers.password))
        }

        enum Wrong: String, CaseIterable {
            case password, scramPassword, authority, name
        }

        @Test(arguments: Wrong.allCases)
        func `what is wrong towards the brokers closes the client and is said in the log`(wrong: Wrong) throws {
            let servers = try UpstreamTests.secured.get()
            let setup =
                switch wrong {
                case .password: try setup("PLAIN", password: "wrong-secret")
                case .scramPassword: try setup("SCRAM-SHA-256", password: "wrong-secret")
                case .authority: try setup("PLAIN", authority: Certificates.shared.get().authority)
                case .name: try setup("PLAIN", name: "another.example")
                }
            let gateway = try GatewayProcess(before: servers.bootstrap, setup)
            defer { gateway.stop() }
            let token = try gateway.issuer.mint(subject: "eva", groups: ["engineers"])
            // The log-in of the client is the gateway's to grant; what needs a broker ends the session.
            let isServed = (try? RawKafka(port: gateway.port, token: token))
                .map { (try? $0.leaders(of: UpstreamTests.topic)) != nil }
            #expect(isServed != true)
            let (said, written) =
                switch wrong {
                case .password, .scramPassword:
                    ("the broker refused the gateway's log-in", "backend-refused-login")
                case .authority, .name: ("\"reason\":\"the TLS handshake failed\"", "backend-unreachable")
                }
            try eventually("log and evidence say it") {
                gateway.log.contains(said) && gateway.evidence.contains { $0.contains("\"reason\":\"\(written)\"") }
            }
            #expect(!gateway.log.contains("wrong-secret"))
            // It is the gateway that is ready, not the brokers.
            #expect(try Connection.get("/readyz", port: gateway.port + 8)?.hasPrefix("HTTP/1.1 200") == true)
        }
    }
}
