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

    private func response(
        _ version: Int16, _ topics: [String], error: Int64 = 0, extra: [String: MessageValue] = [:]
    ) -> [UInt8] {
        var values: [String: MessageValue] = [
            "Responses": .list(
                topics.map { name in
                    .fields([
                        "Name": .text(name), "TopicId": .id(Rehearsing.names[name] ?? Rehearsing.unheard),
                        "PartitionResponses": .list([
                            .fields(["Index": .integer(0), "ErrorCode": .integer(error), "BaseOffset": .integer(500)])
                        ]),
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

    /// The members of evidence that say which records of which topic were produced, and how that is known.
    private func produced(_ outcome: Rehearsing.Outcome) -> [String] {
        outcome.whole.lines.filter { $0.contains("records.produced") }.map { line in
            String(line[(line.firstRange(of: #""resource""#)?.lowerBound ?? line.startIndex)...])
        }
    }

    @Test(arguments: [(0, true), (7, true), (20, true), (3, false), (19, false)])
    func `what the leader has appended is recorded, though on too few replicas`(error: Int64, isAppended: Bool) {
        let outcome = Rehearsing().play([
            .client(request(9, ["orders"])), .backend(response(9, ["orders"], error: error)),
        ])
        #expect(produced(outcome).count == (isAppended ? 1 : 0))
        #expect(outcome.whole.lines.joined().contains(#""first":500"#) == isAppended)
    }

    @Test func `without an answer due each topic is recorded as itself, under its own rule`() {
        let judge: ScriptedPolicy.Judge = { _, question in
            Ruling(effect: .allow, rule: question.name == "orders" ? 0 : 2)
        }
        let outcome = Rehearsing(judge: judge).play([.client(request(9, ["orders", "payments"], acks: 0))])
        let bytes = SampleBatch(["a", "b"]).bytes.count
        #expect(
            produced(outcome)
                == [("orders", "zero"), ("payments", "two")].map { name, rule in
                    #""resource":"topic:\#(name)","positions":[{"partition":0}],"records":2,"bytes":\#(bytes),"#
                        + #""rule":"rule \#(rule)"}"#
                })
    }

    @Test(arguments: ["nothing", "violation", "client's end", "backend's end", "reload"])
    func `what was forwarded is recorded though the session ends before its answer`(end: String) {
        let ends: [String: [Happening]] = [
            "violation": [.client([0, 0, 0, 0])], "client's end": [.event(.ended(.client))],
            "backend's end": [.event(.ended(.backend))],
            "reload": [.reload(ScriptedPolicy(ruleNames: ["another rule"], judge: Rehearsing.nothing))],
        ]
        let outcome = Rehearsing().play(
            [
                .client(request(9, ["orders"])), .backend(response(9, ["orders"])),
                .client(request(9, ["payments", "secret"])),
            ] + (ends[end] ?? []))
        let bytes = SampleBatch(["a", "b"]).bytes.count
        let rule = end == "reload" ? "" : #""rule":"rule zero","#
        #expect(
            produced(outcome) == [
                #""resource":"topic:orders","positions":[{"partition":0,"first":500,"last":501}],"records":2,"#
                    + #""bytes":\#(bytes),"rule":"rule zero"}"#,
                #""resource":"topic:payments","positions":[{"partition":0}],"records":2,"bytes":\#(bytes),"#
                    + #"\#(rule)"reason":"answer not seen"}"#,
            ])
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
