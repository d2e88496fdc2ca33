import TestSupport
import Testing
import TidegateCore
import TidegateKafka
import TidegateWire

/// Three brokers, of which the third has no advertised port, and a few topics; transcripts are played against it.
struct Rehearsing {
    static let brokers: [Int32: (host: String, port: UInt16)] = [
        1: ("broker-one.internal", 19_001), 2: ("broker-two.internal", 19_002), 3: ("broker-three.internal", 19_003),
    ]
    static let orders = TopicID(high: 1, low: 1)
    static let payments = TopicID(high: 1, low: 2)
    static let secret = TopicID(high: 1, low: 3)
    static let customers = TopicID(high: 1, low: 4)
    static let unheard = TopicID(high: 9, low: 9)
    static let names = ["orders": orders, "payments": payments, "secret": secret, "customers": customers]
    static let topics = names.map { KafkaRehearsal.Topic($0.key, high: $0.value.high, low: $0.value.low) }
    static let advertise = Advertise(
        host: "gate.test", ports: 9192...9193, firstNode: 1, serverNamePattern: nil, port: 9192)

    /// All but what is called secret; customers masked.
    static let usual: ScriptedPolicy.Judge = { _, question in
        if question.name.hasPrefix("secret") { return Ruling(effect: .deny, rule: 1) }
        if question.name == "customers" { return Ruling(effect: .allow, rule: 0, mask: MaskIndex(1)) }
        return Ruling(effect: .allow, rule: 0)
    }
    static let everything: ScriptedPolicy.Judge = { _, _ in Ruling(effect: .allow, rule: 0) }
    static let nothing: ScriptedPolicy.Judge = { _, _ in Ruling(effect: .deny, rule: 1) }

    var judge = usual
    var isConfidential = true
    var maskers: @Sendable (_ isReluctant: Bool) -> [any Masker] = { [ScriptedMasker(isReluctant: $0)] }
    var covers: @Sendable (Principal, String) -> Bool = { _, _ in true }
    var principals = ["analyst-token": Principal.analyst]
    var later: [KafkaRehearsal.Topic] = []
    var gone: [String] = []
    /// The broker cannot be asked for its catalogue any more.
    var isLost = false
    var limits = SessionLimits()
    var advertise = Rehearsing.advertise
    /// What the broker serves; nil: everything.
    var versions: [Int16: ClosedRange<Int16>]?
    /// Topics of the catalogue besides the usual ones.
    var others: [KafkaRehearsal.Topic] = []

    /// What a transcript led to, behind the log-in.
    struct Outcome {
        var whole: WireResult
        var toClient: [UInt8]
        var toBackend: [UInt8] { whole.toBackend }
        var frames: [[UInt8]] { Rehearsing.frames(toClient) }
        var forwarded: [[UInt8]] { Rehearsing.frames(toBackend) }
        /// The steps behind those of the log-in.
        var steps: [WireOutput.Step]
    }

    func kit(_ isReluctant: Bool) -> ScriptedAuthority {
        ScriptedAuthority(
            wireNames: KafkaBackend.declaration.wireNames, advertise: advertise, limits: limits,
            isConfidential: isConfidential, principals: principals, maskers: maskers(isReluctant),
            isReluctant: isReluctant, judge: judge, covers: covers)
    }

    /// The cluster that machines share where a test has several of them.
    func cluster() -> KafkaRehearsal {
        KafkaRehearsal(
            brokers: Rehearsing.brokers, topics: Rehearsing.topics + others, later: later, gone: gone,
            isLost: isLost, versions: versions)
    }

    func machine(_ session: Session) -> any MachineBox { cluster().machine(for: session) }

    /// Plays without a log-in before it: whole, byte by byte, and with answers that come late.
    func playBare(_ transcript: [Happening], _ location: SourceLocation = #_sourceLocation) -> WireResult {
        let (result, differences) = playAllWays(
            transcript, kit: { self.kit($0) }, machine: { self.machine($0) })
        #expect(differences == [], sourceLocation: location)
        return result
    }

    /// Logs in, then plays.
    func play(_ transcript: [Happening], _ location: SourceLocation = #_sourceLocation) -> Outcome {
        let before = TestSupport.play(
            Rehearsing.logIn, .whole, kit: { self.kit($0) }, machine: { self.machine($0) })
        let after = playBare(Rehearsing.logIn + transcript, location)
        return Outcome(
            whole: after, toClient: Array(after.toClient.dropFirst(before.toClient.count)),
            steps: Array(after.steps.dropFirst(before.steps.count)))
    }

    /// As `play`, fed whole only: for long transcripts.
    func playWhole(_ transcript: [Happening], on cluster: KafkaRehearsal? = nil, token: String = "analyst-token")
        -> Outcome
    {
        let cluster = cluster ?? self.cluster()
        let logIn = Rehearsing.logIn(token)
        func play(_ transcript: [Happening]) -> WireResult {
            TestSupport.play(transcript, .whole, kit: { kit($0) }, machine: { cluster.machine(for: $0) })
        }
        let before = play(logIn)
        let after = play(logIn + transcript)
        return Outcome(
            whole: after, toClient: Array(after.toClient.dropFirst(before.toClient.count)),
            steps: Array(after.steps.dropFirst(before.steps.count)))
    }

    static func logIn(_ token: String) -> [Happening] {
        [.client(handshake("PLAIN")), .client(authenticate(plain(token)))]
    }

    static let logIn: [Happening] = [
        .client(handshake("PLAIN")), .client(authenticate(plain("analyst-token"))),
    ]

    static func handshake(_ mechanism: String, version: Int16 = 1, correlation: Int32 = 1) -> [UInt8] {
        KafkaInspection.request(17, version, correlation: correlation, ["Mechanism": .text(mechanism)])
    }

    static func authenticate(_ message: [UInt8], version: Int16 = 2, correlation: Int32 = 2) -> [UInt8] {
        KafkaInspection.request(36, version, correlation: correlation, ["AuthBytes": .text(message)])
    }

    static func plain(_ token: String) -> [UInt8] { Array("\0anybody\0\(token)".utf8) }
    static func bearer(_ token: String) -> [UInt8] { Array("n,,\u{1}auth=Bearer \(token)\u{1}\u{1}".utf8) }

    static func frames(_ bytes: [UInt8]) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        var at = 0
        while at + 4 <= bytes.count {
            let length = bytes[at..<(at + 4)].reduce(0) { $0 << 8 | Int($1) }
            frames.append(Array(bytes[at..<min(bytes.count, at + 4 + length)]))
            at += 4 + length
        }
        return frames
    }
}

extension [UInt8] {
    /// True where some bytes of it are the text.
    func holds(_ text: String) -> Bool { holds(Array(text.utf8)) }

    func holds(_ other: [UInt8]) -> Bool {
        guard !other.isEmpty, count >= other.count else { return other.isEmpty }
        return (0...(count - other.count)).contains { self[$0..<($0 + other.count)].elementsEqual(other) }
    }
}
