public import TidegateCore

/// Which rule decides a question, why, and which nearly did.
public struct Explanation: Sendable, Equatable {
    public struct NearMiss: Sendable, Equatable {
        public var rule: String
        /// The one key that does not match.
        public var key: PolicyRule.Mismatch
        public init(rule: String, key: PolicyRule.Mismatch) {
            self.rule = rule
            self.key = key
        }
    }
    public var effect: PolicyRule.Effect
    /// nil: no rule matches, which is deny.
    public var rule: String?
    public var reason: String
    public var mask: MaskIndex
    public var recording: Recording
    /// Rules that match too and are overruled.
    public var overruled: [String]
    public var nearMisses: [NearMiss]
}

extension CompiledPolicy {
    public func explain(_ principal: Principal, _ question: Question) -> Explanation {
        let ruling = judge(principal, question)
        let matching = rules.indices.filter { rules[$0].mismatches(principal, question).isEmpty }
        let decider = ruling.rule >= 0 ? Int(ruling.rule) : nil
        let nearMisses = rules.compactMap { rule -> Explanation.NearMiss? in
            let mismatches = rule.mismatches(principal, question)
            guard mismatches.count == 1, rule.name != decider.map({ rules[$0].name }) else { return nil }
            return .init(rule: rule.name, key: mismatches[0])
        }
        let effect: PolicyRule.Effect =
            switch ruling.effect {
            case .allow: .allow
            case .deny: .deny
            case .requireApproval: .requireApproval
            }
        return Explanation(
            effect: effect, rule: decider.map { rules[$0].name }, reason: reason(decider, matching, question),
            mask: ruling.mask, recording: ruling.recording,
            overruled: matching.filter { $0 != decider }.map { rules[$0].name }, nearMisses: nearMisses)
    }

    private func reason(_ decider: Int?, _ matching: [Int], _ question: Question) -> String {
        guard let decider else {
            return question.mustBeNamed
                ? "no rule that matches names '\(question.command)', which no category and no rule without commands opens"
                : "no rule matches, and what no rule allows is denied"
        }
        let rule = rules[decider]
        if rule.effect == .deny { return "a matching deny always decides" }
        if !matching.contains(decider) { return "describe follows from what this rule allows on the same resource" }
        return matching.count == 1 ? "the only rule that matches" : "the most specific of the rules that match"
    }
}
