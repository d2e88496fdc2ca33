import Synchronization
public import TidegateCore
import TidegateCrypto

/// Verifies tokens of the configured issuers: signatures off the event loops, each token once.
///
/// RFC 7519 (JWT), RFC 8725 (its best practices), RFC 9068 (access tokens), OpenID Connect Core.
public final class TokenVerifier: Authenticator {
    /// Answers kept; a rejected token is asked about again after a while.
    private static let cacheLimit = 20_000
    private static let rejectionSeconds: Int64 = 5

    private let issuers: [String: (settings: IssuerSettings, keys: KeySource)]
    private let clock: @Sendable () -> Instant
    private let state = Mutex(State())

    private struct State {
        var answers: [[UInt8]: Answer] = [:]
        var waiting: [[UInt8]: [Waker]] = [:]

        /// What costs least to lose goes first where the cache is full: what no longer holds, then rejections (anybody
        /// can cause them), then everything.
        mutating func keep(_ answer: Answer, for digest: [UInt8], now: Instant) {
            if answers.count >= TokenVerifier.cacheLimit { answers = answers.filter { $0.value.holds(at: now) } }
            if answers.count >= TokenVerifier.cacheLimit { answers = answers.filter { $0.value.isVerified } }
            if answers.count >= TokenVerifier.cacheLimit { answers.removeAll() }
            answers[digest] = answer
        }
    }
    private enum Answer {
        case verified(Principal)
        case rejected(String, until: Instant)

        func holds(at now: Instant) -> Bool {
            switch self {
            case .verified(let principal): principal.expires > now
            case .rejected(_, let until): until > now
            }
        }
        var isVerified: Bool {
            if case .verified = self { true } else { false }
        }
    }

    /// - Parameters:
    ///   - previous: of the configuration before: fetched keys of issuers that have not changed are kept, so that a reload
    ///     during an issuer's outage loses nothing. Keys of files are read anew.
    ///   - fetch: gets a URL's body; the network where left out.
    ///   - clock: wall-clock time.
    public init(
        _ issuers: [IssuerSettings], log: Log, keeping previous: TokenVerifier? = nil,
        clock: @escaping @Sendable () -> Instant = { Instant.current },
        fetch: (@Sendable (String) async throws -> [UInt8])? = nil
    ) {
        self.clock = clock
        self.issuers = Dictionary(
            issuers.map { settings in
                if let kept = previous?.issuers[settings.issuer], kept.settings == settings, !settings.keys.isFile {
                    return (settings.issuer, kept)
                }
                return (settings.issuer, (settings, KeySource(settings, fetch: fetch, clock: clock, log: log)))
            }, uniquingKeysWith: { first, _ in first })
    }

    public func authenticate(_ credential: Credential, now: Instant, waker: Waker) -> Authentication {
        guard credential.secret.count <= CompactJWS.limit else {
            return .rejected(reason: TokenRejection.tooLong.description)
        }
        let digest = HashAlgorithm.sha256.hash(credential.secret)
        let (answer, isFirst) = state.withLock { state -> (Authentication?, Bool) in
            switch state.answers[digest] {
            case .verified(let principal)?:
                if principal.expires > now { return (.verified(principal), false) }
                return (.rejected(reason: TokenRejection.expired.description), false)
            case .rejected(let reason, let until)?:
                if until > now { return (.rejected(reason: reason), false) }
                state.answers[digest] = nil
            case nil: break
            }
            state.waiting[digest, default: []].append(waker)
            return (nil, state.waiting[digest]?.count == 1)
        }
        if let answer { return answer }
        if isFirst {
            Task.detached { [self] in
                let result: Answer
                do throws(TokenRejection) {
                    result = .verified(try await verify(credential.secret))
                } catch {
                    result = .rejected(
                        error.description, until: clock().advanced(bySeconds: TokenVerifier.rejectionSeconds))
                }
                finish(digest, result)
            }
        }
        return .notYet
    }

