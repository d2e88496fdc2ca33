/// Decisions that depend on the command, and commands on a name of any type.
extension Governor {
    /// Decides a command on a name whose type is not known (Redis' DEL, EXPIRE, TYPE): the same name as two kinds.
    ///
    /// An explicit deny of either wins, then require-approval of either, then an allow of either (the first's before the
    /// second's), else the refusal of the first. Only the deciding operation is counted and written as evidence, and the
    /// clearance is its own.
    public mutating func decide(anyOf first: Operation, _ second: Operation) -> Decision {
        guard !isExpired, let one = verdict(on: first), let other = verdict(on: second) else {
            return principal == nil || isExpired ? decide(first) : .deny(tooManyDecisions(first))
        }
        return decide(other > one ? second : first)
    }

    /// What the policy says, before anybody is told; the higher decides.
    enum Verdict: UInt8, Comparable, BitwiseCopyable {
        case noRule, allow, requireApproval, deny

        init(_ ruling: Ruling) {
            self =
                switch ruling.effect {
                case .allow: .allow
                case .requireApproval: .requireApproval
                case .deny: ruling.rule < 0 ? .noRule : .deny
                }
        }

        static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// Neither counted nor written, and no decision: a line that has only this answers no `decide`.
    ///
    /// - Returns: nil where there is no principal, or no room for another line.
    private mutating func verdict(on operation: Operation) -> Verdict? {
        if let index = find(operation), lines[index].judged == version { return lines[index].verdict }
        return compare(operation)
    }

    private mutating func compare(_ operation: Operation) -> Verdict? {
        guard let principal, let index = line(for: operation) else { return nil }
        lines[index].verdict = Verdict(judge(principal, operation))
        lines[index].judged = version
        return lines[index].verdict
    }

    /// Notes that a line answers for a command that is not its own.
    mutating func share(_ index: Int, _ operation: Operation) {
        if lines[index].operation.wireName != operation.wireName { lines[index].isShared = true }
    }

    /// Called with each authority. From here on a line answers for its own command only; of a line that answered for
    /// several, clearances given before are void, since nobody knows for which they were (`renewAnew`).
    mutating func keepCommandsApart(_ isApart: Bool) {
        guard isApart != distinguishesCommands else { return }
        for index in lines.indices where lines[index].count > 0 { close(index) }
        distinguishesCommands = isApart
        if isApart { apartSince = version }
    }
}
