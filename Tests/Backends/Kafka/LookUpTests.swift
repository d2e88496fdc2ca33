import TestSupport
import Testing
import TidegateCore
import TidegateKafka

/// Topics by id that the catalogue does not have: not yet, or no more.
@Suite struct LookUpTests {
    private static let ids = [Rehearsing.unheard, TopicID(high: 9, low: 8), TopicID(high: 9, low: 7)]

    private func fetch(_ ids: [TopicID], _ version: Int16 = 13, session: Int64 = 0, epoch: Int64 = -1) -> [UInt8] {
        let topics = ids.map { id -> MessageValue in
            .fields(["TopicId": .id(id), "Partitions": .list([.fields(["Partition": .integer(0)])])])
        }
        return KafkaInspection.request(
            1, version, correlation: 10,
            [
                "ReplicaId": .integer(-1), "SessionId": .integer(session), "SessionEpoch": .integer(epoch),
                "Topics": .list(topics),
            ])
    }

    private func answer(
        _ partitions: [(id: TopicID, error: Int64, records: [UInt8])], _ version: Int16 = 13, session: Int64 = 0
    ) -> [UInt8] {
        let topics = partitions.map { id, error, records -> MessageValue in
            .fields([
                "TopicId": .id(id),
                "Partitions": .list([.fields(["ErrorCode": .integer(error), "Records": .text(records)])]),
            ])
        }
        return KafkaInspection.response(
            1, version, correlation: 10, ["SessionId": .integer(session), "Responses": .list(topics)])
    }

