import Foundation
import Synchronization
public import TidegateCore
import TidegateCrypto

/// Verifies tokens of the configured issuers: signatures off the event loops, each token once.
///
/// RFC 7519 (JWT), RFC 8725 (its best practices), RFC 9068 (access tokens), OpenID Connect Core.
public final class TokenVerifier: Authenticator {
    /// Tokens whose checks may be under way: an issuer that is slow must not let them pile up.
    package static let waitingLimit = 1024
    /// Those of them that may wait for one issuer's keys: the others have room beside them.
    package static let waitingLimitOfIssuer = 256

    private struct Issuer {
        let settings: IssuerSettings
        let source: KeySource
        /// Prefixes of other issuers that begin with this one's: what has them is not this issuer's to name.
        let rivals: [String]
        let fingerprint: [UInt8]
        /// Digests of the keys in its file; nil where keys are fetched.
        let fileKeys: Set<[UInt8]>?
    }

    private let issuers: [String: Issuer]
    private let clock: @Sendable () -> Instant
    private let steady: @Sendable () -> Instant
    private let state = Mutex(AnswerCache())

    /// - Parameters:
    ///   - previous: of the configuration before: fetched keys of issuers that have not changed are kept, so that a reload
    ///     during an issuer's outage loses nothing. Keys of files are read anew; a file without a usable key takes none
    ///     away.
    ///   - fetch: gets a URL's body; the network where left out.
    ///   - clock: both the wall-clock time of tokens and the steady one of keys; for tests.
    public init(
        _ issuers: [IssuerSettings], log: Log, keeping previous: TokenVerifier? = nil,
        clock: (@Sendable () -> Instant)? = nil,
        fetch: (@Sendable (String) async throws -> [UInt8])? = nil
    ) {
        let steady = clock ?? TokenVerifier.steadyTime
        self.clock = clock ?? { Instant.current }
        self.steady = steady
        self.issuers = Dictionary(
            issuers.map { settings in
                let rivals = issuers.filter {
                    $0.issuer != settings.issuer && $0.prefix != settings.prefix && $0.prefix.hasPrefix(settings.prefix)
                }.map(\.prefix)
                let kept = previous?.issuers[settings.issuer]
                let isSame = kept.map { $0.settings.isSame(as: settings) } ?? false
                let fileKeys = TokenVerifier.keys(settings)
                let source: KeySource
                if isSame, let kept, fileKeys == nil {
                    source = kept.source
                } else {
                    source = KeySource(
                        settings, keys: fileKeys,
                        waitingLimit: issuers.count > 1
                            ? TokenVerifier.waitingLimitOfIssuer : TokenVerifier.waitingLimit,
                        fetch: fetch, clock: steady, log: log)
                }
                let digests = fileKeys.map { Set($0.keys.map(\.fingerprint)) } ?? (isSame ? kept?.fileKeys : nil)
                return (
                    settings.issuer,
                    Issuer(
                        settings: settings, source: source, rivals: rivals,
                        fingerprint: settings.fingerprint(rivals: rivals), fileKeys: digests)
                )
            }, uniquingKeysWith: { first, _ in first })
    }

    /// Time since the machine was started.
    private static let steadyTime: @Sendable () -> Instant = {
        var time = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// The keys of a file; nil where there is none, or none that is usable.
    private static func keys(_ settings: IssuerSettings) -> KeySet? {
        guard case .file(let path) = settings.keys,
            let content = settings.fileContent ?? FileManager.default.contents(atPath: path).map({ Array($0) }),
            let set = KeySet(content), set.usableKeys > 0
        else { return nil }
        return set
    }

    public func authenticate(_ credential: Credential, now: Instant, waker: Waker) -> Authentication {
        guard credential.secret.count <= CompactJWS.limit else {
            return .rejected(reason: TokenRejection.tooLong.description)
        }
        let digest = HashAlgorithm.sha256.hash(credential.secret)
        let steadyNow = steady()
        let answer = state.withLock { cache in
            cache.ask(digest, now: now, steady: steadyNow, waker) { principal in
                guard let key = principal.origin?.key, let issuer = issuers[principal.issuer] else { return false }
                return issuer.source.current.vouches(for: key, at: steadyNow)
            }
        }
        switch answer {
        case .known(let answer):
            // Whose answers are all known asks for no key, and would not hear that one was taken back.
            if case .verified(let principal) = answer { issuers[principal.issuer]?.source.refreshIfDue(steadyNow) }
            return answer
        case .waits(let isFirst):
            if isFirst { check(credential, digest) }
            return .notYet
        }
    }

    private func check(_ credential: Credential, _ digest: [UInt8]) {
        Task.detached { [self] in
            let result: Result<Principal, TokenRejection>
            do throws(TokenRejection) {
                result = .success(try await verify(credential.secret))
            } catch {
                result = .failure(error)
            }
            let now = steady()
            let waiting = state.withLock { $0.finish(digest, result, steady: now) }
            for waker in waiting { waker.wake() }
        }
    }

    public func stands(_ principal: Principal) -> Bool {
        guard let issuer = issuers[principal.issuer] else { return false }
        guard let origin = principal.origin else { return true }
        return origin.settings == issuer.fingerprint && issuer.fileKeys?.contains(origin.key) != false
    }

    /// Verifies one token.
    ///
    /// - Throws: why it is not accepted.
    public func verify(_ token: [UInt8]) async throws(TokenRejection) -> Principal {
        let jws = try CompactJWS(token)
        let claims = try jws.claims()
        guard case .string(let issuer)? = claims.value(at: "iss"), let found = issuers[issuer] else {
            throw .unknownIssuer
        }
        var signer = jws.signer(among: try await found.source.candidates(jws))
        if signer == nil, jws.keyID == nil {
            // Without a key id a new key cannot be told from a forgery: the issuer is asked once more.
            signer = jws.signer(among: try await found.source.candidatesAnew(jws))
        }
        guard let signer else { throw .badSignature }
        return try principal(claims, found, signer)
    }

    private func principal(
        _ claims: JSONValue, _ issuer: Issuer, _ signer: KeySet.Key
    ) throws(TokenRejection) -> Principal {
        let settings = issuer.settings
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
        let name = settings.prefix + subject
        if issuer.rivals.contains(where: { name.hasPrefix($0) }) { throw .foreignSubject }
        let groups = (claims.value(at: settings.groupsClaim)?.texts ?? []).map { settings.prefix + $0 }.filter {
            group in
            !issuer.rivals.contains { group.hasPrefix($0) }
        }
        var flat: [String: [String]] = [:]
        TokenVerifier.flatten(claims, path: "", into: &flat)
        return Principal(
            subject: name, groups: groups, claims: flat, issuer: settings.issuer, expires: expires,
            origin: Principal.Origin(settings: issuer.fingerprint, key: signer.fingerprint))
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
