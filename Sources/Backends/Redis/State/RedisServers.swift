import Synchronization
import TidegateCore

/// One configured backend as its connections share it: settings, and where its servers are.
final class RedisServers: Sendable {
    /// The servers as they are known: a node's number is its place, and the same for as long as it is listed.
    struct Topology: Sendable, Equatable {
        struct Node: Sendable, Equatable {
            var host: String
            var port: UInt16
        }
        var nodes: [Node] = []
        var version: UInt64 = 0

        /// The number of the node with that address.
        func number(host: String, port: UInt16) -> Int32? {
            nodes.firstIndex { $0.port == port && $0.host == host }.map { Int32($0) }
        }
    }

    let name: String
    let settings: RedisSettings
    private let log: Log
    private let topology: Mutex<Topology>

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
        var first = Topology()
        switch settings.discovery {
        case .fixed(let addresses), .cluster(let addresses):
            first.nodes = addresses.map { .init(host: $0.host, port: $0.port) }
        case .sentinels: break
        }
        topology = Mutex(first)
    }

    var current: Topology { topology.withLock { $0 } }

    /// Where a connection is to go; nil where the node is not known (yet).
    ///
    /// - Parameter node: nil is the first.
    func endpoint(ofNode node: Int32?) -> Endpoint? {
        let found = topology.withLock { topology in
            let index = Int(node ?? 0)
            return topology.nodes.indices.contains(index) ? topology.nodes[index] : nil
        }
        guard let found else { return nil }
        return Endpoint(
            host: found.host, port: found.port, tls: settings.tls, serverName: settings.serverName ?? found.host)
    }

    /// Takes over what a side connection has learned.
    func publish(_ nodes: [Topology.Node]) {
        topology.withLock { topology in
            guard topology.nodes != nodes else { return }
            topology.nodes = nodes
            topology.version += 1
        }
    }

    /// The server has refused the gateway's own log-in: for the operator, never the client.
    func reportLogIn(_ words: String) {
        log.error("the server refused the gateway's log-in", ["backend": name, "answer": words])
    }
}
