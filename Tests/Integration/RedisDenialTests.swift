import Foundation
import Testing
import TidegateDemo

extension RedisServer {
    /// Every key with its value, and every group: what nobody who is refused may change.
    func contents() throws -> [String: [RedisValue]] {
        let admin = try connect()
        var found: [String: [RedisValue]] = [:]
        for database in ["0", "1", "5"] {
            try admin.ask("SELECT", database)
            for key in (try admin.ask("KEYS", "*").strings).sorted() {
                let kind = try admin.ask("TYPE", key)
                let value: [String] =
                    switch kind.string {
                    case "stream": ["XRANGE", key, "-", "+"]
                    case "hash": ["HGETALL", key]
                    case "list": ["LRANGE", key, "0", "-1"]
                    default: ["GET", key]
                    }
                found["\(database) \(key)"] = [
                    kind, try admin.ask(value), try admin.ask("TTL", key),
                    kind.string == "stream" ? try admin.ask("XINFO", "GROUPS", key) : .null,
                ]
            }
        }
        return found
    }
}

extension Integration {
    /// Who may not: an error, nothing changed on the server, and a line of evidence.
    @Suite(.enabled(if: Surroundings.hasRedis, Comment(rawValue: Surroundings.lackingRedis)))
    struct RedisDenialTests {
        private func serving(
            _ policies: String = RedisPolicies.all, _ body: (RedisServer, GatewayProcess) throws -> Void
        ) throws {
            let server = try RedisServer()
            defer { server.stop() }
            let admin = try server.connect()
            for prefix in ["open", "closed"] {
                for number in 1...5 { try admin.ask("XADD", "\(prefix):s", "\(number)-0", "n", "\(number)") }
                for group in ["g-1", "private"] { try admin.ask("XGROUP", "CREATE", "\(prefix):s", group, "0") }
                try admin.ask("SET", "\(prefix):k", "\(prefix) value")
                try admin.ask("HSET", "\(prefix):h", "n", "1")
                try admin.ask("RPUSH", "\(prefix):l", "a", "b")
            }
            try admin.ask("SELECT", "5")
            try admin.ask("SET", "open:k", "of another database")
            let gateway = try GatewayProcess(before: server, policies: policies)
            defer { gateway.stop() }
            try body(server, gateway)
        }

        private static let reads = [
            "GET open:k", "MGET open:k closed:k", "HGETALL open:h", "LRANGE open:l 0 -1", "XRANGE open:s - +",
            "XREAD STREAMS open:s 0",
            "XREADGROUP GROUP g-1 me STREAMS open:s >", "XINFO STREAM open:s", "XLEN open:s", "TYPE open:k",
            "EXISTS open:k", "SUBSCRIBE open:c", "PSUBSCRIBE *",
        ]
        private static let writes = [
            "SET open:k x", "DEL open:k", "HSET open:h n 2", "RPUSH open:l c", "LPOP open:l", "EXPIRE open:k 100",
            "XADD open:s 9-0 n 9", "XADD open:new 1-0 n 1",
            "XDEL open:s 1-0", "XTRIM open:s MAXLEN 0", "XGROUP CREATE open:s g-2 0", "XGROUP DESTROY open:s g-1",
            "XGROUP SETID open:s g-1 $",
            "XSETID open:s 99-0", "PUBLISH open:c x", "INCR open:n", "FLUSHALL",
            "RENAME open:k open:k2",
        ]
        private static let closed = [
            "GET closed:k", "MGET open:k closed:k", "XREAD STREAMS closed:s 0", "XREAD STREAMS open:s closed:s 0 0",
            "XRANGE closed:s - +",
            "XREADGROUP GROUP g-1 me STREAMS closed:s >", "XREADGROUP GROUP g-1 me STREAMS open:s closed:s > >",
            "XREADGROUP GROUP private me STREAMS open:s >",
            "XACK open:s private 1-0", "XACK closed:s g-1 1-0", "XCLAIM closed:s g-1 me 0 1-0",
            "XAUTOCLAIM open:s private me 0 0", "XINFO STREAM closed:s",
            "SUBSCRIBE closed:c", "PSUBSCRIBE *",
        ]

