import Glibc
import Synchronization
import TestSupport
import Testing
import TidegateCore
import TidegateCrypto
import TidegateTransport
import TidegateWire

/// Policy and identity of a test: who is let in, and what waits.
final class TestJudge: PolicyJudge, Authenticator {
    struct State {
        var isAllowed = true
        var expires = Instant.distantFuture
        /// Credentials of this name answer `notYet` until somebody says so.
        var isAnswered = true
        var wakers: [Waker] = []
    }
    let state = Mutex(State())

    func judge(_ principal: Principal, _ question: Question) -> Ruling {
        Ruling(effect: state.withLock { $0.isAllowed } ? .allow : .deny, rule: 0)
    }
    func covers(_ principal: Principal, route: String) -> Bool { state.withLock { $0.isAllowed } }
    func name(ofRule index: Int32) -> String? { "rule" }
    func stands(_ principal: Principal) -> Bool { true }
    func authenticate(_ credential: Credential, now: Instant, waker: Waker) -> Authentication {
        state.withLock { state in
            guard state.isAnswered else {
                state.wakers.append(waker)
                return .notYet
            }
            return .verified(Principal(subject: "tester", groups: [], issuer: "test", expires: state.expires))
        }
    }
    /// The key has come: everybody who waits is woken.
    func answer() {
        let wakers = state.withLock { state in
            state.isAnswered = true
            defer { state.wakers = [] }
            return state.wakers
        }
        for waker in wakers { waker.wake() }
    }
}

/// Evidence that is durable when the test says so.
final class TestSink: EvidenceSink {
    struct State {
        var lines: [UInt8] = []
        var last: Ticket = 0
        var loop: (any EvidenceWaiter)?
        var isAutomatic = true
    }
    let state = Mutex(State())
    let submitted = Latch()

    func submit(_ lines: [UInt8], upTo ticket: Ticket, from loop: any EvidenceWaiter) {
        let isAutomatic = state.withLock { state in
            state.lines += lines
            state.last = ticket
            state.loop = loop
            return state.isAutomatic
        }
        if isAutomatic { loop.evidenceIsDurable(upTo: ticket) }
        submitted.step()
    }
    func hold() { state.withLock { $0.isAutomatic = false } }
    func release(upTo ticket: Ticket? = nil) {
        let (loop, last) = state.withLock { ($0.loop, $0.last) }
        loop?.evidenceIsDurable(upTo: ticket ?? last)
    }
    func fail() { state.withLock { $0.loop }?.evidenceFailed() }
    var text: String { state.withLock { String(decoding: $0.lines, as: UTF8.self) } }
}

/// Counts, and lets a thread wait until it has counted so far; with a deadline.
final class Latch: Sendable {
    private let count = Mutex(0)
    func step() { count.withLock { $0 += 1 } }
    var value: Int { count.withLock { $0 } }
}

/// Waits until something holds; a failed condition is an error, never a hang.
func eventually(_ what: String = "", _ condition: () throws -> Bool) throws {
    try eventually(what, within: .seconds(10 * patienceFactor), condition)
}

func eventually(_ what: String = "", within time: Duration, _ condition: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + time
    var rests = 0
    while try !condition() {
        guard ContinuousClock.now < deadline else { throw TestError("never: \(what)") }
        pause(&rests)
    }
}

/// Leaves the core to others before something is looked at again: at first for a moment, later for longer.
func pause(_ rests: inout Int) {
    rests += 1
    if rests < 100 { sched_yield() } else { usleep(300) }
}

/// A transport runtime for one test, on one loop unless it says otherwise.
final class Gateway: Sendable {
    let runtime: TransportRuntime
    let port: UInt16
    let ledger = SessionLedger()
    let judge: TestJudge
    let sink: TestSink
    let route: Route
    let driver: TestDriver

