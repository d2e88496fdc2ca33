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
        /// Copies the first bytes to `place`, at most as many as it holds, and forgets them.
        ///
        /// - Returns: how many.
        mutating func take(into place: UnsafeMutableRawBufferPointer) -> Int {
            let taken = min(count, place.count)
            unsafe bytes.withUnsafeBytes { all in
                unsafe place.copyMemory(from: UnsafeRawBufferPointer(rebasing: all[head..<(head + taken)]))
            }
            head += taken
            if head == bytes.count {
                bytes.removeAll(keepingCapacity: true)
                head = 0
            } else if head >= ScriptedNetwork.capacity {
                bytes.removeFirst(head)
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
        /// The gateway has closed it.
        var isClosed = false
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
        /// Connections are reset now and then.
        var hasFaults: Bool

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

        mutating func reset(_ connection: CInt) {
            connections[connection]?.inward = Pipe()
            connections[connection]?.inward.isReset = true
            connections[connection]?.outward = Pipe()
            connections[connection]?.outward.isReset = true
        }
    }
    /// Bytes that one direction holds before its writer waits.
    static let capacity = 65_536
    let state: Mutex<State>

    /// - Parameter faults: connections are reset now and then, as the seed says.
    package init(seed: UInt64, faults: Bool = false) { state = Mutex(State(random: seed, hasFaults: faults)) }

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
        let (count, wake): (Int?, LoopHandle?) = state.withLock { state in
            guard state.connections[connection]?.outward.isReset == false,
                state.connections[connection]?.isClosed == false,
                let held = state.connections[connection]?.inward.count
            else { return (nil, nil) }
            let count = max(0, min(bytes.count, ScriptedNetwork.capacity - held))
            if count == 0 { return (0, nil) }
            state.connections[connection]?.inward.bytes += bytes.prefix(count)
            // The loop does not wait while something is left that it could take.
            return (count, held == 0 ? state.connections[connection]?.wake : nil)
        }
        wake?.ring()
        return count
    }

    package enum Reading {
        case bytes(Int)
        case ended, reset, nothing
    }

    /// Reads at most as much as `place` holds.
    package func read(_ connection: CInt, into place: UnsafeMutableRawBufferPointer) -> Reading {
        let (reading, wake): (Reading, LoopHandle?) = state.withLock { state in
            guard let held = state.connections[connection]?.outward.count else { return (.reset, nil) }
            if held > 0 {
                let count = unsafe state.connections[connection]?.outward.take(into: place) ?? 0
                return (.bytes(count), held >= ScriptedNetwork.capacity ? state.connections[connection]?.wake : nil)
            }
            if state.connections[connection]?.outward.isReset == true { return (.reset, nil) }
            return (state.connections[connection]?.outward.isEnded == true ? .ended : .nothing, nil)
        }
        wake?.ring()
        return reading
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

    package func finish(_ connection: CInt) {
        wake(connection) { $0.connections[connection]?.inward.isEnded = true }
    }

    package func reset(_ connection: CInt) { wake(connection) { $0.reset(connection) } }

    private func wake(_ connection: CInt, after change: (inout State) -> Void) {
        let wake: LoopHandle? = state.withLock { state in
            change(&state)
            return state.connections[connection]?.wake
        }
        wake?.ring()
    }
}
