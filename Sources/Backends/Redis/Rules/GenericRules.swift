import TidegateCore
import TidegateWire

extension CommandTable {
    private static let times = [CommandOption("NX"), CommandOption("XX"), CommandOption("GT"), CommandOption("LT")]

    /// Names of any type. An expiry deletes, only later: it needs `delete` beside `alter`.
    static let genericRules: [CommandRule] =
        [
            .key("DEL", [.write, .keyspace, .slow], [.delete], .from(1), 2...CommandRule.many, kind: .anyKey),
            .key("UNLINK", [.write, .keyspace, .fast], [.delete], .from(1), 2...CommandRule.many, kind: .anyKey),
            .key("EXISTS", [.read, .keyspace, .fast], [.describe], .from(1), 2...CommandRule.many, kind: .anyKey),
            .key("TOUCH", [.read, .keyspace, .fast], [.describe], .from(1), 2...CommandRule.many, kind: .anyKey),
            .key("TYPE", [.read, .keyspace, .fast], [.describe], .at(1), 2...2, kind: .anyKey),
            .key("TTL", [.read, .keyspace, .fast], [.describe], .at(1), 2...2, kind: .anyKey),
            .key("PTTL", [.read, .keyspace, .fast], [.describe], .at(1), 2...2, kind: .anyKey),
            .key("EXPIRETIME", [.read, .keyspace, .fast], [.describe], .at(1), 2...2, kind: .anyKey),
            .key("PEXPIRETIME", [.read, .keyspace, .fast], [.describe], .at(1), 2...2, kind: .anyKey),
            .key(
                "EXPIRE", [.write, .keyspace, .fast], [.alter, .delete], .at(1), 3...5, kind: .anyKey, options: times),
            .key(
                "PEXPIRE", [.write, .keyspace, .fast], [.alter, .delete], .at(1), 3...5, kind: .anyKey, options: times),
            .key(
                "EXPIREAT", [.write, .keyspace, .fast], [.alter, .delete], .at(1), 3...5, kind: .anyKey, options: times),
            .key(
                "PEXPIREAT", [.write, .keyspace, .fast], [.alter, .delete], .at(1), 3...5, kind: .anyKey, options: times
            ),
            .key("PERSIST", [.write, .keyspace, .fast], [.alter], .at(1), 2...2, kind: .anyKey),
            .key(
                "MEMORY USAGE", [.read, .slow], [.describe], .at(2), 3...5, kind: .anyKey,
                options: [CommandOption("SAMPLES", integers: 1)]),
            // No category opens lists of names.
            .unnamed("KEYS", [], 2...2, .names(.anyKey, hasCursor: false)),
            .unnamed("CLUSTER GETKEYSINSLOT", [], 4...4, .names(.anyKey, hasCursor: false)),
            .grammar("SCAN", [], ScanGrammars.names),
        ]
        + CommandRule.refused(
            CommandRule.copies,
            [
                "COPY", "RENAME", "RENAMENX", "MOVE", "SWAPDB", "DUMP", "RESTORE", "RESTORE-ASKING", "MIGRATE", "SORT",
                "SORT_RO",
            ]
        )
        + CommandRule.refused(
            "a command that looks into how a value is kept is not served",
            ["OBJECT ENCODING", "OBJECT FREQ", "OBJECT IDLETIME", "OBJECT REFCOUNT"])
        + CommandRule.refused("a command that names a key of anybody's is not served", ["RANDOMKEY"])

    /// Channels of publish and subscribe.
    static let channelRules: [CommandRule] = [
        .grammar("PUBLISH", [.pubsub, .fast], ChannelGrammars.publish),
        .grammar("SPUBLISH", [.pubsub, .fast], ChannelGrammars.publish),
        .unnamed("PUBSUB CHANNELS", [.pubsub, .slow], 2...3, .names(.channel, hasCursor: false)),
        .unnamed("PUBSUB SHARDCHANNELS", [.pubsub, .slow], 2...3, .names(.channel, hasCursor: false)),
        .key("PUBSUB NUMSUB", [.pubsub, .slow], [.describe], .from(2), 2...CommandRule.many, kind: .channel),
        .key("PUBSUB SHARDNUMSUB", [.pubsub, .slow], [.describe], .from(2), 2...CommandRule.many, kind: .channel),
    ]
}

enum ChannelGrammars {
    /// `PUBLISH channel message`. By some channels servers and sentinels speak with each other.
    static func publish(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(3...3)
        request.shape = .written
        let isServers = bytes.isServersOwn(arguments[1])
        request.ask(CommandTarget(isServers ? .admin : .produce, isServers ? .cluster : .channel, 1))
    }
}
