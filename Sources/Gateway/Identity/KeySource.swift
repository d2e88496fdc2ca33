import Foundation
import Synchronization
import TidegateCore
import TidegateHTTP

/// The keys of one issuer: fetched, cached, kept through an outage until they are too old.
actor KeySource {
    typealias Fetch = @Sendable (String) async throws -> [UInt8]

    /// Keys are used for so long after the issuer was last heard.
    static let ageLimitSeconds: Int64 = 24 * 3600
    /// A refresh that nothing asked for.
    static let refreshSeconds: Int64 = 3600
    /// The least time between two fetches: unknown key ids are a peer's input.
    static let pauseSeconds: Int64 = 5

    private let settings: IssuerSettings
    private let fetch: Fetch
    private let clock: @Sendable () -> Instant
    private let log: Log
    private var keys: KeySet?
    private var heard = Instant.distantPast
    private var tried = Instant.distantPast
    private var running: Task<Void, Never>?
    private var waiting = 0
    private let waitingLimit: Int
    /// What event loops see of the keys.
    nonisolated let current = CurrentKeys()

    /// - Parameters:
    ///   - keys: what it starts with.
    ///   - waitingLimit: tokens that may wait for keys at a time.
    ///   - clock: steady: no setting of the time makes keys older or younger.
    init(
        _ settings: IssuerSettings, keys: KeySet? = nil, waitingLimit: Int = TokenVerifier.waitingLimit, fetch: Fetch?,
        clock: @escaping @Sendable () -> Instant, log: Log
    ) {
        self.settings = settings
        self.waitingLimit = waitingLimit
        self.clock = clock
        self.log = log
        self.keys = keys
        self.fetch = fetch ?? KeySource.network(caFile: settings.caFile)
        if let keys {
            let now = clock()
            heard = now
            current.replace(by: keys, heard: now)
        }
    }

    static func network(caFile: String?) -> Fetch {
        let client = HTTPClient(caFile: caFile)
        return { url in
            let answer = try await client.get(url)
            guard answer.status == 200 else { throw HTTPClient.Failure(description: "\(url): status \(answer.status)") }
            return answer.body
        }
    }

    /// Keys that may have signed a token.
    ///
    /// - Throws: `keysUnavailable` where none can be had, `unknownKey` where none fits even after a fresh look.
    func candidates(_ jws: CompactJWS) async throws(TokenRejection) -> [KeySet.Key] {
        let now = clock()
        if keys == nil { return try await candidatesAnew(jws) }
        refreshIfDue(now)
        if let found = fitting(jws) { return found }
        return try await candidatesAnew(jws)
    }

    /// Nobody waits for it: an issuer that is away must not slow down those whose keys are known.
    nonisolated func refreshIfDue(_ now: Instant) {
        if current.claimRefresh(at: now) { Task { await refresh(now) } }
    }

    /// As `candidates`, after a fresh look, if the last one was long enough ago.
    func candidatesAnew(_ jws: CompactJWS) async throws(TokenRejection) -> [KeySet.Key] {
        guard waiting < waitingLimit else { throw .tooMany }
        waiting += 1
        await refresh(clock())
        waiting -= 1
        if let found = fitting(jws) { return found }
        throw keys == nil ? .keysUnavailable : .unknownKey
    }

    private func fitting(_ jws: CompactJWS) -> [KeySet.Key]? {
        if let keys, clock() < heard.advanced(bySeconds: KeySource.ageLimitSeconds) {
            let found = keys.fitting(jws.algorithm, id: jws.keyID)
            return found.isEmpty ? nil : found
        }
        keys = nil
        return nil
    }

    /// One fetch at a time, and none for a few seconds after the last one ended.
    private func refresh(_ now: Instant) async {
        if let running { return await running.value }
        guard now >= tried.advanced(bySeconds: KeySource.pauseSeconds) else { return }
        tried = now
        let task = Task {
            await load()
            tried = clock()
            // Before anybody who waits goes on: who comes then must not wait for what is over.
            running = nil
        }
        running = task
        await task.value
    }

    private func load() async {
        do {
            let bytes: [UInt8]
            switch settings.keys {
            case .file(let path): bytes = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
            case .url(let url): bytes = try await fetch(url)
            case .discovery: bytes = try await fetch(try await discover())
            }
            guard let set = KeySet(bytes) else {
                return log.error("issuer's keys are no JSON web key set", ["issuer": settings.issuer])
            }
            // A set that verifies nothing is an accident of whoever wrote it: it takes no key away.
            guard set.usableKeys > 0 || keys == nil else {
                return log.error("issuer's keys hold none that verifies", ["issuer": settings.issuer])
            }
            keys = set
            heard = clock()
            current.replace(by: set, heard: heard)
        } catch {
            log.warning("issuer's keys cannot be fetched", ["issuer": settings.issuer, "error": "\(error)"])
        }
    }

    private func discover() async throws -> String {
        let base = settings.issuer.hasSuffix("/") ? String(settings.issuer.dropLast()) : settings.issuer
        let document = JSONValue(try await fetch(base + "/.well-known/openid-configuration"))
        guard case .string(let issuer)? = document?.value(at: "issuer"), issuer == settings.issuer else {
            throw HTTPClient.Failure(description: "the discovery document is another issuer's")
        }
        guard case .string(let url)? = document?.value(at: "jwks_uri"),
            url.hasPrefix("https://") || url.hasPrefix("http://")
        else { throw HTTPClient.Failure(description: "the discovery document names no jwks_uri") }
        // A https issuer does not hand out its keys in the clear.
        if settings.issuer.lowercased().hasPrefix("https://"), !url.hasPrefix("https://") {
            throw HTTPClient.Failure(description: "jwks_uri is not https")
        }
        return url
    }
}

/// Which keys an issuer has, and when it was last heard, for threads that cannot wait for its actor.
final class CurrentKeys: Sendable {
    private struct State {
        var fingerprints: Set<[UInt8]> = []
        var heard = Instant.distantPast
        /// When somebody was last sent for a refresh.
        var claimed = Instant.distantPast
    }
    private let state = Mutex(State())

    fileprivate func replace(by set: KeySet, heard: Instant) {
        let fingerprints = Set(set.keys.map(\.fingerprint))
        state.withLock { $0 = State(fingerprints: fingerprints, heard: heard, claimed: $0.claimed) }
    }

    /// True where a refresh is due and nobody else was sent for it a moment ago.
    func claimRefresh(at now: Instant) -> Bool {
        state.withLock { state in
            guard now >= state.heard.advanced(bySeconds: KeySource.refreshSeconds),
                now >= state.claimed.advanced(bySeconds: KeySource.pauseSeconds)
            else { return false }
            state.claimed = now
            return true
        }
    }

    /// True where a key is still one of the issuer's, and the issuer was heard not too long ago.
    func vouches(for key: [UInt8], at now: Instant) -> Bool {
        state.withLock { state in
            state.fingerprints.contains(key)
                && now < state.heard.advanced(bySeconds: KeySource.ageLimitSeconds)
        }
    }
}
