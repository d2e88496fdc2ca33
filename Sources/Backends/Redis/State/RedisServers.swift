import Synchronization
import TidegateCore

/// One configured backend as its connections share it: settings, and where its servers are.
final class RedisServers: Sendable {
    let name: String
    let settings: RedisSettings
    private let log: Log
    private let state: Mutex<State>

    private struct State {
        var topology = RedisTopology()
        /// Of a cluster.
        var numbers: NodeNumbers
        /// Answers that the side connection has brought, and rounds in which none of its servers had one.
        var answers: UInt64 = 0
        var failedRounds: UInt64 = 0
        /// Nobody asks any more.
        var isRetired = false
        var wantsRefresh = false
        var waiting: [Waker] = []
        /// Sessions that must hear when their server is another.
        var sessions: [UInt64: Waker] = [:]
        var lastSession: UInt64 = 0
        /// The topology's version in which a node without an address here was reported last.
        var reported: UInt64?

        mutating func takeWaiting() -> [Waker] {
            defer { waiting = [] }
            return waiting
        }
    }

    /// Room for replies, of as many connections as looked at some at a time.
    private let rooms = Mutex<[ReplyWorkspace]>([])
    private static let roomLimit = 16

    func borrowRoom() -> ReplyWorkspace { rooms.withLock { $0.popLast() } ?? ReplyWorkspace() }

    /// - Parameter room: is empty then.
    func giveBack(_ room: inout ReplyWorkspace) {
        room.rest()
        var given = ReplyWorkspace()
        swap(&given, &room)
        rooms.withLock { if $0.count < RedisServers.roomLimit { $0.append(given) } }
    }

    init(name: String, settings: RedisSettings, log: Log) {
        self.name = name
        self.settings = settings
        self.log = log
        var state = State(numbers: NodeNumbers(settings.discovery.isCluster ? settings.discovery.addresses : []))
        if case .fixed(let addresses) = settings.discovery {
            state.topology.nodes = addresses.map { .init(host: $0.host, port: $0.port) }
        }
        self.state = Mutex(state)
    }

    var current: RedisTopology { state.withLock { $0.topology } }

    // MARK: What machines ask

    /// A session's way to its server.
    struct Joined {
        var endpoint: Endpoint
        /// The node's number.
        var node: Int32
        /// For `leave`.
        var session: UInt64
    }

    /// Where a connection is to go; nil where the node is not known (yet). The waker is called whenever a node's address
    /// changes, until `leave`.
    ///
    /// - Parameter node: nil is the first that is well.
    func join(_ node: Int32?, waking waker: Waker) -> Joined? {
        state.withLock { state in
            let number = node ?? state.topology.preferred
            guard let found = state.topology[number] else { return nil }
            state.lastSession += 1
            if !settings.discovery.isFixed { state.sessions[state.lastSession] = waker }
            return Joined(endpoint: endpoint(found), node: number, session: state.lastSession)
        }
    }

    func leave(_ session: UInt64) { state.withLock { $0.sessions[session] = nil } }

    /// True where the node is another server now than when the session joined it: a primary that sentinels have replaced.
    func hasMoved(_ joined: Joined) -> Bool {
        guard let found = current[joined.node] else { return false }
        return found.host != joined.endpoint.host || found.port != joined.endpoint.port
    }

    private func endpoint(_ node: RedisTopology.Node) -> Endpoint {
        endpoint(node.host, node.port, node.serverName)
    }

    private func endpoint(_ host: String, _ port: UInt16, _ serverName: String? = nil) -> Endpoint {
        Endpoint(host: host, port: port, tls: settings.tls, serverName: settings.serverName ?? serverName ?? host)
    }

    /// A wait for the side connection's next answer.
    struct Question {
        fileprivate var asked: (answers: UInt64, failedRounds: UInt64)?
    }

    /// Rounds without an answer, a second or more each, after which nobody waits any longer.
    private static let patience: UInt64 = 3

    /// - Returns: true while the answer is awaited, and the waker is then called; false where it has come, or the rounds
    ///   have brought none.
    func isAwaited(_ question: inout Question, waking waker: Waker) -> Bool {
        state.withLock { state in
            if settings.discovery.isFixed || state.isRetired { return false }
            if let asked = question.asked {
                if state.answers > asked.answers || state.failedRounds >= asked.failedRounds + RedisServers.patience {
                    return false
                }
            } else {
                question.asked = (state.answers, state.failedRounds)
                state.wantsRefresh = true
            }
            state.waiting.append(waker)
            return true
        }
    }

