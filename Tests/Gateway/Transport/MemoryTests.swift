import Glibc
import Synchronization
import TestSupport
import Testing
import TidegateCore
import TidegateTransport

/// Memory is bounded whatever clients do, and service goes on.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct MemoryTests {
    @Test(arguments: drivers)
    func `a client that asks and never reads is not answered without end`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, idle) = try gateway.open(listener)
        defer { withExtendedLifetime(idle) {} }
        let all = driver.isScripted ? 8 << 20 : 64 << 20
        let writer = Worker {
            let question = FrameMachine.frame("E")
            let block = (0..<(1 << 17)).flatMap { _ in question }
            for _ in 0..<(all / block.count) { client.write(block) }
        }
        var seen = 0
        try eventually("the flood to stop") {
            let now = Int(try gateway.counts().bytesFromClient)
            defer { seen = now }
            return now > 0 && now == seen && !client.canWrite(within: 100)
        }
        #expect(seen < all)
        // One wake-up of io_uring may bring all 128 lent chunks from one client.
        let held = try gateway.figures().bytesHeld
        #expect(held < 24 << 20)
        let (other, backend) = try gateway.open(listener)
        other.write(FrameMachine.frame("B"))
        #expect(try backend.read(5) == FrameMachine.frame("B"))
        let answers = (0..<20_000).flatMap { _ in FrameMachine.frame(FrameMachine.echo) }
        #expect(try client.firstDifference(from: answers) == nil)
        gateway.stop()
        writer.join()
    }

    @Test(arguments: drivers)
    func `clients that announce giant frames are ended when memory runs out, and others are served`(
        _ chosen: DriverCase
    ) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, totalBytes: 16 << 20, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let clients = try (0..<50).map { _ in try gateway.open(listener) }
        defer { withExtendedLifetime(clients) {} }
        let part: [UInt8] = [6, 0, 0, 0] + pattern(1 << 20, 3)
        let writers = clients.map { client, _ in Worker { client.write(part) } }
        var most = 0
        try eventually("the largest to go") {
            let figures = try gateway.figures()
            most = max(most, figures.bytesHeld)
            return figures.routes["test"]?.sessionsEnded["limit", default: 0] ?? 0 > 0
        }
        for writer in writers { writer.join() }
        #expect(most < 40 << 20)
        try eventually("memory") { try gateway.figures().bytesHeld <= 16 << 20 }
        let (client, backend) = try gateway.open(listener)
        client.write(FrameMachine.frame("B"))
        #expect(try backend.read(5) == FrameMachine.frame("B"))
    }

    @Test(arguments: drivers)
    func `buffers that wait for what may come count for nobody`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, loops: 2, totalBytes: 8 << 20, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        client.write(FrameMachine.frame("B"))
        #expect(try backend.read(5) == FrameMachine.frame("B"))
        #expect(try gateway.figures().bytesHeld < 1 << 20)
    }

    @Test(arguments: drivers)
    func `names that clients bring count, and whoever brings most is ended`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, totalBytes: 8 << 20, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (first, idle) = try gateway.open(listener)
        first.write(FrameMachine.frame("N"))
        #expect(try first.read(9) == FrameMachine.frame("16384"))
        #expect(try gateway.figures().bytesHeld > 1 << 20)
        var others: [(TestSocket, TestSocket)] = []
        try eventually("one to go") {
            if try gateway.counts().sessionsEnded["limit", default: 0] > 0 { return true }
            if others.count < 8, let (client, backend) = try? gateway.open(listener) {
                client.write(FrameMachine.frame("N"))
                others.append((client, backend))
            }
            return false
        }
        withExtendedLifetime((idle, others)) {}
        for (client, _) in others + [(first, idle)] { client.reset() }
        try eventually("memory") { try gateway.figures().bytesHeld < 1 << 20 }
    }

    @Test(arguments: drivers)
    func `strict: nothing is read while too much evidence waits for storage`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(
            driver, strict: true, adjusting: { $0.evidenceBytes = 100 }, machine: FrameMachine.boxes(listener.port)
        )
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        gateway.sink.hold()
        let frames = (0..<2000).map { FrameMachine.frame("\($0)") }
        func delivered() -> Int { gateway.sink.text.ranges(of: "records.delivered").count }
        backend.write(frames[0])
        try eventually("evidence") { delivered() == 1 }
        // A receive that is being stopped may still bring something: some wake-ups later it does not.
        for _ in 0..<50 { _ = try gateway.figures() }
        backend.write(Array(frames.dropFirst().joined()))
        #expect(!client.hasSomething(within: 200) && delivered() == 1)
        gateway.sink.state.withLock { $0.isAutomatic = true }
        gateway.sink.release()
        #expect(try client.firstDifference(from: Array(frames.joined())) == nil)
    }

    @Test(arguments: drivers)
    func `small messages that wait do not hold a chunk each`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, strict: true, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        let base = try gateway.figures().bytesHeld
        gateway.sink.hold()
        var all: [UInt8] = []
        for index in 0..<300 {
            let before = gateway.sink.state.withLock { $0.last }
            let frame = FrameMachine.frame(pattern(600 + index, index | 1))
            all += frame
            backend.write(frame)
            try eventually("evidence") { gateway.sink.state.withLock { $0.last } > before }
        }
        #expect(try gateway.figures().bytesHeld < base + 2 << 20)
        gateway.sink.release()
        #expect(try client.firstDifference(from: all) == nil)
    }

    @Test(arguments: drivers)
    func `the longest frame allowed passes`(_ chosen: DriverCase) throws {
        let driver = chosen.make()
        let listener = try TestListener(driver)
        var limits = SessionLimits()
        limits.frameBytes = 100_000
        limits.idleSeconds = .max  // no clock gets that far
        limits.secondsToAuthenticate = .max
        let gateway = try Gateway(driver, limits: limits, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        let (client, backend) = try gateway.open(listener)
        let frame = FrameMachine.frame(pattern(100_000, 5))
        let writer = Worker { client.write(frame) }
        #expect(try backend.firstDifference(from: frame) == nil)
        writer.join()
    }

    /// How many of `frames` have begun in `seen`, which may end with the machine's word for a lost backend.
    private static func begun(_ frames: [[UInt8]], in seen: [UInt8]) throws -> Int {
        let gone = FrameMachine.frame("gone")
        var rest = seen[...]
        for (index, frame) in frames.enumerated() {
            if rest.isEmpty || gone.starts(with: rest) { return index }
            guard frame.starts(with: rest) || rest.starts(with: frame) else {
                throw TestError("other bytes than were sent in frame \(index)")
            }
            rest = rest.dropFirst(frame.count)
        }
        return frames.count
    }

    @Test(arguments: 1...50 as ClosedRange<UInt64>)
    func `whatever is reset, nothing hangs, nothing is kept, and nothing comes before its evidence`(
        _ seed: UInt64
    ) throws {
        let driver = DriverCase.scripted(seed).make(faults: true)
        let listener = try TestListener(driver)
        let gateway = try Gateway(driver, strict: true, machine: FrameMachine.boxes(listener.port))
        defer { gateway.stop() }
        var random = SeededGenerator(seed: seed)
        let client = try gateway.connect()
        client.write(FrameMachine.frame("A"))
        guard (try? client.read(6)) != nil else { return }
        let backend = try listener.accept()
        gateway.sink.hold()
        var released = gateway.sink.state.withLock { $0.last }
        let base = released
        let frames = (0..<20).map { FrameMachine.frame(pattern(1 + Int.random(in: 0..<5000, using: &random), $0)) }
        let writer = Worker { for frame in frames { backend.write(frame) } }
        var seen: [UInt8] = []
        try eventually("all frames, or the end") {
            let noted = gateway.sink.state.withLock { $0.last }
            if noted > released {
                released = UInt64.random(in: released + 1...noted, using: &random)
                gateway.sink.release(upTo: released)
            }
            while client.hasSomething(within: 0) {
                guard let bytes = try client.some(), !bytes.isEmpty else { return true }
                seen += bytes
                let begun = try Self.begun(frames, in: seen)
                #expect(UInt64(begun) + base <= released)
                if seen.count >= frames.joined().count { return true }
            }
            return false
        }
        client.reset()
        backend.reset()
        writer.join()
        try eventually("the ends") { gateway.ledger.connections == 0 }
        try eventually("buffers to come back") { try gateway.figures().bytesHeld <= 2 * 36_864 }
    }
}
