/// The rules of a profile, ready for the scanner: immutable, shared by all loops.
final class CompiledRules: Sendable {
    let values: PathAutomaton
    let headers: PathAutomaton
    /// By number of the rule.
    let replacements: [Replacement]
    let hasRemovals: Bool

    init(_ values: PathAutomaton, _ headers: PathAutomaton, _ replacements: [Replacement]) {
        self.values = values
        self.headers = headers
        self.replacements = replacements
        hasRemovals = replacements.contains { $0.isRemoval }
    }
}
