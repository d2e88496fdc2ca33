package import TidegateCore

/// Backends whose servers are told, not asked for.
extension RedisRehearsal {
    package enum Discovery: Sendable {
        case cluster([(host: String, port: UInt16)])
        case sentinels([(host: String, port: UInt16)], primary: String, password: String?)
    }

    package convenience init(discovering discovery: Discovery) {
        switch discovery {
        case .cluster(let addresses): self.init(.cluster(addresses))
        case .sentinels(let addresses, let primary, let password):
            self.init(
                .sentinels(
                    addresses, primary: primary, password.map { .init(username: nil, password: Array($0.utf8)) }))
        }
    }

    /// The side connection's machine to the configured server of that place.
    package func side(to place: Int) -> any MachineBox {
        MachineOf(TopologyMachine(servers: servers, target: servers.targets[place]))
    }

    /// Takes CLUSTER NODES of a configured node, as the side connection does.
    @discardableResult
    package func take(nodes text: String, from place: Int = 0) -> Bool {
        servers.publish(ClusterNodeLine.read(text), from: servers.targets[place])
    }

    package func take(primary host: String, _ port: UInt16) { servers.publish(primary: host, port: port) }
    package func fail(_ place: Int) { servers.noteFailure(of: servers.targets[place]) }
    package func failRound() { servers.noteFailedRound() }
    package func retire() { servers.retire() }
    /// Somebody has asked for a refresh since the last time.
    package func takeWish() -> Bool { servers.takeWish() }

    /// `host:port` by number, `-` where nobody has it.
    package var nodes: [String] { servers.current.nodes.map { $0.map { "\($0.host):\($0.port)" } ?? "-" } }
    /// Those that the side connection goes to, in their order.
    package var targets: [String] { servers.targets.map { "\($0.host):\($0.port)" } }
}