    init(
        _ driver: TestDriver, limits: SessionLimits = SessionLimits(), strict: Bool = false, loops: Int = 1,
        totalBytes: Int = 1 << 28, networks: [Network]? = nil, tls: TLSServerContext? = nil,
        judge: TestJudge = TestJudge(), lookUp: (@Sendable (String) -> [SocketAddress])? = nil,
        adjusting adjust: (inout TransportRuntime.Settings) -> Void = { _ in },
        machine: @escaping @Sendable (Session) -> any MachineBox
    ) throws {
        self.judge = judge
        sink = TestSink()
        var settings = TransportRuntime.Settings()
        settings.loops = loops
        self.driver = driver
        settings.isStrict = strict
        settings.totalBytes = totalBytes
        settings.lookUp = lookUp
        adjust(&settings)
        let authority = Authority(version: 1, policy: judge, maskers: [], authenticator: judge)
        let log = Log(minimum: .error)
        switch driver {
        case .ioUring, .epoll:
            if case .epoll = driver { settings.driver = .epoll } else { settings.driver = .ioUring }
            runtime = try TransportRuntime(settings, authority: authority, ledger: ledger, sink: sink, log: log)
        case .scripted(let network):
            runtime = TransportRuntime(
                settings, authority: authority, ledger: ledger, sink: sink, log: log, network: network)
        }
        route = Route(
            name: "test", backendName: "backend", declaration: Gateway.declaration, advertise: nil,
            isConfidential: true, limits: limits)
        let address = SocketAddress(numeric: "127.0.0.1", port: 0)!
        port = try runtime.replaceListeners([
            ListenerSpecification(
                address: address,
                runtime: RouteRuntime(route: route, tls: tls, proxyNetworks: networks, makeMachine: machine))
        ])[0].port
        if case .scripted(let network) = driver {
            let port = port
            try eventually("the port") { network.isListening(port) }
        }
    }

    /// - Parameter routes: those that there are; nil knows any.
    func authority(_ version: UInt32, routes: [Route]? = nil) -> Authority {
        Authority(
            version: version, policy: judge, maskers: [], authenticator: judge,
            routes: routes.map { Dictionary(uniqueKeysWithValues: $0.map { ($0.name, $0) }) })
    }

    /// The test's route, as a reload that changes its backend makes it.
    func route(backend: String, version: UInt32 = 0) -> Route {
        Route(
            name: "test", backendName: backend, declaration: Gateway.declaration, advertise: nil, isConfidential: true,
            limits: route.limits, backendVersion: version)
    }
    private static let declaration = BackendDeclaration(
        protocolName: "test", settings: .anything, kinds: [.init(singular: "thing", plural: "things")],
        wireNames: ["Get"])

    /// Puts a new authority in force.
    func swap(_ authority: Authority) throws {
        let isInForce = Latch()
        runtime.swapAuthority(authority) { isInForce.step() }
        try eventually("in force") { isInForce.value == 1 }
    }

    /// The counters of the route, gathered now.
    func counts() throws -> Meter.Counts { try figures().routes["test"] ?? Meter.Counts() }

    func figures() throws -> TransportRuntime.Figures {
        let answer = Answered()
        runtime.figures { figures in answer.figures.withLock { $0 = figures } }
        try eventually("figures") { answer.figures.withLock { $0 != nil } }
        return answer.figures.withLock { $0 } ?? TransportRuntime.Figures()
    }
    private final class Answered: Sendable { let figures = Mutex<TransportRuntime.Figures?>(nil) }

    func connect() throws -> TestSocket { try driver.connect(port) }

    /// A client of `FrameMachine` that has said who it is, and the backend's end of its connection.
    ///
    /// - Parameter before: what it says first.
    func open(_ listener: TestListener, before: [UInt8] = []) throws -> (TestSocket, TestSocket) {
        let client = try connect()
        client.write(before + FrameMachine.frame("A"))
        #expect(try client.read(6) == FrameMachine.frame("ok"))
        return (client, try listener.accept())
    }

    func stop() { runtime.shutdown() }
}

func endpoint(_ port: UInt16) -> Endpoint { Endpoint(host: "127.0.0.1", port: port, tls: nil, serverName: "localhost") }

/// A protocol of a test: frames of a two-byte length and that many bytes.
///
/// From the client: `A…` authenticates, is answered `ok` and connects; `E…` is answered with `echo`; `K…` cuts; `N…` brings
/// so many names that no more are taken, and is answered with how many; everything else goes to the backend whole. From the backend: every frame is admitted as a delivery and passed. Last words are the
/// frame `X`.
struct FrameMachine: WireMachine, ~Copyable {
    let endpoint: Endpoint
    var position: UInt64 = 0
    /// Requests of which the answer must come before the next is read.
    var waits = false
    var isConnected = false
    /// Hears every event.
    let listener: (@Sendable (WireEvent) -> Void)?
    static let echo = [UInt8](repeating: UInt8(ascii: "e"), count: 100)

    init(_ endpoint: Endpoint, waits: Bool = false, listener: (@Sendable (WireEvent) -> Void)? = nil) {
        self.endpoint = endpoint
        self.waits = waits
        self.listener = listener
    }

