import Synchronization
public import TidegateHTTP

/// Schemas of a Confluent-compatible registry: asked for once, kept in bounded room, used for a bounded time.
///
/// ```
///            asked                    found
///  unknown ---------> queued, then   --------> ready <--.
///                     being asked for            |  |   | found again
///                       ^      |                 |  |   |
///            asked, old |      | refused,        |  '---' after refreshSeconds, while it is used
///              enough   |      v unreachable     |
///                       '--- failed <------------'  not heard of for maxAgeSeconds
/// ```
/// No caller ever waits: event loops ask, and are called when it is worth asking again.
public final class SchemaRegistry: Sendable {
    public enum Answer: Sendable {
        case ready(Schema)
        /// It is being asked for; the caller is called.
        case pending
        case failed(SchemaError)
    }
    public typealias Get = @Sendable (String) async throws -> HTTPClient.Answer

    private struct Entry {
        var schema: Schema?
        /// What the schema was made from, so that the same answer is the same schema.
        var origin = 0
        var failure: SchemaError?
        /// When the schema was last heard.
        var heard: Int64 = 0
        /// When asking again is worth it.
        var nextAsk: Int64 = 0
        /// In the order of use.
        var used: UInt64 = 0
        var isAsking = false
        /// It is asked for when another answer has come.
        var isQueued = false
        var waiters: [@Sendable () -> Void] = []

        var isOpen: Bool { isAsking || isQueued }
    }
    private struct State {
        var entries: [SchemaKey: Entry] = [:]
        var asking = 0
        /// What is asked for next, in order.
        var queue: [SchemaKey] = []
        /// Those whose key found no place in the queue.
        var turnedAway: [@Sendable () -> Void] = []
        /// Waiters, those turned away too.
        var waiting = 0
        var uses: UInt64 = 0
    }

    private let settings: RegistrySettings
    private let fetch: RegistryFetch
    private let clock: @Sendable () -> Int64
    private let state = Mutex(State())

