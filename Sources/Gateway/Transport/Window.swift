import Glibc

/// The unconsumed bytes of one side: a range of one buffer, which it holds a reference to.
///
/// What a machine leaves is kept in a block of its own size between wake-ups, so that a connection that waits for the rest
/// of a message holds no chunk; it is copied in front of what comes next, or gathers in a block sized by `need`.
struct Window {
    private(set) var buffer: BufferID = BufferPool.none
    private(set) var start = 0
    private(set) var end = 0
    /// Unconsumed bytes that must be there before the machine is asked again; zero is any.
    var need = 0

    var count: Int { end &- start }
    var isEmpty: Bool { end == start }

    /// Takes over the caller's reference to `chunk`.
    mutating func append(_ chunk: BufferID, at offset: Int, count added: Int, _ pool: BufferPool) {
        if isEmpty {
            clear(pool)
            buffer = chunk
            start = offset
            end = offset &+ added
            return
        }
        let left = count
        if left <= BufferPool.room, left <= offset {
            unsafe memcpy(pool.address(of: chunk) + (offset - left), pool.address(of: buffer) + start, left)
            pool.release(buffer)
            buffer = chunk
            start = offset - left
            end = offset + added
            return
        }
        if !pool.isBlock(buffer) || pool.capacity(of: buffer) - end < added {
            // Grown by what has come, not by what was announced.
            let there = left + added
            let block = pool.takeBlock(capacity: need > there ? min(need, 2 * there) : max(2 * left, there))
            unsafe memcpy(pool.address(of: block), pool.address(of: buffer) + start, left)
            pool.release(buffer)
            buffer = block
            start = 0
            end = left
        }
        unsafe memcpy(pool.address(of: buffer) + end, pool.address(of: chunk) + offset, added)
        end += added
        pool.release(chunk)
    }

    mutating func consume(_ bytes: Int, _ pool: BufferPool) {
        start = min(end, start &+ max(0, bytes))
        if start == end { clear(pool) }
    }

    /// Moves a small rest out of its chunk, or out of a block that was made for much more.
    mutating func settle(_ pool: BufferPool) {
        guard buffer != BufferPool.none,
            pool.isBlock(buffer)
                ? pool.capacity(of: buffer) > BufferPool.stride && count < pool.capacity(of: buffer) / 8
                : count <= BufferPool.room
        else { return }
        let left = count
        let block = pool.takeBlock(capacity: left)
        unsafe memcpy(pool.address(of: block), pool.address(of: buffer) + start, left)
        pool.release(buffer)
        buffer = block
        start = 0
        end = left
    }

    mutating func clear(_ pool: BufferPool) {
        if buffer != BufferPool.none { pool.release(buffer) }
        buffer = BufferPool.none
        start = 0
        end = 0
    }
}
