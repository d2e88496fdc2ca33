import TidegateCore

/// A response that is owed to the client, in the order of the requests. Trivial, for the ring; what needs memory stands in
/// the machine's side tables under `detail`.
struct Awaited: BitwiseCopyable {
    enum Kind: UInt8, BitwiseCopyable {
        /// The backend answers; nothing in the answer is governed.
        case opaque
        /// The backend answers; a rule looks at the answer.
        case governed
        case fetch
        case produce
        /// The gateway answers: the words stand under `detail`.
        case own
    }
    var kind: Kind
    var key: Int16
    var version: Int16
    var correlation: Int32
    /// Number in a side table; 0 is none.
    var detail: UInt32
    /// The governor's epoch when the request was decided.
    var epoch: UInt64
}