    private func finish(_ digest: [UInt8], _ answer: Answer) {
        let waiting = state.withLock { state -> [Waker] in
            state.keep(answer, for: digest, now: clock())
            return state.waiting.removeValue(forKey: digest) ?? []
        }
        for waker in waiting { waker.wake() }
    }

    public func stands(_ principal: Principal) -> Bool { issuers[principal.issuer] != nil }

    /// Verifies one token.
    ///
    /// - Throws: why it is not accepted.
    public func verify(_ token: [UInt8]) async throws(TokenRejection) -> Principal {
        let jws = try CompactJWS(token)
        let claims = try jws.claims()
        guard case .string(let issuer)? = claims.value(at: "iss"), let (settings, source) = issuers[issuer] else {
            throw .unknownIssuer
        }
        if !jws.isSigned(byOneOf: try await source.candidates(jws)) {
            // Without a key id a new key cannot be told from a forgery: the issuer is asked once more.
            guard jws.keyID == nil, jws.isSigned(byOneOf: try await source.candidatesAnew(jws)) else {
                throw .badSignature
            }
        }
        return try principal(claims, settings)
    }

    private func principal(_ claims: JSONValue, _ settings: IssuerSettings) throws(TokenRejection) -> Principal {
        let now = clock()
        let leeway = Int64(settings.leewaySeconds)
        guard let audience = claims.value(at: "aud"), TokenVerifier.audiences(audience).contains(settings.audience)
        else {
            throw .wrongAudience
        }
        guard let expiry = try TokenVerifier.date(claims, "exp") else { throw .noExpiry }
        let expires = expiry.advanced(bySeconds: leeway)
        guard expires > now else { throw .expired }
        if let start = try TokenVerifier.date(claims, "nbf"), start > now.advanced(bySeconds: leeway) {
            throw .notYetValid
        }
        if let issued = try TokenVerifier.date(claims, "iat"), issued > now.advanced(bySeconds: leeway) {
            throw .notYetValid
        }
        guard case .string(let subject)? = claims.value(at: settings.subjectClaim), !subject.isEmpty else {
            throw .noSubject
        }
        let groups = claims.value(at: settings.groupsClaim)?.texts ?? []
        var flat: [String: [String]] = [:]
        TokenVerifier.flatten(claims, path: "", into: &flat)
        return Principal(
            subject: settings.prefix + subject, groups: groups.map { settings.prefix + $0 }, claims: flat,
            issuer: settings.issuer, expires: expires)
    }

    /// `aud` is one text or a list; a text is not split.
    private static func audiences(_ value: JSONValue) -> [String] {
        if case .string(let text) = value { return [text] }
        return value.texts
    }

    /// A NumericDate: a number of seconds within reason.
    private static func date(_ claims: JSONValue, _ name: String) throws(TokenRejection) -> Instant? {
        guard let value = claims.value(at: name) else { return nil }
        guard case .number(let seconds) = value, seconds >= 0, seconds < 1e11 else {
            throw .malformed("\(name) is no date")
        }
        return Instant(seconds: Int64(seconds))
    }

    /// Claims by dotted path, for rules that name them; texts, numbers and booleans as text.
    private static func flatten(_ value: JSONValue, path: String, into flat: inout [String: [String]]) {
        switch value {
        case .object(let members):
            for (name, inner) in members { flatten(inner, path: path.isEmpty ? name : "\(path).\(name)", into: &flat) }
        case .array(let values): for inner in values { flatten(inner, path: path, into: &flat) }
        case .string(let text): flat[path, default: []].append(text)
        case .boolean(let flag): flat[path, default: []].append(flag ? "true" : "false")
        case .number(let number):
            flat[path, default: []].append(
                number == number.rounded() && abs(number) < 1e15 ? "\(Int64(number))" : "\(number)")
        case .null: return
        }
    }
}
