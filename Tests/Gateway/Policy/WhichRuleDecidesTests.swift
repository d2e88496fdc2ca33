import TestSupport
import Testing
import TidegateCore
import TidegatePolicy

/// CONTRACT, *Which rule decides*, sentence by sentence.
@Suite struct WhichRuleDecidesTests {
    private let analyst = Principal(
        subject: "ana", groups: ["analysts"], claims: ["team": ["etl", "bi"]], issuer: "i", expires: Instant(seconds: 9)
    )

    private func rule(
        _ name: String, _ subjects: PolicyRule.Subjects = .init(), routes: [String] = [], _ actions: Set<Action> = [],
        _ topics: [String]? = nil, _ effect: PolicyRule.Effect = .allow, mask: UInt16 = 0
    ) -> PolicyRule {
        PolicyRule(
            name: name, subjects: subjects, routes: routes, actions: actions,
            resources: topics.map { .kinds(["topic": $0.map { Glob($0) }]) } ?? (effect == .deny ? .unspecified : .any),
            effect: effect, mask: mask == 0 ? .none : MaskIndex(mask))
    }

    private func consume(_ topic: String, route: String = "orders") -> Question {
        Question(route: route, action: .consume, kind: "topic", name: topic)
    }

    /// The name of the deciding rule, and the effect.
    private func decide(_ rules: [PolicyRule], _ question: Question) -> String {
        let policy = CompiledPolicy(rules)
        let ruling = policy.judge(analyst, question)
        return "\(policy.name(ofRule: ruling.rule) ?? "-") \(ruling.effect)"
    }

    @Test func `no match is deny`() {
        #expect(decide([], consume("a")) == "- deny")
        #expect(decide([rule("r", [], "b")], consume("a")) == "- deny")
    }

    @Test func `keys of subjects beside each other must all match, entries of a list are alternatives`() {
        let both = PolicyRule.Subjects(groups: ["x", "analysts"], claims: ["team": ["ml", "etl"]])
        #expect(decide([rule("r", both)], consume("a")) == "r allow")
        let one = PolicyRule.Subjects(groups: ["analysts"], claims: ["team": ["ml"]])
        #expect(decide([rule("r", one)], consume("a")) == "- deny")
        #expect(decide([rule("r", .init(subjects: [Glob("svc-*"), Glob("an?")]))], consume("a")) == "r allow")
    }

    @Test func `routes left out means any`() {
        #expect(decide([rule("r")], consume("a", route: "else")) == "r allow")
        #expect(decide([rule("r", routes: ["orders"])], consume("a", route: "else")) == "- deny")
    }

    @Test func `a rule does not cover a kind that it does not list`() {
        let question = Question(route: "orders", action: .consume, kind: "group", name: "g")
        #expect(decide([rule("r", [], "*")], question) == "- deny")
    }

