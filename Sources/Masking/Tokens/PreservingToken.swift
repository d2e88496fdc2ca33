import TidegateCrypto
import TidegateWire

/// Tokens of their value's layout, under one version of a key.
///
/// FF1 permutes all texts of one length. Where a token must lie in a set (digits of one `NumberRange`, say, whether they
/// stand as a number or as text: both have one token) the value lies in it too, and FF1 is applied again until it is back in the set: a permutation of the set, which the inverse
/// undoes the same way ("cycle walking"; Black and Rogaway, 2002).
///
/// Luhn-invalid tokens stand for Luhn-valid values, so values and tokens are different sets: the value's last encrypted
/// digit is raised by one first, which no two values share and which makes it invalid; then the invalid texts are
/// permuted. A Luhn-invalid value has no token: there are too few invalid texts for both.
final class PreservingToken: Sendable {
    private let cipher: FF1
    private let settings: PreservingSettings
    private let minimumLength: Int
    private let symbols: [UInt8]
    private let values: [UInt8]
    /// What every tweak begins with: the domain, and what else decides over a token.
    private let tweak: [UInt8]

    private static let separator: UInt8 = 254
    private static let other: UInt8 = 255

    init?(_ key: MaskingKey, domain: String, version: Int, _ settings: PreservingSettings) {
        let derived = key.derive(.preserving, domain: domain, version: version, count: 32)
        guard let cipher = FF1(key: derived, radix: settings.alphabet.radix) else { return nil }
        self.cipher = cipher
        self.settings = settings
        minimumLength = settings.alphabet.minimumLength
        symbols = settings.alphabet.symbols
        var values = [UInt8](repeating: PreservingToken.other, count: 256)
        for byte in " -.".utf8 { values[Int(byte)] = PreservingToken.separator }
        for (value, symbol) in symbols.enumerated() { values[Int(symbol)] = UInt8(value) }
        self.values = values
        let luhn: UInt8 = settings.luhn == .any ? 0 : settings.luhn == .valid ? 1 : 2
        tweak =
            HashAlgorithm.sha256.hash(Array(domain.utf8)).prefix(8)
            + [UInt8(clamping: settings.keepFirst), UInt8(clamping: settings.keepLast), luhn]
    }

    /// Replaces the value from `start` to the end by its token, of as many bytes.
    ///
    /// - Returns: false, and nothing is changed, where the value has none.
    func make(_ bytes: inout [UInt8], from start: Int, isNumber: Bool) -> Bool {
        var text = Text()
        var tweak = Tweak()
        guard parse(bytes, from: start, isNumber, &text, &tweak) else { return false }
        if settings.luhn != .any, text.weight != 0 { return false }
        if settings.luhn == .invalid {
            text.raiseLast(by: 1)
        }
        let range = walked(text)
        repeat {
            guard apply(&text, &tweak, isForward: true) else { return false }
        } while !isMember(text, range)
        write(text.numeral, behind: text.before, to: &bytes, from: start)
        return true
    }

    /// Replaces the token from `start` to the end by its value.
    ///
    /// - Returns: false, and nothing is changed, where no value has this token.
    func open(_ bytes: inout [UInt8], from start: Int) -> Bool {
        var text = Text()
        var tweak = Tweak()
        guard parse(bytes, from: start, false, &text, &tweak) else { return false }
        switch settings.luhn {
        case .any: break
        case .valid: if text.weight != 0 { return false }
        case .invalid: if text.weight == 0 { return false }
        }
        let range = walked(text)
        repeat {
            guard apply(&text, &tweak, isForward: false) else { return false }
        } while !isMember(text, range)
        if settings.luhn == .invalid {
            text.raiseLast(by: 9)
            if text.weight != 0 { return false }
        }
        write(text.numeral, behind: text.before, to: &bytes, from: start)
        return true
    }

    // MARK: A text taken apart

    /// What FF1's permutation depends on: the fixed beginning, and the symbols that stay.
    private struct Tweak: ~Copyable {
        var bytes = InlineArray<80, UInt8>(repeating: 0)
        var count = 0

        @inline(__always)
        mutating func append(_ byte: UInt8) {
            guard count < bytes.count else { return }
            bytes[count] = byte
            count &+= 1
        }
    }

    /// What is encrypted, and what stays.
    private struct Text: ~Copyable {
        var numeral = FF1.Numeral()
        /// Symbols that stay before and behind the encrypted ones.
        var before = 0
        var behind = 0
        /// Luhn's sum of the digits that stay, modulo 10.
        var keptWeight = 0
        /// The value of the digits that stay before and behind, where there are at most 38 in all.
        var keptValue: UInt128 = 0
        var first: UInt8 = 0

        @inline(__always)
        mutating func keep(_ digit: UInt8, isDoubled: Bool) {
            keptWeight &+= Luhn.weight(digit, isDoubled: isDoubled)
            keptValue = keptValue &* 10 &+ UInt128(digit)
        }

