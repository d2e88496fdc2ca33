import TestSupport
import Testing
import TidegateCore
import TidegateKafka

/// What holds for every API key in every version that is served, by requests with something in every field.
@Suite struct EveryAPITests {
    static let served: [(key: Int16, version: Int16)] = KafkaInspection.versions.flatMap { api in
        (KafkaInspection.served(api.key).map { Array($0) } ?? []).map { (api.key, $0) }
    }
    /// The gateway answers these itself.
    static let own: Set<Int16> = [17, 18, 36]

    private func play(
        _ rehearsing: Rehearsing, _ transcript: [Happening], _ feeding: Feeding = .whole
    ) -> WireResult {
        TestSupport.play(
            Rehearsing.logIn + transcript, feeding, kit: { rehearsing.kit($0) }, machine: { rehearsing.machine($0) })
    }

    private func ownAnswers(_ result: WireResult) -> [[UInt8]] {
        Array(Rehearsing.frames(result.toClient).dropFirst(2))
    }

    @Test func `without any right nothing reaches a broker and the answer is well formed`() {
        var rehearsing = Rehearsing(judge: Rehearsing.nothing)
        rehearsing.covers = { _, _ in false }
        for (key, version) in EveryAPITests.served where !EveryAPITests.own.contains(key) {
            let result = play(rehearsing, [.client(KafkaInspection.sampleRequest(key, version, correlation: 50))])
            #expect(result.toBackend.isEmpty, "key \(key) version \(version)")
            #expect(result.faults.isEmpty, "key \(key) version \(version): \(result.faults)")
            let answers = ownAnswers(result)
            if result.closed == nil, result.violation == nil {
                #expect(answers.count == 1, "key \(key) version \(version)")
            }
            for answer in answers {
                #expect(answer[4..<8].elementsEqual([0, 0, 0, 50]), "key \(key) version \(version)")
                let fields = KafkaInspection.fields(ofResponse: answer, key, version)
                #expect(fields != nil, "key \(key) version \(version)")
                // Before version 3 DescribeLogDirs has no place for an error (Kafka answers it empty too).
                if key == 35, version < 3 { continue }
                // A refusal says so somewhere: by an error code that is not 0.
                let errors = (fields ?? []).filter { $0.contains("ErrorCode=") }
                #expect(errors.contains { !$0.hasSuffix("=0") }, "key \(key) version \(version): \(fields ?? [])")
            }
        }
    }

