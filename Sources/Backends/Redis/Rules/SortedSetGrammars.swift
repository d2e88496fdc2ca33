import TidegateCore
import TidegateWire

/// Sorted sets. Source: `t_zset.c` of Redis 7.0. Scores are numbers, which are never masked.
enum SortedSetGrammars {
    /// `ZADD key [NX|XX] [GT|LT] [CH] [INCR] score member...`; with INCR the answer is the score.
    static func add(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(4...CommandRule.many)
        var at = 2
        var isIncrement = false
        while at < arguments.count {
            if arguments.isWord(at, "INCR", bytes) {
                isIncrement = true
            } else if !arguments.isWord(at, "NX", bytes), !arguments.isWord(at, "XX", bytes),
                !arguments.isWord(at, "GT", bytes), !arguments.isWord(at, "LT", bytes),
                !arguments.isWord(at, "CH", bytes)
            {
                break
            }
            at += 1
        }
        let left = arguments.count - at
        guard left > 0, left.isMultiple(of: 2) else { throw .syntax }
        request.shape = .written
        request.isRefusedUnderMask = isIncrement
        if isIncrement { request.ask(CommandTarget(.consume, .key, 1)) }
        request.ask(CommandTarget(.produce, .key, 1))
    }

    private static let rangeOptions = [
        CommandOption("WITHSCORES"), CommandOption("BYLEX"), CommandOption("BYSCORE"), CommandOption("REV"),
        CommandOption("LIMIT", integers: 2),
    ]
    private static let rankOptions = [CommandOption("WITHSCORES")]
    private static let scoreOptions = [CommandOption("WITHSCORES"), CommandOption("LIMIT", integers: 2)]

    /// `ZRANGE key start stop [BYSCORE|BYLEX] [REV] [LIMIT offset count] [WITHSCORES]`. Ends by members tell where a
    /// hidden member stands.
    static func range(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) { try range(rangeOptions, hidden: 2, arguments, bytes, &request) }

    /// `ZREVRANGE key start stop [WITHSCORES]`.
    static func rangeByRank(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) { try range(rankOptions, arguments, bytes, &request) }

    /// `ZRANGEBYSCORE key start stop [WITHSCORES] [LIMIT offset count]`.
    static func rangeByScore(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) { try range(scoreOptions, arguments, bytes, &request) }

    private static func range(
        _ options: [CommandOption], hidden: UInt32 = 0, _ arguments: borrowing CommandArguments, _ bytes: RawSpan,
        _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(4...CommandRule.many)
        let given = try arguments.options(options, from: 4, bytes)
        request.shape = given & 1 != 0 ? .scored : .values
        request.isRefusedUnderMask = given & hidden != 0
        request.ask(CommandTarget(.consume, .key, 1))
    }

    /// `ZRANDMEMBER key [count [WITHSCORES]]`.
    static func randomMember(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(2...4)
        if arguments.count > 2, arguments.integer(2, bytes) == nil { throw .integer }
        request.shape = .values
        if arguments.count > 3 {
            guard arguments.isWord(3, "WITHSCORES", bytes) else { throw .syntax }
            request.shape = .scored
        }
        request.ask(CommandTarget(.consume, .key, 1))
    }

    // MARK: Several sets

    /// `ZUNION numkeys key... [WEIGHTS n...] [AGGREGATE SUM|MIN|MAX] [WITHSCORES]`, `ZINTER` the same.
    static func combination(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        let keys = try arguments.numberOfNames(1, bytes)
        let options = [
            CommandOption("WITHSCORES"), CommandOption("AGGREGATE", others: 1), CommandOption("WEIGHTS", others: keys),
        ]
        let given = try arguments.options(options, from: 2 + keys, bytes)
        several(keys, given & 1 != 0 ? .scored : .values, &request)
    }

    /// `ZDIFF numkeys key... [WITHSCORES]`.
    static func difference(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        let keys = try arguments.numberOfNames(1, bytes)
        let given = try arguments.options(rankOptions, from: 2 + keys, bytes)
        several(keys, given & 1 != 0 ? .scored : .values, &request)
    }

    private static let limit = [CommandOption("LIMIT", integers: 1)]

    /// `ZINTERCARD numkeys key... [LIMIT n]`, `SINTERCARD` the same.
    static func countOfIntersection(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        let keys = try arguments.numberOfNames(1, bytes)
        try arguments.options(limit, from: 2 + keys, bytes)
        several(keys, .plain, &request)
    }

    private static func several(_ keys: Int, _ shape: ReplyShape, _ request: inout CommandRequest) {
        request.shape = shape
        request.isRefusedUnderMask = true
        for key in 2..<(2 + keys) { request.ask(CommandTarget(.consume, .key, key)) }
    }
}

/// Places. Source: `geo.c` of Redis 7.0.
enum GeoGrammars {
    /// `GEOADD key [NX|XX] [CH] longitude latitude member...`.
    static func add(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(5...CommandRule.many)
        var at = 2
        while arguments.isWord(at, "NX", bytes) || arguments.isWord(at, "XX", bytes)
            || arguments.isWord(at, "CH", bytes)
        {
            at += 1
        }
        let left = arguments.count - at
        guard left > 0, left.isMultiple(of: 3) else { throw .syntax }
        request.shape = .written
        request.ask(CommandTarget(.produce, .key, 1))
    }

    private static let answer = [
        CommandOption("WITHCOORD"), CommandOption("WITHDIST"), CommandOption("WITHHASH"), CommandOption("ASC"),
        CommandOption("DESC"), CommandOption("ANY"), CommandOption("COUNT", integers: 1),
    ]
    private static let searchOptions =
        answer + [
            CommandOption("FROMMEMBER", others: 1), CommandOption("FROMLONLAT", others: 2),
            CommandOption("BYRADIUS", others: 2), CommandOption("BYBOX", others: 3),
        ]

    /// `GEOSEARCH key FROMMEMBER m|FROMLONLAT x y BYRADIUS r unit|BYBOX w h unit [...]`.
    static func search(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) { try read(arguments, bytes, &request, 7, searchOptions, from: 2) }

    /// `GEORADIUS key longitude latitude radius unit [...]`; not with STORE, which copies.
    static func radius(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) { try read(arguments, bytes, &request, 6, answer, from: 6) }

    /// `GEORADIUSBYMEMBER key member radius unit [...]`; not with STORE.
    static func radiusByMember(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) { try read(arguments, bytes, &request, 5, answer, from: 5) }

    private static func read(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest, _ least: Int,
        _ options: [CommandOption], from start: Int
    ) throws(GrammarFailure) {
        try arguments.holds(least...CommandRule.many)
        try arguments.options(options, from: start, bytes)
        request.shape = .values
        request.isRefusedUnderMask = true
        request.ask(CommandTarget(.consume, .key, 1))
    }
}
