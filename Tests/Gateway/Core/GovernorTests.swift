import TestSupport
import Testing
import TidegateCore

/// Spans may not appear inside the testing macros; a harness of plain calls.
func resource(_ governor: inout Governor, _ kind: UInt8, _ name: String) -> Resource? {
    let bytes = Array(name.utf8)
    if case .ready(let found) = governor.resource(ResourceKind(kind), named: bytes.span.bytes) { return found }
    return nil
}

/// Passes a value on that must be there; macros take no inout and no noncopyable.
func required<Value>(_ value: Value?) throws -> Value { try #require(value) }

func interned(_ governor: inout Governor, _ kind: UInt8, _ name: String) throws -> Resource {
    try required(resource(&governor, kind, name))
}

func permits(_ governor: borrowing Governor, _ action: Action, _ name: String) -> Bool {
    let bytes = Array(name.utf8)
    return governor.permits(action, ResourceKind(0), named: bytes.span.bytes)
}

extension Decision {
    var clearance: Clearance? { if case .allow(let clearance) = self { clearance } else { nil } }
    var refusal: Refusal? { if case .deny(let refusal) = self { refusal } else { nil } }
}

extension Admission {
    var word: String {
        switch self {
        case .release: "release"
        case .withhold(let refusal): "withhold: \(refusal.reason)"
        case .cut(let refusal): "cut: \(refusal.reason)"
        }
    }
}

extension Answer where Value == Principal {
    var refusal: Refusal? { if case .refused(let refusal) = self { refusal } else { nil } }
    var isReady: Bool { if case .ready = self { true } else { false } }
    var isNotYet: Bool { if case .notYet = self { true } else { false } }
}

func credential(_ token: String) -> Credential { Credential(secret: Array(token.utf8)) }

struct GovernorIdentityTests {
    @Test func `a verified token starts a session, written once`() {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor()
        let answer = governor.authenticate(credential("analyst-token"))
        #expect(answer.isReady)
        let subject = governor.principal?.subject
        #expect(subject == "ada")
        let lines = kit.takeLines()
        #expect(
            lines == [
                #"{"type":"session.started","time":"2026-11-24T12:00:00.000000Z","id":"test-1","session_id":"s1","#
                    + #""route":"orders","backend":"backend","protocol":"kafka","subject":"ada","groups":["analysts"],"#
                    + #""client_address":"192.0.2.7:40000"}"#
            ])
        #expect(kit.meter.counts.sessionsActive == 1 && kit.meter.counts.sessionsStarted == 1)
        let tickets = governor.takeTickets()
        #expect(tickets.client == 1 && tickets.backend == 0)
    }

    @Test func `an open question is not yet, wakes, and is answered the second time`() {
        let kit = ScriptedAuthority(isReluctant: true)
        var governor = kit.makeGovernor()
        let first = governor.authenticate(credential("analyst-token"))
        #expect(first.isNotYet && kit.takeWakes() == 1 && kit.takeLines() == [])
        let second = governor.authenticate(credential("analyst-token"))
        #expect(second.isReady)
    }

    @Test func `a rejected session is written and counted once, its token nowhere`() {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor()
        let answer = governor.authenticate(credential("secret-nonsense"))
        #expect(answer.refusal?.code == .unauthenticated)
        governor.end(.refused(Refusal(.unauthenticated)))
        let lines = kit.takeLines()
        #expect(lines.count == 1)
        #expect(lines[0].contains(#""type":"session.rejected""#) && lines[0].contains(#""reason":"unknown token""#))
        #expect(!lines[0].contains("nonsense"))
        #expect(kit.meter.counts.sessionsRejected == 1 && kit.meter.counts.sessionsActive == 0)
    }

    @Test func `rejections of one session are written once, of its re-authentication a few times`() {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor()
        for _ in 0..<100 {
            _ = governor.authenticate(credential("unknown"))
            governor.rejectSession("garbage")
        }
        #expect(kit.takeLines().count == 1)
        var other = kit.makeGovernor(token: "analyst-token")
        _ = kit.takeLines()
        for _ in 0..<100 { _ = other.authenticate(credential("unknown")) }
        let count = kit.takeLines().count
        #expect((1...10).contains(count))
    }

    @Test func `rejections beyond fifty in a second are counted by reason`() {
        let kit = ScriptedAuthority()
        func reject(_ times: Int, at seconds: Int64) {
            for _ in 0..<times {
                var governor = kit.makeGovernor()
                governor.now = ScriptedAuthority.noon.advanced(bySeconds: seconds)
                governor.rejectSession("garbage")
            }
        }
        reject(1000, at: 0)
        #expect(kit.takeLines().count == 50)
        kit.evidence.settle(at: ScriptedAuthority.noon)
        #expect(kit.takeLines().isEmpty)
        reject(1, at: 1)
        let lines = kit.takeLines()
        #expect(lines.count == 2)
        #expect(lines[0].contains(#""reason":"garbage","count":950"#))
        kit.evidence.settle(at: ScriptedAuthority.noon.advanced(bySeconds: 2))
        #expect(kit.takeLines().isEmpty)
    }

    @Test func `the epoch of decisions rises with a reload and with a re-authentication`() {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        let start = governor.decisionEpoch
        _ = governor.authenticate(credential("unknown"))
        let rejected = governor.decisionEpoch
        _ = governor.authenticate(credential("analyst-token"))
        let renewed = governor.decisionEpoch
        governor.adopt(kit.reload())
        let reloaded = governor.decisionEpoch
        #expect(rejected == start && renewed > start && reloaded > renewed)
    }

    @Test func `a session that says nothing understandable is rejected at its end`() {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor()
        governor.end(.violation(.client))
        let lines = kit.takeLines()
        #expect(lines.count == 1 && lines[0].contains(#""reason":"client-violation""#))
        var quiet = kit.makeGovernor()
        quiet.end(.ended)
        #expect(kit.takeLines() == [])
    }

    @Test func `an ended token is refused, at log-in and again`() {
        let principal = Principal(
            subject: "ada", groups: [], issuer: "i", expires: ScriptedAuthority.noon)
        let kit = ScriptedAuthority(principals: ["old": principal, "analyst-token": .analyst])
        var governor = kit.makeGovernor()
        let atLogIn = governor.authenticate(credential("old"))
        let isNobody = governor.principal == nil
        #expect(atLogIn.refusal?.code == .unauthenticated && isNobody)
        _ = governor.authenticate(credential("analyst-token"))
        let again = governor.authenticate(credential("old"))
        #expect(again.refusal != nil)
        let principalNow = governor.principal
        #expect(principalNow == .analyst)
    }

    @Test func `nobody becomes somebody else on a session`() {
        let other = Principal(subject: "eve", groups: [], issuer: Principal.analyst.issuer, expires: .distantFuture)
        var foreign = Principal.analyst
        foreign.issuer = "https://other.test"
        let kit = ScriptedAuthority(principals: ["analyst-token": .analyst, "eve": other, "foreign": foreign])
        var governor = kit.makeGovernor(token: "analyst-token")
        for token in ["eve", "foreign"] {
            let answer = governor.authenticate(credential(token))
            #expect(answer.refusal?.code == .unauthenticated)
        }
        let principalNow = governor.principal
        #expect(principalNow == .analyst)
        #expect(kit.meter.counts.sessionsRejected == 0)
    }

    @Test func `sessions of one subject are limited and given back`() {
        var limits = SessionLimits()
        limits.sessionsPerPrincipal = 1
        let kit = ScriptedAuthority(limits: limits)
        var first = kit.makeGovernor(token: "analyst-token")
        var second = kit.makeGovernor()
        let refused = second.authenticate(credential("analyst-token"))
        #expect(refused.refusal?.code == .limit)
        first.end(.ended)
        let admitted = second.authenticate(credential("analyst-token"))
        #expect(admitted.isReady && kit.meter.counts.sessionsActive == 1)
    }

    @Test func `no session starts while evidence is broken`() {
        let kit = ScriptedAuthority()
        kit.evidence.isBroken = true
        var governor = kit.makeGovernor()
        let answer = governor.authenticate(credential("analyst-token"))
        let isNobody = governor.principal == nil
        #expect(answer.refusal?.code == .evidenceUnavailable && isNobody)
    }
}

