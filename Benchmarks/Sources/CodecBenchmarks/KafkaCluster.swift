import Synchronization
import TidegateCore
import TidegateKafka
import TidegateWire

/// A cluster of one broker and one topic that exists only as answers: what a backend's side connection needs to publish a
/// catalogue, so that machines can be made and driven without a socket.
final class CannedCluster: SideConnections {
    static let topic = Array("orders".utf8)
    static let topicID = [UInt8](repeating: 0x5a, count: 16)
    static let partitions = 64

    private let published: AsyncStream<Void>.Continuation
    private init(_ published: AsyncStream<Void>.Continuation) { self.published = published }

    /// A backend whose catalogue is published.
    static func makeBackend() async throws -> KafkaBackend {
        let (publications, published) = AsyncStream.makeStream(of: Void.self)
        let here = ConfigurationMark(file: "benchmark", line: 1, column: 1)
        func text(_ words: String) -> ConfigurationNode {
            ConfigurationNode(.scalar(words, isQuoted: false), mark: here, path: words)
        }
        let settings = ConfigurationNode(
            .mapping([
                (
                    key: text("bootstrap"),
                    value: ConfigurationNode(.sequence([text("127.0.0.1:9092")]), mark: here, path: "bootstrap")
                )
            ]), mark: here, path: "kafka")
        let backend = try KafkaBackend(
            name: "bench", settings: settings,
            services: BackendServices(
                log: Log(minimum: .error), secrets: NoSecrets(), sideConnections: CannedCluster(published)))
        let running = Task { await backend.run() }
        for await _ in publications { break }
        running.cancel()
        return backend
    }

    func open(
        _ make: @escaping @Sendable () -> any MachineBox, ended: @escaping @Sendable (CloseReason) -> Void
    ) -> SideConnection {
        let connection = DrivenConnection(make(), Surroundings(KafkaBackend.declaration))
        connection.tell(.accepted)
        connection.tell(.connected)
        while let request = connection.takeRequest() { connection.offer(CannedCluster.answer(request), from: .backend) }
        published.yield()
        return SideConnection(wake: {}, close: { ended(.ended) })
    }

    /// The answer to a request of the side connection: ApiVersions 0 or 4, Metadata 12.
    private static func answer(_ request: [UInt8]) -> [UInt8] {
        let span = unsafe request.span.bytes
        let key = span.bigEndian(Int16.self, at: 4) ?? -1
        let version = span.bigEndian(Int16.self, at: 6) ?? -1
        let correlation = span.bigEndian(Int32.self, at: 8) ?? -1
        var body: [UInt8] = []
        body.append(bigEndian: correlation)
        switch (key, version) {
        case (18, 0): appendVersions(isFlexible: false, to: &body)
        case (18, 4): appendVersions(isFlexible: true, to: &body)
        case (3, 12): appendMetadata(to: &body)
        default: preconditionFailure("the side connection asks key \(key) version \(version)")
        }
        return KafkaBytes.frame(body)
    }

    private static func appendVersions(isFlexible: Bool, to body: inout [UInt8]) {
        let offered: [(Int16, Int16, Int16)] = [(0, 3, 13), (1, 4, 17), (3, 0, 12), (18, 0, 4)]
        body.append(bigEndian: Int16(0))
        if isFlexible {
            body.append(varint: UInt32(offered.count + 1))
        } else {
            body.append(bigEndian: Int32(offered.count))
        }
        for (key, lowest, highest) in offered {
            for number in [key, lowest, highest] { body.append(bigEndian: number) }
            if isFlexible { body.append(0) }
        }
        guard isFlexible else { return }
        body.append(bigEndian: Int32(0))
        body.append(0)
    }

    private static func appendMetadata(to body: inout [UInt8]) {
        body.append(0)
        body.append(bigEndian: Int32(0))
        body.append(varint: 2)
        body.append(bigEndian: Int32(1))
        body.append(compact: Array("127.0.0.1".utf8))
        body.append(bigEndian: Int32(9092))
        body.append(contentsOf: [0, 0])  // no rack, no tags
        body.append(compact: Array("bench".utf8))
        body.append(bigEndian: Int32(1))
        body.append(varint: 2)
        body.append(bigEndian: Int16(0))
        body.append(compact: topic)
        body.append(contentsOf: topicID)
        body.append(0)
        body.append(varint: 1)  // partitions: the catalogue does not keep them
        body.append(bigEndian: Int32.min)
        body.append(contentsOf: [0, 0])
    }
}

/// What is measured without sockets has no log-in and no certificates.
final class NoSecrets: SecretReader {
    func secret(_ key: String, in settings: ConfigurationNode) throws(ConfigurationProblem) -> [UInt8]? { nil }
    func file(at node: ConfigurationNode) throws(ConfigurationProblem) -> String { "" }
}

/// A machine with its governor and output, driven by hand as an event loop does.
final class DrivenConnection {
    let surroundings: Surroundings
    private let machine: any MachineBox
    private var governor: Governor
    private var output: WireOutput
    private var requests: [UInt8] = []

    init(_ machine: any MachineBox, _ surroundings: Surroundings, session: Session? = nil) {
        self.machine = machine
        self.surroundings = surroundings
        governor = surroundings.makeGovernor(session ?? surroundings.makeSession())
        output = WireOutput(authority: 1)
    }

    func tell(_ event: WireEvent) {
        output.empty()
        do {
            try machine.handle(event, asking: &governor, &output)
        } catch { preconditionFailure("\(error)") }
        keepRequests()
    }

    /// Offers bytes that the machine must consume whole; keeps what it says to the backend for `takeRequest`.
    func offer(_ bytes: [UInt8], from side: Side) {
        precondition(offer(bytes, 0..<bytes.count, from: side) == bytes.count, "bytes are left over")
        keepRequests()
    }

    /// Offers a window.
    ///
    /// - Returns: how much of it was consumed.
    func offer(_ bytes: [UInt8], _ window: Range<Int>, from side: Side) -> Int {
        output.empty()
        do {
            let span = unsafe bytes.span.bytes.extracting(window)
            let consumed = try machine.receive(span, from: side, asking: &governor, &output)
            keep(output.steps.count)
            return consumed
        } catch { preconditionFailure("\(error)") }
    }

    /// What the last window gave the client.
    var bytesToClient: Int {
        output.steps.reduce(0) { sum, step in
            switch step {
            case .pass(let range, to: .client), .put(let range, to: .client): sum + range.count
            case .close(let reason): preconditionFailure("closed: \(reason.word)")
            default: sum
            }
        }
    }

    private func keepRequests() {
        for step in output.steps {
            switch step {
            case .put(let range, to: .backend): requests.append(contentsOf: output.scratch[range])
            case .close(let reason): preconditionFailure("closed: \(reason.word)")
            default: break
            }
        }
    }

    /// The oldest request that the machine made of its own.
    func takeRequest() -> [UInt8]? {
        guard let length = unsafe requests.span.bytes.bigEndian(Int32.self, at: 0) else { return nil }
        let frame = Array(requests.prefix(4 + Int(length)))
        requests.removeFirst(frame.count)
        return frame
    }
}
