import TidegateCore
import TidegateRedis
import TidegateWire

/// A relaying Redis connection: so many commands from the client, and their answers.
final class RedisExchange {
    private let connection: DrivenConnection
    private let commands: [UInt8]
    private let answers: [UInt8]

    init(_ backend: RedisBackend, maskers: [any Masker] = [], _ words: [String], answer: String, times: Int = 1) {
        let surroundings = Surroundings(RedisBackend.declaration, maskers: maskers)
        let session = surroundings.makeSession()
        connection = DrivenConnection(backend.makeMachine(for: session), surroundings, session: session)
        connection.tell(.accepted)
        connection.offer(RedisExchange.command(["AUTH", "any", "token"]), from: .client)
        connection.tell(.connected)
        commands = [[UInt8]](repeating: RedisExchange.command(words), count: times).flatMap { $0 }
        answers = [[UInt8]](repeating: Array(answer.utf8), count: times).flatMap { $0 }
        run()
        precondition(connection.bytesToClient > answer.utf8.count / 2, "the answer does not reach the client")
    }

    func run() {
        precondition(connection.offer(commands, 0..<commands.count, from: .client) == commands.count)
        precondition(connection.offer(answers, 0..<answers.count, from: .backend) == answers.count)
        connection.surroundings.takeEvidence()
    }

    static func command(_ words: [String]) -> [UInt8] { Array(array(words.map(bulk)).utf8) }
    static func bulk(_ text: String) -> String { "$\(text.utf8.count)\r\n\(text)\r\n" }
    static func array(_ elements: [String]) -> String { "*\(elements.count)\r\n\(elements.joined())" }

    /// As XREAD answers: one stream, entries with an id field and an order.
    static func entries(_ count: Int) -> String {
        let order = String(decoding: Documents.orders.all[0], as: UTF8.self)
        let entries = (1...count).map { number in
            array([bulk("\(number)-0"), array([bulk("id"), bulk("ord-\(number)"), bulk("order"), bulk(order)])])
        }
        return array([array([bulk("orders"), array(entries)])])
    }
}

extension Suite {
    static func makeRedis() throws -> RedisBackend {
        let here = ConfigurationMark(file: "benchmark", line: 1, column: 1)
        func text(_ words: String) -> ConfigurationNode {
            ConfigurationNode(.scalar(words, isQuoted: false), mark: here, path: words)
        }
        return try RedisBackend(
            name: "bench",
            settings: ConfigurationNode(
                .mapping([(key: text("address"), value: text("127.0.0.1:6379"))]), mark: here, path: "redis"),
            services: BackendServices(log: Log(minimum: .error), secrets: NoSecrets(), sideConnections: nil))
    }

    /// Commands read, decided and passed, answers walked, admitted and passed.
    func addRedis(_ backend: RedisBackend, _ maskers: [(name: String, masker: any Masker)]) {
        let one: [(words: [String], answer: String)] = [
            (["PING"], "+PONG\r\n"), (["GET", "bench-key"], RedisExchange.bulk("value")),
            (["SET", "bench-key", "value"], "+OK\r\n"), (["XACK", "orders", "group", "1-0"], ":1\r\n"),
            (["XADD", "orders", "*", "id", "ord-1"], RedisExchange.bulk("1700000000000-0")),
            (["HGETALL", "bench-hash"], RedisExchange.array(["a", "1", "b", "2"].map(RedisExchange.bulk))),
        ]
        for (words, answer) in one {
            add(
                "redis/\(words[0]), 16 in a pipeline", allocating: .none, items: 16,
                on: { RedisExchange(backend, words, answer: answer, times: 16) }, { $0.run() })
        }
        let read = ["XREAD", "COUNT", "100", "STREAMS", "orders", "0"]
        let answer = RedisExchange.entries(100)
        add(
            "redis/XREAD, 100 entries", allocating: .none, bytes: answer.utf8.count, items: 100,
            on: { RedisExchange(backend, read, answer: answer) }, { $0.run() })
        for (name, masker) in maskers {
            add(
                "redis/XREAD, 100 entries, \(name)", allocating: masker is CopyingMasker ? .none : .counted,
                bytes: answer.utf8.count, items: 100,
                on: { RedisExchange(backend, maskers: [masker], read, answer: answer) }, { $0.run() })
        }
    }
}
