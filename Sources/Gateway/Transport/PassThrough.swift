public import TidegateCore
import TidegateWire

/// The machine with nothing to decide: every byte passes both ways. Benchmarks measure the relay with it; nothing else
/// uses it.
public struct PassThroughMachine: WireMachine, ~Copyable {
    private let endpoint: Endpoint

    public init(to endpoint: Endpoint) { self.endpoint = endpoint }

    public mutating func receive(
        _ window: RawSpan, from side: Side, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Int {
        guard let clearance = governor.openClearance() else {
            output.close(.fault)
            return 0
        }
        output.pass(0..<window.byteCount, to: side.other, under: clearance)
        output.boundary(side.other)
        return window.byteCount
    }

    public mutating func handle(
        _ event: WireEvent, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) {
        switch event {
        case .accepted:
            _ = governor.authenticate(Credential(secret: []))
            output.connect(endpoint)
        case .ended(let side): output.finish(side.other)
        case .draining: output.close(.draining)
        case .connected, .secured, .authorityChanged, .lastWords, .woken, .gone: break
        }
    }
}

/// Lets everybody do everything; for `PassThroughMachine`.
public final class PassThroughJudge: PolicyJudge, Authenticator {
    public init() {}
    public func judge(_ principal: Principal, _ question: Question) -> Ruling { Ruling(effect: .allow, rule: 0) }
    public func covers(_ principal: Principal, route: String) -> Bool { true }
    public func name(ofRule index: Int32) -> String? { nil }
    public func authenticate(_ credential: Credential, now: Instant, waker: Waker) -> Authentication {
        .verified(Principal(subject: "benchmark", groups: [], issuer: "benchmark", expires: .distantFuture))
    }
    public func stands(_ principal: Principal) -> Bool { true }
}
