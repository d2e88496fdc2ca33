import Foundation
import Testing

extension Integration {
    /// Clients that can reach the brokers only through the gateway, and every byte that they receive.
    @Suite(.enabled(if: Surroundings.hasCluster, Comment(rawValue: Surroundings.lacking)))
    struct LeakTests {
        @Test func `no byte that a client receives names a broker's own address`() throws {
            let servers = try KafkaServers.shared.get()
            // Advertised as 127.0.0.2, where recorders listen on the gateway's ports: "127.0.0.1" is a leak wherever it stands.
            let gateway = try GatewayProcess(before: servers, GatewaySetup(host: "127.0.0.2"))
            defer { gateway.stop() }
            let recorder = try Recorder(ports: (0...3).map { gateway.port + $0 })
            defer { recorder.stop() }
            var way = PythonClient.Way.through(gateway, tokenFile: try gateway.tokenFile("eva", groups: ["engineers"]))
            way.bootstrap = "127.0.0.2:\(gateway.port)"
            for client in PythonClient.allCases {
                let topic = "clients-leak-\(UUID().uuidString.prefix(8))"
                _ = try PythonClient.confluent.run("create", way, topic: topic)
                for action in ["produce", "consume", "group", "transaction"] {
                    let lines = try client.run(
                        action, way, topic: topic, group: "analytics-\(topic)-\(action)", count: 12)
                    #expect(
                        !lines.isEmpty && !lines[0].contains("\"error\""), "\(client) \(action): \(lines.first ?? "")")
                }
            }
            let received = recorder.received
            #expect(recorder.connections > 12)
            #expect(received.count > 10_000)
            #expect(received.firstRange(of: Data("127.0.0.2".utf8)) != nil, "the brokers' advertised address")
            #expect(received.firstRange(of: Data("127.0.0.1".utf8)) == nil)
            for broker in 0..<servers.brokers {
                let port = UInt32(servers.port) + UInt32(broker)
                #expect(received.firstRange(of: Data(":\(port)".utf8)) == nil)
            }
        }
    }
}

/// Listens on 127.0.0.2, forwards to the same ports of 127.0.0.1, and keeps what comes back.
final class Recorder: @unchecked Sendable {  // the lock guards what changes
    private let lock = NSLock()
    private var bytes = Data()
    private var count = 0
    private var listeners: [Int32] = []

    var received: Data { lock.withLock { bytes } }
    var connections: Int { lock.withLock { count } }

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
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard Connection.with(port: port, { connect(server, $0, $1) }) == 0 else {
                close(client)
                close(server)
                continue
            }
            lock.withLock { count += 1 }
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
