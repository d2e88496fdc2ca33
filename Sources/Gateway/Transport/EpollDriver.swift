import CUring
import Glibc
import TidegateCore

/// The driver on epoll: level-triggered, one receive of 32 KiB a connection a wake-up, EPOLLOUT only after a send did not
/// fit. For kernels and containers that forbid io_uring.
@safe
final class EpollDriver: Driver {
    let name = "epoll"
    let bytesLent = 0
    private let pool: BufferPool
    private let queue: CInt
    private let mailbox: CInt
    private var watched: [Watched] = []
    private let events: UnsafeMutableBufferPointer<epoll_event>
    private static let mailToken = UInt64.max
    /// Connections that were refused at once: epoll would know nothing of why.
    private var refused: [(token: Token, error: CInt)] = []

    /// What is asked of epoll for a slot.
    private struct Watched: BitwiseCopyable {
        var token: Token = 0
        var descriptor: CInt = -1
        var isListener = false
        var reads = false
        var writes = false
        var connecting = false
        /// Known to epoll; what hung up while nobody reads is taken out, for epoll cannot be told to be silent.
        var isAdded = false
    }

    /// - Parameter mailbox: the descriptor that becomes readable when the loop has mail.
    init(pool: BufferPool, mailbox: CInt) {
        self.pool = pool
        self.mailbox = mailbox
        queue = shim_epoll_create()
        unsafe events = .allocate(capacity: 256)
        var event = unsafe epoll_event()
        unsafe event.events = shim_epoll_in()
        unsafe event.data.u64 = EpollDriver.mailToken
        unsafe epoll_ctl(queue, EPOLL_CTL_ADD, mailbox, &event)
    }

    deinit {
        Glibc.close(queue)
        unsafe events.deallocate()
    }

    func clock() -> (wall: Instant, monotonic: Int64) { KernelSockets.clock() }

    func wait(upTo nanoseconds: Int64?, _ arrivals: inout [Arrival]) {
        var timeout = nanoseconds.map { CInt(clamping: ($0 + 999_999) / 1_000_000) } ?? -1
        if !refused.isEmpty { timeout = 0 }
        for (token, error) in refused {
            arrivals.append(
                Arrival(kind: .connected, more: false, buffer: BufferPool.none, result: -error, token: token))
        }
        refused.removeAll()
        let count = unsafe epoll_wait(queue, events.baseAddress, CInt(events.count), timeout)
        guard count > 0 else { return }
        for index in 0..<Int(count) {
            let event = unsafe events[index]
            if unsafe event.data.u64 == EpollDriver.mailToken {
                arrivals.append(Arrival(kind: .mail, more: true, buffer: BufferPool.none, result: 0, token: 0))
                continue
            }
            unsafe handle(event.events, event.data.u64, &arrivals)
        }
    }

    private func handle(_ bits: UInt32, _ token: Token, _ arrivals: inout [Arrival]) {
        let slot = Int(token & 0xFFFF_FFFF)
        guard slot < watched.count, watched[slot].token == token else { return }
        let entry = watched[slot]
        if entry.isListener { return accept(entry, &arrivals) }
        let hungUp = bits & shim_epoll_gone() != 0
        if entry.connecting {
            guard bits & shim_epoll_out() != 0 || hungUp else { return }
            var error: CInt = 0
            var length = socklen_t(MemoryLayout<CInt>.size)
            unsafe getsockopt(entry.descriptor, SOL_SOCKET, SO_ERROR, &error, &length)
            watched[slot].connecting = false
            watched[slot].writes = false
            update(slot)
            arrivals.append(
                Arrival(kind: .connected, more: false, buffer: BufferPool.none, result: -error, token: token))
            return
        }
        if entry.writes, bits & shim_epoll_out() != 0 || hungUp {
            watched[slot].writes = false
            update(slot)
            arrivals.append(Arrival(kind: .sent, more: false, buffer: BufferPool.none, result: 0, token: token))
        }
        if entry.reads, bits & shim_epoll_in() != 0 || hungUp {
            read(slot, &arrivals)
        } else if hungUp {
            // Nobody reads: out, until somebody does; else epoll would say it again and again.
            var event = unsafe epoll_event()
            unsafe epoll_ctl(queue, EPOLL_CTL_DEL, entry.descriptor, &event)
            watched[slot].isAdded = false
        }
    }

    private func accept(_ entry: Watched, _ arrivals: inout [Arrival]) {
        for _ in 0..<64 {
            let descriptor = shim_accept(entry.descriptor)
            if descriptor < 0 {
                let error = errno
                if error == EAGAIN || error == ECONNABORTED || error == EINTR { return }
                watched[Int(entry.token & 0xFFFF_FFFF)].reads = false
                update(Int(entry.token & 0xFFFF_FFFF))
                arrivals.append(
                    Arrival(
                        kind: .accepted, more: false, buffer: BufferPool.none, result: -error, token: entry.token))
                return
            }
            KernelSockets.prepare(descriptor)
            arrivals.append(
                Arrival(
                    kind: .accepted, more: true, buffer: BufferPool.none, result: descriptor, token: entry.token))
        }
    }

