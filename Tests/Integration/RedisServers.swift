import Foundation
import Testing
import TidegateDemo

/// Servers that may be there: Debian's own, and what `scripts/redis-servers` put beside it.
enum RedisBinary: String, CaseIterable, CustomTestStringConvertible {
    case debian, redis74

    var path: String? {
        switch self {
        case .debian: Surroundings.executable("/usr/bin/redis-server")
        case .redis74: Surroundings.executable(Surroundings.root + "/.build-redis/redis-7.4/redis-server")
        }
    }
    var testDescription: String {
        switch self {
        case .debian: "Debian's Redis"
        case .redis74: "Redis 7.4"
        }
    }
    /// Those that are installed; what is not is said by the test that counts them.
    static let there = allCases.filter { $0.path != nil }
}

/// A private server on the loopback, without persistence. A guardian process ends it when this one ends, however it ends.
final class RedisServer: @unchecked Sendable {  // all is set before it is shared
    enum Role {
        case primary
        case replica(of: RedisServer)
        case cluster
        /// Watches a server under the name `primary`.
        case sentinel(over: RedisServer)
    }

    /// How the gateway logs in; long, so that it is no word of any reply.
    static let user = "gateway"
    static let password = "gateway-secret-of-the-tests"
    /// Of the default user, which tests use to look behind the gateway.
    static let ownPassword = "default-secret-of-the-tests"

    let port: UInt16
    let folder: String
    private let guardian: ChildProcess
    private let leash: Pipe

    /// - Parameters:
    ///   - port: where the servers of a cluster choose it together.
    ///   - tls: whether it speaks nothing else; `demandsCertificates` of its clients too.
    ///   - options: further lines of its configuration.
    /// - Throws: where it is not installed or does not come up.
    init(
        _ binary: RedisBinary = .debian, _ role: Role = .primary, port: UInt16? = nil, tls: Certificates? = nil,
        demandsCertificates: Bool = false, options: [String] = []
    ) throws {
        guard let path = binary.path else { throw ProcessFailure(description: "\(binary.testDescription) is missing") }
        let port = try port ?? Ports.base([0])
        self.port = port
        folder = try Surroundings.temporaryFolder()
        var lines = ["bind 127.0.0.1", "dir \(folder)", "daemonize no"]
        var arguments = [folder + "/redis.conf"]
        if let tls {
            lines += [
                "port 0", "tls-port \(port)", "tls-cert-file \(tls.folder)/server.pem",
                "tls-key-file \(tls.folder)/server.key",
                "tls-ca-cert-file \(tls.authority)", "tls-auth-clients \(demandsCertificates ? "yes" : "no")",
            ]
        } else {
            lines.append("port \(port)")
        }
        if case .sentinel(let primary) = role {
            lines += [
                "sentinel monitor primary 127.0.0.1 \(primary.port) 1",
                "sentinel auth-pass primary \(RedisServer.ownPassword)",
                "sentinel down-after-milliseconds primary 500", "sentinel failover-timeout primary 2000",
            ]
            arguments.append("--sentinel")
        } else {
            lines += [
                "save \"\"", "appendonly no", "requirepass \(RedisServer.ownPassword)",
                "masterauth \(RedisServer.ownPassword)",
                "user \(RedisServer.user) on >\(RedisServer.password) ~* &* +@all",
            ]
        }
        if case .replica(let primary) = role { lines.append("replicaof 127.0.0.1 \(primary.port)") }
        if case .cluster = role {
            lines += ["cluster-enabled yes", "cluster-config-file nodes.conf", "cluster-node-timeout 2000"]
        }
        try (lines + options).joined(separator: "\n").appending("\n")
            .write(toFile: folder + "/redis.conf", atomically: false, encoding: .utf8)
        leash = Pipe()
        guardian = try ChildProcess(
            "/bin/sh",
            [
                "-c",
                "trap '' INT TERM; folder=$0; \"$@\" & server=$!; read -r word; kill -9 $server 2>/dev/null; rm -rf \"$folder\"",
                folder, path,
            ] + arguments, inputDescriptor: leash.fileHandleForReading.fileDescriptor, output: folder + "/log")
        do {
            let ready = if case .sentinel = role { "+monitor" } else { "eady to accept connections" }
            try eventually("\(binary.testDescription) is ready: \(folder)") { [self] in log.contains(ready) }
            if case .replica = role {
                try eventually("the replica is in step") {
                    try connect().ask("INFO", "replication").string?.contains("master_link_status:up") == true
                }
            }
        } catch {
            let said = log
            stop()
            throw ProcessFailure(description: "\(error): \(said.suffix(600))")
        }
    }

