import TestSupport
import Testing
import TidegateCore
import TidegateKafka

/// What a peer could make the gateway keep, copy or compute, and where it ends.
@Suite struct LimitTests {
    /// A frame of a flexible version, written by hand: what the tables would not write.
    private func frame(_ key: Int16, _ version: Int16, _ body: [UInt8]) -> [UInt8] {
        let header = big(key) + big(version) + big(Int32(50)) + big(Int16(-1)) + [0]
        return big(Int32(header.count + body.count)) + header + body
    }

    private func big<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

    private func varint(_ value: Int) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f | 0x80)] + varint(value >> 7)
    }

    private func text(_ count: Int) -> [UInt8] { varint(count + 1) + [UInt8](repeating: 0x61, count: count) }

    @Test(arguments: [249, 250, 1_000_000])
    func `a topic's name is no longer than Kafka's are`(count: Int) {
        let fetch = frame(
            1, 12,
            big(Int32(-1)) + big(Int32(1)) + big(Int32(1)) + big(Int32(1)) + [0] + big(Int32(0))
                + big(Int32(-1)) + [2] + text(count) + [1, 0] + [1, 1, 0])
        let produce = frame(0, 9, [0] + big(Int16(-1)) + big(Int32(1)) + [2] + text(count) + [1, 0, 0])
        for request in [fetch, produce] {
            let outcome = Rehearsing(judge: Rehearsing.everything).playWhole([.client(request)])
            #expect((outcome.whole.violation == nil) == (count <= 249))
            #expect(outcome.toBackend == (count <= 249 ? request : []))
        }
    }

    @Test func `a long topic's name is refused where names are decided one by one`() throws {
        let request = KafkaInspection.request(
            3, 12, correlation: 5, ["Topics": .list([.fields(["Name": .text([UInt8](repeating: 0x61, count: 300))])])])
        let answer = KafkaInspection.response(3, 12, correlation: 5, [:])
        let outcome = Rehearsing(judge: Rehearsing.everything).play([.client(request), .backend(answer)])
        let fields = try #require(KafkaInspection.fields(ofResponse: outcome.toClient, 3, 12))
        #expect(fields.contains("Topics.0.ErrorCode=17"))
    }

    @Test(arguments: [32_767, 32_768])
    func `a group's name is no longer than strings are`(count: Int) {
        let heartbeat = frame(12, 4, text(count) + big(Int32(1)) + [1, 0, 0])
        let outcome = Rehearsing(judge: Rehearsing.everything).playWhole([.client(heartbeat)])
        #expect((outcome.whole.violation == nil) == (count <= 32_767))
    }

    @Test func `a string that is cut off has the length that it says`() {
        let frame = KafkaInspection.response(
            11, 1, correlation: 1, ["ProtocolName": .text([UInt8](repeating: 0x61, count: 70_000))])
        #expect(KafkaInspection.fields(ofResponse: frame, 11, 1) != nil)
    }

    @Test func `a request of endlessly many fields is refused`() {
        var body = varint(250_001)
        for _ in 0..<250_000 { body += [UInt8](repeating: 0, count: 16) + [1, 0] }
        body += [0, 0, 0]
        let outcome = Rehearsing(judge: Rehearsing.everything).playWhole([.client(frame(3, 12, body))])
        #expect(outcome.whole.violation != nil && outcome.toBackend.isEmpty)
    }

    @Test func `a request of endlessly many numbers is refused`() {
        func request(_ count: Int64) -> [UInt8] {
            KafkaInspection.request(
                61, 0, correlation: 5,
                [
                    "Topics": .list([
                        .fields([
                            "Name": .text("secret"), "PartitionIndexes": .list((0..<count).map { .integer($0) }),
                        ])
                    ])
                ])
        }
        let many = Rehearsing().playWhole([.client(request(199_000))])
        #expect(many.whole.violation == nil && many.toBackend.isEmpty)
        // Of each partition its number, the error, no text, no producers and no tags.
        #expect(many.toClient.count == 26 + 199_000 * 9)
        let tooMany = Rehearsing().playWhole([.client(request(250_000))])
        #expect(tooMany.whole.violation != nil && tooMany.toBackend.isEmpty)
    }

    // MARK: Fetch sessions

    private func fetch(
        _ partitions: Range<Int64>, of topic: String = "orders", session: Int64 = 0, epoch: Int64 = 0
    ) -> [UInt8] {
        let topics: [MessageValue] = [
            .fields([
                "TopicId": .id(Rehearsing.names[topic] ?? Rehearsing.unheard),
                "Partitions": .list(partitions.map { .fields(["Partition": .integer($0)]) }),
            ])
        ]
        return KafkaInspection.request(
            1, 13, correlation: 10,
            [
                "ReplicaId": .integer(-1), "SessionId": .integer(session), "SessionEpoch": .integer(epoch),
                "Topics": .list(partitions.isEmpty ? [] : topics),
            ])
    }

    @Test(arguments: [Int64(0), 7])
    func `who asks for a session of very many partitions is served without one`(before: Int64) {
        let open: [Happening] =
            before == 0 ? [] : [.client(fetch(0..<1)), .backend(Fetching.response(13, [], session: 7))]
        let outcome = Rehearsing().playWhole(
            open + [
                .client(fetch(0..<20_001, session: before)), .backend(Fetching.response(13, [])),
                .client(fetch(0..<0, session: 7, epoch: 1)),
            ])
        let asked = KafkaInspection.fields(ofRequest: outcome.forwarded.last ?? [], 1, 13) ?? []
        #expect(asked.contains("SessionEpoch=-1") && asked.contains("SessionId=\(before)"))
        #expect(asked.contains("Topics.0.Partitions#20001"))
        let last = KafkaInspection.fields(ofResponse: outcome.frames.last ?? [], 1, 13) ?? []
        #expect(last.contains("ErrorCode=70"))
    }

    @Test func `a session that grows too long is not found, one whose partitions move stands`() {
        let full = fetch(0..<20_000)
        let moved = fetch(0..<15_000, session: 7, epoch: 1)
        let outcome = Rehearsing().playWhole([
            .client(full), .backend(Fetching.response(13, [], session: 7)),
            .client(moved), .backend(Fetching.response(13, [], session: 7)),
            .client(fetch(20_000..<20_001, session: 7, epoch: 2)), .client(fetch(0..<0, session: 7, epoch: 3)),
        ])
        #expect(outcome.forwarded == [full, moved])
        let errors = outcome.frames.map { frame in
            (KafkaInspection.fields(ofResponse: frame, 1, 13) ?? []).first { $0.hasPrefix("ErrorCode=") }
        }
        #expect(errors == ["ErrorCode=0", "ErrorCode=0", "ErrorCode=70", "ErrorCode=70"])
    }

    @Test func `every partition of an id that nobody knows is answered, however many there are`() {
        let outcome = Rehearsing().playWhole([
            .client(fetch(0..<6000, of: "unheard")), .backend(Fetching.response(13, [], session: 7)),
            .client(fetch(0..<0, session: 7, epoch: 1)), .backend(Fetching.response(13, [], session: 7)),
        ])
        for frame in outcome.frames {
            #expect(Fetching.partitions(frame, 13) == [String](repeating: "9:9:100", count: 6000))
        }
    }

    @Test func `the longest session is a few megabytes`() {
        let longest = KafkaInspection.longestFetchSession
        #expect(longest.partitions == 20_000 && longest.bytesEach <= 160)
    }

    @Test func `answers that wait behind another keep the client waiting once they are many`() throws {
        let first = KafkaInspection.request(12, 4, correlation: 1, ["GroupId": .text("g")])
        let partitions: MessageValue = .list(
            (0..<1000).map { .fields(["Partition": .integer($0), "PartitionMaxBytes": .integer(1)]) })
        let denied = KafkaInspection.request(
            1, 11, correlation: 2,
            [
                "ReplicaId": .integer(-1), "SessionEpoch": .integer(-1),
                "Topics": .list([.fields(["Topic": .text("secret"), "Partitions": partitions])]),
            ])
        let many = [Happening](repeating: .client(denied), count: 60)
        let waiting = Rehearsing().playWhole([.client(first)] + many)
        #expect(waiting.whole.leftOver[.client] ?? 0 > 20 * denied.count)
        let answer = KafkaInspection.response(12, 4, correlation: 1, [:])
        let done = Rehearsing().playWhole([.client(first)] + many + [.backend(answer)])
        #expect(done.whole.leftOver.isEmpty && done.frames.count == 61)
    }

    @Test func `a session's denied partitions are answered in every response, changed or not`() {
        var transcript: [Happening] = [
            .client(Fetching.request(12, ["orders", "secret"], epoch: 0)),
            .backend(Fetching.response(12, [], session: 7)),
        ]
        for epoch in Int64(1)...3 {
            transcript.append(
                .client(
                    Fetching.request(
                        12, epoch == 2 ? ["secret-too"] : [], session: 7, epoch: epoch,
                        forgotten: epoch == 3 ? ["secret"] : [])))
            transcript.append(.backend(Fetching.response(12, [], session: 7)))
        }
        let outcome = Rehearsing().play(transcript)
        #expect(
            outcome.frames.map { Set(Fetching.partitions($0, 12) ?? ["unreadable"]) }
                == [["secret:29"], ["secret:29"], ["secret:29", "secret-too:29"], ["secret-too:29"]])
    }

    @Test func `a log-in message keeps to its limit on a connection that is logged in, too`() {
        let long = [UInt8](repeating: 0, count: 70_000)
        let framed = Rehearsing().playWhole([
            .client(Rehearsing.handshake("PLAIN")), .client(Rehearsing.authenticate(long)),
        ])
        #expect(framed.whole.violation != nil && framed.frames.count == 1)
        let bare = Rehearsing().playWhole([
            .client(Rehearsing.handshake("PLAIN", version: 0)), .client(big(Int32(long.count)) + long),
        ])
        #expect(bare.whole.violation != nil && bare.frames.count == 1)
    }

    @Test func `a bearer message may have extensions beside its token`() throws {
        let message = Array("n,a=me,\u{1}host=h\u{1}auth=Bearer analyst-token\u{1}port=1\u{1}\u{1}".utf8)
        let result = Rehearsing().playBare([
            .client(Rehearsing.handshake("OAUTHBEARER")), .client(Rehearsing.authenticate(message)),
        ])
        let frames = Rehearsing.frames(result.toClient)
        try #require(frames.count == 2)
        #expect(KafkaInspection.fields(ofResponse: frames[1], 36, 2)?.first == "ErrorCode=0")
    }

    // MARK: Long lists

    private func named(_ range: Range<Int>, _ prefix: String) -> MessageValue {
        .list(range.map { .fields(["Name": .text("\(prefix)\($0)")]) })
    }

    @Test(.timeLimit(.minutes(5)))
    func `thousands of hidden topics are left out of a list`() {
        let answer = KafkaInspection.response(3, 9, correlation: 5, ["Topics": named(0..<20_000, "secret")])
        let outcome = Rehearsing().playWhole([
            .client(KafkaInspection.request(3, 9, correlation: 5, ["Topics": .null])), .backend(answer),
        ])
        #expect(KafkaInspection.fields(ofResponse: outcome.toClient, 3, 9)?.contains("Topics#0") == true)
    }

    @Test(.timeLimit(.minutes(5)))
    func `thousands of topics that may not be created are answered`() {
        let rehearsing = Rehearsing(judge: { _, question in
            Ruling(effect: question.action == .create ? .deny : .allow, rule: 0)
        })
        let outcome = rehearsing.playWhole([
            .client(KafkaInspection.request(3, 1, correlation: 5, ["Topics": named(0..<20_000, "new")])),
            .backend(KafkaInspection.response(3, 1, correlation: 5, [:])),
        ])
        #expect(KafkaInspection.fields(ofResponse: outcome.toClient, 3, 1)?.contains("Topics#20000") == true)
    }

    @Test(.timeLimit(.minutes(5)))
    func `thousands of partly refused transactions' topics and groups are answered`() {
        let topics: MessageValue = .list(
            (0..<10_000).map { .fields(["Name": .text("secret\($0)"), "Partitions": .list([.integer(0)])]) })
        let whole = Rehearsing().playWhole([
            .client(
                KafkaInspection.request(
                    24, 3, correlation: 5, ["V3AndBelowTransactionalId": .text("tx"), "V3AndBelowTopics": topics]))
        ])
        #expect(
            KafkaInspection.fields(ofResponse: whole.toClient, 24, 3)?.contains("ResultsByTopicV3AndBelow#10000")
                == true)
        let groups: MessageValue = .list(
            (0..<5000).map {
                .fields([
                    "GroupId": .text("g\($0)"),
                    "Topics": .list(["secret", "orders"].map { .fields(["Name": .text($0)]) }),
                ])
            })
        let told: MessageValue = .list(
            (0..<5000).map {
                .fields(["GroupId": .text("g\($0)"), "Topics": .list([.fields(["Name": .text("orders")])])])
            })
        let parts = Rehearsing().playWhole([
            .client(KafkaInspection.request(9, 8, correlation: 5, ["Groups": groups])),
            .backend(KafkaInspection.response(9, 8, correlation: 5, ["Groups": told])),
        ])
        let fields = KafkaInspection.fields(ofResponse: parts.toClient, 9, 8) ?? []
        #expect(fields.filter { $0.hasSuffix(".Name=secret") }.count == 5000)
    }

    @Test(.timeLimit(.minutes(5)))
    func `thousands of partitions of ids that nobody knows are answered`() {
        func topics(_ count: Int64) -> MessageValue {
            .list([
                .fields([
                    "TopicId": .id(Rehearsing.unheard),
                    "Partitions": .list((0..<count).map { .fields(["Partition": .integer($0)]) }),
                ])
            ])
        }
        func request(_ epoch: Int64, _ id: Int64) -> [UInt8] {
            KafkaInspection.request(
                1, 13, correlation: 10,
                [
                    "ReplicaId": .integer(-1), "SessionId": .integer(id), "SessionEpoch": .integer(epoch),
                    "Topics": topics(20_000),
                ])
        }
        let outcome = Rehearsing().playWhole([
            .client(request(0, 0)), .backend(Fetching.response(13, [], session: 5)),
            .client(request(1, 5)), .backend(Fetching.response(13, [], session: 5)),
        ])
        #expect(outcome.frames.count == 2)
    }

    @Test(.timeLimit(.minutes(5)))
    func `offsets of thousands of partitions are recorded`() {
        let count: Int64 = 10_000
        let batch = SampleBatch(["a"]).bytes
        let request = KafkaInspection.request(
            0, 12, correlation: 20,
            [
                "Acks": .integer(-1),
                "TopicData": .list([
                    .fields([
                        "Name": .text("orders"),
                        "PartitionData": .list(
                            (0..<count).map { .fields(["Index": .integer($0), "Records": .text(batch)]) }),
                    ])
                ]),
            ])
        let response = KafkaInspection.response(
            0, 12, correlation: 20,
            [
                "Responses": .list([
                    .fields([
                        "Name": .text("orders"),
                        "PartitionResponses": .list(
                            (0..<count).map { .fields(["Index": .integer($0), "BaseOffset": .integer(500)]) }),
                    ])
                ])
            ])
        let outcome = Rehearsing().playWhole([.client(request), .backend(response)])
        #expect(outcome.toClient == response)
        #expect(outcome.whole.lines.count { $0.contains("records.produced") } > 1000)
    }

    // MARK: Batches that grow

    private func held(_ batches: [[UInt8]], then others: [[UInt8]] = []) -> Rehearsing.Outcome {
        var rehearsing = Rehearsing(judge: { _, _ in Ruling(effect: .allow, rule: 0, mask: MaskIndex(1)) })
        rehearsing.maskers = { _ in [Untouching()] }
        let topics = [("customers", batches), ("orders", others)].filter { !$1.isEmpty }
        return rehearsing.playWhole([
            .client(Fetching.request(13, topics.map(\.0))),
            .backend(Fetching.response(13, topics.map { ($0, $1.flatMap { $0 }) })),
        ])
    }

    /// Bytes of the records of each topic.
    private func allRecordBytes(_ outcome: Rehearsing.Outcome) -> [Int] {
        (KafkaInspection.fields(ofResponse: outcome.toClient, 1, 13) ?? []).filter { $0.contains(".Records=") }
            .compactMap { Int($0.split(separator: "=")[1].split(separator: " ")[0]) }
    }

    private func recordBytes(_ outcome: Rehearsing.Outcome) -> Int? { allRecordBytes(outcome).first }

    @Test func `a batch that grows beyond reason is withheld`() {
        let small = SampleBatch.frame(
            SampleBatch.record([UInt8](repeating: 0, count: 900_000)), count: 1, at: 40, codec: 1)
        let large = SampleBatch.frame(
            SampleBatch.record([UInt8](repeating: 0, count: 3_000_000)), count: 1, at: 41, codec: 1)
        let outcome = held([small, large])
        #expect(recordBytes(outcome) == small.count + 61)
        #expect(
            outcome.whole.lines.contains {
                $0.contains("records.withheld") && $0.contains(#""first":41"#) && $0.contains("limit exceeded")
            })
    }

    @Test func `a batch of more records than one may have is withheld`() {
        let one = SampleBatch.record([])
        var many: [UInt8] = []
        for _ in 0..<262_145 { many += one }
        let outcome = held([SampleBatch.frame(many, count: 262_145, at: 40, codec: 3)])
        #expect(recordBytes(outcome) == 61)
        #expect(outcome.whole.lines.contains { $0.contains("records.withheld") })
    }

    @Test func `batches that are withheld count for what they would have grown to`() {
        let record = SampleBatch.record([UInt8](repeating: 0, count: 1_200_000))
        let outcome = held((0..<12).map { SampleBatch.frame(record, count: 1, at: Int64(40 + $0), codec: 1) })
        // Each of them was looked into for 1 MiB, and 8 MiB are what an answer may come to.
        #expect(recordBytes(outcome) == 8 * 61)
        #expect(outcome.whole.lines.count { $0.contains("records.withheld") } == 8)
    }

    /// About 10 MB each.
    private func growing(_ count: Int) -> [[UInt8]] {
        // One part of noise to many of zeros: gzip makes about a hundredth of it.
        var generator = SeededGenerator(seed: 3)
        let noise = (0..<256).map { _ in UInt8.random(in: 0...255, using: &generator) }
        var block = [UInt8](repeating: 0, count: 40_000)
        block.replaceSubrange(0..<noise.count, with: noise)
        var value: [UInt8] = []
        for _ in 0..<250 { value += block }
        let record = SampleBatch.record(value)
        return (0..<count).map { SampleBatch.frame(record, count: 1, at: Int64(40 + $0), codec: 1) }
    }

    @Test func `a partition behind one that grows gets its first batch all the same`() {
        let small = SampleBatch(["a"]).bytes
        let outcome = held(growing(2), then: [small, small])
        let bytes = allRecordBytes(outcome)
        #expect(bytes.count == 2 && bytes.last == small.count, "\(bytes)")
    }

    @Test func `an answer that has grown enough ends there, and the client asks again`() {
        let batches = growing(3)
        let outcome = held(batches)
        #expect(outcome.whole.closed == nil && outcome.whole.violation == nil)
        // The first one is more than an answer is to take, and could never be read otherwise.
        #expect(recordBytes(outcome) == batches[0].count)
        #expect(!outcome.whole.lines.contains { $0.contains("records.withheld") })
    }
}

/// Leaves everything as it is, and copies nothing to look at it.
private final class Untouching: Masker {
    func mask(
        _ fields: Span<MaskField>, in bytes: RawSpan, for request: MaskRequest, into scratch: inout [UInt8],
        outcomes: inout [MaskOutcome],
        counters: inout MaskCounters
    ) -> Bool {
        for _ in fields.indices { outcomes.append(.unchanged) }
        return true
    }
}
