import Synchronization
public import TidegateCore

/// A policy that is a closure; it remembers what it was asked.
public final class ScriptedPolicy: PolicyJudge {
    public typealias Judge = @Sendable (Principal, Question) -> Ruling

    public let distinguishesCommands: Bool
    private let judgement: Judge
    private let ruleNames: [String]
    private let covered: @Sendable (Principal, String) -> Bool
    private let asked = Mutex<[Question]>([])

    public init(
        ruleNames: [String] = [], distinguishesCommands: Bool = false,
        covers: @escaping @Sendable (Principal, String) -> Bool = { _, _ in true }, judge: @escaping Judge
    ) {
        self.distinguishesCommands = distinguishesCommands
        self.ruleNames = ruleNames
        covered = covers
        judgement = judge
    }

    public func judge(_ principal: Principal, _ question: Question) -> Ruling {
        asked.withLock { $0.append(question) }
        return judgement(principal, question)
    }

    public func covers(_ principal: Principal, route: String) -> Bool { covered(principal, route) }

    public func name(ofRule index: Int32) -> String? {
        ruleNames.indices.contains(Int(index)) ? ruleNames[Int(index)] : nil
    }

    /// What was asked, as it was.
    public var askedQuestions: [Question] { asked.withLock { $0 } }

    /// In words: `consume topic:orders`, and `commit topic:orders in group:g`.
    public var questions: [String] {
        asked.withLock { $0 }.map { question in
            let within = question.withinKind.map { " in \($0):\(question.withinName ?? "")" } ?? ""
            return "\(question.action.name) \(question.kind):\(question.name)\(within)"
        }
    }
}

/// Knows tokens by their text; asked for one it does not know, it rejects.
public final class ScriptedAuthenticator: Authenticator {
    private let principals: [String: Principal]
    private let isReluctant: Bool
    private let seen = Mutex<Set<[UInt8]>>([])
    private let standing = Mutex(true)

    /// - Parameter isReluctant: every credential is first answered with `notYet`, and the waker called.
    public init(_ principals: [String: Principal], isReluctant: Bool = false) {
        self.principals = principals
        self.isReluctant = isReluctant
    }

    public func authenticate(_ credential: Credential, now: Instant, waker: Waker) -> Authentication {
        if isReluctant, seen.withLock({ $0.insert(credential.secret).inserted }) {
            waker.wake()
            return .notYet
        }
        guard let principal = principals[String(decoding: credential.secret, as: UTF8.self)] else {
            return .rejected(reason: "unknown token")
        }
        return .verified(principal)
    }

    public func stands(_ principal: Principal) -> Bool { standing.withLock { $0 } }

    /// Takes every issuer away: nobody stands any more.
    public func forgetIssuers() { standing.withLock { $0 = false } }
}

/// Replaces each field of some name or part by stars of the same length.
public final class ScriptedMasker: Masker {
    private let isReluctant: Bool
    private let isMasked: @Sendable ([UInt8]) -> MaskOutcome?
    private let asked = Mutex<Set<[UInt8]>>([])
    private let waker: Mutex<Waker?> = Mutex(nil)

    /// - Parameters:
    ///   - isReluctant: each batch is first answered with "not yet", and the waker called.
    ///   - outcome: what becomes of a content: nil replaces it by stars.
    public init(isReluctant: Bool = false, outcome: @escaping @Sendable ([UInt8]) -> MaskOutcome? = { _ in nil }) {
        self.isReluctant = isReluctant
        isMasked = outcome
    }

    func attach(_ waker: Waker) { self.waker.withLock { $0 = waker } }

    public func mask(
        _ fields: Span<MaskField>, in bytes: RawSpan, for request: MaskRequest, into scratch: inout [UInt8],
        outcomes: inout [MaskOutcome],
        counters: inout MaskCounters
    ) -> Bool {
        if isReluctant {
            var batch: [UInt8] = []
            for index in fields.indices { batch += content(fields[index].range, bytes) + [0] }
            if asked.withLock({ $0.insert(batch).inserted }) {
                waker.withLock { $0 }?.wake()
                return false
            }
        }
        for index in fields.indices {
            let content = content(fields[index].range, bytes)
            if let outcome = isMasked(content) {
                outcomes.append(outcome)
                if outcome == .dropRecord { counters.failures += 1 }
            } else {
                let start = scratch.count
                scratch.append(contentsOf: repeatElement(UInt8(ascii: "*"), count: content.count))
                outcomes.append(.edited(start..<scratch.count))
                counters.maskedFields += 1
            }
        }
        return true
    }

    private func content(_ range: Range<Int>, _ bytes: RawSpan) -> [UInt8] {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.byteCount, "a field outside of its bytes")
        return bytes.extracting(range).withUnsafeBytes { [UInt8]($0) }
    }
}

extension Principal {
    /// The person most tests are about: token `analyst-token`.
    public static let analyst = Principal(
        subject: "ada", groups: ["analysts"], issuer: "https://idp.test", expires: Instant(seconds: 2_000_000_000))
}

/// All that surrounds one connection, scripted: what a test needs to make governors and to see what they wrote.
public final class ScriptedAuthority {
    /// 2026-11-24T12:00:00Z, standing still.
    public static let noon = Instant(seconds: 1_795_521_600)

