import TestSupport
import Testing
import TidegateCore
import TidegateKafka

/// Requests and answers of Fetch in any version, by topic name.
enum Fetching {
    static func request(
        _ version: Int16, _ topics: [String], session: Int64 = 0, epoch: Int64 = -1, forgotten: [String] = [],
        correlation: Int32 = 10, extra: [String: MessageValue] = [:]
    ) -> [UInt8] {
        var values: [String: MessageValue] = [
            "ReplicaId": .integer(-1), "MaxWaitMs": .integer(500), "MinBytes": .integer(1),
            "MaxBytes": .integer(52_428_800), "SessionId": .integer(session), "SessionEpoch": .integer(epoch),
            "Topics": .list(
                topics.map { name in
                    .fields([
                        "Topic": .text(name), "TopicId": .id(Rehearsing.names[name] ?? Rehearsing.unheard),
                        "Partitions": .list([
                            .fields([
                                "Partition": .integer(0), "FetchOffset": .integer(40),
                                "CurrentLeaderEpoch": .integer(-1),
                                "LogStartOffset": .integer(-1), "LastFetchedEpoch": .integer(-1),
                                "PartitionMaxBytes": .integer(1_048_576),
                            ])
                        ]),
                    ])
                }),
            "ForgottenTopicsData": .list(
                forgotten.map { name in
                    .fields([
                        "Topic": .text(name), "TopicId": .id(Rehearsing.names[name] ?? Rehearsing.unheard),
                        "Partitions": .list([.integer(0)]),
                    ])
                }),
        ]
        values.merge(extra) { $1 }
        return KafkaInspection.request(1, version, correlation: correlation, values)
    }

    static func response(
        _ version: Int16, _ topics: [(name: String, records: [UInt8])], session: Int64 = 0, error: Int64 = 0,
        correlation: Int32 = 10, logStart: Int64 = 0, extra: [String: MessageValue] = [:]
    ) -> [UInt8] {
        var values: [String: MessageValue] = [
            "ErrorCode": .integer(error), "SessionId": .integer(session),
            "Responses": .list(
                topics.map { name, records in
                    .fields([
                        "Topic": .text(name), "TopicId": .id(Rehearsing.names[name] ?? Rehearsing.unheard),
                        "Partitions": .list([
                            .fields([
                                "PartitionIndex": .integer(0), "HighWatermark": .integer(100),
                                "LastStableOffset": .integer(100), "LogStartOffset": .integer(logStart),
                                "AbortedTransactions": .list([
                                    .fields(["ProducerId": .integer(4), "FirstOffset": .integer(41)])
                                ]),
                                "PreferredReadReplica": .integer(-1), "Records": .text(records),
                            ])
                        ]),
                    ])
                }),
        ]
        values.merge(extra) { $1 }
        return KafkaInspection.response(1, version, correlation: correlation, values)
    }

    /// `name:error` of each partition, names by id where the version has ids.
    static func partitions(_ frame: [UInt8], _ version: Int16) -> [String]? {
        guard let fields = KafkaInspection.fields(ofResponse: frame, 1, version) else { return nil }
        var topic = ""
        var found: [String] = []
        for field in fields {
            let value = String(field[field.index(after: field.firstIndex(of: "=") ?? field.startIndex)...])
            if field.hasPrefix("Responses."), field.contains(".Topic=") { topic = value }
            if field.hasPrefix("Responses."), field.contains(".TopicId=") {
                topic = Rehearsing.names.first { "\($0.value.high):\($0.value.low)" == value }?.key ?? value
            }
            if field.contains(".ErrorCode="), field.contains(".Partitions.") { found.append("\(topic):\(value)") }
        }
        return found
    }

    /// The records of the only or last partition that has any, found by their length at the end of the frame.
    static func asked(_ frame: [UInt8], _ version: Int16) -> [String] {
        (KafkaInspection.fields(ofRequest: frame, 1, version) ?? ["unreadable"]).filter {
            $0.contains(".Topic=") || $0.contains(".TopicId=")
        }.map { String($0.split(separator: "=")[1]) }.map { text in
            Rehearsing.names.first { "\($0.value.high):\($0.value.low)" == text }?.key ?? text
        }
    }
}

