import TidegateCore
import TidegateWire

/// The side connection to one server that knows the others: logs in, and asks each time it is woken; CLUSTER NODES of a
/// cluster's node, the primary's address of a sentinel.
///
/// A machine without a client, so that it shares loops, TLS and log-in with the relays. It ends where the server has no
/// answer; then another is asked.
struct TopologyMachine: WireMachine, ~Copyable {
    private enum Phase { case loggingIn, asking, idle }

    /// Bytes of an answer; a thousand nodes with fragmented slots take about one megabyte.
    private static let answerLimit = 16 << 20

    private let servers: RedisServers
    private let target: RedisServers.Target
    private var phase = Phase.loggingIn
    private var upstream: UpstreamLogIn
    private var scan = ReplyScan()

    init(servers: RedisServers, target: RedisServers.Target) {
        self.servers = servers
        self.target = target
        if case .sentinels(_, _, let login) = servers.settings.discovery {
            upstream = UpstreamLogIn(servers: servers, as: login)
        } else {
            upstream = UpstreamLogIn(servers: servers)
        }
    }

    mutating func handle(
        _ event: WireEvent, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) {
        switch event {
        case .accepted: output.connect(servers.endpoint(of: target))
        case .connected:
            upstream.begin(&output)
            if upstream.isReady { ask(&output) }
        case .woken: if phase == .idle { ask(&output) }
        case .ended: output.close(phase == .loggingIn ? .backendUnreachable : .backendEnded)
        case .draining: output.close(.draining)
        case .secured, .authorityChanged, .lastWords, .gone: break
        }
    }

    mutating func receive(
        _ window: RawSpan, from side: Side, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Int {
        guard side == .backend else { throw WireViolation("a side connection has no client") }
        if !upstream.isReady {
            let consumed = try upstream.receive(window, &output)
            if upstream.isReady { ask(&output) }
            return consumed
        }
        var need: Int?
        guard let end = try scan.end(window, from: 0, byteLimit: TopologyMachine.answerLimit, need: &need) else {
            if let need { output.need(.backend, bytes: need) }
            return 0
        }
        scan.reset()
        guard phase == .asking, end == window.byteCount else {
            throw WireViolation("an answer to no question", side: .backend)
        }
        phase = .idle
        if !take(0..<end, window) { output.close(.ended) }
        return end
    }

    private mutating func ask(_ output: inout WireOutput) {
        phase = .asking
        var words = ["CLUSTER", "NODES"]
        if case .sentinels(_, let primary, _) = servers.settings.discovery {
            words = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", primary]
        }
        output.sayToBackend(RESPText.command(words.map { Array($0.utf8) }), about: .catalogue)
    }

    /// - Returns: false where another server must be asked.
    private func take(_ reply: Range<Int>, _ window: RawSpan) -> Bool {
        var cursor = ReplyCursor(reply)
        do throws(ShapeFailure) {
            let head = try cursor.next(window)
            if case .sentinels(_, let primary, _) = servers.settings.discovery {
                guard head.kind == .array, head.count == 2 else {
                    servers.reportAnswer(words(head, window) ?? "no primary of the name \(primary)")
                    return false
                }
                let host = try cursor.next(window)
                let port = try cursor.next(window)
                guard host.isText, port.isText, let name = window.text(host.content), !name.isEmpty,
                    let number = window.text(port.content).flatMap({ UInt16($0) }), number != 0
                else { throw ShapeFailure() }
                servers.publish(primary: name, port: number)
                return true
            }
            guard head.isText else {
                servers.reportAnswer(words(head, window) ?? "no list of nodes")
                return false
            }
            return servers.publish(
                ClusterNodeLine.read(String(decoding: window.bytes(head.content), as: UTF8.self)), from: target)
        } catch {
            servers.reportAnswer("an answer that is not understood")
            return false
        }
    }

    /// An error's own words, for the operator.
    private func words(_ head: RESPToken, _ window: RawSpan) -> String? {
        head.isError ? String(decoding: window.bytes(head.content.prefix(200)), as: UTF8.self) : nil
    }
}
