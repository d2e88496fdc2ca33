/// Luhn's check (ISO/IEC 7812-1, annex B): every second digit from the right, the second one first, counts double.
enum Luhn {
    /// What a digit adds to the sum, modulo 10. Either way no two digits add the same.
    @inline(__always)
    static func weight(_ digit: UInt8, isDoubled: Bool) -> Int {
        let value = Int(digit)
        if !isDoubled { return value }
        return value < 5 ? 2 &* value : 2 &* value &- 9
    }

    /// The digit that adds so much, of 0 to 9.
    @inline(__always)
    static func digit(weighing weight: Int, isDoubled: Bool) -> UInt8 {
        if !isDoubled { return UInt8(truncatingIfNeeded: weight) }
        return UInt8(truncatingIfNeeded: weight & 1 == 0 ? weight / 2 : (weight &+ 9) / 2)
    }
}
