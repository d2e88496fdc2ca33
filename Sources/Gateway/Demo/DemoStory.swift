import Foundation
import TidegateCrypto

/// A gateway that the command line has started for the demo.
public struct RunningGateway: Sendable {
    public var stop: @Sendable () async -> Void
    public init(stop: @escaping @Sendable () async -> Void) { self.stop = stop }
}

/// What the command line needs to know to start it.
public struct DemoLaunch: Sendable {
    /// The YAML file to serve.
    public var configuration: String
    /// Where the gateway's log goes: the terminal belongs to the story.
    public var log: String
}

/// The main job on embedded defaults, told on the terminal and checked step by step.
///
/// Everything real but the cluster and the issuer: the gateway is the one that `serve` runs, and the clients are ordinary
/// librdkafka clients that know nothing of it but its address.
public struct DemoStory {
    /// Starts the gateway and returns once it listens.
    public typealias Start = @Sendable (DemoLaunch) async throws -> RunningGateway

    private let once: Bool
    private let executable: String
    private let start: Start
    private let screen = DemoScreen()
    static let partitions: Int32 = 3
    static let orders = 60

    /// - Parameters:
    ///   - once: ends after the story, in a folder of its own; otherwise stays up until interrupted.
    ///   - executable: how `tidegate` is called in the lines to paste.
    public init(once: Bool, executable: String, start: @escaping Start) {
        self.once = once
        self.executable = executable
        self.start = start
    }

    /// - Returns: the exit code: 0 where every step held.
    public func run() async -> Int32 {
        do {
            let folder = try once ? DemoFolder.temporary() : .standard
            defer { if once, screen.failures.isEmpty { folder.remove() } }
            try folder.create()
            try folder.claim()
            try await tell(in: folder)
            if !screen.failures.isEmpty { screen.note("the gateway's log: \(folder.log)") }
        } catch {
            screen.step("the story goes on", problem: "\(error)")
        }
        return screen.verdict()
    }

    private func tell(in folder: DemoFolder) async throws {
        screen.title("An embedded Kafka cluster of three brokers, and an issuer with three people")
        let cluster = try MockCluster()
        try cluster.create(topic: DemoConfiguration.topic, partitions: DemoStory.partitions)
        var samples = SampleOrders()
        let seeded = (0..<DemoStory.orders).map { number in
            let order = samples.next(number + 1)
            return KafkaClient.Record(
                partition: Int32(number) % DemoStory.partitions, offset: Int64(number) / Int64(DemoStory.partitions),
                key: Array(order.id.utf8), value: Array(order.json.utf8))
        }
        let bootstrap = cluster.bootstrap
        let stored = try await blocking {
            try KafkaClient.producer(bootstrap: bootstrap).produce(seeded, to: DemoConfiguration.topic)
            return try KafkaClient.consumer(bootstrap: bootstrap, group: "seed")
                .readAll(DemoConfiguration.topic, partitions: DemoStory.partitions)
        }
        let clear = seeded.sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }
        screen.step(
            "topic \(DemoConfiguration.topic) holds \(stored.count) orders in \(DemoStory.partitions) partitions",
            problem: stored == clear ? nil : "not what was written")

        let issuer = try DevelopmentIssuer(key: folder.signingKey())
        defer { issuer.stop() }
        try folder.note(issuer: issuer.url)
        for person in DemoPerson.all { screen.note("\(person.name): \(person.summary)") }

        let bases = stride(from: UInt16(19_192), to: 29_000, by: 20)
        guard let port = FreePorts.base(bases, offsets: DemoConfiguration.portOffsets) else {
            throw DemoError("no free ports on the loopback")
        }
        var configuration = DemoConfiguration(
            port: port, issuer: issuer.url, bootstrap: bootstrap, evidence: folder.evidence)
        let password = UUID().uuidString
        let redis = try RedisServer.program.map { program in
            try RedisServer(
                program: program, port: configuration.serverPort, password: password, folder: folder.path)
        }
        defer { redis?.stop() }
        if let redis {
            try folder.note(redisPassword: password)
            configuration.redis = (redis.port, folder.redisPassword)
        }
        try folder.clearEvidence()
        try folder.write(configuration: configuration.text)
        screen.title("The gateway, with \(folder.configuration)")
        let gateway = try await start(DemoLaunch(configuration: folder.configuration, log: folder.log))
        do {
            let scenes = DemoScenes(screen: screen, issuer: issuer, address: configuration.address, clear: clear)
            try await scenes.play(evidence: folder.evidence)
            if let redis {
                try await RedisScenes(
                    screen: screen, issuer: issuer, server: redis, password: password, port: configuration.redisPort
                ).play(evidence: folder.evidence)
            } else {
                screen.note("redis-server is not installed: the story on Redis is left out")
            }
            if !once {
                explain(configuration, folder)
                await interrupted()
            }
        } catch {
            await gateway.stop()
            throw error
        }
        await gateway.stop()
    }

    private func explain(_ configuration: DemoConfiguration, _ folder: DemoFolder) {
        let home = folder.path == DemoFolder(path: NSHomeDirectory() + "/.tidegate-demo").path
        let tidegate = (home ? "" : "TIDEGATE_DEMO_HOME=\(folder.path) ") + executable
        screen.title("It stays up until Ctrl-C. To paste into another terminal")
        func kcat(_ person: String, _ rest: String) -> String {
            """
            kcat -b \(configuration.address) -X security.protocol=SASL_PLAINTEXT -X sasl.mechanisms=PLAIN -X sasl.username=token \\
              -X "sasl.password=$(\(tidegate) demo token \(person))" \(rest)

            """
        }
        screen.line(kcat("analyst", "-C -t orders -o beginning -e -q"))
        screen.line(kcat("data-owner", "-C -t orders -o beginning -e -q"))
        screen.line(kcat("contractor", "-C -t orders -o beginning -e"))
        screen.line(
            "echo '{\"id\":\"ord-mine\",\"customer\":{\"email\":\"me@example.com\"}}' | "
                + kcat("data-owner", "-P -t orders"))
        if configuration.redis != nil {
            func redis(_ person: String, _ rest: String) -> String {
                "redis-cli -p \(configuration.redisPort) --no-auth-warning -a \"$(\(tidegate) demo token \(person))\" \(rest)\n"
            }
            screen.line(redis("analyst", "XRANGE orders - + COUNT 1"))
            screen.line(redis("data-owner", "XRANGE orders - + COUNT 1"))
            screen.line(redis("contractor", "XRANGE orders - + COUNT 1"))
        }
        screen.line("\(executable) evidence verify --directory \(folder.evidence)")
        screen.line(
            "\(executable) explain --config \(folder.configuration) --subject analyst --group analysts --action consume --resource topic:orders"
        )
        screen.line("curl -s http://\(configuration.admin)/metrics | grep tidegate_")
    }
}

/// Runs what blocks on a thread of its own.
func blocking<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
    }
}

/// Waits for SIGINT or SIGTERM.
private func interrupted() async {
    signal(SIGINT, SIG_IGN)
    signal(SIGTERM, SIG_IGN)
    let (interruptions, continuation) = AsyncStream.makeStream(of: Void.self)
    let sources = [SIGINT, SIGTERM].map { DispatchSource.makeSignalSource(signal: $0, queue: .global()) }
    for source in sources {
        source.setEventHandler { continuation.yield() }
        source.resume()
    }
    for await _ in interruptions { break }
    for source in sources { source.cancel() }
}