struct GovernorDecisionTests {
    @Test func `nothing is allowed before a principal is known`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor()
        let topic = try interned(&governor, 0, "orders")
        let decision = governor.decide(Operation(.consume, topic, wireName: WireName(0)))
        #expect(decision.refusal?.code == .unauthenticated)
        let open = governor.openClearance()
        #expect(open == nil && kit.policy.questions == [])
    }

    @Test func `the policy is asked once a name, written once, counted each time`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        _ = kit.takeLines()
        for _ in 0..<5 {
            let topic = try interned(&governor, 0, "orders")
            let decision = governor.decide(Operation(.consume, topic, wireName: WireName(0)))
            #expect(decision.clearance != nil)
        }
        #expect(kit.policy.questions == ["consume topic:orders"])
        let lines = kit.takeLines()
        #expect(
            lines.count == 1 && lines[0].contains(#""operation":"Fetch","action":"consume","resource":"topic:orders""#))
        #expect(lines[0].hasSuffix(#""rule":"rule zero","decision":"allowed"}"#))
        #expect(kit.meter.counts.operations[Int(Action.consume.rawValue) * 3] == 5)
        governor.end(.ended)
        let ended = try #require(kit.takeLines().last)
        #expect(
            ended.contains(
                #""operations":[{"action":"consume","resource":"topic:orders","rule":"rule zero","#
                    + #""decision":"allowed","count":5}]"#))
    }

    @Test func `counts are closed where the decision or its rule changes, under the name that the rule had`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        let topic = try interned(&governor, 0, "orders")
        let group = try interned(&governor, 1, "g")
        let operation = Operation(.commit, topic, within: group, wireName: WireName(0))
        for _ in 0..<3 { _ = governor.decide(operation) }
        // Another rule under the same number.
        governor.adopt(kit.reload(ScriptedPolicy(ruleNames: ["other"]) { _, _ in Ruling(effect: .allow, rule: 0) }))
        for _ in 0..<2 { _ = governor.decide(operation) }
        governor.adopt(kit.reload(ScriptedPolicy(ruleNames: ["", "no"]) { _, _ in Ruling(effect: .deny, rule: 1) }))
        _ = governor.standing(operation)
        _ = governor.standing(operation)
        _ = governor.decide(operation)
        // The same rule under another number is no news.
        governor.adopt(kit.reload(ScriptedPolicy(ruleNames: ["no"]) { _, _ in Ruling(effect: .deny, rule: 0) }))
        _ = governor.decide(operation)
        let types = kit.takeLines().compactMap { $0.split(separator: "\"").dropFirst(3).first.map(String.init) }
        #expect(types == ["session.started", "operation.allowed", "operation.allowed", "operation.denied"])
        governor.end(.ended)
        let ended = try #require(kit.takeLines().last)
        let what = #"{"action":"commit","resource":"topic:orders","within":"group:g","#
        #expect(
            ended.hasSuffix(
                #""operations":[\#(what)"rule":"rule zero","decision":"allowed","count":3},"#
                    + #"\#(what)"rule":"other","decision":"allowed","count":2},"#
                    + #"\#(what)"rule":"no","decision":"denied","count":2}]}"#))
    }

    @Test(arguments: [(count: 1100, length: 1), (count: 600, length: 1000)])
    func `a session's end lists so many operations, and counts the others`(count: Int, length: Int) throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        let padding = String(repeating: "x", count: length)
        for number in 0..<count {
            let topic = try interned(&governor, 0, "\(padding)\(number)")
            _ = governor.decide(Operation(.consume, topic, wireName: WireName(0)))
        }
        governor.end(.ended)
        let ended = try #require(kit.takeLines().last)
        let listed = ended.split(separator: "{\"action\"").count - 1
        #expect(listed <= 1000 && ended.utf8.count < 260 << 10)
        #expect(ended.hasSuffix(",\"operations_left_out\":\(count - listed)}"))
    }

    @Test func `what is refused is told to the log, as evidence has it`() throws {
        let kit = ScriptedAuthority { _, question in
            question.name == "open" ? Ruling(effect: .allow, rule: 0) : Ruling(effect: .deny, rule: 1)
        }
        var governor = kit.makeGovernor(token: "analyst-token")
        for name in ["open", "closed", "closed"] {
            let topic = try interned(&governor, 0, name)
            _ = governor.decide(Operation(.consume, topic, wireName: WireName(0)))
        }
        governor.refuseRequest(WireName(2), "not open to clients")
        var other = kit.makeGovernor()
        _ = other.authenticate(credential("secret-nonsense"))
        let lines = kit.takeLog()
        let expected = [
            #""level":"info","message":"refused","type":"operation.denied","session_id":"s1","route":"orders""#,
            #""decision":"denied","reason":"not open to clients"}"#,
            #""client_address":"192.0.2.7:40000","reason":"unknown token"}"#,
        ]
        #expect(lines.count == 3)
        for (line, part) in zip(lines, expected) { #expect(line.contains(part), "\(line)") }
        #expect(
            lines.first?.hasSuffix(
                #""operation":"Fetch","action":"consume","resource":"topic:closed","rule":"rule one","#
                    + #""decision":"denied","reason":"denied by rule"}"#) == true)
        #expect(!lines.joined().contains("nonsense"))
    }

    @Test func `a flood of refusals does not fill the log`() throws {
        let kit = ScriptedAuthority()
        for _ in 0..<5000 {
            var governor = kit.makeGovernor()
            governor.rejectSession("garbage")
        }
        let lines = kit.takeLog()
        #expect(lines.joined().utf8.count < 128 << 10)
        kit.evidence.settle(at: ScriptedAuthority.noon.advanced(bySeconds: 1))
        let rest = kit.takeLog()
        #expect(rest.count == 1 && rest[0].contains("\"count\":\"\(5000 - lines.count)\""), "\(rest)")
    }

    @Test func `behind storage that does not answer no session begins and nothing new is decided, until it does`()
        throws
    {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        let known = Operation(.consume, try interned(&governor, 0, "known"), wireName: WireName(0))
        let new = Operation(.consume, try interned(&governor, 0, "new"), wireName: WireName(0))
        let change = Operation(.create, try interned(&governor, 0, "known"), wireName: WireName(3))
        _ = governor.decide(known)
        kit.evidence.write("test", at: ScriptedAuthority.noon, session: []) {
            $0.append(contentsOf: repeatElement(32, count: 33 << 20))
        }
        var lines: [UInt8] = []
        let ticket = kit.evidence.take(into: &lines)
        #expect(kit.evidence.pendingBytes > 33 << 20)

        // Much, but not for long.
        let soon = ScriptedAuthority.noon.advanced(bySeconds: 4)
        var early = kit.makeGovernor(at: soon)
        let isEarly = early.authenticate(credential("analyst-token")).isReady
        #expect(isEarly)

        let late = ScriptedAuthority.noon.advanced(bySeconds: 5)
        governor.now = late
        let (again, fresh, changed) = (governor.decide(known), governor.decide(new), governor.decide(change))
        #expect(again.clearance != nil)
        #expect(fresh.refusal?.code == .evidenceUnavailable && changed.refusal?.code == .evidenceUnavailable)
        _ = kit.evidence.take(into: &lines)
        #expect(lines.capacity < 1 << 20, "memory of a burst is given back")
        for _ in 0..<100 {
            var governor = kit.makeGovernor(at: late)
            let answer = governor.authenticate(credential("analyst-token"))
            let tickets = governor.takeTickets()
            #expect(answer.refusal?.code == .evidenceUnavailable && tickets.client == 0)
        }
        kit.evidence.settle(at: late.advanced(bySeconds: 1))
        #expect(!kit.evidence.hasEntries)

        kit.evidence.forget(upTo: ticket)
        #expect(kit.evidence.pendingBytes < 1 << 20)
        let decided = governor.decide(new)
        #expect(decided.clearance != nil)
        kit.evidence.settle(at: late.advanced(bySeconds: 1))
        let counted = kit.takeLines().filter { $0.contains("session.rejected") }
        #expect(counted.count == 1 && counted[0].contains(#""reason":"evidence could not be stored","count":100"#))
    }

    @Test func `names are told apart by kind, and pairs by what they stand in`() throws {
        let kit = ScriptedAuthority { _, question in
            Ruling(effect: question.withinName == "g2" ? .deny : .allow, rule: 0)
        }
        var governor = kit.makeGovernor(token: "analyst-token")
        let topic = try interned(&governor, 0, "a")
        let group = try interned(&governor, 1, "a")
        let second = try interned(&governor, 1, "g2")
        #expect(topic != group)
        let inFirst = governor.decide(Operation(.commit, topic, within: group, wireName: WireName(0)))
        let inSecond = governor.decide(Operation(.commit, topic, within: second, wireName: WireName(0)))
        let alone = governor.decide(Operation(.commit, topic, wireName: WireName(0)))
        #expect(inFirst.clearance != nil && inSecond.refusal?.code == .denied && alone.clearance != nil)
        let again = governor.decide(Operation(.commit, topic, within: second, wireName: WireName(0)))
        #expect(again.refusal?.code == .denied)
        #expect(
            kit.policy.questions == ["commit topic:a in group:a", "commit topic:a in group:g2", "commit topic:a"])
    }

    @Test func `changes are written each time and hold back the backend`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        _ = kit.takeLines()
        _ = governor.takeTickets()
        let topic = try interned(&governor, 0, "new")
        for _ in 0..<2 {
            _ = governor.decide(Operation(.create, topic, wireName: WireName(3)))
            let tickets = governor.takeTickets()
            #expect(tickets.backend > 0)
        }
        _ = governor.standing(Operation(.create, topic, wireName: WireName(3)))
        #expect(kit.takeLines().count == 2)
    }

    @Test func `changes are refused while evidence is broken`() throws {
        let kit = ScriptedAuthority(isStrict: false)
        var governor = kit.makeGovernor(token: "analyst-token")
        let topic = try interned(&governor, 0, "new")
        kit.evidence.isBroken = true
        let decision = governor.decide(Operation(.delete, topic, wireName: WireName(3)))
        #expect(decision.refusal?.code == .evidenceUnavailable)
    }

    @Test func `what needs an approval is held, with its rule`() throws {
        let kit = ScriptedAuthority { _, _ in Ruling(effect: .requireApproval, rule: 2) }
        var governor = kit.makeGovernor(token: "analyst-token")
        _ = kit.takeLines()
        let topic = try interned(&governor, 0, "orders")
        let operation = Operation(.consume, topic, wireName: WireName(0))
        let refusal = try required(governor.decide(operation).refusal)
        #expect(refusal.code == .approvalRequired && refusal.rule == 2)
        let text = governor.text(refusal, operation)
        #expect(text.contains("'rule two'"))
        let lines = kit.takeLines()
        #expect(lines.count == 1 && lines[0].contains(#""type":"operation.held""#))
        #expect(lines[0].contains(#""decision":"held""#))
    }

    @Test func `a reload asks again and writes only what changed`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        let topic = try interned(&governor, 0, "orders")
        let operation = Operation(.consume, topic, wireName: WireName(0))
        let old = try required(governor.decide(operation).clearance)
        _ = kit.takeLines()
        governor.adopt(kit.reload())
        let same = governor.decide(operation)
        #expect(same.clearance != nil && same.clearance != old)
        #expect(kit.takeLines() == [])
        governor.adopt(kit.reload(ScriptedPolicy(ruleNames: ["no"]) { _, _ in Ruling(effect: .deny, rule: 0) }))
        let renewed = governor.renew(old)
        #expect(renewed == nil)
        let refused = governor.decide(operation)
        #expect(refused.refusal != nil)
        let lines = kit.takeLines()
        #expect(lines.count == 1 && lines[0].contains(#""type":"operation.denied""#))
        governor.adopt(kit.reload())
        let back = governor.standing(operation)
        #expect(back.clearance != nil)
        let allowed = kit.takeLines()
        #expect(allowed.count == 1 && allowed[0].contains(#""type":"operation.allowed""#))
    }

    @Test func `standing neither counts nor writes`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        let topic = try interned(&governor, 0, "orders")
        let group = try interned(&governor, 1, "g")
        let pair = Operation(.commit, topic, within: group, wireName: WireName(0))
        _ = governor.decide(pair)
        _ = governor.decide(Operation(.commit, topic, wireName: WireName(0)))
        let counted = kit.meter.counts
        _ = kit.takeLines()
        let standing = governor.standing(pair)
        #expect(standing.clearance != nil && kit.meter.counts == counted && kit.takeLines() == [])
    }

    @Test func `expiry ends every right`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        let topic = try interned(&governor, 0, "orders")
        let operation = Operation(.consume, topic, wireName: WireName(0))
        let clearance = try required(governor.decide(operation).clearance)
        let covered = governor.openClearance()
        #expect(covered != nil)
        governor.now = Principal.analyst.expires
        let renewed = governor.renew(clearance)
        let open = governor.openClearance()
        let decided = governor.decide(operation).refusal?.code
        let standing = governor.standing(operation).refusal?.code
        let isPermitted = permits(governor, .describe, "orders")
        #expect(renewed == nil && open == nil && decided == .expired && standing == .expired)
        #expect(!isPermitted)
        let delivery = Delivery(topic, records: 1, bytes: 1, towards: .client, wireName: WireName(0))
        let admission = governor.admit(delivery, under: clearance)
        #expect(admission.word == "cut: token or credential expired")
    }

    @Test func `an issuer that is gone takes every right with it`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        let topic = try interned(&governor, 0, "orders")
        let operation = Operation(.consume, topic, wireName: WireName(0))
        let clearance = try required(governor.decide(operation).clearance)
        kit.authenticator.forgetIssuers()
        governor.adopt(kit.reload())
        let renewed = governor.renew(clearance)
        let open = governor.openClearance()
        let isPermitted = permits(governor, .describe, "orders")
        #expect(renewed == nil && open == nil && !isPermitted)
    }

    @Test func `re-authentication asks the policy again under the same authority`() throws {
        var weaker = Principal.analyst
        weaker.groups = []
        let kit = ScriptedAuthority(principals: ["analyst-token": .analyst, "weaker": weaker]) { principal, _ in
            Ruling(effect: principal.groups.isEmpty ? .deny : .allow, rule: 0)
        }
        var governor = kit.makeGovernor(token: "analyst-token")
        let topic = try interned(&governor, 0, "orders")
        let clearance = try required(governor.decide(Operation(.consume, topic, wireName: WireName(0))).clearance)
        _ = governor.authenticate(credential("weaker"))
        let renewed = governor.renew(clearance)
        #expect(renewed == nil)
    }

    @Test func `cached decisions are bounded`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        var limited = false
        var topics: [Resource] = []
        for number in 0..<300 { topics.append(try interned(&governor, 0, "t\(number)")) }
        pairs: for topic in topics {
            for group in topics {
                let decision = governor.decide(Operation(.commit, topic, within: group, wireName: WireName(0)))
                if decision.refusal?.code == .limit {
                    limited = true
                    break pairs
                }
            }
        }
        #expect(limited)
    }
}

