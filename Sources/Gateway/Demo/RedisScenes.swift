import Foundation

/// The same people and the same masks on a Redis stream.
struct RedisScenes {
    let screen: DemoScreen
    let issuer: DevelopmentIssuer
    let server: RedisServer
    let password: String
    /// The gateway's port.
    let port: UInt16

    private static let stream = DemoConfiguration.topic
    private static let count = 20

    /// An entry: its id, and its fields by name.
    private struct Entry: Equatable {
        var id: String
        var fields: [String: String]

        /// As one document, so that paths go through fields into what they hold.
        var document: FlatJSON? {
            let members = fields.map { name, value in
                value.hasPrefix("{") || value.hasPrefix("[") ? "\"\(name)\":\(value)" : "\"\(name)\":\"\(value)\""
            }
            return FlatJSON(Array("{\(members.joined(separator: ","))}".utf8))
        }
    }

    func play(evidence directory: String) async throws {
        screen.title("Redis Streams, the same people, the same masks (redis-server \(server.version))")
        let (server, password) = (server.port, password)
        let clear = try await blocking { try RedisScenes.seed(server, password) }
        screen.step(
            "stream \(RedisScenes.stream) holds \(clear.count) orders, a field for each part",
            problem: clear.count == RedisScenes.count ? nil : "\(RedisScenes.count) were added")
        try await analystReads(clear)
        try await ownerReads(clear)
        try await refusals()
        try await checkEvidence(directory, clear)
    }

    private static func seed(_ port: UInt16, _ password: String) throws -> [Entry] {
        let client = try RedisClient(port: port, password: [password])
        var samples = SampleOrders()
        for number in 1...RedisScenes.count {
            let order = samples.next(number)
            let parts = try JSONSerialization.jsonObject(with: Data(order.json.utf8)) as? [String: Any] ?? [:]
            var words = ["XADD", RedisScenes.stream, "\(number)-0"]
            for (name, part) in parts.sorted(by: { $0.key < $1.key }) {
                let isDocument = JSONSerialization.isValidJSONObject(part)
                words += [
                    name,
                    isDocument
                        ? String(
                            decoding: try JSONSerialization.data(withJSONObject: part, options: .sortedKeys),
                            as: UTF8.self) : "\(part)",
                ]
            }
            _ = try client.ask(words)
        }
        return RedisScenes.entries(try client.ask("XRANGE", RedisScenes.stream, "-", "+"))
    }

    private func analystReads(_ clear: [Entry]) async throws {
        let (port, token) = (port, try mint(.analyst))
        // A group is made by whoever may alter the stream.
        let owner = try RedisClient(port: server.port, password: [password])
        _ = try owner.ask("XGROUP", "CREATE", RedisScenes.stream, DemoConfiguration.analystGroup, "0")
        let (masked, acknowledged) = try await blocking {
            let client = try RedisClient(port: port, password: ["analyst", token])
            let read = try client.ask(
                "XREADGROUP", "GROUP", DemoConfiguration.analystGroup, "demo", "COUNT", "100", "STREAMS",
                RedisScenes.stream, ">")
            let entries = RedisScenes.entries(read.elements.first?.elements.last ?? .none)
            let ids = entries.map(\.id)
            return (
                entries, try client.ask(["XACK", RedisScenes.stream, DemoConfiguration.analystGroup] + ids)
            )
        }
        screen.step(
            "the analyst reads \(masked.count) entries with XREADGROUP, and acknowledges them",
            problem: masked.count != clear.count
                ? "\(clear.count) were there" : acknowledged == .number(Int64(clear.count)) ? nil : "\(acknowledged)")
        screen.step(
            "what the topic's masks hide is hidden here too, all else is as it was",
            problem: zip(clear, masked).lazy.compactMap(RedisScenes.unmasked).first)
        if let first = masked.first, let before = clear.first?.document, let after = first.document {
            screen.compare([("entry \(first.id) on the server", before), ("as the analyst gets it", after)])
        }
    }

    /// What is wrong with one entry that the analyst got, or nil.
    private static func unmasked(_ clear: Entry, _ masked: Entry) -> String? {
        guard clear.id == masked.id, let before = clear.document?.fields, let after = masked.document?.fields,
            before.keys == after.keys
        else { return "entry \(clear.id) has other fields" }
        for (name, value) in before where (after[name] != value) != DemoConfiguration.hides(name) {
            return "\(name) of \(clear.id) \(after[name] != value ? "should be as it was" : "is not masked")"
        }
        return nil
    }

    private func ownerReads(_ clear: [Entry]) async throws {
        let (port, token) = (port, try mint(.dataOwner))
        let owned = try await blocking {
            RedisScenes.entries(
                try RedisClient(port: port, password: ["data-owner", token])
                    .ask("XRANGE", RedisScenes.stream, "-", "+"))
        }
        screen.step(
            "the data owner gets them as the server has them", problem: owned == clear ? nil : "something differs")
    }

    private func refusals() async throws {
        let (port, contractor, analyst) = (port, try mint(.contractor), try mint(.analyst))
        let answers = try await blocking {
            let outsider = try RedisClient(port: port, password: ["contractor", contractor])
            let insider = try RedisClient(port: port, password: ["analyst", analyst])
            return [
                ("the contractor reads", try outsider.ask("XREAD", "STREAMS", RedisScenes.stream, "0")),
                ("the analyst writes", try insider.ask("XADD", RedisScenes.stream, "*", "id", "mine")),
                (
                    "the analyst goes around the mask with a script",
                    try insider.ask("EVAL", "return redis.call('XRANGE', KEYS[1], '-', '+')", "1", RedisScenes.stream)
                ),
            ]
        }
        for (who, answer) in answers {
            if case .error(let words) = answer, words.hasPrefix("NOPERM") {
                screen.step("\(who): \(words)")
            } else {
                screen.step("\(who): refused", problem: "\(answer)")
            }
        }
    }

    private func checkEvidence(_ directory: String, _ clear: [Entry]) async throws {
        let expected = "\(clear.first?.id ?? "")–\(clear.last?.id ?? "")"
        let evidence = try DemoEvidence(directory: directory)
        for person in [DemoPerson.analyst, .dataOwner] {
            let handed = evidence.entries(to: person.name)
            screen.step(
                "\(person.name) was handed the entries \(handed.joined(separator: ", "))",
                problem: handed == [expected] ? nil : "the stream has \(expected)")
        }
    }

    private static func entries(_ reply: RedisClient.Reply) -> [Entry] {
        reply.elements.map { element in
            let parts = element.elements
            let words = parts.last?.elements.map(\.string) ?? []
            var fields: [String: String] = [:]
            for index in stride(from: 0, to: words.count - 1, by: 2) { fields[words[index]] = words[index + 1] }
            return Entry(id: parts.first?.string ?? "", fields: fields)
        }
    }

    private func mint(_ person: DemoPerson) throws -> String {
        try issuer.mint(subject: person.name, groups: person.groups)
    }
}
