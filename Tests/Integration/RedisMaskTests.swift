import Foundation
import Testing
import TidegateDemo

extension Integration {
    /// What a reader under a mask is told, beside what the server says: only what a rule names is different.
    @Suite(.enabled(if: Surroundings.hasRedis, Comment(rawValue: Surroundings.lackingRedis)))
    struct RedisMaskTests {
        private static let card = "4111111111111111"
        private static let mail = "ada@example.com"
        private static let document =
            #"{"card":"4111111111111111","n":[1, 2.50],"in":{"card":"4111111111111111"},"email":"ada@example.com"}"#
        private static let note = "paid with 4111 1111 1111 1111 today\r\n*1"

        /// Two entries with what is masked, and one with nothing of it.
        private static func fill(_ admin: RawRedis, _ prefix: String) throws {
            // What is open holds nothing of it but in one key: a reply may hold both.
            func text(_ text: String) -> String {
                prefix == "masked"
                    ? text
                    : text.replacing(RedisMaskTests.card, with: "none").replacing(RedisMaskTests.mail, with: "nobody")
            }
            let (document, card, mail) = (
                text(RedisMaskTests.document), text(RedisMaskTests.card), text(RedisMaskTests.mail)
            )
            let note = prefix == "masked" ? RedisMaskTests.note : "nothing"
            let entries = [
                ["1-0", "n", "1", "card", card, "email", mail], ["2-0", "data", document, "note", note],
                ["3-0", "n", "3", "plain", #"{"n": 1.0, "s":"\u0041"}"#],
            ]
            try admin.ask("SET", "\(prefix):clear", RedisMaskTests.document)
            for entry in entries { try admin.ask(["XADD", "\(prefix):s"] + entry) }
            for group in ["g-1", "g-2"] { try admin.ask("XGROUP", "CREATE", "\(prefix):s", group, "0") }
            try admin.ask("SET", "\(prefix):k", document)
            try admin.ask("HSET", "\(prefix):h", "card", card, "n", "1", "data", document)
            try admin.ask("RPUSH", "\(prefix):l", document, #"{"n":1.0}"#)
            try admin.ask("ZADD", "\(prefix):z", "1.5", document, "2", "17")
            try admin.ask("SADD", "\(prefix):set", document)
        }

        private func serving(_ body: (RawRedis, GatewayProcess) throws -> Void) throws {
            let server = try RedisServer()
            defer { server.stop() }
            let gateway = try GatewayProcess(before: server)
            defer { gateway.stop() }
            let admin = try server.connect()
            try RedisMaskTests.fill(admin, "masked")
            try RedisMaskTests.fill(admin, "open")
            try body(admin, gateway)
            for clear in [RedisMaskTests.card, RedisMaskTests.mail, "4111 1111"] {
                #expect(!gateway.evidence.contains { $0.contains(clear) })
                #expect(!gateway.log.contains(clear))
            }
        }

        /// The token that stands for the mail address.
        private func token(_ reader: RawRedis) throws -> String {
            let entries = try reader.ask("XRANGE", "masked:s", "1-0", "1-0")
            let strings = entries.strings
            let place = try #require(strings.firstIndex(of: "email"), "\(entries)")
            let token = try #require(strings[(place + 1)...].first)
            #expect(token.hasPrefix("tgh1_"), "\(entries)")
            return token
        }

        /// A reply as it must be under the mask.
        private func masked(_ value: RedisValue, _ token: String) -> RedisValue {
            switch value {
            case .bulk(let bytes):
                let text = String(decoding: bytes, as: UTF8.self)
                let replaced =
                    text == RedisMaskTests.note
                    ? "paid with [redacted] today\r\n*1"
                    : text.replacing(RedisMaskTests.card, with: "****1111").replacing(RedisMaskTests.mail, with: token)
                return replaced == text ? value : .text(replaced)
            case .array(let members): return .array(members.map { masked($0, token) })
            case .map(let members): return .map(members.map { masked($0, token) })
            case .set(let members): return .set(members.map { masked($0, token) })
            case .push(let members): return .push(members.map { masked($0, token) })
            default: return value
            }
        }

        /// `G` is a group of one's own: what one reads in it the other has not read.
        private static let reads = [
            "XREAD STREAMS masked:s 0", "XREAD COUNT 1 STREAMS masked:s open:s 0 0",
            "XREAD STREAMS open:s masked:s masked:s 2-0 0 1-0",
            "XREAD BLOCK 10 STREAMS masked:s $", "XRANGE masked:s - +", "XRANGE masked:s (1-0 2-0",
            "XRANGE masked:s - + COUNT 0", "XREVRANGE masked:s + - COUNT 2",
            "XREADGROUP GROUP G me COUNT 1 STREAMS masked:s >", "XREADGROUP GROUP G me STREAMS masked:s 0",
            "XREADGROUP GROUP G me NOACK COUNT 1 STREAMS masked:s >",
            "XREADGROUP GROUP G me STREAMS masked:s open:s > >", "XREADGROUP GROUP G me STREAMS masked:s >",
            "XCLAIM masked:s G other 0 1-0", "XCLAIM masked:s G other 0 1-0 JUSTID",
            "XCLAIM masked:s G other 0 2-0 FORCE", "XAUTOCLAIM masked:s G third 0 0",
            "XAUTOCLAIM masked:s G third 0 0 JUSTID", "XLEN masked:s", "GET masked:k",
            "MGET open:k masked:k open:none", "HGETALL masked:h", "HGET masked:h card", "HMGET masked:h n card none",
            "LRANGE masked:l 0 -1",
            "LINDEX masked:l 0", "ZRANGE masked:z 0 -1 WITHSCORES", "ZRANGEBYSCORE masked:z 0 9", "SMEMBERS masked:set",
            "XRANGE open:s - +", "HGETALL open:h", "GET open:clear",
        ]

        @Test(arguments: [2, 3])
        func `every way to read is masked, and nothing else of the reply changes`(version: Int) throws {
            try serving { admin, gateway in
                let direct = try RawRedis(
                    port: serverPort(admin), user: "default", secret: RedisServer.ownPassword, version: version)
                let reader = try gateway.redis("rita", "readers", version: version)
                let token = try token(reader)
                for command in RedisMaskTests.reads {
                    func words(_ group: String) -> [String] {
                        command.split(separator: " ").map { $0 == "G" ? group : String($0) }
                    }
                    let clear = try direct.ask(words("g-2"))
                    let seen = try reader.ask(words("g-1"))
                    let isOpen = command.contains("open:") && !command.contains("masked:")
                    #expect(seen == (isOpen ? clear : masked(clear, token)), "\(command)")
                    if !isOpen { #expect(!seen.strings.contains { $0.contains(RedisMaskTests.card) }, "\(command)") }
                }
            }
        }

        @Test(arguments: [2, 3])
        func `empty and binary names and values stay, and what has no names cannot be asked for`(version: Int) throws {
            try serving { admin, gateway in
                let reader = try gateway.redis("rita", "readers", version: version)
                for (number, words) in [["", ""], ["n", ""], ["", "1"], ["\0", "\u{1}\r\n"]].enumerated() {
                    try admin.ask(["XADD", "masked:s", "\(10 + number)-0"] + words)
                    #expect(
                        try reader.ask("XRANGE", "masked:s", "\(10 + number)-0", "+").strings
                            == ["\(10 + number)-0"] + words, "\(words)")
                }
                // Without names there is nothing but the value to go by: what is no JSON is not shown.
                try admin.ask("RPUSH", "masked:texts", "plain")
                #expect(try reader.ask("LINDEX", "masked:texts", "0").string?.contains("plain") == false)
                #expect(try reader.ask("HVALS", "masked:h").isRefusal)
                #expect(try reader.ask("GET", "masked:none") == .null)
            }
        }

        /// The port that the administrator of the test is connected to.
        private func serverPort(_ admin: RawRedis) throws -> UInt16 {
            guard let text = try admin.ask("CONFIG", "GET", "port").members?.last?.string, let port = UInt16(text)
            else {
                throw ProcessFailure(description: "no port")
            }
            return port
        }

        @Test(arguments: [2, 3])
        func `a transaction's elements are masked each, and so are first, last and all entries of XINFO`(version: Int)
            throws
        {
            try serving { admin, gateway in
                let reader = try gateway.redis("rita", "readers", version: version)
                let direct = try RawRedis(
                    port: serverPort(admin), user: "default", secret: RedisServer.ownPassword, version: version)
                let token = try token(reader)
                let transaction = [
                    ["MULTI"], ["XRANGE", "masked:s", "-", "+"], ["GET", "open:k"], ["HGETALL", "masked:h"],
                    ["XREAD", "STREAMS", "masked:s", "0"], ["GET", "masked:k"],
                    ["EXEC"],
                ]
                var answers: [[RedisValue]] = []
                for connection in [direct, reader] {
                    connection.send(transaction)
                    answers.append(try transaction.map { _ in try connection.receive() })
                }
                #expect(answers[0].dropLast() == answers[1].dropLast())
                let (clear, seen) = (try #require(answers[0].last?.members), try #require(answers[1].last?.members))
                try #require(clear.count == seen.count && clear.count == 5)
                for place in clear.indices {
                    #expect(
                        seen[place] == (place == 1 ? clear[place] : masked(clear[place], token)), "element \(place)")
                }

                let (brief, shown) = (
                    try direct.ask("XINFO", "STREAM", "masked:s"), try reader.ask("XINFO", "STREAM", "masked:s")
                )
                #expect(shown == masked(brief, token))
                #expect(shown["first-entry"]?.strings.contains("****1111") == true)
                let (full, fullShown) = (
                    try direct.ask("XINFO", "STREAM", "masked:s", "FULL"),
                    try reader.ask("XINFO", "STREAM", "masked:s", "FULL")
                )
                #expect(fullShown == masked(full, token))
                #expect(fullShown["entries"]?.members?.count == 3)
            }
        }

        @Test func `an error within a transaction leaves the other elements as they are`() throws {
            try serving { admin, gateway in
                let reader = try gateway.redis("rita", "readers")
                reader.send([
                    ["MULTI"], ["GET", "open:k"], ["LRANGE", "masked:k", "0", "1"], ["HGET", "masked:h", "card"],
                    ["EXEC"],
                ])
                for _ in 0..<4 { _ = try reader.receive() }
                let elements = try #require(try reader.receive().members)
                try #require(elements.count == 3)
                #expect(elements[0] == (try admin.ask("GET", "open:k")))
                #expect(elements[1].string?.hasPrefix("WRONGTYPE ") == true, "\(elements)")
                #expect(elements[2] == .text("****1111"))
            }
        }

        @Test(arguments: [2, 3])
        func `messages of channels are masked, and confirmations stay as they are`(version: Int) throws {
            try serving { admin, gateway in
                let reader = try gateway.redis("rita", "readers", version: version)
                let token = try token(reader)
                func frame(_ words: [RedisValue]) -> RedisValue { version == 3 ? .push(words) : .array(words) }
                reader.send([["SUBSCRIBE", "masked:c", "open:c"], ["PSUBSCRIBE", "masked:p*"]])
                for (number, name) in ["masked:c", "open:c", "masked:p*"].enumerated() {
                    let kind = number == 2 ? "psubscribe" : "subscribe"
                    #expect(try reader.receive() == frame([.text(kind), .text(name), .integer(Int64(number + 1))]))
                }
                for channel in ["masked:c", "masked:pattern", "open:c"] {
                    #expect(try admin.ask("PUBLISH", channel, RedisMaskTests.document) == .integer(1))
                }
                let clear = RedisValue.text(RedisMaskTests.document)
                #expect(try reader.receive() == frame([.text("message"), .text("masked:c"), masked(clear, token)]))
                #expect(
                    try reader.receive()
                        == frame([.text("pmessage"), .text("masked:p*"), .text("masked:pattern"), masked(clear, token)])
                )
                #expect(try reader.receive() == frame([.text("message"), .text("open:c"), clear]))
            }
        }

        @Test func `what holds nothing to mask passes byte for byte, however it is cut`() throws {
            try serving { admin, gateway in
                try admin.ask("DEL", "masked:s")
                for number in 1...300 {
                    try admin.ask(
                        "XADD", "masked:s", "\(number)-0", "n", "\(number)", "text",
                        String(repeating: "x\r\n$1\r\n", count: number))
                }
                let direct = try RawRedis(
                    port: serverPort(admin), user: "default", secret: RedisServer.ownPassword, version: 3)
                let reader = try gateway.redis("rita", "readers", version: 3)
                let commands = (1...40).map { ["XREAD", "COUNT", "\($0 * 7)", "STREAMS", "masked:s", "\($0)-0"] }
                for command in commands {
                    direct.send([command])
                    // Byte by byte: a command is whole only in the end.
                    for byte in RawRedis.encode(command.map { Array($0.utf8) }) { reader.send(bytes: [byte]) }
                    #expect(try direct.receiveBytes().bytes == reader.receiveBytes().bytes)
                }
                direct.send(commands)
                reader.send(commands)
                for _ in commands { #expect(try direct.receiveBytes().bytes == reader.receiveBytes().bytes) }
            }
        }

        @Test func `a value has the same token in a stream, a hash, a channel and a topic`() throws {
            let server = try RedisServer()
            defer { server.stop() }
            let cluster = try MockCluster()
            try cluster.create(topic: "clients-tokens", partitions: 1)
            var setup = GatewaySetup.redis(
                server.settings, policies: RedisPolicies.all + "\n" + GatewayProcess.analysts)
            setup.kafka = ""
            let gateway = try GatewayProcess(before: cluster.bootstrap, setup)
            defer { gateway.stop() }
            try RedisMaskTests.fill(server.connect(), "masked")
            try KafkaClient.producer(bootstrap: cluster.bootstrap).produce(
                [.init(partition: 0, offset: 0, key: [1], value: Array(#"{"email":"ada@example.com"}"#.utf8))],
                to: "clients-tokens")
            let reader = try KafkaClient.consumer(
                bootstrap: gateway.bootstrapAddress, group: "analytics-tokens",
                logIn: .plain(user: "token", password: try gateway.issuer.mint(subject: "ada", groups: ["analysts"])))
            let record = try #require(try reader.readAll("clients-tokens", partitions: 1).first)
            let redis = try gateway.redis("rita", "readers")
            let token = try token(redis)
            #expect(String(decoding: record.value, as: UTF8.self) == #"{"email":"\#(token)"}"#)
            #expect(try redis.ask("HGET", "masked:h", "data").string?.contains(#""email":"\#(token)""#) == true)
            #expect(try redis.ask("GET", "masked:k").string?.contains(#""email":"\#(token)""#) == true)
            withExtendedLifetime(cluster) {}
        }
    }
}
