import TestSupport
import Testing
import TidegateCore

struct WireOutputTests {
    private func clearance(_ kit: ScriptedAuthority = ScriptedAuthority()) throws -> Clearance {
        var governor = kit.makeGovernor(token: "analyst-token")
        return try required(governor.openClearance())
    }

    @Test func `neighbours merge, other sides and gaps do not`() throws {
        let clearance = try clearance()
        var output = WireOutput(authority: 1)
        output.pass(0..<10, to: .backend, under: clearance)
        output.pass(10..<20, to: .backend, under: clearance)
        output.pass(20..<20, to: .backend, under: clearance)
        output.pass(20..<30, to: .client, under: clearance)
        output.pass(31..<40, to: .client, under: clearance)
        let steps = output.steps
        #expect(
            steps == [.pass(0..<20, to: .backend), .pass(20..<30, to: .client), .pass(31..<40, to: .client)])
    }

    @Test func `what is said follows what was passed, in order`() throws {
        let clearance = try clearance()
        var output = WireOutput(authority: 1)
        output.say([1, 2])
        output.say([3])
        output.pass(0..<1, to: .client, under: clearance)
        output.sayToBackend([4], about: .logIn)
        let start = output.scratch.count
        output.scratch += [5, 6]
        output.put(start..<start + 2, to: .backend, under: clearance)
        output.boundary(.client)
        let steps = output.steps
        let scratch = output.scratch
        #expect(
            steps == [
                .put(0..<3, to: .client), .pass(0..<1, to: .client), .put(3..<6, to: .backend), .boundary(.client),
            ])
        #expect(scratch == [1, 2, 3, 4, 5, 6])
    }

    @Test func `a clearance of another authority passes nothing and is a fault`() throws {
        let clearance = try clearance()
        var output = WireOutput(authority: 2)
        output.pass(0..<10, to: .client, under: clearance)
        output.scratch = [1]
        output.put(0..<1, to: .client, under: clearance)
        let steps = output.steps
        let fault = output.fault
        #expect(fault && steps.allSatisfy { $0 == .close(.fault) })
        output.empty()
        let cleared = output.fault
        let empty = output.steps.isEmpty && output.scratch.isEmpty
        #expect(!cleared && empty)
    }

    @Test func `connect keeps its endpoint until it is emptied`() {
        var output = WireOutput(authority: 1)
        output.connect(Endpoint(host: "b1", port: 9092, tls: nil, serverName: "b1"))
        let host = output.endpoint?.host
        let steps = output.steps
        #expect(host == "b1" && steps == [.connect])
        output.empty()
        let gone = output.endpoint == nil
        #expect(gone)
    }

    @Test func `every reason to close has a word of its own`() {
        let reasons: [CloseReason] = [
            .ended, .backendEnded, .backendUnreachable, .backendRefusedLogIn, .violation(.client), .violation(.backend),
            .refused(Refusal(.expired)), .limit, .idle, .notAuthenticatedInTime, .draining, .killed, .fault,
        ]
        #expect(Set(reasons.map(\.word)).count == reasons.count)
    }
}

/// Echoes whole lines to the backend and answers `q` after an authenticator's answer: enough to try the harness on.
struct LineMachine: WireMachine, ~Copyable {
    var isKnown = false
    mutating func receive(
        _ window: RawSpan, from side: Side, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Int {
        var consumed = 0
        for end in 0..<window.byteCount where window.unsafeLoad(fromByteOffset: end, as: UInt8.self) == 10 {
            if !isKnown {
                let token = window.extracting(consumed..<end).withUnsafeBytes { [UInt8]($0) }
                switch governor.authenticate(Credential(secret: token)) {
                case .ready: output.say(Array("welcome\n".utf8))
                case .notYet:
                    output.park(side)
                    return consumed
                case .refused(let refusal):
                    output.close(.refused(refusal))
                    return window.byteCount
                }
                isKnown = true
                output.connect(Endpoint(host: "b", port: 1, tls: nil, serverName: "b"))
            } else if let clearance = governor.openClearance() {
                output.pass(consumed..<end + 1, to: side.other, under: clearance)
            }
            consumed = end + 1
        }
        if window.byteCount - consumed > 100 { throw WireViolation("a line is too long", side: side, at: consumed) }
        return consumed
    }

    mutating func handle(
        _ event: WireEvent, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) {
        if case .lastWords = event { output.say(Array("bye\n".utf8)) }
    }
}

struct WireHarnessTests {
    private func play(_ transcript: [Happening]) -> (result: WireResult, differences: [String]) {
        playAllWays(transcript, kit: { ScriptedAuthority(isReluctant: $0) }, machine: { _ in MachineOf(LineMachine()) })
    }

    @Test func `a transcript is the same whole, in drops and with reluctant answers`() {
        let (result, differences) = play([
            .event(.accepted), .client(Array("analyst-token\nhello\n".utf8)), .backend(Array("answer\nrest".utf8)),
            .event(.lastWords(Refusal(.expired))),
        ])
        #expect(differences == [])
        #expect(String(decoding: result.toClient, as: UTF8.self) == "welcome\nanswer\nbye\n")
        #expect(String(decoding: result.toBackend, as: UTF8.self) == "hello\n")
        #expect(result.endpoints == ["b:1"] && result.leftOver == [.backend: 4])
        #expect(result.lines.count == 1)
    }

    @Test func `refusals and violations are seen in all three`() {
        let refused = play([.client(Array("nobody\n".utf8))])
        #expect(refused.differences == [] && refused.result.closed == .refused(Refusal(.unauthenticated)))
        let violated = play([.client([UInt8](repeating: 65, count: 200))])
        #expect(violated.differences == [] && violated.result.violation?.reason.description == "a line is too long")
    }
}
