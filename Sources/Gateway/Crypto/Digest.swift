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
        unsafe bytes.withUnsafeBytes { raw in
            _ = unsafe EVP_Digest(raw.baseAddress, raw.count, &result, &length, digest, nil)
        }
        return result
    }

    /// HMAC (RFC 2104).
    public func authenticate(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: byteCount)
        var length: UInt32 = 0
        _ = unsafe HMAC(digest, key, Int32(clamping: key.count), message, message.count, &result, &length)
        return result
    }

    /// PBKDF2 with HMAC (RFC 8018), of this hash's length: SaltedPassword of SCRAM. Takes milliseconds: off the loop.
    ///
    /// - Precondition: `iterations` is positive. A peer's number is checked before (RFC 7677 asks for 4096).
    public func derive(_ password: [UInt8], salt: [UInt8], iterations: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: byteCount)
        precondition(iterations > 0, "OpenSSL would leave the key all zeros")
        let characters = password.map { CChar(bitPattern: $0) }
        _ = unsafe PKCS5_PBKDF2_HMAC(
            characters, Int32(clamping: password.count), salt, Int32(clamping: salt.count), Int32(clamping: iterations),
            digest, Int32(byteCount), &result)
        return result
    }
}

/// A running SHA-256, for what comes in pieces.
@safe
public final class RunningDigest {
    private let context: OpaquePointer?
    public init() {
        unsafe context = EVP_MD_CTX_new()
        reset()
    }
    deinit { unsafe EVP_MD_CTX_free(context) }

    public func reset() { unsafe _ = EVP_DigestInit_ex(context, EVP_sha256(), nil) }
    public func update(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { raw in _ = unsafe EVP_DigestUpdate(context, raw.baseAddress, raw.count) }
    }
    /// The digest, 32 bytes; the running one begins anew.
    public func finish() -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        unsafe _ = EVP_DigestFinal_ex(context, &result, &length)
        reset()
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
