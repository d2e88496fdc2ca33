import TidegateWire

/// What a leaf is, whatever its encoding.
public enum LeafKind: UInt8, Sendable, BitwiseCopyable {
    case string
    /// A string that holds a UUID and nothing else.
    case uuid
    case bytes
    /// A fixed number of bytes.
    case fixed
    /// 32 bits.
    case int
    case unsignedInt
    /// 64 bits.
    case long
    case unsignedLong
    case float
    case double
    case boolean
    case enumeration
    case decimal
    /// Days: `2026-11-26`.
    case date
    /// A time of day: `05:29:21.123`.
    case time
    /// A moment: `2026-11-26T05:29:21.123Z`.
    case timestamp
    /// A date and a time nowhere in particular: `2026-11-26T05:29:21.123`.
    case localTimestamp
    /// Months, days and milliseconds: `P1M2DT0.003S`.
    case duration
}

/// One value that a rule takes or that detectors are to see. Offsets are into the payload that it was found in.
public struct Leaf: Sendable, BitwiseCopyable {
    /// `rule` of a leaf that is for the detectors.
    public static let undecided: Int32 = -1
    /// `rule` of a text at the first of the places (`place`); lower ones are of further places.
    static let firstPlace: Int32 = -3

    /// Where the field (Protobuf: its tag) or the union (Avro: its index) begins.
    var item: UInt32
    /// Where the value's encoding begins: a length, or the content itself.
    var value: UInt32
    @usableFromInline var contentStart: UInt32
    @usableFromInline var contentEnd: UInt32
    /// The rule that takes it; below 0 where none does.
    public internal(set) var rule: Int32
    /// Index into `SchemaPlan.names`; below 0 where the name is a map's key.
    public internal(set) var nameID: Int32
    /// Of a map's key, in the payload; a number key has its encoding here.
    var keyStart: UInt32
    var keyEnd: UInt32
    /// Index into the plan's leaf types.
    var type: Int32
    /// Avro: the index of the union's null branch. Protobuf: 0 where the field can be left out. -1 where there is neither.
    @usableFromInline var absence: Int32
    /// The innermost length around it that changes with it; -1 where there is none.
    var frame: Int32
    public internal(set) var kind: LeafKind
    /// True for a map's key that was taken with its map, or that detectors are to see; an edit renames it.
    public internal(set) var isMapKey: Bool

    /// The content without lengths. Strings and bytes stand there as they are.
    @inlinable public var content: Range<Int> {
        Int(min(contentStart, contentEnd))..<Int(contentEnd)
    }
    /// Of a text into which rules reach, where it is a document: which place that is (`SchemaPlan.place`).
    @inlinable public var place: Int? { rule <= -3 ? -3 - Int(rule) : nil }
    /// Whether `LeafEdit.empty` makes it null or absent, and not the type's zero.
    @inlinable public var canBeAbsent: Bool { absence >= 0 }
}

/// What becomes of one leaf.
public enum LeafEdit: Sendable, Equatable {
    case keep
    /// Its new text, as `SchemaPlan.appendText` writes it. A text that its type cannot hold makes it empty.
    case text(Range<Int>)
    /// Null where its union has that branch; absent where it is a Protobuf field that need not be there; else the type's
    /// zero: no text, 0, false, zero bytes, 1970-01-01, the enumeration's default or first symbol. Elements stay, as zeros.
    case empty
}

/// The leaves of one payload. It is filled and used again: nothing is allocated in the steady state.
public struct LeafList: Sendable {
    /// In the order of the payload.
    public internal(set) var leaves: [Leaf] = []
    /// Lengths around leaves, in the order of the payload: parents before children.
    var frames: [Frame] = []
    /// Unknown fields that are to go.
    @usableFromInline var removals: [Removal] = []
    var splices: [Splice] = []
    var scratch: [UInt8] = []
    /// Bytes of the payload that they were found in.
    var payloadCount = 0

    public init() {}

    /// True where the payload must be rewritten even if every leaf is kept: unknown fields are to go.
    @inlinable public var mustRewrite: Bool { !removals.isEmpty }

    /// Bytes of room that is kept for the next payload, and those of them that hold something of the last.
    package var room: (all: Int, used: Int) {
        (
            leaves.capacity * MemoryLayout<Leaf>.stride + frames.capacity * MemoryLayout<Frame>.stride
                + removals.capacity * MemoryLayout<Removal>.stride + splices.capacity * MemoryLayout<Splice>.stride
                + scratch.capacity,
            leaves.count + frames.count + removals.count + splices.count + scratch.count
        )
    }

    /// Forgets the last payload, and gives back what an uncommonly long one took.
    package mutating func rest() {
        leaves.rest()
        frames.rest()
        removals.rest()
        splices.rest()
        scratch.rest()
    }

    mutating func clear() {
        leaves.removeAll(keepingCapacity: true)
        frames.removeAll(keepingCapacity: true)
        removals.removeAll(keepingCapacity: true)
    }

    /// Adds a length, written at `length`, of which `body` is what it counts.
    ///
    /// - Returns: its place in `frames`.
    @inline(__always)
    mutating func openFrame(length: Int, body: Range<Int>, in parent: Int32) -> Int32 {
        frames.append(
            Frame(
                lengthStart: UInt32(truncatingIfNeeded: length), bodyStart: UInt32(truncatingIfNeeded: body.lowerBound),
                bodyEnd: UInt32(truncatingIfNeeded: body.upperBound), parent: parent))
        return Int32(truncatingIfNeeded: frames.count &- 1)
    }
}

/// A length in the payload, and what it is the length of.
struct Frame: Sendable, BitwiseCopyable {
    /// Where the length is written.
    var lengthStart: UInt32
    var bodyStart: UInt32
    var bodyEnd: UInt32
    var parent: Int32
    /// By how much the body grows.
    var delta: Int = 0
}

@usableFromInline
struct Removal: Sendable, BitwiseCopyable {
    var start: UInt32
    var end: UInt32
    var frame: Int32
}

/// Bytes `start..<end` of the payload become `from..<to` of the scratch bytes.
struct Splice: Sendable, BitwiseCopyable {
    var start: Int
    var end: Int
    var from: Int
    var to: Int
}
