import TidegateCore
import TidegateWire

/// Commands that write entries, and those about consumer groups. Sources: `t_stream.c` of Redis 7.0; redis.io for what
/// came with 8.2 (KEEPREF, XDELEX, XACKDEL), 8.6 (IDMP, XCFGSET) and 8.8 (XNACK).
enum StreamGrammars {
    /// What MAXLEN, MINID, LIMIT and the references' fate say.
    private struct Trimming {
        var strategy = false
        var limit = false
        var references = false

        /// One option of them at `at`.
        ///
        /// - Returns: where the next argument stands; nil where there is none of these options.
        mutating func read(
            _ arguments: borrowing CommandArguments, _ at: Int, _ bytes: RawSpan
        ) throws(GrammarFailure) -> Int? {
            let isLength = arguments.isWord(at, "MAXLEN", bytes)
            if isLength || arguments.isWord(at, "MINID", bytes) {
                guard !strategy else { throw .syntax }
                strategy = true
                var value = at + 1
                if arguments.isByte(value, "~", bytes) || arguments.isByte(value, "=", bytes) { value += 1 }
                guard value < arguments.count else { throw .syntax }
                if isLength { try arguments.natural(value, bytes) } else { _ = try arguments.bound(value, bytes) }
                return value + 1
            }
            if arguments.isWord(at, "LIMIT", bytes) {
                guard !limit else { throw .syntax }
                limit = true
                try arguments.natural(at + 1, bytes)
                return at + 2
            }
            if StreamGrammars.isReferences(arguments, at, bytes) {
                guard !references else { throw .syntax }
                references = true
                return at + 1
            }
            return nil
        }

        func check() throws(GrammarFailure) {
            if limit, !strategy { throw .syntax }
        }
    }

    private static func isReferences(_ arguments: borrowing CommandArguments, _ at: Int, _ bytes: RawSpan) -> Bool {
        arguments.isWord(at, "KEEPREF", bytes) || arguments.isWord(at, "DELREF", bytes)
            || arguments.isWord(at, "ACKED", bytes)
    }

    /// `XADD key [NOMKSTREAM] [KEEPREF|DELREF|ACKED] [IDMPAUTO producer | IDMP producer id]
    /// [MAXLEN|MINID [=|~] n [LIMIT n]] *|id field value...`
    static func add(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(5...CommandRule.many)
        var trimming = Trimming()
        var isAtMostOnce = false
        var hasNoCreation = false
        var at = 2
        while at < arguments.count, !arguments.isByte(at, "*", bytes) {
            if let next = try trimming.read(arguments, at, bytes) {
                at = next
            } else if arguments.isWord(at, "NOMKSTREAM", bytes) {
                guard !hasNoCreation else { throw .syntax }
                hasNoCreation = true
                at += 1
            } else if arguments.isWord(at, "IDMPAUTO", bytes) || arguments.isWord(at, "IDMP", bytes) {
                guard !isAtMostOnce else { throw .syntax }
                isAtMostOnce = true
                at += arguments.isWord(at, "IDMP", bytes) ? 3 : 2
            } else {
                try entryToAdd(arguments, at, bytes)
                break
            }
        }
        let fields = arguments.count - at - 1
        guard fields >= 2, fields.isMultiple(of: 2) else { throw .count }
        try trimming.check()
        request.shape = .added
        request.ask(CommandTarget(.produce, .stream, 1))
        // Entries that go away, or references to them.
        if trimming.strategy || trimming.references { request.ask(CommandTarget(.delete, .stream, 1)) }
    }

    /// An id, or `ms-*`.
    private static func entryToAdd(
        _ arguments: borrowing CommandArguments, _ at: Int, _ bytes: RawSpan
    ) throws(GrammarFailure) {
        let range = arguments[at]
        if range.count > 2, bytes.byte(at: range.upperBound - 1) == UInt8(ascii: "*"),
            bytes.byte(at: range.upperBound - 2) == UInt8(ascii: "-")
        {
            var milliseconds = CommandArguments()
            milliseconds.append(range.lowerBound..<(range.upperBound - 2))
            for place in milliseconds[0] where bytes.byte(at: place) == UInt8(ascii: "-") { throw .entry }
            _ = try milliseconds.entry(0, bytes)
            return
        }
        _ = try arguments.entry(at, bytes)
    }

    /// `XTRIM key MAXLEN|MINID [=|~] n [LIMIT n] [KEEPREF|DELREF|ACKED]`.
    static func trim(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(4...CommandRule.many)
        var trimming = Trimming()
        var at = 2
        while at < arguments.count {
            guard let next = try trimming.read(arguments, at, bytes) else { throw .syntax }
            at = next
        }
        guard trimming.strategy, at == arguments.count else { throw .syntax }
        request.ask(CommandTarget(.delete, .stream, 1))
    }

