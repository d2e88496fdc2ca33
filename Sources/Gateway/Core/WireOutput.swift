public import TidegateCrypto

/// What a machine answers with: steps over the window that it was offered, and bytes of its own in `scratch`.
///
/// One per event loop, emptied after each call. Ranges of the window leave as the very bytes that were read; neighbours
/// merge, so what nobody edits collapses into one step.
public struct WireOutput: ~Copyable {
    public enum Step: Equatable, Sendable {
        /// Bytes of the window, as they came.
        case pass(Range<Int>, to: Side)
        /// Bytes of `scratch`.
        case put(Range<Int>, to: Side)
        /// A whole message is out on that side.
        case boundary(Side)
        /// How far the client's data has got, in the order of the client's bytes.
        case mark(Position)
        /// Offer what is left of that side's window again when the question is answered, or the authority changes.
        case park(Side)
        /// Offer what is left of the client's window again when the backend has answered something.
        case awaitReplies
        /// Offer that side again when so many unconsumed bytes are there.
        case need(Side, bytes: Int)
        /// Connect the backend side to `endpoint`.
        case connect
        /// From here on that side speaks TLS; nothing of what was consumed belongs to it.
        case secure(Side)
        /// From here on, until it is taken back: who waits for what the backend will say one day (a blocked read, a
        /// subscription) is not idle.
        case mayBeSilent(Bool)
        /// That side gets no more bytes: half-close when what waits is out.
        case finish(Side)
        /// Read no more; send what waits for the client; close.
        case close(CloseReason)
    }

    public internal(set) var endpoint: Endpoint?
    @usableFromInline var storedSteps: [Step]
    /// Bytes that the machine composed; a machine may append edited content and `put` it by range.
    public var scratch: [UInt8]
    /// The authority's version: clearances of another cannot pass.
    public var authority: UInt32
    /// True where a clearance of another version was used: the relay cuts the session and counts a fault.
    public internal(set) var fault: Bool

    public init(authority: UInt32) {
        storedSteps = []
        scratch = []
        self.authority = authority
        fault = false
        endpoint = nil
    }

    @inlinable public var steps: [Step] { storedSteps }

    /// Passes bytes of the window as they came.
    @inlinable
    public mutating func pass(_ range: Range<Int>, to side: Side, under clearance: Clearance) {
        guard clearance.authority == authority else { return refuseStale() }
        append(passing: range, to: side)
    }

    @inlinable
    mutating func append(passing range: Range<Int>, to side: Side) {
        if range.isEmpty { return }
        if let last = storedSteps.indices.last, case .pass(let before, let to) = storedSteps[last], to == side,
            before.upperBound == range.lowerBound
        {
            storedSteps[last] = .pass(before.lowerBound..<range.upperBound, to: side)
        } else {
            storedSteps.append(.pass(range, to: side))
        }
    }

    @usableFromInline
    mutating func refuseStale() {
        fault = true
        storedSteps.append(.close(.fault))
    }

    /// Sends bytes of the scratch in the client's or the backend's name: edited records, a request without what was denied.
    @inlinable
    public mutating func put(_ range: Range<Int>, to side: Side, under clearance: Clearance) {
        guard clearance.authority == authority else { return refuseStale() }
        append(putting: range, to: side)
    }

    @inlinable
    mutating func append(putting range: Range<Int>, to side: Side) {
        if range.isEmpty { return }
        if let last = storedSteps.indices.last, case .put(let before, let to) = storedSteps[last], to == side,
            before.upperBound == range.lowerBound
        {
            storedSteps[last] = .put(before.lowerBound..<range.upperBound, to: side)
        } else {
            storedSteps.append(.put(range, to: side))
        }
    }

    /// Says the gateway's own words to the client: refusals, handshakes. Never records.
    @inlinable
    public mutating func say(_ words: [UInt8]) {
        let start = scratch.count
        scratch.append(contentsOf: words)
        append(putting: start..<scratch.count, to: .client)
    }

    /// The words that the gateway has of its own for a backend (law 4); a test lists who speaks them.
    public enum OwnBusiness: Sendable { case logIn, catalogue, cancel }
    @inlinable
    public mutating func sayToBackend(_ words: [UInt8], about business: OwnBusiness) {
        let start = scratch.count
        scratch.append(contentsOf: words)
        append(putting: start..<scratch.count, to: .backend)
    }

    @inlinable public mutating func boundary(_ side: Side) { storedSteps.append(.boundary(side)) }
    @inlinable public mutating func mark(_ position: Position) { storedSteps.append(.mark(position)) }
    @inlinable public mutating func park(_ side: Side) { storedSteps.append(.park(side)) }
    @inlinable public mutating func awaitReplies() { storedSteps.append(.awaitReplies) }
    @inlinable public mutating func need(_ side: Side, bytes: Int) { storedSteps.append(.need(side, bytes: bytes)) }
    @inlinable public mutating func secure(_ side: Side) { storedSteps.append(.secure(side)) }
    @inlinable public mutating func mayBeSilent(_ isSo: Bool) { storedSteps.append(.mayBeSilent(isSo)) }
    @inlinable public mutating func finish(_ side: Side) { storedSteps.append(.finish(side)) }
    @inlinable public mutating func close(_ reason: CloseReason) { storedSteps.append(.close(reason)) }
    public mutating func connect(_ endpoint: Endpoint) {
        self.endpoint = endpoint
        storedSteps.append(.connect)
    }

    /// Forgets steps and scratch, keeping their memory up to `kept` bytes of scratch.
    @inlinable
    public mutating func empty(keeping kept: Int = 1 << 20) {
        storedSteps.removeAll(keepingCapacity: true)
        if scratch.capacity > kept { scratch = [] } else { scratch.removeAll(keepingCapacity: true) }
        clearFault()
    }
    @usableFromInline mutating func clearFault() {
        fault = false
        endpoint = nil
    }
}

/// Where a backend side connects to.
public struct Endpoint: Sendable {
    public var host: String
    public var port: UInt16
    /// TLS from the first byte; nil is plaintext.
    public var tls: TLSClientContext?
    /// The name that the certificate must hold.
    public var serverName: String
    public init(host: String, port: UInt16, tls: TLSClientContext?, serverName: String) {
        self.host = host
        self.port = port
        self.tls = tls
        self.serverName = serverName
    }
}

/// Why a session ends; one word in log, metrics and `session.ended`.
public enum CloseReason: Equatable, Sendable, BitwiseCopyable {
    case ended
    case backendEnded
    case backendUnreachable
    case backendRefusedLogIn
    case violation(Side)
    case refused(Refusal)
    case limit
    case idle
    case notAuthenticatedInTime
    case draining
    case killed
    case fault

    public var word: String {
        switch self {
        case .ended: "ended"
        case .backendEnded: "backend-ended"
        case .backendUnreachable: "backend-unreachable"
        case .backendRefusedLogIn: "backend-refused-login"
        case .violation(.client): "client-violation"
        case .violation(.backend): "backend-violation"
        case .refused(let refusal): refusal.reason
        case .limit: "limit"
        case .idle: "idle"
        case .notAuthenticatedInTime: "not-authenticated-in-time"
        case .draining: "draining"
        case .killed: "killed"
        case .fault: "fault"
        }
    }
}
