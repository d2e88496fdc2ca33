import Foundation
import TidegateDemo

/// A real Apache Kafka in KRaft mode. A guardian process stops it when this one ends, however it ends.
final class KafkaServers: @unchecked Sendable {  // all is set before it is shared
    let folder: String
    let port: UInt16
    let brokers: Int
    var bootstrap: String { (0..<brokers).map { "127.0.0.1:\(Int(port) + $0)" }.joined(separator: ",") }
    private let script: String
    private let guardian: ChildProcess
    private let leash: Pipe

    /// Three brokers that all tests of the process share. They ask for a log-in, which only the gateway can make: a client that
    /// got around it would be refused.
    static let shared = Result { try KafkaServers(brokers: 3, options: ["--sasl"]) }
    static let user = "admin"
    static let password = "admin-secret"

    /// How a client of the tests connects to them directly.
    var logIn: KafkaClient.LogIn { .plain(user: KafkaServers.user, password: KafkaServers.password) }
    var passwordFile: String { folder + "/password" }
    /// Of Kafka's own tools.
    var toolSettings: String { folder + "/client.properties" }
    var kcatSettings: [String] {
        [
            "security.protocol=SASL_PLAINTEXT", "sasl.mechanisms=PLAIN", "sasl.username=\(KafkaServers.user)",
            "sasl.password=\(KafkaServers.password)",
        ].flatMap { ["-X", $0] }
    }

    /// - Throws: where it is not up after two minutes.
    init(brokers: Int, options: [String] = []) throws {
        guard let script = Surroundings.kafka else { throw ProcessFailure(description: "no Apache Kafka") }
        self.script = script
        self.brokers = brokers
        folder = try Surroundings.temporaryFolder()
        port = try Ports.base([0, 1, 2, 50, 51, 52, 53])
        leash = Pipe()
        guardian = try ChildProcess(
            "/bin/sh",
            [
                "-c", "trap '' INT TERM; read -r word; \"$0\" stop \"$1\" >/dev/null 2>&1; rm -rf \"$1\"", script,
                folder,
            ], inputDescriptor: leash.fileHandleForReading.fileDescriptor)
        func start() throws -> Finished {
            try Program.run(
                script, ["start", folder, "--port", "\(port)", "--brokers", "\(brokers)"] + options, seconds: 150)
        }
        var started = try start()
        // One random cluster id in 64 begins with a dash, which Kafka's tool takes for an option.
        for _ in 0..<3 where started.status != 0 && (started.output + started.errors).contains("--cluster-id") {
            started = try start()
        }
        guard started.status == 0 else {
            throw ProcessFailure(
                description: "Kafka does not start: \(started.output.suffix(600)) \(started.errors.suffix(600))")
        }
        try KafkaServers.password.write(toFile: passwordFile, atomically: false, encoding: .utf8)
    }

    func tool(_ arguments: [String], input: String? = nil, seconds: TimeInterval = 60) throws -> Finished {
        try Program.run(script, arguments, input: input, environment: ["KAFKA_TOOL_HEAP": "256"], seconds: seconds)
    }

    func crash(broker: Int) throws { _ = try Program.run(script, ["stop", folder, "--kill", "\(broker)"]) }
    func restart(broker: Int) throws { _ = try Program.run(script, ["restart", folder, "\(broker)"], seconds: 120) }
}
