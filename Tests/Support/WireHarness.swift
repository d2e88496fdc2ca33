import Foundation
public import TidegateCore

/// One thing that happens to a machine.
public enum Happening: Sendable {
    case client([UInt8])
    case backend([UInt8])
    case event(WireEvent)
    /// A reload: the authority is swapped and the machine told.
    case reload(ScriptedPolicy?)
    /// Time passes, in seconds.
    case wait(Int64)
}

/// What a machine did with a transcript.
public struct WireResult: Equatable, Sendable {
    public var toClient: [UInt8] = []
    public var toBackend: [UInt8] = []
    /// Of all calls, one after the other; ranges are of the window of their call.
    public var steps: [WireOutput.Step] = []
    public var violation: WireViolation?
    public var closed: CloseReason?
    /// Bugs of the machine: stale clearances, ranges outside of the window, bytes passed but not consumed.
    public var faults: [String] = []
    /// Where it connected to, `host:port`.
    public var endpoints: [String] = []
    /// Evidence, a line each.
    public var lines: [String] = []
    /// Bytes that nobody consumed.
    public var leftOver: [Side: Int] = [:]
}

/// How a transcript is fed.
public enum Feeding: String, Sendable, CaseIterable {
    /// Each piece at once.
    case whole
    /// Byte by byte.
    case drip
    /// Each piece at once, and every question that may take time is first answered `notYet`.
    case reluctant
}

/// Plays the relay's part without sockets: offers windows, runs steps, keeps what was not consumed.
///
/// As the relay it honours `need`, `park` and `awaitReplies`, asks again after a wake, and answers `connect` with
/// `connected` at once (behind the TLS handshake, where the endpoint has TLS).
public final class WireHarness {
    public var governor: Governor
    public private(set) var result = WireResult()
    private let kit: ScriptedAuthority
    private let machine: any MachineBox
    private var output: WireOutput
    private var windows: [Side: [UInt8]] = [.client: [], .backend: []]
    private var needs: [Side: Int] = [:]
    private var parked: Set<Side> = []
    private var fresh: Set<Side> = []
    private var awaitsReplies = false
    private var pendingEvents: [WireEvent] = []

    public init(_ kit: ScriptedAuthority, _ machine: any MachineBox, token: String? = nil) {
        self.kit = kit
        self.machine = machine
        governor = kit.makeGovernor(token: token)
        output = WireOutput(authority: governor.authorityVersion)
    }

    public func play(_ happening: Happening, drip: Bool = false) {
        switch happening {
        case .client(let bytes): feed(bytes, .client, drip)
        case .backend(let bytes): feed(bytes, .backend, drip)
        case .event(let event): pendingEvents.append(event)
        case .reload(let policy):
            governor.adopt(kit.reload(policy))
            pendingEvents.append(.authorityChanged)
        case .wait(let seconds): governor.now = governor.now.advanced(bySeconds: seconds)
        }
        settle()
    }

    /// Ends the connection and returns everything; takes the evidence lines.
    public func finish() -> WireResult {
        prepare()
        try? machine.handle(.gone, asking: &governor, &output)
        result.lines += kit.takeLines()
        for side in Side.allCases { if let rest = windows[side]?.count, rest > 0 { result.leftOver[side] = rest } }
        return result
    }

    private func feed(_ bytes: [UInt8], _ side: Side, _ drip: Bool) {
        if !drip {
            windows[side, default: []] += bytes
            fresh.insert(side)
            return
        }
        for byte in bytes {
            windows[side, default: []].append(byte)
            fresh.insert(side)
            settle()
        }
    }

    private var isRunning: Bool { result.closed == nil && result.violation == nil }

    /// Until nothing moves: events first, then the backend's bytes, then the client's.
    private func settle() {
        var rounds = 0
        while isRunning {
            rounds += 1
            if rounds > 100_000 {
                result.faults.append("the machine never comes to rest")
                return
            }
            if !pendingEvents.isEmpty {
                deliver(pendingEvents.removeFirst())
            } else if kit.takeWakes() > 0 {
                offerAgain()
            } else if fresh.remove(.backend) != nil {
                offer(.backend)
            } else if !awaitsReplies, fresh.remove(.client) != nil {
                offer(.client)
            } else {
                return
            }
        }
    }

    private func offerAgain() {
        fresh.formUnion(Side.allCases)
        parked = []
    }

    private func deliver(_ event: WireEvent) {
        prepare()
        do throws(WireViolation) {
            try machine.handle(event, asking: &governor, &output)
        } catch {
            result.violation = error
        }
        perform([], consumed: 0, from: .client)
        switch event {
        case .connected, .secured, .woken, .authorityChanged: offerAgain()
        case .accepted, .ended, .lastWords, .draining, .gone: break
        }
    }

