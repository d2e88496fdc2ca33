import Foundation
import Synchronization
import Testing
import TidegateCore
import TidegateCrypto
import TidegateTransport

/// Certificates of a test, made once by the `openssl` command.
enum Certificates {
    static let folder: String = {
        let path = NSTemporaryDirectory() + "tidegate-transport-\(getpid())"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", path + "/key.pem", "-out",
            path + "/certificate.pem",
        ]
        process.standardError = FileHandle.nullDevice
        try? process.run()
        process.waitUntilExit()
        return path
    }()
    static func server(_ clients: TLSServerContext.ClientCertificate = .none) throws -> TLSServerContext {
        try TLSServerContext(
            certificate: folder + "/certificate.pem", key: folder + "/key.pem",
            clientCA: clients == .none ? nil : folder + "/certificate.pem", clients: clients)
    }
    static func client(showing: Bool = false) throws -> TLSClientContext {
        try TLSClientContext(
            ca: folder + "/certificate.pem", certificate: showing ? folder + "/certificate.pem" : nil,
            key: showing ? folder + "/key.pem" : nil)
    }
}

/// TLS over a test's socket.
final class TLSPeer {
    let socket: TestSocket
    let session: TLSSession
    /// How many bytes one write to the socket has at most.
    var piece = Int.max

    init(_ socket: TestSocket, _ session: TLSSession) {
        self.socket = socket
        self.session = session
    }

    private func flush() {
        var bytes: [UInt8] = []
        session.drain { span in bytes += span.withUnsafeBytes { Array($0) } }
        var at = 0
        while at < bytes.count {
            let end = min(bytes.count, at + min(piece, bytes.count - at))
            socket.write(Array(bytes[at..<end]))
            at = end
        }
    }

    func handshake() throws {
        while true {
            let outcome = session.handshake()
            flush()
            switch outcome {
            case .bytes: return
            case .wantsMore:
                guard let more = try socket.some(), !more.isEmpty else { throw TestError("ended in the handshake") }
                session.receive(ciphertext: more.span.bytes)
            case .closed, .failed: throw TestError("handshake: \(outcome)")
            }
        }
    }

    /// Says that no more comes (close_notify), and leaves the socket open.
    func finish() {
        session.close()
        flush()
    }

    func write(_ bytes: [UInt8]) {
        _ = session.write(bytes.span.bytes)
        flush()
    }

    func firstDifference(from expected: [UInt8]) throws -> Int? {
        try read(expected.count).withUnsafeBytes { difference($0, expected, 0) }
    }

    func read(_ count: Int) throws -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while all.count < count {
            let outcome = buffer.withUnsafeMutableBytes { session.read(into: $0) }
            switch outcome {
            case .bytes(let some): all += buffer.prefix(some)
            case .wantsMore:
                guard let more = try socket.some(), !more.isEmpty else { throw TestError("ended after \(all.count)") }
                session.receive(ciphertext: more.span.bytes)
            case .closed, .failed: throw TestError("\(outcome) after \(all.count)")
            }
        }
        return all
    }
}

@Suite(.serialized, .timeLimit(.minutes(5)))
struct TLSTests {
    private static func gateway(
        _ driver: TestDriver, _ listener: TestListener, _ tls: TLSServerContext?, _ backendTLS: TLSClientContext? = nil
    ) throws -> Gateway {
        let port = listener.port
        return try Gateway(driver, tls: tls) { _ in
            MachineOf(
                FrameMachine(Endpoint(host: "127.0.0.1", port: port, tls: backendTLS, serverName: "localhost")))
        }
    }

    private static func connect(
        _ gateway: Gateway, showing: Bool = false, piece: Int = .max, before: [UInt8] = []
    ) throws -> TLSPeer {
        let session = try #require(TLSSession(client: Certificates.client(showing: showing), serverName: "localhost"))
        let peer = TLSPeer(try gateway.connect(), session)
        peer.piece = piece
        if !before.isEmpty { peer.socket.write(before) }
        try peer.handshake()
        return peer
    }

