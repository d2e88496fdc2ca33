import COpenSSL

/// AES-256-GCM (NIST SP 800-38D) with a fresh random nonce of 24 bytes, in the way of XAES-256-GCM (C2SP): the nonce's
/// first half derives a key of its own by a KDF of SP 800-108, the second is GCM's nonce. With GCM's own 12 random bytes,
/// one key must not seal more than 2^32 values, which a busy stream has in an hour; this is safe for 2^80.
///
/// Any thread may use it; nothing is allocated but what `bytes` grows by.
public final class SealedEnvelope: Sendable {
    /// Bytes of the nonce before the encrypted text, and of the tag behind it.
    public static let overhead = nonceCount + 16
    static let nonceCount = 24

    private let derivation: BlockCipher
    /// The subkey of CMAC that the derivation needs.
    private let subkey: UInt128
    private let cipher = GaloisCounter()
    private let associatedData: [UInt8]

    /// - Parameter key: of 32 bytes; otherwise nil.
    public init?(key: [UInt8], associatedData: [UInt8]) {
        guard key.count == 32, let derivation = BlockCipher(key: key) else { return nil }
        self.derivation = derivation
        subkey = derivation.encrypt(0).doubled
        self.associatedData = associatedData
    }

    /// The longest text that is sealed, in bytes.
    public static let maximumTextCount = 1 << 30

    /// Replaces the text from `start` to the end by nonce, encrypted text and tag.
    ///
    /// - Returns: false, and nothing is changed, where the text is too long.
    /// - Parameter nonce: for tests against published vectors; without it a random one.
    @discardableResult
    public func seal(_ bytes: inout [UInt8], from start: Int, nonce: InlineArray<24, UInt8>? = nil) -> Bool {
        guard bytes.count &- start <= SealedEnvelope.maximumTextCount else { return false }
        var nonce = nonce ?? SealedEnvelope.randomNonce()
        let end = bytes.count
        for _ in 0..<SealedEnvelope.overhead { bytes.append(0) }
        unsafe bytes.withUnsafeMutableBytes { raw in
            let envelope = unsafe UnsafeMutableRawBufferPointer(rebasing: raw[start...])
            let length = end &- start
            guard let base = envelope.baseAddress else { return }
            unsafe (base + SealedEnvelope.nonceCount).copyMemory(from: base, byteCount: length)
            unsafe withUnsafeMutableBytes(of: &nonce) { unsafe envelope.copyMemory(from: UnsafeRawBufferPointer($0)) }
            var key = unsafe self.key(UnsafeRawBufferPointer(envelope))
            unsafe withUnsafeBytes(of: &key) { key in
                unsafe cipher.seal(envelope, textCount: length, key: key, associatedData)
            }
        }
        return true
    }

    /// Replaces nonce, encrypted text and tag from `start` to the end by the text.
    ///
    /// - Returns: false where they were not made under this key and associated data; the bytes from `start` are gone then.
    public func open(_ bytes: inout [UInt8], from start: Int) -> Bool {
        let length = bytes.count &- start &- SealedEnvelope.overhead
        let isOpen =
            unsafe length >= 0
            && bytes.withUnsafeMutableBytes { raw in
                let envelope = unsafe UnsafeMutableRawBufferPointer(rebasing: raw[start...])
                var key = unsafe self.key(UnsafeRawBufferPointer(envelope))
                return unsafe withUnsafeBytes(of: &key) { key in
                    unsafe cipher.open(envelope, textCount: length, key: key, associatedData)
                }
            }
        guard isOpen else {
            bytes.removeSubrange(start...)
            return false
        }
        bytes.removeLast(16)
        bytes.removeSubrange(start..<(start &+ SealedEnvelope.nonceCount))
        return true
    }

    /// The key that the envelope's nonce derives: two blocks in counter mode with the label `X`.
    private func key(_ envelope: UnsafeRawBufferPointer) -> InlineArray<2, UInt128> {
        let context = unsafe envelope.block(at: 0) &>> 32
        return derivation.with { cipher in
            func block(_ number: UInt128) -> UInt128 {
                (cipher.encrypt(subkey ^ (number &<< 112 | 0x58 &<< 104 | context))).bigEndian
            }
            return [block(1), block(2)]
        }
    }

    private static func randomNonce() -> InlineArray<24, UInt8> {
        var nonce = InlineArray<24, UInt8>(repeating: 0)
        let isMade = unsafe withUnsafeMutableBytes(of: &nonce) { raw in
            unsafe RAND_bytes(raw.baseAddress?.assumingMemoryBound(to: UInt8.self), 24) == 1
        }
        // invariant: a nonce that is used twice opens what it sealed
        guard isMade else { fatalError("OpenSSL has no random numbers") }
        return nonce
    }
}