    private func offer(_ side: Side) {
        let window = windows[side] ?? []
        guard !window.isEmpty, window.count >= needs[side] ?? 0, !parked.contains(side) else { return }
        needs[side] = 0
        prepare()
        var consumed = 0
        do throws(WireViolation) {
            consumed = try machine.receive(window.span.bytes, from: side, asking: &governor, &output)
        } catch {
            result.violation = error
        }
        if consumed < 0 || consumed > window.count {
            result.faults.append("consumed \(consumed) of \(window.count) bytes")
            consumed = max(0, min(consumed, window.count))
        }
        perform(window, consumed: consumed, from: side)
        windows[side] = Array(window[consumed...])
        if consumed > 0, side == .backend, awaitsReplies {
            awaitsReplies = false
            fresh.insert(.client)
        }
    }

    private func prepare() {
        output.empty()
        output.authority = governor.authorityVersion
    }

    private func perform(_ window: [UInt8], consumed: Int, from source: Side) {
        result.steps += output.steps
        for step in output.steps where result.closed == nil {
            switch step {
            case .pass(let range, let side):
                guard range.lowerBound >= 0, range.upperBound <= window.count else {
                    result.faults.append("passes \(range) of \(window.count) bytes")
                    continue
                }
                if range.upperBound > consumed, result.violation == nil {
                    result.faults.append("passes \(range), consumes \(consumed)")
                }
                send(window[range], to: side)
            case .put(let range, let side):
                guard range.lowerBound >= 0, range.upperBound <= output.scratch.count else {
                    result.faults.append("puts \(range) of \(output.scratch.count) bytes")
                    continue
                }
                send(output.scratch[range], to: side)
            case .boundary, .finish, .mayBeSilent: break
            case .mark(let position): governor.released = position
            case .park(let side): parked.insert(side)
            case .awaitReplies: awaitsReplies = true
            case .need(let side, let bytes): needs[side] = bytes
            case .connect:
                guard let endpoint = output.endpoint else {
                    result.faults.append("connects nowhere")
                    continue
                }
                result.endpoints.append("\(endpoint.host):\(endpoint.port)")
                windows[.backend] = []
                pendingEvents.append(.connected)
            case .secure(let side): pendingEvents.append(.secured(side, serverName: nil))
            case .close(let reason): result.closed = reason
            }
        }
        if output.fault { result.faults.append("a clearance of another authority was used") }
    }

    private func send(_ bytes: ArraySlice<UInt8>, to side: Side) {
        if side == .client { result.toClient += bytes } else { result.toBackend += bytes }
    }
}

/// Plays a transcript on a fresh machine in one way.
///
/// - Parameters:
///   - kit: makes the surroundings, told whether answers are first `notYet`.
///   - token: when given, the session is authenticated before the transcript begins.
public func play(
    _ transcript: [Happening], _ feeding: Feeding, token: String? = nil,
    kit: (_ isReluctant: Bool) -> ScriptedAuthority,
    machine: (Session) -> any MachineBox
) -> WireResult {
    let kit = kit(feeding == .reluctant)
    let session = Session(
        id: "s1", route: kit.route, clientAddress: "192.0.2.7:40000", localPort: 9192, started: ScriptedAuthority.noon)
    let harness = WireHarness(kit, machine(session), token: token)
    for happening in transcript { harness.play(happening, drip: feeding == .drip) }
    return harness.finish()
}

/// Lines of evidence without their own numbers, in an order that does not depend on tables' seeds.
private func told(_ lines: [String]) -> [String] {
    lines.map { line in
        guard let start = line.range(of: "\"id\":\""), let end = line[start.upperBound...].firstIndex(of: "\"") else {
            return line
        }
        return line.replacingCharacters(in: start.upperBound..<end, with: "")
    }.sorted()
}

/// Plays a transcript whole, byte by byte, and with every answer first `notYet`; both peers must see the same bytes in all
/// three, and evidence say the same.
///
/// - Returns: the result of the whole feeding, and what differed in the others (empty is well).
public func playAllWays(
    _ transcript: [Happening], token: String? = nil, kit: (_ isReluctant: Bool) -> ScriptedAuthority,
    machine: (Session) -> any MachineBox
) -> (result: WireResult, differences: [String]) {
    let whole = play(transcript, .whole, token: token, kit: kit, machine: machine)
    var differences = whole.faults.map { "whole: \($0)" }
    for feeding in Feeding.allCases where feeding != .whole {
        let other = play(transcript, feeding, token: token, kit: kit, machine: machine)
        differences += other.faults.map { "\(feeding): \($0)" }
        if other.toClient != whole.toClient {
            differences.append("\(feeding): the client gets \(other.toClient), whole \(whole.toClient)")
        }
        if other.toBackend != whole.toBackend {
            differences.append("\(feeding): the backend gets \(other.toBackend), whole \(whole.toBackend)")
        }
        if told(other.lines) != told(whole.lines) {
            differences.append("\(feeding): evidence is \(other.lines), whole \(whole.lines)")
        }
        if other.closed != whole.closed { differences.append("\(feeding): closes otherwise") }
        if (other.violation == nil) != (whole.violation == nil) { differences.append("\(feeding): violates otherwise") }
    }
    return (whole, differences)
}
