import TestSupport
import Testing
import TidegateCore

private let kinds: [ResourceKindDeclaration] = [
    .init(singular: "stream", plural: "streams"), .init(singular: "group", plural: "groups"),
    .init(singular: "key", plural: "keys"),
]
private let wireNames = ["XLEN", "XRANGE", "DEL", "EVAL"]
private let (xlen, xrange, del, eval) = (WireName(0), WireName(1), WireName(2), WireName(3))

/// Allows some commands, under rule zero.
private func only(_ commands: String...) -> ScriptedPolicy.Judge {
    { _, question in Ruling(effect: .allow, rule: 0).unless(!commands.contains(question.command)) }
}

extension Ruling {
    fileprivate func unless(_ isDenied: Bool) -> Ruling { isDenied ? Ruling(effect: .deny, rule: -1) : self }
}

private func kit(
    explicitCommands: Set<String> = [], distinguishes: Bool = true, judge: @escaping ScriptedPolicy.Judge
) -> ScriptedAuthority {
    ScriptedAuthority(
        kinds: kinds, wireNames: wireNames, explicitCommands: explicitCommands, distinguishesCommands: distinguishes,
        protocolName: "redis", judge: judge)
}

private func isAllowed(_ governor: inout Governor, _ operation: Operation) -> Bool {
    governor.decide(operation).clearance != nil
}

struct GovernorCommandTests {
    @Test(arguments: [[xlen, xrange], [xrange, xlen]], [false, true])
    func `what opens one command does not open another from a warm cache, in either order`(
        order: [WireName], isPair: Bool
    ) throws {
        let kit = kit(judge: only("XLEN"))
        var governor = kit.makeGovernor(token: "analyst-token")
        let stream = try interned(&governor, 0, "orders")
        let group = isPair ? try interned(&governor, 1, "g") : nil
        for command in order + order + order {
            let operation = Operation(.consume, stream, within: group, wireName: command)
            let decided = isAllowed(&governor, operation)
            let stands = governor.standing(operation).clearance != nil
            #expect(decided == (command == xlen) && stands == decided)
        }
        #expect(Set(kit.policy.askedQuestions.map(\.command)) == ["XLEN", "XRANGE"])
        #expect(kit.policy.questions.count == 2, "each command is asked once")
    }

