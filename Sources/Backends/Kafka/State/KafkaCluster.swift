import Synchronization
import TidegateCore
import TidegateCrypto

/// What is known of a cluster at one moment: its brokers, its topics by id, what it serves. Immutable; a refresh makes a
/// new one.
final class KafkaCatalogue: Sendable {
    struct Node: Sendable, Equatable {
        var host: String
        var port: UInt16
    }
    /// Rises with every refresh.
    let generation: UInt64
    let nodes: [Int32: Node]
    let topics: [TopicID: [UInt8]]
    /// All topics, those of brokers without ids too.
    let names: Set<[UInt8]>
    /// The broker's own answer to ApiVersions 4, or empty where it was not heard yet.
    let apiVersions: BrokerVersions?

    init(
        generation: UInt64, nodes: [Int32: Node], topics: [TopicID: [UInt8]], names: Set<[UInt8]>,
        apiVersions: BrokerVersions?
    ) {
        self.generation = generation
        self.nodes = nodes
        self.topics = topics
        self.names = names
        self.apiVersions = apiVersions
    }
}

/// One Kafka cluster behind the gateway, shared by its connections: catalogue, endpoints, log-in.
final class KafkaCluster: Sendable {
    let name: String
    let settings: KafkaSettings
    private let state: Mutex<State>
    private let published: Atomic<UInt64>
    private let wakeRefresher: Mutex<(@Sendable () -> Void)?>
    private let salted = Mutex<[SaltedKey: [UInt8]]>([:])
    private let nextBootstrap = Atomic<Int>(0)

    fileprivate struct State {
        var catalogue: KafkaCatalogue
        /// Refreshes asked for, begun and done (failed ones too): a question waits for the number it was given.
        var asked: UInt64 = 0
        var begun: UInt64 = 0
        var done: UInt64 = 0
        var waiting: [(number: UInt64, waker: Waker)] = []
        var lastFailed = false
        /// Nobody refreshes any more.
        var isRetired = false
        /// The last refresh that was asked for to find a name or an id.
        var lookUp: (number: UInt64, at: Instant)?
    }

    struct SaltedKey: Hashable {
        var salt: [UInt8]
        var iterations: Int
    }

    private let log: Log

    init(name: String, settings: KafkaSettings, log: Log) {
        self.log = log
        self.name = name
        self.settings = settings
        state = Mutex(
            State(catalogue: KafkaCatalogue(generation: 0, nodes: [:], topics: [:], names: [], apiVersions: nil)))
        published = Atomic(0)
        wakeRefresher = Mutex(nil)
    }

    // MARK: What machines ask

    /// The catalogue of now; `held` where nothing is newer.
    func catalogue(newerThan held: KafkaCatalogue?) -> KafkaCatalogue {
        if let held, published.load(ordering: .acquiring) == held.generation { return held }
        return state.withLock { $0.catalogue }
    }

    /// Asks for a refresh that begins from now on.
    ///
    /// - Returns: its number; `isDone` tells when it has been made or has failed, and the waker is called then.
    func refresh(waking waker: Waker) -> UInt64 {
        let number = state.withLock { state in
            if state.isRetired { return state.done }
            // One that is under way began before this question: the next one counts.
            state.asked = max(state.asked, state.begun + 1)
            state.waiting.append((state.asked, waker))
            return state.asked
        }
        wakeRefresher.withLock { $0 }?()
        return number
    }

    /// As `refresh`, for ids and names that clients bring: one a second, shared by all who ask meanwhile. What it did not
    /// find stays unknown until the next.
    func lookUp(at now: Instant, waking waker: Waker) -> UInt64 {
        let shared: UInt64? = state.withLock { state in
            guard let last = state.lookUp, now.milliseconds(since: last.at) < 1000 else { return nil }
            if state.done < last.number { state.waiting.append((last.number, waker)) }
            return last.number
        }
        if let shared { return shared }
        let number = refresh(waking: waker)
        state.withLock { $0.lookUp = (number, now) }
        return number
    }