        /// - Parameter group: of which the subject `carl` is a member.
        private func refuses(_ commands: [String], _ group: String) throws {
            try serving { server, gateway in
                let before = try server.contents()
                for version in [2, 3] {
                    for command in commands {
                        let client = try RawRedis(port: gateway.redisPort, version: 2)
                        let token = try gateway.issuer.mint(subject: "carl", groups: [group])
                        #expect(try !client.ask(["AUTH", token]).isRefusal)
                        // HELLO is the server's to answer: whom no rule covers has no RESP3, and nothing else either.
                        if version == 3 {
                            #expect(try client.ask(["HELLO", "3"]).isRefusal == (group == "contractors"))
                        }
                        let answer = try client.ask(command.split(separator: " ").map(String.init))
                        #expect(answer.isRefusal, "\(command): \(answer)")
                        // The kind at most: a name that is not the client's business is not told.
                        for name in ["open:", "closed:", "private"] {
                            #expect(answer.string?.contains(name) == false, "\(command): \(answer)")
                        }
                    }
                }
                #expect(try server.contents() == before)
                let told = gateway.evidence("operation.denied") + gateway.rejections
                #expect(told.contains { $0.contains("\"subject\":\"carl\"") && $0.contains("\"route\":\"cache\"") })
                #expect(gateway.evidence("records.delivered").isEmpty)
                #expect(gateway.evidence("records.produced").isEmpty)
            }
        }

        @Test func `whom no rule covers gets nothing and changes nothing`() throws {
            try refuses(RedisDenialTests.reads + RedisDenialTests.writes, "contractors")
        }

        @Test func `a reader writes nothing`() throws { try refuses(RedisDenialTests.writes, "readers") }

        @Test func `a reader gets nothing of other streams, groups, keys and channels`() throws {
            try refuses(RedisDenialTests.closed, "readers")
        }

        @Test func `evidence of what was denied names subject, action and resource`() throws {
            try serving { server, gateway in
                let client = try gateway.redis("rita", "readers")
                for (command, action, resource) in [
                    ("XREAD STREAMS closed:s 0", "consume", "stream:closed:s"),
                    ("GET closed:k", "consume", "key:closed:k"),
                    ("XADD open:s 9-0 n 9", "produce", "stream:open:s"),
                    ("XTRIM open:s MAXLEN 1", "delete", "stream:open:s"),
                ] {
                    #expect(try client.ask(command.split(separator: " ").map(String.init)).isRefusal)
                    try eventually("it is written: \(command)") {
                        !gateway.evidence(
                            "operation.denied", "\"subject\":\"rita\"", "\"action\":\"\(action)\"",
                            "\"resource\":\"\(resource)\""
                        ).isEmpty
                    }
                }
            }
        }

        @Test func `unknown and forbidden names get the same answer`() throws {
            try serving { server, gateway in
                let client = try gateway.redis("rita", "readers")
                for (known, unknown) in [
                    ("GET closed:k", "GET closed:none"), ("XREAD STREAMS closed:s 0", "XREAD STREAMS closed:x 0"),
                    ("XREADGROUP GROUP private me STREAMS open:s >", "XREADGROUP GROUP nobody me STREAMS open:s >"),
                    ("XINFO STREAM closed:s", "XINFO STREAM closed:x"),
                ] {
                    let answers = try [known, unknown].map { try client.ask($0.split(separator: " ").map(String.init)) }
                    #expect(answers[0].isRefusal && answers[0] == answers[1], "\(answers)")
                }
            }
        }

        @Test func `one denied command spoils its transaction, and no other`() throws {
            try serving { server, gateway in
                let client = try gateway.redis("rita", "readers")
                let before = try server.contents()
                client.send([
                    ["MULTI"], ["GET", "open:k"], ["GET", "closed:k"], ["EXEC"], ["GET", "open:k"], ["MULTI"],
                    ["GET", "open:k"],
                    ["EXEC"],
                ])
                var answers: [RedisValue] = []
                for _ in 0..<8 { answers.append(try client.receive()) }
                #expect(answers[0] == .ok && answers[1] == .simple("QUEUED") && answers[2].isRefusal, "\(answers)")
                guard case .error(let text) = answers[3], text.hasPrefix("EXECABORT") else {
                    Issue.record("\(answers[3])")
                    return
                }
                #expect(answers[4] == .text("open value"))
                #expect(answers[7] == .array([.text("open value")]))
                #expect(try server.contents() == before)
            }
        }

        @Test func `databases that are not listed cannot be reached`() throws {
            try serving { server, gateway in
                for group in ["engineers", "readers"] {
                    let client = try gateway.redis("eva", group)
                    #expect(try client.ask("SELECT", "1") == .ok)
                    #expect(try client.ask("GET", "open:k") == .null)
                    let answer = try client.ask("SELECT", "5")
                    guard case .error = answer else {
                        Issue.record("SELECT 5 said \(answer)")
                        return
                    }
                    #expect(try client.ask("SELECT", "0") == .ok)
                    #expect(try client.ask("GET", "open:k") == .text("open value"))
                }
            }
        }

