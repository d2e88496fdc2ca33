import Glibc
import Synchronization
import Testing
import TidegateCore
import TidegateTransport

/// How sessions end, and how they find their backend.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct EndTests {
    @Test(arguments: drivers)
    func `a cut that the machine asks for drops what waits`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, strict: true, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        gateway.sink.hold()
        let before = gateway.sink.state.withLock { $0.last }
        backend.write(FrameMachine.frame("one"))
        try eventually("evidence") { gateway.sink.state.withLock { $0.last } > before }
        client.write(FrameMachine.frame("K"))
        _ = try backend.readToEnd()
        gateway.sink.release()
        let end = try client.readToEnd()
        #expect(end == (FrameMachine.frame("X"), false))
    }

    @Test(arguments: drivers, ["FIN", "reset", "violation", "backend's reset", "cut", "stop"])
    func `however a session ends, its machine is told once, and last`(_ chosen: DriverCase, _ end: String) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let port = listener.port
        let events = Mutexed<[WireEvent]>([])
        let gateway = try Gateway(driver) { _ in
            MachineOf(FrameMachine(endpoint(port)) { event in events.change { $0.append(event) } })
        }
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        client.write(FrameMachine.frame("B"))
        #expect(try backend.read(5) == FrameMachine.frame("B"))
        switch end {
        case "FIN":
            client.finishWriting()
            #expect(try backend.readToEnd() == ([], false))
            backend.finishWriting()
        case "reset": client.reset()
        case "violation": client.write([0, 0, 0, 0])
        case "backend's reset": backend.reset()
        case "cut": client.write(FrameMachine.frame("K"))
        default: gateway.stop()
        }
        func isGone(_ event: WireEvent) -> Bool { if case .gone = event { true } else { false } }
        try eventually("the last event") { events.value.contains { isGone($0) } }
        gateway.stop()
        #expect(events.value.count { isGone($0) } == 1 && events.value.last.map { isGone($0) } == true)
    }

    @Test(arguments: drivers)
    func `a session that closes is cut when nothing covers it any more`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        var limits = SessionLimits()
        limits.idleSeconds = 1
        let gateway = try Gateway(driver, limits: limits, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        // More than the client's buffers take: it closes for idleness, and would send the rest for five seconds.
        let (client, backend) = try gateway.open(listener)
        backend.write(FrameMachine.frame(pattern(16 << 20, 3)))
        try eventually("closing") { backend.hasSomething(within: 50) }
        #expect(gateway.ledger.connections == 1)
        gateway.judge.state.withLock { $0.isAllowed = false }
        let inForce = Mutexed(false)
        gateway.runtime.swapAuthority(gateway.authority(2)) { inForce.change { $0 = true } }
        try eventually("in force") { inForce.value }
        #expect(gateway.ledger.connections == 0)
        #expect(try client.readToEnd().wasReset)
    }

    @Test(arguments: drivers)
    func `a session that authenticates again ends with the new token`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        defer { withExtendedLifetime(backend) {} }
        gateway.judge.state.withLock { $0.expires = Instant.current.advanced(bySeconds: 1) }
        client.write(FrameMachine.frame("A"))
        let end = try client.readToEnd()
        #expect(end == (FrameMachine.frame("ok") + FrameMachine.frame("X"), false))
    }

    @Test(arguments: drivers)
    func `every address of a name is tried, and a look-up answers all who ask`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let lookUps = Mutexed(0)
        let goOn = Mutexed(false)
        let lookUp: @Sendable (String) -> [SocketAddress] = { name in
            lookUps.change { $0 += 1 }
            try? eventually("leave to answer") { goOn.value }
            guard name == "broker.test" else { return [] }
            return ["127.0.0.2", "127.0.0.1", "127.0.0.3"].compactMap { SocketAddress(numeric: $0, port: 0) }
        }
        let gateway = try Gateway(driver, lookUp: lookUp, machine: FrameMachine.boxes(listener.port, "broker.test"))
        defer { gateway.stop() }
        let clients = try (0..<6).map { _ in
            let client = try gateway.connect()
            client.write(FrameMachine.frame("A") + FrameMachine.frame("B"))
            #expect(try client.read(6) == FrameMachine.frame("ok"))
            return client
        }
        try eventually("the question") { lookUps.value == 1 }
        goOn.change { $0 = true }
        let backends = try clients.map { _ in try listener.accept() }
        for backend in backends {
            #expect(try backend.read(5) == FrameMachine.frame("B"))
            backend.write(FrameMachine.frame("b"))
        }
        for client in clients { #expect(try client.read(5) == FrameMachine.frame("b")) }
        #expect(lookUps.value == 1)
    }

    @Test(arguments: drivers, ["255.255.255.255", "nobody.test"])
    func `a backend without a way or a name is unreachable`(_ chosen: DriverCase, _ host: String) throws {
        let driver = chosen.make()
        let connected = Mutexed(0)
        let nobody: @Sendable (String) -> [SocketAddress] = { _ in [] }
        let gateway = try Gateway(driver, lookUp: nobody) { _ in
            MachineOf(
                FrameMachine(Endpoint(host: host, port: 9, tls: nil, serverName: "")) { event in
                    if case .connected = event { connected.change { $0 += 1 } }
                })
        }
        defer { gateway.stop() }
        for _ in 0..<2 {
            let client = try gateway.connect()
            client.write(FrameMachine.frame("A"))
            let end = try client.readToEnd()
            #expect(end == (FrameMachine.frame("ok") + FrameMachine.frame("gone"), false))
        }
        #expect(connected.value == 0)
    }

    @Test(arguments: drivers)
    func `what a loop has accepted is done though it ends`(_ chosen: DriverCase) throws {
        let gateway = try Gateway(chosen.make(), machine: FrameMachine.boxes(1))
        let first = Gate()
        let second = Gate()
        gateway.runtime.swapAuthority(gateway.authority(2)) { first.stay() }
        try eventually("the loop to stay") { first.isIn.value }
        gateway.runtime.swapAuthority(gateway.authority(3)) { second.stay() }
        let stopping = Mutexed(false)
        let stopper = Worker {
            stopping.change { $0 = true }
            gateway.stop()
        }
        try eventually("the stop") { stopping.value }
        first.isOpen.change { $0 = true }
        try eventually("the loop to stay again") { second.isIn.value }
        let answers = Mutexed(0)
        gateway.runtime.figures { _ in answers.change { $0 += 1 } }
        gateway.runtime.swapAuthority(gateway.authority(4)) { answers.change { $0 += 1 } }
        second.isOpen.change { $0 = true }
        stopper.join()
        #expect(answers.value == 2)
    }

    @Test(arguments: drivers)
    func `a port moves from one address to all`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let all = try #require(SocketAddress(numeric: "0.0.0.0", port: gateway.port))
        let runtime = RouteRuntime(route: gateway.route, makeMachine: FrameMachine.boxes(listener.port))
        try gateway.runtime.replaceListeners([ListenerSpecification(address: all, runtime: runtime)])
        try eventually("the new socket") {
            // Who came just before the old one closed is lost.
            guard let client = try? gateway.connect() else { return false }
            client.write(FrameMachine.frame("A"))
            return (try? client.read(6)) == FrameMachine.frame("ok")
        }
    }
}

/// Where a thread stays until it is let on.
final class Gate: Sendable {
    let isIn = Mutexed(false)
    let isOpen = Mutexed(false)
    func stay() {
        isIn.change { $0 = true }
        try? eventually("the gate to open") { isOpen.value }
    }
}
