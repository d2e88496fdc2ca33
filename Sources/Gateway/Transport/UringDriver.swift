import CUring
import Glibc
import TidegateCore

/// The driver on io_uring: multishot accept and receive, one ring of provided 32 KiB buffers, one entry into the kernel a
/// wake-up (SINGLE_ISSUER, DEFER_TASKRUN: made and used on the loop's thread only).
@safe
final class UringDriver: Driver {
    let name = "io_uring"
    private let pool: BufferPool
    private let mailbox: CInt
    private let ring: UnsafeMutablePointer<io_uring>
    private let completions: UnsafeMutableBufferPointer<UnsafeMutablePointer<io_uring_cqe>?>
    private let vectors: UnsafeMutablePointer<iovec>
    private let messages: UnsafeMutablePointer<msghdr>
    private let addresses: UnsafeMutablePointer<sockaddr_storage>
    private var provided: UnsafeMutablePointer<io_uring_buf_ring>
    /// Places of the buffer ring that wait to be filled again.
    private var lent: Int = 0
    /// Sends prepared since the last entry: their vectors must stay until then (IORING_FEAT_SUBMIT_STABLE).
    private var prepared = 0

    private static let entries: UInt32 = 1024
    /// Buffers lent to the kernel: the fewer, the warmer; when they run out, receives end and are armed again.
    private static let lendable = 128
    static let vectorsASend = 32

    var bytesLent: Int { (UringDriver.lendable - lent) * BufferPool.stride }

    /// The upper 8 bits of `user_data`.
    private enum Kind: UInt64 { case ignored, accept, receive, send, connect, mail }

    private static func data(_ kind: Kind, _ token: Token) -> UInt64 { kind.rawValue << 56 | token }