@Suite struct FetchTests {
    private let batch = SampleBatch(at: 40, ["one", "two", "three"]).bytes

    @Test(arguments: Int16(4)...18)
    func `what is allowed passes as the very bytes, both ways`(version: Int16) {
        let request = Fetching.request(version, ["orders", "payments"])
        let more = SampleBatch(at: 43, codec: 1, ["four"]).bytes
        let response = Fetching.response(version, [("orders", batch + more), ("payments", [])])
        let outcome = Rehearsing().play([.client(request), .backend(response)])
        #expect(outcome.toBackend == request)
        #expect(outcome.toClient == response)
        // Not one byte of it was copied.
        #expect(!outcome.steps.contains { if case .put = $0 { true } else { false } })
        let delivered = outcome.whole.lines.filter { $0.contains("records.delivered") }.joined()
        #expect(delivered.contains(#""resource":"topic:orders""#), "\(outcome.whole.lines)")
        #expect(delivered.contains("40") && delivered.contains("43"))
    }

    @Test(arguments: Int16(4)...18)
    func `denied topics come back as Kafka's error beside the others`(version: Int16) {
        let outcome = Rehearsing().play([
            .client(Fetching.request(version, ["orders", "secret", "payments"])),
            .backend(Fetching.response(version, [("orders", batch)])),
        ])
        #expect(Fetching.asked(outcome.toBackend, version) == ["orders", "payments"])
        #expect(Fetching.partitions(outcome.toClient, version) == ["secret:29", "orders:0"])
        #expect(outcome.toClient.holds(batch))
        #expect(outcome.whole.lines.contains { $0.contains("operation.denied") && $0.contains("topic:secret") })
    }

    @Test(arguments: Int16(4)...18)
    func `with everything denied the gateway answers alone`(version: Int16) {
        let outcome = Rehearsing(judge: Rehearsing.nothing).play([
            .client(Fetching.request(version, ["orders", "secret"]))
        ])
        #expect(outcome.toBackend.isEmpty)
        #expect(Fetching.partitions(outcome.toClient, version) == ["orders:29", "secret:29"])
    }

    @Test(arguments: Int16(4)...18)
    func `a replica's fields are refused`(version: Int16) throws {
        let fields: [String: MessageValue] =
            version <= 14 ? ["ReplicaId": .integer(2)] : ["ReplicaState": .fields(["ReplicaId": .integer(2)])]
        let outcome = Rehearsing(judge: Rehearsing.everything).play([
            .client(Fetching.request(version, ["orders"], extra: fields))
        ])
        #expect(outcome.toBackend.isEmpty)
        if version >= 7 {
            let answer = try #require(KafkaInspection.fields(ofResponse: outcome.toClient, 1, version))
            #expect(answer.contains("ErrorCode=31"))
        } else {
            #expect(Fetching.partitions(outcome.toClient, version) == ["orders:31"])
        }
    }

    @Test func `another connection's session id is not found`() throws {
        let outcome = Rehearsing().play([.client(Fetching.request(13, [], session: 4711, epoch: 5))])
        #expect(outcome.toBackend.isEmpty)
        #expect(try #require(KafkaInspection.fields(ofResponse: outcome.toClient, 1, 13)).contains("ErrorCode=70"))
    }

