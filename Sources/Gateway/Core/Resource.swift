/// A kind of thing that a backend governs (`topic`, `group`, `stream`): an index into the backend's own declaration, so
/// that the core lists none.
public struct ResourceKind: Hashable, Sendable, BitwiseCopyable {
    public let index: UInt8
    @inlinable public init(_ index: UInt8) { self.index = index }
}

/// A name, interned once per connection by its governor; the kind is part of the identity.
public struct Resource: Hashable, Sendable, BitwiseCopyable {
    @usableFromInline let index: UInt32
    @inlinable package init(index: UInt32) { self.index = index }
    /// Stands where a name is unknown; no rule covers it.
    public static let none = Resource(index: .max)
}

/// The protocol's own name of a request (`Fetch`, `XREADGROUP`): an index into the backend's declared table.
public struct WireName: Hashable, Sendable, BitwiseCopyable {
    public let index: UInt16
    @inlinable public init(_ index: UInt16) { self.index = index }
}

/// How evidence spells a position, and what `Delivery.part` is.
public enum PositionForm: Sendable {
    /// `{"partition":2,"first":5,"last":9}`.
    case offset
    /// `{"database":0,"first":"1700000000000-0","last":"1700000000000-4"}`.
    case entry
}

/// A place in a log, which the backend spells and evidence can index. Kafka: (0, offset). Redis: (ms, sequence).
/// Postgres: (commit LSN, change LSN).
public struct Position: Comparable, Hashable, Sendable, BitwiseCopyable {
    public var major, minor: UInt64
    @inlinable public init(major: UInt64, minor: UInt64) {
        self.major = major
        self.minor = minor
    }
    @inlinable public static func < (left: Self, right: Self) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}
