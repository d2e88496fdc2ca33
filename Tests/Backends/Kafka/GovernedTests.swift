import TestSupport
import Testing
import TidegateCore
import TidegateKafka

/// Requests that the table decides, one by one against what Kafka itself would answer (`wire/kafka-apis.md`).
@Suite struct GovernedTests {
    private func request(_ key: Int16, _ version: Int16, _ values: [String: MessageValue], _ id: Int32 = 30) -> [UInt8]
    {
        KafkaInspection.request(key, version, correlation: id, values)
    }

    private func response(_ key: Int16, _ version: Int16, _ values: [String: MessageValue], _ id: Int32 = 30) -> [UInt8]
    {
        KafkaInspection.response(key, version, correlation: id, values)
    }

    private func named(_ names: String..., as field: String = "Name") -> MessageValue {
        .list(
            names.map { .fields([field: .text($0), "Partitions": .list([.fields(["PartitionIndex": .integer(0)])])]) })
    }

    /// What the client reads of the last answer.
    private func answer(_ outcome: Rehearsing.Outcome, _ key: Int16, _ version: Int16) -> [String] {
        outcome.frames.last.flatMap { KafkaInspection.fields(ofResponse: $0, key, version) } ?? ["unreadable"]
    }

    private func forwarded(_ outcome: Rehearsing.Outcome, _ key: Int16, _ version: Int16) -> [String] {
        outcome.forwarded.last.flatMap { KafkaInspection.fields(ofRequest: $0, key, version) } ?? ["nothing"]
    }

    private let brokers: MessageValue = .list(
        Rehearsing.brokers.sorted { $0.key < $1.key }.map {
            .fields([
                "NodeId": .integer(Int64($0.key)), "Host": .text($0.value.host), "Port": .integer(Int64($0.value.port)),
            ])
        })

    @Test(arguments: Int16(0)...13)
    func `Metadata tells the gateway's ports, leaves out what has none, and lists what may be described`(version: Int16)
    {
        let all: MessageValue = version == 0 ? .list([]) : .null
        let outcome = Rehearsing().play([
            .client(request(3, version, ["Topics": all])),
            .backend(
                response(
                    3, version,
                    [
                        "Brokers": brokers,
                        "Topics": .list(
                            ["orders", "secret", "payments"].map {
                                .fields([
                                    "Name": .text($0), "TopicId": .id(Rehearsing.names[$0] ?? Rehearsing.unheard),
                                    "Partitions": .list([.fields(["LeaderId": .integer(3)])]),
                                ])
                            }),
                    ])),
        ])
        let fields = answer(outcome, 3, version)
        #expect(fields.filter { $0.contains(".Host=") } == ["Brokers.0.Host=gate.test", "Brokers.1.Host=gate.test"])
        #expect(fields.filter { $0.contains(".Port=") } == ["Brokers.0.Port=9192", "Brokers.1.Port=9193"])
        #expect(fields.filter { $0.hasSuffix(".Name=orders") || $0.hasSuffix(".Name=payments") }.count == 2)
        #expect(fields.contains("Topics#2") && !outcome.toClient.holds("secret") && !outcome.toClient.holds("internal"))
    }

    @Test(arguments: Int16(1)...13)
    func `a denied topic gets the same answer whether it exists or not`(version: Int16) {
        func ask(_ name: String) -> [String] {
            let outcome = Rehearsing().play([
                .client(
                    request(
                        3, version,
                        ["Topics": .list([.fields(["Name": .text(name)]), .fields(["Name": .text("orders")])])])),
                .backend(response(3, version, ["Topics": .list([.fields(["Name": .text("orders")])])])),
            ])
            #expect(!outcome.toBackend.holds(name))
            return answer(outcome, 3, version).map { $0.replacingOccurrence(of: name) }
        }
        #expect(ask("secret") == ask("secret-not-there"))
        #expect(ask("secret").contains("Topics.0.ErrorCode=29"))
    }

    @Test func `by id a denied topic is 29 without a name, one that nobody knows is 100`() {
        let outcome = Rehearsing().play([
            .client(
                request(
                    3, 12,
                    [
                        "Topics": .list([
                            .fields(["TopicId": .id(Rehearsing.secret), "Name": .null]),
                            .fields(["TopicId": .id(Rehearsing.unheard), "Name": .null]),
                        ])
                    ])), .backend(response(3, 12, ["Brokers": brokers])),
        ])
        let fields = answer(outcome, 3, 12)
        #expect(fields.filter { $0.contains(".ErrorCode=") } == ["Topics.0.ErrorCode=29", "Topics.1.ErrorCode=100"])
        #expect(fields.filter { $0.contains(".Name=") } == ["Topics.0.Name=null", "Topics.1.Name=null"])
    }

