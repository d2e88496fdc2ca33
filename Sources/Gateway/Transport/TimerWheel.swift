/// Deadlines of one loop, a tick of 50 ms apart: a hashed wheel of plain numbers.
///
/// An entry is a token; whoever it names looks at its own deadlines when it fires, and arms again. So nothing is ever
/// taken out: what is gone or was moved is harmless.
struct TimerWheel {
    static let tick: Int64 = 50_000_000
    private static let slots = 512
    /// The last tick whose time is a number: what is due later is due never.
    private static let last = Int64.max / TimerWheel.tick
    private struct Entry: BitwiseCopyable {
        var token: UInt64
        var tick: Int64
    }
    private var wheel = [[Entry]](repeating: [], count: TimerWheel.slots)
    private var current: Int64
    private var count = 0
    private var next: Int64 = .max

    /// - Parameter now: monotonic nanoseconds.
    init(now: Int64) { current = now / TimerWheel.tick }

    mutating func arm(_ token: UInt64, at time: Int64) {
        let tick = min(max(current + 1, time / TimerWheel.tick + 1), TimerWheel.last)
        wheel[Int(tick % Int64(TimerWheel.slots))].append(Entry(token: token, tick: tick))
        count += 1
        next = min(next, tick)
    }

    /// Nanoseconds until something may be due; nil where nothing is armed.
    func delay(from now: Int64) -> Int64? {
        next == .max ? nil : max(0, next * TimerWheel.tick - now)
    }

    /// Appends the tokens that are due.
    mutating func advance(to now: Int64, _ due: inout [UInt64]) {
        let target = now / TimerWheel.tick
        guard target >= next else {
            current = max(current, target)
            return
        }
        let first = max(current + 1, target - Int64(TimerWheel.slots) + 1)
        for tick in stride(from: first, through: target, by: 1) {
            let slot = Int(tick % Int64(TimerWheel.slots))
            if wheel[slot].isEmpty { continue }
            var kept = 0
            for index in wheel[slot].indices {
                let entry = wheel[slot][index]
                if entry.tick <= target {
                    due.append(entry.token)
                } else {
                    wheel[slot][kept] = entry
                    kept += 1
                }
            }
            count -= wheel[slot].count - kept
            wheel[slot].removeLast(wheel[slot].count - kept)
        }
        current = target
        next = .max
        if count > 0 {
            for step in 1...Int64(TimerWheel.slots)
            where !wheel[Int((current + step) % Int64(TimerWheel.slots))].isEmpty {
                next = current + step
                break
            }
        }
    }
}
