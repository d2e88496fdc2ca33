import Glibc
import TidegateCore

extension Relay {
    /// What may wait for one side: above `high` bytes or `mostBuffers` the other is not read, and at `low` and `fewBuffers`
    /// it is again. A small slice holds a whole chunk, so that buffers count too.
    struct Marks {
        var high = 256 << 10
        var low = 64 << 10
        var mostBuffers = 64
        var fewBuffers = 16

        static let peer = Marks()
        /// Where bytes wait for evidence first: what a disk of some milliseconds a sync needs at the rate of a fast network.
        static let evidence = Marks(high: 4 << 20, low: 2 << 20, mostBuffers: 192, fewBuffers: 96)
    }

    /// Outbox bytes of the client above which its own requests wait.
    static let ownMark = 2 * Marks.peer.high

    /// The larger marks are for as long as memory is ample: a slow client is not told from a slow disk.
    func marks(for half: Half) -> Marks {
        half.outbox.ticket > 0 && loop.budget.isAmple ? .evidence : .peer
    }

    /// Sends what may leave on both sides; called once a wake-up for each relay that something happened to.
    func flush() {
        let client = client
        let backend = backend
        flush(client)
        flush(backend)
        client.compact(loop)
        backend.compact(loop)
        switch phase {
        case .running:
            updateReading(client)
            updateReading(backend)
            client.window.settle(loop.pool)
            backend.window.settle(loop.pool)
            if client.hasEnded, backend.hasEnded, client.hasToldEnd, backend.hasToldEnd, client.waiting == 0,
                backend.waiting == 0
            {
                close(.ended)
                finishIfFlushed()
            }
        case .closing: finishIfFlushed()
        case .lingering: updateReading(client)
        case .gone: break
        }
    }

    func flush(_ half: Half) {
        guard half.phase == .open || half.phase == .securing, !half.isSending, !half.isBlocked else { return }
        while true {
            if half.filter != nil, !encrypt(half) { return lost(half) }
            let isPlain = half.filter == nil
            let filled: Int
            if let filter = half.filter {
                filled = unsafe filter.outbox.gather(into: loop.vectors, durable: loop.durable, loop.pool)
            } else {
                filled = unsafe half.outbox.gather(into: loop.vectors, durable: loop.durable, loop.pool)
            }
            if filled == 0 {
                if half.isFinishing, half.isOpen, half.outbox.isEmpty, let filter = half.filter, !filter.hasNotified {
                    closeNotify(half)
                    if !filter.outbox.isEmpty { continue }
                }
                break
            }
            let vectors = unsafe UnsafeMutableBufferPointer(rebasing: loop.vectors[0..<filled])
            switch unsafe loop.driver.send(half.descriptor, half.token, vectors) {
            case .pending:
                half.isSending = true
                if isPlain { half.outbox.lend(filled) } else { half.filter?.outbox.lend(filled) }
                half.awaited.insert(.sending)
                return
            case .written(let count): wrote(count, on: half)
            case .blocked:
                half.isBlocked = true
                return
            case .failed: return lost(half)
            }
        }
        if half.waiting > 0 {
            loop.awaitEvidence(self)
        } else if half.isFinishing, !half.hasFinished, half.isOpen {
            half.hasFinished = true
            loop.driver.shutdownWrites(half.descriptor)
        }
    }

    /// The kernel took `count` bytes.
    func wrote(_ count: Int, on half: Half) {
        lastActivity = loop.monotonic
        let released: Position?
        if let filter = half.filter {
            released = filter.outbox.take(count, loop.pool)
        } else {
            released = half.outbox.take(count, loop.pool)
        }
        if half.side == .client {
            meter.counts.bytesToClient &+= UInt64(count)
            if let released { governor.released = released }
        } else {
            meter.counts.bytesToBackend &+= UInt64(count)
        }
    }

    func sent(_ result: Int32, on half: Half) {
        half.isSending = false
        half.isBlocked = false
        half.awaited.remove(.sending)
        if case .gone = phase { return loop.look(at: self) }
        if result < 0 {
            loop.look(at: self)
            return lost(half)
        }
        wrote(Int(result), on: half)
        // Most sends take all there was, and nobody waited for that.
        if half.waiting > 0 || client.isGated || backend.isGated || half.isFinishing || client.hasEnded
            || backend.hasEnded || !isRunning
        {
            loop.look(at: self)
        }
    }

    /// Reads a side, or stops reading it: not beyond what the other side takes, nor what a machine has not consumed, nor
    /// what memory there is.
    func updateReading(_ half: Half) {
        guard half.phase == .open || half.phase == .securing else { return }
        if half.hasEnded {
            // Behind a close_notify: what still comes is nobody's.
            if half.isReceiving, !half.isStopping { stopReading(half) }
            if half.isGated, half.side == .client { updateGate(half) }
            return
        }
        updateGate(half)
        var wants = true
        switch phase {
        case .running:
            let held = half.window.count
            wants =
                !half.isGated && !loop.readsNothing
                && (held < half.window.need
                    || held < (half.isParked || awaitsReplies ? Marks.peer.low : Marks.peer.high))
        case .lingering: wants = half.side == .client
        case .closing, .gone: wants = false
        }
        if wants, !half.isReceiving {
            half.isReceiving = true
            half.awaited.insert(.receiving)
            loop.driver.receive(half.descriptor, half.token)
        } else if !wants, half.isReceiving, !half.isStopping {
            stopReading(half)
        }
    }

    private func stopReading(_ half: Half) {
        if loop.driver.stopReceiving(half.descriptor, half.token) {
            half.isReceiving = false
            half.awaited.remove(.receiving)
        } else {
            half.isStopping = true
        }
    }

    /// A side waits while the other cannot take more, and a client while it does not take what it has been answered.
    ///
    /// Where the kernel takes no more (`isBlocked`), what is read would only wait here, and cool down.
    private func updateGate(_ half: Half) {
        let other = self.half(half.side.other)
        let marks = marks(for: other)
        let own = half.side == .client ? half.waiting : 0
        if !half.isGated {
            half.isGated =
                other.isBlocked || other.waiting > marks.high || other.buffers > marks.mostBuffers
                || own > Relay.ownMark
        } else if !other.isBlocked, other.waiting <= marks.low, other.buffers <= marks.fewBuffers, own <= Marks.peer.low
        {
            half.isGated = false
            if half.isFresh { advance() }
        }
    }
}
