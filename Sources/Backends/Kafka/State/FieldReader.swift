import TidegateCore
import TidegateWire

/// Reads the fields of a message in order, for the hot requests that are specialised by hand.
///
/// The message may be longer than the window: what is not there yet is `short`, what can never come is `bad`. Strings,
/// arrays and tags are compact in flexible versions (KIP-482).
struct FieldReader {
    enum Failure: Error {
        /// The window ends before the field does.
        case short
        /// The message contradicts itself.
        case bad(StaticString)

        /// Said of a message that is whole: `short` is a contradiction too.
        func violation(_ side: Side, at offset: Int) -> WireViolation {
            switch self {
            case .short: WireViolation("a message shorter than its fields", side: side, at: offset)
            case .bad(let reason): WireViolation(reason, side: side, at: offset)
            }
        }
    }

    /// Offset of the next field in the window.
    var at: Int
    /// Where the message ends, perhaps beyond the window.
    let end: Int
    let isFlexible: Bool

    @inline(__always)
    mutating func take(_ count: Int, _ window: RawSpan) throws(Failure) -> Int {
        guard count >= 0, count <= end &- at else { throw .bad("a field runs past the end of its message") }
        guard count <= window.byteCount &- at else { throw .short }
        defer { at &+= count }
        return at
    }

    @inline(__always)
    mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
        _ type: T.Type, _ window: RawSpan
    ) throws(Failure) -> T {
        let offset = try take(MemoryLayout<T>.size, window)
        guard let value = window.bigEndian(type, at: offset) else { throw .short }
        return value
    }

    mutating func varint(_ window: RawSpan) throws(Failure) -> Int {
        guard let (value, after, overlong) = Varint.unsigned32(window, at: at) else {
            if end <= window.byteCount { throw .bad("a varint runs past the end of its message") }
            throw .short
        }
        guard !overlong, after <= end else { throw .bad("a varint is longer than 32 bits") }
        at = after
        return Int(value)
    }

    /// Bytes of a string, in flexible versions too (what Kafka's generated readers hold strings against).
    static let longestString = 0x7fff

    /// Length of a string or of bytes: -1 is null.
    mutating func length(isString: Bool, _ window: RawSpan) throws(Failure) -> Int {
        let length: Int
        if isFlexible {
            length = try varint(window) - 1
        } else if isString {
            length = Int(try integer(Int16.self, window))
        } else {
            length = Int(try integer(Int32.self, window))
        }
        guard length >= -1 else { throw .bad("a negative length") }
        guard !isString || length <= FieldReader.longestString else {
            throw .bad("a string longer than strings can be")
        }
        guard length <= end &- at else { throw .bad("a length beyond the end of the message") }
        return length
    }

    /// A string's content; nil is null.
    mutating func string(_ window: RawSpan) throws(Failure) -> Range<Int>? {
        let length = try length(isString: true, window)
        guard length >= 0 else { return nil }
        let start = try take(length, window)
        return start..<(start &+ length)
    }

    /// A number of elements, none of which takes less than `atLeast` bytes; null counts as -1.
    mutating func count(atLeast: Int, _ window: RawSpan) throws(Failure) -> Int {
        let count = isFlexible ? try varint(window) - 1 : Int(try integer(Int32.self, window))
        guard count >= -1 else { throw .bad("a negative count") }
        guard count <= 0 || count <= (end &- at) / max(1, atLeast) else {
            throw .bad("a count of more elements than the message can hold")
        }
        return count
    }

    /// A 16-byte topic id (KIP-516).
    mutating func topicID(_ window: RawSpan) throws(Failure) -> TopicID {
        let high = try integer(UInt64.self, window)
        let low = try integer(UInt64.self, window)
        return TopicID(high: high, low: low)
    }

    /// Skips a section of tagged fields, where the version has them.
    mutating func skipTags(_ window: RawSpan) throws(Failure) {
        guard isFlexible else { return }
        var count = try varint(window)
        while count > 0 {
            _ = try varint(window)
            let size = try varint(window)
            _ = try take(size, window)
            count &-= 1
        }
    }
}

/// A topic's id (KIP-516); zero is none.
package struct TopicID: Hashable, BitwiseCopyable, Sendable {
    package var high, low: UInt64
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
    var isZero: Bool { high == 0 && low == 0 }
}
