import TidegateCore
import TidegateWire

/// What the gateway knows of one command (`XADD`) or subcommand (`XGROUP CREATE`).
struct CommandRule: Sendable {
    /// In upper case, as events and the policy's `commands` name it.
    let name: StaticString
    let handling: Handling
    /// Redis' categories (`COMMAND INFO`), but only those of commands that a category may open.
    let categories: Categories

    enum Handling: Sendable {
        /// Its grammar says what it asks for; each target is decided.
        case governed(Grammar)
        /// Housekeeping that names nothing and returns nothing of anybody's: PING, COMMAND.
        case open
        /// The connection's own state, which the machine keeps.
        case session(SessionCommand)
        /// Names nothing, and needs `cluster: true`.
        case cluster(Action, ReplyShape)
        /// As `cluster` with admin, for a rule that names the command: what goes around every mask (EVAL).
        case exposing
        /// Nobody gets it; why.
        case refused(StaticString)
    }

    /// Commands that change what the connection is.
    enum SessionCommand: UInt8, Sendable {
        case auth, hello, reset, quit, select
        case multi, exec, discard, watch, unwatch
        case subscribe, unsubscribe, patternSubscribe, patternUnsubscribe, shardSubscribe, shardUnsubscribe
        case clientReply, asking, readOnly, readWrite
    }

    struct Categories: OptionSet, Sendable {
        let rawValue: UInt32
        static let read = Self(rawValue: 1), write = Self(rawValue: 2), stream = Self(rawValue: 4)
        static let string = Self(rawValue: 8), hash = Self(rawValue: 16), list = Self(rawValue: 32)
        static let set = Self(rawValue: 64), sortedSet = Self(rawValue: 128), pubsub = Self(rawValue: 256)
        static let keyspace = Self(rawValue: 512), bitmap = Self(rawValue: 1024), hyperloglog = Self(rawValue: 2048)
        static let geo = Self(rawValue: 4096), blocking = Self(rawValue: 8192), connection = Self(rawValue: 16384)
        static let transaction = Self(rawValue: 1 << 15), admin = Self(rawValue: 1 << 16)
        static let dangerous = Self(rawValue: 1 << 17), fast = Self(rawValue: 1 << 18), slow = Self(rawValue: 1 << 19)
    }

    /// Reads the arguments (the first is the command, the second the subcommand where there is one).
    ///
    /// - Throws: where an option, a number or their order is none that it knows.
    typealias Grammar =
        @Sendable (
            _ arguments: borrowing CommandArguments, _ bytes: RawSpan, _ request: inout CommandRequest
        ) throws(GrammarFailure) -> Void
}
