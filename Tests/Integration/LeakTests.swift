import Foundation
import Testing
import TidegateDemo

extension Integration {
    /// Clients that can reach the brokers only through the gateway, and every byte that they receive.
    @Suite(.enabled(if: Surroundings.hasCluster, Comment(rawValue: Surroundings.lacking)))
    struct LeakTests {
        /// Advertised as 127.0.0.2, where recorders listen on the gateway's ports: "127.0.0.1" is a leak wherever it stands.
        private func recording(
            _ body: (KafkaServers, GatewayProcess, Recorder, PythonClient.Way) throws -> Void
        ) throws {
            let servers = try KafkaServers.shared.get()
            let gateway = try GatewayProcess(before: servers, GatewaySetup(host: "127.0.0.2"))
            defer { gateway.stop() }
            let recorder = try Recorder(ports: (0...3).map { gateway.port + $0 })
            defer { recorder.stop() }
            var way = PythonClient.Way.through(gateway, tokenFile: try gateway.tokenFile("eva", groups: ["engineers"]))
            way.bootstrap = "127.0.0.2:\(gateway.port)"
            try body(servers, gateway, recorder, way)
            let received = recorder.received
            #expect(received.firstRange(of: Data("127.0.0.1".utf8)) == nil)
            for broker in 0..<servers.brokers {
                // As text, and in binary behind a host.
                let port = Int(servers.port) + broker
                #expect(received.firstRange(of: Data(":\(port)".utf8)) == nil)
                let advertised = gateway.port + UInt16(broker) + 1
                #expect((recorder.connections[advertised] ?? 0) > 0, "the port of broker \(broker + 1) was used")
            }
            let followers = ports(behind: Data("127.0.0.2".utf8), in: received)
            #expect(!followers.isEmpty, "the brokers' advertised address")
            #expect(followers.isSubset(of: Set((1...3).map { Int(gateway.port) + $0 })), "\(followers)")
        }

        /// The int32 behind each mention of `host`: a port is what Kafka puts there.
        private func ports(behind host: Data, in bytes: Data) -> Set<Int> {
            var found: Set<Int> = []
            var rest = bytes[...]
            while let place = rest.firstRange(of: host) {
                let end = place.upperBound
                guard let stop = rest.index(end, offsetBy: 4, limitedBy: rest.endIndex) else { break }
                found.insert(rest[end..<stop].reduce(0) { $0 << 8 | Int($1) })
                rest = rest[stop...]
            }
            return found
        }

        @Test func `no byte that a client receives names a broker's own address`() throws {
            try recording { servers, gateway, recorder, way in
                for client in PythonClient.allCases {
                    let topic = servers.fresh("leak")
                    _ = try PythonClient.confluent.run("create", way, topic: topic)
                    for action in ["produce", "consume", "group", "rebalance", "transaction"] {
                        let lines = try client.run(
                            action, way, topic: topic, group: "analytics-\(topic)-\(action)", count: 12)
                        #expect(
                            !lines.isEmpty && !lines[0].contains("\"error\""),
                            "\(client) \(action): \(lines.first ?? "")")
                    }
                    guard client == .confluent else { continue }
                    let described = try client.run("describe", way, topic: topic)
                    #expect(described.count == 3, "\(described)")
                    #expect(described.first?.contains("127.0.0.2") == true, "\(described)")
                    let members = try client.run("members", way, topic: topic, group: "analytics-\(topic)-members")
                    #expect(members == [#"{"hosts": [""], "what": "members"}"#])
                    var denied = way
                    denied.tokenFile = try gateway.tokenFile("carl", groups: ["contractors"])
                    let refused = try client.run("denied", denied, topic: topic, group: "analytics-denied")
                    #expect(refused.first?.contains("_AUTHORIZATION_FAILED") == true, "\(refused)")
                    if let kcat = Surroundings.kcat {
                        let token = try gateway.issuer.mint(subject: "eva", groups: ["engineers"])
                        let listed = try Program.run(
                            kcat,
                            [
                                "-b", way.bootstrap, "-X", "security.protocol=SASL_PLAINTEXT", "-X",
                                "sasl.mechanisms=PLAIN", "-X", "sasl.username=token", "-X", "sasl.password=\(token)",
                                "-L",
                            ])
                        #expect(listed.output.contains("broker 3 at 127.0.0.2:"), "\(listed.errors)")
                    }
                }
                #expect(recorder.received.count > 10_000)
            }
        }

