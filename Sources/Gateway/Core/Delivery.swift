/// Whose bytes, or towards whom.
public enum Side: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    case client, backend
    @inlinable public var other: Side { self == .client ? .backend : .client }
}

/// A run of bytes: of the window that was offered, or of the output's scratch.
public enum Piece: Sendable, Equatable {
    case window(Range<Int>)
    case scratch(Range<Int>)
    case none
}

/// What is handed over, either way: a batch of Fetch or Produce, the entries of an XREAD, a change of a table.
public struct Delivery: Sendable, BitwiseCopyable {
    public var resource: Resource
    /// Partition or database; 0 where there is none.
    public var part: Int32
    /// First and last position, ends included; nil where there are none (a pub/sub message, a produced record whose
    /// position is not known yet).
    public var first, last: Position?
    public var records, maskedFields, bytes: UInt32
    /// Values in it that could not be looked into, and were replaced or let through as their profile says.
    public var maskFailures: UInt32
    /// Tokens in it that were opened.
    public var openedFields: UInt32 = 0
    /// `maskedFields` and `maskFailures` are what would have been: everything is handed over as it is.
    public var isDryRun = false
    public var towards: Side
    public var wireName: WireName

    @inlinable
    public init(
        _ resource: Resource, part: Int32 = 0, first: Position? = nil, last: Position? = nil, records: UInt32,
        maskedFields: UInt32 = 0, maskFailures: UInt32 = 0, bytes: UInt32, towards: Side, wireName: WireName
    ) {
        self.resource = resource
        self.part = part
        self.first = first
        self.last = last
        self.records = records
        self.maskedFields = maskedFields
        self.maskFailures = maskFailures
        self.bytes = bytes
        self.towards = towards
        self.wireName = wireName
    }

    /// Takes over what a mask has counted.
    @inlinable
    public mutating func count(_ counters: MaskCounters) {
        maskedFields = counters.maskedFields
        maskFailures = counters.failures
        openedFields = counters.openedFields
        isDryRun = counters.isDryRun
    }
}

/// One record of a delivery as the client gets it, after masking; shown to `admit` at messages level only.
public struct RecordView: Sendable {
    public var position: Position
    /// Milliseconds since 1970, or -1.
    public var timestamp: Int64
    public var key, value: Piece
    /// Its headers, in the list that goes with the records.
    public var headers: Range<Int>
    @inlinable
    public init(position: Position, timestamp: Int64, key: Piece, value: Piece, headers: Range<Int> = 0..<0) {
        self.position = position
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
    }
}

/// One header of a record as the client gets it; names may repeat.
public struct HeaderView: Sendable {
    public var name, value: Piece
    @inlinable
    public init(name: Piece, value: Piece) {
        self.name = name
        self.value = value
    }
}

/// Made on each delivery.
public enum Admission: Sendable, BitwiseCopyable {
    case release(Clearance)
    /// This one is not handed over; the session goes on.
    case withhold(Refusal)
    /// The session ends here.
    case cut(Refusal)
}