    @Test func `Metadata creates a topic only with the right to`() {
        let request = request(
            3, 9, ["Topics": .list([.fields(["Name": .text("not-there")])]), "AllowAutoTopicCreation": .integer(1)])
        #expect(Rehearsing(judge: Rehearsing.everything).play([.client(request)]).toBackend == request)
        let reader: ScriptedPolicy.Judge = { _, question in
            Ruling(effect: question.action == .create ? .deny : .allow, rule: 0)
        }
        let outcome = Rehearsing(judge: reader).play([.client(request)])
        #expect(forwarded(outcome, 3, 9).contains("AllowAutoTopicCreation=0"))
    }

    @Test(arguments: [Int64(1), 2, 0xff])
    func `any byte but zero lets Metadata create a topic`(flag: Int64) {
        let request = request(
            3, 9, ["Topics": .list([.fields(["Name": .text("not-there")])]), "AllowAutoTopicCreation": .integer(flag)])
        let reader: ScriptedPolicy.Judge = { _, question in
            Ruling(effect: question.action == .create ? .deny : .allow, rule: 0)
        }
        #expect(Rehearsing(judge: Rehearsing.everything).play([.client(request)]).toBackend == request)
        let outcome = Rehearsing(judge: reader).play([.client(request)])
        #expect(forwarded(outcome, 3, 9).contains("AllowAutoTopicCreation=0"))
    }

