import TidegateCore

/// What a command does to one name.
struct CommandTarget: BitwiseCopyable {
    /// What a name may be, in the order of `RedisBackend.declaration.kinds`.
    enum Kind: UInt8, BitwiseCopyable {
        case stream, group, key, channel, cluster
        /// A name whose type the command does not care for (DEL, EXPIRE, TYPE): a stream or another key.
        case anyKey
    }
    var action: Action
    var kind: Kind
    /// The argument that is the name; ignored for `cluster`.
    var name: Int
    /// The argument that names the consumer group of the stream; judged as a pair.
    var group: Int?
    /// Where a read starts, where it says so.
    var from: Position?

    init(_ action: Action, _ kind: Kind, _ name: Int, group: Int? = nil, from: Position? = nil) {
        self.action = action
        self.kind = kind
        self.name = name
        self.group = group
        self.from = from
    }
}

/// What a command asks for, as its grammar reads it. Kept, and filled anew for each command.
struct CommandRequest {
    /// All must be allowed.
    private(set) var targets: [CommandTarget] = []
    /// What of the answer is governed.
    var shape = ReplyShape.plain
    /// The argument that says how long the server may wait; nil where it does not.
    var wait: Wait?
    /// Where a mask is in force for any target, the command is refused: its answer is a part of a value, a value in a form
    /// that no mask can look into, values of several targets in one, or tells whether a value is the one that it says.
    var isRefusedUnderMask = false
    /// Argument that stands for the stream's newest entry (`$`), so that it means the moment of arrival; -1 is none.
    /// Of several the first: the id of the n-th target of XREAD stands `targets.count` behind its name.
    var newest = -1

    /// A blocking command's timeout.
    struct Wait: BitwiseCopyable {
        enum Unit: UInt8, BitwiseCopyable {
            /// XREAD BLOCK: whole milliseconds, 0 is for ever.
            case milliseconds
            /// BLPOP and others: seconds with a fraction, 0 is for ever.
            case seconds
        }
        var argument: Int
        var unit: Unit
    }

    mutating func empty() {
        targets.removeAll(keepingCapacity: true)
        shape = .plain
        wait = nil
        isRefusedUnderMask = false
        newest = -1
    }

    mutating func ask(_ target: CommandTarget) { targets.append(target) }
}

/// Why a command is not understood, so that nobody gets it: constant text, for the client too.
struct GrammarFailure: Error, Equatable {
    let reason: StaticString
    init(_ reason: StaticString) { self.reason = reason }
    static func == (left: Self, right: Self) -> Bool { "\(left.reason)" == "\(right.reason)" }
}

/// What of an answer is governed, and where in it. An error in its place always passes, and so does null.
///
/// RESP2's flat arrays and RESP3's maps and nested pairs are both taken. Numbers, doubles and booleans are never values.
enum ReplyShape: Equatable, BitwiseCopyable {
    /// Nothing: numbers, statuses, ids, names that the client said itself.
    case plain
    /// Entries of the first target: `[[id, [field, value, ...]], ...]`; an entry that was deleted has null for its fields.
    /// XCLAIM, XRANGE. With idle time and delivery count behind the fields where they were asked for (CLAIM).
    case entries
    /// Streams and their entries: `[[stream, entries], ...]`, in RESP3 a map. Each stream is one of the targets.
    case streams
    /// XAUTOCLAIM: `[cursor, entries, [deleted id, ...]]`.
    case claimed
    /// XINFO STREAM: pairs; `first-entry`, `last-entry` and (FULL) `entries` hold entries.
    case streamInformation
    /// Every text in it is a value of the first target: GET, LRANGE, SMEMBERS, HVALS.
    case values
    /// The n-th element is the value of the n-th target: MGET.
    case valuePerTarget
    /// Fields and values by turns, of the first target: HGETALL; in RESP3 a map, or pairs.
    case fields
    /// The n-th element is the value of the field that argument `from + n` names: HMGET, HGET (`isSingle`).
    case namedFields(from: Int, isSingle: Bool)
    /// Members and scores by turns, or pairs of them: ZRANGE WITHSCORES. The members are values.
    case scored
    /// A key, one of the targets, and what was taken out of it: BLPOP, LMPOP, BZPOPMIN, ZMPOP.
    case popped(isScored: Bool)
    /// `[cursor, elements]`: SSCAN, HSCAN, ZSCAN.
    case scannedValues, scannedFields, scannedScores
    /// Names, of which those go that may not be described: KEYS, PUBSUB CHANNELS; SCAN has a cursor before them.
    case names(CommandTarget.Kind, hasCursor: Bool)
    /// The id of a new entry, or null (NOMKSTREAM): XADD.
    case added
    /// Values of the targets are stored, unless the answer is an error or null: SET, HSET, PUBLISH...; the answer itself is
    /// plain.
    case written
    /// As `written`, where an answer of zero or less says that nothing was stored: SETNX, LPUSHX, SMOVE...
    case writtenUnlessZero
    /// As `written`, and the answer is a value: SET ... GET, GETSET.
    case writtenForValue
    /// A message of a subscription: its last element is the value.
    case message
    /// Answers that name addresses of the backend.
    case role, information, clusterSlots, clusterShards, clusterNodes
}
