import Glibc

/// Names a chunk or a block of one loop's `BufferPool`.
typealias BufferID = UInt32

/// The buffers of one event loop, counted by plain numbers: chunks of 32 KiB with room in front, which receives fill, and
/// blocks of any size, in which messages gather that are longer or must be kept.
///
/// Chunks lie in one reserved range of addresses, so that an address is a multiplication; memory is touched on use only.
/// Not Sendable, not locked. Pointers that it hands out hold as long as the caller's reference does.
@safe
final class BufferPool {
    /// Bytes in front of what a receive writes, for the rest of what came before.
    static let room = 4096
    /// Bytes of one receive (`spikes/relay`: 32 KiB was fastest).
    static let payload = 32_768
    static let stride = room + payload
    static let none: BufferID = .max
    private static let firstBlock: BufferID = 1 << 24

    private let base: UnsafeMutableRawPointer
    private let capacity: Int
    private var references: [UInt32] = []
    private var free: [BufferID] = []
    /// How many of `free`, from its start, have no memory.
    private var cold = 0
    private var blocks: [Block] = []
    private var freeBlocks: [BufferID] = []
    /// Bytes of chunks and blocks that somebody holds.
    private(set) var bytesHeld = 0

    @safe
    private struct Block {
        var memory: UnsafeMutableRawPointer?
        var capacity: Int
        var references: UInt32
    }

    /// - Parameter bytes: the most that chunks may take; addresses are reserved, memory is not.
    init(bytes: Int) {
        let wanted = max(256, min(65_535, bytes / BufferPool.stride))
        let map = unsafe mmap(
            nil, wanted * BufferPool.stride, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let map = unsafe map, unsafe map != MAP_FAILED else {
            // invariant: at start only; without addresses no loop can run
            preconditionFailure("no address space for receive buffers")
        }
        unsafe base = map
        capacity = wanted
    }

    deinit {
        unsafe munmap(base, capacity * BufferPool.stride)
        for block in blocks { unsafe block.memory?.deallocate() }
    }

    /// A chunk with one reference; nil where all are taken.
    func takeChunk() -> BufferID? {
        if let chunk = free.popLast() {
            cold = min(cold, free.count)
            references[Int(chunk)] = 1
            bytesHeld += BufferPool.stride
            return chunk
        }
        guard references.count < capacity else { return nil }
        references.append(1)
        bytesHeld += BufferPool.stride
        return BufferID(references.count - 1)
    }

    /// A block of at least `capacity` bytes with one reference.
    func takeBlock(capacity: Int) -> BufferID {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(1, capacity), alignment: 16)
        let block = unsafe Block(memory: memory, capacity: capacity, references: 1)
        bytesHeld += capacity
        if let index = freeBlocks.popLast() {
            blocks[Int(index)] = block
            return BufferPool.firstBlock + index
        }
        blocks.append(block)
        return BufferPool.firstBlock + BufferID(blocks.count - 1)
    }

    /// Chunks that can still be taken.
    var chunksLeft: Int { free.count + capacity - references.count }
    /// Chunks that are kept for those who cannot wait.
    var reserve: Int { min(192, capacity / 8) }

    func isBlock(_ id: BufferID) -> Bool { id >= BufferPool.firstBlock }

    /// Bytes from the address of `id` on.
    func capacity(of id: BufferID) -> Int {
        isBlock(id) ? blocks[Int(id - BufferPool.firstBlock)].capacity : BufferPool.stride
    }

    func address(of id: BufferID) -> UnsafeMutableRawPointer {
        if id < BufferPool.firstBlock { return unsafe base + Int(id) &* BufferPool.stride }
        return unsafe blocks[Int(id - BufferPool.firstBlock)].memory!  // invariant: the caller holds a reference
    }

    func retain(_ id: BufferID) {
        if id < BufferPool.firstBlock {
            references[Int(id)] &+= 1
        } else {
            blocks[Int(id - BufferPool.firstBlock)].references += 1
        }
    }

    func isShared(_ id: BufferID) -> Bool {
        id < BufferPool.firstBlock
            ? references[Int(id)] > 1 : blocks[Int(id - BufferPool.firstBlock)].references > 1
    }

    func release(_ id: BufferID) {
        if id < BufferPool.firstBlock {
            let index = Int(id)
            references[index] -= 1
            if references[index] == 0 {
                free.append(id)
                bytesHeld -= BufferPool.stride
            }
            return
        }
        let index = Int(id - BufferPool.firstBlock)
        blocks[index].references -= 1
        if blocks[index].references == 0 {
            bytesHeld -= blocks[index].capacity
            unsafe blocks[index].memory?.deallocate()
            unsafe blocks[index].memory = nil
            freeBlocks.append(BufferID(index))
        }
    }

    /// Gives the memory of chunks that nobody holds back to the system; called when a burst is over.
    func trim(keeping kept: Int) {
        guard free.count - kept > cold else { return }
        for chunk in free[cold..<(free.count - kept)] {
            unsafe madvise(base + Int(chunk) * BufferPool.stride, BufferPool.stride, MADV_DONTNEED)
        }
        cold = free.count - kept
    }
}
