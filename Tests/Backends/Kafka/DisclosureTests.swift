import TestSupport
import Testing
import TidegateCore
import TidegateKafka

/// What answers may not tell, in the places that are easily forgotten.
@Suite struct DisclosureTests {
    private func request(_ key: Int16, _ version: Int16, _ values: [String: MessageValue]) -> [UInt8] {
        KafkaInspection.request(key, version, correlation: 30, values)
    }

    private func response(_ key: Int16, _ version: Int16, _ values: [String: MessageValue]) -> [UInt8] {
        KafkaInspection.response(key, version, correlation: 30, values)
    }

    private func fields(_ outcome: Rehearsing.Outcome, _ key: Int16, _ version: Int16) -> [String] {
        outcome.frames.last.flatMap { KafkaInspection.fields(ofResponse: $0, key, version) } ?? ["unreadable"]
    }

    @Test func `a page that begins with a hidden topic is reached by a name that says nothing`() {
        let cursor: MessageValue = .fields(["TopicName": .text("secret"), "PartitionIndex": .integer(3)])
        let page = response(
            75, 0, ["Topics": .list([.fields(["Name": .text("orders")])]), "NextCursor": cursor])
        let given: MessageValue = .fields(["TopicName": .text("tidegate/1"), "PartitionIndex": .integer(0)])
        let outcome = Rehearsing().play([
            .client(request(75, 0, [:])), .backend(page), .client(request(75, 0, ["Cursor": given])),
            .backend(response(75, 0, ["Topics": .list([.fields(["Name": .text("payments")])])])),
        ])
        #expect(!outcome.toClient.holds("secret"))
        #expect(
            KafkaInspection.fields(ofResponse: outcome.frames[0], 75, 0)?.suffix(2)
                == ["NextCursor.TopicName=tidegate/1", "NextCursor.PartitionIndex=0"])
        let asked = KafkaInspection.fields(ofRequest: outcome.forwarded.last ?? [], 75, 0) ?? []
        #expect(asked.suffix(2) == ["Cursor.TopicName=secret", "Cursor.PartitionIndex=3"])
        #expect(fields(outcome, 75, 0).contains { $0.hasSuffix(".Name=payments") })
        let unknown: MessageValue = .fields(["TopicName": .text("tidegate/2"), "PartitionIndex": .integer(0)])
        let refused = Rehearsing().play([.client(request(75, 0, ["Cursor": unknown]))])
        #expect(refused.toBackend.isEmpty && refused.frames.count == 1)
    }

    @Test(arguments: ["could not reach broker-two.internal", "connect to 10.0.0.7:19002 failed", "BROKER-TWO.INTERNAL"])
    func `brokers' addresses in free text are not told`(text: String) {
        let created = Rehearsing().play([
            .client(request(19, 7, ["Topics": .list([.fields(["Name": .text("orders")])])])),
            .backend(
                response(19, 7, ["Topics": .list([.fields(["Name": .text("orders"), "ErrorMessage": .text(text)])])])),
        ])
        #expect(fields(created, 19, 7).contains("Topics.0.ErrorMessage="))
        let beat = Rehearsing().play([
            .client(
                request(
                    88, 0, ["GroupId": .text("g"), "MemberId": .text("m"), "Topology": .fields(["Epoch": .integer(1)])])
            ),
            .backend(response(88, 0, ["Status": .list([.fields(["StatusDetail": .text(text)])])])),
        ])
        #expect(fields(beat, 88, 0).contains("Status.0.StatusDetail="))
        for version in Int16(8)...13 {
            let produced = Rehearsing().play([
                .client(
                    request(
                        0, version,
                        [
                            "Acks": .integer(1),
                            "TopicData": .list([
                                .fields([
                                    "Name": .text("orders"), "TopicId": .id(Rehearsing.orders),
                                    "PartitionData": .list([.fields([:])]),
                                ])
                            ]),
                        ])),
                .backend(
                    response(
                        0, version,
                        [
                            "Responses": .list([
                                .fields([
                                    "Name": .text("orders"), "TopicId": .id(Rehearsing.orders),
                                    "PartitionResponses": .list([
                                        .fields([
                                            "ErrorCode": .integer(87), "ErrorMessage": .text(text),
                                            "RecordErrors": .list([.fields(["BatchIndexErrorMessage": .text(text)])]),
                                        ])
                                    ]),
                                ])
                            ])
                        ])),
            ])
            #expect(fields(produced, 0, version).contains { $0.hasSuffix("ErrorCode=87") })
            #expect(!produced.toClient.holds(text))
        }
    }

    @Test(arguments: Int16(0)...13)
    func `a partition led by a broker without a port has no leader`(version: Int16) {
        let brokers: MessageValue = .list(
            Rehearsing.brokers.map { .fields(["NodeId": .integer(Int64($0.key)), "Host": .text($0.value.host)]) })
        let partitions: MessageValue = .list(
            [1, 3].map {
                .fields([
                    "LeaderId": .integer($0), "PartitionIndex": .integer($0), "ReplicaNodes": .list([.integer(1)]),
                    "IsrNodes": .list([.integer(1), .integer(3)]),
                ])
            })
        let topics: MessageValue = .list(
            ["secret", "orders"].map { .fields(["Name": .text($0), "Partitions": partitions]) })
        let outcome = Rehearsing().play([
            .client(request(3, version, ["Topics": version == 0 ? .list([]) : .null])),
            .backend(response(3, version, ["Brokers": brokers, "Topics": topics])),
        ])
        let told = fields(outcome, 3, version)
        #expect(told.filter { $0.contains(".LeaderId=") }.map { $0.suffix(2) } == ["=1", "-1"].map { $0.suffix(2) })
        #expect(
            told.filter { $0.contains(".Partitions.") && $0.contains("ErrorCode=") }.map { $0.suffix(2) } == [
                "=0", "=5",
            ])
        if version == 13 {
            let pages = Rehearsing().play([.client(request(75, 0, [:])), .backend(response(75, 0, ["Topics": topics]))])
            #expect(fields(pages, 75, 0).filter { $0.contains(".LeaderId=") }.map { $0.suffix(2) } == ["=1", "-1"])
        }
    }

    @Test(arguments: [(Int16(15), Int16(0)), (15, 4), (15, 6), (69, 0), (69, 1), (77, 1), (89, 0)])
    func `where a group's members stand as the broker sees it is not told: that is where the gateway stands`(
        key: Int16, version: Int16
    ) {
        let members: MessageValue = .list(
            ["one", "two"].map { .fields(["MemberId": .text($0), "ClientHost": .text("/10.9.8.7")]) })
        let groups: MessageValue = .list(
            ["g", "h"].map { .fields(["GroupId": .text($0), "Members": members]) })
        let outcome = Rehearsing().play([
            .client(request(key, version, [key == 15 ? "Groups" : "GroupIds": .list([.text("g"), .text("h")])])),
            .backend(response(key, version, ["Groups": groups])),
        ])
        let told = fields(outcome, key, version)
        #expect(told.filter { $0.contains(".MemberId=") }.count == 4)
        #expect(told.filter { $0.contains(".ClientHost=") }.allSatisfy { $0.hasSuffix("=") })
        #expect(!outcome.toClient.holds("10.9.8.7"))
    }

    @Test func `controllers' listeners are not told`() {
        let listeners: MessageValue = .list([
            .fields(["Name": .text("C"), "Host": .text("broker-one.internal"), "Port": .integer(19_001)])
        ])
        let outcome = Rehearsing().play([
            .client(request(55, 2, [:])),
            .backend(response(55, 2, ["Nodes": .list([.fields(["NodeId": .integer(1), "Listeners": listeners])])])),
        ])
        let told = fields(outcome, 55, 2)
        #expect(told.contains("Nodes.0.NodeId=1") && told.contains("Nodes.0.Listeners#0"))
        #expect(!outcome.toClient.holds("internal"))
    }

    @Test(arguments: Int16(8)...10)
    func `rights that are told are the principal's own`(version: Int16) {
        func ask(_ judge: @escaping ScriptedPolicy.Judge, _ told: Int64) -> [String] {
            let outcome = Rehearsing(judge: judge).play([
                .client(request(3, version, ["Topics": .null])),
                .backend(
                    response(
                        3, version,
                        [
                            "Topics": .list([
                                .fields(["Name": .text("orders"), "TopicAuthorizedOperations": .integer(told)])
                            ]), "ClusterAuthorizedOperations": .integer(told),
                        ])),
            ])
            return fields(outcome, 3, version).filter { $0.contains("AuthorizedOperations=") }.map {
                String($0.split(separator: "=")[1])
            }
        }
        let reader: ScriptedPolicy.Judge = { _, question in
            Ruling(
                effect: question.kind == "topic" && [.consume, .describe].contains(question.action) ? .allow : .deny,
                rule: 0)
        }
        // Read (3), Describe (8) and DescribeConfigs (10); nothing on the cluster.
        #expect(ask(reader, 4095) == ["\(1 << 3 | 1 << 8 | 1 << 10)", "0"])
        let asked = ask(Rehearsing.everything, 4095)
        #expect(asked.allSatisfy { $0 == "\((3...8).reduce(0) { $0 | 1 << $1 } | 1 << 10 | 1 << 11)" })
        #expect(ask(reader, -2_147_483_648).allSatisfy { $0 == "-2147483648" })
    }
}