    /// - Throws: the error number of what the kernel refused.
    init(pool: BufferPool, mailbox: CInt) throws(KernelRefusal) {
        self.pool = pool
        self.mailbox = mailbox
        let entries = Int(UringDriver.entries)
        unsafe ring = .allocate(capacity: 1)
        unsafe ring.initialize(to: io_uring())
        unsafe completions = .allocate(capacity: 256)
        unsafe completions.initialize(repeating: nil)
        unsafe vectors = .allocate(capacity: entries * UringDriver.vectorsASend)
        unsafe messages = .allocate(capacity: entries)
        unsafe addresses = .allocate(capacity: entries)
        var parameters = io_uring_params()
        parameters.flags = shim_uring_setup_flags()
        parameters.cq_entries = 8192
        let code = unsafe io_uring_queue_init_params(UringDriver.entries, ring, &parameters)
        let count = UringDriver.lendable
        let bytes = MemoryLayout<io_uring_buf>.stride * count
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 4096)
        unsafe provided = raw.assumingMemoryBound(to: io_uring_buf_ring.self)
        guard code == 0 else {
            release()
            throw KernelRefusal(what: "io_uring_setup", error: -code)
        }
        guard parameters.features & UInt32(IORING_FEAT_SUBMIT_STABLE) != 0 else {
            unsafe io_uring_queue_exit(ring)
            release()
            throw KernelRefusal(what: "IORING_FEAT_SUBMIT_STABLE", error: ENOSYS)
        }
        var registration = io_uring_buf_reg()
        registration.ring_addr = UInt64(UInt(bitPattern: raw))
        registration.ring_entries = UInt32(count)
        registration.bgid = 1
        let registered = unsafe io_uring_register_buf_ring(ring, &registration, 0)
        guard registered == 0 else {
            unsafe io_uring_queue_exit(ring)
            release()
            throw KernelRefusal(what: "io_uring_register_buf_ring", error: -registered)
        }
        unsafe io_uring_buf_ring_init(provided)
        lent = count
        lend()
        armMail()
    }

    private func release() {
        unsafe ring.deallocate()
        unsafe completions.deallocate()
        unsafe vectors.deallocate()
        unsafe messages.deallocate()
        unsafe addresses.deallocate()
        unsafe UnsafeMutableRawPointer(provided).deallocate()
    }

    private var isShut = false

    func shut() {
        guard !isShut else { return }
        isShut = true
        unsafe io_uring_queue_exit(ring)
    }

    deinit {
        shut()
        release()
    }

    func clock() -> (wall: Instant, monotonic: Int64) { KernelSockets.clock() }

    private func entry(_ kind: Kind, _ token: Token) -> UnsafeMutablePointer<io_uring_sqe> {
        while true {
            if let entry = unsafe io_uring_get_sqe(ring) {
                unsafe clear(entry)
                unsafe entry.pointee.user_data = UringDriver.data(kind, token)
                return unsafe entry
            }
            unsafe io_uring_submit(ring)
            prepared = 0
        }
    }

    private func clear(_ entry: UnsafeMutablePointer<io_uring_sqe>) {
        unsafe memset(entry, 0, MemoryLayout<io_uring_sqe>.size)
    }

    /// Fills the buffer ring with chunks of the pool; what is missing is tried again at the next wake-up.
    private func lend() {
        var added: Int32 = 0
        let mask = Int32(UringDriver.lendable - 1)
        while lent > 0, let chunk = pool.takeChunk() {
            unsafe io_uring_buf_ring_add(
                provided, pool.address(of: chunk) + BufferPool.room, UInt32(BufferPool.payload), UInt16(chunk), mask,
                added)
            added += 1
            lent -= 1
        }
        if added > 0 { unsafe io_uring_buf_ring_advance(provided, added) }
    }

    private func armMail() {
        let entry = unsafe entry(.mail, 0)
        unsafe io_uring_prep_poll_multishot(entry, mailbox, UInt32(POLLIN))
        unsafe entry.pointee.user_data = UringDriver.data(.mail, 0)
    }

    func wait(upTo nanoseconds: Int64?, _ arrivals: inout [Arrival]) {
        prepared = 0
        if let nanoseconds {
            if nanoseconds <= 0 {
                unsafe io_uring_submit_and_get_events(ring)
            } else {
                var time = __kernel_timespec(tv_sec: nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
                var first: UnsafeMutablePointer<io_uring_cqe>?
                unsafe io_uring_submit_and_wait_timeout(ring, &first, 1, &time, nil)
            }
        } else {
            unsafe io_uring_submit_and_wait(ring, 1)
        }
        while true {
            let count = unsafe Int(io_uring_peek_batch_cqe(ring, completions.baseAddress, UInt32(completions.count)))
            if count == 0 { break }
            for index in 0..<count {
                guard let completion = unsafe completions[index] else { continue }
                let data = unsafe completion.pointee.user_data
                let result = unsafe completion.pointee.res
                let flags = unsafe completion.pointee.flags
                handle(data, result, flags, &arrivals)
            }
            unsafe io_uring_cq_advance(ring, UInt32(count))
            if unsafe count < completions.count { break }
        }
        lend()
    }

    private func handle(_ data: UInt64, _ result: Int32, _ flags: UInt32, _ arrivals: inout [Arrival]) {
        let token = data & 0x00FF_FFFF_FFFF_FFFF
        let more = flags & UInt32(IORING_CQE_F_MORE) != 0
        switch Kind(rawValue: data >> 56) {
        case .receive:
            var buffer = BufferPool.none
            if flags & UInt32(IORING_CQE_F_BUFFER) != 0 {
                let chunk = BufferID(flags >> 16)
                lent += 1
                if result > 0 { buffer = chunk } else { pool.release(chunk) }
            }
            arrivals.append(Arrival(kind: .received, more: more, buffer: buffer, result: result, token: token))
        case .send:
            arrivals.append(
                Arrival(kind: .sent, more: false, buffer: BufferPool.none, result: result, token: token))
        case .accept:
            if result >= 0 { KernelSockets.prepare(result) }
            arrivals.append(
                Arrival(kind: .accepted, more: more, buffer: BufferPool.none, result: result, token: token))
        case .connect:
            arrivals.append(
                Arrival(kind: .connected, more: false, buffer: BufferPool.none, result: result, token: token))
        case .mail:
            if !more { armMail() }
            arrivals.append(Arrival(kind: .mail, more: true, buffer: BufferPool.none, result: 0, token: 0))
        case .ignored, nil: break
        }
    }

    func accept(on listener: CInt, _ token: Token) {
        let entry = unsafe entry(.accept, token)
        unsafe io_uring_prep_multishot_accept(entry, listener, nil, nil, shim_accept_flags())
        unsafe entry.pointee.user_data = UringDriver.data(.accept, token)
    }

    func close(listener: CInt, _ token: Token) {
        cancel(.accept, token)
        // Entered at once: the cancellation must name the descriptor before it is closed and perhaps used again.
        unsafe io_uring_submit(ring)
        prepared = 0
        Glibc.close(listener)
    }

    func endpoints(of descriptor: CInt) -> (peer: SocketAddress, localPort: UInt16)? {
        KernelSockets.endpoints(of: descriptor)
    }

    // Blocking sockets: io_uring answers EAGAIN on others instead of waiting.
    func open(to address: SocketAddress) -> CInt { KernelSockets.open(address.family, nonblocking: false) }

    func connect(_ descriptor: CInt, _ token: Token, to address: SocketAddress) {
        let entry = unsafe entry(.connect, token)
        if prepared == Int(UringDriver.entries) { prepared = 0 }
        let storage = unsafe addresses + prepared
        prepared += 1
        unsafe storage.initialize(to: sockaddr_storage())
        let length = unsafe address.fill(&storage.pointee)
        unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe io_uring_prep_connect(entry, descriptor, $0, length)
        }
        unsafe entry.pointee.user_data = UringDriver.data(.connect, token)
    }

    func adopt(_ descriptor: CInt, _ token: Token) {}

    func receive(_ descriptor: CInt, _ token: Token) {
        let entry = unsafe entry(.receive, token)
        unsafe io_uring_prep_recv_multishot(entry, descriptor, nil, 0, 0)
        unsafe entry.pointee.flags |= 1 << 5  // IOSQE_BUFFER_SELECT, an enumerator of a shift that does not import
        unsafe entry.pointee.buf_group = 1
        unsafe entry.pointee.user_data = UringDriver.data(.receive, token)
    }

    func stopReceiving(_ descriptor: CInt, _ token: Token) -> Bool {
        cancel(.receive, token)
        return false
    }

    private func cancel(_ kind: Kind, _ token: Token) {
        let entry = unsafe entry(.ignored, 0)
        unsafe io_uring_prep_cancel64(entry, UringDriver.data(kind, token), 0)
        unsafe entry.pointee.user_data = 0
    }

    func send(_ descriptor: CInt, _ token: Token, _ vectors: UnsafeMutableBufferPointer<iovec>) -> Sending {
        let entry = unsafe entry(.send, token)
        let count = vectors.count
        if count == 1 {
            let vector = unsafe vectors[0]
            unsafe io_uring_prep_send(
                entry, descriptor, vector.iov_base, vector.iov_len, shim_no_signal())
        } else {
            if prepared == Int(UringDriver.entries) { prepared = 0 }
            let place = unsafe self.vectors + prepared * UringDriver.vectorsASend
            let message = unsafe messages + prepared
            prepared += 1
            unsafe place.update(from: vectors.baseAddress!, count: count)  // invariant: count > 1
            unsafe message.initialize(to: msghdr())
            unsafe message.pointee.msg_iov = place
            unsafe message.pointee.msg_iovlen = count
            unsafe io_uring_prep_sendmsg(entry, descriptor, message, UInt32(shim_no_signal()))
        }
        unsafe entry.pointee.user_data = UringDriver.data(.send, token)
        return .pending
    }

    func shutdownWrites(_ descriptor: CInt) { Glibc.shutdown(descriptor, CInt(SHUT_WR)) }

    func cancel(_ descriptor: CInt, _ token: Token, _ operations: Operations) -> Operations {
        if operations.contains(.receiving) { cancel(.receive, token) }
        if operations.contains(.sending) { cancel(.send, token) }
        if operations.contains(.connecting) { cancel(.connect, token) }
        return operations.subtracting(.blocked)
    }

    func close(_ descriptor: CInt, _ token: Token, resetting: Bool) {
        KernelSockets.close(descriptor, resetting: resetting)
    }
}

/// What the kernel would not do, and its error number.
struct KernelRefusal: Error, CustomStringConvertible {
    var what: StaticString
    var error: CInt
    var description: String { unsafe "\(what): \(String(cString: strerror(error)))" }
}
