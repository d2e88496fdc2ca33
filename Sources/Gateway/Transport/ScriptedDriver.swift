import CUring
import Glibc
import Synchronization
package import TidegateCore

/// The driver on a `ScriptedNetwork`: operations complete later, in pieces, in an order of the seed's choosing; a send
/// reads its buffers when it completes, so a buffer that was given up too early shows.
@safe
final class ScriptedDriver: Driver {
    let name = "scripted"
    let bytesLent = 0
    private let network: ScriptedNetwork
    private let pool: BufferPool
    private let handle: LoopHandle
    private var entries: [Token: Entry] = [:]
    private var listeners: [Token: UInt16] = [:]

    private struct Entry {
        var descriptor: CInt
        var isReceiving = false
        var isStopping = false
        var connecting: Int32?
        var isCancelled = false
        var vectors: [Piece] = []
    }
    @safe
    private struct Piece {
        var base: UnsafeMutableRawPointer
        var count: Int
    }

    init(network: ScriptedNetwork, pool: BufferPool, handle: LoopHandle) {
        self.network = network
        self.pool = pool
        self.handle = handle
    }

    func clock() -> (wall: Instant, monotonic: Int64) { KernelSockets.clock() }

    func wait(upTo nanoseconds: Int64?, _ arrivals: inout [Arrival]) {
        let before = arrivals.count
        let isStalled = gather(&arrivals)
        var descriptor = pollfd(fd: handle.descriptor, events: Int16(POLLIN), revents: 0)
        var timeout = nanoseconds.map { CInt(clamping: ($0 + 999_999) / 1_000_000) } ?? -1
        if isStalled || arrivals.count > before { timeout = 0 }
        if unsafe poll(&descriptor, 1, timeout) > 0 {
            arrivals.append(Arrival(kind: .mail, more: true, buffer: BufferPool.none, result: 0, token: 0))
        }
    }

    /// - Returns: true where something was ready and made to wait.
    private func gather(_ arrivals: inout [Arrival]) -> Bool {
        network.state.withLock { state in
            var isStalled = false
            for (token, port) in listeners {
                guard let index = state.listening[port]?.firstIndex(where: { $0.wake === handle }) else { continue }
                for connection in state.listening[port]?[index].waiting ?? [] {
                    arrivals.append(
                        Arrival(
                            kind: .accepted, more: true, buffer: BufferPool.none, result: connection, token: token))
                }
                state.listening[port]?[index].waiting = []
            }
            var tokens = entries.keys.sorted()
            if !tokens.isEmpty {
                let first = state.roll(tokens.count)
                tokens = Array(tokens[first...] + tokens[..<first])
            }
            for token in tokens {
                guard var entry = entries[token] else { continue }
                if state.roll(4) == 0, isReady(entry, state) {
                    isStalled = true
                    continue
                }
                if state.hasFaults, state.roll(256) == 0 { state.reset(entry.descriptor) }
                connect(&entry, token, &arrivals)
                send(&entry, token, &state, &arrivals)
                receive(&entry, token, &state, &arrivals)
                entries[token] = entry
            }
            return isStalled
        }
    }

    private func isReady(_ entry: Entry, _ state: ScriptedNetwork.State) -> Bool {
        guard let connection = state.connections[entry.descriptor] else { return false }
        let inward = connection.inward
        return entry.connecting != nil || entry.isStopping || entry.isCancelled
            || entry.isReceiving && (inward.count > 0 || inward.isEnded || inward.isReset)
            || !entry.vectors.isEmpty && connection.outward.count < ScriptedNetwork.capacity
    }

    private func connect(_ entry: inout Entry, _ token: Token, _ arrivals: inout [Arrival]) {
        guard let result = entry.connecting else { return }
        entry.connecting = nil
        arrivals.append(
            Arrival(
                kind: .connected, more: false, buffer: BufferPool.none,
                result: entry.isCancelled ? -ECANCELED : result, token: token))
    }

    private func send(
        _ entry: inout Entry, _ token: Token, _ state: inout ScriptedNetwork.State, _ arrivals: inout [Arrival]
    ) {
        let descriptor = entry.descriptor
        guard !entry.vectors.isEmpty, let held = state.connections[descriptor]?.outward.count else { return }
        var result: Int32 = 0
        if state.connections[descriptor]?.outward.isReset == true {
            result = -ECONNRESET
        } else {
            let total = entry.vectors.reduce(0) { $0 + $1.count }
            let room = min(total, ScriptedNetwork.capacity - held)
            if room <= 0, !entry.isCancelled { return }
            if room > 0 {
                var left = state.roll(2) == 0 ? room : 1 + state.roll(room)
                result = Int32(left)
                for piece in entry.vectors where left > 0 {
                    let count = min(left, piece.count)
                    unsafe state.connections[descriptor]?.outward.bytes.append(
                        contentsOf: UnsafeRawBufferPointer(start: piece.base, count: count))
                    left -= count
                }
            } else {
                result = -ECANCELED
            }
        }
        entry.vectors = []
        arrivals.append(Arrival(kind: .sent, more: false, buffer: BufferPool.none, result: result, token: token))
    }