    /// Somebody has met a node that is not known: the side connection asks within a second.
    func askRefresh() { state.withLock { $0.wantsRefresh = true } }

    /// Tells the operator, once a topology, that clients cannot be sent to a node.
    func reportUnreachable() {
        let isNew = state.withLock { state in
            defer { state.reported = state.topology.version }
            return state.reported != state.topology.version
        }
        if isNew {
            log.warning("a node that clients are sent to has no address on the route", ["backend": name])
        }
    }

    /// The server has refused the gateway's own log-in: for the operator, never the client.
    func reportLogIn(_ words: String) {
        log.error("the server refused the gateway's log-in", ["backend": name, "answer": words])
    }

    // MARK: What the side connection tells

    /// A server that can be asked where the others are.
    struct Target: Equatable {
        var host: String
        var port: UInt16
        /// Its place among the configured addresses.
        var configured: Int?
        var serverName: String?
    }

    /// The configured ones, then those that were learned.
    var targets: [Target] {
        let configured = settings.discovery.addresses.enumerated().map {
            Target(host: $1.host, port: $1.port, configured: $0)
        }
        guard settings.discovery.isCluster else { return configured }
        let learned = current.nodes.dropFirst(configured.count).compactMap { $0 }.map {
            Target(host: $0.host, port: $0.port, serverName: $0.serverName)
        }
        return configured + learned
    }

    func endpoint(of target: Target) -> Endpoint { endpoint(target.host, target.port, target.serverName) }

    /// True where the servers are known, but not which of them some configured address is: it is to be asked.
    var hasStranger: Bool { state.withLock { $0.answers > 0 && $0.numbers.hasStranger } }

    var answers: UInt64 { state.withLock { $0.answers } }

    func takeWish() -> Bool {
        state.withLock { state in
            defer { state.wantsRefresh = false }
            return state.wantsRefresh
        }
    }

    /// Sentinels have told where the primary is.
    func publish(primary host: String, port: UInt16) { publish { _ in [.init(host: host, port: port)] } }

    /// What a node of the cluster says of all.
    ///
    /// - Returns: false where another node must be asked before it can be told which are the configured ones.
    func publish(_ heard: [ClusterNodeLine], from target: Target) -> Bool {
        publish { state in state.numbers.take(heard, from: target) }
    }

    @discardableResult
    private func publish(_ nodes: (inout State) -> [RedisTopology.Node?]?) -> Bool {
        let (isTaken, wakers, moved) = state.withLock { state -> (Bool, [Waker], RedisTopology?) in
            state.answers += 1
            guard let fresh = nodes(&state) else {
                // Nobody's question is answered by it.
                state.answers -= 1
                return (false, [], nil)
            }
            var wakers = state.takeWaiting()
            guard fresh != state.topology.nodes else { return (true, wakers, nil) }
            if state.topology.isMoved(to: fresh) { wakers += state.sessions.values }
            state.topology.nodes = fresh
            state.topology.version += 1
            return (true, wakers, state.topology)
        }
        for waker in wakers { waker.wake() }
        if let moved {
            log.info("the backend's servers are known anew", ["backend": name, "nodes": "\(moved.known)"])
        }
        return isTaken
    }

    /// A server could not be asked.
    func noteFailure(of target: Target) { state.withLock { $0.numbers.giveUp(target) } }

    /// None of the servers could be asked.
    func noteFailedRound() {
        let (waiting, isFirst) = state.withLock { state in
            state.failedRounds += 1
            return (state.takeWaiting(), state.failedRounds == 1)
        }
        for waker in waiting { waker.wake() }
        if isFirst { log.warning("no server tells where the backend's servers are", ["backend": name]) }
    }

    /// An answer was not to be understood, or was an error.
    func reportAnswer(_ words: String) {
        log.warning("a server does not tell where the backend's servers are", ["backend": name, "answer": words])
    }

    /// Nobody asks from here on: who waits gets what is known.
    func retire() {
        let waiting = state.withLock { state in
            state.isRetired = true
            return state.takeWaiting()
        }
        for waker in waiting { waker.wake() }
    }
}

extension RedisSettings.Discovery {
    var isFixed: Bool {
        if case .fixed = self { return true }
        return false
    }
    var isCluster: Bool {
        if case .cluster = self { return true }
        return false
    }
    var addresses: [RedisSettings.Address] {
        switch self {
        case .fixed(let addresses), .cluster(let addresses), .sentinels(let addresses, _, _): addresses
        }
    }
}
