import Glibc

/// A blocking socket of a test, with deadlines: nothing here waits for ever, and nothing sleeps.
final class TestSocket: @unchecked Sendable {  // one descriptor, set once; the system locks it
    let descriptor: CInt
    static let patience: Int32 = 10_000

    init(_ descriptor: CInt) { self.descriptor = descriptor }
    deinit { Glibc.close(descriptor) }

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
    func some(_ most: Int = 65_536) throws -> [UInt8]? {
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

    init() throws {
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
    deinit { close(descriptor) }

    func accept() throws -> TestSocket {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&poll, 1, TestSocket.patience) > 0 else { throw TestError("nobody connected in time") }
        return TestSocket(Glibc.accept(descriptor, nil, nil))
    }
}

extension TestSocket {
    func canWrite(within milliseconds: Int32) -> Bool {
        var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return Glibc.poll(&poll, 1, milliseconds) > 0
    }

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