/// What is never forwarded, and what is not done by accident.
@Suite struct IntentTests {
    private func request(_ key: Int16, _ version: Int16, _ values: [String: MessageValue]) -> [UInt8] {
        KafkaInspection.request(key, version, correlation: 30, values)
    }

    private func fields(_ outcome: Rehearsing.Outcome, _ key: Int16, _ version: Int16) -> [String] {
        outcome.frames.last.flatMap { KafkaInspection.fields(ofResponse: $0, key, version) } ?? ["unreadable"]
    }

    @Test func `a topic by name and by id at once is no request`() {
        let both: MessageValue = .fields(["Name": .text("orders"), "TopicId": .id(Rehearsing.secret)])
        let deleted = Rehearsing(judge: Rehearsing.everything).play([
            .client(request(20, 6, ["Topics": .list([both])]))
        ])
        #expect(deleted.toBackend.isEmpty && fields(deleted, 20, 6).contains("Responses.0.ErrorCode=42"))
        let described = Rehearsing(judge: Rehearsing.everything).play([
            .client(request(3, 12, ["Topics": .list([both])])),
            .backend(KafkaInspection.response(3, 12, correlation: 30, [:])),
        ])
        #expect(!described.toBackend.holds("orders"))
        #expect(fields(described, 3, 12).contains("Topics.0.ErrorCode=42"))
    }

