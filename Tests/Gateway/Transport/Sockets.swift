import Glibc
import Testing
import TidegateTransport

/// A blocking socket of a test, with deadlines: nothing here waits for ever, and nothing sleeps.
class TestSocket: @unchecked Sendable {  // one descriptor, set once; the system locks it
    let descriptor: CInt
    static let patience: Int32 = 10_000

    init(_ descriptor: CInt) { self.descriptor = descriptor }
    deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

    static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    static func connect(_ port: UInt16) throws -> TestSocket {
        let socket = TestSocket(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        var target = address(port)
        let code = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(socket.descriptor, $0, 16) }
        }
        guard code == 0 else { throw TestError("connect: \(errno)") }
        return socket
    }

    func write(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(descriptor, $0.baseAddress! + sent, bytes.count - sent, 0x4000)
            }
            if count <= 0 { return }
            sent += count
        }
    }
    func write(_ text: String) { write(Array(text.utf8)) }

    /// The next bytes: empty at the end, nil after a reset.
    func some() throws -> [UInt8]? { try some(65_536) }
    func some(_ most: Int) throws -> [UInt8]? {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&poll, 1, TestSocket.patience) > 0 else { throw TestError("nothing arrived in time") }
        var buffer = [UInt8](repeating: 0, count: most)
        let count = recv(descriptor, &buffer, most, 0)
        return count < 0 ? nil : Array(buffer.prefix(count))
    }

    func read(_ count: Int) throws -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            guard let next = try some(count - all.count), !next.isEmpty else {
                throw TestError("ended after \(all.count) of \(count) bytes")
            }
            all += next
        }
        return all
    }
    func read(_ text: String) throws -> Bool { try read(text.utf8.count) == Array(text.utf8) }

    /// All bytes up to the end, and whether it was a reset.
    func readToEnd() throws -> (bytes: [UInt8], wasReset: Bool) {
        var all: [UInt8] = []
        while true {
            guard let next = try some() else { return (all, true) }
            if next.isEmpty { return (all, false) }
            all += next
        }
    }

    /// True where something can be read within `milliseconds`; a test that expects nothing asks with few.
    func hasSomething(within milliseconds: Int32) -> Bool {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, milliseconds) > 0
    }

    func canWrite(within milliseconds: Int32) -> Bool {
        var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return Glibc.poll(&poll, 1, milliseconds) > 0
    }

    func finishWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Closes with a reset.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        var null = sockaddr()
        null.sa_family = sa_family_t(AF_UNSPEC)
        _ = Glibc.connect(descriptor, &null, 16)  // disconnects: with linger 0 a reset, the descriptor stays ours
    }
}

struct TestError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A listening socket of a test.
final class TestListener: Sendable {
    let descriptor: CInt
    let port: UInt16
    let network: ScriptedNetwork?

    init(_ driver: TestDriver) throws {
        if case .scripted(let network, _) = driver {
            self.network = network
            descriptor = -1
            port = network.listen()
            return
        }
        network = nil
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = TestSocket.address(0)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(made, $0, 16) }
        }
        guard bound == 0, listen(made, 4096) == 0 else { throw TestError("listen: \(errno)") }
        var length = socklen_t(16)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(made, $0, &length) }
        }
        descriptor = made
        port = UInt16(bigEndian: address.sin_port)
    }
    deinit {
        if let network { network.stopListening(port) } else { close(descriptor) }
    }

    func accept() throws -> TestSocket {
        if let network {
            var connection: CInt?
            try eventually("a connection") {
                connection = network.accept(port)
                return connection != nil
            }
            return ScriptedSocket(network, connection ?? -1)
        }
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&poll, 1, TestSocket.patience) > 0 else { throw TestError("nobody connected in time") }
        return TestSocket(Glibc.accept(descriptor, nil, nil))
    }
}

extension TestSocket {
    /// Reads and forgets so many bytes.
    func count(_ bytes: Int) throws -> Bool {
        var left = bytes
        while left > 0 {
            guard let next = try some(min(left, 1 << 20)), !next.isEmpty else { return false }
            left -= next.count
        }
        return true
    }
}

/// A thread of a test: what must go on while the test waits.
final class Worker: @unchecked Sendable {  // the identifier is set once, before anybody joins
    private var thread = pthread_t()
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    init(_ run: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Body(run))
        pthread_create(
            &thread, nil,
            { raw in
                Unmanaged<Body>.fromOpaque(raw!).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
    }
    func join() { pthread_join(thread, nil) }
}

/// What a test runs on. Each scripted one is a network of its own.
enum TestDriver: Sendable, CustomTestStringConvertible {
    case ioUring, epoll
    case scripted(ScriptedNetwork, UInt64)

    var testDescription: String {
        switch self {
        case .ioUring: "io_uring"
        case .epoll: "epoll"
        case .scripted(_, let seed): "scripted \(seed)"
        }
    }
    static func scripted(_ seed: UInt64) -> TestDriver { .scripted(ScriptedNetwork(seed: seed), seed) }

    func connect(_ port: UInt16) throws -> TestSocket {
        guard case .scripted(let network, _) = self else { return try TestSocket.connect(port) }
        guard let connection = network.connect(port) else { throw TestError("connect: refused") }
        return ScriptedSocket(network, connection)
    }
}

/// A test's end of a connection in memory.
final class ScriptedSocket: TestSocket, @unchecked Sendable {  // as its base; the network locks itself
    private let network: ScriptedNetwork
    private let connection: CInt

    init(_ network: ScriptedNetwork, _ connection: CInt) {
        self.network = network
        self.connection = connection
        super.init(-1)
    }
    deinit { network.finish(connection) }

    override func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let count = network.write(connection, rest) else { return }
            rest = rest.dropFirst(count)
            if count == 0 { sched_yield() }
        }
    }
    override func some(_ most: Int) throws -> [UInt8]? {
        var found: [UInt8]?
        try eventually("bytes") {
            switch network.read(connection, most) {
            case .bytes(let bytes): found = bytes
            case .ended: found = []
            case .reset: found = nil
            case .nothing: return false
            }
            return true
        }
        return found
    }
    override func hasSomething(within milliseconds: Int32) -> Bool {
        (try? eventually(seconds: Double(milliseconds) / 1000) { network.hasSomething(connection) }) != nil
    }
    override func canWrite(within milliseconds: Int32) -> Bool {
        (try? eventually(seconds: Double(milliseconds) / 1000) { network.canWrite(connection) }) != nil
    }
    override func finishWriting() { network.finish(connection) }
    override func reset() { network.reset(connection) }
}
