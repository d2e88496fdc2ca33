import TestSupport
import Testing
import TidegateCore
import TidegateRedis

/// Three nodes with a port each on the gateway, and a fourth that has none; `10.0.0.9` is nobody's.
struct NodesPlay {
    static let ids = ["a", "b", "c", "d"].map { String(repeating: $0, count: 40) }
    static func line(_ number: Int, _ rest: String = "", flags: String = "master", address: String? = nil) -> String {
        "\(ids[number]) \(address ?? "10.0.0.\(number + 1):6379@16379") \(flags) - 0 1795684712842 \(number + 1) connected\(rest)\n"
    }
    static let nodes =
        line(2, " 10923-16383 [93-<-\(ids[0])]") + line(0, " 0-5460", flags: "myself,master") + line(1, " 5461-10922")
        + line(3, flags: "slave")

    let rehearsal: RedisRehearsal
    let play: RedisPlay

    init(_ text: String = nodes) {
        rehearsal = RedisRehearsal(
            discovering: .cluster([("10.0.0.1", 6379), ("10.0.0.2", 6379), ("10.0.0.3", 6379), ("10.0.0.4", 6379)]))
        rehearsal.take(nodes: text)
        var play = RedisPlay()
        play.rehearsal = rehearsal
        play.advertise = Advertise(
            host: "gate.test", ports: 9300...9302, firstNode: 0, serverNamePattern: nil, port: 9300)
        self.play = play
    }

    static let hello = "%1\r\n" + bulk("proto") + ":3\r\n"

    /// What the client gets for a command's answer.
    func answer(
        _ version: Int, _ command: [String], _ reply: String, _ location: SourceLocation = #_sourceLocation
    ) -> String {
        let before: [Happening] = version == 3 ? [.ask("HELLO", "3"), .reply(NodesPlay.hello)] : []
        let said = play.play(before + [.client(RedisTests.command(command)), .reply(reply)], location)
        #expect(!said.toClient.contains("10.0.0."), sourceLocation: location)
        #expect(!said.toClient.contains("6379"), sourceLocation: location)
        return version == 3 ? String(said.toClient.dropFirst(NodesPlay.hello.count)) : said.toClient
    }
}

@Suite struct AddressTests {
    private static func list(_ version: Int) -> String { version == 3 ? "%0\r\n" : "*0\r\n" }
    private static func pairs(_ version: Int, _ pairs: [String]) -> String {
        (version == 3 ? "%\(pairs.count / 2)\r\n" : "*\(pairs.count)\r\n") + pairs.joined()
    }
    private static func text(_ version: Int, _ text: String) -> String {
        version == 3 ? "=\(text.utf8.count + 4)\r\ntxt:\(text)\r\n" : bulk(text)
    }

    // MARK: CLUSTER

    private static func node(_ host: String, _ port: Int, _ number: Int, _ more: String) -> String {
        array(bulk(host), ":\(port)\r\n", bulk(NodesPlay.ids[number]), more)
    }