    @Test(arguments: [Int16(7), 11, 12, 13, 18])
    func `a session repeats what is denied and adds what is allowed later`(version: Int16) {
        let allowed = ScriptedPolicy(judge: Rehearsing.everything)
        let outcome = Rehearsing().play([
            .client(Fetching.request(version, ["orders", "secret"], epoch: 0)),
            .backend(Fetching.response(version, [("orders", [])], session: 77)),
            .client(Fetching.request(version, [], session: 77, epoch: 1)),
            .backend(Fetching.response(version, [], session: 77)),
            .reload(allowed),
            .client(Fetching.request(version, [], session: 77, epoch: 2)),
            .backend(Fetching.response(version, [("secret", batch)], session: 77)),
            .client(Fetching.request(version, [], session: 77, epoch: 3)),
            .backend(Fetching.response(version, [], session: 77)),
        ])
        #expect(outcome.forwarded.map { Fetching.asked($0, version) } == [["orders"], [], ["secret"], []])
        #expect(
            outcome.frames.map { Fetching.partitions($0, version) }
                == [["secret:29", "orders:0"], ["secret:29"], ["secret:0"], []])
        #expect(outcome.toClient.holds(batch))
    }

    @Test(arguments: [Int16(7), 12, 13, 18], [[], ["orders"]])
    func `what is revoked in a session is taken out of it, listed again or not`(version: Int16, listed: [String]) {
        let outcome = Rehearsing().play([
            .client(Fetching.request(version, ["orders", "payments"], epoch: 0)),
            .backend(Fetching.response(version, [("orders", batch)], session: 77)),
            .reload(
                ScriptedPolicy { _, question in Ruling(effect: question.name == "orders" ? .deny : .allow, rule: 1) }),
            .client(Fetching.request(version, listed, session: 77, epoch: 1)),
            .backend(Fetching.response(version, [("payments", batch)], session: 77)),
        ])
        #expect(Fetching.asked(outcome.forwarded.last ?? [], version) == ["orders"])  // the forgotten one
        let fields = KafkaInspection.fields(ofRequest: outcome.forwarded.last ?? [], 1, version) ?? []
        #expect(fields.contains("Topics#0") && fields.contains("ForgottenTopicsData#1"))
        #expect(outcome.whole.closed == nil)
        #expect(Fetching.partitions(outcome.frames.last ?? [], version) == ["orders:29", "payments:0"])
    }

    @Test(arguments: [Int16(4), 7, 12, 13, 18])
    func `what is revoked while an answer is awaited comes as an error without records`(version: Int16) {
        let outcome = Rehearsing().play([
            .client(Fetching.request(version, ["orders", "payments"])),
            .reload(
                ScriptedPolicy { _, question in Ruling(effect: question.name == "orders" ? .deny : .allow, rule: 1) }),
            .backend(
                Fetching.response(
                    version, [("orders", SampleBatch(at: 40, ["hidden"]).bytes), ("payments", batch)])),
        ])
        #expect(Fetching.partitions(outcome.toClient, version) == ["orders:29", "payments:0"])
        #expect(!outcome.toClient.holds("hidden") && outcome.toClient.holds(batch))
    }

    @Test(arguments: [Int16(4), 7, 12, 13, 18])
    func `an answer that is awaited over a reload streams where all that was asked for still stands`(version: Int16) {
        let response = Fetching.response(
            version,
            [("orders", batch), ("payments", SampleBatch(at: 43, [String(repeating: "long ", count: 900)]).bytes)])
        var rehearsing = Rehearsing()
        rehearsing.limits.frameBytes = 2000
        let asked: [Happening] = [.client(Fetching.request(version, ["orders", "payments"])), .reload(nil)]
        let outcome = rehearsing.play(asked + [.backend(response)])
        #expect(outcome.toClient == response)
        #expect(!outcome.steps.contains { if case .put = $0 { true } else { false } })
        // What is there leaves before the rest comes.
        #expect(!rehearsing.play(asked + [.backend(Array(response[..<300]))]).toClient.isEmpty)
    }

    // MARK: Message sets

    /// An entry of a log before record batches; nothing of it is looked at but its head.
    private func message(at offset: Int64, magic: UInt8, codec: UInt8 = 0) -> [UInt8] {
        withUnsafeBytes(of: offset.bigEndian) { Array($0) } + [0, 0, 0, 26, 0, 0, 0, 0, magic, codec]
            + [UInt8](repeating: 0, count: 20)
    }

    @Test(arguments: [UInt8(0), 1], [Int16(4), 12])
    func `a compressed message set may hold all that the entry before it does not`(magic: UInt8, version: Int16) {
        let set = [
            message(at: 49, magic: magic, codec: 1), message(at: 50, magic: magic),
            message(at: 59, magic: magic, codec: 3), message(at: 60, magic: magic, codec: 2),
        ].flatMap { $0 }
        let response = Fetching.response(version, [("orders", set)], logStart: 30)
        let first = version >= 5 ? 30 : 0
        let streamed = Rehearsing().play([.client(Fetching.request(version, ["orders"])), .backend(response)])
        let rebuilt = Rehearsing().play([
            .client(Fetching.request(version, ["orders", "payments"])),
            .reload(
                ScriptedPolicy { _, question in Ruling(effect: question.name == "payments" ? .deny : .allow, rule: 1) }),
            .backend(response),
        ])
        for outcome in [streamed, rebuilt] {
            #expect(outcome.toClient == response)
            #expect(
                outcome.whole.lines.contains {
                    $0.contains("records.delivered")
                        && $0.contains(#"[{"partition":0,"first":\#(first),"last":60}],"records":\#(61 - first)"#)
                }, "\(outcome.whole.lines)")
        }
    }

    @Test func `a policy that changes in the middle of an answer cuts it`() {
        let response = Fetching.response(13, [("orders", batch + SampleBatch(at: 43, ["hidden"]).bytes)])
        let outcome = Rehearsing().play([
            .client(Fetching.request(13, ["orders"])), .backend(Array(response[..<(response.count - 40)])),
            .reload(ScriptedPolicy(judge: Rehearsing.nothing)), .backend(Array(response[(response.count - 40)...])),
        ])
        #expect(outcome.whole.closed == .refused(Refusal(.revoked)))
        #expect(!outcome.toClient.holds("hidden"))
    }

    @Test(arguments: [Int16(16), 17, 18])
    func `brokers' addresses behind the records become padding`(version: Int16) throws {
        let endpoints: MessageValue = .list([
            .fields(["NodeId": .integer(2), "Host": .text("broker-two.internal"), "Port": .integer(19_002)])
        ])
        for names in [["orders"], ["customers"]] {
            let response = Fetching.response(version, names.map { ($0, batch) }, extra: ["NodeEndpoints": endpoints])
            #expect(response.holds("broker-two"))
            let outcome = Rehearsing().play([.client(Fetching.request(version, names)), .backend(response)])
            #expect(!outcome.toClient.holds("broker-two"))
            let fields = try #require(KafkaInspection.fields(ofResponse: outcome.toClient, 1, version))
            #expect(!fields.contains { $0.hasPrefix("NodeEndpoints") })
        }
    }

    @Test func `an id that only a refresh tells is looked up, one that nobody knows is answered as unknown`() {
        var rehearsing = Rehearsing()
        rehearsing.later = [.init("fresh", high: 9, low: 9)]
        let known = rehearsing.play([.client(Fetching.request(13, ["unheard"]))])
        #expect(Fetching.asked(known.toBackend, 13) == ["9:9"])
        rehearsing.later = []
        let unknown = rehearsing.play([
            .client(Fetching.request(13, ["unheard", "orders"], epoch: 0)),
            .backend(Fetching.response(13, [], session: 5)),
            .client(Fetching.request(13, [], session: 5, epoch: 1)),
            .backend(Fetching.response(13, [], session: 5)),
        ])
        #expect(unknown.frames.map { Fetching.partitions($0, 13) } == [["9:9:100"], ["9:9:100"]])
    }

    @Test func `a name that the connection has no room for is answered in a session, too`() {
        // As many names as one connection may bring, in a few requests.
        var transcript: [Happening] = []
        for part in 0..<9 {
            let names = (0..<8000).map { MessageValue.fields(["Name": .text("n\(part)-\($0)")]) }
            transcript.append(
                .client(KafkaInspection.request(3, 4, correlation: 9, ["Topics": .list(names)])))
            transcript.append(.backend(KafkaInspection.response(3, 4, correlation: 9, [:])))
        }
        let outcome = Rehearsing(judge: Rehearsing.everything).playWhole(
            transcript + [
                .client(Fetching.request(12, ["one-more"], epoch: 0)),
                .backend(Fetching.response(12, [], session: 7)),
            ])
        #expect(Fetching.partitions(outcome.frames.last ?? [], 12) == ["one-more:29"])
    }
}