    private func receive(
        _ entry: inout Entry, _ token: Token, _ state: inout ScriptedNetwork.State, _ arrivals: inout [Arrival]
    ) {
        let descriptor = entry.descriptor
        guard entry.isReceiving, let held = state.connections[descriptor]?.inward.count else { return }
        func end(_ result: Int32) {
            arrivals.append(
                Arrival(kind: .received, more: false, buffer: BufferPool.none, result: result, token: token))
        }
        if held > 0, !entry.isStopping || state.roll(2) == 0 {
            guard state.roll(32) != 0, let chunk = pool.takeChunk() else {
                entry.isReceiving = false
                entry.isStopping = false
                return end(-ENOBUFS)
            }
            let most = min(held, BufferPool.payload)
            let wanted = state.roll(2) == 0 ? most : 1 + state.roll(most)
            let place = unsafe UnsafeMutableRawBufferPointer(
                start: pool.address(of: chunk) + BufferPool.room, count: wanted)
            let taken = unsafe state.connections[descriptor]?.inward.take(into: place) ?? 0
            arrivals.append(
                Arrival(kind: .received, more: true, buffer: chunk, result: Int32(taken), token: token))
            return
        }
        if entry.isStopping {
            entry.isReceiving = false
            entry.isStopping = false
            end(-ECANCELED)
        } else if state.connections[descriptor]?.inward.isReset == true {
            entry.isReceiving = false
            end(-ECONNRESET)
        } else if state.connections[descriptor]?.inward.isEnded == true {
            entry.isReceiving = false
            end(0)
        }
    }

    func accept(on listener: CInt, _ token: Token) {
        let port = KernelSockets.address(of: listener, peer: false)?.port ?? 0
        listeners[token] = port
        network.state.withLock { state in
            if state.listening[port]?.contains(where: { $0.wake === handle }) != true {
                state.listening[port, default: []].append(([], handle))
            }
        }
    }

    func close(listener: CInt, _ token: Token) {
        if let port = listeners.removeValue(forKey: token) {
            network.state.withLock { state in
                for loop in state.listening[port] ?? [] where loop.wake === handle {
                    for connection in loop.waiting { state.connections[connection]?.outward.isReset = true }
                }
                state.listening[port]?.removeAll { $0.wake === handle }
            }
        }
        Glibc.close(listener)
    }

    func endpoints(of descriptor: CInt) -> (peer: SocketAddress, localPort: UInt16)? {
        let port = network.state.withLock { $0.connections[descriptor]?.port ?? 0 }
        guard let peer = SocketAddress(bytes: [127, 0, 0, 1], port: 1024 + UInt16(descriptor % 60_000)) else {
            return nil
        }
        return (peer, port)
    }

    func open(to address: SocketAddress) -> CInt {
        network.state.withLock { state in
            let connection = state.connection(port: address.port)
            state.connections[connection]?.wake = handle
            return connection
        }
    }

    func connect(_ descriptor: CInt, _ token: Token, to address: SocketAddress) {
        entries[token] = Entry(descriptor: descriptor)
        entries[token]?.connecting = network.state.withLock { state in
            guard address.bytes == [127, 0, 0, 1], state.backends[address.port] != nil else { return -ECONNREFUSED }
            state.backends[address.port]?.append(descriptor)
            return 0
        }
    }

    func adopt(_ descriptor: CInt, _ token: Token) {
        if entries[token] == nil { entries[token] = Entry(descriptor: descriptor) }
    }

    func receive(_ descriptor: CInt, _ token: Token) { entries[token]?.isReceiving = true }

    func stopReceiving(_ descriptor: CInt, _ token: Token) -> Bool {
        entries[token]?.isStopping = true
        return false
    }

    func send(_ descriptor: CInt, _ token: Token, _ vectors: UnsafeMutableBufferPointer<iovec>) -> Sending {
        var pieces: [Piece] = []
        for index in vectors.indices {
            let vector = unsafe vectors[index]
            if let base = unsafe vector.iov_base { unsafe pieces.append(Piece(base: base, count: vector.iov_len)) }
        }
        entries[token]?.vectors = pieces
        return .pending
    }

    func shutdownWrites(_ descriptor: CInt) {
        network.state.withLock { $0.connections[descriptor]?.outward.isEnded = true }
    }

    func cancel(_ descriptor: CInt, _ token: Token, _ operations: Operations) -> Operations {
        entries[token]?.isCancelled = true
        if operations.contains(.receiving) { entries[token]?.isStopping = true }
        return operations.subtracting(.blocked)
    }

    func close(_ descriptor: CInt, _ token: Token, resetting: Bool) {
        entries[token] = nil
        network.state.withLock { state in
            guard let unread = state.connections[descriptor]?.inward.count else { return }
            if resetting { state.connections[descriptor]?.outward = ScriptedNetwork.Pipe() }
            // As TCP: what was not read makes the close a reset.
            if resetting || unread > 0 { state.connections[descriptor]?.outward.isReset = true }
            state.connections[descriptor]?.outward.isEnded = true
            state.connections[descriptor]?.isClosed = true
            state.connections[descriptor]?.inward = ScriptedNetwork.Pipe()
        }
    }

    func shut() {}
}

extension TransportRuntime {
    /// A runtime on a network in memory.
    package convenience init(
        _ settings: Settings, authority: Authority, ledger: SessionLedger, sink: (any EvidenceSink)?, log: Log,
        network: ScriptedNetwork
    ) {
        self.init(settings, authority: authority, ledger: ledger, sink: sink, log: log, name: "scripted") {
            pool, handle in ScriptedDriver(network: network, pool: pool, handle: handle)
        }
    }
}