    var log: String { String(decoding: FileManager.default.contents(atPath: folder + "/log") ?? Data(), as: UTF8.self) }

    /// Ends it at once, as a crash would.
    func stop() {
        try? leash.fileHandleForWriting.close()
        _ = guardian.wait(seconds: 10)
    }

    /// Directly, as the default user.
    func connect(version: Int = 2) throws -> RawRedis {
        try RawRedis(port: port, user: "default", secret: RedisServer.ownPassword, version: version)
    }

    /// The gateway's settings of it.
    var settings: String {
        "address: \"127.0.0.1:\(port)\", username: \(RedisServer.user), passwordFile: redis-password"
    }

    /// The path of a file with the password of `connect`, for scripts.
    func passwordFile() throws -> String {
        let path = folder + "/password"
        try RedisServer.ownPassword.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }
}

extension GatewaySetup {
    /// Before a Redis server, with the rules that the tests of Redis share.
    static func redis(_ settings: String, policies: String = RedisPolicies.all) -> GatewaySetup {
        var setup = GatewaySetup()
        setup.redis = settings
        setup.files["redis-password"] = RedisServer.password
        setup.files["masking-key"] = RedisPolicies.maskingKey
        setup.policies = policies
        setup.masking = RedisPolicies.masking
        return setup
    }
}

extension GatewayProcess {
    /// Before one Redis server.
    convenience init(before server: RedisServer, policies: String = RedisPolicies.all) throws {
        try self.init(before: "", .redis(server.settings + ", databases: [0, 1]", policies: policies))
    }

    func redis(_ subject: String, _ group: String, version: Int = 2, seconds: Int = 10) throws -> RawRedis {
        try RawRedis(
            port: redisPort, secret: issuer.mint(subject: subject, groups: [group]), version: version, seconds: seconds)
    }

    /// The lines of evidence of a type that hold all of the words.
    func evidence(_ type: String, _ words: String...) -> [String] {
        evidence.filter { line in line.contains("\"type\":\"\(type)\"") && words.allSatisfy { line.contains($0) } }
    }
}

/// Rules for the tests of Redis: engineers may all, readers see `open:*` as it is and `masked:*` masked, others see nothing.
enum RedisPolicies {
    static let engineers = """
          - name: engineers may all
            subjects: { groups: [engineers] }
            actions: ["*"]
            resources: { streams: ["*"], groups: ["*"], keys: ["*"], channels: ["*"], cluster: true }
            effect: allow
        """
    static let readers = """
          - name: readers
            subjects: { groups: [readers] }
            actions: [describe, consume, commit]
            resources:
              streams: ["open:*", STREAMS, COUNT, NOACK, GROUP]
              groups: ["g-*", STREAMS, streams, StReAmS, NOACK]
              keys: ["open:*"]
              channels: ["open:*"]
            effect: allow
          - name: readers, masked
            subjects: { groups: [readers] }
            actions: [describe, consume, commit]
            resources:
              streams: ["masked:*"]
              groups: ["g-*", STREAMS, streams, StReAmS, NOACK]
              keys: ["masked:*"]
              channels: ["masked:*"]
            effect: allow
            masking: pii
        """
    static let all = engineers + "\n" + readers
    static let masking = """
          keys: { default: { file: masking-key, version: 1 } }
          profiles:
            pii:
              rules:
                - { field: card, action: { keepLast: 4 } }
                - { field: "**.card", action: { keepLast: 4 } }
                - { field: "**.email", action: { token: { domain: mail } } }
                - { detect: [credit-card], action: redact }
        """
    static let maskingKey = "a key of masking has thirty-two bytes at least"
}