    @Test func `covered by a rule, but without a right to what it names, a request reaches no broker`() {
        // Open to all who are covered: their answers are filtered.
        let open: Set<Int16> = [3, 16, 60, 66, 74]
        for (key, version) in EveryAPITests.served where !EveryAPITests.own.contains(key) && !open.contains(key) {
            let result = play(
                Rehearsing(judge: Rehearsing.nothing),
                [.client(KafkaInspection.sampleRequest(key, version, correlation: 50))])
            #expect(result.toBackend.isEmpty, "key \(key) version \(version)")
            for answer in ownAnswers(result) {
                #expect(
                    KafkaInspection.fields(ofResponse: answer, key, version) != nil, "key \(key) version \(version)")
            }
        }
    }

    @Test func `with every right a request passes as the very bytes`() {
        let rehearsing = Rehearsing(judge: Rehearsing.everything)
        // Samples have a replica's id, records that are no batches, and what is refused to everybody.
        let others: Set<Int16> = [0, 1, 2, 23, 38, 39, 40, 41]
        for (key, version) in EveryAPITests.served where !EveryAPITests.own.contains(key) && !others.contains(key) {
            let request = KafkaInspection.sampleRequest(key, version, correlation: 50)
            let result = play(rehearsing, [.client(request)])
            #expect(result.toBackend == request, "key \(key) version \(version)")
        }
    }

    @Test func `answers stay well formed and tell no broker's address`() throws {
        let rehearsing = Rehearsing(judge: Rehearsing.everything)
        let others: Set<Int16> = [0, 1, 2, 23, 38, 39, 40, 41]
        for (key, version) in EveryAPITests.served where !EveryAPITests.own.contains(key) && !others.contains(key) {
            let request = KafkaInspection.sampleRequest(key, version, correlation: 50)
            let response = KafkaInspection.sampleResponse(key, version, correlation: 50)
            let result = play(rehearsing, [.client(request), .backend(response)])
            let answer = try #require(
                ownAnswers(result).last, "key \(key) version \(version): \(String(describing: result.violation))")
            let fields = KafkaInspection.fields(ofResponse: answer, key, version)
            #expect(fields != nil, "key \(key) version \(version)")
            // Hosts that are not brokers: those of access lists, and the clients' own.
            if ![29, 31, 88, 89].contains(key) {
                #expect(
                    !(fields ?? []).contains { $0.hasSuffix(".Host=Host") || $0 == "Host=Host" },
                    "key \(key) version \(version)")
            }
        }
    }

    @Test func `a broker's address is told in no field that brokers fill`() throws {
        let rehearsing = Rehearsing(judge: Rehearsing.everything)
        let others: Set<Int16> = [1, 2, 23, 38, 39, 40, 41]
        for (key, version) in EveryAPITests.served where !EveryAPITests.own.contains(key) && !others.contains(key) {
            let request =
                key == 0
                ? EveryAPITests.produce(version) : KafkaInspection.sampleRequest(key, version, correlation: 50)
            // Hosts that are not brokers': those of access lists and of applications.
            let isOthers = [29, 31, 88, 89].contains(key)
            let response = KafkaInspection.sampleResponse(key, version, correlation: 50) { name in
                let isBrokers = EveryAPITests.brokersText.contains(name) || (name == "Host" && !isOthers)
                return isBrokers ? "broker-two.internal:19002" : name
            }
            let result = play(rehearsing, [.client(request), .backend(response)])
            let answer = try #require(ownAnswers(result).last, "key \(key) version \(version)")
            #expect(!answer.holds("broker-two") && !answer.holds("19002"), "key \(key) version \(version)")
        }
    }

    /// Strings that brokers word freely, and where they say that their clients stand.
    static let brokersText: Set<String> = [
        "ErrorMessage", "BatchIndexErrorMessage", "AcknowledgeErrorMessage", "StatusDetail", "ClientHost",
    ]

    static func produce(_ version: Int16) -> [UInt8] {
        KafkaInspection.request(
            0, version, correlation: 50,
            [
                "Acks": .integer(-1),
                "TopicData": .list([
                    .fields([
                        "Name": .text("orders"), "TopicId": .id(Rehearsing.orders),
                        "PartitionData": .list([.fields([:])]),
                    ])
                ]),
            ])
    }

    @Test func `after the rights are gone answers are well formed and tell nothing of what they stood for`() {
        let others: Set<Int16> = [0, 1, 2, 23, 38, 39, 40, 41]
        for (key, version) in EveryAPITests.served where !EveryAPITests.own.contains(key) && !others.contains(key) {
            let request = KafkaInspection.sampleRequest(key, version, correlation: 50)
            let response = KafkaInspection.sampleResponse(key, version, correlation: 50)
            let result = play(
                Rehearsing(judge: Rehearsing.everything),
                [.client(request), .reload(ScriptedPolicy(judge: Rehearsing.nothing)), .backend(response)])
            #expect(result.faults.isEmpty, "key \(key) version \(version)")
            guard let answer = ownAnswers(result).last else { continue }
            let fields = KafkaInspection.fields(ofResponse: answer, key, version)
            #expect(fields != nil, "key \(key) version \(version)")
            // What is left of lists is empty, or says an error: but for changes, whose outcome is told.
            if EveryAPITests.changes.contains(key) { continue }
            for element in fields ?? [] where element.hasSuffix("ErrorCode=1") {
                // Lists that are open to all who are covered: their own error is told, and nothing in them.
                if [3, 16, 60, 66, 74].contains(key), element == "ErrorCode=1" { continue }
                Issue.record("key \(key) version \(version): \(element) of the broker's own")
            }
        }
    }

    /// Keys whose requests change something: create, alter, delete, and what administrators do.
    static let changes: Set<Int16> = [
        19, 20, 21, 27, 30, 31, 33, 34, 37, 42, 43, 44, 45, 47, 49, 51, 57, 64, 80, 81, 92,
    ]

    @Test func `the newest and the oldest version of every key are told the same in pieces`() {
        for api in KafkaInspection.versions {
            guard let served = KafkaInspection.served(api.key), !EveryAPITests.own.contains(api.key), api.key > 1 else {
                continue
            }
            for version in Set([served.lowerBound, served.upperBound]) {
                let transcript: [Happening] = [
                    .client(KafkaInspection.sampleRequest(api.key, version, correlation: 50)),
                    .backend(KafkaInspection.sampleResponse(api.key, version, correlation: 50)),
                ]
                for judge in [Rehearsing.everything, Rehearsing.usual, Rehearsing.nothing] {
                    _ = Rehearsing(judge: judge).play(transcript)
                }
            }
        }
    }

    @Test(arguments: 0..<8)
    func `mutated requests are decided or refused, never a trap`(seed: Int) {
        var generator = Xorshift(state: UInt64(seed) &* 7919 &+ 1)
        var nobody = Rehearsing(judge: Rehearsing.nothing)
        nobody.covers = { _, _ in false }
        let somebody = Rehearsing()
        for (key, version) in EveryAPITests.served {
            var request = KafkaInspection.sampleRequest(key, version, correlation: 50)
            request.mutate(from: 4, &generator)
            let refused = play(nobody, [.client(request), .client(request)])
            #expect(refused.toBackend.isEmpty, "key \(key) version \(version): \(request)")
            let result = play(somebody, [.client(request), .client(request)])
            #expect(result.faults.isEmpty && refused.faults.isEmpty, "key \(key) version \(version): \(request)")
            for frame in Rehearsing.frames(result.toBackend) where frame.count > 8 {
                let (key, version) = (Int16(frame[4]) << 8 | Int16(frame[5]), Int16(frame[6]) << 8 | Int16(frame[7]))
                #expect(KafkaInspection.fields(ofRequest: frame, key, version) != nil, "\(frame) of \(request)")
            }
        }
    }

    @Test(arguments: 0..<8)
    func `mutated answers pass, are refused or end the session, never a trap`(seed: Int) {
        var generator = Xorshift(state: UInt64(seed) &* 104_729 &+ 1)
        let rehearsing = Rehearsing()
        let batches = SampleBatch(at: 40, ["one", "two"]).bytes + SampleBatch(at: 42, codec: 1, ["three"]).bytes
        for (key, version) in EveryAPITests.served where !EveryAPITests.own.contains(key) {
            let request: [UInt8]
            let whole: [UInt8]
            if key == 1 {
                request = Fetching.request(version, ["orders", "secret", "customers"], epoch: 0, correlation: 50)
                whole = Fetching.response(
                    version, [("orders", batches), ("customers", batches)], session: 3, correlation: 50)
            } else {
                request = KafkaInspection.sampleRequest(key, version, correlation: 50)
                whole = KafkaInspection.sampleResponse(key, version, correlation: 50)
            }
            var response = whole
            response.mutate(from: 8, &generator)
            for reload in [false, true] {
                let change: [Happening] = reload ? [.reload(nil)] : []
                let result = play(rehearsing, [.client(request)] + change + [.backend(response), .backend(whole)])
                #expect(result.faults.isEmpty, "key \(key) version \(version): \(response) \(result.faults)")
            }
        }
    }
}

/// xorshift64: the same values in every run.
struct Xorshift: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

extension [UInt8] {
    /// Changes a few bytes, to any value and to those that lengths like; the frame's own length stays.
    mutating func mutate(from start: Int, _ generator: inout Xorshift) {
        guard count > start else { return }
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let at = Int.random(in: start..<count, using: &generator)
            self[at] =
                [0, 1, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255, using: &generator)]
                .randomElement(using: &generator) ?? 0
        }
    }
}