struct GovernorDeliveryTests {
    private func delivery(_ topic: Resource, _ first: UInt64, _ last: UInt64, part: Int32 = 0) -> Delivery {
        Delivery(
            topic, part: part, first: Position(major: 0, minor: first), last: Position(major: 0, minor: last),
            records: UInt32(last - first + 1), bytes: 100, towards: .client, wireName: WireName(0))
    }

    private func begin(_ kit: ScriptedAuthority, _ governor: inout Governor) throws -> (Resource, Clearance) {
        let topic = try interned(&governor, 0, "orders")
        let clearance = try required(governor.decide(Operation(.consume, topic, wireName: WireName(0))).clearance)
        _ = kit.takeLines()
        _ = governor.takeTickets()
        return (topic, clearance)
    }

    @Test func `deliveries that follow each other are one line, with exact ends`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        let (topic, clearance) = try begin(kit, &governor)
        for first in stride(from: UInt64(0), to: 30, by: 10) {
            let admission = governor.admit(delivery(topic, first, first + 9), under: clearance)
            #expect(admission.word == "release")
        }
        let ticket = governor.takeTickets().client
        #expect(ticket > 0)
        let lines = kit.takeLines()
        #expect(lines.count == 1)
        #expect(lines[0].contains(#""positions":[{"partition":0,"first":0,"last":29}],"records":30,"bytes":300"#))
        #expect(kit.meter.counts.recordsDelivered == 30)
    }

    @Test func `a gap between deliveries is never claimed as delivered`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        let (topic, clearance) = try begin(kit, &governor)
        for (first, part) in [(UInt64(0), Int32(0)), (1000, 0), (1010, 1), (5, 1)] {
            _ = governor.admit(delivery(topic, first, first + 9, part: part), under: clearance)
        }
        let lines = kit.takeLines()
        #expect(lines.count == 4)
        #expect(lines[0].contains(#""first":0,"last":9"#) && lines[1].contains(#""first":1000,"last":1009"#))
    }

    @Test func `an open clearance admits nothing, and does not trap`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        let (topic, _) = try begin(kit, &governor)
        let open = try required(governor.openClearance())
        let admission = governor.admit(delivery(topic, 0, 9), under: open)
        #expect(admission.word == "withhold: no longer allowed")
        #expect(kit.takeLines().first?.contains(#""type":"records.withheld""#) == true)
    }

    @Test func `broken evidence cuts instead of releasing`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        let (topic, clearance) = try begin(kit, &governor)
        kit.evidence.isBroken = true
        let admission = governor.admit(delivery(topic, 0, 9), under: clearance)
        #expect(admission.word == "cut: evidence could not be stored")
        #expect(kit.meter.counts.recordsDelivered == 0)
    }

    @Test func `values that could not be masked are counted in the line of what was delivered`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        let (topic, clearance) = try begin(kit, &governor)
        for (first, failures) in [(UInt64(0), UInt32(2)), (10, 0), (20, 1)] {
            var failed = delivery(topic, first, first + 9)
            failed.maskFailures = failures
            _ = governor.admit(failed, under: clearance)
        }
        #expect(kit.takeLines().first?.contains(#""bytes":300,"mask_failures":3"#) == true)
    }

    @Test func `what is withheld from a producer is written as produce`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        let (topic, _) = try begin(kit, &governor)
        var produced = delivery(topic, 0, 9)
        produced.towards = .backend
        governor.withhold(produced, Refusal(.unmaskable))
        #expect(kit.takeLines().first?.contains(#""action":"produce""#) == true)
    }

    @Test func `messages level writes the records as they are handed over`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        let (topic, clearance) = try begin(kit, &governor)
        let window = Array("key\u{FF}value".utf8)
        let scratch = [UInt8](Array("masked \"x\"".utf8))
        let raw: [UInt8] = [0xFF, 0xFE]
        let all = scratch + raw
        let views = [
            RecordView(
                position: Position(major: 0, minor: 7), timestamp: 5, key: .window(0..<3),
                value: .scratch(0..<scratch.count)),
            RecordView(
                position: Position(major: 0, minor: 8), timestamp: -1, key: .none,
                value: .scratch(scratch.count..<all.count)),
            RecordView(
                position: Position(major: 0, minor: 2), timestamp: -1, key: .window(0..<4000), value: .none,
                headers: 0..<3),
            RecordView(
                position: Position(major: 0, minor: 9), timestamp: -1, key: .none, value: .none, headers: 7..<9),
        ]
        let headers = [
            HeaderView(name: .window(0..<3), value: .window(5..<10)), HeaderView(name: .window(0..<3), value: .none),
            HeaderView(name: .scratch(0..<6), value: .scratch(scratch.count..<all.count)),
        ]
        let admission = governor.admit(
            delivery(topic, 7, 8), records: views.span, headers: headers.span, window: window.span.bytes,
            scratch: all.span.bytes, under: clearance)
        #expect(admission.word == "release")
        let line = try #require(kit.takeLines().first)
        #expect(
            line.hasSuffix(
                #""messages":[{"position":7,"timestamp":5,"key":"key","value":"masked \"x\""},"#
                    + #"{"position":8,"key":null,"value":{"base64":"//4="}},"#
                    + #"{"position":2,"key":null,"value":null,"headers":[{"key":"key","value":"value"},"#
                    + #"{"key":"key","value":null},{"key":"masked","value":{"base64":"//4="}}]},"#
                    + #"{"position":9,"key":null,"value":null}]}"#))
    }

    @Test func `a mask under a stale clearance drops every record`() throws {
        let kit = ScriptedAuthority(maskers: [ScriptedMasker { _ in .unchanged }]) { _, _ in
            Ruling(effect: .allow, rule: 0, mask: MaskIndex(1))
        }
        var governor = kit.makeGovernor(token: "analyst-token")
        let (_, clearance) = try begin(kit, &governor)
        func outcomes(_ governor: inout Governor, _ clearance: Clearance) -> [MaskOutcome] {
            var scratch: [UInt8] = []
            var outcomes: [MaskOutcome] = []
            let bytes: [UInt8] = [1, 2, 3]
            let fields = [MaskField(part: .value, range: 0..<3)]
            _ = governor.mask(
                fields.span, in: bytes.span.bytes, under: clearance, into: &scratch, outcomes: &outcomes)
            return outcomes
        }
        let fresh = outcomes(&governor, clearance)
        governor.adopt(kit.reload())
        let stale = outcomes(&governor, clearance)
        #expect(fresh == [.unchanged] && stale == [.dropRecord])
    }
}