    /// - Parameters:
    ///   - clock: seconds, steady; nil is the system's.
    ///   - get: how a URL is read; nil is by HTTP.
    /// - Throws: where the URL is none that can be asked.
    public init(_ settings: RegistrySettings, clock: (@Sendable () -> Int64)? = nil, get: Get? = nil)
        throws(SchemaError)
    {
        let url = settings.url.lowercased()
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw SchemaError("a schema registry's URL begins with http:// or https://")
        }
        // It is written into messages.
        guard !settings.url.contains("@"), !settings.url.contains("?"), !settings.url.contains("#") else {
            throw SchemaError("a schema registry's URL holds neither user and password nor a query")
        }
        self.settings = settings
        let base = settings.url.hasSuffix("/") ? String(settings.url.dropLast()) : settings.url
        let credentials = settings.user.map {
            HTTPClient.Credentials(user: $0, password: settings.password ?? "")
        }
        var identity: HTTPClient.Identity?
        if let certificate = settings.certificateFile, let key = settings.keyFile {
            identity = HTTPClient.Identity(certificateFile: certificate, keyFile: key)
        }
        let client = HTTPClient(
            caFile: settings.caFile, identity: identity, credentials: credentials, limit: 4 << 20)
        fetch = RegistryFetch(base: base, get: get ?? { try await client.get($0) })
        let start = ContinuousClock.now
        self.clock = clock ?? { start.duration(to: .now).components.seconds }
    }

    /// The schema of that key, as far as it is known. Never blocks.
    ///
    /// - Parameter wake: called once, on another thread, after `pending`, when it is worth asking again.
    public func schema(_ key: SchemaKey, wake: (@Sendable () -> Void)? = nil) -> Answer {
        let now = clock()
        let (answer, isNew) = state.withLock { state -> (Answer, Bool) in
            var entry = state.entries.removeValue(forKey: key) ?? Entry()
            // A key that is turned away is not kept: a peer's ids must not push others out.
            defer { if entry.schema != nil || entry.failure != nil || entry.isOpen { state.entries[key] = entry } }
            state.uses &+= 1
            entry.used = state.uses
            if let schema = entry.schema {
                if now < entry.heard + settings.maxAgeSeconds {
                    let isDue = now >= entry.heard + settings.refreshSeconds && now >= entry.nextAsk
                    return (.ready(schema), isDue && begin(&entry, &state))
                }
                entry.schema = nil
                entry.failure = entry.failure ?? SchemaError("\(key) was not heard of for too long")
            }
            if !entry.isOpen, now < entry.nextAsk {
                return (.failed(entry.failure ?? SchemaError("\(key) is not known")), false)
            }
            guard state.waiting < settings.waitingLimit else {
                return (.failed(SchemaError("too many wait for schemas")), false)
            }
            // Where others are asked for, it waits for its turn: a busy client makes no good data unreadable.
            let isNew = begin(&entry, &state)
            if !entry.isOpen, state.queue.count < settings.queueLimit {
                entry.isQueued = true
                state.queue.append(key)
            }
            if let wake {
                state.waiting += 1
                if entry.isOpen { entry.waiters.append(wake) } else { state.turnedAway.append(wake) }
            }
            return (.pending, isNew)
        }
        if isNew { ask(key) }
        return answer
    }

    /// The schema of that key where it may be used now; asks for nothing.
    public func known(_ key: SchemaKey) -> Schema? {
        let now = clock()
        return state.withLock { state in
            guard let entry = state.entries[key], let schema = entry.schema,
                now < entry.heard + settings.maxAgeSeconds
            else { return nil }
            state.uses &+= 1
            state.entries[key]?.used = state.uses
            return schema
        }
    }

    /// Schemas and failures that are kept.
    public var count: Int { state.withLock { $0.entries.count } }

    private func begin(_ entry: inout Entry, _ state: inout State) -> Bool {
        guard !entry.isOpen, state.asking < settings.askLimit else { return false }
        entry.isAsking = true
        state.asking += 1
        return true
    }

    private func ask(_ key: SchemaKey) {
        Task {
            let outcome = await fetch.fetch(key)
            settle(key, outcome)
        }
    }

    private func settle(_ key: SchemaKey, _ outcome: RegistryFetch.Outcome) {
        // Parsed outside of the lock, and only where it is not what is known already.
        let known = state.withLock { ($0.entries[key]?.schema, $0.entries[key]?.origin ?? 0) }
        var parsed: Result<Schema, SchemaError>?
        var origin = 0
        if case .found(let format, let text, let references, let tags) = outcome {
            var hasher = Hasher()
            hasher.combine(format)
            hasher.combine(text)
            hasher.combine(tags)
            for reference in references {
                hasher.combine(reference.name)
                hasher.combine(reference.text)
            }
            origin = hasher.finalize()
            if let schema = known.0, known.1 == origin {
                parsed = .success(schema)
            } else {
                parsed = Result { () throws(SchemaError) in
                    try Schema(format, text, references: references, tags: tags)
                }
            }
        }
        let now = clock()
        let (waiters, next) = state.withLock { state -> ([@Sendable () -> Void], [SchemaKey]) in
            var entry = state.entries.removeValue(forKey: key) ?? Entry()
            entry.isAsking = false
            state.asking -= 1
            switch (outcome, parsed) {
            case (_, .success(let schema)):
                entry.schema = schema
                entry.origin = origin
                entry.heard = now
                entry.failure = nil
                entry.nextAsk = now
            case (_, .failure(let error)), (.refused(let error), _):
                entry.failure = error
                entry.nextAsk = now + settings.negativeSeconds
            case (.unreachable(let error), _), (.silent(let error), _):
                entry.failure = error
                entry.nextAsk = now + settings.retrySeconds
            case (.found, nil): break  // parsed above
            }
            var waiters = entry.waiters
            entry.waiters = []
            state.entries[key] = entry
            if case .silent(let error) = outcome { waiters += giveUpQueue(error, now, &state) }
            let next = takeFromQueue(&state)
            waiters += state.turnedAway
            state.turnedAway = []
            state.waiting -= waiters.count
            makeRoom(&state)
            return (waiters, next)
        }
        for key in next { ask(key) }
        for wake in waiters { wake() }
    }

    /// Takes keys for which there is room by now.
    private func takeFromQueue(_ state: inout State) -> [SchemaKey] {
        let next = Array(state.queue.prefix(max(0, settings.askLimit - state.asking)))
        state.queue.removeFirst(next.count)
        state.asking += next.count
        for key in next {
            state.entries[key]?.isQueued = false
            state.entries[key]?.isAsking = true
        }
        return next
    }

    /// Where nobody answers, those behind do not wait for that one after the other.
    ///
    /// - Returns: who waited.
    private func giveUpQueue(_ error: SchemaError, _ now: Int64, _ state: inout State) -> [@Sendable () -> Void] {
        var waiters: [@Sendable () -> Void] = []
        for key in state.queue {
            guard var entry = state.entries[key] else { continue }
            entry.isQueued = false
            entry.failure = error
            entry.nextAsk = now + settings.retrySeconds
            waiters += entry.waiters
            entry.waiters = []
            state.entries[key] = entry
        }
        state.queue = []
        return waiters
    }

    /// What was not used for the longest time goes. Failures have room of their own: a peer's ids push no schema out.
    private func makeRoom(_ state: inout State) {
        for isFailure in [true, false] {
            let settled = state.entries.filter { !$0.value.isOpen && ($0.value.schema == nil) == isFailure }
            guard settled.count > settings.cacheLimit else { continue }
            let oldest = settled.sorted { $0.value.used < $1.value.used }.prefix(settled.count - settings.cacheLimit)
            for (key, _) in oldest { state.entries[key] = nil }
        }
    }
}
