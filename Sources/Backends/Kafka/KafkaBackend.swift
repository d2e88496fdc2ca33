public import TidegateCore
import TidegateCrypto

/// Apache Kafka behind the gateway: one cluster, its catalogue, and a machine for each connection.
public final class KafkaBackend: Backend {
    public static let declaration = BackendDeclaration(
        protocolName: "kafka",
        settings: KafkaSettings.schema,
        kinds: [
            ResourceKindDeclaration(singular: "topic", plural: "topics"),
            ResourceKindDeclaration(singular: "group", plural: "groups"),
            ResourceKindDeclaration(singular: "transaction", plural: "transactions"),
            ResourceKindDeclaration(singular: "cluster", plural: "cluster", isFlag: true),
        ],
        wireNames: KafkaRules.wireNames,
        requiresAdvertise: { _ in true })

    private let cluster: KafkaCluster
    private let rules: KafkaRules
    private let services: BackendServices

    public init(
        name: String, settings: ConfigurationNode, services: BackendServices
    ) throws(ConfigurationProblems) {
        cluster = KafkaCluster(
            name: name, settings: try KafkaSettings(settings, secrets: services.secrets), log: services.log)
        rules = KafkaRules()
        self.services = services
    }

    public func makeMachine(for session: Session) -> any MachineBox {
        MachineOf(
            KafkaMachine(
                cluster: cluster, rules: rules, node: session.route.advertise?.node(ofPort: session.localPort)))
    }

    /// Keeps one side connection to the cluster while it lives, and asks for the catalogue every half minute, or when a
    /// machine does not know a topic's id.
    public func run() async {
        guard let connections = services.sideConnections else { return }
        defer { cluster.retire() }
        var pause = Duration.milliseconds(100)
        while !Task.isCancelled {
            let cluster = cluster
            let (endings, ended) = AsyncStream.makeStream(of: CloseReason.self)
            let connection = connections.open(
                { MachineOf(CatalogueMachine(cluster: cluster)) },
                ended: { reason in
                    ended.yield(reason)
                    ended.finish()
                })
            cluster.attachRefresher(connection.wake)
            let ticking = Task {
                var watch = KafkaCluster.Watch()
                while !Task.isCancelled {
                    try? await Task.sleep(for: .seconds(30))
                    // A broker that says nothing for so long will not: another is tried.
                    if watch.isStalled(cluster) { return connection.close() }
                    connection.wake()
                }
            }
            var reason = CloseReason.ended
            await withTaskCancellationHandler {
                for await ending in endings { reason = ending }
            } onCancel: {
                connection.close()
            }
            ticking.cancel()
            cluster.attachRefresher(nil)
            cluster.begin()
            cluster.publishFailure()
            if Task.isCancelled { break }
            services.log.warning(
                "side connection ended", ["backend": cluster.name, "reason": reason.word])
            pause = reason == .backendEnded ? .milliseconds(100) : min(pause * 2, .seconds(5))
            try? await Task.sleep(for: pause)
        }
    }
}

extension KafkaSettings {
    /// Reads settings that the schema has accepted.
    ///
    /// - Throws: every secret or file that cannot be used, with its place.
    init(_ node: ConfigurationNode, secrets: any SecretReader) throws(ConfigurationProblems) {
        var problems: [ConfigurationProblem] = []
        bootstrap = (node["bootstrap"]?.elements ?? []).compactMap(\.address)
        if let settings = node["sasl"], let word = settings["mechanism"]?.text,
            let mechanism = Mechanism(rawValue: word)
        {
            do throws(ConfigurationProblem) {
                guard let password = try secrets.secret("password", in: settings) else {
                    throw ConfigurationProblem(
                        at: settings, "no password for the log-in", suggestion: "name passwordFile or passwordEnv")
                }
                sasl = SASL(mechanism: mechanism, username: settings["username"]?.text ?? "", password: password)
            } catch { problems.append(error) }
        }
        if let settings = node["tls"] {
            serverName = settings["serverName"]?.text
            tls = TLSSettings.context(settings, secrets, &problems)
        }
        if !problems.isEmpty { throw ConfigurationProblems(problems) }
    }
}