    private func read(_ slot: Int, _ arrivals: inout [Arrival]) {
        let entry = watched[slot]
        guard let chunk = pool.takeChunk() else {
            watched[slot].reads = false
            update(slot)
            arrivals.append(
                Arrival(kind: .received, more: false, buffer: BufferPool.none, result: -ENOBUFS, token: entry.token))
            return
        }
        let count = unsafe recv(entry.descriptor, pool.address(of: chunk) + BufferPool.room, BufferPool.payload, 0)
        if count > 0 {
            arrivals.append(
                Arrival(kind: .received, more: true, buffer: chunk, result: Int32(count), token: entry.token))
            return
        }
        let error = count == 0 ? 0 : errno
        pool.release(chunk)
        if error == EAGAIN || error == EINTR { return }
        watched[slot].reads = false
        update(slot)
        arrivals.append(
            Arrival(kind: .received, more: false, buffer: BufferPool.none, result: -error, token: entry.token))
    }

    private func update(_ slot: Int) {
        let entry = watched[slot]
        var event = unsafe epoll_event()
        unsafe event.events = (entry.reads ? shim_epoll_in() : 0) | (entry.writes ? shim_epoll_out() : 0)
        unsafe event.data.u64 = entry.token
        unsafe epoll_ctl(queue, entry.isAdded ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, entry.descriptor, &event)
        watched[slot].isAdded = true
    }

    private func watch(_ descriptor: CInt, _ token: Token, _ change: (inout Watched) -> Void) {
        let slot = Int(token & 0xFFFF_FFFF)
        while watched.count <= slot { watched.append(Watched()) }
        if watched[slot].token != token || watched[slot].descriptor != descriptor {
            watched[slot] = Watched()
            watched[slot].token = token
            watched[slot].descriptor = descriptor
        }
        let before = watched[slot]
        change(&watched[slot])
        let after = watched[slot]
        if !before.isAdded || before.reads != after.reads || before.writes != after.writes { update(slot) }
    }

    func accept(on listener: CInt, _ token: Token) {
        watch(listener, token) {
            $0.isListener = true
            $0.reads = true
        }
    }

    func close(listener: CInt, _ token: Token) { close(listener, token, resetting: false) }

    func endpoints(of descriptor: CInt) -> (peer: SocketAddress, localPort: UInt16)? {
        KernelSockets.endpoints(of: descriptor)
    }

    func open(to address: SocketAddress) -> CInt { KernelSockets.open(address.family, nonblocking: true) }

    func connect(_ descriptor: CInt, _ token: Token, to address: SocketAddress) {
        var storage = sockaddr_storage()
        let length = address.fill(&storage)
        let code = unsafe withUnsafePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(descriptor, $0, length)
            }
        }
        let error = errno
        if code != 0, error != EINPROGRESS, error != EINTR {
            refused.append((token, error))
            return
        }
        // Whether it has worked, fails or goes on: epoll says so, and SO_ERROR knows.
        watch(descriptor, token) {
            $0.connecting = true
            $0.writes = true
        }
    }

    func adopt(_ descriptor: CInt, _ token: Token) { watch(descriptor, token) { _ in } }

    func receive(_ descriptor: CInt, _ token: Token) { watch(descriptor, token) { $0.reads = true } }

    func stopReceiving(_ descriptor: CInt, _ token: Token) -> Bool {
        watch(descriptor, token) { $0.reads = false }
        return true
    }

    func send(_ descriptor: CInt, _ token: Token, _ vectors: UnsafeMutableBufferPointer<iovec>) -> Sending {
        var message = unsafe msghdr()
        unsafe message.msg_iov = vectors.baseAddress
        unsafe message.msg_iovlen = vectors.count
        let count = unsafe sendmsg(descriptor, &message, shim_no_signal())
        if count >= 0 { return .written(count) }
        let error = errno
        if error == EAGAIN || error == EINTR {
            watch(descriptor, token) { $0.writes = true }
            return .blocked
        }
        return .failed(error)
    }

    func shutdownWrites(_ descriptor: CInt) { Glibc.shutdown(descriptor, CInt(SHUT_WR)) }

    func cancel(_ descriptor: CInt, _ token: Token, _ operations: Operations) -> Operations { [] }

    func close(_ descriptor: CInt, _ token: Token, resetting: Bool) {
        let slot = Int(token & 0xFFFF_FFFF)
        if slot < watched.count, watched[slot].token == token { watched[slot] = Watched() }
        KernelSockets.close(descriptor, resetting: resetting)
    }

    func shut() {}
}
