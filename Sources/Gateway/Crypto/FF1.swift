/// FF1 (NIST SP 800-38G, section 5.1): a permutation of the numerals of one length in one radix, under AES.
///
/// Whether a domain is large enough is its caller's to judge; the standard's first revision asks for a million numerals.
/// Any thread may use it; nothing is allocated.
public final class FF1: Sendable {
    /// The most symbols that are encrypted together.
    public static let maximumLength = 272
    public static let radixes = 2...62

    public let radix: Int
    private let cipher: BlockCipher
    /// By symbols of a right half: the bytes that hold it (b of the standard).
    private let byteCounts: [UInt8]
    private let chunk: UInt32

    /// - Parameter key: of 16, 24 or 32 bytes.
    /// - Returns: nil where the key or the radix is not one that FF1 has here.
    public init?(key: [UInt8], radix: Int) {
        guard FF1.radixes.contains(radix), let cipher = BlockCipher(key: key) else { return nil }
        self.radix = radix
        self.cipher = cipher
        var chunk = UInt64(radix)
        while chunk * UInt64(radix) <= UInt64(UInt32.max) { chunk *= UInt64(radix) }
        self.chunk = UInt32(truncatingIfNeeded: chunk)
        var largest = FF1Limbs()
        let base = UInt32(truncatingIfNeeded: radix)
        byteCounts = (0...FF1.maximumLength / 2).map { symbols in
            if symbols > 0 { largest.multiply(by: base, adding: base &- 1) }
            return UInt8(truncatingIfNeeded: largest.byteCount)
        }
    }

    /// A numeral: its symbols' values, the most significant first.
    @frozen
    public struct Numeral: ~Copyable, Sendable {
        @usableFromInline var symbols = InlineArray<272, UInt8>(repeating: 0)
        @usableFromInline var length = 0

        @inlinable
        public init() {}

        @inlinable
        public var count: Int { length }

        /// - Returns: false where it is full; nothing is appended then.
        @inlinable @inline(__always)
        public mutating func append(_ symbol: UInt8) -> Bool {
            guard length < symbols.count else { return false }
            symbols[length] = symbol
            length &+= 1
            return true
        }

        /// - Precondition: it is not empty.
        @inlinable
        public mutating func removeLast() {
            precondition(length > 0)
            length &-= 1
        }

        /// - Precondition: `index` is below `count`.
        @inlinable
        public subscript(index: Int) -> UInt8 {
            @inline(__always) get {
                precondition(index < length)
                return symbols.span[index]
            }
            @inline(__always) set {
                precondition(index < length)
                symbols[index] = newValue
            }
        }
    }

    /// Encrypts in place.
    ///
    /// - Returns: false, and nothing is changed, where the numeral has fewer than two symbols or one that is not below the
    ///   radix, or where there are fewer than a hundred such numerals.
    public func encrypt(_ numeral: inout Numeral, tweak: RawSpan) -> Bool { run(&numeral, tweak, isForward: true) }

    /// Decrypts in place; the same refusals.
    public func decrypt(_ numeral: inout Numeral, tweak: RawSpan) -> Bool { run(&numeral, tweak, isForward: false) }

    private func run(_ numeral: inout Numeral, _ tweak: RawSpan, isForward: Bool) -> Bool {
        guard numeral.count >= 2, tweak.byteCount <= Int(UInt16.max) else { return false }
        var size = 1
        for index in 0..<numeral.count {
            guard Int(numeral[index]) < radix else { return false }
            if size < 100 { size &*= radix }
        }
        guard size >= 100 else { return false }
        let left = numeral.count / 2
        let right = numeral.count &- left
        let rounds = FF1Rounds(radix: radix, left: left, right: right, byteCount: Int(byteCounts[right]), chunk: chunk)
        cipher.with { cipher in
            let start = rounds.start(cipher, tweak)
            if rounds.byteCount <= 4 {
                rounds.run(&numeral, cipher, start, isForward, as: UInt64.self)
            } else if rounds.byteCount <= 12 {
                rounds.run(&numeral, cipher, start, isForward, as: UInt128.self)
            } else {
                rounds.runLong(&numeral, cipher, start, isForward)
            }
        }
        return true
    }
}
