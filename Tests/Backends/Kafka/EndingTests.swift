import TestSupport
import Testing
import TidegateCore
import TidegateKafka

/// How sessions end: behind what is owed.
@Suite struct EndingTests {
    private let beat = KafkaInspection.request(12, 4, correlation: 1, ["GroupId": .text("g")])
    private let answer = KafkaInspection.response(12, 4, correlation: 1, [:])

    @Test func `a gateway that stops closes an idle session at once`() {
        #expect(Rehearsing().play([.event(.draining)]).whole.closed == .draining)
    }

    @Test func `a gateway that stops takes no more requests and closes behind the last answer`() {
        let open = Rehearsing().play([.client(beat), .event(.draining), .client(beat)])
        #expect(open.whole.closed == nil && open.toBackend == beat)
        let done = Rehearsing().play([.client(beat), .event(.draining), .client(beat), .backend(answer)])
        #expect(done.whole.closed == .draining && done.toBackend == beat && done.toClient == answer)
    }

    @Test(arguments: [["orders"], ["customers"]])
    func `a gateway that stops hands over the records that are under way`(topics: [String]) {
        let batch = SampleBatch(["one", "two"]).bytes
        var rehearsing = Rehearsing()
        rehearsing.maskers = { _ in [ScriptedMasker { _ in .unchanged }] }
        let response = Fetching.response(13, [(topics[0], batch)])
        let outcome = rehearsing.play([
            .client(Fetching.request(13, topics)), .backend(Array(response[..<40])), .event(.draining),
            .backend(Array(response[40...])),
        ])
        #expect(outcome.whole.closed == .draining && outcome.toClient == response)
    }

    @Test func `a gateway that stops does not wait for a long poll, but for what changes something`() {
        let poll = Fetching.request(13, ["orders"])
        #expect(Rehearsing().play([.client(poll), .event(.draining)]).whole.closed == .draining)
        let both = Rehearsing().play([.client(beat), .client(poll), .event(.draining)])
        #expect(both.whole.closed == nil)
        let done = Rehearsing().play([.client(beat), .client(poll), .event(.draining), .backend(answer)])
        #expect(done.whole.closed == .draining && done.toClient == answer)
    }

    @Test func `a refused log-in is heard behind answers that are owed`() throws {
        let outcome = Rehearsing().play([
            .client(beat), .client(Rehearsing.handshake("PLAIN", correlation: 2)),
            .client(Rehearsing.authenticate(Rehearsing.plain("forged"), correlation: 3)), .client(beat),
            .backend(answer),
        ])
        #expect(outcome.frames.map { $0[7] } == [1, 2, 3])
        #expect(
            KafkaInspection.fields(ofResponse: outcome.frames.last ?? [], 36, 2)?.contains("ErrorCode=58") == true)
        #expect(outcome.whole.closed == .refused(Refusal(.unauthenticated)) && outcome.toBackend == beat)
    }
}

/// What holds for answers whose requests were decided before the rights changed.
@Suite struct RightsLostTests {
    private func deny(_ name: String) -> Happening {
        .reload(ScriptedPolicy { _, question in Ruling(effect: question.name == name ? .deny : .allow, rule: 1) })
    }

    private func request(_ key: Int16, _ version: Int16, _ values: [String: MessageValue]) -> [UInt8] {
        KafkaInspection.request(key, version, correlation: 30, values)
    }

    private func response(_ key: Int16, _ version: Int16, _ values: [String: MessageValue]) -> [UInt8] {
        KafkaInspection.response(key, version, correlation: 30, values)
    }

    private func fields(_ outcome: Rehearsing.Outcome, _ key: Int16, _ version: Int16) -> [String] {
        outcome.frames.last.flatMap { KafkaInspection.fields(ofResponse: $0, key, version) } ?? ["unreadable"]
    }

    @Test func `an answer that nothing is looked at in is refused with its group`() {
        let join = request(11, 9, ["GroupId": .text("g"), "MemberId": .text("m")])
        let told = response(11, 9, ["MemberId": .text("m"), "ProtocolName": .text("range"), "Leader": .text("m")])
        let kept = Rehearsing().play([.client(join), deny("another"), .backend(told)])
        #expect(kept.toClient == told)
        let lost = Rehearsing().play([.client(join), deny("g"), .backend(told)])
        #expect(fields(lost, 11, 9).contains("ErrorCode=30") && !lost.toClient.holds("range"))
    }

