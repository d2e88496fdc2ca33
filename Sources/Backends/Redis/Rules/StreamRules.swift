import TidegateCore

extension CommandTable {
    private static let setOptions = [
        CommandOption("ENTRIESADDED", integers: 1), CommandOption("MAXDELETEDID", others: 1),
    ]
    private static let configurationOptions = [
        CommandOption("IDMP-DURATION", integers: 1), CommandOption("IDMP-MAXSIZE", integers: 1),
    ]

    static let streamRules: [CommandRule] =
        [
            .grammar("XADD", [.write, .stream, .fast], StreamGrammars.add),
            .grammar("XREAD", [.read, .stream, .slow, .blocking], StreamReadGrammars.read),
            // Redis has it among those that write; it returns entries, so @write does not open it here.
            .grammar("XREADGROUP", [.stream, .slow, .blocking], StreamReadGrammars.readGroup),
            .grammar("XRANGE", [.read, .stream, .slow], StreamReadGrammars.range),
            .grammar("XREVRANGE", [.read, .stream, .slow], StreamReadGrammars.reverseRange),
            .key("XLEN", [.read, .stream, .fast], [.describe], .at(1), 2...2, kind: .stream),
            .key("XDEL", [.write, .stream, .fast], [.delete], .at(1), 3...CommandRule.many, kind: .stream),
            .grammar("XDELEX", [.write, .stream, .fast], StreamGrammars.deleteNumbered),
            .grammar("XTRIM", [.write, .stream, .slow], StreamGrammars.trim),
            .grammar("XACK", [.write, .stream, .fast]) { (arguments, _, request) throws(GrammarFailure) in
                try arguments.holds(4...CommandRule.many)
                request.ask(CommandTarget(.commit, .stream, 1, group: 2))
            },
            .grammar("XACKDEL", [.write, .stream, .fast], StreamGrammars.acknowledgeAndDelete),
            .grammar("XNACK", [.write, .stream, .fast], StreamGrammars.giveBack),
            .grammar("XCLAIM", [.stream, .fast], StreamReadGrammars.claim),
            .grammar("XAUTOCLAIM", [.stream, .fast], StreamReadGrammars.autoClaim),
            .grammar("XPENDING", [.read, .stream, .slow], StreamGrammars.pending),
            .key("XSETID", [.write, .stream, .fast], [.alter], .at(1), 3...7, kind: .stream, options: setOptions),
            .key(
                "XCFGSET", [.write, .stream, .fast], [.alter], .at(1), 2...6, kind: .stream,
                options: configurationOptions),
            .grammar("XGROUP CREATE", [.write, .stream, .slow], StreamGrammars.createGroup),
            .grammar("XGROUP SETID", [.write, .stream, .slow], StreamGrammars.moveGroup),
            group("XGROUP DESTROY", [.write, .stream, .slow], .delete, 4),
            group("XGROUP DELCONSUMER", [.write, .stream, .slow], .delete, 5),
            // XREADGROUP makes consumers too.
            group("XGROUP CREATECONSUMER", [.write, .stream, .slow], .consume, 5),
            .grammar("XINFO STREAM", [.read, .stream, .slow], StreamReadGrammars.information),
            .key("XINFO GROUPS", [.read, .stream, .slow], [.describe], .at(2), 3...3, kind: .stream),
            group("XINFO CONSUMERS", [.read, .stream, .slow], .describe, 4),
        ] + CommandRule.open([.stream, .slow], ["XGROUP HELP", "XINFO HELP"])

    /// A subcommand with stream and group behind it.
    private static func group(
        _ name: StaticString, _ categories: CommandRule.Categories, _ action: Action, _ count: Int
    ) -> CommandRule {
        .grammar(name, categories) { (arguments, _, request) throws(GrammarFailure) in
            try arguments.holds(count...count)
            request.ask(CommandTarget(action, .stream, 2, group: 3))
        }
    }
}
