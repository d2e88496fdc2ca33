import TestSupport
import Testing
import TidegateCore
import TidegatePolicy

/// `commands` of a rule: what it narrows, what must be named, ties, and what `check` says of them.
@Suite struct CommandRulesTests {
    private let ada = Principal(subject: "ada", groups: [], issuer: "i", expires: .distantFuture)

    private func rule(
        _ name: String, _ commands: PolicyRule.Commands? = nil, actions: Set<Action> = [.consume],
        effect: PolicyRule.Effect = .allow, stream: String = "*", mask: UInt16 = 0, recording: Recording = .positions
    ) -> PolicyRule {
        PolicyRule(
            name: name, actions: actions, resources: .kinds(["stream": [Glob(stream)]]), commands: commands,
            effect: effect, mask: MaskIndex(mask), recording: recording)
    }

    private func named(_ names: String...) -> PolicyRule.Commands { .init(named: Set(names)) }
    private func category(_ names: String...) -> PolicyRule.Commands { .init(all: Set(names)) }

    private func ask(_ command: String, _ action: Action = .consume, mustBeNamed: Bool = false) -> Question {
        Question(
            route: "r", action: action, kind: "stream", name: "orders", command: command, mustBeNamed: mustBeNamed)
    }

    /// The name of the deciding rule, and the effect.
    private func decide(_ question: Question, _ rules: PolicyRule...) -> String {
        let policy = CompiledPolicy(rules)
        let ruling = policy.judge(ada, question)
        return "\(policy.name(ofRule: ruling.rule) ?? "-") \(ruling.effect)"
    }

    @Test func `a rule with commands means these only`() {
        let narrow = rule("r", named("XLEN", "XREAD"))
        #expect(decide(ask("XLEN"), narrow) == "r allow" && decide(ask("XREAD"), narrow) == "r allow")
        #expect(decide(ask("XRANGE"), narrow) == "- deny" && decide(ask(""), narrow) == "- deny")
        #expect(decide(ask("XRANGE"), narrow, rule("all")) == "all allow")
        #expect(decide(ask("XRANGE"), rule("all"), rule("no", named("XRANGE"), effect: .deny)) == "no deny")
        #expect(decide(ask("XLEN"), rule("all"), rule("no", named("XRANGE"), effect: .deny)) == "all allow")
        #expect(decide(ask("XLEN"), rule("none", .init())) == "- deny", "an empty set is no command, not any")
    }

    @Test func `what must be named is opened by its name only, and denied however it is listed`() {
        let eval = ask("EVAL", mustBeNamed: true)
        #expect(decide(eval, rule("any"), rule("category", category("EVAL", "XLEN"))) == "- deny")
        #expect(decide(eval, rule("asks", category("EVAL"), effect: .requireApproval)) == "- deny")
        #expect(decide(eval, rule("named", named("EVAL"))) == "named allow")
        #expect(decide(eval, rule("both", .init(all: ["XLEN", "EVAL"], named: ["EVAL"]))) == "both allow")
        for deny in [nil, category("EVAL"), named("EVAL")] {
            #expect(decide(eval, rule("named", named("EVAL")), rule("no", deny, effect: .deny)) == "no deny")
        }
        let nowhere = Question(route: "r", action: .consume, kind: "stream", name: "orders", mustBeNamed: true)
        #expect(decide(nowhere, rule("any"), rule("named", named("EVAL"))) == "- deny")
    }

    @Test func `describe follows from a rule for its commands, and for a name that is only listed`() {
        let narrow = rule("r", named("XLEN", "XREAD"))
        #expect(decide(ask("XLEN", .describe), narrow) == "r allow")
        #expect(decide(ask("XINFO|STREAM", .describe), narrow) == "- deny")
        #expect(decide(ask("", .describe), narrow) == "r allow")
        #expect(decide(ask("", .describe, mustBeNamed: true), narrow) == "- deny")
        #expect(decide(ask("EVAL", .describe, mustBeNamed: true), rule("any")) == "- deny")
        #expect(decide(ask("", .describe), rule("r", named("XLEN"), stream: "others")) == "- deny")
    }

