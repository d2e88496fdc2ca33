import TidegateCore

extension CompiledPolicy {
    /// Rules that can never decide, and pairs between which only the tie's order decides, each told at the later rule.
    ///
    /// - Parameter explicit: wire names that a rule opens only by naming them.
    public func lint(explicitCommands explicit: Set<String> = []) -> [(rule: String, message: String)] {
        var found: [(String, String)] = []
        for (index, rule) in rules.enumerated() where rule.effect != .deny {
            if let blocker = rules.first(where: { $0.name != rule.name && $0.forbidsAll(of: rule, explicit) }) {
                found.append((rule.name, "can never decide: the deny '\(blocker.name)' covers all of it"))
            }
            for other in rules[..<index] where other.effect != .deny {
                if let message = CompiledPolicy.tie(other, rule, explicit) { found.append(message) }
            }
        }
        return found
    }

    /// What there is to say about two rules that are no deny.
    private static func tie(
        _ earlier: PolicyRule, _ later: PolicyRule, _ explicit: Set<String>
    ) -> (String, String)? {
        let (winner, loser, reason) = order(earlier, later)
        if winner.matchesAlike(loser), winner.isAsWide(inActionsAs: loser),
            winner.isAsWide(inCommandsAs: loser, explicit)
        {
            return (loser.name, "can never decide: '\(winner.name)' covers the same and \(reason)")
        }
        let differs =
            earlier.effect != later.effect || earlier.mask != later.mask || earlier.recording != later.recording
        guard differs, earlier.canTie(with: later), earlier.meets(inCommands: later, explicit) else { return nil }
        return (
            later.name, "ties with '\(earlier.name)' where both match: '\(winner.name)' decides, since it \(reason)"
        )
    }

    /// Which of two rules decides where they are equally specific (CONTRACT, *Which rule decides*), and why.
    private static func order(
        _ earlier: PolicyRule, _ later: PolicyRule
    ) -> (winner: PolicyRule, loser: PolicyRule, reason: String) {
        if earlier.effect != later.effect {
            let isFirst = earlier.effect == .requireApproval
            return (isFirst ? earlier : later, isFirst ? later : earlier, "requires approval")
        }
        if earlier.mask.hides != later.mask.hides {
            return (earlier.mask.hides ? earlier : later, earlier.mask.hides ? later : earlier, "masks")
        }
        if (earlier.commands == nil) != (later.commands == nil) {
            let isFirst = earlier.commands != nil
            return (isFirst ? earlier : later, isFirst ? later : earlier, "names commands")
        }
        return (earlier, later, "stands before it")
    }
}

extension PolicyRule {
    /// True of a deny that matches whenever `rule` does.
    fileprivate func forbidsAll(of rule: PolicyRule, _ explicit: Set<String>) -> Bool {
        effect == .deny && (subjects.isEmpty || subjects == rule.subjects)
            && (routes.isEmpty || (!rule.routes.isEmpty && rule.routes.allSatisfy(routes.contains)))
            && isAsWide(inActionsAs: rule) && isAsWide(inCommandsAs: rule, explicit)
            && (resources == .unspecified || resources == .any || resources == rule.resources)
    }

    /// No actions are all of them.
    fileprivate func isAsWide(inActionsAs other: PolicyRule) -> Bool {
        actions.isEmpty || (!other.actions.isEmpty && other.actions.isSubset(of: actions))
    }

    /// No commands are all of them, for a deny; else all but those that must be named.
    fileprivate func isAsWide(inCommandsAs other: PolicyRule, _ explicit: Set<String>) -> Bool {
        let theirs = other.commands?.opened(explicit)
        guard let commands else { return effect == .deny || theirs?.isDisjoint(with: explicit) ?? true }
        return theirs?.isSubset(of: effect == .deny ? commands.all : commands.opened(explicit)) ?? false
    }

    /// True of two rules that are no deny where both open some command.
    fileprivate func meets(inCommands other: PolicyRule, _ explicit: Set<String>) -> Bool {
        switch (commands?.opened(explicit), other.commands?.opened(explicit)) {
        case (nil, nil): true
        case (let some?, nil), (nil, let some?): !some.isSubset(of: explicit)
        case (let ours?, let theirs?): !ours.isDisjoint(with: theirs)
        }
    }

    fileprivate func matchesAlike(_ other: PolicyRule) -> Bool {
        subjects == other.subjects && routes == other.routes && resources == other.resources
    }

    /// True where some question of some principal finds both equally specific.
    fileprivate func canTie(with other: PolicyRule) -> Bool {
        let meetInActions = actions.isEmpty || other.actions.isEmpty || !actions.isDisjoint(with: other.actions)
        // A named route beats any.
        let meetInRoutes =
            routes.isEmpty
            ? other.routes.isEmpty : !other.routes.isEmpty && routes.contains(where: other.routes.contains)
        return meetInActions && meetInRoutes && resourcesTie(with: other) && subjectsTie(with: other)
    }

    private func resourcesTie(with other: PolicyRule) -> Bool {
        switch (resources, other.resources) {
        case (.kinds(let ours), .kinds(let theirs)):
            ours.contains { kind, globs in PolicyRule.tie(globs, theirs[kind] ?? [], byLiterals: true) }
        case (.kinds, _), (_, .kinds): false
        default: true
        }
    }

    /// A person may be in groups of both, and hold claims of both; but has one name.
    private func subjectsTie(with other: PolicyRule) -> Bool {
        func rank(_ subjects: Subjects) -> Int { !subjects.claims.isEmpty ? 2 : !subjects.groups.isEmpty ? 1 : 0 }
        switch (subjects.subjects.isEmpty, other.subjects.subjects.isEmpty) {
        case (false, false): return PolicyRule.tie(subjects.subjects, other.subjects.subjects, byLiterals: false)
        case (true, true): return rank(subjects) == rank(other.subjects)
        default: return false
        }
    }

    /// True where a pattern of one list and one of the other rank the same, and some name matches both.
    private static func tie(_ left: [Glob], _ right: [Glob], byLiterals: Bool) -> Bool {
        left.contains { left in
            right.contains { right in
                left.isExact == right.isExact && (!byLiterals || left.literalCount == right.literalCount)
                    && left.overlaps(right)
            }
        }
    }
}