    @Test(arguments: Int16(0)...3, [false, true])
    func `an old Metadata asks without create only for what is known to be there now`(version: Int16, isLost: Bool) {
        var rehearsing = Rehearsing(judge: { _, question in
            Ruling(effect: question.action == .create ? .deny : .allow, rule: 0)
        })
        rehearsing.isLost = isLost
        let request = request(3, version, ["Topics": .list([.fields(["Name": .text("orders")])])])
        let outcome = rehearsing.play([.client(request), .backend(response(3, version, [:]))])
        #expect(
            forwarded(outcome, 3, version) == ["Topics#\(isLost ? 0 : 1)"] + (isLost ? [] : ["Topics.0.Name=orders"]))
        #expect(answer(outcome, 3, version).contains("Topics.0.ErrorCode=3") == isLost)
    }

    @Test func `without a rule an idempotent producer is the cluster's to refuse, a transaction itself`() {
        var rehearsing = Rehearsing(judge: Rehearsing.nothing)
        rehearsing.covers = { _, _ in false }
        for (name, error) in [(MessageValue.null, 31), (.text("tx"), 53)] {
            let outcome = rehearsing.play([.client(request(22, 5, ["TransactionalId": name]))])
            #expect(outcome.toBackend.isEmpty && answer(outcome, 22, 5).contains("ErrorCode=\(error)"))
        }
    }

    /// Where partitions are told with errors: keys and versions, the arrays of topics and partitions asked for, and what
    /// the answer calls its topics, its partitions, their numbers and their errors.
    @Test(
        arguments: [
            (9, 5, ["Topics", "Name", "PartitionIndexes"], ["Topics", "Partitions", "PartitionIndex", "ErrorCode"]),
            (
                24, 3, ["V3AndBelowTopics", "Name", "Partitions"],
                ["ResultsByTopicV3AndBelow", "ResultsByPartition", "PartitionIndex", "PartitionErrorCode"]
            ),
            (61, 0, ["Topics", "Name", "PartitionIndexes"], ["Topics", "Partitions", "PartitionIndex", "ErrorCode"]),
            (
                34, 1, ["Dirs", "Path", "Topics", "Name", "Partitions"],
                ["Results", "Partitions", "PartitionIndex", "ErrorCode"]
            ),
            (
                43, 1, ["TopicPartitions", "Topic", "Partitions"],
                ["ReplicaElectionResults", "PartitionResult", "PartitionId", "ErrorCode"]
            ), (8, 8, ["Topics", "Name", "Partitions#"], ["Topics", "Partitions", "PartitionIndex", "ErrorCode"]),
            (23, 4, ["Topics", "Topic", "Partitions#"], ["Topics", "Partitions", "Partition", "ErrorCode"]),
        ] as [(Int16, Int16, [String], [String])])
    func `each partition of a topic that is refused has its number and the error`(
        key: Int16, version: Int16, asked: [String], told: [String]
    ) throws {
        let numbers = [7, -1, 300_000] as [Int64]
        var values: [String: MessageValue] = ["ReplicaId": .integer(-1)]
        var list: MessageValue = .list(numbers.map { .integer($0) })
        var path = asked
        let parts = path.removeLast()
        if parts.hasSuffix("#") {
            list = .list(
                numbers.map { .fields(["PartitionIndex": .integer($0), "Partition": .integer($0)]) })
        }
        list = .list([.fields([path.removeLast(): .text("secret"), String(parts.prefix { $0 != "#" }): list])])
        if path.count > 1 { list = .list([.fields([path.removeLast(): list, path.removeLast(): .text("/a")])]) }
        values[path.first ?? asked[0]] = list
        let outcome = Rehearsing(judge: { _, question in
            Ruling(effect: question.name == "secret" || question.action == .admin ? .deny : .allow, rule: 1)
        }).play([.client(request(key, version, values))])
        #expect(outcome.toBackend.isEmpty)
        let fields = answer(outcome, key, version)
        for (place, number) in numbers.enumerated() {
            let partition = "\(told[0]).0.\(told[1]).\(place)."
            #expect(fields.contains("\(partition)\(told[2])=\(number)"), "\(fields)")
            #expect(fields.contains { $0.hasPrefix("\(partition)\(told[3])=") && !$0.hasSuffix("=0") })
        }
    }

    @Test(arguments: Int16(0)...6)
    func `FindCoordinator tells the gateway's address, in both of its shapes`(version: Int16) {
        let at: [String: MessageValue] = [
            "Key": .text("group"), "NodeId": .integer(2), "Host": .text("broker-two.internal"),
            "Port": .integer(19_002),
        ]
        func ask(_ name: String) -> [String] {
            let outcome = Rehearsing().play([
                .client(request(10, version, ["Key": .text(name), "CoordinatorKeys": .list([.text(name)])])),
                .backend(response(10, version, version >= 4 ? ["Coordinators": .list([.fields(at)])] : at)),
            ])
            return answer(outcome, 10, version)
        }
        let allowed = ask("group")
        #expect(allowed.contains { $0.hasSuffix("Host=gate.test") } && allowed.contains { $0.hasSuffix("Port=9193") })
        let judge: ScriptedPolicy.Judge = Rehearsing.usual
        let denied = Rehearsing(judge: judge).play([
            .client(request(10, version, ["Key": .text("secret"), "CoordinatorKeys": .list([.text("secret")])]))
        ])
        #expect(denied.toBackend.isEmpty && answer(denied, 10, version).contains { $0.hasSuffix("ErrorCode=30") })
        if version >= 1 {
            let share = Rehearsing(judge: Rehearsing.everything).play([
                .client(
                    request(
                        10, version,
                        ["KeyType": .integer(2), "Key": .text("g:id:0"), "CoordinatorKeys": .list([.text("g:id:0")])]))
            ])
            #expect(share.toBackend.isEmpty)
        }
    }

    /// A denied and an allowed topic: which errors, and what goes on.
    @Test(
        arguments: [
            (2, 1, "Topics", "Name"), (2, 9, "Topics", "Name"), (8, 2, "Topics", "Name"), (8, 9, "Topics", "Name"),
            (19, 2, "Topics", "Name"), (19, 7, "Topics", "Name"), (20, 6, "Topics", "Name"), (28, 0, "Topics", "Name"),
            (28, 5, "Topics", "Name"), (21, 2, "Topics", "Name"), (23, 4, "Topics", "Topic"), (37, 3, "Topics", "Name"),
        ] as [(Int16, Int16, String, String)])
    func `a denied topic is taken out and put into the answer`(key: Int16, version: Int16, array: String, name: String)
    {
        let replica: [String: MessageValue] = key == 2 || key == 23 ? ["ReplicaId": .integer(-1)] : [:]
        let outcome = Rehearsing().play([
            .client(request(key, version, [array: named("secret", "orders", as: name)].merging(replica) { $1 })),
            .backend(
                response(
                    key, version,
                    [key == 20 ? "Responses" : key == 37 ? "Results" : "Topics": named("orders", as: name)])),
        ])
        #expect(
            forwarded(outcome, key, version).filter { $0.hasSuffix("=orders") || $0.hasSuffix("=secret") }.count == 1)
        let fields = answer(outcome, key, version)
        #expect(
            fields.contains { $0.hasSuffix(".0.\(name)=secret") }
                && fields.contains { $0.hasSuffix(".1.\(name)=orders") })
        #expect(fields.filter { $0.contains("ErrorCode=29") }.count == 1)
    }

    @Test(arguments: Int16(1)...5)
    func `DeleteTopics by plain names is decided too`(version: Int16) {
        let outcome = Rehearsing().play([
            .client(request(20, version, ["TopicNames": .list([.text("secret"), .text("orders")])])),
            .backend(response(20, version, ["Responses": .list([.fields(["Name": .text("orders")])])])),
        ])
        #expect(
            forwarded(outcome, 20, version).filter { $0.hasPrefix("TopicNames") } == [
                "TopicNames#1", "TopicNames.0=orders",
            ])
        #expect(
            answer(outcome, 20, version).filter { $0.contains("ErrorCode=") } == [
                "Responses.0.ErrorCode=29", "Responses.1.ErrorCode=0",
            ])
    }

    @Test(
        arguments: [(8, 9), (11, 9), (12, 4), (13, 5), (14, 5), (47, 0), (25, 3), (28, 3), (68, 1)] as [(Int16, Int16)])
    func `a denied group refuses the request whole`(key: Int16, version: Int16) {
        let outcome = Rehearsing().play([
            .client(
                request(
                    key, version,
                    ["GroupId": .text("secret-group"), "TransactionalId": .text("tx"), "Topics": named("orders")]))
        ])
        #expect(outcome.toBackend.isEmpty)
        #expect(answer(outcome, key, version).contains { $0.hasSuffix("ErrorCode=30") })
    }

    @Test(arguments: [(22, 5), (25, 4), (26, 5), (28, 5)] as [(Int16, Int16)])
    func `a denied transaction refuses the request whole`(key: Int16, version: Int16) {
        let outcome = Rehearsing().play([
            .client(
                request(
                    key, version,
                    ["TransactionalId": .text("secret-tx"), "GroupId": .text("g"), "Topics": named("orders")]))
        ])
        #expect(outcome.toBackend.isEmpty)
        #expect(answer(outcome, key, version).contains { $0.hasSuffix("ErrorCode=53") })
    }

    @Test(arguments: Int16(0)...3)
    func `AddPartitionsToTxn is refused whole for one denied topic`(version: Int16) {
        let topics: MessageValue = .list(
            ["orders", "secret"].map { .fields(["Name": .text($0), "Partitions": .list([.integer(0)])]) })
        let outcome = Rehearsing().play([
            .client(request(24, version, ["V3AndBelowTransactionalId": .text("tx"), "V3AndBelowTopics": topics]))
        ])
        #expect(outcome.toBackend.isEmpty)
        #expect(
            answer(outcome, 24, version).filter { $0.contains("ErrorCode=") }.map { $0.suffix(3) } == ["=55", "=29"])
    }

    @Test(arguments: Int16(8)...9)
    func `OffsetFetch refuses groups and topics where they stand`(version: Int16) {
        func group(_ name: String, _ topics: [String]) -> MessageValue {
            .fields([
                "GroupId": .text(name),
                "Topics": .list(topics.map { .fields(["Name": .text($0), "PartitionIndexes": .list([.integer(0)])]) }),
            ])
        }
        let outcome = Rehearsing().play([
            .client(
                request(
                    9, version, ["Groups": .list([group("secret-g", ["orders"]), group("g", ["secret", "orders"])])])),
            .backend(
                response(
                    9, version,
                    [
                        "Groups": .list([
                            .fields(["GroupId": .text("g"), "Topics": .list([.fields(["Name": .text("orders")])])])
                        ])
                    ])),
        ])
        let asked = forwarded(outcome, 9, version)
        #expect(asked.contains("Groups#1") && asked.contains("Groups.0.Topics#1"))
        let fields = answer(outcome, 9, version)
        #expect(fields.contains("Groups.0.GroupId=secret-g") && fields.contains("Groups.0.ErrorCode=30"))
        #expect(
            fields.contains("Groups.1.Topics.0.Name=secret")
                && fields.contains("Groups.1.Topics.0.Partitions.0.ErrorCode=29"))
        #expect(fields.contains("Groups.1.Topics.1.Name=orders"))
    }

    @Test func `groups that may not be described are not listed`() {
        let outcome = Rehearsing().play([
            .client(request(16, 4, [:])),
            .backend(response(16, 4, ["Groups": .list(["secret-g", "g"].map { .fields(["GroupId": .text($0)]) })])),
        ])
        #expect(answer(outcome, 16, 4).filter { $0.contains("GroupId") } == ["Groups.0.GroupId=g"])
    }

    @Test func `a heartbeat that says nothing new is decided on what the member said last`() {
        let told = request(68, 0, ["GroupId": .text("g"), "SubscribedTopicNames": .list([.text("orders")])])
        let quiet = request(68, 0, ["GroupId": .text("g"), "SubscribedTopicNames": .null], 31)
        let outcome = Rehearsing().play([
            .client(told), .backend(response(68, 0, [:])),
            .reload(
                ScriptedPolicy { _, question in Ruling(effect: question.name == "orders" ? .deny : .allow, rule: 1) }),
            .client(quiet),
        ])
        #expect(outcome.toBackend == told)
        #expect(answer(outcome, 68, 0).contains("ErrorCode=29"))
    }

    @Test(arguments: Int16(1)...4)
    func `settings of brokers need the cluster, and addresses in them are not told`(version: Int16) {
        func ask(_ type: Int64, _ name: String, _ judge: @escaping ScriptedPolicy.Judge) -> Rehearsing.Outcome {
            Rehearsing(judge: judge).play([
                .client(
                    request(
                        32, version,
                        ["Resources": .list([.fields(["ResourceType": .integer(type), "ResourceName": .text(name)])])])),
                .backend(
                    response(
                        32, version,
                        [
                            "Results": .list([
                                .fields([
                                    "ResourceType": .integer(type), "ResourceName": .text(name),
                                    "Configs": .list([
                                        .fields([
                                            "Name": .text("advertised.listeners"),
                                            "Value": .text("PLAINTEXT://broker-two.internal:19002"),
                                        ])
                                    ]),
                                ])
                            ])
                        ])),
            ])
        }
        #expect(answer(ask(2, "secret", Rehearsing.usual), 32, version).contains("Results.0.ErrorCode=29"))
        #expect(answer(ask(32, "secret", Rehearsing.usual), 32, version).contains("Results.0.ErrorCode=30"))
        #expect(answer(ask(4, "1", Rehearsing.nothing), 32, version).contains("Results.0.ErrorCode=31"))
        #expect(!ask(4, "1", Rehearsing.everything).toClient.holds("internal"))
    }

    @Test(arguments: [(38, 2), (39, 2), (40, 2), (41, 2)] as [(Int16, Int16)])
    func `delegation tokens are refused to everybody`(key: Int16, version: Int16) {
        let outcome = Rehearsing(judge: Rehearsing.everything).play([.client(request(key, version, [:]))])
        #expect(outcome.toBackend.isEmpty && answer(outcome, key, version).contains("ErrorCode=65"))
    }

    @Test func `an answer of the gateway's own waits for its turn`() {
        let first = request(12, 4, ["GroupId": .text("g")], 41)
        let denied = request(12, 4, ["GroupId": .text("secret")], 42)
        let third = request(12, 4, ["GroupId": .text("g")], 43)
        let outcome = Rehearsing().play([
            .client(first + denied + third), .backend(response(12, 4, [:], 41)), .backend(response(12, 4, [:], 43)),
        ])
        #expect(outcome.toBackend == first + third)
        #expect(outcome.frames.map { $0[7] } == [41, 42, 43])
    }

    @Test func `an answer to another request ends the session`() {
        let outcome = Rehearsing().play([
            .client(request(12, 4, ["GroupId": .text("g")], 41)), .backend(response(12, 4, [:], 99)),
        ])
        #expect(outcome.whole.violation?.side == .backend && outcome.toClient.isEmpty)
    }
}

extension String {
    /// Without the name that was asked for, to compare answers about two names.
    fileprivate func replacingOccurrence(of name: String) -> String {
        hasSuffix("=\(name)") ? String(dropLast(name.count)) : self
    }
}
