import Foundation
import Testing
import TidegateDemo

extension Integration {
    /// What a reader sends who wants more than the rules open to him.
    @Suite(.enabled(if: Surroundings.hasRedis, Comment(rawValue: Surroundings.lackingRedis)))
    struct RedisAttackTests {
        private func attack(
            _ port: UInt16, user: String, tokenFile: String, server: RedisServer, more: [String] = [],
            seconds: Int = 400
        ) throws -> Finished {
            try RedisScript.run(
                "redis_attacks",
                [
                    "--port", "\(port)", "--user", user, "--token-file", tokenFile, "--server-port", "\(server.port)",
                    "--server-password-file", try server.passwordFile(),
                ] + more, seconds: seconds)
        }

        /// How many attacks the last line counts.
        private func cases(_ done: Finished) -> Int {
            done.lines.last?.firstMatch(of: #/"cases": (\d+)/#).flatMap { Int($0.1) } ?? 0
        }

        @Test(arguments: RedisBinary.there)
        func `no attack shows a closed or an unmasked value, a name or an address, or changes anything`(
            binary: RedisBinary
        ) throws {
            let server = try RedisServer(binary)
            defer { server.stop() }
            let gateway = try GatewayProcess(
                before: "", .redis(server.settings + ", databases: [0, 1]", policies: RedisPolicies.readers))
            defer { gateway.stop() }
            let done = try attack(
                gateway.redisPort, user: "any", tokenFile: gateway.tokenFile("rita", groups: ["readers"]),
                server: server, more: binary == .debian ? [] : ["--every", "3"])
            #expect(done.status == 0, "\(done.lines.prefix(20).joined(separator: "\n")) \(done.errors.suffix(1000))")
            // All of them once; on newer servers as many as fit a CI run.
            #expect(cases(done) > (binary == .debian ? 400 : 140))
            #expect(gateway.isRunning)
            for marker in ["MARKER-of-what-is-closed", "4111111111111111", RedisServer.password] {
                #expect(!gateway.evidence.contains { $0.contains(marker) })
                #expect(!gateway.log.contains(marker))
            }
        }

        @Test func `on a server itself each attack shows or changes something`() throws {
            let server = try RedisServer(options: ["enable-debug-command yes"])
            defer { server.stop() }
            let done = try attack(
                server.port, user: "default", tokenFile: server.passwordFile(), server: server,
                more: ["--expose", "--every", "5"])
            #expect(done.status == 0, "\(done.lines.prefix(20).joined(separator: "\n")) \(done.errors.suffix(1000))")
            // Enough to see that the cases can fail; all of them take a minute.
            #expect(cases(done) > 80)
        }

        /// `nil` blocks for ever; otherwise how many milliseconds the read ends before the token.
        @Test(
            arguments: [
                ("XREAD BLOCK N STREAMS open:s $", nil), ("XREADGROUP GROUP g-1 me BLOCK N STREAMS open:s >", nil),
                ("XREAD BLOCK N STREAMS open:s $", 0), ("XREADGROUP GROUP g-1 me BLOCK N STREAMS open:s >", 0),
                ("XREAD BLOCK N STREAMS open:s $", 1), ("XREADGROUP GROUP g-1 me BLOCK N STREAMS open:s >", -1),
            ] as [(String, Int?)])
        func `a blocked read ends with its token, and its group is given nothing afterwards`(
            command: String, early: Int?
        )
            throws
        {
            let server = try RedisServer()
            defer { server.stop() }
            var setup = GatewaySetup.redis(server.settings, policies: RedisPolicies.readers)
            setup.issuer = ", leeway: 0s"
            let gateway = try GatewayProcess(before: "", setup)
            defer { gateway.stop() }
            let short = try gateway.tokenFile("rita", groups: ["readers"], lifetime: 6)
            let done = try attack(
                gateway.redisPort, user: "any", tokenFile: short, server: server,
                more: [
                    "--expiring-token-file", short, "--command", command,
                ] + (early.map { ["--early", "\($0)"] } ?? []), seconds: 30)
            #expect(done.status == 0, "\(done.output) \(done.errors.suffix(1000))")
            #expect(cases(done) == 1)
        }

        @Test func `a rule that is taken away ends a blocked read, and nothing is delivered to its group`() throws {
            let server = try RedisServer()
            defer { server.stop() }
            let gateway = try GatewayProcess(before: "", .redis(server.settings))
            defer { gateway.stop() }
            let admin = try server.connect()
            try admin.ask("XADD", "open:s", "1-0", "card", "seen")
            try admin.ask("XGROUP", "CREATE", "open:s", "g-1", "$")
            for blocked in [
                ["XREAD", "BLOCK", "0", "STREAMS", "open:s", "$"],
                ["XREADGROUP", "GROUP", "g-1", "me", "BLOCK", "0", "STREAMS", "open:s", ">"],
            ] {
                try admin.ask("XGROUP", "SETID", "open:s", "g-1", "$")
                try gateway.reload { $0.policies = RedisPolicies.all }
                // A watched file that is signalled, too, is read twice: what is in force is seen by what it allows.
                var admitted: RawRedis?
                try eventually("readers may read") {
                    let client = try gateway.redis("rita", "readers", seconds: 20)
                    if try client.ask("XLEN", "open:s").isRefusal { return false }
                    admitted = client
                    return true
                }
                let reader = try #require(admitted)
                reader.send([blocked])
                try eventually("it blocks") {
                    try admin.ask("INFO", "clients").string?.contains("blocked_clients:1\r\n") == true
                }
                try gateway.reload { $0.policies = RedisPolicies.engineers }
                try eventually("nobody is blocked any more") {
                    try admin.ask("INFO", "clients").string?.contains("blocked_clients:0\r\n") == true
                }
                try admin.ask("XADD", "open:s", "*", "card", "MARKER")
                let answer = try reader.receiveUnlessClosed()
                #expect(answer?.strings.contains("MARKER") != true, "\(String(describing: answer))")
                #expect(answer == nil || answer?.isRefusal == true, "\(String(describing: answer))")
                #expect(try admin.ask("XPENDING", "open:s", "g-1").members?.first == .integer(0))
            }
        }

        @Test func `a blocked read whose slot moves shows no value and no node, nor does ASKING into a transaction`()
            throws
        {
            let cluster = try RedisCluster()
            defer { cluster.stop() }
            var setup = GatewaySetup.redis(cluster.settings, policies: RedisPolicies.readers)
            setup.redisRoute = { ", advertise: { host: 127.0.0.1, ports: \($0 + 1)-\($0 + 3) }" }
            let gateway = try GatewayProcess(before: "", setup)
            defer { gateway.stop() }
            let key = "masked:s"
            let owner = try cluster.owner(of: key)
            let target = (owner + 1) % 3
            let slot = try cluster.slot(of: key)
            try cluster.servers[owner].connect().ask("XADD", key, "1-0", "card", "4111111111111111")
            let token = try gateway.issuer.mint(subject: "rita", groups: ["readers"])
            let port = gateway.redisPort + 1
            let reader = try RawRedis(port: port + UInt16(owner), secret: token, version: 3, seconds: 20)
            reader.send([["XREAD", "BLOCK", "10000", "STREAMS", key, "1-0"]])
            try eventually("it blocks") {
                try cluster.servers[owner].connect().ask("INFO", "clients").string?.contains("blocked_clients:1")
                    == true
            }
            try cluster.move(slot, from: owner, to: target)
            try cluster.servers[target].connect().ask("XADD", key, "2-0", "card", "4111111111111111")
            // -MOVED, or an end: never the address of a node, never the value.
            let answer = try reader.receiveUnlessClosed()
            let said = answer?.strings.joined(separator: " ") ?? ""
            for server in cluster.servers { #expect(!said.contains("\(server.port)"), "\(said)") }
            #expect(!said.contains("4111111111111111"))
            if said.hasPrefix("MOVED") { #expect(said == "MOVED \(slot) 127.0.0.1:\(port + UInt16(target))") }

            // ASKING is for one command, and goes along into a transaction: still nothing unmasked, nothing closed.
            try cluster.begin(moving: slot, from: target, to: owner)
            let other = try RawRedis(port: port + UInt16(owner), secret: token, version: 2, seconds: 20)
            other.send([
                ["ASKING"], ["MULTI"], ["XRANGE", key, "-", "+"], ["GET", "closed:k"], ["EXEC"], ["ASKING"],
                ["XRANGE", key, "-", "+"],
            ])
            var answers: [RedisValue] = []
            for _ in 0..<7 { answers.append(try other.receive()) }
            #expect(!answers.flatMap(\.strings).contains { $0.contains("4111111111111111") }, "\(answers)")
            #expect(answers[3].isRefusal, "\(answers)")
            for server in cluster.servers {
                #expect(!answers.flatMap(\.strings).contains { $0.contains("\(server.port)") }, "\(answers)")
            }
        }
    }
}