    private let reader: ScriptedPolicy.Judge = { _, question in
        Ruling(effect: question.action == .create ? .deny : .allow, rule: 0)
    }

    private func named(_ names: String...) -> MessageValue { .list(names.map { .fields(["Name": .text($0)]) }) }

    @Test(arguments: [Int16(4), 9, 13])
    func `without the right to create nothing is created, whatever the catalogue says`(version: Int16) {
        let asked = request(3, version, ["Topics": named("orders"), "AllowAutoTopicCreation": .integer(1)])
        let outcome = Rehearsing(judge: reader).play([.client(asked)])
        #expect(
            KafkaInspection.fields(ofRequest: outcome.toBackend, 3, version)?.contains("AllowAutoTopicCreation=0")
                == true)
        #expect(Rehearsing(judge: Rehearsing.everything).play([.client(asked)]).toBackend == asked)
    }

    @Test(arguments: Int16(0)...3)
    func `a broker that creates whatever is asked for is not asked for topics that are gone`(version: Int16) {
        var rehearsing = Rehearsing(judge: reader)
        rehearsing.gone = ["payments"]
        rehearsing.later = [.init("fresh", high: 7, low: 7)]
        let answer = Happening.backend(KafkaInspection.response(3, version, correlation: 30, [:]))
        let outcome = rehearsing.play([
            .client(request(3, version, ["Topics": named("orders", "payments", "fresh")])), answer,
        ])
        let asked = KafkaInspection.fields(ofRequest: outcome.toBackend, 3, version) ?? []
        #expect(asked == ["Topics#2", "Topics.0.Name=orders", "Topics.1.Name=fresh"])
        #expect(fields(outcome, 3, version).contains("Topics.0.ErrorCode=3"))
        let nothing = Rehearsing(judge: reader).play([
            .client(request(3, version, ["Topics": named("absent")])),
            .backend(KafkaInspection.response(3, version, correlation: 30, ["Topics": named("orders")])),
        ])
        // To version 0 an empty list means all topics: of those nothing is told.
        #expect(fields(nothing, 3, version).filter { $0.contains(".Name=") }.first == "Topics.0.Name=absent")
        if version == 0 { #expect(!nothing.toClient.holds("orders")) }
    }

    @Test(arguments: [Int16(1), 9])
    func `nothing is created where that cannot be recorded`(version: Int16) {
        let rehearsing = Rehearsing(judge: Rehearsing.everything)
        let kit = rehearsing.kit(false)
        let session = Session(
            id: "s1", route: kit.route, clientAddress: "192.0.2.7:40000", localPort: 9192,
            started: ScriptedAuthority.noon)
        let harness = WireHarness(kit, rehearsing.machine(session))
        for happening in Rehearsing.logIn { harness.play(happening) }
        kit.evidence.isBroken = true
        harness.play(
            .client(request(3, version, ["Topics": named("absent"), "AllowAutoTopicCreation": .integer(1)])))
        let asked = KafkaInspection.fields(ofRequest: harness.finish().toBackend, 3, version) ?? ["nothing"]
        #expect(version < 4 ? asked == ["Topics#0"] : asked.contains("AllowAutoTopicCreation=0"))
    }

    // MARK: Producers

    private func produce(_ producer: Int64) -> [UInt8] {
        request(
            0, 12,
            [
                "Acks": .integer(-1),
                "TopicData": .list(
                    [("orders", producer), ("payments", -1)].map { name, producer in
                        .fields([
                            "Name": .text(name),
                            "PartitionData": .list([
                                .fields(["Records": .text(SampleBatch(["a"], producer: producer).bytes)])
                            ]),
                        ])
                    }),
            ])
    }

    @Test func `a producer's id is honoured for the principal that got it`() {
        var rehearsing = Rehearsing(judge: Rehearsing.everything)
        rehearsing.principals["eve-token"] = Principal(
            subject: "eve", groups: [], issuer: "https://idp.test", expires: Instant(seconds: 2_000_000_000))
        let cluster = rehearsing.cluster()
        let given = KafkaInspection.response(22, 5, correlation: 30, ["ProducerId": .integer(4711)])
        let own = rehearsing.playWhole(
            [.client(request(22, 5, ["TransactionalId": .null])), .backend(given), .client(produce(4711))], on: cluster)
        #expect(own.forwarded.last == produce(4711) && own.toClient == given)
        let other = rehearsing.playWhole(
            [
                .client(produce(4711)),
                .backend(
                    KafkaInspection.response(
                        0, 12, correlation: 30,
                        [
                            "Responses": .list([
                                .fields(["Name": .text("payments"), "PartitionResponses": .list([.fields([:])])])
                            ])
                        ])),
            ], on: cluster, token: "eve-token")
        #expect(!other.toBackend.holds("orders") && other.toBackend.holds("payments"))
        #expect(
            fields(other, 0, 12).filter { $0.contains("ErrorCode=") }.map { $0.split(separator: "=")[1] } == [
                "49", "0",
            ])
        // Ids that were given before this gateway started are nobody's that it knows.
        #expect(rehearsing.playWhole([.client(produce(9))], on: cluster, token: "eve-token").toBackend == produce(9))
    }

    @Test(.timeLimit(.minutes(5)))
    func `who asks for very many producers' ids makes nobody else's be forgotten`() {
        var rehearsing = Rehearsing(judge: Rehearsing.everything)
        rehearsing.principals["eve-token"] = Principal(
            subject: "eve", groups: [], issuer: "https://idp.test", expires: Instant(seconds: 2_000_000_000))
        let cluster = rehearsing.cluster()
        let ask = Happening.client(request(22, 5, ["TransactionalId": .null]))
        func given(_ ids: Range<Int64>) -> [Happening] {
            ids.flatMap { id -> [Happening] in
                [ask, .backend(KafkaInspection.response(22, 5, correlation: 30, ["ProducerId": .integer(id)]))]
            }
        }
        _ = rehearsing.playWhole(given(1..<2), on: cluster)
        _ = rehearsing.playWhole(given(2..<70_000), on: cluster, token: "eve-token")
        let other = rehearsing.playWhole([.client(produce(1))], on: cluster, token: "eve-token")
        #expect(!other.toBackend.holds("orders"))
        // Of the flood itself the newest are known.
        #expect(!rehearsing.playWhole([.client(produce(69_999))], on: cluster).toBackend.holds("orders"))
        #expect(rehearsing.playWhole([.client(produce(60_000))], on: cluster).toBackend == produce(60_000))
    }

    // MARK: Heartbeats

    private func consumer(_ names: [String]?, member: String = "m", epoch: Int64 = 3, version: Int16 = 0) -> [UInt8] {
        request(
            68, version,
            [
                "GroupId": .text("g"), "MemberId": .text(member), "MemberEpoch": .integer(epoch),
                "SubscribedTopicNames": names.map { .list($0.map { .text($0) }) } ?? .null,
            ])
    }

    private func streams(_ topology: [String: MessageValue]?, epoch: Int64 = 3) -> [UInt8] {
        request(
            88, 0,
            [
                "GroupId": .text("g"), "MemberId": .text("m"), "MemberEpoch": .integer(epoch),
                "Topology": topology.map { .fields(["Subtopologies": .list([.fields($0)])]) } ?? .null,
            ])
    }

    private func beat(_ key: Int16, _ values: [String: MessageValue] = [:]) -> Happening {
        .backend(KafkaInspection.response(key, 0, correlation: 30, values))
    }

    @Test func `members of one group on one connection are told apart`() {
        let outcome = Rehearsing().play([
            .client(consumer(["orders"], member: "one")), beat(68), .client(consumer(["payments"], member: "two")),
            beat(68),
            .reload(
                ScriptedPolicy { _, question in Ruling(effect: question.name == "orders" ? .deny : .allow, rule: 1) }),
            .client(consumer(nil, member: "two")), beat(68), .client(consumer(nil, member: "one")),
        ])
        #expect(outcome.forwarded.last == consumer(nil, member: "two"))
        #expect(fields(outcome, 68, 0).contains("ErrorCode=29"))
    }

    @Test func `a member keeps what it said when the broker names it`() {
        let outcome = Rehearsing().play([
            .client(consumer(["orders"], member: "", epoch: 0)), beat(68, ["MemberId": .text("given")]),
            .client(consumer(nil, member: "given")),
        ])
        #expect(outcome.forwarded.last == consumer(nil, member: "given"))
    }

    @Test func `what was refused is not remembered, and who was never heard must say it`() {
        let refused = Rehearsing().play([
            .client(consumer(["orders"])), beat(68), .client(consumer(["secret"])), .client(consumer(nil)),
        ])
        #expect(refused.forwarded.last == consumer(nil))
        let unheard = Rehearsing().play([.client(consumer(nil))])
        #expect(unheard.toBackend.isEmpty && fields(unheard, 68, 0).contains("ErrorCode=25"))
        // Who leaves says nothing; who joins by a pattern neither.
        let leaving = consumer(nil, epoch: -1)
        #expect(Rehearsing().play([.client(leaving)]).toBackend == leaving)
        let pattern = request(
            68, 1,
            [
                "GroupId": .text("g"), "MemberId": .text("m"), "MemberEpoch": .integer(3),
                "SubscribedTopicRegex": .text("o.*"),
            ])
        let again = consumer(nil, version: 1)
        #expect(
            Rehearsing().play([
                .client(pattern), .backend(KafkaInspection.response(68, 1, correlation: 30, [:])), .client(again),
            ]).toBackend == pattern + again)
    }

    @Test func `a streams member is decided on the topology that it said last`() {
        let topology: [String: MessageValue] = [
            "SourceTopics": .list([.text("orders")]),
            "StateChangelogTopics": .list([.fields(["Name": .text("log")])]),
        ]
        for lost in ["orders", "log"] {
            let outcome = Rehearsing().play([
                .client(streams(topology)), beat(88), .client(streams(nil)), beat(88),
                .reload(
                    ScriptedPolicy { _, question in Ruling(effect: question.name == lost ? .deny : .allow, rule: 0) }),
                .client(streams(nil)),
            ])
            #expect(outcome.forwarded == [streams(topology), streams(nil)])
            #expect(fields(outcome, 88, 0).contains("ErrorCode=29"))
            // What a topology creates is recorded when it is said, not with every heartbeat.
            #expect(outcome.whole.lines.count { $0.contains("topic:log") && $0.contains("operation.allowed") } <= 1)
        }
        let unheard = Rehearsing().play([.client(streams(nil))])
        #expect(fields(unheard, 88, 0).contains("ErrorCode=25"))
        let pattern = Rehearsing(judge: Rehearsing.everything).play([
            .client(streams(["SourceTopicRegex": .list([.text(".*")])]))
        ])
        #expect(pattern.toBackend.isEmpty && fields(pattern, 88, 0).contains("ErrorCode=42"))
    }
}
