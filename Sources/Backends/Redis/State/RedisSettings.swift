import TidegateCore
import TidegateCrypto

/// The settings under a backend's `redis:` key.
struct RedisSettings: Sendable {
    typealias Address = (host: String, port: UInt16)

    /// Who knows where the servers are.
    enum Discovery: Sendable {
        /// One server, and replicas of it that clients may read from; node 0 and those after it.
        case fixed([Address])
        /// Sentinels tell which server is the primary of that name.
        case sentinels([Address], primary: String, Login?)
        /// Any node of a cluster tells the others.
        case cluster([Address])
    }
    /// Without a user name it is the default user's password.
    struct Login: Sendable {
        var username: String?
        var password: [UInt8]
    }

    var discovery: Discovery
    var login: Login?
    var tls: TLSClientContext?
    /// The name that servers' certificates must hold, where it is not their host.
    var serverName: String?
    /// Numbers of the databases that clients may select.
    var databases: Set<Int> = [0]

    init(discovery: Discovery, login: Login? = nil, databases: Set<Int> = [0]) {
        self.discovery = discovery
        self.login = login
        self.databases = databases
    }

    private static let loginKeys: [SettingsSchema.Property] = [
        .init("username", .text(example: "gateway"), "The gateway's own ACL user; the default user without it."),
        .init("passwordFile", .text(example: "secrets/redis", check: .secretFile), "A file that holds its password."),
        .init("passwordEnv", .text(example: "REDIS_PASSWORD"), "An environment variable that holds it."),
    ]

    static let schema = SettingsSchema.object(
        [
            .init("address", .text(example: "127.0.0.1:6379", check: .address), "The server."),
            .init(
                "replicas", .list(.text(example: "127.0.0.1:6380", check: .address), nonEmpty: true),
                "Replicas of it, each at the port behind its own of the route's advertise."),
            .init(
                "sentinel",
                .object(
                    [
                        .init(
                            "addresses", .list(.text(example: "127.0.0.1:26379", check: .address), nonEmpty: true),
                            required: true, "Sentinels to ask, one after the other."),
                        .init(
                            "primary", .text(example: "mymaster"), required: true,
                            "The name under which they watch the primary."),
                    ] + loginKeys), "Sentinels that know the server; instead of address."),
            .init(
                "cluster", .list(.text(example: "127.0.0.1:7000", check: .address), nonEmpty: true),
                "Nodes of a Redis cluster, in the order of the route's advertised ports; others are learned from them."),
            .init(
                "databases", .list(.integer(0...65_535), nonEmpty: true),
                "Databases that clients may select; 0 alone without it."),
        ] + loginKeys + [TLSSettings.property(towards: "servers")])

    /// Reads settings that the schema has accepted.
    ///
    /// - Throws: what does not fit together, and every secret or file that cannot be used, with its place.
    init(_ node: ConfigurationNode, secrets: any SecretReader) throws(ConfigurationProblems) {
        var problems: [ConfigurationProblem] = []
        let ways = ["address", "sentinel", "cluster"].filter { node[$0] != nil }
        if ways.count != 1 {
            problems.append(
                ConfigurationProblem(
                    at: node,
                    ways.isEmpty ? "no server is named" : "\(ways.joined(separator: " and ")) exclude each other",
                    suggestion: "name one of address, sentinel and cluster"))
        }
        if node["replicas"] != nil, node["address"] == nil {
            problems.append(
                ConfigurationProblem(
                    at: node["replicas"] ?? node, "replicas stand beside an address only",
                    suggestion: "sentinels and clusters are asked for theirs"))
        }
        if let sentinel = node["sentinel"] {
            discovery = .sentinels(
                (sentinel["addresses"]?.elements ?? []).compactMap(\.address),
                primary: sentinel["primary"]?.text ?? "", RedisSettings.login(sentinel, secrets, &problems))
        } else if let cluster = node["cluster"] {
            discovery = .cluster(cluster.elements.compactMap(\.address))
        } else {
            discovery = .fixed(
                [node["address"]].compactMap { $0?.address } + (node["replicas"]?.elements ?? []).compactMap(\.address))
        }
        login = RedisSettings.login(node, secrets, &problems)
        if let settings = node["tls"] {
            serverName = settings["serverName"]?.text
            tls = TLSSettings.context(settings, secrets, &problems)
        }
        if let numbers = node["databases"] { databases = Set(numbers.elements.compactMap { $0.integer }) }
        if case .cluster = discovery, databases != [0] {
            problems.append(
                ConfigurationProblem(
                    at: node["databases"] ?? node, "a cluster has the database 0 only",
                    suggestion: "leave databases out"))
        }
        if !problems.isEmpty { throw ConfigurationProblems(problems) }
    }

    private static func login(
        _ node: ConfigurationNode, _ secrets: any SecretReader, _ problems: inout [ConfigurationProblem]
    ) -> Login? {
        do throws(ConfigurationProblem) {
            if let password = try secrets.secret("password", in: node) {
                return Login(username: node["username"]?.text, password: password)
            }
        } catch {
            problems.append(error)
            return nil
        }
        if let username = node["username"] {
            problems.append(
                ConfigurationProblem(
                    at: username, "no password for the log-in", suggestion: "name passwordFile or passwordEnv"))
        }
        return nil
    }
}