    /// Machines of sessions whose backend is there.
    static func boxes(
        _ port: UInt16, _ host: String = "127.0.0.1", waits: Bool = false
    ) -> @Sendable (Session) -> any MachineBox {
        let endpoint = Endpoint(host: host, port: port, tls: nil, serverName: "localhost")
        return { _ in MachineOf(FrameMachine(endpoint, waits: waits)) }
    }

    static func frame(_ text: String) -> [UInt8] { frame(Array(text.utf8)) }
    static func frame(_ bytes: [UInt8]) -> [UInt8] {
        [
            UInt8(bytes.count >> 24), UInt8(bytes.count >> 16 & 255), UInt8(bytes.count >> 8 & 255),
            UInt8(bytes.count & 255),
        ]
            + bytes
    }

    mutating func receive(
        _ window: RawSpan, from side: Side, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Int {
        var at = 0
        while let length = window.bigEndian(UInt32.self, at: at) {
            guard length > 0 else { throw WireViolation("an empty frame", side: side, at: at) }
            let end = at + 4 + Int(length)
            guard end <= window.byteCount else {
                output.need(side, bytes: end - at)
                return at
            }
            if side == .client {
                if window.byte(at: at + 4) == UInt8(ascii: "A") {
                    switch governor.authenticate(Credential(secret: window.bytes(at + 5..<end))) {
                    case .notYet:
                        output.park(.client)
                        return at
                    case .refused:
                        output.say(FrameMachine.frame("no"))
                        output.close(.ended)
                        return end
                    case .ready:
                        output.say(FrameMachine.frame("ok"))
                        output.boundary(.client)
                        if !isConnected { output.connect(endpoint) }
                        isConnected = true
                    }
                } else if window.byte(at: at + 4) == UInt8(ascii: "E") {
                    output.say(FrameMachine.frame(FrameMachine.echo))
                    output.boundary(.client)
                } else if window.byte(at: at + 4) == UInt8(ascii: "N") {
                    output.say(FrameMachine.frame("\(FrameMachine.bringNames(&governor))"))
                    output.boundary(.client)
                } else if window.byte(at: at + 4) == UInt8(ascii: "K") {
                    output.close(.refused(Refusal(.revoked)))
                    return end
                } else {
                    guard let clearance = governor.openClearance() else {
                        throw WireViolation("not authenticated", side: side, at: at)
                    }
                    output.pass(at..<end, to: .backend, under: clearance)
                    output.boundary(.backend)
                    if waits {
                        output.awaitReplies()
                        return end
                    }
                }
            } else {
                guard try deliver(window, at..<end, &governor, &output) else { return at }
            }
            at = end
        }
        return at
    }

    private static func bringNames(_ governor: inout Governor) -> Int {
        var count = 0
        while true {
            let name = Array("name \(count)".utf8)
            guard case .ready(let resource) = governor.resource(ResourceKind(0), named: name.span.bytes) else {
                return count
            }
            _ = governor.decide(Operation(.describe, resource, wireName: WireName(0)))
            count += 1
        }
    }

    private mutating func deliver(
        _ window: RawSpan, _ range: Range<Int>, _ governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Bool {
        let name: [UInt8] = Array("thing".utf8)
        guard case .ready(let resource) = governor.resource(ResourceKind(0), named: name.span.bytes) else {
            throw WireViolation("too many names", side: .backend)
        }
        guard case .allow(let clearance) = governor.decide(Operation(.consume, resource, wireName: WireName(0)))
        else {
            output.park(.backend)
            return false
        }
        position += 2  // never adjacent to the one before: every frame is a line and a ticket of its own
        let place = Position(major: UInt64(position), minor: 0)
        let delivery = Delivery(
            resource, part: Int32(truncatingIfNeeded: position), first: place, last: place, records: 1,
            bytes: UInt32(range.count), towards: .client, wireName: WireName(0))
        switch governor.admit(delivery, under: clearance) {
        case .release(let current):
            output.pass(range, to: .client, under: current)
            output.boundary(.client)
            output.mark(place)
        case .withhold: break
        case .cut(let refusal): output.close(.refused(refusal))
        }
        return true
    }

    mutating func handle(
        _ event: WireEvent, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) {
        listener?(event)
        switch event {
        case .ended(.client): if isConnected { output.finish(.backend) } else { output.close(.ended) }
        case .ended(.backend):
            output.say(FrameMachine.frame("gone"))
            output.close(.backendEnded)
        case .lastWords: output.say(FrameMachine.frame("X"))
        case .draining: output.close(.draining)
        case .accepted, .connected, .secured, .authorityChanged, .woken, .gone: break
        }
    }
}
