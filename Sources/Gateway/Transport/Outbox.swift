import CUring
import Glibc
import TidegateCore
import TidegateWire

/// A run of bytes that waits to be sent; its buffer is held by one reference.
struct Slice: BitwiseCopyable {
    var buffer: BufferID
    var offset: UInt32
    var count: UInt32
    /// True where its last byte ends a message.
    var endsMessage: Bool
    /// What must be durable first.
    var ticket: Ticket
}

/// What waits to be sent to one peer, in order: nothing overtakes, and what waits for evidence makes all behind it wait
/// (laws 3 and 6).
struct Outbox: ~Copyable {
    private struct Mark: BitwiseCopyable {
        var at: UInt64
        var position: Position
    }
    private var slices = Ring<Slice>()
    private var marks = Ring<Mark>()
    /// Bytes that wait, those in the kernel's hands included.
    private(set) var bytes = 0
    /// Buffers held; one that slices of another lie between counts twice.
    private(set) var buffers = 0
    /// The highest ticket noted so far: whatever is appended waits for it.
    private(set) var ticket: Ticket = 0
    private var queued: UInt64 = 0
    private(set) var written: UInt64 = 0
    /// True where the last byte written ended a message, or none was written.
    private(set) var isAtBoundary = true

    /// Slices that the kernel reads from: they stay until it has answered.
    private var inFlight = 0

    init() {}

    var isEmpty: Bool { slices.isEmpty }

    /// Everything appended from here on waits for `ticket`.
    mutating func await(_ ticket: Ticket) { self.ticket = max(self.ticket, ticket) }

    /// Appends a slice; retains its buffer. Neighbours become one.
    mutating func append(_ buffer: BufferID, at offset: Int, count: Int, _ pool: BufferPool) {
        guard count > 0 else { return }
        bytes &+= count
        queued &+= UInt64(count)
        if let last = slices.last, last.buffer == buffer, last.ticket == ticket,
            Int(last.offset &+ last.count) == offset
        {
            slices[slices.count &- 1].count &+= UInt32(count)
            slices[slices.count &- 1].endsMessage = false
            return
        }
        pool.retain(buffer)
        if slices.last?.buffer != buffer { buffers &+= 1 }
        slices.append(
            Slice(
                buffer: buffer, offset: UInt32(truncatingIfNeeded: offset), count: UInt32(truncatingIfNeeded: count),
                endsMessage: false, ticket: ticket))
    }

    /// True where one more small slice had better be copied behind the last one.
    var endsSmall: Bool {
        guard let last = slices.last else { return false }
        return last.count < 4096
    }

    mutating func endMessage() {
        if slices.isEmpty { isAtBoundary = true } else { slices[slices.count &- 1].endsMessage = true }
    }

    mutating func mark(_ position: Position) { marks.append(Mark(at: queued, position: position)) }

    /// The slices of the last `gather` are the kernel's until `take`.
    mutating func lend(_ count: Int) { inFlight = count }

    /// Fills `vectors` with what may leave.
    ///
    /// - Returns: how many were filled; zero where nothing waits or all waits for evidence.
    func gather(into vectors: UnsafeMutableBufferPointer<iovec>, durable: Ticket, _ pool: BufferPool) -> Int {
        var filled = 0
        while filled < slices.count, filled < vectors.count {
            let slice = slices[filled]
            if slice.ticket > durable { break }
            unsafe vectors[filled] = unsafe iovec(
                iov_base: pool.address(of: slice.buffer) + Int(slice.offset), iov_len: Int(slice.count))
            filled &+= 1
        }
        return filled
    }

    /// Forgets bytes that were written, and says the last mark among them.
    mutating func take(_ count: Int, _ pool: BufferPool) -> Position? {
        inFlight = 0
        var left = count
        while left > 0, let slice = slices.first {
            if left >= Int(slice.count) {
                left &-= Int(slice.count)
                pool.release(slice.buffer)
                isAtBoundary = slice.endsMessage
                _ = slices.popFirst()
                if slices.first?.buffer != slice.buffer { buffers &-= 1 }
            } else {
                slices[0].offset &+= UInt32(left)
                slices[0].count &-= UInt32(left)
                isAtBoundary = false
                left = 0
            }
        }
        bytes &-= count &- left
        written &+= UInt64(count &- left)
        return releaseMarks()
    }

    mutating func releaseMarks() -> Position? {
        var released: Position?
        while let mark = marks.first, mark.at <= written {
            released = mark.position
            _ = marks.popFirst()
        }
        return released
    }

    /// Drops all that waits and is not the kernel's.
    mutating func drop(_ pool: BufferPool) {
        var kept = Ring<Slice>()
        bytes = 0
        while let slice = slices.popFirst() {
            if kept.count < inFlight {
                kept.append(slice)
                bytes += Int(slice.count)
            } else {
                pool.release(slice.buffer)
            }
        }
        slices = kept
        countBuffers()
        while marks.popFirst() != nil {}
    }

    private mutating func countBuffers() {
        buffers = 0
        var last = BufferPool.none
        for index in 0..<slices.count where slices[index].buffer != last {
            last = slices[index].buffer
            buffers += 1
        }
    }

    /// Copies small slices behind each other where they hold much more than they say; tickets and ends of messages stay.
    ///
    /// - Parameter sparingly: only where many buffers are held; otherwise a single one is too many.
    mutating func compact(_ pool: BufferPool, sparingly: Bool) {
        let held = buffers &* BufferPool.stride
        guard buffers > (sparingly ? Outbox.fewBuffers : 0), held / 4 > bytes, slices.count > inFlight else { return }
        var small = 0
        for index in inFlight..<slices.count where slices[index].count < Outbox.smallSlice {
            small += Int(slices[index].count)
        }
        var target = BufferPool.none
        var filled = 0
        for index in inFlight..<slices.count where slices[index].count < Outbox.smallSlice {
            let slice = slices[index]
            let count = Int(slice.count)
            if target == BufferPool.none || filled + count > pool.capacity(of: target) {
                if target != BufferPool.none { pool.release(target) }
                target = pool.takeBlock(capacity: max(count, min(small, BufferPool.payload)))
                filled = 0
            }
            unsafe memcpy(
                pool.address(of: target) + filled, pool.address(of: slice.buffer) + Int(slice.offset), count)
            pool.retain(target)
            pool.release(slice.buffer)
            slices[index].buffer = target
            slices[index].offset = UInt32(truncatingIfNeeded: filled)
            filled += count
            small -= count
        }
        if target != BufferPool.none { pool.release(target) }
        countBuffers()
    }
    private static let fewBuffers = 8
    private static let smallSlice: UInt32 = 4096
}