    func isDone(_ number: UInt64) -> Bool { state.withLock { $0.done >= number } }
    /// The catalogue is that of an earlier refresh, or of none.
    var lastRefreshFailed: Bool { state.withLock { $0.lastFailed } }

    /// Where to connect for a broker, or for the cluster as such; nil where the broker is not known.
    func endpoint(ofNode node: Int32?) -> Endpoint? {
        if let node {
            guard let found = state.withLock({ $0.catalogue.nodes[node] }) else { return nil }
            return endpoint(found.host, found.port)
        }
        let bootstrap = settings.bootstrap
        guard !bootstrap.isEmpty else { return nil }
        let turn = nextBootstrap.wrappingAdd(1, ordering: .relaxed).oldValue
        let (host, port) = bootstrap[Int(UInt(bitPattern: turn) % UInt(bootstrap.count))]
        return endpoint(host, port)
    }

    private func endpoint(_ host: String, _ port: UInt16) -> Endpoint {
        Endpoint(host: host, port: port, tls: settings.tls, serverName: settings.serverName ?? host)
    }

    // MARK: Producers

    private let producers = Mutex(ProducerTable())

    /// A broker has given a producer's id to a principal; the last one it was given to has it.
    func note(producer id: Int64, of principal: Principal) {
        producers.withLock { $0.note(id, ProducerTable.owner(principal)) }
    }

    /// - Returns: nil where nobody is known to have the id.
    func isOwner(_ principal: Principal, ofProducer id: Int64) -> Bool? {
        producers.withLock { $0.isOwner(ProducerTable.owner(principal), of: id) }
    }

    /// Looks from time to time whether refreshes come to an end; machines have no clock.
    struct Watch {
        private var seen: (asked: UInt64, done: UInt64)?

        /// - Returns: true where what was owed at the last look is owed still.
        mutating func isStalled(_ cluster: KafkaCluster) -> Bool {
            let now = cluster.state.withLock { (asked: $0.asked, done: $0.done) }
            defer { seen = now }
            guard let seen else { return false }
            return seen.asked > seen.done && now.done == seen.done
        }
    }

    // MARK: What the refresher tells

    func attachRefresher(_ wake: (@Sendable () -> Void)?) { wakeRefresher.withLock { $0 = wake } }

    /// The refresher begins a refresh: questions from here on wait for the next.
    func begin() {
        state.withLock { state in
            state.asked = max(state.asked, state.begun + 1)
            state.begun = state.asked
        }
    }

    func publish(
        nodes: [Int32: KafkaCatalogue.Node], topics: [TopicID: [UInt8]], names: Set<[UInt8]>,
        apiVersions: BrokerVersions
    ) {
        let waiting = state.withLock { state in
            let generation = state.catalogue.generation + 1
            state.catalogue = KafkaCatalogue(
                generation: generation, nodes: nodes, topics: topics, names: names,
                apiVersions: apiVersions)
            state.lastFailed = false
            published.store(generation, ordering: .releasing)
            return State.finish(&state)
        }
        for waker in waiting { waker.wake() }
    }

    /// A refresh could not be made: who waits gets what is known.
    func publishFailure() {
        let waiting = state.withLock { state in
            state.lastFailed = true
            return State.finish(&state)
        }
        for waker in waiting { waker.wake() }
    }

    /// Nobody refreshes from here on: who waits, and who asks later, gets what is known, as from a refresh that failed.
    func retire() {
        state.withLock { state in
            state.isRetired = true
            state.begun = max(state.begun, state.asked)
        }
        publishFailure()
    }

