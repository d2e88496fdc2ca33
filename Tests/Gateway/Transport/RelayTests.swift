import Glibc
import Synchronization
import Testing
import TidegateCore
import TidegateTransport

/// Why this kernel or container refuses io_uring; nil where it works.
let ioUringRefusal: String? = TransportRuntime.ioUringRefusal

/// Every test of the transport runs on each that works here.
let drivers: [DriverCase] =
    (ioUringRefusal == nil ? [.ioUring] : []) + [.epoll, .scripted(1), .scripted(20_261_124)]

@Suite(.serialized, .timeLimit(.minutes(5)))
struct RelayTests {
    private static func pass(_ port: UInt16) -> @Sendable (Session) -> any MachineBox {
        { _ in MachineOf(PassThroughMachine(to: endpoint(port))) }
    }

    @Test(.enabled(if: ioUringRefusal == nil, "io_uring is refused here: the other drivers alone are tested"))
    func `io_uring is among the drivers tested`() {
        #expect(drivers.contains { $0.testDescription == "io_uring" })
    }

    @Test(arguments: drivers)
    func `relays both ways and closes when both have ended`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, machine: Self.pass(listener.port))
        defer { gateway.stop() }
        let client = try gateway.connect()
        client.write("hello")
        let backend = try listener.accept()
        #expect(try backend.read("hello"))
        backend.write("world")
        #expect(try client.read("world"))
        client.finishWriting()
        let first = try backend.readToEnd()
        #expect(first == ([], false))
        backend.write("late")
        backend.finishWriting()
        let end = try client.readToEnd()
        #expect(end == (Array("late".utf8), false))
        try eventually("the session's end") { gateway.ledger.connections == 0 }
        #expect(try gateway.counts().sessionsEnded["ended"] == 1)
    }

    @Test(arguments: drivers)
    func `moves many bytes both ways at once`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, machine: Self.pass(listener.port))
        defer { gateway.stop() }
        let client = try gateway.connect()
        client.write("x")
        let backend = try listener.accept()
        #expect(try backend.read("x"))
        let up = pattern(8_000_000, 31)
        let down = pattern(9_000_000, 17)
        let writers = [Worker { client.write(up) }, Worker { backend.write(down) }]
        let reader = Worker {
            do {
                let wrong = try backend.firstDifference(from: up)
                #expect(wrong == nil)
            } catch {
                Issue.record(error)
            }
        }
        #expect(try client.firstDifference(from: down) == nil)
        reader.join()
        for writer in writers { writer.join() }
    }

    @Test(arguments: drivers)
    func `a client that never reads stops its backend, in bounded memory`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, machine: Self.pass(listener.port))
        defer { gateway.stop() }
        let client = try gateway.connect()
        client.write("x")
        let backend = try listener.accept()
        #expect(try backend.read("x"))
        let all = driver.isScripted ? 24 << 20 : 64 << 20  // kernels buffer too
        let writer = Worker {
            let block = [UInt8](repeating: 7, count: 1 << 20)
            for _ in 0..<(all >> 20) { backend.write(block) }
        }
        var seen = 0
        // Until nothing moves any more: the counters of two looks, some time apart, are the same.
        try eventually("the flood to stop") {
            let now = Int(try gateway.counts().bytesFromBackend)
            defer { seen = now }
            return now > 0 && now == seen && client.hasSomething(within: 50) && !backend.canWrite(within: 100)
        }
        let figures = try gateway.figures()
        #expect(figures.bytesHeld < 16 << 20)
        #expect(seen < all)
        try client.count(all)
        writer.join()
    }

    @Test(arguments: drivers)
    func `a reset of the client ends the backend`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, machine: Self.pass(listener.port))
        defer { gateway.stop() }
        let client = try gateway.connect()
        client.write("x")
        let backend = try listener.accept()
        #expect(try backend.read("x"))
        client.reset()
        _ = try backend.readToEnd()
        try eventually("the session's end") { gateway.ledger.connections == 0 }
    }

    @Test(arguments: drivers)
    func `a reset of the backend is told to the machine, and its words reach the client`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        backend.reset()
        let end = try client.readToEnd()
        #expect(end == (FrameMachine.frame("gone"), false))
    }

    @Test(arguments: drivers)
    func `a backend that refuses is told to the machine`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let port = try TestListener(driver).port  // closed again at once
        let gateway = try Gateway(driver, machine: FrameMachine.boxes(port))
        defer { gateway.stop() }
        let client = try gateway.connect()
        client.write(FrameMachine.frame("A"))
        let end = try client.readToEnd()
        #expect(end == (FrameMachine.frame("ok") + FrameMachine.frame("gone"), false))
        client.finishWriting()
        try eventually("the session's end") { gateway.ledger.connections == 0 }
    }

    @Test(arguments: drivers)
    func `a frame that comes byte by byte is the frame that came whole`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        let message = FrameMachine.frame("a request of some length") + FrameMachine.frame("another")
        for byte in message { client.write([byte]) }
        #expect(try backend.read(message.count) == message)
        for byte in message { backend.write([byte]) }
        #expect(try client.read(message.count) == message)
    }

    @Test(arguments: drivers)
    func `frames longer than a chunk gather whole`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        for size in [4092, 4096, 32_764, 32_768, 40_000, 300_000, 3_000_000] {
            let message = FrameMachine.frame(pattern(size, 7))
            let writer = Worker { client.write(message) }
            #expect(try backend.firstDifference(from: message) == nil)
            writer.join()
            let answer = Worker { backend.write(message) }
            #expect(try client.firstDifference(from: message) == nil)
            answer.join()
        }
        try eventually("buffers to come back") { try gateway.figures().bytesHeld < 8 << 20 }
    }

    @Test(arguments: drivers)
    func `a frame over the limit closes, and the limit is lower before authentication`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        var limits = SessionLimits()
        limits.frameBytes = 100_000
        limits.unauthenticatedFrameBytes = 1000
        let gateway = try Gateway(driver, limits: limits, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let stranger = try gateway.connect()
        stranger.write([0, 0, 4, 0, 65])
        #expect(try stranger.readToEnd().bytes == [])
        let (client, backend) = try gateway.open(listener)
        let fits = FrameMachine.frame([UInt8](repeating: 66, count: 90_000))
        client.write(fits)
        #expect(try backend.read(fits.count) == fits)
        client.write([0, 2, 0, 0, 65])
        #expect(try client.readToEnd().bytes == [])
        try eventually("both closed") { try gateway.counts().sessionsEnded["limit"] == 2 }
    }

    @Test(arguments: drivers)
    func `a client that never says who it is is closed in time`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        var limits = SessionLimits()
        limits.secondsToAuthenticate = 1
        let gateway = try Gateway(driver, limits: limits, machine: FrameMachine.boxes(1))
        defer { gateway.stop() }
        let client = try gateway.connect()
        client.write([0, 0])
        #expect(try client.readToEnd().bytes == [])
        #expect(try gateway.counts().sessionsEnded["not-authenticated-in-time"] == 1)
    }

    @Test(arguments: drivers)
    func `an idle session is closed`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        var limits = SessionLimits()
        limits.idleSeconds = 1
        let gateway = try Gateway(driver, limits: limits, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        #expect(try client.readToEnd().bytes == [])
        _ = try backend.readToEnd()
        try eventually("the count") { try gateway.counts().sessionsEnded["idle"] == 1 }
    }

    @Test(arguments: drivers)
    func `a session ends with its token, with last words at a boundary`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let judge = TestJudge()
        judge.state.withLock { $0.expires = Instant.current.advanced(bySeconds: 1) }
        let gateway = try Gateway(driver, judge: judge, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        let end = try client.readToEnd()
        #expect(end == (FrameMachine.frame("X"), false))
        _ = try backend.readToEnd()
        try eventually("the count") {
            try gateway.counts().sessionsEnded[Refusal(.expired).reason] == 1
        }
    }

    @Test(arguments: drivers)
    func `what waits for a credential is offered again when the answer is there`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let judge = TestJudge()
        judge.state.withLock { $0.isAnswered = false }
        let gateway = try Gateway(driver, judge: judge, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let client = try gateway.connect()
        client.write(FrameMachine.frame("A") + FrameMachine.frame("B"))
        try eventually("the question") { judge.state.withLock { $0.wakers.count } == 1 }
        client.write(FrameMachine.frame("C"))
        judge.answer()
        #expect(try client.read(6) == FrameMachine.frame("ok"))
        let backend = try listener.accept()
        #expect(try backend.read(10) == FrameMachine.frame("B") + FrameMachine.frame("C"))
    }

    @Test(arguments: drivers)
    func `a machine that awaits replies is offered one request at a time`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, machine: FrameMachine.boxes(listener.port, waits: true))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        client.write(FrameMachine.frame("B") + FrameMachine.frame("C"))
        #expect(try backend.read(5) == FrameMachine.frame("B"))
        #expect(!backend.hasSomething(within: 50))
        backend.write(FrameMachine.frame("b"))
        #expect(try backend.read(5) == FrameMachine.frame("C"))
        #expect(try client.read(5) == FrameMachine.frame("b"))
    }

    @Test(arguments: drivers)
    func `a violation closes with what was said before`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        client.write(FrameMachine.frame("A") + [0, 0, 0, 0])
        let end = try client.readToEnd()
        #expect(end == (FrameMachine.frame("ok"), false))
        _ = try backend.readToEnd()
        try eventually("the count") { try gateway.counts().sessionsEnded["client-violation"] == 1 }
    }
}
