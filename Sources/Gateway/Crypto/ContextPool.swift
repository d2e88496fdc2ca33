import Glibc
import Synchronization

/// Contexts of OpenSSL's that threads take turns at: OpenSSL lets only one thread at a time work with one, and making one
/// allocates. A thread takes a free one, mostly the one that it had before, and gives it back within microseconds; there
/// are as many as threads use at once, at most `limit`, and beyond that a thread waits for its turn.
@safe
final class ContextPool: Sendable {
    private static let limit = 16

    /// As long as two cache lines, so that threads do not share one.
    @safe private struct Slot: ~Copyable {
        let isTaken = Atomic<Bool>(false)
        var context: OpaquePointer?
        let padding = InlineArray<14, UInt64>(repeating: 0)
    }

    // A slot's context is touched only by the thread that has taken the slot.
    nonisolated(unsafe) private let slots: UnsafeMutablePointer<Slot>
    private let make: @Sendable () -> OpaquePointer
    private let free: @Sendable (OpaquePointer) -> Void

    /// - Parameters:
    ///   - make: a new context, keyed; called by whoever finds a slot that has none.
    ///   - free: the end of one that `make` made.
    init(make: @escaping @Sendable () -> OpaquePointer, free: @escaping @Sendable (OpaquePointer) -> Void) {
        unsafe slots = .allocate(capacity: ContextPool.limit)
        for index in 0..<ContextPool.limit { unsafe (slots + index).initialize(to: Slot()) }
        unsafe self.make = make
        unsafe self.free = free
    }

    deinit {
        for index in 0..<ContextPool.limit {
            if let context = unsafe slots[index].context { unsafe free(context) }
        }
        unsafe slots.deinitialize(count: ContextPool.limit)
        unsafe slots.deallocate()
    }

    /// Runs `body` with a context that nobody else has meanwhile.
    @inline(__always)
    func with<Result>(_ body: (OpaquePointer) -> Result) -> Result {
        let index = take()
        defer { unsafe slots[index].isTaken.store(false, ordering: .releasing) }
        if let context = unsafe slots[index].context { return unsafe body(context) }
        let context = unsafe make()
        unsafe slots[index].context = unsafe context
        return unsafe body(context)
    }

    @inline(__always)
    private func take() -> Int {
        // Threads differ in the upper bits of their address; the multiplier spreads them over the slots.
        let thread = UInt64(pthread_self()) &>> 12
        var index = Int(truncatingIfNeeded: (thread &* 0x9E37_79B9_7F4A_7C15) &>> 60)
        var tries = 0
        while unsafe !slots[index].isTaken.compareExchange(expected: false, desired: true, ordering: .acquiring)
            .exchanged
        {
            index = (index &+ 1) & (ContextPool.limit &- 1)
            tries &+= 1
            if tries & 63 == 0 { sched_yield() }
        }
        return index
    }
}