    @Test func `commands share a decision where no rule tells them apart`() throws {
        let kit = kit(distinguishes: false) { _, _ in Ruling(effect: .allow, rule: 0) }
        var governor = kit.makeGovernor(token: "analyst-token")
        let stream = try interned(&governor, 0, "orders")
        for command in [xlen, xrange, xlen] {
            let decided = isAllowed(&governor, Operation(.consume, stream, wireName: command))
            #expect(decided)
        }
        #expect(kit.policy.questions.count == 1)
        governor.end(.ended)
        #expect(
            kit.takeLines().last?.contains(#""operations":[{"action":"consume","resource":"stream:orders""#) == true)
    }

    @Test func `a clearance is renewed for the command that it was given for`() throws {
        let kit = kit(judge: only("XLEN", "XRANGE"))
        var governor = kit.makeGovernor(token: "analyst-token")
        let stream = try interned(&governor, 0, "orders")
        let (length, range) = (
            Operation(.consume, stream, wireName: xlen), Operation(.consume, stream, wireName: xrange)
        )
        let ofLength = try required(governor.decide(length).clearance)
        let ofRange = try required(governor.decide(range).clearance)
        governor.adopt(kit.reload(ScriptedPolicy(distinguishesCommands: true, judge: only("XRANGE"))))
        let (lost, kept) = (governor.renew(ofLength), governor.renew(ofRange))
        #expect(lost == nil && kept != nil)
        let (refused, stands) = (governor.standing(length).refusal?.code, governor.standing(range).clearance)
        #expect(refused == .revoked && stands != nil)
    }

    @Test(arguments: [[xlen, xrange], [xrange, xlen]], [false, true])
    func `a reload that begins to tell commands apart leaves no right to the other command`(
        order: [WireName], isPair: Bool
    ) throws {
        let kit = kit(distinguishes: false) { _, _ in Ruling(effect: .allow, rule: 0) }
        var governor = kit.makeGovernor(token: "analyst-token")
        let (stream, own) = (try interned(&governor, 0, "orders"), try interned(&governor, 0, "own"))
        let group = isPair ? try interned(&governor, 1, "g") : nil
        func asks(_ stream: Resource, _ command: WireName) -> Operation {
            Operation(.consume, stream, within: group, wireName: command)
        }
        var clearances: [WireName: Clearance] = [:]
        for command in order { clearances[command] = governor.decide(asks(stream, command)).clearance }
        let alone = try required(governor.decide(asks(own, xlen)).clearance)

        governor.adopt(kit.reload(ScriptedPolicy(distinguishesCommands: true, judge: only("XLEN"))))
        let ranged = governor.renew(try required(clearances[xrange]))
        let aloneStill = governor.renew(alone)
        #expect(ranged == nil, "the line is of whichever came first")
        #expect(aloneStill != nil, "nobody else asked there")
        let bytes = Delivery(stream, records: 1, bytes: 1, towards: .client, wireName: xrange)
        let admission = governor.admit(bytes, under: try required(clearances[xrange]))
        #expect(admission.word == "withhold: no longer allowed")
        for command in order + order {
            let stands = governor.standing(asks(stream, command)).clearance != nil
            let decided = isAllowed(&governor, asks(stream, command))
            #expect(stands == (command == xlen) && decided == stands)
        }
        let fresh = try required(governor.decide(asks(stream, xlen)).clearance)
        let again = governor.renew(fresh)
        #expect(again == fresh, "what is given from then on is of one command")
    }

    @Test func `a right that only stood is shared as one that was decided`() throws {
        let kit = kit(distinguishes: false) { _, _ in Ruling(effect: .allow, rule: 0) }
        var governor = kit.makeGovernor(token: "analyst-token")
        let stream = try interned(&governor, 0, "orders")
        _ = governor.decide(Operation(.consume, stream, wireName: xlen))
        let standing = try required(governor.standing(Operation(.consume, stream, wireName: xrange)).clearance)
        governor.adopt(kit.reload(ScriptedPolicy(distinguishesCommands: true, judge: only("XLEN"))))
        let renewed = governor.renew(standing)
        #expect(renewed == nil)
    }

    @Test func `a reload that tells commands apart no more, and one that does again`() throws {
        let kit = kit(judge: only("XLEN"))
        var governor = kit.makeGovernor(token: "analyst-token")
        let stream = try interned(&governor, 0, "orders")
        let (length, range) = (
            Operation(.consume, stream, wireName: xlen), Operation(.consume, stream, wireName: xrange)
        )
        func both() -> [Bool] { [isAllowed(&governor, length), isAllowed(&governor, range)] }
        let first = both()
        governor.adopt(kit.reload(ScriptedPolicy { _, _ in Ruling(effect: .allow, rule: 0) }))
        let second = both()
        let shared = try required(governor.decide(range).clearance)
        governor.adopt(kit.reload())
        let renewed = governor.renew(shared)
        let third = both()
        #expect(first == [true, false] && second == [true, true] && third == [true, false] && renewed == nil)
    }

    @Test func `what must be named is asked as such, and apart, whatever the policy distinguishes`() throws {
        let kit = kit(explicitCommands: ["EVAL"], distinguishes: false) { _, question in
            Ruling(effect: .allow, rule: 0).unless(question.mustBeNamed)
        }
        var governor = kit.makeGovernor(token: "analyst-token")
        let stream = try interned(&governor, 0, "orders")
        for (command, isOpen) in [(xlen, true), (eval, false), (WireName(9), false), (eval, false), (xlen, true)] {
            let decided = isAllowed(&governor, Operation(.consume, stream, wireName: command))
            #expect(decided == isOpen, "\(command.index)")
        }
        #expect(kit.policy.askedQuestions.map(\.command) == ["XLEN", "EVAL", ""])
        #expect(kit.policy.askedQuestions.map(\.mustBeNamed) == [false, true, true])
        let plain = ScriptedAuthority().route
        #expect(!plain.hasExplicitCommands && !plain.mustBeNamed(WireName(0)) && !plain.mustBeNamed(WireName(9)))
    }

    @Test func `the end of a session says which command was decided, where they are kept apart`() throws {
        let kit = kit(distinguishes: false) { _, _ in Ruling(effect: .allow, rule: 0) }
        var governor = kit.makeGovernor(token: "analyst-token")
        let stream = try interned(&governor, 0, "orders")
        for command in [xlen, xrange] { _ = governor.decide(Operation(.consume, stream, wireName: command)) }
        governor.adopt(
            kit.reload(ScriptedPolicy(ruleNames: ["rule zero"], distinguishesCommands: true, judge: only("XLEN"))))
        for command in [xlen, xrange] { _ = governor.decide(Operation(.consume, stream, wireName: command)) }
        governor.end(.ended)
        let ended = try #require(kit.takeLines().last)
        let what = #""action":"consume","resource":"stream:orders","#
        #expect(
            ended.hasSuffix(
                #""operations":[{\#(what)"rule":"rule zero","decision":"allowed","count":2},"#
                    + #"{"operation":"XLEN",\#(what)"rule":"rule zero","decision":"allowed","count":1},"#
                    + #"{"operation":"XRANGE",\#(what)"decision":"denied","count":1}]}"#))
    }

    @Test func `a name that is listed is judged for no command, or for the one that lists it`() throws {
        let kit = kit(explicitCommands: ["EVAL"], judge: only("", "XLEN"))
        let governor = kit.makeGovernor(token: "analyst-token")
        let name = Array("orders".utf8)
        var permitted: [Bool] = []
        for command in [nil, xlen, xrange] {
            permitted.append(governor.permits(.describe, ResourceKind(0), named: name.span.bytes, by: command))
        }
        _ = governor.permits(.describe, ResourceKind(0), named: name.span.bytes, by: eval)
        #expect(permitted == [true, true, false])
        #expect(kit.policy.askedQuestions.map(\.mustBeNamed) == [false, false, false, true])
    }
}

struct GovernorAnyOfTests {
    enum Answer: String, CaseIterable, Sendable { case none, allow, asks, deny }

    private static func judge(_ stream: Answer, _ key: Answer) -> ScriptedPolicy.Judge {
        { _, question in
            let isStream = question.kind == "stream"
            let rule: Int32 = isStream ? 0 : 1
            return switch isStream ? stream : key {
            case .none: Ruling(effect: .deny, rule: -1)
            case .allow: Ruling(effect: .allow, rule: rule, mask: MaskIndex(isStream ? 1 : 2))
            case .asks: Ruling(effect: .requireApproval, rule: rule)
            case .deny: Ruling(effect: .deny, rule: rule)
            }
        }
    }

    private func operations(
        _ governor: inout Governor, _ action: Action = .describe, _ command: WireName = del
    ) throws -> (stream: Operation, key: Operation) {
        (
            Operation(action, try interned(&governor, 0, "name"), wireName: command),
            Operation(action, try interned(&governor, 2, "name"), wireName: command)
        )
    }

    /// `word rule mask`, and the kinds that evidence names.
    private func told(_ decision: Decision) -> String {
        switch decision {
        case .allow(let clearance): "allow \(clearance.mask.index)"
        case .deny(let refusal): "\(refusal.code) \(refusal.rule)"
        case .hold: "hold"
        }
    }

    @Test(arguments: Answer.allCases, Answer.allCases)
    func `a deny of either decides, then an approval of either, then an allow`(_ stream: Answer, _ key: Answer) throws {
        let kit = kit(distinguishes: false, judge: GovernorAnyOfTests.judge(stream, key))
        var governor = kit.makeGovernor(token: "analyst-token")
        let (first, second) = try operations(&governor)
        _ = kit.takeLines()
        let order: [Answer] = [.deny, .asks, .allow]
        let strictest = order.first { $0 == stream || $0 == key }
        let isFirst = strictest == nil || strictest == stream
        let expected =
            switch strictest {
            case .deny: "denied \(isFirst ? 0 : 1)"
            case .asks: "approvalRequired \(isFirst ? 0 : 1)"
            case .allow: "allow \(isFirst ? 1 : 2)"
            default: "noRule -1"
            }
        for _ in 0..<3 {
            let decision = governor.decide(anyOf: first, second)
            #expect(told(decision) == expected)
        }
        let lines = kit.takeLines()
        #expect(
            lines.count == 1 && lines[0].contains(isFirst ? #""resource":"stream:name""# : #""resource":"key:name""#))
        #expect(kit.meter.counts.operations.reduce(0, +) == 3)
        #expect(kit.policy.questions.count == 3, "each once to compare, and the decider")
    }

    @Test func `what was only compared is neither decided nor written`() throws {
        let kit = kit(distinguishes: false, judge: GovernorAnyOfTests.judge(.allow, .allow))
        var governor = kit.makeGovernor(token: "analyst-token")
        let (first, second) = try operations(&governor)
        _ = governor.decide(anyOf: first, second)
        _ = kit.takeLines()
        governor.end(.ended)
        let ended = try #require(kit.takeLines().last)
        #expect(ended.contains("stream:name") && !ended.contains("key:name"))

        var other = kit.makeGovernor(token: "analyst-token")
        let (stream, key) = try operations(&other)
        _ = other.decide(anyOf: stream, key)
        _ = kit.takeLines()
        let alone = other.decide(key)
        #expect(told(alone) == "allow 2")
        let lines = kit.takeLines()
        #expect(lines.count == 1 && lines[0].contains(#""resource":"key:name""#), "its first decision is evidence")
    }

    @Test func `a comparison while evidence is full or broken opens nothing`() throws {
        let kit = kit(distinguishes: false, judge: GovernorAnyOfTests.judge(.none, .allow))
        var governor = kit.makeGovernor(token: "analyst-token")
        let (first, second) = try operations(&governor, .delete)
        kit.evidence.isBroken = true
        let refused = governor.decide(anyOf: first, second)
        kit.evidence.isBroken = false
        let allowed = governor.decide(anyOf: first, second)
        #expect(told(refused) == "evidenceUnavailable -1" && told(allowed) == "allow 2")
    }

    @Test func `changes are written each time, the deciding one`() throws {
        let kit = kit(distinguishes: false, judge: GovernorAnyOfTests.judge(.none, .allow))
        var governor = kit.makeGovernor(token: "analyst-token")
        let (first, second) = try operations(&governor, .delete)
        _ = (kit.takeLines(), governor.takeTickets())
        for _ in 0..<2 {
            _ = governor.decide(anyOf: first, second)
            let tickets = governor.takeTickets()
            #expect(tickets.backend > 0)
        }
        let lines = kit.takeLines()
        #expect(lines.count == 2 && lines.allSatisfy { $0.contains(#""resource":"key:name""#) })
    }

    @Test func `a reload and a re-authentication compare anew`() throws {
        var weaker = Principal.analyst
        weaker.groups = []
        let judge: ScriptedPolicy.Judge = { principal, question in
            principal.groups.isEmpty && question.kind == "key"
                ? Ruling(effect: .deny, rule: 1) : Ruling(effect: .allow, rule: 0)
        }
        let kit = ScriptedAuthority(
            kinds: kinds, wireNames: wireNames, principals: ["analyst-token": .analyst, "weaker": weaker], judge: judge)
        var governor = kit.makeGovernor(token: "analyst-token")
        let (first, second) = try operations(&governor)
        let before = governor.decide(anyOf: first, second)
        _ = governor.authenticate(credential("weaker"))
        let weak = governor.decide(anyOf: first, second)
        _ = governor.authenticate(credential("analyst-token"))
        governor.adopt(kit.reload(ScriptedPolicy(judge: GovernorAnyOfTests.judge(.allow, .deny))))
        let reloaded = governor.decide(anyOf: first, second)
        #expect(before.clearance != nil && told(weak) == "denied 1" && told(reloaded) == "denied 1")
    }

    @Test func `comparisons are kept apart by command too`() throws {
        let kit = kit { _, question in
            question.kind == "key" && question.command == "EVAL"
                ? Ruling(effect: .deny, rule: 1) : Ruling(effect: .allow, rule: 0)
        }
        var governor = kit.makeGovernor(token: "analyst-token")
        for command in [del, eval, del, eval] {
            let (first, second) = try operations(&governor, .describe, command)
            let decision = governor.decide(anyOf: first, second)
            #expect((decision.clearance != nil) == (command == del))
        }
    }

    @Test func `nobody, an ended token, and a cache without room get nothing`() throws {
        let kit = kit(distinguishes: false) { _, question in
            question.kind == "key" ? Ruling(effect: .deny, rule: 1) : Ruling(effect: .allow, rule: 0)
        }
        var nobody = kit.makeGovernor()
        let (first, second) = try operations(&nobody)
        let unknown = nobody.decide(anyOf: first, second)
        #expect(told(unknown) == "unauthenticated -1" && kit.policy.questions == [])

        var governor = kit.makeGovernor(token: "analyst-token")
        let (stream, key) = try operations(&governor)
        _ = governor.decide(stream)
        governor.now = Principal.analyst.expires
        let ended = governor.decide(anyOf: stream, key)
        #expect(told(ended) == "expired -1")
        governor.now = ScriptedAuthority.noon

        // The first has its line, the second finds no room: what would deny it is not known.
        var names: [Resource] = []
        for number in 0..<256 { names.append(try interned(&governor, 1, "g\(number)")) }
        pairs: for name in names {
            for within in names {
                let filling = governor.decide(Operation(.commit, name, within: within, wireName: del))
                if filling.refusal?.code == .limit { break pairs }
            }
        }
        let alone = governor.decide(stream)
        let full = governor.decide(anyOf: stream, key)
        #expect(alone.clearance != nil && told(full) == "limit -1")
    }
}