    @Test func `a matching deny always decides, however unspecific`() {
        #expect(
            decide([rule("exact", [.consume], "a"), rule("no", .init(), [], nil, .deny)], consume("a")) == "no deny")
    }

    @Test func `the most specific decides: resource first, then subject, then a named route`() {
        let exactSubject = PolicyRule.Subjects(subjects: [Glob("ana")])
        #expect(
            decide([rule("s", exactSubject, [], ["o*"]), rule("r", .init(), [], ["orders"])], consume("orders"))
                == "r allow")
        #expect(decide([rule("short", [], "o*"), rule("long", [], "ord*")], consume("orders")) == "long allow")
        let ranks: [(String, PolicyRule.Subjects)] = [
            ("any", .init()), ("groups", .init(groups: ["analysts"])), ("claims", .init(claims: ["team": ["etl"]])),
            ("glob", .init(subjects: [Glob("a*")])), ("exact", exactSubject),
        ]
        for (index, lower) in ranks.enumerated() {
            for higher in ranks[(index + 1)...] {
                #expect(
                    decide([rule(lower.0, lower.1), rule(higher.0, higher.1)], consume("a")) == "\(higher.0) allow")
                #expect(
                    decide([rule(higher.0, higher.1), rule(lower.0, lower.1)], consume("a")) == "\(higher.0) allow")
            }
        }
        #expect(decide([rule("any"), rule("named", routes: ["orders"])], consume("a")) == "named allow")
        #expect(decide([rule("named", routes: ["orders"]), rule("s", exactSubject)], consume("a")) == "s allow")
    }

    @Test func `on a tie require-approval beats allow, masked beats unmasked, earlier beats later`() {
        let asks = rule("asks", .init(), [], ["a"], .requireApproval)
        let plain = rule("plain", [], "a")
        let masked = rule("masked", .init(), [], ["a"], .allow, mask: 1)
        #expect(decide([masked, asks], consume("a")) == "asks requireApproval")
        #expect(decide([plain, masked], consume("a")) == "masked allow")
        #expect(decide([plain, rule("later", [], "a")], consume("a")) == "plain allow")
    }

    @Test func `the deciding rule gives masking and recording`() {
        var deciding = rule("r", .init(), [], ["a"], .allow, mask: 3)
        deciding.recording = .messages
        let ruling = CompiledPolicy([rule("wide"), deciding]).judge(analyst, consume("a"))
        #expect(ruling == Ruling(effect: .allow, rule: 1, mask: MaskIndex(3), recording: .messages))
    }

    @Test func `describe follows from what a rule covers, and a deny of it stands`() {
        let describe = Question(route: "orders", action: .describe, kind: "topic", name: "a")
        #expect(decide([rule("r", [.consume], "a")], describe) == "r allow")
        #expect(decide([rule("r", .init(), [.consume], ["a"], .requireApproval)], describe) == "r allow")
        #expect(decide([rule("r", [.consume], "b")], describe) == "- deny")
        #expect(
            decide([rule("r", [.consume], "a"), rule("no", .init(), [.describe], ["a"], .deny)], describe) == "no deny")
    }

    @Test func `a pair is covered where both of its names are`() {
        let pair = Question(
            route: "orders", action: .consume, kind: "group", name: "g", withinKind: "stream", withinName: "s")
        func rule(_ kinds: [String: [Glob]]) -> PolicyRule {
            PolicyRule(name: "r", resources: .kinds(kinds), effect: .allow)
        }
        #expect(decide([rule(["group": [Glob("g")], "stream": [Glob("s")]])], pair) == "r allow")
        #expect(decide([rule(["group": [Glob("g")]])], pair) == "- deny")
        #expect(decide([rule(["group": [Glob("g")], "stream": [Glob("other")]])], pair) == "- deny")
    }

    @Test func `a deny that lists one half of a pair needs that half only, one that lists both needs both`() {
        let pair = Question(
            route: "orders", action: .consume, kind: "group", name: "g", withinKind: "stream", withinName: "s")
        let all = PolicyRule(
            name: "all", resources: .kinds(["group": [Glob("*")], "stream": [Glob("*")]]), effect: .allow)
        func decided(_ kinds: [String: [Glob]]) -> String {
            decide([all, PolicyRule(name: "no", resources: .kinds(kinds), effect: .deny)], pair)
        }
        #expect(decided(["stream": [Glob("s")]]) == "no deny")
        #expect(decided(["group": [Glob("g")]]) == "no deny")
        #expect(decided(["group": [Glob("g")], "stream": [Glob("s")]]) == "no deny")
        #expect(decided(["group": [Glob("g")], "stream": [Glob("other")]]) == "all allow")
        #expect(decided(["group": [Glob("other")]]) == "all allow")
        #expect(decided(["topic": [Glob("*")]]) == "all allow")
    }

    @Test func `explains the decider, the overruled, and those that nearly matched`() {
        let policy = CompiledPolicy([
            rule("wide", [], "*"), rule("decides", [.consume], "a"), rule("writes", [.produce], "a"),
            rule("others", .init(groups: ["x"]), [.consume], ["a"]),
            rule("far", .init(groups: ["x"]), [.produce], ["a"]),
        ])
        let explanation = policy.explain(analyst, consume("a"))
        #expect(explanation.effect == .allow && explanation.rule == "decides" && explanation.overruled == ["wide"])
        #expect(
            explanation.nearMisses == [.init(rule: "writes", key: .actions), .init(rule: "others", key: .subjects)])
        let none = CompiledPolicy([]).explain(analyst, consume("a"))
        #expect(none.effect == .deny && none.rule == nil && none.nearMisses.isEmpty)
    }

    @Test func `covers whoever some rule that is no deny names on the route`() {
        #expect(CompiledPolicy([rule("r", routes: ["orders"])]).covers(analyst, route: "orders"))
        #expect(!CompiledPolicy([rule("r", routes: ["orders"])]).covers(analyst, route: "else"))
        #expect(!CompiledPolicy([rule("r", .init(groups: ["x"]))]).covers(analyst, route: "orders"))
        #expect(!CompiledPolicy([rule("r", .init(), [], nil, .deny)]).covers(analyst, route: "orders"))
    }

    @Test func `lint tells what can never decide`() {
        let same = CompiledPolicy([rule("first", [.consume], "a"), rule("second", [.consume], "a")]).lint()
        #expect(same.map(\.rule) == ["second"])
        let denied = CompiledPolicy([rule("r", [.consume], "a"), rule("no", .init(), [], nil, .deny)]).lint()
        #expect(denied.map(\.rule) == ["r"])
        #expect(CompiledPolicy([rule("r", [.consume], "a"), rule("s", [.consume], "b")]).lint().isEmpty)
    }

    /// Candidates sorted by the contract's order, written down as one key; names are exact, so that globs play no part.
    @Test func `random rules decide as the contract's order does`() {
        var random = SeededGenerator(seed: 11)
        let subjects: [(Int, PolicyRule.Subjects)] = [
            (0, .init()), (1, .init(groups: ["analysts"])), (2, .init(claims: ["team": ["bi"]])),
            (3, .init(subjects: [Glob("*na")])), (4, .init(subjects: [Glob("ana")])), (-1, .init(groups: ["x"])),
        ]
        let topics: [(Int, String)] = [(0, "*"), (1, "o*"), (5, "*ders"), (100, "orders"), (-1, "zz*")]
        for _ in 0..<3000 {
            var rules: [PolicyRule] = []
            var keys: [[Int]?] = []
            for index in 0..<Int.random(in: 0...6, using: &random) {
                guard let subject = subjects.randomElement(using: &random),
                    let topic = topics.randomElement(using: &random)
                else { continue }
                let named = Bool.random(using: &random)
                let mask: UInt16 = Bool.random(using: &random) ? 1 : 0
                let dice = Int.random(in: 0..<12, using: &random)
                let effect: PolicyRule.Effect = dice == 0 ? .deny : dice < 4 ? .requireApproval : .allow
                let made = rule(
                    "\(index)", subject.1, routes: named ? ["orders"] : [], [.consume], [topic.1], effect, mask: mask)
                rules.append(made)
                keys.append(
                    subject.0 < 0 || topic.0 < 0
                        ? nil
                        : [
                            effect == .deny ? 1 : 0, effect == .deny ? 0 : topic.0, effect == .deny ? 0 : subject.0,
                            effect == .deny ? 0 : named ? 1 : 0, effect == .requireApproval ? 1 : 0,
                            effect == .deny ? 0 : Int(mask), -index,
                        ])
            }
            let best = keys.indices.filter { keys[$0] != nil }.max {
                (keys[$0] ?? []).lexicographicallyPrecedes(keys[$1] ?? [])
            }
            #expect(CompiledPolicy(rules).judge(analyst, consume("orders")).rule == Int32(best ?? -1))
        }
    }

    private func rule(_ name: String, _ actions: Set<Action>, _ topic: String) -> PolicyRule {
        rule(name, .init(), actions, [topic])
    }
}