        @Test func `the positions in evidence are the ids that were read`() throws {
            try serving { server, gateway in
                func delivered(_ words: String...) -> [String] {
                    gateway.evidence("records.delivered").filter { line in words.allSatisfy { line.contains($0) } }
                }
                let reads: [(command: String, first: String, last: String, records: Int)] = [
                    ("XREAD COUNT 2 STREAMS open:s 0", "1-0", "2-0", 2), ("XRANGE open:s 3-0 5-0", "3-0", "5-0", 3),
                    ("XREVRANGE open:s 4-0 2-0", "2-0", "4-0", 3),
                    ("XREADGROUP GROUP g-1 me COUNT 1 STREAMS open:s >", "1-0", "1-0", 1),
                    ("XREADGROUP GROUP g-1 me COUNT 4 STREAMS open:s >", "2-0", "5-0", 4),
                    ("XCLAIM open:s g-1 you 0 3-0", "3-0", "3-0", 1),
                    ("XAUTOCLAIM open:s g-1 he 0 4-0", "4-0", "5-0", 2),
                ]
                for (number, read) in reads.enumerated() {
                    // A subject of its own: no line is joined to another's.
                    let client = try gateway.redis("reader-\(number)", "readers", version: 2 + number % 2)
                    let answer = try client.ask(read.command.split(separator: " ").map(String.init))
                    #expect(answer.strings.contains(read.first) && answer.strings.contains(read.last), "\(answer)")
                    try eventually("it is written: \(read.command)") {
                        !delivered(
                            "\"subject\":\"reader-\(number)\"", "stream:open:s", "\"first\":\"\(read.first)\"",
                            "\"last\":\"\(read.last)\"", "\"records\":\(read.records)"
                        ).isEmpty
                    }
                }
                #expect(delivered("\"subject\":\"reader-4\"").allSatisfy { $0.contains("g-1") }, "the group is named")
                let idle = try gateway.redis("idle", "readers")
                for command in [
                    "XREAD STREAMS open:s $", "XRANGE open:s 90 91", "XREADGROUP GROUP g-1 me STREAMS open:s >",
                    "XCLAIM open:s g-1 me 0 1-0 JUSTID",
                ] {
                    try idle.ask(command.split(separator: " ").map(String.init))
                }
                let writer = try gateway.redis("eva", "engineers")
                #expect(try writer.ask("XADD", "open:s", "77-3", "n", "77") == .text("77-3"))
                try eventually("what was written is in evidence, too") {
                    !gateway.evidence("records.produced", "\"subject\":\"eva\"", "stream:open:s").isEmpty
                }
                #expect(delivered("\"subject\":\"idle\"").isEmpty)
            }
        }

        @Test func `log-ins are refused in Redis' own words`() throws {
            try serving { server, gateway in
                let stranger = try RawRedis(port: gateway.redisPort)
                for command in ["GET open:k", "XREAD STREAMS open:s 0", "MULTI", "SUBSCRIBE open:c", "CLIENT LIST"] {
                    let answer = try stranger.ask(command.split(separator: " ").map(String.init))
                    #expect(answer.string?.hasPrefix("NOAUTH ") == true, "\(command): \(answer)")
                }
                for words in [
                    ["AUTH", "nonsense"], ["AUTH", "any", "nonsense"],
                    ["AUTH", RedisServer.user, RedisServer.password],
                    ["HELLO", "3", "AUTH", "default", RedisServer.ownPassword],
                ] {
                    let wrong = try RawRedis(port: gateway.redisPort)
                    let answer = try wrong.ask(words)
                    #expect(answer.string?.hasPrefix("WRONGPASS ") == true, "\(answer)")
                    if let next = try? wrong.ask("GET", "open:k") {
                        #expect(next.string?.hasPrefix("NOAUTH ") == true, "\(next)")
                    }
                }
                #expect(!gateway.rejections.isEmpty)
                // The token alone, a token beside any name, and both versions.
                let token = try gateway.issuer.mint(subject: "rita", groups: ["readers"])
                for words in [
                    ["AUTH", token], ["AUTH", "any", token], ["HELLO", "3", "AUTH", "any", token],
                    ["HELLO", "2", "AUTH", "x", token],
                ] {
                    let client = try RawRedis(port: gateway.redisPort)
                    if case .error(let text) = try client.ask(words) { Issue.record("\(words[0]): \(text)") }
                    #expect(try client.ask("GET", "open:k") == .text("open value"))
                }
                #expect(!gateway.log.contains(token))
            }
        }
    }
}
