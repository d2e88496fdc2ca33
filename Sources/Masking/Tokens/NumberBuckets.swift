import TidegateWire

/// Numbers made coarser: each becomes the lower bound of its bucket, exactly, whatever its size.
///
/// Buckets begin at the multiples of their size, so with 10: 37 becomes 30, -1 becomes -10, 30 stays.
public struct NumberBuckets: Sendable, Equatable {
    /// The longest number that is read, in bytes; and the most digits that one is written with.
    public static let maximumLength = 512

    /// The size is `mantissa` / 10^`scale`.
    private let mantissa: UInt64
    private let scale: Int

    /// - Parameter size: a positive decimal number such as `10`, `0.5` or `250`, of 18 digits at most.
    public init(size: String) throws(TokenSettingsError) {
        let parts = size.split(separator: ".", omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? String(parts[1]) : ""
        let digits = (parts.first.map { String($0) } ?? "") + fraction
        let isDecimal =
            parts.count <= 2 && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } }
        let significant = digits.drop { $0 == "0" }
        guard isDecimal, significant.utf8.count <= 18, fraction.utf8.count <= 18, var mantissa = UInt64(significant)
        else {
            throw TokenSettingsError(
                "'\(size)' is no size of number buckets",
                suggestion: "a positive number of 18 digits at most, such as 10 or 0.5")
        }
        var scale = fraction.utf8.count
        while scale > 0, mantissa % 10 == 0 {
            mantissa /= 10
            scale -= 1
        }
        self.mantissa = mantissa
        self.scale = scale
    }

    /// Appends the lower bound of a number's bucket, with as many decimals as the size has.
    ///
    /// - Parameter number: as in JSON: digits, with or without sign, fraction and exponent.
    /// - Returns: false, and nothing is appended, where it is none, or one of more than 512 digits.
    public func append(lowerBoundOf number: RawSpan, to output: inout [UInt8]) -> Bool {
        guard let decimal = Decimal(number) else { return false }
        // Digits before the place that the size ends at. What follows counts only as more than nothing.
        let kept = decimal.integerDigits &+ decimal.exponent &+ scale
        guard kept <= NumberBuckets.maximumLength else { return false }
        let start = output.count
        output.append(48)
        var remainder: UInt64 = 0
        var isExact = true
        var seen = 0
        func take(_ digit: UInt8) {
            output.append(digit)
            remainder = (remainder &* 10 &+ UInt64(digit &- 48)) % mantissa
        }
        for index in decimal.digits {
            guard let digit = number.byte(at: index), digit != UInt8(ascii: ".") else { continue }
            if seen < kept { take(digit) } else if digit != 48 { isExact = false }
            seen &+= 1
        }
        while seen < kept {
            take(48)
            seen &+= 1
        }
        if decimal.isNegative, remainder > 0 || !isExact {
            add(mantissa &- remainder, to: &output, from: start)
        } else {
            subtract(remainder, from: &output, start)
        }
        lay(out: &output, from: start, isNegative: decimal.isNegative)
        return true
    }

    /// The digits from `start` to the end begin with a zero, so there is room for a carry.
    private func add(_ summand: UInt64, to output: inout [UInt8], from start: Int) {
        var rest = summand
        var at = output.count &- 1
        while rest > 0, at >= start {
            let sum = UInt64(output[at] &- 48) &+ rest % 10
            output[at] = 48 &+ UInt8(truncatingIfNeeded: sum % 10)
            rest = rest / 10 &+ sum / 10
            at &-= 1
        }
        // A size may have more digits than the number.
        while rest > 0 {
            output.insert(48 &+ UInt8(truncatingIfNeeded: rest % 10), at: start)
            rest /= 10
        }
    }

    /// What is taken away is never more than the number.
    private func subtract(_ amount: UInt64, from output: inout [UInt8], _ start: Int) {
        var rest = amount
        var at = output.count &- 1
        while rest > 0, at >= start {
            let digit = UInt64(output[at] &- 48)
            let taken = rest % 10
            rest /= 10
            if digit < taken { rest &+= 1 }
            output[at] = 48 &+ UInt8(truncatingIfNeeded: digit < taken ? digit &+ 10 &- taken : digit &- taken)
            at &-= 1
        }
    }

    /// Leading zeros go, the decimal point and the sign come.
    private func lay(out output: inout [UInt8], from start: Int, isNegative: Bool) {
        while output.count &- start < scale &+ 1 { output.insert(48, at: start) }
        var zeros = 0
        while output.count &- start &- zeros > scale &+ 1, output[start &+ zeros] == 48 { zeros &+= 1 }
        output.removeSubrange(start..<(start &+ zeros))
        let isZero = output[start...].allSatisfy { $0 == 48 }
        if scale > 0 { output.insert(UInt8(ascii: "."), at: output.count &- scale) }
        if isNegative, !isZero { output.insert(UInt8(ascii: "-"), at: start) }
    }
}

/// The parts of a decimal number in its text.
private struct Decimal {
    var isNegative = false
    /// Where digits and the point between them stand.
    var digits = 0..<0
    /// Digits before the point.
    var integerDigits = 0
    var exponent = 0

    init?(_ text: RawSpan) {
        guard text.byteCount <= NumberBuckets.maximumLength else { return nil }
        func run(from start: Int) -> Int {
            var at = start
            while let byte = text.byte(at: at), byte >= 48, byte <= 57 { at &+= 1 }
            return at
        }
        isNegative = text.byte(at: 0) == UInt8(ascii: "-")
        let first = isNegative ? 1 : 0
        var at = run(from: first)
        integerDigits = at &- first
        guard integerDigits > 0 else { return nil }
        if text.byte(at: at) == UInt8(ascii: ".") {
            let fraction = at &+ 1
            at = run(from: fraction)
            guard at > fraction else { return nil }
        }
        digits = first..<at
        if let letter = text.byte(at: at), letter | 0x20 == UInt8(ascii: "e") {
            at &+= 1
            let sign = text.byte(at: at)
            if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { at &+= 1 }
            let end = run(from: at)
            guard end > at else { return nil }
            for index in at..<end where exponent < 100_000 {
                exponent = exponent &* 10 &+ Int((text.byte(at: index) ?? 48) &- 48)
            }
            if sign == UInt8(ascii: "-") { exponent = -exponent }
            at = end
        }
        guard at == text.byteCount else { return nil }
    }
}
