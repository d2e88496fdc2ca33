public import TidegateCore

/// The rules of one configuration, immutable. Asked on a miss of a connection's decision cache.
public final class CompiledPolicy: PolicyJudge {
    public let rules: [PolicyRule]
    public let distinguishesCommands: Bool

    public init(_ rules: [PolicyRule]) {
        self.rules = rules
        distinguishesCommands = rules.contains { $0.commands != nil }
    }

    public func name(ofRule index: Int32) -> String? {
        guard index >= 0, Int(index) < rules.count else { return nil }
        return rules[Int(index)].name
    }

    public func judge(_ principal: Principal, _ question: Question) -> Ruling {
        if let denied = rules.firstIndex(where: { $0.effect == .deny && $0.mismatches(principal, question).isEmpty }) {
            return Ruling(effect: .deny, rule: Int32(denied))
        }
        if let best = mostSpecific(principal, question) { return ruling(best) }
        // Where no rule decides `describe`, it follows from any right on the same thing.
        if question.action == .describe, let source = sourceOfDescribe(principal, question) {
            return Ruling(effect: .allow, rule: Int32(source))
        }
        return Ruling(effect: .deny, rule: -1)
    }

    public func covers(_ principal: Principal, route: String) -> Bool {
        var isCovered = false
        for rule in rules
        where rule.isOn(route) && rule.subjectRank(principal) != nil {
            if rule.deniesEverything { return false }
            if rule.effect != .deny { isCovered = true }
        }
        return isCovered
    }

    /// Which tokens a principal may have opened outside of what flows: what the allow rules say that let him read on one of
    /// these routes. A token names no resource, so that a deny of some resources leaves it alone.
    ///
    /// - Parameter routes: the one that is asked about, or all that there are.
    public func openings(for principal: Principal, on routes: [String]) -> [MaskIndex] {
        let his = rules.filter { $0.subjectRank(principal) != nil }
        return his.filter { rule in
            rule.effect == .allow && rule.mask.opens > 0 && !rule.mask.isDryRun
                && routes.contains { route in
                    rule.isOn(route) && !his.contains { $0.isOn(route) && $0.forbidsReading(of: rule) }
                }
        }
        .map(\.mask)
    }

    private func ruling(_ index: Int) -> Ruling {
        let rule = rules[index]
        return Ruling(
            effect: rule.effect == .requireApproval ? .requireApproval : .allow, rule: Int32(index), mask: rule.mask,
            recording: rule.recording)
    }

    /// Earlier beats later where all else is equal.
    func mostSpecific(_ principal: Principal, _ question: Question) -> Int? {
        var best: (index: Int, specificity: Specificity)?
        for (index, rule) in rules.enumerated() where rule.effect != .deny {
            guard rule.mismatches(principal, question).isEmpty,
                let specificity = specificity(rule, principal, question)
            else { continue }
            if let held = best, !(held.specificity < specificity) { continue }
            best = (index, specificity)
        }
        return best?.index
    }

    private func specificity(_ rule: PolicyRule, _ principal: Principal, _ question: Question) -> Specificity? {
        guard let subject = rule.subjectRank(principal), let resource = rule.resourceRank(question) else { return nil }
        return Specificity(
            resource: resource, subject: subject, route: rule.routes.isEmpty ? 0 : 1,
            effect: rule.effect == .requireApproval ? 1 : 0, masked: rule.mask.hides ? 1 : 0,
            commands: rule.commands == nil ? 0 : 1)
    }

    /// A command that is known must be the rule's; a name that is only listed, by nothing known, needs any right on it.
    private func sourceOfDescribe(_ principal: Principal, _ question: Question) -> Int? {
        let isListed = question.command.isEmpty && !question.mustBeNamed
        var best: (index: Int, specificity: Specificity)?
        for (index, rule) in rules.enumerated() where rule.effect != .deny {
            guard
                rule.mismatches(principal, question).allSatisfy({ $0 == .actions || ($0 == .commands && isListed) }),
                let specificity = specificity(rule, principal, question)
            else { continue }
            if let held = best, !(held.specificity < specificity) { continue }
            best = (index, specificity)
        }
        return best?.index
    }
}
