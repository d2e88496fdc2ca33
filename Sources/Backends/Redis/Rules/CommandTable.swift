import TidegateCore
import TidegateWire

/// Every command that the gateway knows, found by name in any case of letters. What is not here is refused.
struct CommandTable: Sendable {
    let rules: [CommandRule]

    /// The rule of a request's command, with its subcommand where it has some.
    ///
    /// - Returns: its index in `rules`, nil where nobody knows it.
    func find(_ arguments: borrowing CommandArguments, _ bytes: RawSpan) -> Int? { nil }
}
