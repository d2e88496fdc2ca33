import Foundation
import Testing

extension Integration {
    /// The servers that the tests of Redis stand on, without a gateway.
    @Suite(
        .enabled(
            if: RedisBinary.debian.path != nil && Surroundings.redisCLI != nil && Surroundings.python != nil,
            Comment(rawValue: Surroundings.lackingRedis)
        ))
    struct RedisServersTests {
        @Test(arguments: RedisBinary.there)
        func `a server knows the gateway's user, speaks both versions, and is gone when it is stopped`(
            binary: RedisBinary
        )
            throws
        {
            let server = try RedisServer(binary)
            for version in [2, 3] {
                let client = try RawRedis(
                    port: server.port, user: RedisServer.user, secret: RedisServer.password, version: version)
                #expect(try client.ask("ACL", "WHOAMI") == .text(RedisServer.user))
                #expect(try client.ask("XADD", "s", "\(version)-0", "n", "1") == .text("\(version)-0"))
            }
            #expect(try RawRedis(port: server.port).ask("GET", "k").string?.hasPrefix("NOAUTH ") == true)
            let text = try server.connect().ask("INFO", "server").string ?? ""
            switch binary {
            case .debian: #expect(text.contains("redis_version:7.0."))
            case .redis74: #expect(text.contains("redis_version:7.4."))
            }
            server.stop()
            #expect((try? RawRedis(port: server.port)) == nil)
            #expect(!FileManager.default.fileExists(atPath: server.folder))
        }

        @Test func `a server demands certificates where it is told to`() throws {
            let certificates = try Certificates.shared.get()
            let server = try RedisServer(tls: certificates, demandsCertificates: true)
            defer { server.stop() }
            let own = ["--cert", certificates.folder + "/client.pem", "--key", certificates.folder + "/client.key"]
            for (more, isServed) in [(own, true), ([], false)] {
                let done = try Program.run(
                    try #require(Surroundings.redisCLI),
                    ["-p", "\(server.port)", "--tls", "--cacert", certificates.authority] + more + ["PING"],
                    environment: ["REDISCLI_AUTH": RedisServer.ownPassword])
                #expect((done.output == "PONG\n") == isServed, "\(done)")
            }
        }

        @Test func `a sentinel makes the replica of a primary that is gone the primary`() throws {
            let primary = try RedisServer()
            defer { primary.stop() }
            let replica = try RedisServer(.debian, .replica(of: primary))
            defer { replica.stop() }
            let sentinel = try RedisServer(.debian, .sentinel(over: primary))
            defer { sentinel.stop() }
            let asked = try RawRedis(port: sentinel.port)
            func address() throws -> [String] {
                try asked.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "primary").strings
            }
            #expect(try address() == ["127.0.0.1", "\(primary.port)"])
            try eventually("the sentinel knows the replica") { sentinel.log.contains("+slave") }
            primary.stop()
            try eventually("the replica is chosen", within: 60) { try address() == ["127.0.0.1", "\(replica.port)"] }
            #expect(try replica.connect().ask("ROLE").strings.first == "master")
        }

        @Test(arguments: RedisBinary.there)
        func `a cluster of three moves a slot with its keys`(binary: RedisBinary) throws {
            let cluster = try RedisCluster(binary)
            defer { cluster.stop() }
            let owner = try cluster.owner(of: "k")
            try cluster.servers[owner].connect().ask("SET", "k", "v")
            let slot = try cluster.slot(of: "k")
            let target = (owner + 1) % 3
            try cluster.move(slot, from: owner, to: target)
            #expect(try cluster.owner(of: "k") == target)
            #expect(try cluster.servers[target].connect().ask("GET", "k") == .text("v"))
            #expect(
                try cluster.servers[owner].connect().ask("GET", "k")
                    == .error("MOVED \(slot) 127.0.0.1:\(cluster.servers[target].port)"))
        }

        @Test(arguments: RedisClient.all)
        func `a client says the same twice`(client: RedisClient) throws {
            let server = try RedisServer()
            defer { server.stop() }
            let runs = try (0..<2).map { _ in
                #expect(try server.connect().ask("FLUSHALL") == .ok)
                return try client.run(port: server.port, user: "default", tokenFile: server.passwordFile())
            }
            #expect(runs[0] == runs[1], "\(zip(runs[0], runs[1]).first { $0 != $1 }.map { "\($0)\n\($1)" } ?? "")")
        }
    }
}
