import Glibc
import TestSupport
import Testing
import TidegateTransport

/// A blocking socket of a test, with deadlines: nothing here waits for ever, and nothing sleeps.
class TestSocket: @unchecked Sendable {  // one descriptor, set once; the system locks it
    let descriptor: CInt
    /// Milliseconds.
    static let patience = Int32(10_000 * patienceFactor)

    init(_ descriptor: CInt) { self.descriptor = descriptor }
    deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

    /// Not for children: one that another test starts would hold this end open.
    static func stream() -> CInt {
        Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    }

    static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    static func connect(_ port: UInt16) throws -> TestSocket {
        let socket = TestSocket(stream())
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

    /// Waits for bytes.
    ///
    /// - Returns: how many came; zero at the end, nil after a reset.
    func receive(into place: UnsafeMutableRawBufferPointer) throws -> Int? {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&poll, 1, TestSocket.patience) > 0 else { throw TestError("nothing arrived in time") }
        let count = recv(descriptor, place.baseAddress, place.count, 0)
        return count < 0 ? nil : count
    }

    /// The next bytes: empty at the end, nil after a reset.
    func some(_ most: Int = TestSocket.piece) throws -> [UInt8]? {
        var count: Int?
        let bytes = try [UInt8](unsafeUninitializedCapacity: min(most, TestSocket.piece)) { buffer, filled in
            count = try receive(into: UnsafeMutableRawBufferPointer(buffer))
            filled = count ?? 0
        }
        return count == nil ? nil : bytes
    }
    static let piece = 65_536

    func read(_ count: Int) throws -> [UInt8] {
        var all: [UInt8] = []
        all.reserveCapacity(count)
        while all.count < count {
            guard let next = try some(count - all.count), !next.isEmpty else {
                throw TestError("ended after \(all.count) of \(count) bytes")
            }
            all += next
        }
        return all
    }

    /// Reads as many bytes as `expected` has.
    ///
    /// - Returns: where the first other byte is; nil where all are the same.
    func firstDifference(from expected: [UInt8]) throws -> Int? {
        var at = 0
        return try pieces(of: expected.count) { piece in
            defer { at += piece.count }
            return difference(piece, expected, at)
        }
    }

    /// Reads and forgets so many bytes.
    func count(_ bytes: Int) throws { _ = try pieces(of: bytes) { _ in nil } }

    /// Hands out so many bytes, piece by piece, all in one buffer, until `body` says something.
    private func pieces(of count: Int, _ body: (UnsafeRawBufferPointer) -> Int?) throws -> Int? {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: TestSocket.piece, alignment: 16)
        defer { buffer.deallocate() }
        var left = count
        while left > 0 {
            let place = UnsafeMutableRawBufferPointer(rebasing: buffer[0..<min(left, buffer.count)])
            guard let next = try receive(into: place), next > 0 else {
                throw TestError("ended after \(count - left) of \(count) bytes")
            }
            if let found = body(UnsafeRawBufferPointer(rebasing: place[0..<next])) { return found }
            left -= next
        }
        return nil
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
        if case .scripted(let network) = driver {
            self.network = network
            descriptor = -1
            port = network.listen()
            return
        }
        network = nil
        let made = TestSocket.stream()
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
        let accepted = Glibc.accept(descriptor, nil, nil)
        _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)  // accept4 is not imported
        return TestSocket(accepted)
    }
}

/// Where `piece` differs from what `expected` holds from `at` on; an offset of `expected`, or nil.
func difference(_ piece: UnsafeRawBufferPointer, _ expected: [UInt8], _ at: Int) -> Int? {
    guard piece.count <= expected.count - at else { return expected.count }
    return expected.withUnsafeBytes { expected in
        let rest = UnsafeRawBufferPointer(rebasing: expected[at..<(at + piece.count)])
        if piece.isEmpty || memcmp(piece.baseAddress!, rest.baseAddress!, piece.count) == 0 { return nil }
        return zip(piece, rest).enumerated().first { $1.0 != $1.1 }.map { at + $0.offset }
    }
}

/// Bytes without a short period: one block of a prime length, repeated; none is zero, none an `A`.
func pattern(_ count: Int, _ step: Int) -> [UInt8] {
    let block = (0..<min(count, 65_521)).map { UInt8(truncatingIfNeeded: $0 &* step &+ $0 >> 8) | 0x82 }
    var all: [UInt8] = []
    all.reserveCapacity(count)
    while all.count < count { all += block.prefix(count - all.count) }
    return all
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

/// What the tests run on: kernels' drivers, and seeds.
enum DriverCase: Sendable, CustomTestStringConvertible {
    case ioUring, epoll
    case scripted(UInt64)

    var testDescription: String {
        switch self {
        case .ioUring: "io_uring"
        case .epoll: "epoll"
        case .scripted(let seed): "scripted \(seed)"
        }
    }

    /// For one test: each scripted one has a network of its own, whose schedule only the seed chooses.
    func make(faults: Bool = false) -> TestDriver {
        switch self {
        case .ioUring: .ioUring
        case .epoll: .epoll
        case .scripted(let seed): .scripted(ScriptedNetwork(seed: seed, faults: faults))
        }
    }
}

/// What one test runs on.
enum TestDriver: Sendable {
    case ioUring, epoll
    case scripted(ScriptedNetwork)

    var isScripted: Bool {
        if case .scripted = self { return true }
        return false
    }

    func connect(_ port: UInt16) throws -> TestSocket {
        guard case .scripted(let network) = self else { return try TestSocket.connect(port) }
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
        var rests = 0
        while !rest.isEmpty {
            guard let count = network.write(connection, rest) else { return }
            rest = rest.dropFirst(count)
            if count == 0 { pause(&rests) } else { rests = 0 }
        }
    }
    override func receive(into place: UnsafeMutableRawBufferPointer) throws -> Int? {
        var found: Int?
        try eventually("bytes") {
            switch network.read(connection, into: place) {
            case .bytes(let count): found = count
            case .ended: found = 0
            case .reset: found = nil
            case .nothing: return false
            }
            return true
        }
        return found
    }
    override func hasSomething(within milliseconds: Int32) -> Bool {
        (try? eventually(within: .milliseconds(Int(milliseconds))) { network.hasSomething(connection) }) != nil
    }
    override func canWrite(within milliseconds: Int32) -> Bool {
        (try? eventually(within: .milliseconds(Int(milliseconds))) { network.canWrite(connection) }) != nil
    }
    override func finishWriting() { network.finish(connection) }
    override func reset() { network.reset(connection) }
}
