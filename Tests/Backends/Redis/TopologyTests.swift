import TestSupport
import Testing
import TidegateCore
import TidegateRedis

@Suite struct TopologyTests {
    private static let three: [(host: String, port: UInt16)] = [
        ("10.0.0.1", 6379), ("10.0.0.2", 6379), ("10.0.0.3", 6379),
    ]
    private static func id(_ letter: String) -> String { String(repeating: letter, count: 40) }
    private static func line(_ letter: String, _ address: String, _ flags: String = "master") -> String {
        "\(id(letter)) \(address) \(flags) - 0 0 1 connected\n"
    }

    // MARK: Numbers

    @Test func `configured nodes come first in their order, then the others by id, whatever the answer's order`() {
        let cluster = RedisRehearsal(discovering: .cluster(Self.three))
        #expect(cluster.nodes == [])
        cluster.take(
            nodes: Self.line("1", "10.0.0.7:1@2") + Self.line("9", "10.0.0.1:6379@2") + Self.line("0", "10.0.0.8:1@2")
                + Self.line("5", "10.0.0.3:6379@2") + Self.line("7", "10.0.0.2:6379@2", "myself,slave"))
        #expect(
            cluster.nodes == ["10.0.0.1:6379", "10.0.0.2:6379", "10.0.0.3:6379", "10.0.0.8:1", "10.0.0.7:1"])
        #expect(cluster.targets == cluster.nodes)
    }

    @Test func `a number is kept while its node lives, and then given again`() {
        let cluster = RedisRehearsal(discovering: .cluster([("10.0.0.1", 6379)]))
        let first = Self.line("f", "10.0.0.1:6379@2", "myself,master")
        cluster.take(nodes: first + Self.line("2", "10.0.0.2:1@2") + Self.line("3", "10.0.0.3:1@2"))
        #expect(cluster.nodes == ["10.0.0.1:6379", "10.0.0.2:1", "10.0.0.3:1"])
        cluster.take(nodes: first + Self.line("3", "10.0.0.3:1@2"))
        #expect(cluster.nodes == ["10.0.0.1:6379", "-", "10.0.0.3:1"])
        // A lower id than the others' moves nobody.
        cluster.take(
            nodes: first + Self.line("3", "10.0.0.33:1@2") + Self.line("1", "10.0.0.4:1@2")
                + Self.line("4", "10.0.0.5:1@2"))
        #expect(cluster.nodes == ["10.0.0.1:6379", "10.0.0.4:1", "10.0.0.33:1", "10.0.0.5:1"])
        // A configured node that was made anew has its old number.
        cluster.take(
            nodes: Self.line("e", "10.0.0.1:6379@2", "myself,master") + Self.line("3", "10.0.0.33:1@2")
                + Self.line("1", "10.0.0.4:1@2"))
        #expect(cluster.nodes == ["10.0.0.1:6379", "10.0.0.4:1", "10.0.0.33:1"])
        // One that was reset, and knows nobody, is not believed.
        #expect(!cluster.take(nodes: Self.line("d", "10.0.0.1:6379@2", "myself,master")))
        #expect(cluster.nodes.count == 3)
    }

    @Test func `nodes that are configured by name are asked who they are`() {
        let cluster = RedisRehearsal(discovering: .cluster([("one", 6379), ("two", 6379), ("three", 6379)]))
        func nodes(_ myself: String) -> String {
            ["a", "b", "c", "d"].enumerated().map {
                Self.line(
                    $1, "10.0.0.\($0 + 1):6379@2\($1 == "c" ? ",three" : "")", $1 == myself ? "myself,master" : "master"
                )
            }.joined()
        }
        #expect(!cluster.take(nodes: nodes("b"), from: 0))
        #expect(cluster.nodes == [])
        #expect(cluster.take(nodes: nodes("a"), from: 1))
        #expect(cluster.nodes == ["10.0.0.2:6379", "10.0.0.1:6379", "10.0.0.3:6379", "10.0.0.4:6379"])
    }

    @Test func `a configured node that cannot be asked holds its number, and nobody up`() {
        let cluster = RedisRehearsal(discovering: .cluster([("one", 6379), ("two", 6380)]))
        let nodes = Self.line("a", "10.0.0.1:6379@2", "myself,master") + Self.line("b", "10.0.0.2:6379@2")
        // Before anybody answers, the whole cluster may not be there yet.
        cluster.fail(1)
        #expect(!cluster.take(nodes: nodes))
        cluster.fail(1)
        #expect(cluster.take(nodes: nodes))
        #expect(cluster.nodes == ["10.0.0.1:6379", "two:6380", "10.0.0.2:6379"])
        // It is asked at last.
        cluster.take(
            nodes: Self.line("a", "10.0.0.1:6379@2") + Self.line("b", "10.0.0.2:6379@2", "myself,master"), from: 1)
        #expect(cluster.nodes == ["10.0.0.1:6379", "10.0.0.2:6379", "-"])
    }

    @Test func `a node that does not know its address is where it was asked, and one that nobody has met is none`() {
        let cluster = RedisRehearsal(discovering: .cluster([("10.0.0.1", 6379)]))
        cluster.take(
            nodes: Self.line("a", ":6379@2", "myself,master") + Self.line("b", "10.0.0.2:6379@2", "handshake")
                + Self.line("c", ":0@0", "slave,fail,noaddr") + Self.line("d", "::1:7000@2,,shard-id=1"))
        #expect(cluster.nodes == ["10.0.0.1:6379", "::1:7000"])
    }

    @Test func `lists of nodes of any bytes never trap`() {
        var random = SeededGenerator(seed: 11)
        let text = NodesPlay.nodes + Self.line("e", "10.0.0.5:7000@17000,host,shard-id=2", "slave,fail?")
        let cluster = RedisRehearsal(discovering: .cluster(Self.three))
        for _ in 0..<2000 {
            var bytes = Array(text.utf8)
            for _ in 0...Int.random(in: 0..<12, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                if Bool.random(using: &random) {
                    bytes[at] = UInt8.random(in: 0...255, using: &random)
                } else {
                    bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1..<40, using: &random)))
                }
                if bytes.isEmpty { bytes = [0] }
            }
            cluster.take(nodes: String(decoding: bytes, as: UTF8.self), from: Int.random(in: 0..<3, using: &random))
            #expect(cluster.nodes.count < 20)
        }
    }

    // MARK: The side connection

    private func side(
        _ rehearsal: RedisRehearsal, place: Int = 0, _ transcript: [Happening],
        _ location: SourceLocation = #_sourceLocation
    ) -> WireResult {
        let (result, differences) = playAllWays(
            [.event(.accepted)] + transcript, kit: { RedisPlay().kit($0) }, machine: { _ in rehearsal.side(to: place) })
        #expect(differences == [], sourceLocation: location)
        return result
    }

    @Test(arguments: [false, true]) func `a node of the cluster is asked, and again when it is woken`(isVerbatim: Bool)
    {
        let cluster = RedisRehearsal(discovering: .cluster(Self.three))
        let text = NodesPlay.nodes
        let reply = isVerbatim ? "=\(text.utf8.count + 4)\r\ntxt:\(text)\r\n" : bulk(text)
        let result = side(
            cluster, place: 1,
            [.reply(bulk(NodesPlay.nodes)), .event(.woken), .reply(reply), .event(.woken), .event(.woken)])
        #expect(result.endpoints == ["10.0.0.2:6379"])
        #expect(
            String(decoding: result.toBackend, as: UTF8.self) == String(repeating: sent("CLUSTER", "NODES"), count: 3))
        #expect(cluster.nodes == ["10.0.0.1:6379", "10.0.0.2:6379", "10.0.0.3:6379", "10.0.0.4:6379"])
        #expect(result.closed == nil)
    }

    @Test func `a sentinel is asked with its own log-in, and the primary is node 0`() {
        let watched = RedisRehearsal(
            discovering: .sentinels([("10.0.0.8", 26379), ("10.0.0.9", 26379)], primary: "main", password: "quiet"))
        let result = side(
            watched, place: 1,
            [
                .reply("+OK\r\n"), .reply(array(bulk("10.0.0.2"), bulk("6380"))), .event(.woken),
                .reply(array(bulk("10.0.0.3"), bulk("6380"))),
            ])
        #expect(result.endpoints == ["10.0.0.9:26379"])
        let question = sent("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")
        #expect(String(decoding: result.toBackend, as: UTF8.self) == sent("AUTH", "quiet") + question + question)
        #expect(watched.nodes == ["10.0.0.3:6380"])
        #expect(watched.targets == ["10.0.0.8:26379", "10.0.0.9:26379"])
    }

    @Test(arguments: [
        "*-1\r\n", "-NOAUTH Authentication required.\r\n", "*1\r\n$1\r\na\r\n", "*2\r\n$1\r\na\r\n$1\r\nb\r\n",
        "*2\r\n$0\r\n\r\n$4\r\n6379\r\n", "*2\r\n$1\r\na\r\n$1\r\n0\r\n", "*2\r\n*0\r\n*0\r\n", "+OK\r\n", "$-1\r\n",
    ])
    func `a sentinel without an answer is left, and changes nothing`(reply: String) {
        let watched = RedisRehearsal(discovering: .sentinels([("10.0.0.8", 26379)], primary: "main", password: nil))
        watched.take(primary: "10.0.0.1", 6379)
        #expect(side(watched, [.reply(reply)]).closed == .ended)
        #expect(watched.nodes == ["10.0.0.1:6379"])
    }

    @Test(arguments: ["-ERR This instance has cluster support disabled\r\n", "*0\r\n", "_\r\n"])
    func `a server that is no cluster's node is left`(reply: String) {
        let cluster = RedisRehearsal(discovering: .cluster(Self.three))
        #expect(side(cluster, [.reply(reply)]).closed == .ended)
        #expect(side(cluster, [.reply(bulk(NodesPlay.nodes) + "+more\r\n")]).violation != nil)
        #expect(cluster.nodes.count == 4)
    }

    // MARK: Sessions

    private let logIn = Happening.ask("AUTH", "any", "analyst-token")

    private func harness(_ rehearsal: RedisRehearsal) -> WireHarness {
        let kit = RedisPlay().kit(false)
        let session = Session(
            id: "s1", route: kit.route, clientAddress: "192.0.2.7:40000", localPort: 9192,
            started: ScriptedAuthority.noon)
        return WireHarness(kit, rehearsal.machine(for: session))
    }

    @Test func `a client that comes before the servers are known waits for them`() {
        let watched = RedisRehearsal(discovering: .sentinels([("10.0.0.8", 26379)], primary: "main", password: nil))
        let harness = harness(watched)
        harness.play(logIn)
        harness.play(.ask("PING"))
        #expect(harness.result.toClient == [] && harness.result.endpoints == [])
        #expect(watched.takeWish())
        watched.failRound()
        harness.play(.wait(1))
        #expect(harness.result.toClient == [] && harness.result.closed == nil)
        watched.take(primary: "10.0.0.1", 6379)
        harness.play(.wait(1))
        let result = harness.finish()
        #expect(result.endpoints == ["10.0.0.1:6379"])
        #expect(String(decoding: result.toClient, as: UTF8.self) == "+OK\r\n")
        #expect(String(decoding: result.toBackend, as: UTF8.self) == sent("PING"))
    }

    @Test(arguments: [true, false]) func `where nobody knows the servers, it is let go`(isRetired: Bool) {
        let watched = RedisRehearsal(discovering: .sentinels([("10.0.0.8", 26379)], primary: "main", password: nil))
        let harness = harness(watched)
        harness.play(logIn)
        if isRetired {
            watched.retire()
        } else {
            for _ in 0..<3 {
                #expect(harness.result.closed == nil)
                watched.failRound()
                harness.play(.wait(1))
            }
        }
        harness.play(.wait(1))
        #expect(harness.finish().closed == .backendUnreachable)
    }

    @Test func `a node that nobody knows is asked about once, and then the client is let go`() {
        let nodes = NodesPlay()
        var play = nodes.play
        play.advertise?.ports = 9190...9199
        // Port 9192 is the third node's; then only two are left.
        let kit = play.kit(false)
        nodes.rehearsal.take(nodes: NodesPlay.line(0) + NodesPlay.line(1))
        let session = Session(
            id: "s1", route: kit.route, clientAddress: "192.0.2.7:40000", localPort: 9196,
            started: ScriptedAuthority.noon)
        let harness = WireHarness(kit, nodes.rehearsal.machine(for: session))
        harness.play(logIn)
        #expect(harness.result.closed == nil && nodes.rehearsal.takeWish())
        nodes.rehearsal.take(nodes: NodesPlay.line(0) + NodesPlay.line(1))
        harness.play(.wait(1))
        #expect(harness.finish().closed == .backendUnreachable)
    }

    @Test func `sessions of a primary that was replaced end, those of others do not`() {
        let watched = RedisRehearsal(discovering: .sentinels([("10.0.0.8", 26379)], primary: "main", password: nil))
        watched.take(primary: "10.0.0.1", 6379)
        let harness = harness(watched)
        harness.play(logIn)
        harness.play(.ask("XREAD", "BLOCK", "0", "STREAMS", "orders", "$"))
        watched.take(primary: "10.0.0.1", 6379)
        harness.play(.event(.woken))
        #expect(harness.result.closed == nil)
        watched.take(primary: "10.0.0.2", 6379)
        harness.play(.event(.woken))
        #expect(harness.finish().closed == .backendEnded)
    }

    // MARK: Configuration

    @Test func `only a cluster, or replicas, must say where their nodes are`() {
        func node(_ key: String) -> ConfigurationNode {
            let mark = ConfigurationMark(file: "", line: 1, column: 1)
            func text(_ text: String) -> ConfigurationNode {
                ConfigurationNode(.scalar(text, isQuoted: false), mark: mark, path: "")
            }
            return ConfigurationNode(.mapping([(text(key), text("127.0.0.1:1"))]), mark: mark, path: "")
        }
        let requires = RedisBackend.declaration.requiresAdvertise
        #expect(
            ["address", "replicas", "sentinel", "cluster"].map { requires(node($0)) } == [false, true, false, true])
    }
}
