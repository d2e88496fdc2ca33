import COpenSSL

/// A hash of OpenSSL's.
public enum HashAlgorithm: Sendable, Equatable {
    case sha256, sha512

    var digest: OpaquePointer? { unsafe self == .sha256 ? EVP_sha256() : EVP_sha512() }
    public var byteCount: Int { self == .sha256 ? 32 : 64 }

    /// The hash of some bytes.
    public func hash(_ bytes: [UInt8]) -> [UInt8] { unsafe hash(bytes.span.bytes) }

    public func hash(_ bytes: RawSpan) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: byteCount)
        var length: UInt32 = 0
        let isMade = unsafe bytes.withUnsafeBytes { raw in
            unsafe EVP_Digest(raw.baseAddress, raw.count, &result, &length, digest, nil) == 1
        }
        // invariant: these hashes are in OpenSSL's default provider; without them nothing here can be trusted
        guard isMade, length == UInt32(byteCount) else { preconditionFailure("OpenSSL does not hash") }
        return result
    }

    /// HMAC (RFC 2104).
    public func authenticate(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: byteCount)
        var length: UInt32 = 0
        let isMade =
            unsafe HMAC(digest, key, Int32(clamping: key.count), message, message.count, &result, &length) != nil
        // invariant: as for the hash itself; a key of zeros must not pass for a code
        guard isMade, length == UInt32(byteCount) else { preconditionFailure("OpenSSL does not authenticate") }
        return result
    }

    /// PBKDF2 with HMAC (RFC 8018), of this hash's length: SaltedPassword of SCRAM. Takes milliseconds: off the loop.
    ///
    /// - Precondition: `iterations` is positive. A peer's number is checked before (RFC 7677 asks for 4096).
    public func derive(_ password: [UInt8], salt: [UInt8], iterations: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: byteCount)
        precondition(iterations > 0, "OpenSSL would leave the key all zeros")
        let characters = password.map { CChar(bitPattern: $0) }
        let isMade = unsafe PKCS5_PBKDF2_HMAC(
            characters, Int32(clamping: password.count), salt, Int32(clamping: salt.count), Int32(clamping: iterations),
            digest, Int32(byteCount), &result)
        // invariant: as for the hash itself; a key of zeros must not pass for a derived one
        guard isMade == 1 else { preconditionFailure("OpenSSL does not derive") }
        return result
    }
}

public enum Random {
    /// Bytes that nobody can guess.
    public static func bytes(_ count: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        var generator = SystemRandomNumberGenerator()
        for index in result.indices { result[index] = UInt8.random(in: .min ... .max, using: &generator) }
        return result
    }
}

/// True where both are equal; takes as long for the first byte as for the last.
public func equalInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return unsafe CRYPTO_memcmp(left, right, left.count) == 0
}
