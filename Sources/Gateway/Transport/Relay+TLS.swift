import Glibc
import TidegateCore
import TidegateCrypto
import TidegateWire

extension Relay {
    /// Encrypted bytes that may wait; the rest waits in the clear, where a cut can still drop it.
    private static let encryptedMark = 64 << 10
    /// Small pieces are gathered up to a record's size.
    static let recordBytes = 16_384

    /// TLS begins on that side because the machine says so; bytes not consumed belong to it.
    func secure(_ side: Side) {
        guard side == .client, client.filter == nil, let context = runtime?.tls,
            let session = TLSSession(server: context)
        else {
            loop.log.error("TLS cannot begin here", ["route": governor.session.route.name, "side": "\(side)"])
            return close(.fault)
        }
        begin(session, on: client, isFirst: false)
    }

    /// TLS from the first byte, before the machine is told of the connection.
    func secureClient(_ context: TLSServerContext) {
        guard let session = TLSSession(server: context) else {
            client.phase = .open
            return close(.fault)
        }
        begin(session, on: client, isFirst: true)
    }

    func secureBackend(_ context: TLSClientContext) {
        guard let endpoint, let session = TLSSession(client: context, serverName: endpoint.serverName) else {
            return unreachable("no TLS session")
        }
        begin(session, on: backend, isFirst: true)
    }

    private func begin(_ session: TLSSession, on half: Half, isFirst: Bool) {
        let filter = TLSFilter(session, isFirst: isFirst)
        half.phase = .securing
        half.filter = filter
        // What was said in the clear leaves in the clear, and first; what a client's bytes wait for they wait for still.
        if half.side == .client {
            let ticket = half.outbox.ticket
            swap(&half.outbox, &filter.outbox)
            half.outbox.await(ticket)
        }
        if !half.window.isEmpty {
            let base = unsafe loop.pool.address(of: half.window.buffer) + half.window.start
            session.receive(ciphertext: unsafe RawSpan(_unsafeStart: base, byteCount: half.window.count))
            half.window.clear(loop.pool)
        }
        turn(half, filter)
    }

    /// Takes over the reference to `chunk`.
    func decrypt(_ chunk: BufferID, _ offset: Int, _ count: Int, on half: Half) {
        guard let filter = half.filter, !half.hasEnded else { return loop.pool.release(chunk) }
        let base = unsafe loop.pool.address(of: chunk) + offset
        filter.session.receive(ciphertext: unsafe RawSpan(_unsafeStart: base, byteCount: count))
        loop.pool.release(chunk)
        turn(half, filter)
    }

    /// Goes on with the handshake, or reads what has become whole.
    private func turn(_ half: Half, _ filter: TLSFilter) {
        loop.look(at: self)
        if !filter.isUp {
            let outcome = filter.session.handshake()
            drain(half, filter)
            switch outcome {
            case .bytes: established(half, filter)
            case .wantsMore: return
            case .closed: return lost(half)
            case .failed(let reason): return refused(half, reason)
            }
        }
        while isRunning, half.phase == .open {
            // A chunk that is not whole yet gets more records before it is offered.
            let chunk = loop.pool.takeChunk() ?? loop.pool.takeBlock(capacity: BufferPool.stride)
            var count = 0
            var outcome = TLSSession.Outcome.bytes(0)
            reading: while count < BufferPool.payload {
                let base = unsafe loop.pool.address(of: chunk) + BufferPool.room + count
                outcome = unsafe filter.session.read(
                    into: UnsafeMutableRawBufferPointer(start: base, count: BufferPool.payload - count))
                guard case .bytes(let more) = outcome, more > 0 else { break reading }
                count += more
            }
            drain(half, filter)
            if count > 0 {
                half.window.append(chunk, at: BufferPool.room, count: count, loop.pool)
                half.isFresh = true
                advance()
            } else {
                loop.pool.release(chunk)
            }
            switch outcome {
            case .bytes: continue
            case .wantsMore: return
            case .closed:
                lastActivity = loop.monotonic
                half.hasEnded = true
                return advance()
            case .failed(let reason): return refused(half, reason)
            }
        }
    }

    private func established(_ half: Half, _ filter: TLSFilter) {
        filter.isUp = true
        half.phase = .open
        if half.side == .client {
            if filter.isFirst { note(.accepted) }
            note(.secured(.client, serverName: filter.session.serverName))
        } else {
            connectBy = .max
            note(.connected)
        }
        advance()
    }

    private func refused(_ half: Half, _ reason: String) {
        loop.refusals.tell(
            "TLS failed", at: loop.now,
            [
                "session_id": governor.session.id, "route": governor.session.route.name, "side": "\(half.side)",
                "client_address": governor.session.clientAddress, "reason": reason,
            ])
        if half.side == .backend, !(half.filter?.isUp ?? false) { return unreachable("the TLS handshake failed") }
        close(.violation(half.side))
    }

    private func drain(_ half: Half, _ filter: TLSFilter) {
        let isAtBoundary = half.outbox.isAtBoundary
        defer { loop.note(filter, of: half) }
        filter.session.drain { span in
            unsafe span.withUnsafeBytes { bytes in
                guard half.phase != .closed else { return }
                unsafe loop.copy(bytes, to: &filter.outbox)
                if isAtBoundary { filter.outbox.endMessage() }
            }
        }
    }

    /// Encrypts what may leave.
    ///
    /// - Returns: false where TLS has failed.
    func encrypt(_ half: Half) -> Bool {
        guard let filter = half.filter, filter.isUp else { return true }
        while filter.outbox.bytes < Relay.encryptedMark {
            let filled = unsafe half.outbox.gather(into: loop.vectors, durable: loop.durable, loop.pool)
            if filled == 0 { return true }
            let plaintext = unsafe loop.plaintext(filled, upTo: Relay.recordBytes, Relay.encryptedMark)
            guard unsafe write(plaintext, filter) else { return false }
            let taken = plaintext.count
            let released = half.outbox.take(taken, loop.pool)
            drain(half, filter)
            if let released { filter.outbox.mark(released) }
        }
        return true
    }

    private func write(_ plaintext: UnsafeRawBufferPointer, _ filter: TLSFilter) -> Bool {
        if case .bytes(let count) = unsafe filter.session.write(plaintext.bytes) { return count == plaintext.count }
        return false
    }

    /// Says, where TLS is up, that no more comes.
    func closeNotify(_ half: Half) {
        guard let filter = half.filter, filter.isUp, !filter.hasNotified else { return }
        filter.hasNotified = true
        filter.session.close()
        drain(half, filter)
    }
}
