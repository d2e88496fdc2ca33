import Foundation
import Synchronization
import TidegateConfiguration
import TidegateControl
import TidegateCore
import TidegateEvidence
import TidegateHTTP
import TidegateIdentity
import TidegatePolicy
import TidegateTokens

/// What the running gateway answers at `POST /api/v1/unmask`, by the configuration in force.
final class Unmasking: Sendable {
    private struct Rights {
        var policy: CompiledPolicy
        var verifier: TokenVerifier
        var routes: [String]
        var scopes: [UnmaskScope]
        var openable: [[String]]
        /// All that tokens are made in, whoever may open them.
        var allDomains: [String]
        var keys: [MaskingKey]

        init(_ configuration: Configuration, _ verifier: TokenVerifier) {
            policy = CompiledPolicy(configuration.policies)
            self.verifier = verifier
            routes = configuration.routes.map(\.name)
            scopes = configuration.scopes
            openable = configuration.openable
            allDomains = Set(configuration.openable.joined()).sorted()
            keys = configuration.maskingKeys
        }

        /// The domains that a rule opens in its profile.
        func domains(_ mask: MaskIndex) -> [String] {
            let (profile, scope) = (Int(mask.index) - 1, Int(mask.opens) - 1)
            guard openable.indices.contains(profile), scopes.indices.contains(scope) else { return [] }
            return openable[profile].filter(scopes[scope].includes)
        }
    }

    private let rights: Mutex<Rights>
    private let desk: EvidenceDesk
    private let evidence: EvidenceWriter
    /// Only who may open tokens makes the control server wait, for no longer than this.
    private static let secondsToStore = 2.0

    init(_ configuration: Configuration, _ verifier: TokenVerifier, _ evidence: EvidenceWriter) {
        rights = Mutex(Rights(configuration, verifier))
        desk = EvidenceDesk(evidence)
        self.evidence = evidence
    }

    func replace(_ configuration: Configuration, _ verifier: TokenVerifier) {
        let next = Rights(configuration, verifier)
        rights.withLock { $0 = next }
    }

    func answer(_ request: HTTPRequest) -> ControlAnswer {
        let rights = rights.withLock { $0 }
        let (desk, evidence) = (desk, evidence)
        let page = UnmaskPage(
            authenticate: { rights.verifier.authenticate($0, now: .current, waker: Waker {}) },
            open: { Unmasking.open($2, for: $0, on: $1, rights) },
            record: { event in
                switch event {
                case .opened(let members):
                    return desk.write("tokens.opened", within: Unmasking.secondsToStore) {
                        $0.append(contentsOf: members)
                    }
                case .refused(let members):
                    evidence.write("tokens.refused") { $0.append(contentsOf: members) }
                    return true
                }
            })
        return page.answer(
            method: request.method, authorization: request.headers["authorization"], body: request.body,
            clientAddress: request.clientAddress)
    }

    private static func open(
        _ tokens: [String], for principal: Principal, on route: String?, _ rights: Rights
    ) -> UnmaskPage.Openings {
        // What the refused ones are of is for evidence.
        let any = try? TokenOpener(keys: rights.keys, domains: rights.allDomains)
        func refused(_ token: [UInt8], _ reason: String) -> UnmaskPage.Opening {
            var value: [UInt8] = []
            guard let any, case .success(let found) = unsafe any.open(token.span.bytes, to: &value) else {
                return .refused(reason)
            }
            return .refused(reason, domain: found.domain)
        }
        func refused(_ reason: String, route: String?) -> UnmaskPage.Openings {
            UnmaskPage.Openings(
                refusal: reason, route: route, tokens: tokens.map { refused(Array($0.utf8), reason) })
        }
        if let route, !rights.routes.contains(route) { return refused("no such route", route: nil) }
        guard principal.expires > .current, rights.verifier.stands(principal) else {
            return refused("the token has ended", route: route)
        }
        let masks = rights.policy.openings(for: principal, on: route.map { [$0] } ?? rights.routes)
        let domains = Set(masks.flatMap(rights.domains)).sorted()
        guard !domains.isEmpty, let opener = try? TokenOpener(keys: rights.keys, domains: domains) else {
            return refused("no rule lets the subject open tokens", route: route)
        }
        let openings = tokens.map { token -> UnmaskPage.Opening in
            var value: [UInt8] = []
            let bytes = Array(token.utf8)
            switch unsafe opener.open(bytes.span.bytes, to: &value) {
            case .success(let opened): return .opened(value, domain: opened.domain)
            case .failure(let refusal): return refused(bytes, refusal.rawValue)
            }
        }
        return UnmaskPage.Openings(route: route, tokens: openings)
    }
}
