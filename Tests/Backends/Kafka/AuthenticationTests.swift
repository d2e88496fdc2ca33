import TestSupport
import Testing
import TidegateCore
import TidegateKafka

@Suite struct AuthenticationTests {
    private let metadata = KafkaInspection.request(3, 12, correlation: 3, ["Topics": .null])

    @Test(arguments: [
        ("PLAIN", Rehearsing.plain("analyst-token")), ("OAUTHBEARER", Rehearsing.bearer("analyst-token")),
    ])
    func `a token is taken after handshake version 1`(mechanism: String, message: [UInt8]) throws {
        for version in Int16(0)...2 {
            let result = Rehearsing().playBare([
                .client(Rehearsing.handshake(mechanism)),
                .client(Rehearsing.authenticate(message, version: version)), .client(metadata),
            ])
            let frames = Rehearsing.frames(result.toClient)
            try #require(frames.count == 2)
            #expect(
                KafkaInspection.fields(ofResponse: frames[0], 17, 1)
                    == ["ErrorCode=0", "Mechanisms#2", "Mechanisms.0=OAUTHBEARER", "Mechanisms.1=PLAIN"])
            let fields = try #require(KafkaInspection.fields(ofResponse: frames[1], 36, version))
            #expect(fields.contains("ErrorCode=0"))
            if version >= 1 { #expect(fields.contains("SessionLifetimeMs=204478400000")) }
            #expect(result.endpoints == ["broker-one.internal:19001"])
            #expect(result.toBackend == metadata)
            #expect(result.closed == nil && result.violation == nil)
        }
    }

    @Test(arguments: [
        ("PLAIN", Rehearsing.plain("analyst-token")), ("OAUTHBEARER", Rehearsing.bearer("analyst-token")),
    ])
    func `a bare token is taken after handshake version 0`(mechanism: String, message: [UInt8]) {
        let length = [UInt8](repeating: 0, count: 3) + [UInt8(message.count)]
        let result = Rehearsing().playBare([
            .client(Rehearsing.handshake(mechanism, version: 0) + length + message + metadata)
        ])
        let frames = Rehearsing.frames(result.toClient)
        #expect(frames.count == 2)
        #expect(frames.last == [0, 0, 0, 0])
        #expect(result.toBackend == metadata)
    }

    @Test func `a wrong token is refused in words and nothing reaches a broker`() throws {
        let result = Rehearsing().playBare([
            .client(Rehearsing.handshake("PLAIN") + Rehearsing.authenticate(Rehearsing.plain("forged")) + metadata)
        ])
        let frames = Rehearsing.frames(result.toClient)
        try #require(frames.count == 2)
        let fields = try #require(KafkaInspection.fields(ofResponse: frames[1], 36, 2))
        #expect(fields.prefix(2) == ["ErrorCode=58", "ErrorMessage=Authentication failed: the token was not accepted"])
        #expect(result.closed == .refused(Refusal(.unauthenticated)))
        #expect(result.toBackend.isEmpty && result.endpoints.isEmpty)
        #expect(result.lines.contains { $0.contains("session.rejected") && $0.contains("unknown token") })
        #expect(!result.lines.joined().contains("forged"))
    }

    @Test(arguments: [
        [UInt8](), Array("no-zero".utf8), Array("\0a\0".utf8), Array("\0a\0b\0c".utf8),
    ])
    func `a message without a token is refused`(message: [UInt8]) {
        for bytes in [
            Rehearsing.authenticate(message), [0, 0, 0, UInt8(message.count)] + message,
        ] {
            let version: Int16 = bytes.count == message.count + 4 ? 0 : 1
            let result = Rehearsing().playBare([.client(Rehearsing.handshake("PLAIN", version: version) + bytes)])
            #expect(result.closed == .refused(Refusal(.unauthenticated)))
        }
    }

    @Test func `an unknown mechanism is told what is offered, and another may be tried`() throws {
        let result = Rehearsing().playBare([
            .client(Rehearsing.handshake("GSSAPI") + Rehearsing.handshake("PLAIN", correlation: 5))
        ])
        let frames = Rehearsing.frames(result.toClient)
        try #require(frames.count == 2)
        #expect(KafkaInspection.fields(ofResponse: frames[0], 17, 1)?.first == "ErrorCode=33")
        #expect(KafkaInspection.fields(ofResponse: frames[1], 17, 1)?.first == "ErrorCode=0")
    }

    @Test func `no mechanism is offered where tokens would travel in the clear`() throws {
        let result = Rehearsing(isConfidential: false).playBare([.client(Rehearsing.handshake("PLAIN"))])
        #expect(KafkaInspection.fields(ofResponse: result.toClient, 17, 1) == ["ErrorCode=33", "Mechanisms#0"])
    }

    @Test func `a token before a handshake is an illegal state`() {
        let result = Rehearsing().playBare([.client(Rehearsing.authenticate(Rehearsing.plain("analyst-token")))])
        #expect(KafkaInspection.fields(ofResponse: result.toClient, 36, 2)?.first == "ErrorCode=34")
    }

    @Test func `a request before authentication closes`() {
        let result = Rehearsing().playBare([.client(metadata)])
        #expect(result.violation != nil)
        #expect(result.toBackend.isEmpty && result.toClient.isEmpty)
        #expect(result.lines.contains { $0.contains("a request before authentication") })
    }

