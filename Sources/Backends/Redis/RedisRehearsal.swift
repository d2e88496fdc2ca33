package import TidegateCore

/// Servers that nobody dials: machines of them are played from transcripts.
package final class RedisRehearsal: Sendable {
    let servers: RedisServers

    /// - Parameters:
    ///   - nodes: the servers as they are known.
    ///   - password: of the gateway's own log-in; nil makes none.
    package init(
        nodes: [(host: String, port: UInt16)] = [("redis.internal", 6379)], username: String? = nil,
        password: String? = nil, databases: Set<Int> = [0]
    ) {
        servers = RedisServers(
            name: "cache",
            settings: RedisSettings(
                discovery: .fixed(nodes),
                login: password.map { .init(username: username, password: Array($0.utf8)) }, databases: databases),
            log: Log { _ in })
    }

    init(_ discovery: RedisSettings.Discovery) {
        servers = RedisServers(
            name: "cache", settings: RedisSettings(discovery: discovery), log: Log { _ in })
    }

    package func machine(for session: Session) -> any MachineBox {
        MachineOf(
            RedisMachine(
                servers: servers, table: .all, node: session.route.advertise?.node(ofPort: session.localPort)))
    }
}
