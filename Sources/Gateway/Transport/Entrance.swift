import Glibc
import TidegateCore
import TidegateWire

/// A connection whose PROXY header has not been read yet: it is no session before.
final class Entrance {
    private let loop: EventLoop
    private let half: Half
    private let runtime: RouteRuntime
    private let peer: SocketAddress
    private let localPort: UInt16

    init(loop: EventLoop, half: Half, runtime: RouteRuntime, peer: SocketAddress, localPort: UInt16) {
        self.loop = loop
        self.half = half
        self.runtime = runtime
        self.peer = peer
        self.localPort = localPort
    }

    /// Takes over the reference to `chunk`.
    func received(_ chunk: BufferID, _ count: Int) {
        half.window.append(chunk, at: BufferPool.room, count: count, loop.pool)
        let base = unsafe loop.pool.address(of: half.window.buffer) + half.window.start
        let span = unsafe RawSpan(_unsafeStart: base, byteCount: half.window.count)
        switch ProxyHeader.read(span) {
        case .incomplete:
            half.window.settle(loop.pool)
            if !half.isReceiving { loop.rearm(half) }
        case .malformed:
            close(.violation(.client), "PROXY header is malformed")
        case .header(let source, let length):
            // Its route is that of its beginning, which a reload may have taken away meanwhile.
            if !loop.authority.knows(runtime.route) || loop.authority.replaces(backendOf: runtime.route) {
                return close(.draining)
            }
            loop.entrances[half.token] = nil
            half.window.consume(length, loop.pool)
            half.isFresh = !half.window.isEmpty
            loop.begin(half, runtime, from: source ?? peer, localPort: localPort)
        }
    }

    /// Gives up: malformed, ended, or too slow.
    ///
    /// - Parameter text: says more than the reason's word.
    func close(_ reason: CloseReason, _ text: String? = nil) {
        loop.refuse(runtime, from: peer, localPort: localPort, reason, text)
        loop.entrances[half.token] = nil
        loop.dispose(half)
        loop.ledger.disconnect()
    }
}
