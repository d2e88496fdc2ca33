import TestSupport
import Testing
import TidegateCore
import TidegateKafka

@Suite struct ProduceTests {
    private func request(
        _ version: Int16, _ topics: [String], acks: Int64 = -1, transaction: String? = nil, correlation: Int32 = 20
    ) -> [UInt8] {
        KafkaInspection.request(
            0, version, correlation: correlation,
            [
                "TransactionalId": transaction.map { .text($0) } ?? .null, "Acks": .integer(acks),
                "TimeoutMs": .integer(1500),
                "TopicData": .list(
                    topics.map { name in
                        .fields([
                            "Name": .text(name), "TopicId": .id(Rehearsing.names[name] ?? Rehearsing.unheard),
                            "PartitionData": .list([
                                .fields(["Index": .integer(0), "Records": .text(SampleBatch(["a", "b"]).bytes)])
                            ]),
                        ])
                    }),
            ])
    }

    private func response(_ version: Int16, _ topics: [String], extra: [String: MessageValue] = [:]) -> [UInt8] {
        var values: [String: MessageValue] = [
            "Responses": .list(
                topics.map { name in
                    .fields([
                        "Name": .text(name), "TopicId": .id(Rehearsing.names[name] ?? Rehearsing.unheard),
                        "PartitionResponses": .list([.fields(["Index": .integer(0), "BaseOffset": .integer(500)])]),
                    ])
                })
        ]
        values.merge(extra) { $1 }
        return KafkaInspection.response(0, version, correlation: 20, values)
    }

    private func errors(_ frame: [UInt8], _ version: Int16) -> [String]? {
        KafkaInspection.fields(ofResponse: frame, 0, version)?.filter { $0.contains("ErrorCode=") }.map {
            String($0.split(separator: "=")[1])
        }
    }

    @Test(arguments: Int16(3)...13)
    func `what is allowed passes as the very bytes and its offsets are recorded`(version: Int16) {
        let request = request(version, ["orders", "payments"])
        let response = response(version, ["orders", "payments"])
        let outcome = Rehearsing().play([.client(request), .backend(response)])
        #expect(outcome.toBackend == request && outcome.toClient == response)
        #expect(outcome.whole.lines.joined().contains("501"), "\(outcome.whole.lines)")
    }

    @Test(arguments: Int16(3)...13)
    func `a denied topic among allowed ones is taken out and answered`(version: Int16) {
        let outcome = Rehearsing().play([
            .client(request(version, ["orders", "secret"])), .backend(response(version, ["orders"])),
        ])
        #expect(outcome.forwarded == [request(version, ["orders"])])
        #expect(errors(outcome.toClient, version) == ["29", "0"])
    }

    @Test(arguments: Int16(3)...13)
    func `with all denied the gateway answers, or closes where no answer is due`(version: Int16) {
        let denied = Rehearsing(judge: Rehearsing.nothing).play([.client(request(version, ["orders", "payments"]))])
        #expect(denied.toBackend.isEmpty && errors(denied.toClient, version) == ["29", "29"])
        for topics in [["secret"], ["orders", "secret"]] {
            let silent = Rehearsing().play([.client(request(version, topics, acks: 0))])
            #expect(silent.toBackend.isEmpty && silent.toClient.isEmpty)
            #expect(silent.whole.closed == .refused(Refusal(.denied)))
        }
    }

    @Test func `without an answer due the next request's answer is the next`() {
        let silent = request(9, ["orders"], acks: 0, correlation: 21)
        let metadata = KafkaInspection.request(12, 4, correlation: 22, ["GroupId": .text("g")])
        let answer = KafkaInspection.response(12, 4, correlation: 22, [:])
        let outcome = Rehearsing().play([.client(silent + metadata), .backend(answer)])
        #expect(outcome.toBackend == silent + metadata && outcome.toClient == answer)
    }

    @Test(arguments: Int16(3)...13)
    func `a transaction that is denied denies all of it`(version: Int16) {
        let outcome = Rehearsing().play([.client(request(version, ["orders", "payments"], transaction: "secret-tx"))])
        #expect(outcome.toBackend.isEmpty && errors(outcome.toClient, version) == ["53", "53"])
        let allowed = Rehearsing().play([.client(request(version, ["orders"], transaction: "tx"))])
        #expect(allowed.toBackend == request(version, ["orders"], transaction: "tx"))
    }

    @Test(arguments: [Int16(10), 12, 13])
    func `brokers' addresses in the answer become padding`(version: Int16) {
        let response = response(
            version, ["orders"],
            extra: [
                "NodeEndpoints": .list([
                    .fields(["NodeId": .integer(2), "Host": .text("broker-two.internal"), "Port": .integer(19_002)])
                ])
            ])
        #expect(response.holds("broker-two"))
        let outcome = Rehearsing().play([.client(request(version, ["orders"])), .backend(response)])
        #expect(errors(outcome.toClient, version) == ["0"] && !outcome.toClient.holds("broker-two"))
    }
}
