/// The ten rounds of FF1 on numerals of one length; the standard's names are u, v and b (NIST SP 800-38G, algorithms 7 and 8).
struct FF1Rounds {
    let radix: Int
    /// Symbols of the left half (u) and of the right one (v).
    let left: Int
    let right: Int
    /// Bytes that hold any right half (b).
    let byteCount: Int
    /// The largest power of the radix that a limb holds: long halves become numbers, and back, by so many symbols at once.
    let chunk: UInt32

    /// What is the same in all rounds: the code of P and of the tweak's whole blocks, and the rest of the tweak.
    struct Start {
        var code: UInt128
        /// At the upper end.
        var rest: UInt128
        /// Blocks from the rest of the tweak to the end of a round's bytes.
        var blocks: Int
    }

    func start(_ cipher: AESContext, _ tweak: RawSpan) -> Start {
        var block: UInt128 = 0x01_02_01 << 104
        block |= UInt128(truncatingIfNeeded: radix) << 80
        block |= 0x0a << 72
        block |= UInt128(truncatingIfNeeded: left & 0xff) << 64
        block |= UInt128(truncatingIfNeeded: left &+ right) << 32
        block |= UInt128(truncatingIfNeeded: tweak.byteCount)
        var code = cipher.encrypt(block)
        let whole = tweak.byteCount & ~15
        var rest: UInt128 = 0
        unsafe tweak.withUnsafeBytes { tweak in
            for at in stride(from: 0, to: whole, by: 16) { code = unsafe cipher.encrypt(code ^ tweak.block(at: at)) }
            rest = unsafe tweak.block(at: whole)
        }
        return Start(code: code, rest: rest, blocks: (tweak.byteCount &- whole &+ 1 &+ byteCount &+ 15) / 16)
    }

    // MARK: Halves of at most twelve bytes

    /// - Parameter number: holds twice radix^v, and a round's output: UInt64 for four bytes, UInt128 for twelve.
    @inline(__always)
    func run<Number: FixedWidthInteger & UnsignedInteger>(
        _ numeral: inout FF1.Numeral, _ cipher: AESContext, _ start: Start, _ isForward: Bool,
        as number: Number.Type
    ) {
        var code = start.code
        var rest = start.rest
        if start.blocks == 2 {
            code = cipher.encrypt(code ^ rest)
            rest = 0
        }
        let fixed = code ^ rest
        let numberShift = UInt128(truncatingIfNeeded: 8 &* byteCount)
        let outputShift = UInt128(truncatingIfNeeded: 128 &- 8 &* (4 &* ((byteCount &+ 3) / 4) &+ 4))
        let radix = Number(truncatingIfNeeded: radix)
        var a: Number = 0
        var b: Number = 0
        var leftSize: Number = 1
        var rightSize: Number = 1
        for index in 0..<left {
            a = a &* radix &+ Number(truncatingIfNeeded: numeral[index])
            leftSize &*= radix
        }
        for index in left..<(left &+ right) {
            b = b &* radix &+ Number(truncatingIfNeeded: numeral[index])
            rightSize &*= radix
        }
        for step in 0..<10 {
            let round = isForward ? step : 9 &- step
            let size = round & 1 == 0 ? leftSize : rightSize
            let known = UInt128(truncatingIfNeeded: isForward ? b : a)
            let output = cipher.encrypt(fixed ^ (UInt128(truncatingIfNeeded: round) &<< numberShift | known))
            let y = Number(truncatingIfNeeded: output &>> outputShift) % size
            if isForward {
                let sum = a &+ y
                a = b
                b = sum >= size ? sum &- size : sum
            } else {
                let difference = b >= y ? b &- y : b &+ size &- y
                b = a
                a = difference
            }
        }
        for index in stride(from: left &- 1, through: 0, by: -1) {
            numeral[index] = UInt8(truncatingIfNeeded: a % radix)
            a /= radix
        }
        for index in stride(from: left &+ right &- 1, through: left, by: -1) {
            numeral[index] = UInt8(truncatingIfNeeded: b % radix)
            b /= radix
        }
    }

    // MARK: Longer halves

    /// Halves stay symbols; only what a round encrypts, and what comes out of it, are numbers.
    func runLong(_ numeral: inout FF1.Numeral, _ cipher: AESContext, _ start: Start, _ isForward: Bool) {
        var a = FF1.Numeral()
        var b = FF1.Numeral()
        for index in 0..<left { _ = a.append(numeral[index]) }
        for index in left..<(left &+ right) { _ = b.append(numeral[index]) }
        for step in 0..<10 {
            if isForward {
                combine(&a, output(round: step, b, cipher, start), isSum: true)
            } else {
                combine(&b, output(round: 9 &- step, a, cipher, start), isSum: false)
            }
            swap(&a, &b)
        }
        for index in 0..<left { numeral[index] = a[index] }
        for index in 0..<right { numeral[left &+ index] = b[index] }
    }

    /// The number y of a round (steps 6.i to 6.iv).
    private func output(
        round: Int, _ known: borrowing FF1.Numeral, _ cipher: AESContext, _ start: Start
    ) -> FF1Limbs {
        var input = FF1Limbs()
        var factor: UInt32 = 1
        var value: UInt32 = 0
        let count = known.count
        for index in 0..<count {
            value = value &* UInt32(truncatingIfNeeded: radix) &+ UInt32(known[index])
            factor &*= UInt32(truncatingIfNeeded: radix)
            guard factor == chunk || index == count &- 1 else { continue }
            input.multiply(by: factor, adding: value)
            factor = 1
            value = 0
        }
        input.set(byte: UInt8(truncatingIfNeeded: round), at: byteCount)
        var code = start.code
        for block in stride(from: start.blocks &- 1, through: 0, by: -1) {
            let first = block == start.blocks &- 1 ? start.rest : 0
            code = cipher.encrypt(code ^ first ^ input.block(block))
        }
        let limbs = (byteCount &+ 3) / 4 &+ 1
        var result = FF1Limbs(count: limbs)
        var stream = code
        for index in 0..<limbs {
            if index > 0, index & 3 == 0 { stream = cipher.encrypt(code ^ UInt128(truncatingIfNeeded: index / 4)) }
            let word = UInt32(truncatingIfNeeded: stream &>> UInt128(truncatingIfNeeded: 96 &- 32 &* (index & 3)))
            result.set(word, at: limbs &- 1 &- index)
        }
        return result
    }

    /// Adds the number to the half, or takes it away, modulo radix to the half's length.
    private func combine(_ half: inout FF1.Numeral, _ number: consuming FF1Limbs, isSum: Bool) {
        var carry = 0
        var left: UInt32 = 1
        var digits: UInt32 = 0
        for index in stride(from: half.count &- 1, through: 0, by: -1) {
            if left == 1 {
                left = chunk
                digits = number.divide(by: chunk)
            }
            let digit = Int(digits % UInt32(truncatingIfNeeded: radix))
            digits /= UInt32(truncatingIfNeeded: radix)
            left /= UInt32(truncatingIfNeeded: radix)
            var value = isSum ? Int(half[index]) &+ digit &+ carry : Int(half[index]) &- digit &- carry
            carry = 0
            if value >= radix {
                value &-= radix
                carry = 1
            } else if value < 0 {
                value &+= radix
                carry = 1
            }
            half[index] = UInt8(truncatingIfNeeded: value)
        }
    }
}
