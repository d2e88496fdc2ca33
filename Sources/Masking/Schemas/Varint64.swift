import TidegateWire

/// Protobuf's varints of 64 bits (Protocol Buffers, Encoding: Base 128 Varints).
enum Varint64 {
    /// - Returns: nil where the span ends within it, or where it has more than ten bytes or 64 bits.
    @inline(__always)
    static func read(_ span: RawSpan, at offset: Int) -> (value: UInt64, end: Int)? {
        guard let first = span.byte(at: offset) else { return nil }
        if first < 0x80 { return (UInt64(first), offset &+ 1) }
        var value = UInt64(first & 0x7f)
        var shift: UInt64 = 7
        var at = offset &+ 1
        while shift < 70 {
            guard let byte = span.byte(at: at) else { return nil }
            at &+= 1
            if shift == 63, byte > 1 { return nil }
            value |= UInt64(byte & 0x7f) &<< shift
            if byte < 0x80 { return (value, at) }
            shift &+= 7
        }
        return nil
    }

    static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest &>>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}
