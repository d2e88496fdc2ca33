import Foundation
import TidegateCrypto
import TidegateDemo

/// What a gateway is started with beside its issuer and its backend: pieces of YAML in flow style.
struct GatewaySetup {
    /// As which the brokers are advertised.
    var host = "127.0.0.1"
    /// Instead of `host` and three ports.
    var advertise: String?
    /// Further keys of the issuer, the backend and the route, each with a comma before it.
    var issuer = ""
    var kafka = ""
    var route = ""
    var policies = GatewayProcess.policies
    var masking = GatewayProcess.masking
    /// Settings under `redis:`, each with a comma behind it but the last: the backend of a route `cache` at `redisPort`.
    var redis: String?
    /// Further keys of that route, each with a comma before it; they may name ports of the gateway.
    var redisRoute: (_ redisPort: UInt16) -> String = { _ in "" }
    /// Further routes, each a line.
    var routes = ""
    /// Files beside the configuration, by name.
    var files: [String: String] = [:]
}

/// `tidegate serve` as a process of its own, in a folder of its own, with an issuer in this process.
final class GatewayProcess {
    let port: UInt16
    let folder: String
    let issuer: DevelopmentIssuer
    private let process: ChildProcess
    private let bootstrap: String
    private var setup: GatewaySetup
    var bootstrapAddress: String { "127.0.0.1:\(port)" }
    /// Where the route `cache` listens; three ports behind it are free for what it advertises.
    var redisPort: UInt16 { port + 4 }
    var identifier: Int32 { process.identifier }

    /// Before brokers that ask for a log-in.
    convenience init(before servers: KafkaServers, _ setup: GatewaySetup = GatewaySetup()) throws {
        var setup = setup
        setup.kafka = ", sasl: { mechanism: SCRAM-SHA-512, username: admin, passwordFile: password }" + setup.kafka
        setup.files["password"] = KafkaServers.password
        try self.init(before: servers.bootstrap, setup)
    }

    /// - Parameter bootstrap: empty where there is no Kafka behind it.
    /// - Throws: where it is not ready after 20 s.
    init(before bootstrap: String, _ setup: GatewaySetup = GatewaySetup()) throws {
        guard let binary = Surroundings.gateway, let key = SigningKey() else {
            throw ProcessFailure(description: Surroundings.lacking)
        }
        self.bootstrap = bootstrap
        self.setup = setup
        port = try Ports.base(Array(0...8))
        folder = try Surroundings.temporaryFolder()
        issuer = try DevelopmentIssuer(key: key)
        for (name, content) in setup.files {
            _ = FileManager.default.createFile(
                atPath: "\(folder)/\(name)", contents: Data(content.utf8), attributes: [.posixPermissions: 0o600])
        }
        try GatewayProcess.configuration(setup, port: port, issuer: issuer.url, bootstrap: bootstrap)
            .write(toFile: folder + "/tidegate.yaml", atomically: true, encoding: .utf8)
        process = try ChildProcess(
            binary, ["serve", "--config", folder + "/tidegate.yaml"], errors: folder + "/log")
        do {
            try eventually("the gateway is ready") { [port] in
                guard process.isRunning else {
                    throw ProcessFailure(description: "the gateway ended: \(self.log.suffix(1500))")
                }
                return try Connection.get("/readyz", port: port + 8)?.hasPrefix("HTTP/1.1 200") == true
            }
        } catch {
            stop()
            throw error
        }
    }

    var log: String { String(decoding: FileManager.default.contents(atPath: folder + "/log") ?? Data(), as: UTF8.self) }
    var isRunning: Bool { process.isRunning }

