import TidegateCore

extension CommandTable {
    private static let scores = [CommandOption("WITHSCORES")]
    private static let limit = [CommandOption("LIMIT", integers: 2)]

    static let sortedSetRules: [CommandRule] =
        [
            .grammar("ZADD", [.write, .sortedSet, .fast], SortedSetGrammars.add),
            .key("ZINCRBY", [.write, .sortedSet, .fast], [.consume, .produce], .at(1), 4...4, .written, hidden: true),
            .key("ZREM", [.write, .sortedSet, .fast], [.produce], .at(1), 3...CommandRule.many),
            .key("ZREMRANGEBYRANK", [.write, .sortedSet, .slow], [.produce], .at(1), 4...4),
            .key("ZREMRANGEBYSCORE", [.write, .sortedSet, .slow], [.produce], .at(1), 4...4),
            .key("ZREMRANGEBYLEX", [.write, .sortedSet, .slow], [.produce], .at(1), 4...4),
            .key("ZCARD", [.read, .sortedSet, .fast], [.describe], .at(1), 2...2),
            .key("ZCOUNT", [.read, .sortedSet, .fast], [.consume], .at(1), 4...4),
            .key("ZLEXCOUNT", [.read, .sortedSet, .fast], [.consume], .at(1), 4...4, hidden: true),
            .key("ZSCORE", [.read, .sortedSet, .fast], [.consume], .at(1), 3...3, hidden: true),
            .key("ZMSCORE", [.read, .sortedSet, .fast], [.consume], .at(1), 3...CommandRule.many, hidden: true),
            .key(
                "ZRANK", [.read, .sortedSet, .fast], [.consume], .at(1), 3...4, hidden: true,
                options: [CommandOption("WITHSCORE")]),
            .key(
                "ZREVRANK", [.read, .sortedSet, .fast], [.consume], .at(1), 3...4, hidden: true,
                options: [CommandOption("WITHSCORE")]),
            .grammar("ZRANGE", [.read, .sortedSet, .slow], SortedSetGrammars.range),
            .grammar("ZREVRANGE", [.read, .sortedSet, .slow], SortedSetGrammars.rangeByRank),
            .grammar("ZRANGEBYSCORE", [.read, .sortedSet, .slow], SortedSetGrammars.rangeByScore),
            .grammar("ZREVRANGEBYSCORE", [.read, .sortedSet, .slow], SortedSetGrammars.rangeByScore),
            .key(
                "ZRANGEBYLEX", [.read, .sortedSet, .slow], [.consume], .at(1), 4...7, .values, hidden: true,
                options: limit),
            .key(
                "ZREVRANGEBYLEX", [.read, .sortedSet, .slow], [.consume], .at(1), 4...7, .values, hidden: true,
                options: limit),
            .grammar("ZRANDMEMBER", [.read, .sortedSet, .slow], SortedSetGrammars.randomMember),
            .key("ZPOPMIN", [.sortedSet, .fast], [.consume, .delete], .at(1), 2...3, .scored),
            .key("ZPOPMAX", [.sortedSet, .fast], [.consume, .delete], .at(1), 2...3, .scored),
            .key(
                "BZPOPMIN", [.sortedSet, .blocking, .fast], [.consume, .delete], .untilTimeout(1), 3...CommandRule.many,
                .popped(isScored: true)),
            .key(
                "BZPOPMAX", [.sortedSet, .blocking, .fast], [.consume, .delete], .untilTimeout(1), 3...CommandRule.many,
                .popped(isScored: true)),
            .grammar("ZMPOP", [.sortedSet, .slow], PopGrammars.sortedSet),
            .grammar("BZMPOP", [.sortedSet, .blocking, .slow], PopGrammars.sortedSetOrWait),
            .grammar("ZUNION", [.read, .sortedSet, .slow], SortedSetGrammars.combination),
            .grammar("ZINTER", [.read, .sortedSet, .slow], SortedSetGrammars.combination),
            .grammar("ZDIFF", [.read, .sortedSet, .slow], SortedSetGrammars.difference),
            .grammar("ZINTERCARD", [.read, .sortedSet, .slow], SortedSetGrammars.countOfIntersection),
            .grammar("ZSCAN", [.read, .sortedSet, .slow], ScanGrammars.sortedSet),
        ]
        + CommandRule.refused(
            CommandRule.copies,
            ["ZRANGESTORE", "ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE"])

    /// Places are values that no mask can look into.
    static let geoRules: [CommandRule] =
        [
            .grammar("GEOADD", [.write, .geo, .slow], GeoGrammars.add),
            .key("GEOPOS", [.read, .geo, .slow], [.consume], .at(1), 2...CommandRule.many, .values, hidden: true),
            .key("GEOHASH", [.read, .geo, .slow], [.consume], .at(1), 2...CommandRule.many, .values, hidden: true),
            .key("GEODIST", [.read, .geo, .slow], [.consume], .at(1), 4...5, .values, hidden: true),
            .grammar("GEOSEARCH", [.read, .geo, .slow], GeoGrammars.search),
            .grammar("GEORADIUS", [.geo, .slow], GeoGrammars.radius),
            .grammar("GEORADIUS_RO", [.read, .geo, .slow], GeoGrammars.radius),
            .grammar("GEORADIUSBYMEMBER", [.geo, .slow], GeoGrammars.radiusByMember),
            .grammar("GEORADIUSBYMEMBER_RO", [.read, .geo, .slow], GeoGrammars.radiusByMember),
        ]
        + CommandRule.refused(
            CommandRule.copies, ["GEOSEARCHSTORE"])
}
