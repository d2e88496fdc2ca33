import TidegateCore

/// Allows everything, under one masking profile or none.
final class AllowingJudge: PolicyJudge, Authenticator {
    private let mask: MaskIndex
    private let principal = Principal(
        subject: "bench", groups: ["benchers"], issuer: "https://idp.bench.invalid", expires: .distantFuture)

    init(mask: MaskIndex = .none) { self.mask = mask }

    func judge(_ principal: Principal, _ question: Question) -> Ruling { Ruling(effect: .allow, rule: 0, mask: mask) }
    func covers(_ principal: Principal, route: String) -> Bool { true }
    func name(ofRule index: Int32) -> String? { "benchers use bench topics" }
    func authenticate(_ credential: Credential, now: Instant, waker: Waker) -> Authentication { .verified(principal) }
    func stands(_ principal: Principal) -> Bool { true }
}

/// What an event loop gives its sessions: authority, evidence buffer, counters; no sockets.
final class Surroundings {
    static let now = Instant(seconds: 1_795_521_600)

    let route: Route
    let authority: Authority
    let evidence = EvidenceBuffer(isStrict: true, idPrefix: "bench")
    private let meter: Meter
    private let ledger = SessionLedger()
    private var written: [UInt8] = []
    private(set) var number: UInt64 = 0

    init(_ declaration: BackendDeclaration, maskers: [any Masker] = []) {
        let judge = AllowingJudge(mask: maskers.isEmpty ? .none : MaskIndex(1))
        authority = Authority(version: 1, policy: judge, maskers: maskers, authenticator: judge)
        route = Route(
            name: "bench", backendName: "bench", declaration: declaration, advertise: nil, isConfidential: true,
            limits: SessionLimits())
        meter = Meter(route: route.name, protocolName: route.protocolName)
    }

    func makeSession() -> Session {
        number += 1
        return Session(
            id: "bench-\(number)", route: route, clientAddress: "127.0.0.1:40000", localPort: 9192,
            started: Surroundings.now)
    }

    func makeGovernor(_ session: Session) -> Governor {
        Governor(
            session: session, authority: authority, evidence: evidence, meter: meter, ledger: ledger, number: number,
            waker: Waker {}, now: Surroundings.now)
    }

    /// What the loop does once a wake-up: hands the evidence over, here to nobody.
    func takeEvidence() {
        let ticket = evidence.take(into: &written)
        evidence.forget(upTo: ticket)
        keep(Int(truncatingIfNeeded: ticket))
    }
}
