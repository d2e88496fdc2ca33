import TidegateCore
import TidegateCrypto

extension EventLoop {
    /// Starvation that lasts longer ends sessions, in nanoseconds.
    private static let patience: Int64 = 1_000_000_000
    /// Starvation that comes back within this time has been waited for already, in nanoseconds.
    private static let calm: Int64 = 10_000_000_000

    /// Out of memory at the limit, until a tenth of it is free again: a level that is crossed all the time stops and
    /// starts everybody.
    func updateStarvation() {
        if !isStarved {
            guard budget.isExceeded || pool.chunksLeft < pool.reserve else { return }
            isStarved = true
            let isAgain = monotonic < calmAt
            shedAt = monotonic + (isAgain ? EventLoop.patience / 10 : EventLoop.patience)
            if !isAgain { log.warning("sessions hold all memory that they may", ["bytes": "\(budget.bytes)"]) }
            return lookAtAll()
        }
        if budget.excess(of: 9) <= 0, pool.chunksLeft >= 2 * pool.reserve {
            isStarved = false
            calmAt = monotonic + EventLoop.calm
            for token in entrances.keys { if let half = halves[token] { rearm(half) } }
            return lookAtAll()
        }
        if monotonic >= shedAt {
            shedAt = monotonic + EventLoop.patience / 10
            shed()
        }
    }

    /// Ends the sessions that hold most, this loop's share of what is too much.
    private func shed() {
        let share = Double(published) / Double(max(1, budget.bytes))
        var left = max(
            Int(Double(max(0, budget.excess(of: 9))) * share),
            (2 * pool.reserve - pool.chunksLeft) * BufferPool.stride)
        var holders: [(held: Int, relay: Relay)] = []
        for slot in 0..<relays.slots {
            // The gateway's own connections stay.
            guard let relay = relays.element(inSlot: slot), relay.runtime != nil else { continue }
            let held = relay.client.held(pool) + relay.backend.held(pool) + relay.remembered
            if held > 0 { holders.append((held, relay)) }
        }
        holders.sort { $0.held > $1.held }
        for holder in holders where left > 0 {
            left -= holder.held
            log.warning(
                "session ended to free memory",
                ["session_id": holder.relay.governor.session.id, "bytes": "\(holder.held)"])
            holder.relay.finish(.limit, resetting: true)
        }
    }

    /// Frees the buffers of TLS sessions that have become idle.
    func shrinkTLS() {
        let grown = grownTLS
        grownTLS.removeAll(keepingCapacity: true)
        for token in grown {
            guard let half = halves[token], let filter = half.filter else { continue }
            filter.isNoted = false
            if !filter.session.shrink() { note(filter, of: half) }
        }
    }

    /// Remembers a TLS session whose buffers have grown.
    func note(_ filter: TLSFilter, of half: Half) {
        guard !filter.isNoted, filter.session.isGrown else { return }
        filter.isNoted = true
        grownTLS.append(half.token)
    }
}
