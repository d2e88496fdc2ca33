import TidegateCore
import TidegateWire

/// A command whose names stand where they always stand, in one line of a table.
struct KeyRule: Sendable {
    enum Names: Sendable {
        /// One.
        case at(Int)
        /// All to the end.
        case from(Int)
        /// All but the last argument, which is a timeout in seconds.
        case untilTimeout(Int)
        /// Every second, each followed by its value.
        case pairs(Int)
    }
    let actions: [Action]
    let names: Names
    let counts: ClosedRange<Int>
    let shape: ReplyShape
    let kind: CommandTarget.Kind
    let isRefusedUnderMask: Bool
    /// What may stand behind the fewest arguments; where there is none, all up to `counts` are of any form.
    let options: [CommandOption]

    /// All names are asked for the first action, then all for the next: the first targets are the answer's.
    func read(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(counts)
        if !options.isEmpty { try arguments.options(options, from: counts.lowerBound, bytes) }
        request.shape = shape
        request.isRefusedUnderMask = isRefusedUnderMask
        let places: StrideTo<Int>
        switch names {
        case .at(let index): places = stride(from: index, to: index + 1, by: 1)
        case .from(let index): places = stride(from: index, to: arguments.count, by: 1)
        case .untilTimeout(let index):
            places = stride(from: index, to: arguments.count - 1, by: 1)
            request.wait = try arguments.seconds(arguments.count - 1, bytes)
        case .pairs(let index):
            guard (arguments.count - index).isMultiple(of: 2) else { throw .count }
            places = stride(from: index, to: arguments.count, by: 2)
        }
        for action in actions {
            for place in places { request.ask(CommandTarget(action, kind, place)) }
        }
    }
}

extension CommandRule {
    /// As many as a request may have.
    static let many = CommandReader.argumentLimit.ever

    /// One line of a table.
    ///
    /// - Parameters:
    ///   - counts: how many arguments there are, the command's name with them.
    ///   - hidden: refused where a mask is in force: the answer is part of a value, tells whether a value is the one that
    ///     the client says, or mixes several targets' values.
    static func key(
        _ name: StaticString, _ categories: Categories, _ actions: [Action], _ names: KeyRule.Names,
        _ counts: ClosedRange<Int>, _ shape: ReplyShape = .plain, kind: CommandTarget.Kind = .key, hidden: Bool = false,
        options: [CommandOption] = []
    ) -> CommandRule {
        let rule = KeyRule(
            actions: actions, names: names, counts: counts, shape: shape, kind: kind, isRefusedUnderMask: hidden,
            options: options)
        return CommandRule(
            name: name,
            handling: .governed { (arguments, bytes, request) throws(GrammarFailure) in
                try rule.read(arguments, bytes, &request)
            }, categories: categories)
    }

    /// A command with a grammar of its own.
    static func grammar(_ name: StaticString, _ categories: Categories, _ grammar: @escaping Grammar) -> CommandRule {
        CommandRule(name: name, handling: .governed(grammar), categories: categories)
    }

    /// A command that names nothing; its answer has that shape.
    static func unnamed(
        _ name: StaticString, _ categories: Categories, _ counts: ClosedRange<Int>, _ shape: ReplyShape
    ) -> CommandRule {
        .grammar(name, categories) { (arguments, _, request) throws(GrammarFailure) in
            try arguments.holds(counts)
            request.shape = shape
        }
    }

    /// Why what reads one key into another is refused to everybody.
    static let copies: StaticString = "a command that copies values out of sight of a mask is not served"

    static func refused(_ reason: StaticString, _ names: [StaticString]) -> [CommandRule] {
        names.map { CommandRule(name: $0, handling: .refused(reason), categories: []) }
    }

    static func open(_ categories: Categories, _ names: [StaticString]) -> [CommandRule] {
        names.map { CommandRule(name: $0, handling: .open, categories: categories) }
    }
}
