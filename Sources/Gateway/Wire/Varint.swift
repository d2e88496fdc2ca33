/// Variable-length integers as Kafka writes them: base 128, least significant group first (Protocol Buffers' encoding).
public enum Varint {
    /// An unsigned varint of at most 32 bits, and the offset behind it.
    ///
    /// - Returns: `nil` where the span ends within the number; `.overlong` is `true` where it takes more than five bytes
    ///   or more than 32 bits, which no encoder writes.
    @inlinable @inline(__always)
    public static func unsigned32(_ span: RawSpan, at offset: Int) -> (value: UInt32, end: Int, overlong: Bool)? {
        guard let first = span.byte(at: offset) else { return nil }
        if first < 0x80 { return (UInt32(first), offset &+ 1, false) }
        var value = UInt64(first & 0x7f)
        var shift: UInt64 = 7
        var at = offset &+ 1
        while shift < 35 {
            guard let byte = span.byte(at: at) else { return nil }
            at &+= 1
            value |= UInt64(byte & 0x7f) &<< shift
            if byte < 0x80 { return (UInt32(truncatingIfNeeded: value), at, value > UInt64(UInt32.max)) }
            shift &+= 7
        }
        return (0, at, true)
    }

    /// A zig-zag varint of at most 64 bits (records of Kafka's batches), and the offset behind it; as `unsigned32` otherwise.
    @inlinable @inline(__always)
    public static func signed64(_ span: RawSpan, at offset: Int) -> (value: Int64, end: Int, overlong: Bool)? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        var at = offset
        while shift < 70 {
            guard let byte = span.byte(at: at) else { return nil }
            at &+= 1
            if shift == 63, byte > 1 { return (0, at, true) }
            value |= UInt64(byte & 0x7f) &<< shift
            if byte < 0x80 { return (Int64(bitPattern: value &>> 1) ^ -Int64(bitPattern: value & 1), at, false) }
            shift &+= 7
        }
        return (0, at, true)
    }

    /// How many bytes an unsigned varint takes, 1 to 5.
    @inlinable @inline(__always)
    public static func length(unsigned32 value: UInt32) -> Int {
        max(1, (38 &- value.leadingZeroBitCount) / 7)
    }

    /// How many bytes a zig-zag varint takes, 1 to 10.
    @inlinable @inline(__always)
    public static func length(signed64 value: Int64) -> Int {
        let zigzag = UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
        return max(1, (70 &- zigzag.leadingZeroBitCount) / 7)
    }
}

extension [UInt8] {
    /// Appends an unsigned varint of one to five bytes.
    @inlinable
    public mutating func append(varint value: UInt32) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest &>>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    /// Appends a zig-zag varint of one to ten bytes.
    @inlinable
    public mutating func append(zigzag value: Int64) {
        var rest = UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest &>>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }
}
