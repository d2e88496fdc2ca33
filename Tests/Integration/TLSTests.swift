import Foundation
import Testing
import TidegateDemo

extension Integration {
    /// TLS towards clients, on the embedded cluster.
    @Suite(.enabled(if: Surroundings.hasClients, Comment(rawValue: Surroundings.lacking)))
    struct TLSTests {
        let certificates: Certificates
        let cluster: MockCluster
        static let topic = "clients-tls"
        static let route = ", tls: { certificate: server.pem, key: server.key"

        init() throws {
            certificates = try Certificates.shared.get()
            cluster = try MockCluster()
            try cluster.create(topic: TLSTests.topic, partitions: 3)
        }

        private func serving(_ setup: GatewaySetup, _ body: (GatewayProcess, PythonClient.Way) throws -> Void) throws {
            var setup = setup
            for name in ["server.pem", "server.key", "ca.pem"] { setup.files[name] = try certificates.content(name) }
            let gateway = try GatewayProcess(before: cluster.bootstrap, setup)
            defer { gateway.stop() }
            var way = PythonClient.Way.through(
                gateway, mechanism: "OAUTHBEARER", tokenFile: try gateway.tokenFile("eva", groups: ["engineers"]))
            way.authority = certificates.authority
            try body(gateway, way)
        }

        /// Writes with each client, and reads with each what all have written.
        private func exercise(_ clients: [PythonClient], _ way: PythonClient.Way) throws {
            for client in clients {
                let lines = try client.run("produce", way, topic: TLSTests.topic, count: 6)
                #expect(lines.first?.contains("\"produced\"") == true, "\(client): \(lines)")
            }
            let count = 6 * clients.count
            for client in clients {
                let lines = try client.run("consume", way, topic: TLSTests.topic, count: count)
                #expect(lines.count { $0.contains("\"record\"") } == count, "\(client): \(lines.last ?? "")")
            }
        }

        @Test func `clients reach it over TLS, and check its name`() throws {
            try serving(GatewaySetup(route: TLSTests.route + " }")) { gateway, way in
                try exercise(PythonClient.allCases, way)
                #expect(!gateway.log.contains("TLS failed"))
            }
        }

        @Test func `brokers behind one port are told apart by their server names`() throws {
            let setup = GatewaySetup(advertise: "sni: \"broker-{id}.localhost\"", route: TLSTests.route + " }")
            try serving(setup) { gateway, way in
                var way = way
                way.bootstrap = "localhost:\(gateway.port)"
                try exercise([.kafkaPython, .aiokafka], way)
            }
        }

        @Test func `where a client certificate is required, one without it gets nowhere`() throws {
            try serving(GatewaySetup(route: TLSTests.route + ", clientCA: ca.pem }")) { gateway, way in
                let lines = try PythonClient.confluent.run(
                    "produce", way, topic: TLSTests.topic, count: 3,
                    more: ["--certificate", certificates.folder + "/client.pem"])
                #expect(lines.first?.contains("\"produced\"") == true)
                let before = gateway.evidence.count { $0.contains("\"session.started\"") }
                let handshake = try Handshake(port: gateway.port, authority: certificates.authority)
                #expect(handshake.isRefused, "\(handshake.said)")
                #expect(gateway.log.contains("TLS failed"))
                #expect(gateway.evidence.count { $0.contains("\"session.started\"") } == before)
            }
        }
    }
}

/// What openssl's client sees of a listener.
struct Handshake {
    let said: String
    let isRefused: Bool
    /// The common name of the certificate that was shown.
    var name: String? { said.firstMatch(of: #/subject=.*CN ?= ?([a-z0-9]+)/#).map { String($0.1) } }

    init(port: UInt16, authority: String) throws {
        // It says something and stays for the answer: an alert about the client's certificate comes after the handshake.
        let done = try Program.run(
            "/bin/sh",
            [
                "-c", "(printf 'xxxxxxxx'; sleep 1) | openssl s_client -connect 127.0.0.1:$0 -CAfile $1 2>&1",
                "\(port)",
                authority,
            ])
        said = done.output
        isRefused = said.contains("alert")
    }
}