    @Test(arguments: drivers, [Int.max, 1, 100])
    func `speaks TLS to the client, whole and in pieces`(_ chosen: DriverCase, _ piece: Int) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Self.gateway(driver, listener, Certificates.server())
        defer { gateway.stop() }
        let client = try Self.connect(gateway, piece: piece)
        client.write(FrameMachine.frame("A"))
        #expect(try client.read(6) == FrameMachine.frame("ok"))
        let backend = try listener.accept()
        client.write(FrameMachine.frame("B"))
        #expect(try backend.read(5) == FrameMachine.frame("B"))
        backend.write(FrameMachine.frame("b"))
        #expect(try client.read(5) == FrameMachine.frame("b"))
    }

    @Test(arguments: drivers)
    func `speaks TLS to both, and moves many bytes`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Self.gateway(driver, listener, Certificates.server(), Certificates.client())
        defer { gateway.stop() }
        let client = try Self.connect(gateway)
        client.write(FrameMachine.frame("A"))
        #expect(try client.read(6) == FrameMachine.frame("ok"))
        let backend = TLSPeer(try listener.accept(), try #require(TLSSession(server: Certificates.server())))
        try backend.handshake()
        for size in [1, 16_000, 100_000, 2_000_000] {
            let message = FrameMachine.frame(pattern(size, 13))
            let answer = Handed((backend, message))
            let writer = Worker {
                let (backend, message) = answer.value
                backend.write(message)
            }
            #expect(try client.firstDifference(from: message) == nil)
            writer.join()
            let question = Handed((client, message))
            let asker = Worker {
                let (client, message) = question.value
                client.write(message)
            }
            #expect(try backend.firstDifference(from: message) == nil)
            asker.join()
        }
    }

    @Test(arguments: drivers)
    func `a listener with TLS refuses plaintext`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Self.gateway(driver, listener, Certificates.server())
        defer { gateway.stop() }
        let client = try gateway.connect()
        client.write(FrameMachine.frame("A") + FrameMachine.frame("B"))
        let end = try client.readToEnd()
        #expect(!end.bytes.contains(UInt8(ascii: "k")))
        try eventually("the count") { try gateway.counts().sessionsEnded["client-violation"] == 1 }
    }

    @Test(arguments: drivers)
    func `a required client certificate is required`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Self.gateway(driver, listener, Certificates.server(.required))
        defer { gateway.stop() }
        let client = try Self.connect(gateway, showing: true)
        client.write(FrameMachine.frame("A"))
        #expect(try client.read(6) == FrameMachine.frame("ok"))
        #expect(throws: TestError.self) {
            let stranger = try Self.connect(gateway)
            stranger.write(FrameMachine.frame("A"))
            _ = try stranger.read(6)
        }
    }

    @Test(arguments: drivers)
    func `a backend whose certificate is another's is unreachable`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let port = listener.port
        let context = try Certificates.client()
        let gateway = try Gateway(driver) { _ in
            MachineOf(FrameMachine(Endpoint(host: "127.0.0.1", port: port, tls: context, serverName: "other.example")))
        }
        defer { gateway.stop() }
        let client = try gateway.connect()
        client.write(FrameMachine.frame("A"))
        let backend = TLSPeer(try listener.accept(), try #require(TLSSession(server: Certificates.server())))
        _ = try? backend.handshake()
        let end = try client.readToEnd()
        #expect(end == (FrameMachine.frame("ok") + FrameMachine.frame("gone"), false))
    }

    @Test(arguments: drivers)
    func `behind a close_notify the client is read no more, and is answered still`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Self.gateway(driver, listener, Certificates.server())
        defer { gateway.stop() }
        let client = try Self.connect(gateway)
        client.write(FrameMachine.frame("A"))
        #expect(try client.read(6) == FrameMachine.frame("ok"))
        let backend = try listener.accept()
        client.write(FrameMachine.frame("B"))
        client.finish()
        #expect(try backend.readToEnd() == (FrameMachine.frame("B"), false))
        let all = driver.isScripted ? 4 << 20 : 64 << 20
        let socket = client.socket
        let writer = Worker {
            let block = [UInt8](repeating: 7, count: 1 << 20)
            for _ in 0..<(all >> 20) { socket.write(block) }
        }
        try eventually("the client to be stopped") { !socket.canWrite(within: 200) }
        #expect(try gateway.counts().bytesFromClient < 8 << 20)
        backend.write(FrameMachine.frame("b"))
        #expect(try client.read(5) == FrameMachine.frame("b"))
        gateway.stop()
        writer.join()
    }

    @Test(arguments: drivers)
    func `strict: under TLS too bytes leave only when their evidence is durable`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let port = listener.port
        let gateway = try Gateway(driver, strict: true, tls: Certificates.server()) { _ in
            MachineOf(FrameMachine(endpoint(port)))
        }
        defer { gateway.stop() }
        let client = try Self.connect(gateway)
        client.write(FrameMachine.frame("A"))
        #expect(try client.read(6) == FrameMachine.frame("ok"))
        let backend = try listener.accept()
        gateway.sink.hold()
        let before = gateway.sink.state.withLock { $0.last }
        backend.write(FrameMachine.frame("one"))
        try eventually("evidence") { gateway.sink.state.withLock { $0.last } > before }
        #expect(!client.socket.hasSomething(within: 50))
        gateway.sink.release()
        #expect(try client.read(7) == FrameMachine.frame("one"))
    }

    @Test(arguments: drivers)
    func `behind a PROXY header TLS begins, and the machine is told the server name`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let port = listener.port
        let names = Mutexed<[String?]>([])
        let addresses = Mutexed<[String]>([])
        let gateway = try Gateway(
            driver, networks: [try #require(Network("127.0.0.0/8"))], tls: Certificates.server()
        ) { session in
            addresses.change { $0.append(session.clientAddress) }
            return MachineOf(
                FrameMachine(endpoint(port)) { event in
                    if case .secured(.client, let name) = event { names.change { $0.append(name) } }
                })
        }
        defer { gateway.stop() }
        let header = SessionTests.proxy(0x21, 0x11, [10, 1, 2, 3, 127, 0, 0, 1, 4, 210, 0, 80])
        let client = try Self.connect(gateway, before: header)
        client.write(FrameMachine.frame("A"))
        #expect(try client.read(6) == FrameMachine.frame("ok"))
        #expect(names.value == ["localhost"])
        #expect(addresses.value == ["10.1.2.3:1234"])
    }

    @Test
    func `a session gives back what it has grown by, and goes on`() throws {
        let client = try #require(TLSSession(client: Certificates.client(), serverName: "localhost"))
        let server = try #require(TLSSession(server: Certificates.server()))
        func carry(_ from: TLSSession, _ to: TLSSession) { from.drain { to.receive(ciphertext: $0) } }
        while !client.isEstablished || !server.isEstablished {
            _ = client.handshake()
            carry(client, server)
            _ = server.handshake()
            carry(server, client)
        }
        for _ in 0..<3 {
            let bytes = pattern(200_000, 7)
            #expect(client.write(bytes.span.bytes) == .bytes(bytes.count))
            carry(client, server)
            #expect(client.isGrown)
            #expect(server.isGrown)
            #expect(!server.shrink())
            var read: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while case .bytes(let count) = buffer.withUnsafeMutableBytes({ server.read(into: $0) }) {
                read += buffer.prefix(count)
            }
            #expect(read == bytes)
            #expect(client.shrink() && server.shrink())
            #expect(!client.isGrown && !server.isGrown)
        }
    }
}

/// Hands something to a thread that alone uses it until it is joined.
final class Handed<Value>: @unchecked Sendable {  // one thread at a time, by the join
    let value: Value
    init(_ value: Value) { self.value = value }
}