struct GovernorRouteTests {
    private static func route(_ kit: ScriptedAuthority, backend: String, version: UInt32 = 0) -> Route {
        Route(
            name: kit.route.name, backendName: backend,
            declaration: BackendDeclaration(protocolName: "kafka", settings: .anything, kinds: [], wireNames: []),
            advertise: nil, isConfidential: true, limits: kit.route.limits, backendVersion: version)
    }

    @Test(arguments: [nil, "other"] as [String?])
    func `a route that is gone, or leads to another backend, covers nobody`(_ backend: String?) throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        let operation = Operation(.consume, try interned(&governor, 0, "orders"), wireName: WireName(0))
        let clearance = try required(governor.decide(operation).clearance)
        governor.adopt(kit.reload(routes: ["orders": kit.route]))
        let known = governor.isCovered && governor.openClearance() != nil && governor.renew(clearance) != nil
        let listed = permits(governor, .consume, "orders")
        #expect(known && listed)

        let routes = backend.map { ["orders": GovernorRouteTests.route(kit, backend: $0)] } ?? [:]
        let next = kit.reload(routes: routes)
        governor.adopt(next)
        let isCovered = governor.isCovered
        let isOpen = governor.openClearance() != nil
        let isRenewed = governor.renew(clearance) != nil
        let refusal = governor.decide(operation).refusal?.code
        let isListed = permits(governor, .consume, "orders")
        #expect(!isCovered && !isOpen && !isRenewed && !isListed && refusal == .revoked)
        var late = kit.makeGovernor()
        late.adopt(next)
        let answer = late.authenticate(credential("analyst-token"))
        #expect(answer.refusal?.code == .unauthenticated)
        #expect(kit.takeLines().last?.contains("the route is gone") == true)
    }

    @Test func `a backend made anew is told from the one before`() {
        let kit = ScriptedAuthority()
        let old = GovernorRouteTests.route(kit, backend: "backend", version: 1)
        let new = GovernorRouteTests.route(kit, backend: "backend", version: 2)
        let authority = kit.reload(routes: ["orders": new])
        #expect(authority.knows(old) && authority.replaces(backendOf: old))
        #expect(authority.knows(new) && !authority.replaces(backendOf: new))
        #expect(!kit.reload().replaces(backendOf: old))
    }
}