    /// Every line of evidence so far.
    var evidence: [String] {
        let directory = folder + "/evidence"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasSuffix(".jsonl") }.sorted().flatMap { name in
            String(decoding: FileManager.default.contents(atPath: "\(directory)/\(name)") ?? Data(), as: UTF8.self)
                .split(separator: "\n").map(String.init)
        }
    }

    /// Those lines of evidence that say who was not let in.
    var rejections: [String] { evidence.filter { $0.contains("\"session.rejected\"") } }

    /// The sessions that were handed records.
    var deliveringSessions: Set<String> {
        Set(
            evidence.filter { $0.contains("\"records.delivered\"") }.compactMap { line in
                line.firstMatch(of: #/"session_id":"([^"]+)"/#).map { String($0.1) }
            })
    }

    /// What the process holds in memory.
    func residentBytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8)
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let count = Int(line.split(separator: " ").dropLast().last ?? "")
        else { throw ProcessFailure(description: "no VmRSS") }
        return count << 10
    }

    func metrics() throws -> String { try Connection.get("/metrics", port: port + 8) ?? "" }

    /// The path of a file with a fresh token in it.
    func tokenFile(_ subject: String, groups: [String], lifetime: Int64 = 3600) throws -> String {
        let path = folder + "/token-\(UUID().uuidString)"
        let token = try issuer.mint(subject: subject, groups: groups, lifetime: lifetime)
        try token.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    /// The path of a file with what Kafka's own tools need to log in.
    func toolSettings(_ subject: String, groups: [String]) throws -> String {
        let path = folder + "/client-\(UUID().uuidString).properties"
        let token = try issuer.mint(subject: subject, groups: groups)
        try """
        security.protocol=SASL_PLAINTEXT
        sasl.mechanism=PLAIN
        sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="token" password="\(token)";

        """.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    func signal(_ number: Int32) { kill(process.identifier, number) }

    /// Waits for the end that was asked for; nil where it does not come.
    func exitStatus(within seconds: Double) -> Int32? { process.wait(seconds: seconds) }

    func stop() {
        process.kill()
        issuer.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Changes the file under the running gateway.
    func change(_ body: (inout GatewaySetup) -> Void) throws {
        body(&setup)
        try GatewayProcess.configuration(setup, port: port, issuer: issuer.url, bootstrap: bootstrap)
            .write(toFile: folder + "/tidegate.yaml", atomically: true, encoding: .utf8)
    }

    func write(policies: String) throws { try change { $0.policies = policies } }

    /// Changes the file, and returns once the change is in force.
    func reload(_ body: (inout GatewaySetup) -> Void) throws {
        let before = reloads
        try change(body)
        signal(SIGHUP)
        try eventually("the change is in force") { reloads > before }
    }

    private var reloads: Int { evidence.count { $0.contains("\"config.reloaded\"") } }

    private static func configuration(
        _ setup: GatewaySetup, port: UInt16, issuer: String, bootstrap: String
    ) -> String {
        let seeds = bootstrap.split(separator: ",").map { "\"\($0)\"" }.joined(separator: ", ")
        let advertise =
            setup.advertise ?? "host: \(setup.host), ports: \(port + 1)-\(port + 3), firstBroker: 1"
        var backends: [String] = []
        var routes: [String] = []
        if !bootstrap.isEmpty {
            backends.append("real: { kafka: { bootstrap: [\(seeds)]\(setup.kafka) } }")
            routes.append(
                "  - { name: orders, listen: \"127.0.0.1:\(port)\", backend: real, advertise: { \(advertise) }\(setup.route) }"
            )
        }
        if let redis = setup.redis {
            backends.append("cache: { redis: { \(redis) } }")
            routes.append(
                "  - { name: cache, listen: \"127.0.0.1:\(port + 4)\", backend: cache\(setup.redisRoute(port + 4)) }")
        }
        return """
            identity: { issuers: [{ issuer: "\(issuer)", audience: tidegate\(setup.issuer) }] }
            backends: { \(backends.joined(separator: ", ")) }
            routes:
            \(routes.joined(separator: "\n"))
            \(setup.routes)
            policies:
            \(setup.policies)
            masking:
            \(setup.masking)
            evidence: { directory: evidence }
            admin: { listen: "127.0.0.1:\(port + 8)" }
            limits: { timeToAuthenticate: 2s }

            """
    }

    static let masking = """
          profiles:
            pii: { rules: [{ field: card.number, action: { keepLast: 4 } }, { field: "**.email", action: redact }] }
        """
    static let policies = """
          - name: engineers may all
            subjects: { groups: [engineers] }
            actions: ["*"]
            resources: { topics: ["*"], groups: ["*"], transactions: ["*"], cluster: true }
            effect: allow
        \(analysts)
        """
    static let analysts = """
          - name: analysts read, masked
            subjects: { groups: [analysts] }
            actions: [consume, commit]
            resources: { topics: ["clients-*"], groups: ["analytics-*"] }
            effect: allow
            masking: pii
        """
}
