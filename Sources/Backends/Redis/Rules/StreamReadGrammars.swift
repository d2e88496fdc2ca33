import TidegateCore
import TidegateWire

/// Commands that read entries. Sources: `t_stream.c` of Redis 7.0, and the documentation of 7.4 to 8.10 where it says so.
enum StreamReadGrammars {
    /// `XRANGE key start end [COUNT n]`.
    static func range(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try range(arguments, bytes, &request, start: 2, end: 3)
    }

    /// `XREVRANGE key end start [COUNT n]`.
    static func reverseRange(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try range(arguments, bytes, &request, start: 3, end: 2)
    }

    private static let rangeOptions = [CommandOption("COUNT", integers: 1)]

    private static func range(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest, start: Int, end: Int
    ) throws(GrammarFailure) {
        try arguments.holds(4...CommandRule.many)
        try arguments.options(rangeOptions, from: 4, bytes)
        _ = try arguments.bound(end, bytes)
        request.shape = .entries
        request.ask(CommandTarget(.consume, .stream, 1, from: try arguments.bound(start, bytes)))
    }

    /// `XREAD [COUNT n] [BLOCK ms] [MAXCOUNT n] [MAXSIZE n] STREAMS key... id...`.
    static func read(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(4...CommandRule.many)
        try streams(arguments, bytes, &request, isGroup: false)
    }

    /// `XREADGROUP GROUP group consumer [COUNT n] [BLOCK ms] [NOACK] [CLAIM ms] STREAMS key... id...`, in any order before
    /// `STREAMS`.
    static func readGroup(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(7...CommandRule.many)
        try streams(arguments, bytes, &request, isGroup: true)
    }

    private static let onlyInGroups = GrammarFailure("The GROUP and NOACK options are only supported by XREADGROUP")

    /// The words are read one by one, each with what belongs to it: a group called STREAMS is a group.
    private static func streams(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest, isGroup: Bool
    ) throws(GrammarFailure) {
        struct Given: OptionSet {
            let rawValue: UInt8
            static let count = Self(rawValue: 1), block = Self(rawValue: 2), group = Self(rawValue: 4)
            static let noAck = Self(rawValue: 8), claim = Self(rawValue: 16), maxCount = Self(rawValue: 32)
            static let maxSize = Self(rawValue: 64)
        }
        var given: Given = []
        var group: Int?
        var at = 1
        var first = 0
        while at < arguments.count {
            let option: Given
            if arguments.isWord(at, "COUNT", bytes) {
                option = .count
                // Zero and less mean no limit.
                guard arguments.integer(at + 1, bytes) != nil else { throw .integer }
                at += 2
            } else if arguments.isWord(at, "BLOCK", bytes) {
                option = .block
                guard let wait = arguments.integer(at + 1, bytes) else { throw .timeout }
                guard wait >= 0 else { throw GrammarFailure("timeout is negative") }
                request.wait = CommandRequest.Wait(argument: at + 1, unit: .milliseconds)
                at += 2
            } else if arguments.isWord(at, "GROUP", bytes) {
                guard isGroup else { throw onlyInGroups }
                option = .group
                guard at + 2 < arguments.count else { throw .syntax }
                group = at + 1
                at += 3
            } else if arguments.isWord(at, "NOACK", bytes) {
                guard isGroup else { throw onlyInGroups }
                option = .noAck
                at += 1
            } else if isGroup, arguments.isWord(at, "CLAIM", bytes) {
                option = .claim
                try arguments.natural(at + 1, bytes)
                at += 2
            } else if arguments.isWord(at, "MAXCOUNT", bytes) {
                option = .maxCount
                try arguments.natural(at + 1, bytes)
                at += 2
            } else if arguments.isWord(at, "MAXSIZE", bytes) {
                option = .maxSize
                try arguments.natural(at + 1, bytes)
                at += 2
            } else if arguments.isWord(at, "STREAMS", bytes) {
                first = at + 1
                break
            } else {
                throw .syntax
            }
            guard given.insert(option).inserted else { throw .syntax }
        }
        guard first > 0, first < arguments.count else { throw .syntax }
        if isGroup, group == nil { throw GrammarFailure("Missing GROUP option for XREADGROUP") }
        let left = arguments.count - first
        guard left.isMultiple(of: 2) else {
            throw isGroup
                ? GrammarFailure(
                    "Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified.")
                : GrammarFailure(
                    "Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be specified.")
        }
        request.shape = .streams
        for name in first..<(first + left / 2) {
            let id = name + left / 2
            var from: Position?
            if isGroup {
                if arguments.isByte(id, "$", bytes) {
                    throw GrammarFailure("The $ ID is meaningless in the context of XREADGROUP")
                }
                if !arguments.isByte(id, ">", bytes) { from = try arguments.entry(id, bytes) }
            } else if arguments.isByte(id, ">", bytes) {
                throw GrammarFailure("The > ID can be specified only when calling XREADGROUP")
            } else if arguments.isByte(id, "$", bytes) {
                if request.newest < 0 { request.newest = id }
            } else if !arguments.isByte(id, "+", bytes) {
                from = try arguments.entry(id, bytes)
            }
            request.ask(CommandTarget(.consume, .stream, name, group: group, from: from))
        }
    }

    /// `XCLAIM key group consumer min-idle id... [IDLE ms] [TIME ms] [RETRYCOUNT n] [FORCE] [JUSTID] [LASTID id]`.
    static func claim(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(6...CommandRule.many)
        guard arguments.integer(4, bytes) != nil else { throw .integer }
        let from = try arguments.entry(5, bytes)
        var at = 6
        while at < arguments.count, (try? arguments.entry(at, bytes)) != nil { at += 1 }
        let given = try arguments.options(claimOptions, from: at, bytes)
        request.shape = given & 1 != 0 ? .plain : .entries
        request.ask(CommandTarget(.consume, .stream, 1, group: 2, from: from))
    }

    private static let claimOptions = [
        CommandOption("JUSTID"), CommandOption("FORCE"), CommandOption("IDLE", integers: 1),
        CommandOption("TIME", integers: 1), CommandOption("RETRYCOUNT", integers: 1),
        CommandOption("LASTID", others: 1),
    ]

    /// `XAUTOCLAIM key group consumer min-idle start [COUNT n] [JUSTID]`.
    static func autoClaim(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(6...CommandRule.many)
        guard arguments.integer(4, bytes) != nil else { throw .integer }
        let from = try arguments.bound(5, bytes)
        let given = try arguments.options(autoClaimOptions, from: 6, bytes)
        request.shape = given & 1 != 0 ? .plain : .claimed
        request.ask(CommandTarget(.consume, .stream, 1, group: 2, from: from))
    }

    private static let autoClaimOptions = [CommandOption("JUSTID"), CommandOption("COUNT", integers: 1)]

    /// `XINFO STREAM key [FULL [COUNT n]]`: the answer holds entries, so it is a read too.
    static func information(
        _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
    ) throws(GrammarFailure) {
        try arguments.holds(3...6)
        if arguments.count > 3 {
            guard arguments.count != 5, arguments.isWord(3, "FULL", bytes) else { throw .syntax }
            try arguments.options(rangeOptions, from: 4, bytes)
        }
        request.shape = .streamInformation
        request.ask(CommandTarget(.consume, .stream, 2))
        request.ask(CommandTarget(.describe, .stream, 2))
    }
}
