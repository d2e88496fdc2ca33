/// A document's bytes and the places where its strings may end (`tidegate_json_stops`), which it takes one after the other:
/// where the next one is does not depend on what was read at the last one, so that the processor reads ahead.
///
/// A local copy of what the scanner reads with, all of it in registers: no call gets its address.
@safe
struct JSONReader {
    private let base: UnsafePointer<UInt8>
    let count: Int
    /// A word for each 64 bytes, and one with all bits behind them.
    private let stops: UnsafePointer<UInt64>
    private var block = 0
    /// Of that block, the stops that were not taken.
    private var left: UInt64 = 0

    /// - Parameter start: an offset in the document.
    @inline(__always)
    init?(_ document: UnsafeRawBufferPointer, _ stops: UnsafeBufferPointer<UInt64>, at start: Int) {
        guard let base = document.baseAddress, let first = stops.baseAddress else { return nil }
        unsafe self.base = base.assumingMemoryBound(to: UInt8.self)
        count = document.count
        unsafe self.stops = first
        seek(start)
    }

    /// - Parameter at: 0 to `count - 1`.
    @inline(__always)
    func byte(_ at: Int) -> UInt8 { unsafe base[at] }

    /// The next stop is the first one at or behind the offset, which is `count` at most.
    @inline(__always)
    mutating func seek(_ offset: Int) {
        block = offset &>> 6
        left = unsafe stops[block] & ~0 &<< UInt64(offset & 63)
    }

    /// Offset of the next stop; `count` or more where there is none.
    @inline(__always)
    private mutating func next() -> Int {
        while left == 0 {
            block &+= 1
            left = unsafe stops[block]
        }
        return block &<< 6 | left.trailingZeroBitCount
    }

    /// Behind the string that begins at `start`, where the quote is its next stop; -1 where it has escapes, more than ASCII,
    /// or is none.
    @inline(__always)
    mutating func string(_ start: Int) -> Int {
        if next() != start { seek(start) }  // white space was in between
        left &= left &- 1
        let close = next()
        guard close < count, byte(close) == UInt8(ascii: "\"") else { return -1 }
        left &= left &- 1
        return close &+ 1
    }

    /// The next byte that is no white space; -1 at the end.
    @inline(__always)
    func space(_ start: Int) -> Int {
        var at = start
        while at < count {
            let found = byte(at)
            if found > 0x20 { return at }
            guard found == 0x20 || found == 0x0a || found == 0x0d || found == 0x09 else { return at }
            at &+= 1
        }
        return -1
    }

    /// Behind a whole number of a few digits, which most are; -1 for any other.
    @inline(__always)
    func number(_ start: Int) -> Int { unsafe JSONReader.number(base, count, start) }

    @inline(__always) @unsafe
    static func number(_ base: UnsafePointer<UInt8>, _ count: Int, _ start: Int) -> Int {
        guard start &+ 8 <= count else { return -1 }
        // They end in the same eight bytes. A carry only reaches bytes behind the first that is no digit.
        let loaded = unsafe UnsafeRawPointer(base).loadUnaligned(fromByteOffset: start, as: UInt64.self)
        let word = UInt64(littleEndian: loaded) ^ 0x3030_3030_3030_3030
        let others = ((word &+ 0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080
        guard others != 0, others & 0x80 == 0, word & 0xff != 0 || others & 0x8000 != 0 else { return -1 }
        let end = start &+ others.trailingZeroBitCount &>> 3
        let next = unsafe base[end]
        return next == UInt8(ascii: ".") || next | 0x20 == UInt8(ascii: "e") ? -1 : end
    }

    /// The name between two offsets.
    @inline(__always)
    func name(_ start: Int, _ end: Int) -> NarrowPaths.Name {
        let length = end &- start
        var first: UInt64 = 0
        var second: UInt64 = 0
        if start &+ 15 <= count {
            first = unsafe UnsafeRawPointer(base).loadUnaligned(fromByteOffset: start, as: UInt64.self)
            second = unsafe UnsafeRawPointer(base).loadUnaligned(fromByteOffset: start &+ 7, as: UInt64.self)
            (first, second) = (UInt64(littleEndian: first), UInt64(littleEndian: second))
        } else {
            for index in 0..<min(15, length) {
                let byte = UInt64(byte(start &+ index))
                if index < 7 {
                    first |= byte &<< UInt64(index &* 8)
                } else {
                    second |= byte &<< UInt64((index &- 7) &* 8)
                }
            }
        }
        return NarrowPaths.Name(first, second, count: length)
    }
}
