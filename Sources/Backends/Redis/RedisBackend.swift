public import TidegateCore

/// Redis and Valkey behind the gateway: one server, one that sentinels watch, or one cluster.
public final class RedisBackend: Backend {
    public static let declaration = BackendDeclaration(
        protocolName: "redis",
        settings: RedisSettings.schema,
        kinds: [
            ResourceKindDeclaration(singular: "stream", plural: "streams"),
            ResourceKindDeclaration(singular: "group", plural: "groups"),
            ResourceKindDeclaration(singular: "key", plural: "keys"),
            ResourceKindDeclaration(singular: "channel", plural: "channels"),
            ResourceKindDeclaration(singular: "cluster", plural: "cluster", isFlag: true),
        ],
        wireNames: CommandTable.wireNames,
        commandCategories: CommandTable.categoryNames,
        explicitCommands: CommandTable.explicitNames,
        positions: .entry,
        requiresAdvertise: { $0["cluster"] != nil || $0["replicas"] != nil })

    let servers: RedisServers
    let services: BackendServices

    public init(
        name: String, settings: ConfigurationNode, services: BackendServices
    ) throws(ConfigurationProblems) {
        servers = RedisServers(
            name: name, settings: try RedisSettings(settings, secrets: services.secrets), log: services.log)
        self.services = services
    }

    public func makeMachine(for session: Session) -> any MachineBox {
        MachineOf(
            RedisMachine(
                servers: servers, table: .all, node: session.route.advertise?.node(ofPort: session.localPort)))
    }

    public func run() async { await discover() }
}
