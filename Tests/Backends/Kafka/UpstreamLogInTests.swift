import TestSupport
import Testing
import TidegateCore
import TidegateKafka

/// The gateway's own log-in at a broker, against a broker played by hand.
@Suite struct UpstreamLogInTests {
    // MARK: SCRAM by its vectors

    /// RFC 7677, section 3.
    @Test func `SCRAM-SHA-256 says and believes what its specification's example says`() {
        let salt = "W22ZaJ0SNY7soEsUEjb6gQ=="
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        let run = KafkaInspection.scram(
            isLong: false, username: "user", password: "pencil", nonce: "rOprNGfwEbeRWgbNEkqO",
            serverFirst: "r=\(nonce),s=\(salt),i=4096", serverFinal: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
        #expect(run.first == "n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
        #expect(run.final == "c=biws,r=\(nonce),p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
        #expect(run.isVerified)
    }

    @Test(arguments: [
        "r=another,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "r=mine,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "r=mineandyours,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095", "r=mineandyours,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1000001",
        "r=mineandyours,s=,i=4096", "r=mineandyours,s=***,i=4096", "r=mineandyours,i=4096", "e=other-error", "",
    ])
    func `a challenge that is not one is not answered`(challenge: String) {
        let run = KafkaInspection.scram(
            isLong: true, username: "user", password: "pencil", nonce: "mine", serverFirst: challenge,
            serverFinal: "v=AA==")
        #expect(run.final == nil && !run.isVerified)
    }

    @Test(arguments: ["v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "v=", "e=invalid-proof", "", "v=***"])
    func `a server that does not know the password is not believed`(last: String) {
        let run = KafkaInspection.scram(
            isLong: false, username: "user", password: "pencil", nonce: "mine",
            serverFirst: "r=mineandyours,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", serverFinal: last)
        #expect(run.final != nil && !run.isVerified)
    }

    @Test func `a user's name is escaped`() {
        let run = KafkaInspection.scram(
            isLong: false, username: "a=b,c", password: "", nonce: "n", serverFirst: "", serverFinal: "")
        #expect(run.first == "n,,n=a=3Db=2Cc,r=n")
    }

    // MARK: On the wire

    /// A broker that asks for a log-in; what it says is computed from what it heard.
    private final class Broker {
        let harness: WireHarness
        private let feeding: Feeding
        private var heard = 0
        private var lastCorrelation: Int32 = 0

        init(_ mechanism: String, _ feeding: Feeding) {
            self.feeding = feeding
            let rehearsing = Rehearsing()
            let kit = rehearsing.kit(feeding == .reluctant)
            let cluster = KafkaRehearsal(
                brokers: Rehearsing.brokers, topics: Rehearsing.topics, sasl: (mechanism, "gateway", "pencil"))
            let session = Session(
                id: "s1", route: kit.route, clientAddress: "192.0.2.7:40000", localPort: 9192,
                started: ScriptedAuthority.noon)
            harness = WireHarness(kit, cluster.machine(for: session))
            for happening in Rehearsing.logIn { harness.play(happening, drip: feeding == .drip) }
        }

        /// Frames that came since the last call; waits for one where an answer is computed elsewhere.
        func hear() async -> [[UInt8]] {
            // Behind whatever else the pool of threads is doing: only a hang lasts longer.
            let deadline = ContinuousClock.now + .seconds(600)
            while harness.result.toBackend.count == heard, harness.result.closed == nil, ContinuousClock.now < deadline
            {
                harness.play(.wait(0))
                try? await Task.sleep(for: .milliseconds(1))
            }
            let frames = Rehearsing.frames(Array(harness.result.toBackend[heard...]))
            heard = harness.result.toBackend.count
            if let last = frames.last { lastCorrelation = last[8..<12].reduce(0) { $0 << 8 | Int32($1) } }
            return frames
        }

        func say(_ key: Int16, _ version: Int16, _ values: [String: MessageValue]) {
            harness.play(
                .backend(KafkaInspection.response(key, version, correlation: lastCorrelation, values)),
                drip: feeding == .drip)
        }
    }

    private func token(_ frame: [UInt8]?) -> String? {
        guard let frame else { return nil }
        // Header 1, then the length of AuthBytes.
        let start = 4 + 8 + 2 + "tidegate".utf8.count + 4
        return frame.count >= start ? String(decoding: frame[start...], as: UTF8.self) : nil
    }

    private let request = KafkaInspection.request(12, 4, correlation: 5, ["GroupId": .text("g")])

    @Test(arguments: Feeding.allCases)
    func `PLAIN says user and password, and requests wait for it`(feeding: Feeding) async throws {
        let broker = Broker("PLAIN", feeding)
        broker.harness.play(.client(request), drip: feeding == .drip)
        let handshake = try #require(await broker.hear().first)
        #expect(KafkaInspection.fields(ofRequest: handshake, 17, 1) == ["Mechanism=PLAIN"])
        broker.say(17, 1, ["Mechanisms": .list([.text("PLAIN")])])
        #expect(try #require(token(await broker.hear().first)) == "\0gateway\0pencil")
        broker.say(36, 0, [:])
        #expect(await broker.hear() == [request])
        #expect(broker.harness.result.closed == nil && broker.harness.result.violation == nil)
    }

    @Test(arguments: Feeding.allCases, ["SCRAM-SHA-256", "SCRAM-SHA-512"])
    func `SCRAM proves the password and has the broker prove it`(feeding: Feeding, mechanism: String) async throws {
        for isHonest in [true, false] {
            let broker = Broker(mechanism, feeding)
            broker.harness.play(.client(request), drip: feeding == .drip)
            _ = await broker.hear()
            broker.say(17, 1, [:])
            let first = try #require(token(await broker.hear().first))
            let nonce = try #require(first.split(separator: ",").last?.dropFirst(2)).description
            let challenge = "r=\(nonce)broker,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
            broker.say(36, 0, ["AuthBytes": .text(challenge)])
            let last = try #require(token(await broker.hear().first))
            let expected = KafkaInspection.scram(
                isLong: mechanism.hasSuffix("512"), username: "gateway", password: isHonest ? "pencil" : "pen",
                nonce: nonce, serverFirst: challenge, serverFinal: "")
            #expect((last == expected.final) == isHonest)
            broker.say(36, 0, ["AuthBytes": .text("v=\(expected.signature)")])
            if isHonest {
                #expect(await broker.hear() == [request])
            } else {
                #expect(broker.harness.result.closed == .backendRefusedLogIn)
                #expect(await broker.hear().isEmpty)
            }
        }
    }

    @Test(arguments: Feeding.allCases)
    func `a broker that refuses the log-in ends the session`(feeding: Feeding) async {
        for refusesHandshake in [true, false] {
            let broker = Broker("PLAIN", feeding)
            _ = await broker.hear()
            broker.say(17, 1, ["ErrorCode": .integer(refusesHandshake ? 33 : 0)])
            if !refusesHandshake {
                _ = await broker.hear()
                broker.say(36, 0, ["ErrorCode": .integer(58), "ErrorMessage": .text("no")])
            }
            #expect(broker.harness.result.closed == .backendRefusedLogIn)
        }
    }

    @Test(arguments: Feeding.allCases)
    func `a challenge for another nonce, or a cheap one, ends the session`(feeding: Feeding) async throws {
        for challenge in ["r=%another,s=AAAA,i=4096", "r=%broker,s=AAAA,i=1"] {
            let broker = Broker("SCRAM-SHA-256", feeding)
            _ = await broker.hear()
            broker.say(17, 1, [:])
            let first = try #require(token(await broker.hear().first))
            let nonce = try #require(first.split(separator: ",").last?.dropFirst(2)).description
            let isOther = challenge.contains("another")
            let text = challenge.split(separator: "%").joined(separator: isOther ? "" : nonce)
            broker.say(36, 0, ["AuthBytes": .text(text)])
            #expect(broker.harness.result.closed == .backendRefusedLogIn)
        }
    }
}
