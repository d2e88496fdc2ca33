import Testing
import TidegateCore
import TidegatePolicy

@Suite struct PolicyLintTests {
    private func rule(
        _ name: String, groups: [String] = [], subjects: [String] = [], claims: [String: [String]] = [:],
        routes: [String] = [], actions: Set<Action> = [.consume], topics: [String]? = ["*"],
        effect: PolicyRule.Effect = .allow, mask: UInt16 = 0, recording: Recording = .positions
    ) -> PolicyRule {
        PolicyRule(
            name: name, subjects: .init(groups: groups, subjects: subjects.map { Glob($0) }, claims: claims),
            routes: routes, actions: actions,
            resources: topics.map { .kinds(["topic": $0.map { Glob($0) }]) } ?? .any, effect: effect,
            mask: MaskIndex(mask), recording: recording)
    }

    private func lint(_ rules: PolicyRule...) -> [String] {
        CompiledPolicy(rules).lint().map { "\($0.rule) \($0.message)" }
    }

    @Test func `any action is not taken for none`() {
        #expect(lint(rule("reads"), rule("does all", actions: [])) == [])
        #expect(
            lint(rule("does all", actions: []), rule("reads")) == [
                "reads can never decide: 'does all' covers the same and stands before it"
            ])
        #expect(lint(rule("does all", actions: []), rule("no reading", effect: .deny)) == [])
        #expect(
            lint(rule("reads"), rule("nothing", actions: [], effect: .deny)) == [
                "reads can never decide: the deny 'nothing' covers all of it"
            ])
    }

    @Test func `says who wins a tie, and why`() {
        #expect(
            lint(rule("clear", actions: []), rule("masked", mask: 1)) == [
                "masked ties with 'clear' where both match: 'masked' decides, since it masks"
            ])
        var dry = rule("dry")
        dry.mask = MaskIndex(1, isDryRun: true)
        #expect(
            lint(dry, rule("masked", actions: [.consume, .commit], mask: 1)) == [
                "dry can never decide: 'masked' covers the same and masks"
            ])
        #expect(
            lint(rule("clear", actions: []), dry) == [
                "dry can never decide: 'clear' covers the same and stands before it"
            ])
        var opens = rule("opens", actions: [])
        opens.mask = MaskIndex(1, opens: 1)
        #expect(
            lint(opens, rule("masked", mask: 1)) == [
                "masked can never decide: 'opens' covers the same and stands before it"
            ])
        #expect(
            lint(rule("asks", effect: .requireApproval), rule("allows", actions: [.consume, .commit])) == [
                "allows ties with 'asks' where both match: 'asks' decides, since it requires approval"
            ])
        #expect(
            lint(rule("brief", groups: ["a"]), rule("full", groups: ["b"], recording: .messages)) == [
                "full ties with 'brief' where both match: 'brief' decides, since it stands before it"
            ])
        #expect(
            lint(rule("clear"), rule("masked", mask: 1)) == [
                "clear can never decide: 'masked' covers the same and masks"
            ])
        #expect(lint(rule("one", topics: nil), rule("two", topics: nil, mask: 1)).count == 1)
    }

    @Test(arguments: [
        (["orders"], ["orders"], true), (["orders"], ["payments"], false), (["orders"], ["order?"], false),
        (["o*"], ["or*"], false), (["ord*"], ["*ers"], true), (["a*"], ["b*"], false), (["*a"], ["b*"], true),
        (["x", "a*"], ["y", "a*"], true), (["a?"], ["?b"], true), (["a?c"], ["?b?"], false), (["??"], ["?*?"], true),
        (["?"], ["??"], false), (["a\\*"], ["a\\*"], true), (["a\\*"], ["a*"], false),
    ])
    func `patterns tie that rank the same and match a common name`(left: [String], right: [String], ties: Bool) {
        let found = lint(rule("one", topics: left), rule("two", actions: [.consume, .commit], topics: right, mask: 1))
        #expect(found.isEmpty != ties)
    }

    @Test func `what differs in specificity, or never meets, does not tie`() {
        let one = rule("one", groups: ["a"], routes: ["r"])
        #expect(lint(one, rule("two", groups: ["b"], routes: ["r"], mask: 1)).count == 1)
        #expect(lint(one, rule("two", groups: ["b"], mask: 1)) == [])
        #expect(lint(one, rule("two", groups: ["b"], routes: ["s"], mask: 1)) == [])
        #expect(lint(one, rule("two", groups: ["b"], routes: ["r"], actions: [.commit], mask: 1)) == [])
        #expect(lint(one, rule("two", claims: ["team": ["b"]], routes: ["r"], mask: 1)) == [])
        #expect(lint(one, rule("two", groups: ["b"], routes: ["r"])) == [], "both say the same")
        let ada = rule("ada", subjects: ["ada"])
        #expect(lint(ada, rule("eve", subjects: ["eve"], mask: 1)) == [])
        #expect(lint(ada, rule("ada too", subjects: ["ada", "eve"], mask: 1)).count == 1)
        #expect(lint(ada, rule("a", subjects: ["a*"], mask: 1)) == [])
        #expect(lint(rule("a", subjects: ["a*"]), rule("da", subjects: ["*da"], mask: 1)).count == 1)
    }

    @Test func `a deny of the same people blocks as one of anybody does`() {
        #expect(
            lint(rule("reads", groups: ["a"]), rule("no", groups: ["a"], effect: .deny)) == [
                "reads can never decide: the deny 'no' covers all of it"
            ])
        #expect(lint(rule("reads", groups: ["a"]), rule("no", groups: ["b"], effect: .deny)) == [])
    }
}