        /// Makes room in the value for the encrypted digits, once all before them are in.
        @inline(__always)
        mutating func shiftKept(by count: Int) {
            if keptValue != 0, before &+ count &+ behind <= 20 { for _ in 0..<count { keptValue &*= 10 } }
        }

        /// True for the encrypted digit of that index, counted from the left.
        @inline(__always)
        func isDoubled(_ index: Int) -> Bool { (behind &+ numeral.count &- 1 &- index) & 1 == 1 }

        /// Luhn's sum modulo 10: zero for what passes.
        var weight: Int {
            var sum = keptWeight
            for index in 0..<numeral.count { sum &+= Luhn.weight(numeral[index], isDoubled: isDoubled(index)) }
            return sum % 10
        }

        mutating func raiseLast(by amount: UInt8) {
            let last = numeral.count &- 1
            numeral[last] = (numeral[last] &+ amount) % 10
        }

        /// Sets the last encrypted digit so that the whole passes Luhn's check.
        mutating func mendLast() {
            let last = numeral.count &- 1
            numeral[last] = 0
            let missing = (10 &- weight) % 10
            numeral[last] = Luhn.digit(weighing: missing, isDoubled: isDoubled(last))
        }

        /// Of the whole, as a number.
        var range: NumberRange {
            let first = before > 0 ? first : numeral[0]
            let count = before &+ numeral.count &+ behind
            if count > 20 { return NumberRange(first: first, value: .max) }
            var value: UInt128 = 0
            for index in 0..<numeral.count { value = value &* 10 &+ UInt128(numeral[index]) }
            for _ in 0..<behind { value &*= 10 }
            return NumberRange(first: first, value: value &+ keptValue)
        }
    }

    /// - Returns: false where something is neither symbol nor separator, or where too little would be encrypted.
    private func parse(
        _ bytes: [UInt8], from start: Int, _ isNumber: Bool, _ text: inout Text, _ tweak: inout Tweak
    ) -> Bool {
        var count = 0
        for index in start..<bytes.count {
            let value = values[Int(bytes[index])]
            if value < PreservingToken.separator {
                count &+= 1
            } else if value == PreservingToken.other || isNumber {
                return false
            }
        }
        let behind = count &- settings.keepLast
        let encrypted = behind &- settings.keepFirst
        guard encrypted >= minimumLength, encrypted <= FF1.maximumLength else { return false }
        text.before = settings.keepFirst
        text.behind = settings.keepLast
        for byte in self.tweak { tweak.append(byte) }
        var at = 0
        for index in start..<bytes.count {
            let value = values[Int(bytes[index])]
            guard value < PreservingToken.separator else { continue }
            if at >= text.before, at < behind {
                _ = text.numeral.append(value)
                if at == behind &- 1 { text.shiftKept(by: encrypted) }
            } else {
                tweak.append(value)
                if settings.alphabet == .digits { text.keep(value, isDoubled: (count &- 1 &- at) & 1 == 1) }
                if at == 0 { text.first = value }
            }
            at &+= 1
        }
        if isNumber, settings.alphabet != .digits || text.range == .leadingZero { return false }
        return true
    }

    private func write(_ numeral: borrowing FF1.Numeral, behind before: Int, to bytes: inout [UInt8], from start: Int) {
        var at = 0
        for index in start..<bytes.count where values[Int(bytes[index])] < PreservingToken.separator {
            let place = at &- before
            if place >= 0, place < numeral.count { bytes[index] = symbols[Int(numeral[place])] }
            at &+= 1
        }
    }

    @inline(__always)
    private func isMember(_ text: borrowing Text, _ range: NumberRange?) -> Bool {
        switch settings.luhn {
        case .any: break
        case .valid: if text.weight != 0 { return false }
        case .invalid: if text.weight == 0 { return false }
        }
        guard let range else { return true }
        return text.range == range
    }

    /// What the token of digits has in common with its value.
    @inline(__always)
    private func walked(_ text: borrowing Text) -> NumberRange? { settings.alphabet == .digits ? text.range : nil }

    /// Applies FF1 once. Where tokens are Luhn-valid and enough is encrypted, the last digit follows from the others: that
    /// permutes the valid texts at once, where walking through the others would take ten steps.
    @inline(__always)
    private func apply(_ text: inout Text, _ tweak: inout Tweak, isForward: Bool) -> Bool {
        let mendsLast = settings.luhn == .valid && text.numeral.count > minimumLength
        if mendsLast { text.numeral.removeLast() }
        let tweak = unsafe tweak.bytes.span.bytes.extracting(0..<tweak.count)
        let isDone =
            isForward ? cipher.encrypt(&text.numeral, tweak: tweak) : cipher.decrypt(&text.numeral, tweak: tweak)
        if mendsLast {
            _ = text.numeral.append(0)
            text.mendLast()
        }
        return isDone
    }
}