    public var route: Route
    public let policy: ScriptedPolicy
    public let authenticator: ScriptedAuthenticator
    public let maskers: [any Masker]
    public let scopes: [UnmaskScope]
    public let evidence: EvidenceBuffer
    public let meter: Meter
    public let ledger = SessionLedger()
    public private(set) var version: UInt32 = 1
    private let wakes = Mutex(0)
    private let logged: LogLines
    private var numbers: UInt64 = 0

    /// - Parameters:
    ///   - isReluctant: every question that may take time is first answered with `notYet`.
    ///   - judge: the policy; rule n is called `ruleNames[n]`.
    public init(
        kinds: [ResourceKindDeclaration] = [
            .init(singular: "topic", plural: "topics"), .init(singular: "group", plural: "groups"),
            .init(singular: "transaction", plural: "transactions"),
            .init(singular: "cluster", plural: "cluster", isFlag: true),
        ], wireNames: [String] = ["Fetch", "Produce", "Metadata", "CreateTopics"],
        explicitCommands: Set<String> = [], distinguishesCommands: Bool = false, protocolName: String = "kafka",
        positions: PositionForm = .offset, advertise: Advertise? = nil, limits: SessionLimits = SessionLimits(),
        isConfidential: Bool = true, principals: [String: Principal] = ["analyst-token": .analyst],
        maskers: [any Masker] = [], scopes: [UnmaskScope] = [], isStrict: Bool = true,
        isReluctant: Bool = false,
        ruleNames: [String] = ["rule zero", "rule one", "rule two"],
        judge: @escaping ScriptedPolicy.Judge = { _, _ in Ruling(effect: .allow, rule: 0) },
        covers: @escaping @Sendable (Principal, String) -> Bool = { _, _ in true }
    ) {
        let declaration = BackendDeclaration(
            protocolName: protocolName, settings: .anything, kinds: kinds, wireNames: wireNames,
            explicitCommands: explicitCommands, positions: positions)
        route = Route(
            name: "orders", backendName: "backend", declaration: declaration, advertise: advertise,
            isConfidential: isConfidential, limits: limits)
        policy = ScriptedPolicy(
            ruleNames: ruleNames, distinguishesCommands: distinguishesCommands, covers: covers, judge: judge)
        authenticator = ScriptedAuthenticator(principals, isReluctant: isReluctant)
        self.maskers = maskers
        self.scopes = scopes
        let logged = LogLines()
        self.logged = logged
        evidence = EvidenceBuffer(
            isStrict: isStrict, idPrefix: "test", log: RefusalLog(Log { logged.append($0) }))
        meter = Meter(route: "orders", protocolName: protocolName)
        for masker in maskers { (masker as? ScriptedMasker)?.attach(waker) }
    }

    /// Counts its calls in `takeWakes`.
    public var waker: Waker { Waker { [weak self] in self?.wakes.withLock { $0 += 1 } } }

    /// How often the waker was called since the last time.
    public func takeWakes() -> Int {
        wakes.withLock { count in
            defer { count = 0 }
            return count
        }
    }

    public var authority: Authority {
        Authority(
            version: version, policy: policy, maskers: maskers, scopes: scopes,
            authenticator: authenticator)
    }

    /// The authority after a reload: one version later, same policy unless another is given.
    ///
    /// - Parameter routes: those that there are; nil knows any.
    public func reload(_ policy: ScriptedPolicy? = nil, routes: [String: Route]? = nil) -> Authority {
        version += 1
        return Authority(
            version: version, policy: policy ?? self.policy, maskers: maskers, scopes: scopes,
            authenticator: authenticator, routes: routes)
    }

    /// A governor of a new session (`s1`, `s2`, ...).
    ///
    /// - Parameter token: when given, authenticated with it already.
    public func makeGovernor(token: String? = nil, at now: Instant = ScriptedAuthority.noon) -> Governor {
        numbers += 1
        let session = Session(
            id: "s\(numbers)", route: route, clientAddress: "192.0.2.7:40000", localPort: 9192, started: now)
        var governor = Governor(
            session: session, authority: authority, evidence: evidence, meter: meter, ledger: ledger, number: numbers,
            waker: waker, now: now)
        if let token {
            let credential = Credential(secret: Array(token.utf8))
            if case .notYet = governor.authenticate(credential) { _ = governor.authenticate(credential) }
        }
        return governor
    }

    /// Takes what the log was told of refusals meanwhile, a line each, without their newlines.
    public func takeLog() -> [String] { logged.take() }

    /// Takes what was written as evidence meanwhile, a line each, without their newlines; it is durable at once.
    public func takeLines() -> [String] {
        var bytes: [UInt8] = []
        evidence.forget(upTo: evidence.take(into: &bytes))
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

/// Lines of a log, from any thread.
private final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])
    func append(_ line: [UInt8]) { lines.withLock { $0.append(String(decoding: line.dropLast(), as: UTF8.self)) } }
    func take() -> [String] {
        lines.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }
}

// The waker is called on the test's own thread; a kit never leaves its test.
extension ScriptedAuthority: @unchecked Sendable {}
