/// AES-SIV (RFC 5297): deterministic authenticated encryption. The same text under the same key and associated data gives
/// the same bytes, and nothing else is told of it.
///
/// S2V and the counter mode are composed here of single blocks, since OpenSSL's own mode sets both of its keys up again
/// for each message. The associated data is fixed: its code is computed once. Any thread may use it; nothing is allocated
/// but what `bytes` grows by.
public final class SyntheticIV: Sendable {
    /// Bytes of the synthetic initialisation vector before the encrypted text.
    public static let overhead = 16

    private let authenticating: BlockCipher
    private let encrypting: BlockCipher
    /// The subkeys of CMAC (RFC 4493) for a whole last block and for a padded one.
    private let wholeKey: UInt128
    private let paddedKey: UInt128
    /// S2V after the associated data, before the text.
    private let associated: UInt128

    /// - Parameters:
    ///   - key: of 32, 48 or 64 bytes, half of it for either use; otherwise nil.
    ///   - associatedData: one string, which may be empty.
    public init?(key: [UInt8], associatedData: [UInt8]) {
        guard key.count.isMultiple(of: 2), let authenticating = BlockCipher(key: Array(key.prefix(key.count / 2))),
            let encrypting = BlockCipher(key: Array(key.suffix(key.count / 2)))
        else { return nil }
        self.authenticating = authenticating
        self.encrypting = encrypting
        wholeKey = authenticating.encrypt(0).doubled
        paddedKey = wholeKey.doubled
        let (wholeKey, paddedKey) = (wholeKey, paddedKey)
        associated = authenticating.with { cipher in
            let zero = cipher.encrypt(wholeKey)
            let data = unsafe associatedData.withUnsafeBytes {
                unsafe SyntheticIV.code($0, mixing: 0, cipher, wholeKey, paddedKey)
            }
            return zero.doubled ^ data
        }
    }

    /// Replaces the text from `start` to the end by its vector and the encrypted text.
    public func seal(_ bytes: inout [UInt8], from start: Int) {
        let vector = vector(bytes, from: start)
        let end = bytes.count
        for _ in 0..<SyntheticIV.overhead { bytes.append(0) }
        unsafe bytes.withUnsafeMutableBytes { raw in
            let text = unsafe UnsafeMutableRawBufferPointer(rebasing: raw[start...])
            let length = end &- start
            if length > 0, let base = text.baseAddress { unsafe (base + 16).copyMemory(from: base, byteCount: length) }
            unsafe text.storeBytes(of: vector.bigEndian, as: UInt128.self)
            unsafe applyCounter(UnsafeMutableRawBufferPointer(rebasing: text[16...]), vector)
        }
    }

    /// Replaces vector and encrypted text from `start` to the end by the text.
    ///
    /// - Returns: false where they were not made under this key and associated data; the bytes from `start` are gone then.
    public func open(_ bytes: inout [UInt8], from start: Int) -> Bool {
        guard bytes.count &- start >= SyntheticIV.overhead else {
            bytes.removeSubrange(start...)
            return false
        }
        let vector = unsafe bytes.withUnsafeMutableBytes { raw in
            let vector = unsafe UnsafeRawBufferPointer(raw).block(at: start)
            unsafe applyCounter(UnsafeMutableRawBufferPointer(rebasing: raw[(start &+ 16)...]), vector)
            return vector
        }
        // Compared whole, in one step: how much of it is right does not show.
        guard self.vector(bytes, from: start &+ 16) ^ vector == 0 else {
            bytes.removeSubrange(start...)
            return false
        }
        bytes.removeSubrange(start..<(start &+ 16))
        return true
    }

    /// S2V of the associated data and the text (section 2.4).
    private func vector(_ bytes: [UInt8], from start: Int) -> UInt128 {
        unsafe bytes.withUnsafeBytes { raw in
            let text = unsafe UnsafeRawBufferPointer(rebasing: raw[start...])
            return authenticating.with { cipher in
                if text.count >= 16 {
                    return unsafe SyntheticIV.code(text, mixing: associated, cipher, wholeKey, paddedKey)
                }
                let padding = UInt128(0x80) &<< UInt128(truncatingIfNeeded: 120 &- 8 &* text.count)
                return unsafe cipher.encrypt(wholeKey ^ associated.doubled ^ text.block(at: 0) ^ padding)
            }
        }
    }

    /// CMAC (RFC 4493) of the bytes, the last sixteen of them mixed with `mask` (xorend of RFC 5297).
    private static func code(
        _ bytes: UnsafeRawBufferPointer, mixing mask: UInt128, _ cipher: AESContext, _ wholeKey: UInt128,
        _ paddedKey: UInt128
    ) -> UInt128 {
        var code: UInt128 = 0
        var at = 0
        let maskStart = bytes.count &- 16
        func block() -> UInt128 {
            let distance = maskStart &- at
            var block = unsafe bytes.block(at: at)
            if distance >= 0, distance < 16 { block ^= mask &>> UInt128(truncatingIfNeeded: 8 &* distance) }
            if distance < 0, distance > -16 { block ^= mask &<< UInt128(truncatingIfNeeded: -8 &* distance) }
            return block
        }
        while bytes.count &- at > 16 {
            code = cipher.encrypt(code ^ block())
            at &+= 16
        }
        let rest = bytes.count &- at
        if rest == 16 { return cipher.encrypt(code ^ block() ^ wholeKey) }
        let padding = UInt128(0x80) &<< UInt128(truncatingIfNeeded: 120 &- 8 &* rest)
        return cipher.encrypt(code ^ block() ^ padding ^ paddedKey)
    }

    /// Counter mode from the vector, whose two bits that would carry are cleared (section 2.5).
    private func applyCounter(_ text: UnsafeMutableRawBufferPointer, _ vector: UInt128) {
        var counter = vector & ~(1 << 63 | 1 << 31)
        encrypting.with { cipher in
            var at = 0
            while at < text.count {
                let stream = cipher.encrypt(counter)
                counter &+= 1
                if text.count &- at >= 16 {
                    let block = unsafe text.loadUnaligned(fromByteOffset: at, as: UInt128.self) ^ stream.bigEndian
                    unsafe text.storeBytes(of: block, toByteOffset: at, as: UInt128.self)
                } else {
                    for index in at..<text.count {
                        let shift = UInt128(truncatingIfNeeded: 120 &- 8 &* (index &- at))
                        unsafe text[index] ^= UInt8(truncatingIfNeeded: stream &>> shift)
                    }
                }
                at &+= 16
            }
        }
    }
}

extension UInt128 {
    /// Times x in the field of CMAC (RFC 4493, section 2.3).
    var doubled: UInt128 { self &<< 1 ^ (self &>> 127 &* 0x87) }
}
