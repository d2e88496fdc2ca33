import TidegateCore
import TidegateCrypto

/// One side of a relay: its descriptor, what it has sent and nobody consumed, and what waits to be sent to it.
///
///     absent ──connect──▶ connecting ──▶ [securing ──▶] open ──▶ closed
///                  accepted client ──▶ [securing ──▶] open
final class Half {
    enum Phase: UInt8 { case absent, connecting, securing, open, closed }
    let side: Side
    var token: Token = 0
    var descriptor: Int32 = -1
    var phase = Phase.absent
    /// Nil once the relay is gone and only arrivals are waited for.
    unowned var relay: Relay?
    var window = Window()
    var outbox = Outbox()
    /// Only where the side speaks TLS.
    var filter: TLSFilter?

    /// A receive is armed, or its last arrival is to come.
    var isReceiving = false
    /// The receive is being stopped.
    var isStopping = false
    var isSending = false
    /// A send did not fit; epoll says when to go on.
    var isBlocked = false
    /// Operations whose arrivals `close` waits for.
    var awaited: Operations = []
    var resetsOnClose = false
    /// The peer sends no more.
    var hasEnded = false
    /// The machine knows.
    var hasToldEnd = false
    /// The machine wants no more sent: half-close when all is out.
    var isFinishing = false
    var hasFinished = false
    /// Nothing is offered until something wakes the relay.
    var isParked = false
    /// Something is new since the window was offered last.
    var isFresh = false
    /// The other side's outbox is full: no more is read until it is low.
    var isGated = false

    init(_ side: Side) { self.side = side }

    var isOpen: Bool { phase == .open }
    /// Bytes that wait to be sent, plain and encrypted.
    var waiting: Int { outbox.bytes + (filter?.outbox.bytes ?? 0) }
    /// Buffers that what waits holds.
    var buffers: Int { outbox.buffers + (filter?.outbox.buffers ?? 0) }

    /// Bytes of memory that this side holds, about.
    func held(_ pool: BufferPool) -> Int {
        let window = window.buffer == BufferPool.none ? 0 : pool.capacity(of: window.buffer)
        return window + max(waiting, buffers * BufferPool.stride)
    }

    /// Small slices that stay give back their chunks.
    func compact(_ loop: EventLoop) {
        outbox.compact(loop.pool, sparingly: !loop.isStarved)
        filter?.outbox.compact(loop.pool, sparingly: !loop.isStarved)
    }
}
