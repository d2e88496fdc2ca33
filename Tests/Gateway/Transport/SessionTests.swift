import Glibc
import Synchronization
import TestSupport
import Testing
import TidegateCore
import TidegateTransport

/// What holds for sessions as a whole: evidence, authority, PROXY headers, reload, drain.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct SessionTests {
    @Test(arguments: drivers)
    func `strict: bytes leave only when their evidence is durable, in order`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, strict: true, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        gateway.sink.hold()
        let before = gateway.sink.state.withLock { $0.last }
        backend.write(FrameMachine.frame("one") + FrameMachine.frame("two"))
        try eventually("evidence") { gateway.sink.state.withLock { $0.last } > before }
        #expect(!client.hasSomething(within: 50))
        let held = gateway.sink.state.withLock { $0.last }
        backend.write(FrameMachine.frame("three"))
        try eventually("more evidence") { gateway.sink.state.withLock { $0.last } > held }
        gateway.sink.release(upTo: held)
        #expect(try client.read(14) == FrameMachine.frame("one") + FrameMachine.frame("two"))
        #expect(!client.hasSomething(within: 50))
        gateway.sink.release()
        #expect(try client.read(9) == FrameMachine.frame("three"))
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func `strict: whatever the schedule, bytes come in order and never before their evidence`(_ seed: UInt64) throws {
        let driver = DriverCase.scripted(seed).make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, strict: true, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        gateway.sink.hold()
        let released = Mutexed<Ticket>(gateway.sink.state.withLock { $0.last })
        let base = released.value
        let frames = (0..<60).map { FrameMachine.frame("\($0) \(String(repeating: "x", count: $0 * 97 % 3000))") }
        let writer = Worker { for frame in frames { backend.write(frame) } }
        var seen = 0
        var random = SystemRandomNumberGenerator()
        try eventually("all frames") {
            // Every frame is one line of evidence with one ticket: what the client has seen must be durable.
            let noted = gateway.sink.state.withLock { $0.last }
            if noted > released.value, Bool.random(using: &random) {
                let next = UInt64.random(in: released.value + 1...noted, using: &random)
                released.change { $0 = next }
                gateway.sink.release(upTo: next)
            }
            while client.hasSomething(within: 0) {
                let frame = frames[seen]
                let read = try client.read(frame.count)
                #expect(read == frame)
                seen += 1
                // The first delivery also writes the decision that it follows from.
                #expect(UInt64(seen) + base <= released.value)
                if seen == frames.count { return true }
            }
            return false
        }
        writer.join()
    }

    @Test(arguments: drivers)
    func `evidence that fails cuts the session, and what waited is dropped`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, strict: true, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        gateway.sink.hold()
        let before = gateway.sink.state.withLock { $0.last }
        backend.write(FrameMachine.frame("never seen"))
        try eventually("evidence") { gateway.sink.state.withLock { $0.last } > before }
        gateway.sink.fail()
        let end = try client.readToEnd()
        #expect(end.bytes.isEmpty || end.bytes == FrameMachine.frame("X"))
        _ = try backend.readToEnd()
    }

    @Test(arguments: drivers)
    func `a new authority offers parked bytes again and cuts whom it does not cover`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        backend.write(FrameMachine.frame("one"))
        #expect(try client.read(7) == FrameMachine.frame("one"))
        let done = Mutexed(0)
        gateway.runtime.swapAuthority(gateway.authority(2)) { done.change { $0 += 1 } }
        try eventually("in force") { done.value == 1 }
        backend.write(FrameMachine.frame("two"))
        #expect(try client.read(7) == FrameMachine.frame("two"))
        gateway.judge.state.withLock { $0.isAllowed = false }
        gateway.runtime.swapAuthority(gateway.authority(3)) { done.change { $0 += 1 } }
        try eventually("in force") { done.value == 2 }
        let end = try client.readToEnd()
        #expect(end == (FrameMachine.frame("X"), false))
        _ = try backend.readToEnd()
        #expect(try gateway.counts().sessionsEnded[Refusal(.revoked).reason] == 1)
    }

    @Test(arguments: drivers, [nil, "other"] as [String?])
    func `a session on a route that is gone, or leads elsewhere, is cut`(
        _ chosen: DriverCase, _ other: String?
    ) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        let stranger = try gateway.connect()
        try eventually("the stranger") { gateway.ledger.connections == 2 }
        try gateway.swap(gateway.authority(2, routes: [gateway.route]))
        backend.write(FrameMachine.frame("one"))
        #expect(try client.read(7) == FrameMachine.frame("one"))
        try gateway.swap(gateway.authority(3, routes: other.map { [gateway.route(backend: $0)] } ?? []))
        backend.write(FrameMachine.frame("two"))
        let end = try client.readToEnd()
        #expect(end.bytes == FrameMachine.frame("X"))
        #expect(try stranger.readToEnd().bytes == FrameMachine.frame("X"))
        #expect(try gateway.counts().sessionsEnded[Refusal(.revoked).reason] == 2)
    }

    @Test(arguments: drivers)
    func `a session whose backend has other settings now ends in order`(
        _ chosen: DriverCase
    ) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        let stranger = try gateway.connect()
        try eventually("the stranger") { gateway.ledger.connections == 2 }
        try gateway.swap(gateway.authority(2, routes: [gateway.route(backend: "backend", version: 2)]))
        let ends = try (client.readToEnd(), stranger.readToEnd())
        #expect(ends.0 == ([], false) && ends.1 == ([], false))
        _ = try backend.readToEnd()
        try eventually("the count") { try gateway.counts().sessionsEnded["draining"] == 2 }
    }

    @Test(arguments: drivers)
    func `a client that goes while its question is open does not stay`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        var limits = SessionLimits()
        limits.secondsToAuthenticate = 1
        let gateway = try Gateway(driver, limits: limits, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        gateway.judge.state.withLock { $0.isAnswered = false }
        client.write(FrameMachine.frame("A"))
        try eventually("the question") { gateway.judge.state.withLock { !$0.wakers.isEmpty } }
        client.finishWriting()
        _ = try backend.readToEnd()
        try eventually("the end") { try gateway.counts().sessionsEnded["ended"] == 1 }
    }

    static func proxy(_ command: UInt8, _ family: UInt8, _ rest: [UInt8]) -> [UInt8] {
        [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, command, family]
            + [UInt8(rest.count >> 8), UInt8(rest.count & 255)] + rest
    }

    @Test(arguments: drivers)
    func `a PROXY header of a trusted peer gives the client's address`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let port = listener.port
        let seen = Mutexed<[String]>([])
        var limits = SessionLimits()
        limits.secondsToAuthenticate = .max  // no clock gets that far
        let gateway = try Gateway(driver, limits: limits, networks: [Network("127.0.0.0/8")!]) { session in
            seen.change { $0.append(session.clientAddress) }
            return MachineOf(FrameMachine(endpoint(port)))
        }
        defer { gateway.stop() }
        _ = try gateway.open(
            listener, before: Self.proxy(0x21, 0x11, [10, 1, 2, 3, 127, 0, 0, 1, 4, 210, 0, 80]))
        #expect(seen.value == ["10.1.2.3:1234"])
        _ = try gateway.open(listener, before: Self.proxy(0x20, 0x00, []))
        #expect(seen.value.last?.hasPrefix("127.0.0.1:") == true)
        let client = try gateway.connect()
        for byte in Self.proxy(0x21, 0x11, [10, 9, 9, 9, 127, 0, 0, 1, 4, 210, 0, 80]) + FrameMachine.frame("A") {
            client.write([byte])
        }
        #expect(try client.read(6) == FrameMachine.frame("ok"))
        #expect(seen.value.last == "10.9.9.9:1234")
        let six: [UInt8] = [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
        let other = [UInt8](repeating: 0, count: 15) + [1]
        let noOperation: [UInt8] = [0x04, 0x01, 0x00] + [UInt8](repeating: 9, count: 256)
        _ = try gateway.open(
            listener, before: Self.proxy(0x21, 0x21, six + other + [4, 210, 0, 80] + noOperation))
        #expect(seen.value.last == "[2001:db8::1]:1234")
    }

    @Test(
        arguments: drivers,
        [
            Array("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n".utf8), SessionTests.proxy(0x31, 0x11, []),
            SessionTests.proxy(0x21, 0x11, [UInt8](repeating: 1, count: 2033)), SessionTests.proxy(0x21, 0x11, [1, 2]),
            SessionTests.proxy(0x22, 0x11, []), FrameMachine.frame("A"),
        ])
    func `a trusted peer without a good PROXY header is closed`(_ chosen: DriverCase, _ bytes: [UInt8]) throws {
        let driver = chosen.make()
        let gateway = try Gateway(driver, networks: [Network("127.0.0.1")!], machine: FrameMachine.boxes(1))
        defer { gateway.stop() }
        let client = try gateway.connect()
        client.write(bytes)
        #expect(try client.readToEnd().bytes == [])
        try eventually("the count") { gateway.ledger.connections == 0 }
        #expect(try gateway.counts().sessionsRejected == 1)
        let text = gateway.sink.text
        #expect(text.contains("session.rejected") && text.contains("\"reason\":\"PROXY header is malformed\""))
    }

    @Test(arguments: drivers)
    func `a PROXY header that never comes is written as what it is, and a look at the port is not`(
        _ chosen: DriverCase
    ) throws {
        let driver = chosen.make()
        var limits = SessionLimits()
        limits.secondsToAuthenticate = 1
        let gateway = try Gateway(
            driver, limits: limits, networks: [Network("127.0.0.1")!], machine: FrameMachine.boxes(1))
        defer { gateway.stop() }
        let look = try gateway.connect()
        look.finishWriting()
        #expect(try look.readToEnd().bytes == [])
        #expect(try gateway.connect().readToEnd().bytes == [])
        // A client may see the end before the loop's wake-up has handed its evidence over; counts come in a later one.
        #expect(try gateway.counts().sessionsRejected == 1)
        #expect(gateway.sink.text.ranges(of: "session.rejected").count == 1)
        #expect(gateway.sink.text.contains("\"reason\":\"not-authenticated-in-time\""))
    }

    @Test(arguments: drivers)
    func `a PROXY header of anybody else goes to the machine`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let gateway = try Gateway(driver, networks: [Network("10.0.0.0/8")!], machine: FrameMachine.boxes(1))
        defer { gateway.stop() }
        let client = try gateway.connect()
        client.write(Self.proxy(0x21, 0x11, [10, 1, 2, 3, 127, 0, 0, 1, 4, 210, 0, 80]))
        #expect(try client.readToEnd().bytes == [])
        try eventually("the limit") { try gateway.counts().sessionsEnded["limit"] == 1 }
    }

    @Test(arguments: drivers)
    func `more connections than the limit are refused`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        var limits = SessionLimits()
        limits.sessions = 1
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, limits: limits, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, _) = try gateway.open(listener)
        let second = try gateway.connect()
        #expect(try second.readToEnd().bytes == [])
        #expect(try gateway.counts().sessionsRejected == 1)
        try eventually("evidence") { gateway.sink.text.contains("more connections than there may be") }
        _ = client
    }

    @Test(arguments: drivers)
    func `no more connections are taken than there are descriptors for`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        // 64 stay free, 10 are others', and a loop has three: what is left is two pairs.
        let gateway = try Gateway(
            driver,
            adjusting: {
                $0.descriptors = 64 + 10 + 3 + 5
                $0.otherDescriptors = 10
            }, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        #expect(gateway.runtime.connectionLimit == 2)
        let pairs = try (0..<2).map { _ in try gateway.open(listener) }
        #expect(try gateway.connect().readToEnd().bytes == [])
        #expect(gateway.ledger.connections == 2)
        withExtendedLifetime(pairs) {}
    }

    @Test func `the soft limit of descriptors is the hard one once it is raised`() {
        let raised = Descriptors.raise()
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(7), &limit)  // RLIMIT_NOFILE
        #expect(limit.rlim_cur == limit.rlim_max && raised == Int(clamping: limit.rlim_cur))
    }

    @Test(arguments: drivers)
    func `listeners change under load: kept sockets lose nothing`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let port = listener.port
        let gateway = try Gateway(driver, loops: 2, machine: FrameMachine.boxes(port))
        defer { gateway.stop() }
        let address = SocketAddress(numeric: "127.0.0.1", port: 0)!
        let route = gateway.route
        let stop = Mutexed(false)
        let served = Mutexed(0)
        let load = Worker {
            while !stop.value {
                guard let client = try? gateway.connect() else { return }
                client.write(FrameMachine.frame("A"))
                guard (try? client.read(6)) == FrameMachine.frame("ok") else { return }
                served.change { $0 += 1 }
            }
        }
        for round in 0..<20 {
            let made = Mutexed(0)
            let before = served.value
            try gateway.runtime.replaceListeners([
                ListenerSpecification(
                    address: address,
                    runtime: RouteRuntime(route: route) { _ in
                        made.change { $0 += 1 }
                        return MachineOf(FrameMachine(endpoint(port)))
                    })
            ])
            try eventually("round \(round)") { made.value > 0 && served.value > before }
        }
        stop.change { $0 = true }
        load.join()
        let other = try gateway.runtime.replaceListeners([])
        #expect(other.isEmpty)
        try eventually("the port to close") { (try? gateway.connect()) == nil }
    }

    @Test(arguments: drivers)
    func `an address that is taken is a typed error, and nothing changes`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let taken = try TestListener(.epoll)  // a port of the system, whatever the loops run on
        let gateway = try Gateway(driver, machine: FrameMachine.boxes(1))
        defer { gateway.stop() }
        let address = try #require(SocketAddress(numeric: "127.0.0.1", port: taken.port))
        let runtime = RouteRuntime(route: gateway.route, makeMachine: FrameMachine.boxes(1))
        let error = #expect(throws: ListenerError.self) {
            try gateway.runtime.replaceListeners([ListenerSpecification(address: address, runtime: runtime)])
        }
        #expect(error?.description.contains("127.0.0.1:\(taken.port)") == true)
        _ = try gateway.connect()
    }

    @Test(arguments: drivers)
    func `drain tells the machines and closes the port`(_ chosen: DriverCase) async throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        let worker = Worker {
            #expect((try? client.readToEnd().bytes) == [])
            client.finishWriting()
        }
        let reason = Mutexed<CloseReason?>(nil)
        let port = listener.port
        _ = gateway.runtime.open(
            { MachineOf(SideMachine(endpoint(port))) }, ended: { ended in reason.change { $0 = ended } })
        let side = try listener.accept()
        #expect(try side.read("connected"))
        await gateway.runtime.drain(seconds: 5)
        worker.join()
        _ = try backend.readToEnd()
        #expect(throws: TestError.self) { try gateway.connect() }
        // The gateway's own connections serve to the end.
        #expect(reason.value == nil)
        gateway.stop()
        try eventually("the side's end") { reason.value == .draining }
    }

    @Test(arguments: drivers)
    func `a drain takes no longer than it is given`(_ chosen: DriverCase) async throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        // More than the client's buffers take, and it reads nothing.
        let (client, backend) = try gateway.open(listener)
        let writer = Worker { backend.write(FrameMachine.frame(pattern(16 << 20, 3))) }
        try eventually("bytes") { client.hasSomething(within: 50) }
        let started = ContinuousClock.now
        await gateway.runtime.drain(seconds: 2)
        #expect(ContinuousClock.now - started < .milliseconds(2000 + 900 * patienceFactor))
        #expect(gateway.ledger.connections == 1)
        gateway.stop()
        writer.join()
    }

    @Test(arguments: drivers)
    func `a side connection speaks to a backend without a client`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let port = listener.port
        let gateway = try Gateway(driver, machine: FrameMachine.boxes(1))
        defer { gateway.stop() }
        let reason = Mutexed<CloseReason?>(nil)
        let side = gateway.runtime.open(
            { MachineOf(SideMachine(endpoint(port))) }, ended: { ended in reason.change { $0 = ended } })
        let backend = try listener.accept()
        #expect(try backend.read("connected"))
        side.wake()
        #expect(try backend.read("woken"))
        side.close()
        _ = try backend.readToEnd()
        try eventually("the end") { reason.value == .ended }
    }

    @Test(arguments: drivers)
    func `two thousand idle sessions hold little, and each still answers`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        var count = 2000
        if case .scripted = driver { count = 100 }  // its wake-ups look at every connection
        _ = Descriptors.raise()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        var pairs: [(TestSocket, TestSocket)] = []
        for _ in 0..<count { pairs.append(try gateway.open(listener)) }
        for (client, backend) in pairs {
            client.write(FrameMachine.frame("B"))
            #expect(try backend.read(5) == FrameMachine.frame("B"))
        }
        try eventually("no buffer held by an idle session") { try gateway.figures().bytesHeld < 6 << 20 }
        #expect(gateway.ledger.connections == count)
    }
}

/// A value behind a lock, for closures of tests.
final class Mutexed<Value: Sendable>: Sendable {
    private let state: Mutex<Value>
    init(_ value: Value) { state = Mutex(value) }
    var value: Value { state.withLock { $0 } }
    func change(_ body: @Sendable (inout Value) -> Void) { state.withLock { body(&$0) } }
}

/// Connects, and says what it was told.
struct SideMachine: WireMachine, ~Copyable {
    let endpoint: Endpoint
    init(_ endpoint: Endpoint) { self.endpoint = endpoint }
    mutating func receive(
        _ window: RawSpan, from side: Side, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Int { window.byteCount }
    mutating func handle(
        _ event: WireEvent, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) {
        switch event {
        case .accepted: output.connect(endpoint)
        case .connected: output.sayToBackend(Array("connected".utf8), about: .catalogue)
        case .woken: output.sayToBackend(Array("woken".utf8), about: .catalogue)
        case .ended: output.close(.backendEnded)
        case .secured, .authorityChanged, .lastWords, .draining, .gone: break
        }
    }
}
