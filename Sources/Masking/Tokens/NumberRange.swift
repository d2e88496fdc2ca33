/// The ranges that readers of numbers distinguish. A token of digits stays in its value's range: what fitted an `int`, or a
/// double without loss, still does, and what begins with a zero still does.
enum NumberRange: Equatable {
    case leadingZero, int32, exactDouble, int64, uint64, beyond

    /// - Parameter digits: one at least.
    @inline(__always)
    init(first: UInt8, value: UInt128) {
        if first == 0 {
            self = .leadingZero
        } else if value <= 0x7fff_ffff {
            self = .int32
        } else if value <= 1 << 53 {
            self = .exactDouble
        } else if value <= 0x7fff_ffff_ffff_ffff {
            self = .int64
        } else {
            self = value <= 0xffff_ffff_ffff_ffff ? .uint64 : .beyond
        }
    }
}
