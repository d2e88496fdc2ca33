/// What a peer did wrong: constant text and the offset in the window. The relay closes with it.
public struct WireViolation: Error, Sendable, Equatable, CustomStringConvertible {
    public let reason: StaticString
    public let side: Side
    public let offset: Int
    public init(_ reason: StaticString, side: Side = .client, at offset: Int = 0) {
        self.reason = reason
        self.side = side
        self.offset = offset
    }
    public var description: String { "\(reason) (from the \(side), at byte \(offset))" }
    public static func == (left: Self, right: Self) -> Bool {
        left.description == right.description
    }
}

/// What happens to a connection besides bytes.
public enum WireEvent: Sendable {
    /// The client is there (behind TLS and PROXY header, where the route has them).
    case accepted
    case connected
    /// TLS is up on that side; the server name that the client asked for.
    case secured(Side, serverName: String?)
    /// That side sends no more.
    case ended(Side)
    /// Policy, grants or locks have changed; every clearance must be renewed.
    case authorityChanged
    /// The session is about to be cut at a message's end: what the protocol can still say.
    case lastWords(Refusal)
    /// The gateway is stopping: finish what is in flight.
    case draining
    /// Somebody called the session's waker, or the handle of a side connection.
    case woken
    /// The connection is gone and no step is taken any more: what evidence is still owed is written. Told once, last.
    case gone
}

/// One connection's protocol state: no I/O, no clock, no policy. Events in, steps out, so that a transcript tests it.
///
/// Several calls may see the same bytes: ask first, then change state and write steps; `admit` last, for it alone cannot
/// be repeated.
public protocol WireMachine: ~Copyable {
    /// Looks at the unconsumed bytes of one side.
    ///
    /// - Returns: how many of them are consumed; the rest is offered again with more.
    /// - Throws: what the peer did wrong; the relay closes with that reason.
    mutating func receive(
        _ window: RawSpan, from side: Side, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Int

    mutating func handle(
        _ event: WireEvent, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation)
}

/// The two calls of a machine behind a class: an existential of two words, one a connection.
public protocol MachineBox: AnyObject {
    func receive(
        _ window: RawSpan, from side: Side, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Int
    func handle(
        _ event: WireEvent, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation)
}

/// Keeps a noncopyable machine, specialised.
public final class MachineOf<Machine: WireMachine & ~Copyable>: MachineBox {
    @usableFromInline var machine: Machine
    @inlinable public init(_ machine: consuming Machine) { self.machine = machine }

    @inlinable
    public func receive(
        _ window: RawSpan, from side: Side, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Int {
        try machine.receive(window, from: side, asking: &governor, &output)
    }

    @inlinable
    public func handle(
        _ event: WireEvent, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) {
        try machine.handle(event, asking: &governor, &output)
    }
}
