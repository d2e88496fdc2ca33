import TidegateCore
import TidegateWire

/// Strings. Source: `parseExtendedStringArgumentsOrReply` of Redis 7.0.
enum StringGrammars {
    private static let setOptions = [
        CommandOption("GET"), CommandOption("NX"), CommandOption("XX"), CommandOption("KEEPTTL"),
        CommandOption("EX", integers: 1), CommandOption("PX", integers: 1), CommandOption("EXAT", integers: 1),
        CommandOption("PXAT", integers: 1),
    ]

    /// `SET key value [NX|XX] [GET] [EX s|PX ms|EXAT s|PXAT ms|KEEPTTL]`.
    static func set(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(3...CommandRule.many)
        let isRead = try arguments.options(setOptions, from: 3, bytes) & 1 != 0
        request.shape = isRead ? .writtenForValue : .written
        if isRead { request.ask(CommandTarget(.consume, .key, 1)) }
        request.ask(CommandTarget(.produce, .anyKey, 1))
    }

    private static let getOptions = [
        CommandOption("PERSIST"), CommandOption("EX", integers: 1), CommandOption("PX", integers: 1),
        CommandOption("EXAT", integers: 1), CommandOption("PXAT", integers: 1),
    ]

    /// `GETEX key [EX s|PX ms|EXAT s|PXAT ms|PERSIST]`: an expiry deletes, only later.
    static func getAndExpire(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(2...4)
        let given = try arguments.options(getOptions, from: 2, bytes)
        request.shape = .values
        request.ask(CommandTarget(.consume, .key, 1))
        if given != 0 { request.ask(CommandTarget(.alter, .key, 1)) }
        if given > 1 { request.ask(CommandTarget(.delete, .key, 1)) }
    }

    private static let commonOptions = [
        CommandOption("LEN"), CommandOption("IDX"), CommandOption("MINMATCHLEN", integers: 1),
        CommandOption("WITHMATCHLEN"),
    ]

    /// `LCS key key [LEN] [IDX] [MINMATCHLEN n] [WITHMATCHLEN]`.
    static func longestCommon(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(3...CommandRule.many)
        try arguments.options(commonOptions, from: 3, bytes)
        request.shape = .values
        request.isRefusedUnderMask = true
        request.ask(CommandTarget(.consume, .key, 1))
        request.ask(CommandTarget(.consume, .key, 2))
    }

    /// `BITFIELD key [GET type offset | SET type offset n | INCRBY type offset n | OVERFLOW WRAP|SAT|FAIL]...`
    static func bitField(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        var at = 2
        while at < arguments.count {
            if arguments.isWord(at, "GET", bytes) {
                at += 3
            } else if arguments.isWord(at, "SET", bytes) || arguments.isWord(at, "INCRBY", bytes) {
                at += 4
            } else if arguments.isWord(at, "OVERFLOW", bytes) {
                at += 2
            } else {
                throw .syntax
            }
        }
        guard at == arguments.count else { throw .syntax }
        request.shape = .written
        request.isRefusedUnderMask = true
        request.ask(CommandTarget(.consume, .key, 1))
        request.ask(CommandTarget(.produce, .key, 1))
    }

    /// `BITFIELD_RO key [GET type offset]...`
    static func bitFieldRead(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(2...CommandRule.many)
        guard (arguments.count - 2).isMultiple(of: 3) else { throw .syntax }
        for at in stride(from: 2, to: arguments.count, by: 3) where !arguments.isWord(at, "GET", bytes) {
            throw .syntax
        }
        request.isRefusedUnderMask = true
        request.ask(CommandTarget(.consume, .key, 1))
    }
}

enum SetGrammars {
    /// `SMOVE source destination member`: the client says the member, so nothing is copied that it does not know. As
    /// SREM and SADD, and as SISMEMBER: the answer tells whether the member was there, and onto itself nothing changes.
    static func move(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(4...4)
        request.shape = .writtenUnlessZero
        request.isRefusedUnderMask = true
        request.ask(CommandTarget(.consume, .key, 1))
        request.ask(CommandTarget(.produce, .key, 1))
        request.ask(CommandTarget(.produce, .key, 2))
    }
}

/// Taking out of the first of several keys that has something.
enum PopGrammars {
    private static let count = [CommandOption("COUNT", integers: 1)]

    /// `LMPOP numkeys key... LEFT|RIGHT [COUNT n]`.
    static func list(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) { try pop(arguments, bytes, &request, at: 1, "LEFT", "RIGHT", isScored: false) }

    /// `BLMPOP timeout numkeys key... LEFT|RIGHT [COUNT n]`.
    static func listOrWait(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        request.wait = try arguments.seconds(1, bytes)
        try pop(arguments, bytes, &request, at: 2, "LEFT", "RIGHT", isScored: false)
    }

    /// `ZMPOP numkeys key... MIN|MAX [COUNT n]`.
    static func sortedSet(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) { try pop(arguments, bytes, &request, at: 1, "MIN", "MAX", isScored: true) }

    /// `BZMPOP timeout numkeys key... MIN|MAX [COUNT n]`.
    static func sortedSetOrWait(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        request.wait = try arguments.seconds(1, bytes)
        try pop(arguments, bytes, &request, at: 2, "MIN", "MAX", isScored: true)
    }

    private static func pop(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest, at index: Int,
        _ first: StaticString, _ last: StaticString, isScored: Bool
    ) throws(GrammarFailure) {
        let keys = try arguments.numberOfNames(index, bytes)
        let side = index + 1 + keys
        guard arguments.isWord(side, first, bytes) || arguments.isWord(side, last, bytes) else { throw .syntax }
        try arguments.options(count, from: side + 1, bytes)
        request.shape = .popped(isScored: isScored)
        for key in (index + 1)..<side { request.ask(CommandTarget(.consume, .key, key)) }
        for key in (index + 1)..<side { request.ask(CommandTarget(.delete, .key, key)) }
    }
}
