import TidegateCore

extension CommandTable {
    static let hashRules: [CommandRule] = [
        .key("HGET", [.read, .hash, .fast], [.consume], .at(1), 3...3, .namedFields(from: 2, isSingle: true)),
        .key(
            "HMGET", [.read, .hash, .fast], [.consume], .at(1), 3...CommandRule.many,
            .namedFields(from: 2, isSingle: false)),
        .key("HGETALL", [.read, .hash, .slow], [.consume], .at(1), 2...2, .fields),
        .key("HKEYS", [.read, .hash, .slow], [.consume], .at(1), 2...2),
        // Values without their fields' names: a mask for a field could not find it.
        .key("HVALS", [.read, .hash, .slow], [.consume], .at(1), 2...2, .values, hidden: true),
        .grammar("HRANDFIELD", [.read, .hash, .slow], HashGrammars.randomField),
        .grammar("HSCAN", [.read, .hash, .slow], ScanGrammars.hash),
        .key("HLEN", [.read, .hash, .fast], [.describe], .at(1), 2...2),
        .key("HEXISTS", [.read, .hash, .fast], [.describe], .at(1), 3...3),
        .key("HSTRLEN", [.read, .hash, .fast], [.describe], .at(1), 3...3),
        .grammar("HSET", [.write, .hash, .fast], HashGrammars.set),
        .grammar("HMSET", [.write, .hash, .fast], HashGrammars.set),
        .key("HSETNX", [.write, .hash, .fast], [.produce], .at(1), 4...4, .writtenUnlessZero),
        .key("HINCRBY", [.write, .hash, .fast], [.consume, .produce], .at(1), 4...4, .written, hidden: true),
        .key("HINCRBYFLOAT", [.write, .hash, .fast], [.consume, .produce], .at(1), 4...4, .written, hidden: true),
        .key("HDEL", [.write, .hash, .fast], [.produce], .at(1), 3...CommandRule.many),
        // Of 7.4 and 8.0: fields that expire.
        .grammar("HEXPIRE", [.write, .hash, .fast], HashGrammars.expire),
        .grammar("HPEXPIRE", [.write, .hash, .fast], HashGrammars.expire),
        .grammar("HEXPIREAT", [.write, .hash, .fast], HashGrammars.expire),
        .grammar("HPEXPIREAT", [.write, .hash, .fast], HashGrammars.expire),
        .grammar("HPERSIST", [.write, .hash, .fast], HashGrammars.persist),
        .grammar("HTTL", [.read, .hash, .fast], HashGrammars.timeToLive),
        .grammar("HPTTL", [.read, .hash, .fast], HashGrammars.timeToLive),
        .grammar("HEXPIRETIME", [.read, .hash, .fast], HashGrammars.timeToLive),
        .grammar("HPEXPIRETIME", [.read, .hash, .fast], HashGrammars.timeToLive),
        .grammar("HGETDEL", [.hash, .fast], HashGrammars.getAndDelete),
        .grammar("HGETEX", [.hash, .fast], HashGrammars.getAndExpire),
        .grammar("HSETEX", [.write, .hash, .fast], HashGrammars.setAndExpire),
    ]

    private static let positionOptions = [
        CommandOption("RANK", integers: 1), CommandOption("COUNT", integers: 1), CommandOption("MAXLEN", integers: 1),
    ]

    static let listRules: [CommandRule] =
        [
            .key("LPUSH", [.write, .list, .fast], [.produce], .at(1), 3...CommandRule.many, .written),
            .key("RPUSH", [.write, .list, .fast], [.produce], .at(1), 3...CommandRule.many, .written),
            .key("LPUSHX", [.write, .list, .fast], [.produce], .at(1), 3...CommandRule.many, .writtenUnlessZero),
            .key("RPUSHX", [.write, .list, .fast], [.produce], .at(1), 3...CommandRule.many, .writtenUnlessZero),
            .key("LSET", [.write, .list, .slow], [.produce], .at(1), 4...4, .written),
            .key("LINSERT", [.write, .list, .slow], [.produce], .at(1), 5...5, .writtenUnlessZero),
            .key("LREM", [.write, .list, .slow], [.produce], .at(1), 4...4),
            .key("LTRIM", [.write, .list, .slow], [.produce], .at(1), 4...4),
            .key("LRANGE", [.read, .list, .slow], [.consume], .at(1), 4...4, .values),
            .key("LINDEX", [.read, .list, .slow], [.consume], .at(1), 3...3, .values),
            .key("LLEN", [.read, .list, .fast], [.describe], .at(1), 2...2),
            .key("LPOS", [.read, .list, .slow], [.consume], .at(1), 3...9, hidden: true, options: positionOptions),
            .key("LPOP", [.list, .fast], [.consume, .delete], .at(1), 2...3, .values),
            .key("RPOP", [.list, .fast], [.consume, .delete], .at(1), 2...3, .values),
            .key(
                "BLPOP", [.list, .blocking, .slow], [.consume, .delete], .untilTimeout(1), 3...CommandRule.many,
                .popped(isScored: false)),
            .key(
                "BRPOP", [.list, .blocking, .slow], [.consume, .delete], .untilTimeout(1), 3...CommandRule.many,
                .popped(isScored: false)),
            .grammar("LMPOP", [.list, .slow], PopGrammars.list),
            .grammar("BLMPOP", [.list, .blocking, .slow], PopGrammars.listOrWait),
        ]
        + CommandRule.refused(
            CommandRule.copies,
            ["LMOVE", "RPOPLPUSH", "BLMOVE", "BRPOPLPUSH"])

    static let setRules: [CommandRule] =
        [
            .key("SADD", [.write, .set, .fast], [.produce], .at(1), 3...CommandRule.many, .written),
            .key("SREM", [.write, .set, .fast], [.produce], .at(1), 3...CommandRule.many),
            .key("SMEMBERS", [.read, .set, .slow], [.consume], .at(1), 2...2, .values),
            .key("SCARD", [.read, .set, .fast], [.describe], .at(1), 2...2),
            .key("SISMEMBER", [.read, .set, .fast], [.consume], .at(1), 3...3, hidden: true),
            .key("SMISMEMBER", [.read, .set, .fast], [.consume], .at(1), 3...CommandRule.many, hidden: true),
            .key("SRANDMEMBER", [.read, .set, .slow], [.consume], .at(1), 2...3, .values),
            .key("SPOP", [.set, .fast], [.consume, .delete], .at(1), 2...3, .values),
            // Several sets, or which of them holds what: no mask of one fits.
            .key("SINTER", [.read, .set, .slow], [.consume], .from(1), 2...CommandRule.many, .values, hidden: true),
            .key("SUNION", [.read, .set, .slow], [.consume], .from(1), 2...CommandRule.many, .values, hidden: true),
            .key("SDIFF", [.read, .set, .slow], [.consume], .from(1), 2...CommandRule.many, .values, hidden: true),
            .grammar("SINTERCARD", [.read, .set, .slow], SortedSetGrammars.countOfIntersection),
            .grammar("SMOVE", [.write, .set, .fast], SetGrammars.move),
            .grammar("SSCAN", [.read, .set, .slow], ScanGrammars.set),
        ]
        + CommandRule.refused(
            CommandRule.copies,
            ["SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"])
}