        @Test func `a broker that crashes and comes back stops nobody, and is not named either`() throws {
            try recording { servers, gateway, _, way in
                let topic = servers.fresh("crash")
                let made = try servers.tool([
                    "topics", "--bootstrap-server", servers.bootstrap, "--command-config", servers.toolSettings,
                    "--create", "--topic", topic, "--partitions", "3", "--replication-factor", "3",
                ])
                try #require(made.status == 0, "\(made.errors)")
                let reader = try PythonClient.confluent.start(
                    "tail", way, topic: topic, group: "analytics-\(topic)", count: 10_000, seconds: 900)
                defer { reader.stop() }
                func write(from first: Int) throws {
                    for partition in Int32(0)..<3 {
                        try servers.write(3, to: topic, partition: partition, first: first + Int(partition) * 3)
                    }
                }
                // What was read and not committed when the coordinator crashed is read again: keys count, not lines.
                func keys() -> Int {
                    Set(reader.lines.compactMap { $0.firstMatch(of: #/"k\d+"/#).map { String($0.0) } }).count
                }
                try write(from: 0)
                try eventually("all is read", within: 40) { keys() == 9 }
                try servers.crash(broker: 2)
                // Two are left, and lead all three partitions.
                try write(from: 9)
                try eventually("the service goes on", within: 60) { keys() == 18 }
                try servers.restart(broker: 2)
                try write(from: 18)
                try eventually("and is whole again", within: 40) { keys() == 27 }
                #expect(gateway.isRunning)
            }
        }
    }
}

/// Listens on 127.0.0.2, forwards to the same ports of 127.0.0.1, and keeps what comes back.
final class Recorder: @unchecked Sendable {  // the lock guards what changes
    private let lock = NSLock()
    private var bytes = Data()
    private var counts: [UInt16: Int] = [:]
    private var listeners: [Int32] = []

    var received: Data { lock.withLock { bytes } }
    /// How many came to each port.
    var connections: [UInt16: Int] { lock.withLock { counts } }

    /// - Throws: where a port cannot be bound.
    init(ports: [UInt16]) throws {
        for port in ports {
            let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            var yes: Int32 = 1
            setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            let bound = Connection.with(host: INADDR_LOOPBACK + 1, port: port) { bind(listener, $0, $1) }
            guard bound == 0, listen(listener, 64) == 0 else {
                throw ProcessFailure(description: "127.0.0.2:\(port) cannot be bound")
            }
            listeners.append(listener)
            Thread.detachNewThread { [self] in accept(listener, to: port) }
        }
    }

    func stop() { for listener in listeners { shutdown(listener, Int32(SHUT_RDWR)) } }

    private func accept(_ listener: Int32, to port: UInt16) {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { break }
            _ = fcntl(client, F_SETFD, FD_CLOEXEC)
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard Connection.with(port: port, { connect(server, $0, $1) }) == 0 else {
                close(client)
                close(server)
                continue
            }
            lock.withLock { counts[port, default: 0] += 1 }
            let done = DispatchGroup()
            for (from, to, isRecorded) in [(client, server, false), (server, client, true)] {
                done.enter()
                Thread.detachNewThread { [self] in
                    forward(from, to, isRecorded)
                    done.leave()
                }
            }
            done.notify(queue: .global()) {
                close(client)
                close(server)
            }
        }
        close(listener)
    }

    /// Until one side ends.
    private func forward(_ from: Int32, _ to: Int32, _ isRecorded: Bool) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(from, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            if isRecorded { lock.withLock { bytes.append(contentsOf: buffer[..<count]) } }
            var at = 0
            while at < count {
                let sent = buffer[at..<count].withUnsafeBytes {
                    send(to, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard sent > 0 else { break }
                at += sent
            }
            if at < count { break }
        }
        shutdown(to, Int32(SHUT_RDWR))
        shutdown(from, Int32(SHUT_RDWR))
    }
}
