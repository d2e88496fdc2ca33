import Foundation

/// Three servers that share the 16384 slots, each a third, and have no replicas.
final class RedisCluster {
    let servers: [RedisServer]
    private let identities: [String]

    /// The gateway's settings of it.
    var settings: String {
        let addresses = servers.map { "\"127.0.0.1:\($0.port)\"" }.joined(separator: ", ")
        return "cluster: [\(addresses)], username: \(RedisServer.user), passwordFile: redis-password"
    }

    /// - Throws: where it is not whole within 20 s.
    init(_ binary: RedisBinary = .debian) throws {
        // A node's bus is 10000 above its port.
        let base = try Ports.base([0, 1, 2, 10_000, 10_001, 10_002])
        var started: [RedisServer] = []
        do {
            for number in UInt16(0)..<3 { started.append(try RedisServer(binary, .cluster, port: base + number)) }
            for (number, server) in started.enumerated() {
                let admin = try server.connect()
                let bounds = [0, 5461, 10_923, 16_384]
                try RedisCluster.accepted(
                    admin.ask("CLUSTER", "ADDSLOTSRANGE", "\(bounds[number])", "\(bounds[number + 1] - 1)"))
                try RedisCluster.accepted(admin.ask("CLUSTER", "SET-CONFIG-EPOCH", "\(number + 1)"))
                if number > 0 { try RedisCluster.accepted(admin.ask("CLUSTER", "MEET", "127.0.0.1", "\(base)")) }
            }
            try eventually("the cluster is whole") {
                try started.allSatisfy { server in
                    let information = try server.connect().ask("CLUSTER", "INFO").string ?? ""
                    return information.contains("cluster_state:ok") && information.contains("cluster_known_nodes:3")
                }
            }
            servers = started
            identities = try started.map { try $0.connect().ask("CLUSTER", "MYID").string ?? "" }
        } catch {
            for server in started { server.stop() }
            throw error
        }
    }

    func stop() { for server in servers { server.stop() } }

    private static func accepted(_ answer: RedisValue) throws {
        guard answer == .ok else { throw ProcessFailure(description: "the cluster said \(answer)") }
    }

    func slot(of key: String) throws -> Int {
        guard case .integer(let slot) = try servers[0].connect().ask("CLUSTER", "KEYSLOT", key) else { return 0 }
        return Int(slot)
    }

    /// Which of the servers has the slot of a key.
    func owner(of key: String) throws -> Int {
        let slot = try slot(of: key)
        return try servers.firstIndex { server in
            // A key of the slot that no other key is: the owner answers, the others redirect.
            if case .error = try server.connect().ask("EXISTS", key) { false } else { true }
        } ?? slot * 3 / 16_384
    }

    /// Opens the move of a slot: for keys that are gone the old owner answers ASK from now on.
    func begin(moving slot: Int, from: Int, to: Int) throws {
        try RedisCluster.accepted(
            servers[to].connect().ask("CLUSTER", "SETSLOT", "\(slot)", "IMPORTING", identities[from]))
        try RedisCluster.accepted(
            servers[from].connect().ask("CLUSTER", "SETSLOT", "\(slot)", "MIGRATING", identities[to]))
    }

    /// Moves the keys of a slot.
    func carry(_ slot: Int, from: Int, to: Int) throws {
        let source = try servers[from].connect()
        while let keys = try source.ask("CLUSTER", "GETKEYSINSLOT", "\(slot)", "100").members, !keys.isEmpty {
            let moved = try source.ask(
                [
                    "MIGRATE", "127.0.0.1", "\(servers[to].port)", "", "0", "5000", "AUTH", RedisServer.ownPassword,
                    "KEYS",
                ] + keys.compactMap(\.string))
            try RedisCluster.accepted(moved)
        }
    }

    /// Tells all nodes who has the slot now: the new owner first, whose epoch rises by it, and the others once they have
    /// heard of that. Told sooner, they would believe what the old owner said a moment before, and for ever.
    func end(moving slot: Int, to: Int) throws {
        func tell(_ server: RedisServer) throws {
            try RedisCluster.accepted(server.connect().ask("CLUSTER", "SETSLOT", "\(slot)", "NODE", identities[to]))
        }
        try tell(servers[to])
        try eventually("all know the new owner's epoch") {
            try Set(servers.map { try epoch(of: to, on: $0) }).count == 1
        }
        for server in servers { try tell(server) }
    }

    /// The epoch of a server's configuration, as another one knows it.
    private func epoch(of server: Int, on other: RedisServer) throws -> Substring? {
        let nodes = try other.connect().ask("CLUSTER", "NODES").string ?? ""
        let line = nodes.split(whereSeparator: \.isNewline).first { $0.hasPrefix(identities[server]) }
        return line.flatMap { $0.split(separator: " ").dropFirst(6).first }
    }

    func move(_ slot: Int, from: Int, to: Int) throws {
        try begin(moving: slot, from: from, to: to)
        try carry(slot, from: from, to: to)
        try end(moving: slot, to: to)
    }
}
