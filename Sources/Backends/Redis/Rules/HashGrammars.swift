import TidegateCore
import TidegateWire

/// Hashes. Sources: `t_hash.c` of Redis 7.0; redis.io for fields that expire (7.4, 8.0).
enum HashGrammars {
    /// `HSET key field value...`, `HMSET` the same.
    static func set(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(4...CommandRule.many)
        guard arguments.count.isMultiple(of: 2) else { throw .count }
        request.shape = .written
        request.ask(CommandTarget(.produce, .key, 1))
    }

    /// `HRANDFIELD key [count [WITHVALUES]]`.
    static func randomField(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(2...4)
        if arguments.count > 2, arguments.integer(2, bytes) == nil { throw .integer }
        if arguments.count > 3 {
            guard arguments.isWord(3, "WITHVALUES", bytes) else { throw .syntax }
            request.shape = .fields
        }
        request.ask(CommandTarget(.consume, .key, 1))
    }

    // MARK: Fields that expire

    /// `FIELDS n field...` to the end, or with values.
    ///
    /// - Returns: where the first field stands.
    @discardableResult
    private static func fields(
        _ arguments: borrowing CommandArguments, _ at: Int, _ bytes: RawSpan, each: Int = 1
    ) throws(GrammarFailure) -> Int {
        guard arguments.isWord(at, "FIELDS", bytes) else { throw .syntax }
        let number = try arguments.numberOfNames(at + 1, bytes)
        guard arguments.count - at - 2 == number * each else { throw .syntax }
        return at + 2
    }

    /// `HEXPIRE key time [NX|XX|GT|LT] FIELDS n field...`: a change inside of a value.
    static func expire(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(6...CommandRule.many)
        guard arguments.integer(2, bytes) != nil else { throw .integer }
        var at = 3
        if arguments.isWord(3, "NX", bytes) || arguments.isWord(3, "XX", bytes) || arguments.isWord(3, "GT", bytes)
            || arguments.isWord(3, "LT", bytes)
        {
            at = 4
        }
        try fields(arguments, at, bytes)
        request.ask(CommandTarget(.produce, .key, 1))
    }

    /// `HPERSIST key FIELDS n field...`.
    static func persist(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try fields(arguments, 2, bytes)
        request.ask(CommandTarget(.produce, .key, 1))
    }

    /// `HTTL key FIELDS n field...`.
    static func timeToLive(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try fields(arguments, 2, bytes)
        request.ask(CommandTarget(.describe, .key, 1))
    }

    /// `HGETDEL key FIELDS n field...`.
    static func getAndDelete(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        request.shape = .namedFields(from: try fields(arguments, 2, bytes), isSingle: false)
        request.ask(CommandTarget(.consume, .key, 1))
        request.ask(CommandTarget(.delete, .key, 1))
    }

    /// `EX s`, `PX ms`, `EXAT s`, `PXAT ms` at `at`.
    private static func isTime(
        _ arguments: borrowing CommandArguments, _ at: Int, _ bytes: RawSpan
    ) throws(GrammarFailure) -> Bool {
        guard
            arguments.isWord(at, "EX", bytes) || arguments.isWord(at, "PX", bytes)
                || arguments.isWord(at, "EXAT", bytes)
                || arguments.isWord(at, "PXAT", bytes)
        else { return false }
        guard arguments.integer(at + 1, bytes) != nil else { throw .integer }
        return true
    }

    /// `HGETEX key [EX s|PX ms|EXAT s|PXAT ms|PERSIST] FIELDS n field...`.
    static func getAndExpire(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        var at = 2
        if try isTime(arguments, at, bytes) { at = 4 } else if arguments.isWord(at, "PERSIST", bytes) { at = 3 }
        request.shape = .namedFields(from: try fields(arguments, at, bytes), isSingle: false)
        request.ask(CommandTarget(.consume, .key, 1))
        if at > 2 { request.ask(CommandTarget(.produce, .key, 1)) }
    }

    /// `HSETEX key [FNX|FXX] [EX s|PX ms|EXAT s|PXAT ms|KEEPTTL] FIELDS n field value...`.
    static func setAndExpire(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        var at = 2
        if arguments.isWord(at, "FNX", bytes) || arguments.isWord(at, "FXX", bytes) { at += 1 }
        if try isTime(arguments, at, bytes) { at += 2 } else if arguments.isWord(at, "KEEPTTL", bytes) { at += 1 }
        try fields(arguments, at, bytes, each: 2)
        request.shape = .writtenUnlessZero
        request.ask(CommandTarget(.produce, .key, 1))
    }
}

/// SCAN and its relatives: `cursor [MATCH pattern] [COUNT n]` and what else each takes. A pattern for values would tell
/// what a mask hides.
enum ScanGrammars {
    private static let options = [CommandOption("MATCH", others: 1), CommandOption("COUNT", integers: 1)]
    private static let nameOptions = options + [CommandOption("TYPE", others: 1)]
    private static let hashOptions = options + [CommandOption("NOVALUES")]

    /// `SCAN cursor [MATCH pattern] [COUNT n] [TYPE type]`.
    static func names(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(2...CommandRule.many)
        try arguments.options(nameOptions, from: 2, bytes)
        request.shape = .names(.anyKey, hasCursor: true)
    }

    static func hash(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(3...CommandRule.many)
        let given = try arguments.options(hashOptions, from: 3, bytes)
        request.shape = given & 4 != 0 ? .plain : .scannedFields
        request.ask(CommandTarget(.consume, .key, 1))
    }

    static func set(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) { try members(.scannedValues, arguments, bytes, &request) }

    static func sortedSet(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) { try members(.scannedScores, arguments, bytes, &request) }

    private static func members(
        _ shape: ReplyShape, _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(3...CommandRule.many)
        request.isRefusedUnderMask = try arguments.options(options, from: 3, bytes) & 1 != 0
        request.shape = shape
        request.ask(CommandTarget(.consume, .key, 1))
    }
}
