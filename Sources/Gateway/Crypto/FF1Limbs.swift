/// A number of at most 1024 bits in limbs of 32, the lowest first: as much as FF1's longest half needs (272 symbols of radix
/// 62 make halves of 810 bits, and a round's output is at most five bytes longer).
struct FF1Limbs {
    private var limbs = InlineArray<32, UInt32>(repeating: 0)
    /// Limbs in use; those above are zero.
    private var count: Int

    init(count: Int = 0) { self.count = count }

    /// The fewest bytes that hold the number.
    var byteCount: Int {
        for index in stride(from: count &- 1, through: 0, by: -1) where limbs[index] != 0 {
            return 4 &* index &+ (39 &- limbs[index].leadingZeroBitCount) / 8
        }
        return 0
    }

    mutating func multiply(by factor: UInt32, adding summand: UInt32) {
        var carry = UInt64(summand)
        for index in 0..<count {
            let product = UInt64(limbs[index]) &* UInt64(factor) &+ carry
            limbs[index] = UInt32(truncatingIfNeeded: product)
            carry = product &>> 32
        }
        if carry != 0 {
            limbs[count] = UInt32(truncatingIfNeeded: carry)
            count &+= 1
        }
    }

    /// Divides, and returns the remainder.
    mutating func divide(by divisor: UInt32) -> UInt32 {
        var remainder: UInt64 = 0
        for index in stride(from: count &- 1, through: 0, by: -1) {
            let part = remainder &<< 32 | UInt64(limbs[index])
            limbs[index] = UInt32(truncatingIfNeeded: part / UInt64(divisor))
            remainder = part % UInt64(divisor)
        }
        while count > 0, limbs[count &- 1] == 0 { count &-= 1 }
        return UInt32(truncatingIfNeeded: remainder)
    }

    mutating func set(_ limb: UInt32, at index: Int) { limbs[index] = limb }

    /// Sets a byte that is zero, counted from the lowest.
    mutating func set(byte: UInt8, at index: Int) {
        limbs[index / 4] |= UInt32(byte) &<< UInt32(truncatingIfNeeded: 8 &* (index & 3))
        count = max(count, index / 4 &+ 1)
    }

    /// 128 bits, counted from the lowest.
    func block(_ index: Int) -> UInt128 {
        var result: UInt128 = 0
        for limb in stride(from: 4 &* index &+ 3, through: 4 &* index, by: -1) {
            result = result &<< 32 | UInt128(limbs[limb])
        }
        return result
    }
}
