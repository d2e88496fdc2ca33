import Synchronization

/// A configured route as its sessions see it.
public final class Route: Sendable {
    public let name: String
    public let backendName: String
    /// Tells backends of one name apart: the authority's version that the backend was made for.
    public let backendVersion: UInt32
    /// `kafka`, `redis`, `postgres`.
    public let protocolName: String
    /// How the route is reached from outside, where a protocol tells its clients addresses.
    public let advertise: Advertise?
    /// Tokens may travel here: TLS, loopback, or `insecure: true`.
    public let isConfidential: Bool
    public let kinds: [ResourceKindDeclaration]
    public let wireNames: [String]
    /// By wire name: only a rule that names it opens it. Empty where no command is such.
    private let explicit: [Bool]
    public let limits: SessionLimits
    let positions: PositionForm

    public init(
        name: String, backendName: String, declaration: BackendDeclaration, advertise: Advertise?,
        isConfidential: Bool, limits: SessionLimits, backendVersion: UInt32 = 0
    ) {
        self.name = name
        self.backendName = backendName
        self.backendVersion = backendVersion
        protocolName = declaration.protocolName
        kinds = declaration.kinds
        wireNames = declaration.wireNames
        positions = declaration.positions
        explicit =
            declaration.explicitCommands.isEmpty ? [] : wireNames.map { declaration.explicitCommands.contains($0) }
        self.advertise = advertise
        self.isConfidential = isConfidential
        self.limits = limits
    }

    public var hasExplicitCommands: Bool { !explicit.isEmpty }

    /// True where only a rule that names the command opens it; where there are such commands, also of an undeclared one.
    public func mustBeNamed(_ command: WireName) -> Bool {
        !explicit.isEmpty && (Int(command.index) >= explicit.count || explicit[Int(command.index)])
    }

    /// The protocol's name of a request; empty where the declaration has none.
    public func name(of command: WireName) -> String {
        Int(command.index) < wireNames.count ? wireNames[Int(command.index)] : ""
    }
}

/// Where clients find the nodes of a backend behind this route.
public struct Advertise: Sendable, Equatable {
    public var host: String
    /// Node N has port `ports.lowerBound + N - firstNode`, always.
    public var ports: ClosedRange<UInt16>?
    public var firstNode: Int32
    /// `broker-{id}.example.com`: the node by TLS server name, all on one port.
    public var serverNamePattern: String?
    public var port: UInt16

    public init(
        host: String, ports: ClosedRange<UInt16>?, firstNode: Int32, serverNamePattern: String?, port: UInt16
    ) {
        self.host = host
        self.ports = ports
        self.firstNode = firstNode
        self.serverNamePattern = serverNamePattern
        self.port = port
    }

    /// The address told to clients for a node, or nil where it has no port: such a node is left out.
    public func address(ofNode node: Int32) -> (host: String, port: UInt16)? {
        if let serverNamePattern {
            let parts = serverNamePattern.split(separator: "{id}", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, node >= 0 else { return nil }
            return ("\(parts[0])\(node)\(parts[1])", port)
        }
        guard let ports else { return nil }
        let index = Int64(node) - Int64(firstNode)
        guard index >= 0, index < Int64(ports.count) else { return nil }
        return (host, ports.lowerBound + UInt16(index))
    }

    /// The node that a listener's port stands for, or nil for the route's own port.
    public func node(ofPort port: UInt16) -> Int32? {
        guard let ports, ports.contains(port) else { return nil }
        return firstNode &+ Int32(port - ports.lowerBound)
    }

    /// The node that a TLS server name stands for, or nil where it names none.
    public func node(ofServerName name: String) -> Int32? {
        guard let serverNamePattern = serverNamePattern?.lowercased() else { return nil }
        let name = name.lowercased()  // host names are compared without case (RFC 6066)
        let parts = serverNamePattern.split(separator: "{id}", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, name.hasPrefix(parts[0]), name.hasSuffix(parts[1]),
            name.utf8.count > parts[0].utf8.count + parts[1].utf8.count
        else { return nil }
        let digits = name.dropFirst(parts[0].count).dropLast(parts[1].count)
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        return Int32(digits)
    }
}

/// One client connection on one route.
public struct Session: Sendable {
    /// Unique over restarts; sortable by start.
    public let id: String
    public let route: Route
    /// Numeric address and port; of the PROXY header where the route believes one.
    public let clientAddress: String
    /// The port it came in on: a route may listen on one a node.
    public let localPort: UInt16
    public let started: Instant
    public init(id: String, route: Route, clientAddress: String, localPort: UInt16, started: Instant) {
        self.id = id
        self.route = route
        self.clientAddress = clientAddress
        self.localPort = localPort
        self.started = started
    }
}

/// What one session, or one principal, may take. Each is in force on every connection.
public struct SessionLimits: Sendable, Equatable {
    /// A frame that must be whole (a request, a masked response), in bytes.
    public var frameBytes = 104_857_600
    /// Before a client has said who it is, in bytes a frame.
    public var unauthenticatedFrameBytes = 65_536
    public var secondsToAuthenticate = 10
    public var idleSeconds = 600
    /// Requests in flight on one connection.
    public var requestsInFlight = 1024
    /// Sessions of one subject at a time.
    public var sessionsPerPrincipal = 10_000
    /// Sessions in all.
    public var sessions = 100_000
    /// Bytes that all sessions together may hold.
    public var totalBytes = 1 << 30
    public init() {}
}

/// Counts sessions by subject, over all loops; touched when a session starts and ends only.
public final class SessionLedger: Sendable {
    private struct State {
        var bySubject: [String: Int] = [:]
        var total = 0
        var most = Int.max
    }
    private let state = Mutex(State())
    public init() {}

    /// - Returns: false where the subject has as many sessions as it may.
    public func enter(subject: String, limit: Int) -> Bool {
        state.withLock { state in
            let count = state.bySubject[subject, default: 0]
            guard count < limit else { return false }
            state.bySubject[subject] = count + 1
            return true
        }
    }

    public func leave(subject: String) {
        state.withLock { state in
            guard let count = state.bySubject[subject] else { return }
            state.bySubject[subject] = count > 1 ? count - 1 : nil
        }
    }

    /// Sets how many connections there may be, whatever a route allows: as many as the process has descriptors for.
    public func restrict(to connections: Int) { state.withLock { $0.most = connections } }

    /// - Returns: false where the gateway has as many connections as it may.
    public func connect(limit: Int) -> Bool {
        state.withLock { state in
            guard state.total < min(limit, state.most) else { return false }
            state.total += 1
            return true
        }
    }

    public func disconnect() { state.withLock { $0.total -= 1 } }
    public var connections: Int { state.withLock { $0.total } }
}
