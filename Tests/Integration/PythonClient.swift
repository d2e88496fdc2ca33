import Foundation
import Testing

/// One of the Python clients in `Clients`, and where it is sent.
enum PythonClient: String, CaseIterable, CustomTestStringConvertible {
    case confluent = "confluent_client"
    case kafkaPython = "kafka_python_client"
    case aiokafka = "aiokafka_client"
    var testDescription: String { rawValue }

    /// How a client connects: directly, or through a gateway with a token.
    struct Way {
        var bootstrap: String
        var mechanism: String?
        var tokenFile: String?

        static func direct(_ servers: KafkaServers) -> Way { Way(bootstrap: servers.bootstrap) }
        static func through(_ gateway: GatewayProcess, mechanism: String = "PLAIN", tokenFile: String) -> Way {
            Way(bootstrap: gateway.bootstrapAddress, mechanism: mechanism, tokenFile: tokenFile)
        }
    }

    /// - Returns: the lines that the script printed. `topic` and `group` stand as TOPIC and GROUP in them.
    func run(
        _ action: String, _ way: Way, topic: String, group: String = "analytics-clients", count: Int = 60,
        compression: String = "none", seconds: Int = 40
    ) throws -> [String] {
        guard let python = Surroundings.python else { throw ProcessFailure(description: Surroundings.lacking) }
        var arguments = [
            "-B", Surroundings.root + "/Tests/Integration/Clients/\(rawValue).py", action, "--bootstrap", way.bootstrap,
            "--topic", topic, "--group", group, "--count", "\(count)", "--compression", compression, "--seconds",
            "\(seconds)",
        ]
        if let mechanism = way.mechanism, let file = way.tokenFile {
            arguments += ["--mechanism", mechanism, "--token-file", file]
        }
        let done = try Program.run(python, arguments, seconds: TimeInterval(seconds + 10))
        guard done.status == 0 else {
            throw ProcessFailure(
                description: "\(rawValue) \(action) ended with \(done.status): \(done.errors.suffix(1200))")
        }
        return done.lines.map {
            $0.replacingOccurrences(of: topic, with: "TOPIC").replacingOccurrences(of: group, with: "GROUP")
        }
    }
}