    @Test func `several ids that nobody knows are looked up once and answered`() {
        let fetched = Rehearsing().play([.client(fetch(LookUpTests.ids))])
        #expect(Fetching.partitions(fetched.toClient, 13) == ["9:9:100", "9:8:100", "9:7:100"])
        let produced = Rehearsing().play([
            .client(
                KafkaInspection.request(
                    0, 13, correlation: 20,
                    [
                        "Acks": .integer(-1),
                        "TopicData": .list(
                            LookUpTests.ids.map {
                                .fields([
                                    "TopicId": .id($0), "PartitionData": .list([.fields(["Index": .integer(0)])]),
                                ])
                            }),
                    ]))
        ])
        #expect(
            KafkaInspection.fields(ofResponse: produced.toClient, 0, 13)?.filter { $0.hasSuffix("ErrorCode=100") }.count
                == 3)
        let described = Rehearsing().play([
            .client(
                KafkaInspection.request(
                    3, 12, correlation: 30,
                    ["Topics": .list(LookUpTests.ids.map { .fields(["TopicId": .id($0), "Name": .null]) })])),
            .backend(KafkaInspection.response(3, 12, correlation: 30, [:])),
        ])
        #expect(
            KafkaInspection.fields(ofResponse: described.toClient, 3, 12)?.filter { $0.hasSuffix("ErrorCode=100") }
                .count == 3)
        for outcome in [fetched, produced, described] {
            #expect(outcome.whole.faults.isEmpty && outcome.whole.leftOver.isEmpty)
        }
    }

    @Test func `an answer that tells several ids nobody knows is looked up once, too`() {
        let assignment: MessageValue = .fields([
            "TopicPartitions": .list(LookUpTests.ids.map { .fields(["TopicId": .id($0)]) })
        ])
        let outcome = Rehearsing().play([
            .client(
                KafkaInspection.request(
                    68, 0, correlation: 3, ["GroupId": .text("g"), "SubscribedTopicNames": .list([.text("orders")])])),
            .backend(KafkaInspection.response(68, 0, correlation: 3, ["Assignment": assignment])),
        ])
        #expect(
            KafkaInspection.fields(ofResponse: outcome.toClient, 68, 0)?.contains("Assignment.TopicPartitions#0")
                == true)
    }

    @Test func `whatever clients ask for, the catalogue is asked once a second`() {
        let rehearsing = Rehearsing()
        let cluster = rehearsing.cluster()
        let requests = LookUpTests.ids.map { Happening.client(fetch([$0])) }
        _ = rehearsing.playWhole(requests, on: cluster)
        #expect(cluster.refreshes == 1)
        _ = rehearsing.playWhole(requests + [.wait(1)] + requests, on: cluster)
        #expect(cluster.refreshes == 2)
    }

    @Test func `tokens on a port without a broker ask for the catalogue once a second`() {
        var rehearsing = Rehearsing()
        rehearsing.advertise = Advertise(
            host: "gate.test", ports: 9192...9193, firstNode: 50, serverNamePattern: nil, port: 9192)
        let cluster = rehearsing.cluster()
        for _ in 0..<3 {
            #expect(rehearsing.playWhole([], on: cluster).whole.closed == .backendUnreachable)
        }
        #expect(cluster.refreshes == 1)
    }

    @Test func `a topic is decided once, however long its id is looked up`() {
        var rehearsing = Rehearsing()
        rehearsing.later = [.init("fresh", high: 9, low: 9)]
        let outcome = rehearsing.play([.client(fetch([Rehearsing.orders, Rehearsing.unheard]))])
        #expect(Fetching.asked(outcome.toBackend, 13) == ["orders", "9:9"])
    }

    @Test(arguments: [false, true])
    func `the broker's word about a topic that is gone reaches the client`(isRebuilt: Bool) {
        var rehearsing = Rehearsing()
        rehearsing.gone = ["orders"]
        let reload: [Happening] = isRebuilt ? [.reload(nil)] : []
        let outcome = rehearsing.play(
            [
                .client(fetch([Rehearsing.orders, Rehearsing.payments], epoch: 0)),
                .backend(answer([], session: 6)),
                // The catalogue is asked: no orders any more.
                .client(fetch([Rehearsing.unheard], session: 6, epoch: 1)),
            ] + reload + [
                .backend(answer([(Rehearsing.orders, 100, [])], session: 6))
            ])
        #expect(outcome.whole.closed == nil && outcome.whole.violation == nil)
        #expect(
            Fetching.partitions(outcome.frames.last ?? [], 13).map(Set.init) == ["9:9:100", "orders:100"])
    }

    @Test(arguments: [false, true])
    func `an id that stands for nothing brings errors, never records`(isRebuilt: Bool) {
        let reload: [Happening] = isRebuilt ? [.reload(nil)] : []
        let request = Happening.client(fetch([Rehearsing.orders]))
        let bare = Rehearsing().play([request] + reload + [.backend(answer([(Rehearsing.unheard, 100, [])]))])
        #expect(Fetching.partitions(bare.toClient, 13) == ["9:9:100"])
        let records = SampleBatch(["hidden"]).bytes
        let full = Rehearsing().play([request] + reload + [.backend(answer([(Rehearsing.unheard, 0, records)]))])
        #expect(!full.toClient.holds("hidden"))
    }

    @Test func `a broker that never answers the catalogue's question is given up`() {
        #expect(KafkaInspection.looksAtRefresh(answered: false) == [false, true, true])
        #expect(KafkaInspection.looksAtRefresh(answered: true) == [false, false, false])
    }

    @Test func `a cluster that nobody refreshes any more leaves no question open`() {
        let asked = KafkaInspection.asksRetired()
        #expect(asked.wakes == 1 && asked.answered == [false, true, true, true, true])
    }

    @Test func `a topic that is gone can be forgotten`() {
        var rehearsing = Rehearsing()
        rehearsing.gone = ["secret"]
        let forget = KafkaInspection.request(
            1, 13, correlation: 10,
            [
                "ReplicaId": .integer(-1), "SessionId": .integer(6), "SessionEpoch": .integer(2),
                "ForgottenTopicsData": .list([
                    .fields(["TopicId": .id(Rehearsing.secret), "Partitions": .list([.integer(0)])])
                ]),
            ])
        let outcome = rehearsing.play([
            .client(fetch([Rehearsing.orders, Rehearsing.secret], epoch: 0)), .backend(answer([], session: 6)),
            .client(fetch([Rehearsing.unheard], session: 6, epoch: 1)), .backend(answer([], session: 6)),
            .client(forget), .backend(answer([], session: 6)),
        ])
        #expect(
            outcome.frames.map { Set(Fetching.partitions($0, 13) ?? []) }
                == [["secret:29"], ["secret:29", "9:9:100"], ["9:9:100"]])
    }
}
