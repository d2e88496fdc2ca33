import TidegateCore

extension CommandTable {
    /// The connection's own state, and housekeeping that names nothing.
    static let sessionRules: [CommandRule] =
        [
            session("AUTH", .auth, [.connection, .fast]), session("HELLO", .hello, [.connection, .fast]),
            session("RESET", .reset, [.connection, .fast]), session("QUIT", .quit, [.connection, .fast]),
            session("SELECT", .select, [.connection, .fast]), session("MULTI", .multi, [.transaction, .fast]),
            session("EXEC", .exec, [.transaction, .slow]), session("DISCARD", .discard, [.transaction, .fast]),
            session("WATCH", .watch, [.transaction, .fast]), session("UNWATCH", .unwatch, [.transaction, .fast]),
            session("SUBSCRIBE", .subscribe, [.pubsub, .slow]), session("UNSUBSCRIBE", .unsubscribe, [.pubsub, .slow]),
            session("PSUBSCRIBE", .patternSubscribe, [.pubsub, .slow]),
            session("PUNSUBSCRIBE", .patternUnsubscribe, [.pubsub, .slow]),
            session("SSUBSCRIBE", .shardSubscribe, [.pubsub, .slow]),
            session("SUNSUBSCRIBE", .shardUnsubscribe, [.pubsub, .slow]),
            session("CLIENT REPLY", .clientReply, [.connection, .slow]),
            session("ASKING", .asking, [.connection, .fast]),
            session("READONLY", .readOnly, [.connection, .fast]),
            session("READWRITE", .readWrite, [.connection, .fast]),
        ]
        + CommandRule.open([.connection, .fast], ["PING", "ECHO"])
        + CommandRule.open(
            [.connection, .slow],
            [
                "COMMAND", "COMMAND COUNT", "COMMAND DOCS", "COMMAND GETKEYS", "COMMAND GETKEYSANDFLAGS",
                "COMMAND HELP",
                "COMMAND INFO", "COMMAND LIST", "CLIENT GETNAME", "CLIENT SETNAME", "CLIENT SETINFO", "CLIENT ID",
                "CLIENT NO-TOUCH", "CLIENT GETREDIR", "CLIENT TRACKINGINFO", "CLIENT HELP", "WAIT", "WAITAOF",
            ])
        + CommandRule.open(
            [],
            [
                "TIME", "LOLWUT", "ACL CAT", "ACL GENPASS", "ACL HELP", "CLUSTER HELP", "CONFIG HELP", "FUNCTION HELP",
                "LATENCY HELP", "MEMORY HELP", "MODULE HELP", "OBJECT HELP", "PUBSUB HELP", "SCRIPT HELP",
                "SLOWLOG HELP", "PUBSUB NUMPAT",
            ])
        // What a client of a cluster must know to find its way; addresses become the gateway's.
        + [
            .unnamed("CLUSTER SLOTS", [.slow], 2...2, .clusterSlots),
            .unnamed("CLUSTER SHARDS", [.slow], 2...2, .clusterShards),
            .unnamed("CLUSTER NODES", [.slow], 2...2, .clusterNodes),
            .unnamed("CLUSTER INFO", [.slow], 2...2, .plain), .unnamed("CLUSTER MYID", [.slow], 2...2, .plain),
            .unnamed("CLUSTER MYSHARDID", [.slow], 2...2, .plain),
            .unnamed("CLUSTER KEYSLOT", [.slow], 3...3, .plain),
        ]

    private static func session(
        _ name: StaticString, _ command: CommandRule.SessionCommand, _ categories: CommandRule.Categories
    ) -> CommandRule { CommandRule(name: name, handling: .session(command), categories: categories) }