    @Test(arguments: [2, 3]) func `slots name the gateway's ports, and no hostname`(version: Int) {
        let more = version == 3 ? map(bulk("ip"), bulk("10.0.0.1")) : array(bulk("ip"), bulk("10.0.0.1"))
        let none = Self.list(version)
        let answer = NodesPlay().answer(
            version, ["CLUSTER", "SLOTS"],
            array(
                array(
                    ":0\r\n", ":5460\r\n", Self.node("10.0.0.1", 6379, 0, more), Self.node("10.0.0.4", 6379, 3, none)),
                // Known by its id, whatever its host.
                array(":5461\r\n", ":10922\r\n", Self.node("other.internal", 6380, 1, none)),
                // Nobody can reach its primary.
                array(
                    ":10923\r\n", ":12000\r\n", Self.node("10.0.0.4", 6379, 3, none),
                    Self.node("10.0.0.3", 6379, 2, none)),
                array(":12001\r\n", ":16382\r\n"),
                array(":16383\r\n", ":16383\r\n", array("$-1\r\n", ":6379\r\n"))))
        #expect(
            answer
                == array(
                    array(":0\r\n", ":5460\r\n", Self.node("gate.test", 9300, 0, none)),
                    array(":5461\r\n", ":10922\r\n", Self.node("gate.test", 9301, 1, none)),
                    array(":16383\r\n", ":16383\r\n", array(bulk("gate.test"), ":9300\r\n"))))
    }

    private static func shard(_ version: Int, _ slots: String, _ nodes: [String]) -> String {
        pairs(version, [bulk("slots"), slots, bulk("nodes"), "*\(nodes.count)\r\n" + nodes.joined()])
    }
    private static func member(
        _ version: Int, _ number: Int, _ host: String, _ port: Int, _ role: String, more: [String] = []
    ) -> String {
        pairs(
            version,
            [
                bulk("id"), bulk(NodesPlay.ids[number]), bulk("port"), ":\(port)\r\n", bulk("ip"), bulk(host),
                bulk("endpoint"), bulk(host),
            ] + more + [bulk("role"), bulk(role), bulk("health"), bulk("online")])
    }

    @Test(arguments: [2, 3]) func `shards name the gateway's ports, and no hostname`(version: Int) {
        let slots = array(":0\r\n", ":5460\r\n")
        let answer = NodesPlay().answer(
            version, ["CLUSTER", "SHARDS"],
            array(
                Self.shard(
                    version, slots,
                    [
                        Self.member(
                            version, 0, "10.0.0.1", 6379, "master",
                            more: [bulk("hostname"), bulk("one.10.0.0.1"), bulk("new"), bulk("10.0.0.1")]),
                        Self.member(version, 3, "10.0.0.4", 6379, "replica"),
                        Self.member(version, 2, "10.0.0.3", 6379, "replica", more: [bulk("tls-port"), ":6379\r\n"]),
                    ]),
                Self.shard(version, slots, [Self.member(version, 3, "10.0.0.4", 6379, "master")])))
        #expect(
            answer
                == array(
                    Self.shard(
                        version, slots,
                        [
                            Self.member(version, 0, "gate.test", 9300, "master"),
                            Self.member(
                                version, 2, "gate.test", 9302, "replica", more: [bulk("tls-port"), ":9302\r\n"]),
                        ])))
    }

    @Test(arguments: [2, 3]) func `the list of nodes names the gateway's ports, and no bus`(version: Int) {
        let answer = NodesPlay().answer(
            version, ["CLUSTER", "NODES"],
            Self.text(
                version,
                NodesPlay.nodes + NodesPlay.line(1, address: "10.0.0.2:6379@16379,two.internal,shard-id=1")
                    + "\(String(repeating: "e", count: 40)) 10.0.0.9:6379@16379 master - 0 0 9 connected\n\nodd 10.0.0.9\n"
            ))
        #expect(
            answer
                == Self.text(
                    version,
                    NodesPlay.line(2, " 10923-16383 [93-<-\(NodesPlay.ids[0])]", address: "gate.test:9302@0")
                        + NodesPlay.line(0, " 0-5460", flags: "myself,master", address: "gate.test:9300@0")
                        + NodesPlay.line(1, " 5461-10922", address: "gate.test:9301@0")
                        + NodesPlay.line(1, address: "gate.test:9301@0")))
    }

    // MARK: One server and its replicas

    @Test(arguments: [2, 3]) func `a primary's role names the replicas that have a port`(version: Int) {
        func replica(_ host: String, _ port: Int) -> String { array(bulk(host), bulk("\(port)"), bulk("14")) }
        let answer = NodesPlay().answer(
            version, ["ROLE"],
            array(
                bulk("master"), ":14\r\n",
                array(replica("10.0.0.2", 6379), replica("10.0.0.9", 6379), replica("10.0.0.4", 6379))))
        #expect(answer == array(bulk("master"), ":14\r\n", array(replica("gate.test", 9301))))
    }

    @Test func `a replica's role names its primary, or nobody`() {
        func role(_ host: String, _ port: Int) -> String {
            array(bulk("slave"), bulk(host), ":\(port)\r\n", bulk("connected"), ":14\r\n")
        }
        #expect(NodesPlay().answer(2, ["ROLE"], role("10.0.0.3", 6379)) == role("gate.test", 9302))
        #expect(NodesPlay().answer(2, ["ROLE"], role("10.0.0.9", 6379)) == role("", 0))
    }

    @Test(arguments: [2, 3]) func `information is without the server's addresses and files`(version: Int) {
        let told = """
            # Server\r
            redis_version:7.4.0\r
            tcp_port:6379\r
            executable:/usr/bin/redis-server\r
            config_file:/etc/redis/redis.conf\r
            listener0:name=tcp,bind=10.0.0.1,port=6379\r
            new_thing:/somewhere\r
            other_thing:10.0.0.1:6379\r
            \r
            # Replication\r
            role:slave\r
            master_host:10.0.0.2\r
            master_port:6379\r
            master_link_status:up\r
            slave0:ip=10.0.0.3,port=6379,state=online,offset=14,lag=0\r
            slave1:ip=10.0.0.9,port=6379,state=online,offset=14,lag=0\r
            master0:name=main,status=ok,address=10.0.0.1:6379,slaves=1,sentinels=1\r
            slave_repl_offset:14\r
            # Keyspace\r
            db0:keys=1,expires=0,avg_ttl=0\r

            """
        let answer = NodesPlay().answer(version, ["INFO"], Self.text(version, told))
        let wanted = """
            # Server\r
            redis_version:7.4.0\r
            tcp_port:9300\r
            \r
            # Replication\r
            role:slave\r
            master_host:gate.test\r
            master_port:9301\r
            master_link_status:up\r
            slave0:ip=gate.test,port=9302,state=online,offset=14,lag=0\r
            slave_repl_offset:14\r
            # Keyspace\r
            db0:keys=1,expires=0,avg_ttl=0\r

            """
        #expect(answer == Self.text(version, wanted))
    }

    @Test func `without advertised ports no node is named`() {
        var play = RedisPlay()
        play.rehearsal = RedisRehearsal(nodes: [("10.0.0.1", 6379)])
        let said = play.play([
            .ask("INFO"), .reply(bulk("tcp_port:6379\r\nslave0:ip=10.0.0.1,port=6379\r\nrole:master")), .ask("ROLE"),
            .reply(array(bulk("slave"), bulk("10.0.0.1"), ":6379\r\n", bulk("connected"), ":1\r\n")),
        ])
        #expect(
            said.toClient
                == bulk("role:master") + array(bulk("slave"), bulk(""), ":0\r\n", bulk("connected"), ":1\r\n"))
    }

    // MARK: Errors

    @Test(arguments: [
        ("-MOVED 3999 10.0.0.2:6379\r\n", "-MOVED 3999 gate.test:9301\r\n"),
        ("-ASK 3999 10.0.0.3:6379\r\n", "-ASK 3999 gate.test:9302\r\n"),
        ("-MOVED 3999 :6379\r\n", "-MOVED 3999 gate.test:9300\r\n"),
        ("!24\r\nMOVED 3999 10.0.0.3:6379\r\n", "-MOVED 3999 gate.test:9302\r\n"),
        ("|1\r\n+a\r\n:1\r\n-ASK 1 10.0.0.1:6379\r\n", "-ASK 1 gate.test:9300\r\n"),
        ("-ERR syntax error\r\n", "-ERR syntax error\r\n"), ("-MISCONF no\r\n", "-MISCONF no\r\n"),
    ])
    func `a redirection names the gateway's port`(reply: String, wanted: String) {
        // The second command has an answer of another shape, the third writes.
        for command in [["TTL", "a"], ["XRANGE", "customers", "-", "+"], ["SET", "a", "b"]] {
            #expect(NodesPlay().answer(2, command, reply) == wanted)
        }
    }

    @Test(arguments: [
        "-MOVED 3999 10.0.0.9:6379\r\n", "-ASK 3999 10.0.0.4:6379\r\n", "-MOVED 3999 ?:6379x\r\n",
        "-MOVED 10.0.0.1:6379\r\n", "-MOVED\r\n", "-ASK 99999 10.0.0.1:6379\r\n", "-MOVED 1 10.0.0.1:6379 10.0.0.1\r\n",
    ])
    func `a redirection to nobody asks the client to try again, and the cluster who is there`(reply: String) {
        let nodes = NodesPlay()
        _ = nodes.rehearsal.takeWish()
        #expect(nodes.answer(2, ["TTL", "a"], reply).hasPrefix("-TRYAGAIN "))
        #expect(nodes.rehearsal.takeWish())
    }

    @Test func `redirections and lists inside a transaction name the gateway's ports`() {
        let said = NodesPlay().play.play([
            .ask("MULTI"), .reply("+OK\r\n"), .ask("GET", "b"), .reply("+QUEUED\r\n"), .ask("CLUSTER", "NODES"),
            .reply("+QUEUED\r\n"), .ask("TTL", "c"), .reply("+QUEUED\r\n"), .ask("EXEC"),
            .reply(array("-ASK 1 10.0.0.3:6379\r\n", bulk(NodesPlay.line(1)), ":7\r\n")), .ask("MULTI"),
            .reply("+OK\r\n"), .ask("GET", "a"), .reply("-MOVED 1 10.0.0.2:6379\r\n"),
        ])
        #expect(
            said.toClient
                == "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n"
                + array("-ASK 1 gate.test:9302\r\n", bulk(NodesPlay.line(1, address: "gate.test:9301@0")), ":7\r\n")
                + "+OK\r\n-MOVED 1 gate.test:9301\r\n")
    }

    @Test func `what is no such answer reaches nobody`() {
        for (words, reply) in [
            (["CLUSTER", "SLOTS"], array(array(bulk("10.0.0.1")))), (["CLUSTER", "SLOTS"], bulk("10.0.0.1")),
            (["CLUSTER", "SHARDS"], array(array(bulk("nodes")))), (["CLUSTER", "NODES"], array(bulk("10.0.0.1"))),
            (["ROLE"], array(bulk("other"), bulk("10.0.0.1"))), (["ROLE"], "*0\r\n"), (["INFO"], ":6379\r\n"),
            (["CLUSTER", "SLOTS"], array(array(":1\r\n", ":2\r\n", array(bulk("10.0.0.1"))))),
        ] {
            #expect(NodesPlay().answer(2, words, reply).hasPrefix("-ERR the answer is not understood"))
        }
    }

    @Test func `answers that are changed anywhere never trap, and never name a node`() {
        var random = SeededGenerator(seed: 7)
        let replies: [([String], String)] = [
            (["CLUSTER", "SLOTS"], array(array(":0\r\n", ":5460\r\n", Self.node("10.0.0.1", 6379, 0, "%0\r\n")))),
            (["CLUSTER", "SHARDS"], array(Self.shard(3, "*0\r\n", [Self.member(3, 0, "10.0.0.1", 6379, "master")]))),
            (["CLUSTER", "NODES"], bulk(NodesPlay.nodes)),
            (["INFO"], bulk("tcp_port:1\r\nslave0:ip=10.0.0.1,port=6379")),
            (["ROLE"], array(bulk("slave"), bulk("10.0.0.1"), ":6379\r\n", bulk("connected"), ":1\r\n")),
            (["TTL", "a"], "-MOVED 12 10.0.0.1:6379\r\n"),
        ]
        let nodes = NodesPlay()
        for round in 0..<1200 {
            let (words, reply) = replies[round % replies.count]
            var bytes = Array(reply.utf8)
            for _ in 0...Int.random(in: 0..<3, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[at] = bytes[Int.random(in: 0..<bytes.count, using: &random)]
                default: bytes.remove(at: at)
                }
            }
            let result = TestSupport.play(
                [.ask("AUTH", "analyst-token"), .client(RedisTests.command(words)), .backend(bytes)], .whole,
                kit: { nodes.play.kit($0) }, machine: { nodes.rehearsal.machine(for: $0) })
            #expect(result.faults == [])
            // One that is no redirection any more is an error that names whatever it names.
            if words[0] != "TTL" {
                #expect(!String(decoding: result.toClient, as: UTF8.self).contains("10.0.0.1"), "\(bytes)")
            }
        }
    }
}
