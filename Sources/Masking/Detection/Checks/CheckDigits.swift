import TidegateWire

/// Check digits that several identifiers share.
extension Checksum {
    /// Two digits or more whose Luhn sum ends in 0 (ISO/IEC 7812-1, annex B).
    static func passesLuhn(_ text: RawSpan) -> Bool {
        guard text.byteCount >= 2, let sum = luhnSum(text) else { return false }
        return sum % 10 == 0
    }

    /// From the right, each second digit doubled, and the digits of all that added up; nil where one is no digit.
    @inline(__always)
    static func luhnSum(_ text: RawSpan) -> Int? {
        var sum = 0
        var isDoubled = text.byteCount % 2 == 0
        for offset in 0..<text.byteCount {
            guard let digit = text.decimal(at: offset) else { return nil }
            let part = isDoubled ? digit &* 2 : digit
            sum &+= part > 9 ? part &- 9 : part
            isDoubled.toggle()
        }
        return sum
    }

    /// True where all digits, the check digit last, come to 1 by ISO/IEC 7064, MOD 11,10.
    @inline(__always)
    static func passesMod11And10(_ text: RawSpan) -> Bool {
        var product = 10
        for offset in 0..<(text.byteCount &- 1) {
            guard let digit = text.decimal(at: offset) else { return false }
            let sum = (digit &+ product) % 10
            product = (sum == 0 ? 10 : sum) &* 2 % 11
        }
        guard let check = text.decimal(at: text.byteCount &- 1) else { return false }
        return (product &+ check) % 10 == 1
    }

    /// True where all digits, the check digit last, come to 0 by the dihedral group of ten elements.
    ///
    /// J. Verhoeff, Error Detecting Decimal Codes, Mathematical Centre Tracts 29 (1969).
    @inline(__always)
    static func passesVerhoeff(_ text: RawSpan) -> Bool {
        var state = 0
        var position = 0
        var offset = text.byteCount &- 1
        while offset >= 0 {
            guard let digit = text.decimal(at: offset) else { return false }
            let permuted = Int(Verhoeff.permutations[position &* 10 &+ digit])
            state = Verhoeff.product(state, permuted)
            position = (position &+ 1) & 7
            offset &-= 1
        }
        return state == 0
    }

    private enum Verhoeff {
        /// Eight powers of the permutation (1 5 8 9 4 2 7 0)(3 6), ten entries each.
        static let permutations: [UInt8] = [
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
            1, 5, 7, 6, 2, 8, 3, 0, 9, 4,
            5, 8, 0, 3, 7, 9, 6, 1, 4, 2,
            8, 9, 1, 6, 0, 4, 3, 5, 2, 7,
            9, 4, 5, 3, 1, 2, 6, 8, 7, 0,
            4, 2, 8, 6, 5, 7, 3, 9, 0, 1,
            2, 7, 9, 3, 8, 0, 6, 4, 1, 5,
            7, 0, 4, 6, 9, 1, 3, 2, 5, 8,
        ]

        /// 0 to 4 are rotations of a pentagon, 5 to 9 reflections.
        @inline(__always)
        static func product(_ left: Int, _ right: Int) -> Int {
            switch (left < 5, right < 5) {
            case (true, true): (left &+ right) % 5
            case (true, false): 5 &+ (left &+ right) % 5
            case (false, true): 5 &+ (left &- right) % 5
            case (false, false): (left &- right &+ 5) % 5
            }
        }
    }
}
