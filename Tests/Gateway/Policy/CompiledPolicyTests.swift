import Testing
import TidegateCore
import TidegatePolicy

/// Each sentence of *Which rule decides* in the contract.
@Suite struct CompiledPolicyTests {
    private let ada = Principal(
        subject: "ada", groups: ["analysts", "staff"], claims: ["team": ["etl"]], issuer: "i", expires: .distantFuture)

    private func rule(
        _ name: String, groups: [String] = [], subjects: [String] = [], claims: [String: [String]] = [:],
        routes: [String] = [], actions: Set<Action> = [.consume], topics: [String] = ["*"],
        effect: PolicyRule.Effect = .allow, mask: UInt16 = 0, isDryRun: Bool = false, opens: UInt16 = 0
    ) -> PolicyRule {
        PolicyRule(
            name: name, subjects: .init(groups: groups, subjects: subjects.map { Glob($0) }, claims: claims),
            routes: routes, actions: actions, resources: .kinds(["topic": topics.map { Glob($0) }]), effect: effect,
            mask: MaskIndex(mask, isDryRun: isDryRun, opens: opens))
    }

    private func decides(
        _ rules: [PolicyRule], _ action: Action = .consume, _ name: String = "orders", kind: String = "topic"
    ) -> String? {
        let policy = CompiledPolicy(rules)
        let ruling = policy.judge(ada, Question(route: "r", action: action, kind: kind, name: name))
        return policy.name(ofRule: ruling.rule).map { ruling.effect == .allow ? $0 : "\($0):\(ruling.effect)" }
    }

    @Test func `no match is deny`() {
        #expect(decides([rule("a", groups: ["others"])]) == nil)
        #expect(decides([]) == nil)
    }

    @Test func `keys beside each other must all match, entries of a list are alternatives`() {
        #expect(decides([rule("a", groups: ["x", "staff"], claims: ["team": ["web", "etl"]])]) == "a")
        #expect(decides([rule("a", groups: ["staff"], claims: ["team": ["web"]])]) == nil)
        #expect(decides([rule("a", groups: ["staff"], routes: ["other"])]) == nil)
    }

    @Test func `a matching deny always decides`() {
        #expect(decides([rule("exact", topics: ["orders"]), rule("no", topics: ["o*"], effect: .deny)]) == "no:deny")
    }