    /// The server's own: what looks at it or changes it, what goes around masks, and what nobody gets.
    static let serverRules: [CommandRule] =
        cluster(.describe, .information, [.dangerous, .slow], ["INFO"])
        + cluster(.describe, .role, [.admin, .dangerous, .fast], ["ROLE"])
        + cluster(.describe, .plain, [.keyspace, .read, .fast], ["DBSIZE"])
        + cluster(
            .describe, .plain, [.admin, .dangerous],
            [
                "LASTSAVE", "LATENCY DOCTOR", "LATENCY GRAPH", "LATENCY HISTOGRAM", "LATENCY HISTORY", "LATENCY LATEST",
                "MEMORY DOCTOR", "MEMORY MALLOC-STATS", "MEMORY STATS", "MODULE LIST", "SLOWLOG LEN", "ACL WHOAMI",
                "CLUSTER COUNTKEYSINSLOT", "CLUSTER COUNT-FAILURE-REPORTS",
            ])
        + cluster(
            .admin, .plain, [.admin, .dangerous],
            [
                "BGREWRITEAOF", "BGSAVE", "CLIENT KILL", "CLIENT NO-EVICT", "CLIENT PAUSE",
                "CLIENT UNBLOCK", "CLIENT UNPAUSE", "CLUSTER ADDSLOTS", "CLUSTER ADDSLOTSRANGE", "CLUSTER BUMPEPOCH",
                "CLUSTER DELSLOTS", "CLUSTER DELSLOTSRANGE", "CLUSTER FAILOVER", "CLUSTER FLUSHSLOTS", "CLUSTER FORGET",
                "CLUSTER MEET", "CLUSTER REPLICATE", "CLUSTER RESET", "CLUSTER SAVECONFIG", "CLUSTER SET-CONFIG-EPOCH",
                "CLUSTER SETSLOT", "CONFIG RESETSTAT", "FAILOVER",
                "FLUSHALL", "FLUSHDB", "LATENCY RESET", "MEMORY PURGE", "SAVE", "SHUTDOWN", "SLOWLOG RESET",
            ])
        // Keys, values and code of anybody's, out of every mask's sight; passwords and users of the server, which lead
        // around the gateway.
        + [
            "ACL DELUSER", "ACL DRYRUN", "ACL GETUSER", "ACL LIST", "ACL LOAD", "ACL LOG", "ACL SAVE", "ACL SETUSER",
            "ACL USERS", "CONFIG GET", "CONFIG REWRITE", "CONFIG SET",
            "EVAL", "EVAL_RO", "EVALSHA", "EVALSHA_RO", "FCALL", "FCALL_RO", "SCRIPT DEBUG", "SCRIPT EXISTS",
            "SCRIPT FLUSH", "SCRIPT KILL", "SCRIPT LOAD", "FUNCTION DELETE", "FUNCTION DUMP", "FUNCTION FLUSH",
            "FUNCTION KILL", "FUNCTION LIST", "FUNCTION LOAD", "FUNCTION RESTORE", "FUNCTION STATS", "SLOWLOG GET",
            "DEBUG",
        ].map { CommandRule(name: $0, handling: .exposing, categories: []) }
        + CommandRule.refused(
            "a command that makes the connection something else than a client's is not served",
            [
                "MONITOR", "SYNC", "PSYNC", "REPLCONF", "CLIENT TRACKING", "CLIENT CACHING",
                "CLIENT MAINT_NOTIFICATIONS", "CLIENT CAPA",
            ])
        + CommandRule.refused(
            "a command that shows addresses of the backend is not served",
            ["CLIENT LIST", "CLIENT INFO", "CLUSTER LINKS", "CLUSTER REPLICAS", "CLUSTER SLAVES"])
        + CommandRule.refused(
            "a command that gives the data to another server, or loads code, is not served",
            ["REPLICAOF", "SLAVEOF", "MODULE LOAD", "MODULE LOADEX", "MODULE UNLOAD"])

    private static func cluster(
        _ action: Action, _ shape: ReplyShape, _ categories: CommandRule.Categories, _ names: [StaticString]
    ) -> [CommandRule] {
        names.map { CommandRule(name: $0, handling: .cluster(action, shape), categories: categories) }
    }
}
