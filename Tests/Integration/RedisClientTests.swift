import Foundation
import Testing

/// A client script in `Clients`, and its options.
struct RedisClient: CustomTestStringConvertible, Sendable {
    var script: String
    var options: [String] = []
    /// Fewer lines than this are no whole scenario.
    var least: Int
    var testDescription: String { ([script] + options).joined(separator: " ") }

    static let all: [RedisClient] = {
        var clients = [RedisClient(script: "redis_coredis_client", least: 70)]
        for version in ["2", "3"] {
            for parser in ["own", "hiredis"] {
                for kind in [[], ["--asyncio"]] {
                    clients.append(
                        RedisClient(
                            script: "redis_py_client", options: ["--protocol", version, "--parser", parser] + kind,
                            least: 140))
                }
            }
            for script in ["redis_cli_client", "redis_hiredis_client"] {
                clients.append(RedisClient(script: script, options: ["--protocol", version], least: 80))
            }
        }
        return clients
    }()

    /// - Returns: the lines that the script printed.
    func run(port: UInt16, user: String, tokenFile: String, authority: String? = nil) throws -> [String] {
        let more = authority.map { ["--ca", $0] } ?? []
        let done = try RedisScript.run(
            script, ["--port", "\(port)", "--user", user, "--token-file", tokenFile] + options + more, seconds: 60)
        guard done.status == 0 else {
            throw ProcessFailure(
                description: "\(testDescription) ended with \(done.status): \(done.errors.suffix(1500))")
        }
        guard done.lines.count >= least else {
            throw ProcessFailure(description: "\(testDescription) said little: \(done.output.suffix(800))")
        }
        return done.lines
    }
}

/// A script in `Clients`, run with the Python of the tests.
enum RedisScript {
    static func run(_ script: String, _ arguments: [String], seconds: Int) throws -> Finished {
        guard let python = Surroundings.python else { throw ProcessFailure(description: Surroundings.lackingRedis) }
        return try Program.run(
            python,
            [
                "-B", "-W", "ignore", Surroundings.root + "/Tests/Integration/Clients/\(script).py", "--seconds",
                "\(seconds)",
            ]
                + arguments, seconds: TimeInterval(seconds + 10))
    }
}

extension Integration {
    /// The same client of Redis, run directly and through the gateway: what it is told is the same.
    @Suite(.enabled(if: Surroundings.hasRedis, Comment(rawValue: Surroundings.lackingRedis)))
    struct RedisClientTests {
        private func compare(_ client: RedisClient, _ server: RedisServer, _ gateway: GatewayProcess) throws {
            let admin = try server.connect()
            #expect(try admin.ask("FLUSHALL") == .ok)
            let direct = try client.run(port: server.port, user: "default", tokenFile: server.passwordFile())
            #expect(try admin.ask("FLUSHALL") == .ok)
            let through = try client.run(
                port: gateway.redisPort, user: "any", tokenFile: gateway.tokenFile("eva", groups: ["engineers"]))
            let unlike = zip(direct, through).first { $0 != $1 }
            #expect(
                direct == through, "\(client.testDescription): \(unlike.map { "\($0)\n\($1)" } ?? "one ended early")")
        }

        @Test(arguments: RedisClient.all)
        func `a client is told the same with and without it`(client: RedisClient) throws {
            let server = try RedisServer()
            defer { server.stop() }
            let gateway = try GatewayProcess(before: server)
            defer { gateway.stop() }
            try compare(client, server, gateway)
        }

        @Test(
            .enabled(
                if: RedisBinary.there.count > 1,
                "needs Redis 7.4 in .build-redis: scripts/redis-servers fetches it"),
            arguments: RedisBinary.there.filter { $0 != .debian })
        func `newer servers answer the same with and without it, too`(binary: RedisBinary) throws {
            let server = try RedisServer(binary)
            defer { server.stop() }
            let gateway = try GatewayProcess(before: server)
            defer { gateway.stop() }
            for client in RedisClient.all where client.script != "redis_cli_client" {
                try compare(client, server, gateway)
            }
        }

        @Test func `clients reach it over TLS, and it reaches a server that demands its certificate`() throws {
            let certificates = try Certificates.shared.get()
            let server = try RedisServer(tls: certificates, demandsCertificates: true)
            defer { server.stop() }
            var setup = GatewaySetup.redis(
                server.settings + ", tls: { ca: ca.pem, certificate: client.pem, key: client.key }")
            setup.redisRoute = { _ in ", tls: { certificate: server.pem, key: server.key }" }
            for name in ["ca.pem", "server.pem", "server.key", "client.pem", "client.key"] {
                setup.files[name] = try certificates.content(name)
            }
            let gateway = try GatewayProcess(before: "", setup)
            defer { gateway.stop() }
            // Every client begins with empty databases.
            for client in RedisClient.all where ["2", nil].contains(client.options.dropFirst().first) {
                let empty = try Program.run(
                    try #require(Surroundings.redisCLI),
                    [
                        "-p", "\(server.port)", "--tls", "--cacert", certificates.authority, "--cert",
                        certificates.folder + "/client.pem", "--key", certificates.folder + "/client.key", "FLUSHALL",
                    ], environment: ["REDISCLI_AUTH": RedisServer.ownPassword])
                try #require(empty.output == "OK\n", "\(empty)")
                let lines = try client.run(
                    port: gateway.redisPort, user: "any", tokenFile: gateway.tokenFile("eva", groups: ["engineers"]),
                    authority: certificates.authority)
                #expect(lines.contains { $0.contains("1-0") }, "\(client.testDescription)")
            }
            #expect(!gateway.log.contains(RedisServer.password))
        }

        @Test func `what is wrong towards the server is an error to the client, and said in the log`() throws {
            let certificates = try Certificates.shared.get()
            let server = try RedisServer()
            defer { server.stop() }
            let secured = try RedisServer(tls: certificates)
            defer { secured.stop() }
            var wrongPassword = GatewaySetup.redis(server.settings)
            wrongPassword.files["redis-password"] = "wrong-secret"
            // Another authority than the one that made the server's certificate.
            let others = try Certificates()
            var wrongAuthority = GatewaySetup.redis(secured.settings + ", tls: { ca: ca.pem }")
            wrongAuthority.files["ca.pem"] = try others.content("ca.pem")
            let noTLS = GatewaySetup.redis(secured.settings)
            for setup in [wrongPassword, wrongAuthority, noTLS] {
                let gateway = try GatewayProcess(before: "", setup)
                defer { gateway.stop() }
                let served = try? gateway.redis("eva", "engineers").ask("SET", "k", "v")
                #expect(served != .ok)
                try eventually("the session's end is written") {
                    !gateway.evidence("session.ended").isEmpty
                        || !gateway.rejections.isEmpty
                }
                #expect(!gateway.log.contains("wrong-secret"))
                #expect(try Connection.get("/readyz", port: gateway.port + 8)?.hasPrefix("HTTP/1.1 200") == true)
            }
            #expect(try server.connect().ask("EXISTS", "k") == .integer(0))
        }
    }
}