struct ForgottenNamesTests {
    @Test func `names that are forgotten are asked about again, and their counts are kept as text`() throws {
        let kit = ScriptedAuthority { _, question in
            Ruling(effect: question.name == "secret" ? .deny : .allow, rule: 0)
        }
        var governor = kit.makeGovernor(token: "analyst-token")
        let orders = try interned(&governor, 0, "orders")
        for _ in 0..<3 { _ = governor.decide(Operation(.consume, orders, wireName: WireName(0))) }
        let before = try required(governor.decide(Operation(.consume, orders, wireName: WireName(0))).clearance)
        _ = kit.takeLines()
        governor.forgetNames()
        let isVoid = governor.renew(before) == nil
        #expect(isVoid)
        let secret = try interned(&governor, 0, "secret")
        let refusal = governor.decide(Operation(.consume, secret, wireName: WireName(0))).refusal
        #expect(refusal != nil)
        let again = try interned(&governor, 0, "orders")
        let isAllowed = governor.decide(Operation(.consume, again, wireName: WireName(0))).clearance != nil
        #expect(isAllowed)
        governor.end(.ended)
        let last = try #require(kit.takeLines().last)
        #expect(
            last.contains(#""resource":"topic:orders","rule":"rule zero","decision":"allowed","count":4}"#), "\(last)")
        #expect(
            last.contains(#""resource":"topic:orders","rule":"rule zero","decision":"allowed","count":1}"#), "\(last)")
        #expect(last.contains(#""resource":"topic:secret""#), "\(last)")
    }
}
