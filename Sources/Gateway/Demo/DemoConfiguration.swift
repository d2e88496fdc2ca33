/// The configuration that a demo's gateway runs with: one route to the embedded cluster, three rules, one masking profile.
struct DemoConfiguration {
    /// Where clients connect; broker N is advertised at `port + N`, health and metrics are at `port + 8`.
    var port: UInt16
    var issuer: String
    var bootstrap: String
    var evidence: String
    var brokers = 3
    /// Where a private redis-server listens, and the file with its password; nil where none is installed.
    var redis: (port: UInt16, passwordFile: String)?

    static let topic = "orders"
    static let analystGroup = "analytics-demo"
    static let ownerGroup = "owners-demo"
    /// Offsets from `port` that must be free.
    static let portOffsets: [UInt16] = [0, 1, 2, 3, 8, 9, 10]

    var address: String { "127.0.0.1:\(port)" }
    var admin: String { "127.0.0.1:\(port + 8)" }
    /// Where the route to Redis listens; its server is at the port behind it.
    var redisPort: UInt16 { port + 9 }
    var serverPort: UInt16 { port + 10 }

    var text: String {
        """
        # Written by `tidegate demo`. docs/configuration.md explains every key.
        identity:
          issuers:
            - { issuer: "\(issuer)", audience: \(DevelopmentTokens.audience), groupsClaim: groups }
        backends:
          demo-kafka: { kafka: { bootstrap: [\(bootstrap.split(separator: ",").map { "\"\($0)\"" }.joined(separator: ", "))] } }
        \(redisBackend)routes:
          - name: orders
            listen: \(address)
            backend: demo-kafka
            advertise: { host: 127.0.0.1, ports: \(port + 1)-\(port + UInt16(brokers)), firstBroker: 1 }
        \(redisRoute)policies:
          - name: analysts read orders, masked
            subjects: { groups: [analysts] }
            actions: [describe, consume, commit]
            resources: { topics: [\(DemoConfiguration.topic)], \(streams)groups: ["analytics-*"] }
            effect: allow
            masking: pii
            recording: messages
          - name: data owners use orders
            subjects: { groups: [data-owners] }
            actions: [describe, consume, commit, produce]
            resources: { topics: [\(DemoConfiguration.topic)], \(streams)groups: ["owners-*"] }
            effect: allow
          - name: the contractors' contract has ended
            subjects: { groups: [contractors] }
            effect: deny
        masking:
          profiles:
            pii:
              onFailure: redact-value
              rules:
                - { field: payment.card.number, action: { keepLast: 4 } }
                - { field: "**.email", action: redact }
                - { field: customer.name, action: { keepFirst: 1 } }
                - { field: customer.phone, action: { keepLast: 2 } }
                - { field: "items[*].gift.to", action: { keepFirst: 1 } }
                - { field: shipping.address.street, action: redact }
                - { field: shipping.address.zip, action: nullify }
        evidence: { directory: "\(evidence)", durability: strict, onFailure: stop }
        admin: { listen: "\(admin)" }

        """
    }

    private var redisBackend: String {
        redis.map {
            """
              demo-redis: { redis: { address: 127.0.0.1:\($0.port), passwordFile: "\($0.passwordFile)" } }

            """
        } ?? ""
    }
    private var redisRoute: String {
        redis == nil
            ? ""
            : """
              - { name: order-stream, listen: 127.0.0.1:\(redisPort), backend: demo-redis }

            """
    }
    private var streams: String { redis == nil ? "" : "streams: [\(DemoConfiguration.topic)], " }

    /// True where the rules above hide the field at `path`, in the notation of `FlatJSON`.
    static func hides(_ path: String) -> Bool {
        let name = path.split(separator: ".").last.map(String.init) ?? path
        return name == "email"
            || [
                "payment.card.number", "customer.name", "customer.phone", "shipping.address.street",
                "shipping.address.zip",
            ].contains(path) || path.hasPrefix("items[") && path.hasSuffix("].gift.to")
    }
}
