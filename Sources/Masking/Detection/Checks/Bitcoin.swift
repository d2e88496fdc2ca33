import TidegateCrypto
import TidegateWire

extension Checksum {
    /// An address in Base58Check: pay to a key's hash (version 0) or to a script's hash (version 5, BIP 13).
    ///
    /// 25 bytes, of which the last four are the beginning of the SHA-256 of the SHA-256 of the others.
    static func isBase58Address(_ text: RawSpan) -> Bool {
        guard text.byteCount >= 26, text.byteCount <= 35 else { return false }
        // 25 bytes as seven words, the most significant first; the first one has one byte.
        var words = InlineArray<7, UInt32>(repeating: 0)
        var leading = 0
        for offset in 0..<text.byteCount {
            guard let byte = text.byte(at: offset), byte < 128 else { return false }
            var carry = UInt64(base58Values[Int(byte)])
            guard carry < 58 else { return false }
            if carry == 0, leading == offset { leading &+= 1 }
            var index = 6
            while index >= 0 {
                carry &+= UInt64(words[index]) &* 58
                words[index] = UInt32(truncatingIfNeeded: carry)
                carry >>= 32
                index &-= 1
            }
            guard carry == 0 else { return false }
        }
        guard words[0] == 0 || words[0] == 5 else { return false }
        var address = InlineArray<25, UInt8>(repeating: 0)
        address[0] = UInt8(truncatingIfNeeded: words[0])
        var zeros = address[0] == 0 ? 1 : 0
        for index in 1..<25 {
            let shift = UInt32(24 &- (index &- 1) % 4 &* 8)
            address[index] = UInt8(truncatingIfNeeded: words[1 &+ (index &- 1) / 4] >> shift)
            if address[index] == 0, zeros == index { zeros &+= 1 }
        }
        guard zeros == leading else { return false }  // each leading zero byte is written as one 1
        let payload = unsafe address.span.bytes.extracting(first: 21)
        let once = HashAlgorithm.sha256(of: payload)
        let twice = unsafe HashAlgorithm.sha256(of: once.span.bytes)
        for index in 0..<4 where twice[index] != address[21 &+ index] { return false }
        return true
    }

    /// A segregated witness address of the main net: Bech32 (BIP 173) for version 0, Bech32m (BIP 350) for 1 to 16.
    static func isBech32Address(_ text: RawSpan) -> Bool {
        let count = text.byteCount
        guard count >= 14, count <= 74, let first = text.byte(at: 0), first | 32 == UInt8(ascii: "b"),
            let second = text.byte(at: 1), second | 32 == UInt8(ascii: "c"), text.byte(at: 2) == UInt8(ascii: "1")
        else { return false }
        let isLower = first & 32 != 0
        guard (second & 32 != 0) == isLower else { return false }
        var sum: UInt32 = 0x231_8043  // after "bc" as BIP 173 expands it: 3 3 0 2 3
        var version: UInt32 = 0
        var last: UInt32 = 0
        for offset in 3..<count {
            guard let byte = text.byte(at: offset), byte < 128 else { return false }
            if byte >= 65 { guard (byte & 32 != 0) == isLower else { return false } }
            let value = bech32Values[Int(byte | (byte >= 65 ? 32 : 0))]
            guard value < 32 else { return false }
            sum = bech32Step(sum, UInt32(value))
            if offset == 3 { version = UInt32(value) }
            if offset == count &- 7 { last = UInt32(value) }
        }
        guard version <= 16, sum == (version == 0 ? 1 : 0x2bc8_30a3) else { return false }
        let groups = count &- 10  // five bits each: without bc1, version and six of checksum
        let bytes = groups &* 5 / 8
        let padding = groups &* 5 % 8
        guard padding < 5, last & ((1 << UInt32(padding)) &- 1) == 0, bytes >= 2, bytes <= 40 else { return false }
        return version != 0 || bytes == 20 || bytes == 32
    }

    @inline(__always)
    private static func bech32Step(_ sum: UInt32, _ value: UInt32) -> UInt32 {
        let top = sum >> 25
        var next = (sum & 0x1ff_ffff) << 5 ^ value
        if top & 1 != 0 { next ^= 0x3b6a_57b2 }
        if top & 2 != 0 { next ^= 0x2650_8e6d }
        if top & 4 != 0 { next ^= 0x1ea1_19fa }
        if top & 8 != 0 { next ^= 0x3d42_33dd }
        if top & 16 != 0 { next ^= 0x2a14_62b3 }
        return next
    }

    private static let base58Values = ranks("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
    private static let bech32Values = ranks("qpzry9x8gf2tvdw0s3jn54khce6mua7l")

    /// By ASCII code: the place in an alphabet, or 255.
    private static func ranks(_ alphabet: String) -> [UInt8] {
        var result = [UInt8](repeating: 255, count: 128)
        for (rank, byte) in alphabet.utf8.enumerated() { result[Int(byte)] = UInt8(rank) }
        return result
    }
}