    // MARK: Ids by number (8.2)

    /// `[KEEPREF|DELREF|ACKED] IDS n id...`, the block of ids before or behind the word.
    private static func numberedEntries(
        _ arguments: borrowing CommandArguments, from start: Int, _ bytes: RawSpan
    ) throws(GrammarFailure) {
        var hasReferences = false
        var hasEntries = false
        var at = start
        while at < arguments.count {
            if isReferences(arguments, at, bytes) {
                guard !hasReferences else { throw .syntax }
                hasReferences = true
                at += 1
            } else if arguments.isWord(at, "IDS", bytes) {
                guard !hasEntries else { throw .syntax }
                hasEntries = true
                at = try entries(arguments, at, bytes)
            } else {
                throw .syntax
            }
        }
        guard hasEntries else { throw .syntax }
    }

    /// `IDS n id...` at `at`.
    ///
    /// - Returns: where the next argument stands.
    private static func entries(
        _ arguments: borrowing CommandArguments, _ at: Int, _ bytes: RawSpan
    ) throws(GrammarFailure) -> Int {
        let number = try arguments.numberOfNames(at + 1, bytes)
        for index in (at + 2)..<(at + 2 + number) { _ = try arguments.entry(index, bytes) }
        return at + 2 + number
    }

    /// `XDELEX key [KEEPREF|DELREF|ACKED] IDS n id...`.
    static func deleteNumbered(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(5...CommandRule.many)
        try numberedEntries(arguments, from: 2, bytes)
        request.ask(CommandTarget(.delete, .stream, 1))
    }

    /// `XACKDEL key group [KEEPREF|DELREF|ACKED] IDS n id...`.
    static func acknowledgeAndDelete(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(6...CommandRule.many)
        try numberedEntries(arguments, from: 3, bytes)
        request.ask(CommandTarget(.commit, .stream, 1, group: 2))
        request.ask(CommandTarget(.delete, .stream, 1))
    }

    /// `XNACK key group SILENT|FAIL|FATAL IDS n id... [RETRYCOUNT n] [FORCE]` (8.8).
    static func giveBack(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(7...CommandRule.many)
        guard
            arguments.isWord(3, "SILENT", bytes) || arguments.isWord(3, "FAIL", bytes)
                || arguments.isWord(3, "FATAL", bytes), arguments.isWord(4, "IDS", bytes)
        else { throw .syntax }
        let next = try entries(arguments, 4, bytes)
        try arguments.options(giveBackOptions, from: next, bytes)
        request.ask(CommandTarget(.commit, .stream, 1, group: 2))
    }

    private static let giveBackOptions = [CommandOption("RETRYCOUNT", integers: 1), CommandOption("FORCE")]

    // MARK: Groups

    /// `XPENDING key group [[IDLE ms] start end count [consumer]]`.
    static func pending(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(3...9)
        if arguments.count > 3 {
            var start = 3
            if arguments.isWord(3, "IDLE", bytes) {
                guard arguments.integer(4, bytes) != nil else { throw .integer }
                start = 5
            }
            let left = arguments.count - start
            guard left == 3 || left == 4 else { throw .syntax }
            _ = try arguments.bound(start, bytes)
            _ = try arguments.bound(start + 1, bytes)
            guard arguments.integer(start + 2, bytes) != nil else { throw .integer }
        }
        request.ask(CommandTarget(.describe, .stream, 1, group: 2))
    }

    /// `XGROUP CREATE key group id|$ [MKSTREAM] [ENTRIESREAD n]`.
    static func createGroup(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try group(.create, createOptions, arguments, bytes, &request)
    }

    /// `XGROUP SETID key group id|$ [ENTRIESREAD n]`.
    static func moveGroup(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try group(.alter, moveOptions, arguments, bytes, &request)
    }

    private static let moveOptions = [CommandOption("ENTRIESREAD", integers: 1)]
    private static let createOptions = moveOptions + [CommandOption("MKSTREAM")]

    private static func group(
        _ action: Action, _ options: [CommandOption], _ arguments: borrowing CommandArguments, _ bytes: RawSpan,
        _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(5...CommandRule.many)
        var from: Position?
        if !arguments.isByte(4, "$", bytes) { from = try arguments.bound(4, bytes) }
        try arguments.options(options, from: 5, bytes)
        request.ask(CommandTarget(action, .stream, 2, group: 3, from: from))
    }
}