    @Test func `commands decide a tie last, before the order: they never take an approval or a mask away`() {
        let (plain, narrow) = (rule("plain"), rule("narrow", named("XLEN")))
        #expect(
            decide(ask("XLEN"), plain, narrow) == "narrow allow" && decide(ask("XLEN"), narrow, plain) == "narrow allow"
        )
        #expect(decide(ask("XLEN"), rule("masked", mask: 1), narrow) == "masked allow")
        #expect(decide(ask("XLEN"), narrow, rule("asks", effect: .requireApproval)) == "asks requireApproval")
        #expect(decide(ask("XLEN"), narrow, rule("exact", stream: "orders")) == "exact allow")
        #expect(decide(ask("XLEN"), narrow, rule("later", category("XLEN"))) == "narrow allow")
    }

    @Test func `a deny of some commands takes nobody's session away`() {
        let all = PolicyRule(name: "all", effect: .deny)
        var some = all
        some.commands = named("XTRIM")
        #expect(!CompiledPolicy([rule("r"), all]).covers(ada, route: "r"))
        #expect(CompiledPolicy([rule("r"), some]).covers(ada, route: "r"))
        #expect(CompiledPolicy([rule("r", named("XLEN"))]).covers(ada, route: "r"))
    }

    @Test func `only a rule with commands tells commands apart`() {
        #expect(!CompiledPolicy([rule("a"), rule("b", effect: .deny)]).distinguishesCommands)
        #expect(CompiledPolicy([rule("a"), rule("b", named("XLEN"), effect: .deny)]).distinguishesCommands)
    }

    @Test func `explain says that the command is what does not match`() {
        let policy = CompiledPolicy([rule("narrow", named("XLEN")), rule("no", named("XTRIM"), effect: .deny)])
        let explanation = policy.explain(ada, ask("XRANGE"))
        #expect(explanation.rule == nil && explanation.nearMisses.map(\.rule) == ["narrow", "no"])
        #expect(explanation.nearMisses.allSatisfy { $0.key == .commands })
        let eval = CompiledPolicy([rule("any")]).explain(ada, ask("EVAL", mustBeNamed: true))
        #expect(eval.effect == .deny && eval.nearMisses == [.init(rule: "any", key: .commands)])
        #expect(
            eval.reason == "no rule that matches names 'EVAL', which no category and no rule without commands opens")
    }

    // MARK: Lint

    private func lint(_ rules: PolicyRule...) -> [String] {
        CompiledPolicy(rules).lint(explicitCommands: ["EVAL"]).map { "\($0.rule) \($0.message)" }
    }

    @Test func `a rule whose commands another covers can never decide`() {
        #expect(
            lint(rule("first", named("XLEN", "XREAD")), rule("second", named("XLEN"))) == [
                "second can never decide: 'first' covers the same and stands before it"
            ])
        #expect(
            lint(rule("masked", mask: 1), rule("clear", named("XLEN"))) == [
                "clear can never decide: 'masked' covers the same and masks"
            ])
        #expect(
            lint(rule("reads", named("XLEN")), rule("no", effect: .deny)) == [
                "reads can never decide: the deny 'no' covers all of it"
            ])
        #expect(
            lint(rule("reads", named("XLEN")), rule("no", category("XLEN", "EVAL"), effect: .deny)) == [
                "reads can never decide: the deny 'no' covers all of it"
            ])
        #expect(lint(rule("first", named("XLEN")), rule("second", named("XLEN", "XREAD"))) == [])
        #expect(lint(rule("all"), rule("no", named("XLEN"), effect: .deny)) == [])
        #expect(lint(rule("narrow", named("XLEN")), rule("all")) == [], "both say the same")
        #expect(lint(rule("all"), rule("narrow", named("XLEN"))) == [], "it decides XLEN, and says the same")
    }

    @Test func `what must be named is covered by its name only`() {
        #expect(lint(rule("masked", mask: 1), rule("eval", named("EVAL"))) == [])
        #expect(lint(rule("category", category("EVAL", "XLEN"), mask: 1), rule("eval", named("EVAL"))) == [])
        #expect(
            lint(rule("masked", mask: 1), rule("category", category("EVAL", "XLEN"))) == [
                "category can never decide: 'masked' covers the same and masks"
            ])
        #expect(lint(rule("eval", named("EVAL")), rule("no", category("EVAL"), effect: .deny)).count == 1)
    }

    @Test func `says who wins a tie of commands`() {
        #expect(
            lint(rule("brief"), rule("full", named("XLEN"), recording: .messages)) == [
                "full ties with 'brief' where both match: 'full' decides, since it names commands"
            ])
        #expect(lint(rule("brief", named("XREAD")), rule("full", named("XLEN"), recording: .messages)) == [])
    }

    /// The rule with most rank decides, whatever stands first; a deny always.
    @Test func `random rules with commands decide as their keys do`() {
        var random = SeededGenerator(seed: 7)
        let commands = ["XLEN", "XRANGE", "EVAL"]
        for _ in 0..<3000 {
            var rules: [PolicyRule] = []
            var keys: [[Int]?] = []
            let command = commands.randomElement(using: &random) ?? ""
            let mustBeNamed = command == "EVAL"
            for index in 0..<Int.random(in: 0...5, using: &random) {
                let all = Set(commands.filter { _ in Bool.random(using: &random) })
                let own = all.filter { _ in Bool.random(using: &random) }
                let meant: PolicyRule.Commands? =
                    Int.random(in: 0..<3, using: &random) == 0 ? nil : .init(all: all, named: own)
                let dice = Int.random(in: 0..<10, using: &random)
                let effect: PolicyRule.Effect = dice == 0 ? .deny : dice < 4 ? .requireApproval : .allow
                let mask: UInt16 = Bool.random(using: &random) ? 1 : 0
                rules.append(rule("\(index)", meant, effect: effect, mask: mask))
                let matches: Bool
                if let meant {
                    matches = mustBeNamed && effect != .deny ? own.contains(command) : meant.all.contains(command)
                } else {
                    matches = effect == .deny || !mustBeNamed
                }
                keys.append(
                    !matches
                        ? nil
                        : effect == .deny
                            ? [2, 0, 0, -index]
                            : [effect == .requireApproval ? 1 : 0, Int(mask), meant == nil ? 0 : 1, -index])
            }
            let best = keys.indices.filter { keys[$0] != nil }.max {
                (keys[$0] ?? []).lexicographicallyPrecedes(keys[$1] ?? [])
            }
            let ruling = CompiledPolicy(rules).judge(ada, ask(command, mustBeNamed: mustBeNamed))
            #expect(ruling.rule == Int32(best ?? -1))
        }
    }
}
