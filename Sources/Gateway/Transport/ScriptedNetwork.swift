import Glibc
import Synchronization

/// A network in memory, for tests: any schedule of short reads, short writes, stalls and buffers that run out, from a
/// seed. The loops run on `ScriptedDriver`; a test holds the other ends.
package final class ScriptedNetwork: Sendable {
    /// One direction of a connection.
    struct Pipe {
        var bytes: [UInt8] = []
        var head = 0
        var isEnded = false
        var isReset = false
        var count: Int { bytes.count - head }
        mutating func take(_ most: Int) -> ArraySlice<UInt8> {
            let taken = bytes[head..<min(bytes.count, head + most)]
            head += taken.count
            if head == bytes.count {
                bytes.removeAll(keepingCapacity: true)
                head = 0
            }
            return taken
        }
    }
    struct Connection {
        /// Towards the gateway, and from it.
        var inward = Pipe()
        var outward = Pipe()
        var port: UInt16
        var wake: LoopHandle?
    }
    struct State {
        var random: UInt64
        var connections: [CInt: Connection] = [:]
        /// Ports of the gateway: connections that wait to be accepted, and whom to wake.
        var listening: [UInt16: [(waiting: [CInt], wake: LoopHandle)]] = [:]
        /// Ports of tests: connections that wait for the test.
        var backends: [UInt16: [CInt]] = [:]
        var next: CInt = 1_000_000
        var nextPort: UInt16 = 20_000

        /// SplitMix64.
        mutating func roll(_ bound: Int) -> Int {
            random &+= 0x9E37_79B9_7F4A_7C15
            var mixed = random
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return Int((mixed ^ (mixed >> 31)) % UInt64(max(1, bound)))
        }

        mutating func connection(port: UInt16) -> CInt {
            next += 1
            connections[next] = Connection(port: port)
            return next
        }
    }
    /// Bytes that one direction holds before its writer waits.
    static let capacity = 65_536
    let state: Mutex<State>

    package init(seed: UInt64) { state = Mutex(State(random: seed)) }

    // MARK: A test's ends

    /// Opens a port of a test; its number.
    package func listen() -> UInt16 {
        state.withLock { state in
            state.nextPort += 1
            state.backends[state.nextPort] = []
            return state.nextPort
        }
    }

    package func stopListening(_ port: UInt16) { state.withLock { $0.backends[port] = nil } }

    /// A connection that the gateway made to `port`; nil where there is none yet.
    package func accept(_ port: UInt16) -> CInt? {
        state.withLock { state in
            guard let waiting = state.backends[port], !waiting.isEmpty else { return nil }
            return state.backends[port]?.removeFirst()
        }
    }

    package func isListening(_ port: UInt16) -> Bool { state.withLock { !($0.listening[port] ?? []).isEmpty } }

    /// Connects to a port of the gateway; nil where it does not listen.
    package func connect(_ port: UInt16) -> CInt? {
        let made: (CInt, LoopHandle)? = state.withLock { state in
            guard let loops = state.listening[port], !loops.isEmpty else { return nil }
            let connection = state.connection(port: port)
            let index = state.roll(loops.count)
            state.listening[port]?[index].waiting.append(connection)
            state.connections[connection]?.wake = loops[index].wake
            return (connection, loops[index].wake)
        }
        made?.1.ring()
        return made?.0
    }

    /// Writes as much as fits.
    ///
    /// - Returns: how much; nil where the connection is gone.
    package func write(_ connection: CInt, _ bytes: ArraySlice<UInt8>) -> Int? {
        change(connection) { entry in
            if entry.outward.isReset { return nil }
            let count = min(bytes.count, ScriptedNetwork.capacity - entry.inward.count)
            entry.inward.bytes += bytes.prefix(max(0, count))
            return max(0, count)
        } ?? nil
    }

    package enum Reading {
        case bytes([UInt8])
        case ended, reset, nothing
    }

    package func read(_ connection: CInt, _ most: Int) -> Reading {
        change(connection) { entry in
            if entry.outward.count > 0 { return .bytes(Array(entry.outward.take(most))) }
            if entry.outward.isReset { return .reset }
            return entry.outward.isEnded ? .ended : .nothing
        } ?? .reset
    }

    package func hasSomething(_ connection: CInt) -> Bool {
        state.withLock { state in
            guard let pipe = state.connections[connection]?.outward else { return true }
            return pipe.count > 0 || pipe.isEnded || pipe.isReset
        }
    }

    package func canWrite(_ connection: CInt) -> Bool {
        state.withLock { ($0.connections[connection]?.inward.count ?? 0) < ScriptedNetwork.capacity }
    }

    package func finish(_ connection: CInt) { _ = change(connection) { $0.inward.isEnded = true } }

    package func reset(_ connection: CInt) {
        _ = change(connection) {
            $0.inward = Pipe()
            $0.inward.isReset = true
            $0.outward = Pipe()
            $0.outward.isReset = true
        }
    }

    private func change<Result: Sendable>(
        _ connection: CInt, _ body: (inout Connection) -> Result
    ) -> Result? {
        let (result, wake): (Result?, LoopHandle?) = state.withLock { state in
            guard var entry = state.connections[connection] else { return (nil, nil) }
            let result = body(&entry)
            state.connections[connection] = entry
            return (result, entry.wake)
        }
        wake?.ring()
        return result
    }
}
