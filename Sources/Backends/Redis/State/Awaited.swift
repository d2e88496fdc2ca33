import TidegateCore
import TidegateWire

/// A reply that is owed to the client, in the order of the commands. Trivial, for the ring; what needs memory stands in
/// the machine's side table under `detail`.
struct Awaited: BitwiseCopyable {
    enum Kind: UInt8, BitwiseCopyable {
        /// The server answers.
        case server
        /// The gateway answers: the words stand under `detail`.
        case own
        /// The server answers what the gateway asked of itself: its answer is not for the client.
        case mute
        /// One message a channel comes (RESP2), `count` of them.
        case confirmations
        /// `+QUEUED`: the command's own answer comes in EXEC's.
        case queued
        /// EXEC, of `count` queued commands.
        case transaction
        /// DISCARD in the place of an EXEC that must not be: answered by EXECABORT.
        case aborted
    }
    /// What the answer does to the connection's state, where it is no error.
    enum Effect: BitwiseCopyable {
        case none
        case select(Int32)
        /// The version that HELLO asked for, 0 where it asked for none.
        case hello(UInt8)
        case reset
        /// Where the answer is an error, nobody knows what state the server is in.
        case multi
        /// The queued commands are gone.
        case discard
        /// Of `confirmations`: what they confirm.
        case subscribe(RedisSubscriptions.Kind)
        case unsubscribe(RedisSubscriptions.Kind)
    }
    var kind: Kind
    var effect = Effect.none
    var shape = ReplyShape.plain
    /// The command's number in the table.
    var rule: UInt16 = .max
    var database: Int32 = 0
    /// How many of the machine's `asked` are this command's.
    var targets: Int32 = 0
    /// Of `confirmations`, `transaction` and `aborted`.
    var count: Int32 = 0
    /// Number in the side table; 0 is none.
    var detail: UInt32 = 0
    /// Bytes of the request, where it writes.
    var bytes: UInt32 = 0
    /// The server may wait before it answers.
    var isBlocking = false
    /// The connection had subscriptions when the command was sent: messages come in between (RESP2).
    var isSubscribed = false
}

/// A target of an awaited command, and the right to it.
struct Asked: BitwiseCopyable {
    var operation: Operation
    var clearance: Clearance
}
