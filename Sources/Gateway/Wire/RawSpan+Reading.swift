/// Reading from a span without trapping: what is not there is an error or `nil`, never a trap.
///
/// Nothing outside this file loads from a span. A reader elsewhere is an offset, the span its argument, because a struct
/// cannot store a span (`../INTERFACE.md`, language traps).
extension RawSpan {
    /// The byte at `offset`, or `nil` outside of the span.
    @inlinable @inline(__always)
    public func byte(at offset: Int) -> UInt8? {
        guard offset >= 0, offset < byteCount else { return nil }
        return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    /// A big-endian (network order) integer at `offset`, or `nil` where it does not lie wholly in the span.
    @inlinable @inline(__always)
    public func bigEndian<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T? {
        guard offset >= 0, byteCount &- offset >= MemoryLayout<T>.size else { return nil }
        return T(bigEndian: unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: T.self))
    }

    /// A little-endian integer at `offset`, or `nil` where it does not lie wholly in the span.
    @inlinable @inline(__always)
    public func littleEndian<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T? {
        guard offset >= 0, byteCount &- offset >= MemoryLayout<T>.size else { return nil }
        return T(littleEndian: unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: T.self))
    }

    /// True where `range` lies wholly in the span.
    @inlinable @inline(__always)
    public func holds(_ range: Range<Int>) -> Bool { range.lowerBound >= 0 && range.upperBound <= byteCount }

    /// The bytes of `range` as an array; empty where it does not lie wholly in the span.
    @inlinable
    public func bytes(_ range: Range<Int>) -> [UInt8] {
        guard holds(range), !range.isEmpty else { return [] }
        return unsafe extracting(unchecked: range).withUnsafeBytes { unsafe [UInt8]($0) }
    }

    /// All bytes as an array.
    @inlinable
    public var allBytes: [UInt8] { bytes(0..<byteCount) }

    /// The bytes of `range` as text, or `nil` where they are not UTF-8 or do not lie in the span.
    @inlinable
    public func text(_ range: Range<Int>) -> String? {
        guard holds(range) else { return nil }
        return String(validating: bytes(range), as: UTF8.self)
    }

    /// True where `range` holds exactly the bytes of `other`.
    @inlinable
    public func equals(_ other: RawSpan, in range: Range<Int>) -> Bool {
        guard holds(range), range.count == other.byteCount else { return false }
        var at = 0
        let count = other.byteCount
        let start = range.lowerBound
        while count &- at >= 8 {
            let ours = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: start &+ at, as: UInt64.self)
            let theirs = unsafe other.unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt64.self)
            if ours != theirs { return false }
            at &+= 8
        }
        while at < count {
            let ours = unsafe unsafeLoad(fromUncheckedByteOffset: start &+ at, as: UInt8.self)
            let theirs = unsafe other.unsafeLoad(fromUncheckedByteOffset: at, as: UInt8.self)
            if ours != theirs { return false }
            at &+= 1
        }
        return true
    }
}

extension [UInt8] {
    /// Appends the bytes of a span.
    @inlinable
    public mutating func append(bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }

    /// Appends an integer in network order.
    @inlinable
    public mutating func append<T: FixedWidthInteger>(bigEndian value: T) {
        unsafe Swift.withUnsafeBytes(of: value.bigEndian) { unsafe append(contentsOf: $0) }
    }

    /// Overwrites an integer in network order; does nothing where it would not fit.
    @inlinable
    public mutating func replace<T: FixedWidthInteger>(bigEndian value: T, at offset: Int) {
        guard offset >= 0, count &- offset >= MemoryLayout<T>.size else { return }
        unsafe Swift.withUnsafeBytes(of: value.bigEndian) { raw in
            for index in 0..<MemoryLayout<T>.size { unsafe self[offset &+ index] = raw[index] }
        }
    }
}
