import Foundation
import Testing
import TidegateDemo

/// kcat, and where it is sent: to the brokers, or through a gateway with a token as password.
struct Kcat {
    let settings: [String]

    static func direct(_ servers: KafkaServers) -> Kcat {
        Kcat(settings: ["-b", servers.bootstrap] + servers.kcatSettings)
    }
    static func direct(_ cluster: MockCluster) -> Kcat { Kcat(settings: ["-b", cluster.bootstrap]) }
    static func through(_ gateway: GatewayProcess, _ subject: String, groups: [String]) throws -> Kcat {
        let token = try gateway.issuer.mint(subject: subject, groups: groups)
        return Kcat(
            settings: ["-b", gateway.bootstrapAddress]
                + [
                    "security.protocol=SASL_PLAINTEXT", "sasl.mechanisms=PLAIN", "sasl.username=token",
                    "sasl.password=\(token)",
                ].flatMap { ["-X", $0] })
    }

    private static let environment = ["KCAT_CONFIG": "/dev/null"]

    func run(_ arguments: [String], input: String? = nil) throws -> Finished {
        try Program.run(
            try #require(Surroundings.kcat), settings + arguments, input: input, environment: Kcat.environment)
    }

    /// Writes lines of `key:value` to one partition.
    func write(_ lines: String, to topic: String, partition: Int = 1) throws {
        let wrote = try run(["-P", "-t", topic, "-p", "\(partition)", "-K", ":"], input: lines)
        try #require(wrote.status == 0, "\(wrote.errors)")
    }

    /// A topic from its beginning to its end, a line a record: partition, offset, key, value.
    func read(_ topic: String) throws -> [String] {
        let read = try run(["-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%p %o %k %s\n"])
        try #require(read.status == 0, "\(read.errors)")
        return read.lines.sorted()
    }

    private func membership(_ group: String, _ topic: String) -> [String] {
        ["-X", "auto.offset.reset=earliest", "-f", "%p %o %k %s\n", "-G", group, topic]
    }

    /// What is new to a group, to the end; what was read is committed when it leaves.
    func consume(_ topic: String, group: String) throws -> [String] {
        let read = try run(["-e", "-q"] + membership(group, topic))
        try #require(read.status == 0, "\(read.errors)")
        return read.lines.sorted()
    }

    /// A member of a group that stays.
    func join(_ group: String, topic: String) throws -> RunningProgram {
        try RunningProgram(
            try #require(Surroundings.kcat),
            settings + ["-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=500"] + membership(group, topic),
            environment: Kcat.environment)
    }

    /// How many partitions a member says that it has.
    static func partitions(of member: RunningProgram) -> Int {
        let words = member.errors.split(separator: "\n").last { $0.contains("rebalanced") } ?? ""
        guard let assigned = words.firstRange(of: "assigned:") else { return 0 }
        return words[assigned.upperBound...].split(separator: ",").count
    }
}