    @Test func `the most specific resource decides, then the subject, then the route`() {
        #expect(
            decides([rule("glob", subjects: ["ada"], topics: ["orders*"]), rule("exact", topics: ["orders"])])
                == "exact")
        #expect(decides([rule("long", topics: ["orde*"]), rule("short", subjects: ["ada"], topics: ["o*"])]) == "long")
        #expect(decides([rule("any"), rule("group", groups: ["staff"])]) == "group")
        #expect(decides([rule("group", groups: ["staff"]), rule("claim", claims: ["team": ["etl"]])]) == "claim")
        #expect(decides([rule("claim", claims: ["team": ["etl"]]), rule("glob", subjects: ["a*"])]) == "glob")
        #expect(decides([rule("glob", subjects: ["a*"]), rule("exact", subjects: ["ada"])]) == "exact")
        #expect(decides([rule("anywhere"), rule("here", routes: ["r"])]) == "here")
    }

    @Test func `on a tie require-approval beats allow, masked beats unmasked, earlier beats later`() {
        #expect(decides([rule("allow"), rule("ask", effect: .requireApproval)]) == "ask:requireApproval")
        #expect(decides([rule("clear"), rule("masked", mask: 1)]) == "masked")
        #expect(decides([rule("first"), rule("second")]) == "first")
    }

    @Test func `a dry run counts as unmasked, one that opens tokens as masked`() {
        #expect(decides([rule("dry", mask: 1, isDryRun: true), rule("masked", mask: 1)]) == "masked")
        #expect(decides([rule("dry", mask: 1, isDryRun: true), rule("clear")]) == "dry")
        #expect(decides([rule("clear"), rule("dry", mask: 1, isDryRun: true)]) == "clear")
        #expect(decides([rule("both", mask: 1, opens: 1), rule("masked", mask: 1)]) == "both")
    }

    @Test func `the ruling and its explanation carry dry run and what is opened`() {
        let mask = MaskIndex(3, isDryRun: true, opens: 2)
        let policy = CompiledPolicy([rule("r", topics: ["orders"], mask: 3, isDryRun: true, opens: 2)])
        let question = Question(route: "r", action: .consume, kind: "topic", name: "orders")
        #expect(policy.judge(ada, question) == Ruling(effect: .allow, rule: 0, mask: mask))
        #expect(policy.explain(ada, question).mask == mask)
        let describe = Question(route: "r", action: .describe, kind: "topic", name: "orders")
        #expect(policy.judge(ada, describe).mask == .none)
    }

    @Test func `what a principal may have opened follows from the allow rules that mean him`() {
        func openings(_ route: String?, _ rules: PolicyRule...) -> [UInt16] {
            CompiledPolicy(rules).openings(for: ada, on: route.map { [$0] } ?? ["r", "s"]).map(\.opens)
        }
        let some = rule("some", groups: ["staff"], mask: 1, opens: 1)
        let here = rule("here", routes: ["r"], mask: 1, opens: 2)
        #expect(openings(nil, some, here, rule("plain", mask: 1)) == [1, 2])
        #expect(openings("r", some, here) == [1, 2] && openings("s", some, here) == [1])
        #expect(openings(nil, rule("others", groups: ["x"], mask: 1, opens: 1)) == [])
        #expect(openings(nil, rule("dry", mask: 1, isDryRun: true, opens: 1)) == [])
        #expect(openings(nil, rule("asks", effect: .requireApproval, mask: 1, opens: 1)) == [])
        let stop = PolicyRule(name: "stop", routes: ["s"], effect: .deny)
        #expect(openings("s", some, stop) == [] && openings("r", some, stop) == [1] && openings(nil, some, stop) == [1])
        #expect(openings(nil, some, PolicyRule(name: "all", effect: .deny)) == [])
        // On the only route that the rule is for, or on each.
        #expect(openings(nil, here, PolicyRule(name: "stop", routes: ["r"], effect: .deny)) == [])
        #expect(openings(nil, here, stop) == [2])
        #expect(openings(nil, some, stop, PolicyRule(name: "too", routes: ["r"], effect: .deny)) == [])
        // Who may not read has nothing opened, whatever else he may do.
        for resources in [.unspecified, .any, some.resources] as [PolicyRule.Resources] {
            let unread = PolicyRule(name: "unread", actions: [.consume], resources: resources, effect: .deny)
            #expect(openings(nil, some, unread) == [] && openings("r", some, unread) == [])
        }
        #expect(openings(nil, some, PolicyRule(name: "no", actions: [.produce], effect: .deny)) == [1])
        #expect(openings(nil, some, rule("one", topics: ["one"], effect: .deny)) == [1])
        #expect(openings(nil, some, rule("others", groups: ["x"], effect: .deny)) == [1])
    }

    @Test func `a rule does not cover a kind that it does not list`() {
        #expect(decides([rule("a")], kind: "group") == nil)
    }

    @Test func `describe follows from any right on the same thing, unless a deny says otherwise`() {
        #expect(decides([rule("a", topics: ["orders"])], .describe) == "a")
        #expect(decides([rule("a", topics: ["orders"])], .describe, "payments") == nil)
        #expect(decides([rule("a"), rule("no", actions: [.describe], effect: .deny)], .describe) == "no:deny")
        #expect(decides([rule("a", effect: .requireApproval)], .describe) == "a")
    }

    @Test func `a pair is covered where both of its names are`() {
        let rules = [
            PolicyRule(
                name: "pair", actions: [.consume],
                resources: .kinds(["stream": [Glob("s")], "group": [Glob("g-*")]]), effect: .allow)
        ]
        func ask(_ group: String) -> Ruling.Effect {
            CompiledPolicy(rules).judge(
                ada,
                Question(
                    route: "r", action: .consume, kind: "stream", name: "s", withinKind: "group", withinName: group)
            ).effect
        }
        #expect(ask("g-1") == .allow)
        #expect(ask("h") == .deny)
    }

    @Test func `explain names the decider, the overruled and the near misses`() {
        let policy = CompiledPolicy([
            rule("wide"), rule("narrow", topics: ["orders"]), rule("other people", groups: ["x"]),
        ])
        let explanation = policy.explain(ada, Question(route: "r", action: .consume, kind: "topic", name: "orders"))
        #expect(explanation.rule == "narrow")
        #expect(explanation.overruled == ["wide"])
        #expect(explanation.nearMisses == [.init(rule: "other people", key: .subjects)])
    }

    @Test func `rules that can never decide are told`() {
        let blocked = CompiledPolicy([rule("a", groups: ["staff"]), PolicyRule(name: "stop", effect: .deny)])
        #expect(blocked.lint().map(\.rule) == ["a"])
        #expect(CompiledPolicy([rule("a"), rule("b")]).lint().map(\.rule) == ["b"])
    }

    @Test func `a deny of everything covers nobody, one of something leaves the rest`() {
        let some = rule("some", groups: ["staff"])
        func covers(_ rules: PolicyRule...) -> Bool { CompiledPolicy(rules).covers(ada, route: "r") }
        let all = Set(Action.allCases)
        #expect(covers(some))
        for deny in [
            PolicyRule(name: "all", effect: .deny),
            PolicyRule(name: "ada", subjects: .init(subjects: [Glob("ada")]), routes: ["r"], effect: .deny),
            PolicyRule(name: "words", actions: all, resources: .any, effect: .deny),
        ] { #expect(!covers(some, deny) && !covers(deny, some), "\(deny.name)") }
        for deny in [
            PolicyRule(name: "others", subjects: .init(groups: ["x"]), effect: .deny),
            PolicyRule(name: "elsewhere", routes: ["other"], effect: .deny),
            PolicyRule(name: "reading", actions: [.consume], effect: .deny), rule("topics", actions: [], effect: .deny),
        ] { #expect(covers(some, deny), "\(deny.name)") }
    }
}
