import TidegateCore
import TidegateCrypto

/// TLS between the chunks of one side and its window: libssl on memory BIOs, and what it wants sent.
final class TLSFilter {
    let session: TLSSession
    /// Encrypted bytes that wait to be sent, behind what was said before TLS began.
    var outbox = Outbox()
    /// The handshake is done.
    var isUp = false
    /// The machine has not been told of the connection before: TLS from the first byte.
    let isFirst: Bool
    /// The peer was told that no more comes.
    var hasNotified = false
    /// In the loop's list of sessions whose buffers have grown.
    var isNoted = false

    init(_ session: TLSSession, isFirst: Bool) {
        self.session = session
        self.isFirst = isFirst
    }
}
