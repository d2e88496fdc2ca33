import Foundation
import Testing
import TidegateDemo

extension Integration {
    /// Changes of what the configuration names, under open sessions.
    @Suite(.enabled(if: Surroundings.hasClients, Comment(rawValue: Surroundings.lacking)))
    struct ReloadTests {
        private func write(_ key: String, _ cluster: MockCluster) throws {
            let record = KafkaClient.Record(partition: 0, offset: 0, key: Array(key.utf8), value: [])
            try KafkaClient.producer(bootstrap: cluster.bootstrap).produce([record], to: "clients-reload")
        }

        /// Puts `certificate` and `key` where the gateway looks, in one step: a symbolic link is exchanged.
        private func install(_ certificate: String, _ key: String, _ made: Certificates, _ gateway: GatewayProcess)
            throws
        {
            let folder = gateway.folder + "/tls-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try made.content(certificate + ".pem").write(
                toFile: folder + "/server.pem", atomically: false, encoding: .utf8)
            try made.content(key + ".key").write(toFile: folder + "/server.key", atomically: false, encoding: .utf8)
            for name in ["server.pem", "server.key"] {
                let draft = folder + "/" + name + ".link"
                try FileManager.default.createSymbolicLink(
                    atPath: draft, withDestinationPath: folder + "/" + name)
            }
            // The certificate last: a pair that does not fit for a moment is refused, and looked at again.
            for name in ["server.key", "server.pem"] {
                rename(folder + "/" + name + ".link", gateway.folder + "/" + name)
            }
        }

        @Test func `a certificate is exchanged under open sessions, one without its key is refused`() throws {
            let made = try Certificates.shared.get()
            try made.issue("renewed", names: Certificates.names)
            let cluster = try MockCluster()
            try cluster.create(topic: "clients-reload", partitions: 3)
            let gateway = try GatewayProcess(
                before: cluster.bootstrap,
                GatewaySetup(
                    route: TLSTests.route + " }",
                    files: ["server.pem": made.content("server.pem"), "server.key": made.content("server.key")]))
            defer { gateway.stop() }
            var way = PythonClient.Way.through(
                gateway, tokenFile: try gateway.tokenFile("eva", groups: ["engineers"]))
            way.authority = made.authority
            let reader = try PythonClient.confluent.start(
                "tail", way, topic: "clients-reload", group: "analytics-reload", count: 3)
            defer { reader.stop() }
            try write("a", cluster)
            try eventually("the reader has the first record") { reader.lines.count == 1 }
            let sessions = gateway.deliveringSessions
            #expect(try Handshake(port: gateway.port, authority: made.authority).name == "server")

            try install("renewed", "renewed", made, gateway)
            try eventually("a new handshake shows the new certificate", within: 12) {
                try Handshake(port: gateway.port, authority: made.authority).name == "renewed"
            }
            try write("b", cluster)
            try eventually("the old session lives") { reader.lines.count == 2 }

            try install("server", "renewed", made, gateway)
            try eventually("a certificate without its key is refused", within: 12) {
                try gateway.metrics().contains("tidegate_config_last_reload_successful 0")
            }
            #expect(try Handshake(port: gateway.port, authority: made.authority).name == "renewed")
            try write("c", cluster)
            try eventually("the old session still lives") { reader.lines.count == 3 }
            #expect(gateway.deliveringSessions == sessions && sessions.count == 1, "one session in all")
        }

        @Test func `a deny of everything cuts the session that it means, and the log says so`() throws {
            let cluster = try MockCluster()
            try cluster.create(topic: "clients-reload", partitions: 3)
            let gateway = try GatewayProcess(before: cluster.bootstrap)
            defer { gateway.stop() }
            let token = try gateway.issuer.mint(subject: "eva", groups: ["engineers"])
            let raw = try RawKafka(port: gateway.port, token: token)
            #expect(try raw.leaders(of: "clients-reload").count == 3)
            try gateway.reload {
                $0.policies += "\n  - { name: eva has left, subjects: { subjects: [eva] }, effect: deny }"
            }
            let reason = "\"reason\":\"no longer allowed\""
            try eventually("the session is cut") {
                gateway.evidence.contains { $0.contains("\"session.ended\"") && $0.contains(reason) }
            }
            #expect(gateway.log.split(separator: "\n").contains { $0.contains("session ended") && $0.contains(reason) })
            #expect(!gateway.log.contains(token))
        }

        @Test func `a route is added and taken away without a signal`() throws {
            let cluster = try MockCluster()
            try cluster.create(topic: "clients-reload", partitions: 3)
            let gateway = try GatewayProcess(before: cluster.bootstrap, GatewaySetup(files: ["password": "secret"]))
            defer { gateway.stop() }
            let port = gateway.port + 4
            let token = try gateway.issuer.mint(subject: "eva", groups: ["engineers"])
            #expect(throws: ProcessFailure.self) { try Connection(port: port) }
            try gateway.change {
                $0.routes =
                    "  - { name: more, listen: \"127.0.0.1:\(port)\", backend: real, advertise: "
                    + "{ host: 127.0.0.1, ports: \(port + 1)-\(port + 3), firstBroker: 1 } }"
            }
            try eventually("the new route listens", within: 10) { (try? Connection(port: port)) != nil }
            let raw = try RawKafka(port: port, token: token)
            #expect(try raw.leaders(of: "clients-reload").count == 3)
            try gateway.change { $0.routes = "" }
            try eventually("the route is gone", within: 10) { (try? Connection(port: port)) == nil }
            #expect(try raw.receive() == nil, "nothing passes on a route that is gone")
            try eventually("its end is written") {
                gateway.evidence.contains { $0.contains("\"session.ended\"") && $0.contains("\"no longer allowed\"") }
            }
            let old = try RawKafka(port: gateway.port, token: token)
            #expect(try old.leaders(of: "clients-reload").count == 3)
            try gateway.change {
                $0.kafka = ", sasl: { mechanism: PLAIN, username: gateway, passwordFile: password }"
            }
            #expect(try old.receive() == nil, "what is connected by other settings ends")
            try eventually("its end is written") {
                gateway.evidence.contains { $0.contains("\"session.ended\"") && $0.contains("\"draining\"") }
            }
        }
    }
}