    @Test(arguments: [Int16(1), 4, 6, 9])
    func `an element of a topic that was revoked is refused, the others are told`(version: Int16) {
        func topics(_ inner: [String: MessageValue]) -> MessageValue {
            .list(
                ["orders", "payments"].map {
                    .fields(["Name": .text($0), "Partitions": .list([.fields(inner)])])
                })
        }
        let outcome = Rehearsing().play([
            .client(
                request(2, version, ["ReplicaId": .integer(-1), "Topics": topics(["PartitionIndex": .integer(3)])])),
            deny("orders"),
            .backend(
                response(2, version, ["Topics": topics(["PartitionIndex": .integer(3), "Offset": .integer(77)])])),
        ])
        let told = fields(outcome, 2, version)
        #expect(told.filter { $0.hasSuffix("=77") }.count == 1)
        #expect(told.contains("Topics.0.Name=orders") && told.contains("Topics.0.Partitions.0.ErrorCode=29"))
        #expect(
            told.contains("Topics.0.Partitions.0.PartitionIndex=3") && told.contains("Topics.1.Partitions.0.Offset=77"))
    }

    @Test(arguments: [Int16(1), 4])
    func `a coordinator of a group that was revoked is not told`(version: Int16) {
        let at: [String: MessageValue] = ["Key": .text("g"), "NodeId": .integer(2), "Port": .integer(19_002)]
        let outcome = Rehearsing().play([
            .client(request(10, version, ["Key": .text("g"), "CoordinatorKeys": .list([.text("g")])])), deny("g"),
            .backend(response(10, version, version >= 4 ? ["Coordinators": .list([.fields(at)])] : at)),
        ])
        let told = fields(outcome, 10, version)
        #expect(told.contains { $0.hasSuffix("ErrorCode=30") } && told.contains { $0.hasSuffix("NodeId=-1") })
    }

    @Test func `what a change has done is told`() {
        let outcome = Rehearsing().play([
            .client(request(20, 5, ["TopicNames": .list([.text("orders")])])), deny("orders"),
            .backend(response(20, 5, ["Responses": .list([.fields(["Name": .text("orders")])])])),
        ])
        #expect(fields(outcome, 20, 5).contains("Responses.0.ErrorCode=0"))
    }

    @Test func `stored records are recorded although the session ends before their answer is passed`() {
        let produce = request(
            0, 12,
            [
                "Acks": .integer(-1),
                "TopicData": .list([
                    .fields([
                        "Name": .text("orders"),
                        "PartitionData": .list([.fields(["Records": .text(SampleBatch(["a", "b"]).bytes)])]),
                    ])
                ]),
            ])
        let stored = response(
            0, 12,
            [
                "Responses": .list([
                    .fields([
                        "Name": .text("orders"), "PartitionResponses": .list([.fields(["BaseOffset": .integer(500)])]),
                    ])
                ])
            ])
        let uncovered = ScriptedPolicy(covers: { _, _ in false }, judge: Rehearsing.nothing)
        for change in [Happening.reload(uncovered), .wait(300_000_000)] {
            let outcome = Rehearsing().play([.client(produce), change, .backend(stored)])
            #expect(outcome.whole.closed == .refused(Refusal(.revoked)) && outcome.toClient.isEmpty)
            let produced = outcome.whole.lines.filter { $0.contains("records.produced") }
            #expect(produced.count == 1 && produced[0].contains("501"), "\(produced)")
        }
    }

    @Test func `authenticated again in other groups, a session is decided again`() {
        var rehearsing = Rehearsing()
        rehearsing.principals["fewer"] = Principal(
            subject: "ada", groups: [], issuer: "https://idp.test", expires: Instant(seconds: 2_000_000_000))
        rehearsing.judge = { principal, question in
            Ruling(effect: principal.groups.isEmpty && question.name == "orders" ? .deny : .allow, rule: 0)
        }
        let batch = SampleBatch(["hidden"]).bytes
        let outcome = rehearsing.play([
            .client(Fetching.request(13, ["orders", "payments"], epoch: 0)),
            .backend(Fetching.response(13, [], session: 7)),
            .client(Fetching.request(13, [], session: 7, epoch: 1)),
            .client(Rehearsing.handshake("PLAIN", correlation: 8)),
            .client(Rehearsing.authenticate(Rehearsing.plain("fewer"), correlation: 9)),
            .backend(Fetching.response(13, [("orders", batch)], session: 7)),
            .client(Fetching.request(13, [], session: 7, epoch: 2)),
            .backend(Fetching.response(13, [], session: 7)),
        ])
        #expect(!outcome.toClient.holds("hidden"))
        #expect(outcome.frames.count == 5)
        #expect(Fetching.partitions(outcome.frames.last ?? [], 13) == ["orders:29"])
        let forgotten = KafkaInspection.fields(ofRequest: outcome.forwarded.last ?? [], 1, 13) ?? []
        #expect(forgotten.contains("ForgottenTopicsData#1"))
    }
}
