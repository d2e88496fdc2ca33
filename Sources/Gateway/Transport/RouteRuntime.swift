import Synchronization
public import TidegateCore
public import TidegateCrypto

/// A route as the transport runs it; a reload makes a new one, which new connections get.
public final class RouteRuntime: Sendable {
    public let route: Route
    /// TLS from the first byte; nil is plaintext.
    public let tls: TLSServerContext?
    /// Networks whose PROXY headers are believed; nil where the route expects none.
    public let proxyNetworks: [Network]?
    /// Called on the connection's loop.
    public let makeMachine: @Sendable (Session) -> any MachineBox

    public init(
        route: Route, tls: TLSServerContext? = nil, proxyNetworks: [Network]? = nil,
        makeMachine: @escaping @Sendable (Session) -> any MachineBox
    ) {
        self.route = route
        self.tls = tls
        self.proxyNetworks = proxyNetworks
        self.makeMachine = makeMachine
    }
}

/// Where a route listens. Several ports of one route are several specifications of one runtime.
public struct ListenerSpecification: Sendable {
    public var address: SocketAddress
    public var runtime: RouteRuntime
    public init(address: SocketAddress, runtime: RouteRuntime) {
        self.address = address
        self.runtime = runtime
    }
}

/// An address that cannot be listened on.
public struct ListenerError: Error, Sendable, CustomStringConvertible {
    public let address: SocketAddress
    /// The system's error number.
    public let error: Int32
    public let reason: String
    public var description: String { "cannot listen on \(address): \(reason)" }
}

/// Bytes that buffers of all loops hold, against one bound.
final class MemoryBudget: Sendable {
    private let used = Atomic<Int>(0)
    let limit: Atomic<Int>
    init(limit: Int) { self.limit = Atomic(limit) }
    func add(_ bytes: Int) { used.add(bytes, ordering: .relaxed) }
    var isExceeded: Bool { excess(of: 10) > 0 }
    /// Bytes above so many tenths of the limit.
    func excess(of tenths: Int) -> Int { bytes - limit.load(ordering: .relaxed) / 10 * tenths }
    var bytes: Int { used.load(ordering: .relaxed) }
    /// Three quarters are free.
    var isAmple: Bool { bytes < limit.load(ordering: .relaxed) / 4 }
}