    /// What one connection learned from a Metadata answer that passed through it.
    func learn(topics: [TopicID: [UInt8]], nodes: [Int32: KafkaCatalogue.Node]) {
        state.withLock { state in
            let old = state.catalogue
            let fresh = topics.filter { old.topics[$0.key] != $0.value }
            let moved = nodes.filter { old.nodes[$0.key] != $0.value }
            guard !fresh.isEmpty || !moved.isEmpty else { return }
            let generation = old.generation + 1
            state.catalogue = KafkaCatalogue(
                generation: generation, nodes: old.nodes.merging(moved) { $1 },
                topics: old.topics.merging(fresh) { $1 }, names: old.names.union(fresh.values),
                apiVersions: old.apiVersions)
            published.store(generation, ordering: .releasing)
        }
    }

    /// The broker did not let the gateway in.
    func report(logInError error: Int16) {
        log.error("the broker refused the gateway's log-in", ["backend": name, "error_code": "\(error)"])
    }

    // MARK: SCRAM

    /// SaltedPassword of RFC 5802 for the gateway's own log-in, computed once per salt on a thread of its own.
    ///
    /// - Returns: nil while it is being computed; the waker is called then.
    func saltedPassword(_ hash: HashAlgorithm, salt: [UInt8], iterations: Int, waking waker: Waker) -> [UInt8]? {
        let key = SaltedKey(salt: salt, iterations: iterations)
        if let known = salted.withLock({ $0[key] }) { return known }
        let password = settings.sasl?.password ?? []
        let cluster = self
        Task.detached {
            let computed = hash.derive(password, salt: salt, iterations: iterations)
            cluster.salted.withLock { keys in
                if keys.count > 64 { keys.removeAll() }
                keys[key] = computed
            }
            waker.wake()
        }
        return nil
    }
}

/// Whose the producers' ids are that this gateway has seen given: of each owner the newest ones, of owners those that were
/// given or used one last. So who asks for very many forgets its own, and nobody else's.
private struct ProducerTable {
    private static let idLimit = 4096
    private static let ownerLimit = 1024

    private struct Owner {
        var name: String
        /// From the oldest to the newest.
        var ids: [Int64] = []
        /// When it was last seen, in steps of `steps`.
        var seen: UInt64
    }
    /// By numbers that are never given again.
    private var owners: [UInt64: Owner] = [:]
    private var numbers: [String: UInt64] = [:]
    private var holders: [Int64: UInt64] = [:]
    private var steps: UInt64 = 0

    static func owner(_ principal: Principal) -> String { "\(principal.issuer)\u{0}\(principal.subject)" }

    /// - Returns: nil where nobody is known to have the id.
    mutating func isOwner(_ name: String, of id: Int64) -> Bool? {
        guard let holder = holders[id] else { return nil }
        guard holder == numbers[name] else { return false }
        steps += 1
        owners[holder]?.seen = steps
        return true
    }

    mutating func note(_ id: Int64, _ name: String) {
        steps += 1
        let number = numbers[name] ?? enter(name)
        owners[number]?.seen = steps
        let before = holders.updateValue(number, forKey: id)
        if before == number { return }
        if let before { owners[before]?.ids.removeAll { $0 == id } }
        owners[number]?.ids.append(id)
        guard let count = owners[number]?.ids.count, count > ProducerTable.idLimit else { return }
        if let oldest = owners[number]?.ids.removeFirst() { holders[oldest] = nil }
    }

    private mutating func enter(_ name: String) -> UInt64 {
        if owners.count >= ProducerTable.ownerLimit, let last = owners.min(by: { $0.value.seen < $1.value.seen }) {
            for id in last.value.ids { holders[id] = nil }
            numbers[last.value.name] = nil
            owners[last.key] = nil
        }
        numbers[name] = steps
        owners[steps] = Owner(name: name, seen: steps)
        return steps
    }
}

extension KafkaCluster.State {
    /// Takes out who waited for what has been begun.
    fileprivate static func finish(_ state: inout Self) -> [Waker] {
        state.done = state.begun
        let done = state.done
        let finished = state.waiting.filter { $0.number <= done }.map(\.waker)
        state.waiting.removeAll { $0.number <= done }
        return finished
    }
}
