/// HKDF (RFC 5869): many keys from one secret, none of which tells about the others.
public enum KeyDerivation {
    /// - Parameters:
    ///   - secret: what the keys come from (IKM); as hard to guess as the keys are to be.
    ///   - salt: empty stands for as many zeros as the hash has bytes (section 2.2).
    ///   - info: what the key is for; another one gives an unrelated key.
    ///   - count: bytes of the key.
    /// - Precondition: `count` is at most 255 times the hash's length (section 2.3).
    public static func hkdf(
        _ hash: HashAlgorithm = .sha256, secret: [UInt8], salt: [UInt8] = [], info: [UInt8], count: Int
    ) -> [UInt8] {
        precondition(count >= 0 && count <= 255 * hash.byteCount, "HKDF has no more than 255 blocks")
        let salt = salt.isEmpty ? [UInt8](repeating: 0, count: hash.byteCount) : salt
        let pseudoRandom = hash.authenticate(secret, key: salt)
        var result: [UInt8] = []
        var block: [UInt8] = []
        var number: UInt8 = 0
        while result.count < count {
            number &+= 1
            block = hash.authenticate(block + info + [number], key: pseudoRandom)
            result += block
        }
        return Array(result.prefix(count))
    }
}