    @Test(arguments: Int16(0)...4)
    func `ApiVersions is answered before log-in in every version`(version: Int16) throws {
        let result = Rehearsing().playBare([
            .client(KafkaInspection.sampleRequest(18, version, correlation: 77))
        ])
        let fields = try #require(KafkaInspection.fields(ofResponse: result.toClient, 18, version))
        #expect(fields.first == "ErrorCode=0")
        #expect(result.toClient[4..<8].elementsEqual([0, 0, 0, 77]))
        func told(_ key: Int) -> [String] {
            guard let at = fields.firstIndex(where: { $0.hasPrefix("ApiKeys.") && $0.hasSuffix(".ApiKey=\(key)") })
            else { return [] }
            return fields[(at + 1)...(at + 2)].map { String($0.split(separator: "=")[1]) }
        }
        #expect(told(0) == ["0", "13"])
        #expect(told(1) == ["4", "18"])
        #expect(told(22) == ["0", "5"])
        #expect(told(24) == ["0", "3"])
        for key in [38, 39, 40, 41, 83, 84, 85, 86, 87, 4, 5, 6, 7, 52, 53, 54, 56, 58, 59, 62, 63] {
            #expect(told(key) == [])
        }
        #expect(result.toBackend.isEmpty)
    }

    @Test func `a newer ApiVersions gets version 0 with the one entry that helps`() {
        var request = KafkaInspection.sampleRequest(18, 4, correlation: 7)
        request[7] = 9
        let result = Rehearsing().playBare([.client(request)])
        #expect(
            KafkaInspection.fields(ofResponse: result.toClient, 18, 0)
                == [
                    "ErrorCode=35", "ApiKeys#1", "ApiKeys.0.ApiKey=18", "ApiKeys.0.MinVersion=0",
                    "ApiKeys.0.MaxVersion=4",
                ])
    }

    @Test func `the same subject may authenticate again, another may not`() throws {
        var rehearsing = Rehearsing()
        rehearsing.principals["fresh"] = .analyst
        rehearsing.principals["other"] = Principal(
            subject: "eve", groups: [], issuer: "https://idp.test", expires: Instant(seconds: 2_000_000_000))
        let again = rehearsing.play([
            .client(metadata), .client(Rehearsing.handshake("PLAIN", correlation: 8)),
            .client(Rehearsing.authenticate(Rehearsing.plain("fresh"), correlation: 9)), .client(metadata),
            .backend(KafkaInspection.response(3, 12, correlation: 3, [:])),
            .backend(KafkaInspection.response(3, 12, correlation: 3, [:])),
        ])
        // Answers keep the order of the requests, the gateway's own among them.
        #expect(again.frames.map { $0[7] } == [3, 8, 9, 3])
        #expect(again.whole.closed == nil)
        let other = rehearsing.play([
            .client(Rehearsing.handshake("PLAIN")), .client(Rehearsing.authenticate(Rehearsing.plain("other"))),
            .client(metadata),
        ])
        #expect(other.whole.closed == .refused(Refusal(.unauthenticated)))
        #expect(other.toBackend.isEmpty)
    }

    @Test func `bare tokens again keep the order of answers`() {
        let message = Rehearsing.plain("analyst-token")
        let outcome = Rehearsing().play([
            .client(metadata), .client(Rehearsing.handshake("PLAIN", version: 0, correlation: 8)),
            .client([0, 0, 0, UInt8(message.count)] + message),
            .backend(KafkaInspection.response(3, 12, correlation: 3, [:])),
        ])
        #expect(outcome.frames.count == 3)
        #expect(outcome.frames.last == [0, 0, 0, 0])
    }

    @Test(arguments: [Int16(-1), 4, 58, 93, 999])
    func `an unknown key closes`(key: Int16) {
        var request = metadata
        request[4] = UInt8(truncatingIfNeeded: key >> 8)
        request[5] = UInt8(truncatingIfNeeded: key)
        let outcome = Rehearsing().play([.client(request)])
        #expect(outcome.whole.violation != nil && outcome.toBackend.isEmpty && outcome.toClient.isEmpty)
    }
}

/// Which broker a connection goes to, and what it is told that brokers serve.
@Suite struct RoutingTests {
    @Test func `a server name stands for a broker, and brokers are told by server names`() {
        var rehearsing = Rehearsing()
        rehearsing.advertise = Advertise(
            host: "gate.test", ports: nil, firstNode: 1, serverNamePattern: "broker-{id}.gate.test", port: 9192)
        let named = rehearsing.playBare(
            [.event(.secured(.client, serverName: "broker-2.gate.test"))] + Rehearsing.logIn)
        #expect(named.endpoints == ["broker-two.internal:19002"])
        let unknown = rehearsing.playBare(
            [.event(.secured(.client, serverName: "broker-9.gate.test"))] + Rehearsing.logIn)
        #expect(unknown.endpoints.isEmpty && unknown.closed == .backendUnreachable)
        let any = rehearsing.playBare([.event(.secured(.client, serverName: "gate.test"))] + Rehearsing.logIn)
        #expect(any.endpoints.count == 1)
    }

    @Test func `an older broker is told as far as it serves, and no further`() throws {
        var rehearsing = Rehearsing()
        rehearsing.versions = [0: 0...7, 1: 0...11, 3: 0...8, 10: 0...2, 22: 0...9, 75: 2...3, 18: 0...2, 999: 0...1]
        let result = rehearsing.playBare([.client(KafkaInspection.sampleRequest(18, 0, correlation: 7))])
        let fields = try #require(KafkaInspection.fields(ofResponse: result.toClient, 18, 0))
        var told: [String] = []
        for (at, field) in fields.enumerated() where field.hasSuffix("Version") || field.contains(".ApiKey=") {
            told.append(fields[at...(at + 2)].map { $0.split(separator: "=")[1] }.joined(separator: " "))
        }
        // SASL is the gateway's own business, and Produce begins at 0 for librdkafka's sake.
        #expect(
            told == ["0 0 7", "1 4 11", "3 0 8", "10 0 2", "17 0 1", "18 0 4", "22 0 5", "36 0 2"])
    }
}
