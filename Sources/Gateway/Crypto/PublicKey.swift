import COpenSSL

/// The algorithms of JSON web signatures that are accepted (RFC 7518, RFC 8037). `none` and HMAC cannot be written.
public enum SignatureAlgorithm: String, Sendable, CaseIterable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    case edDSA = "EdDSA"
}

/// A public key of a JSON web key, checked when it is made.
@safe
public final class PublicKey: Sendable {
    public enum Kind: Sendable, Equatable { case rsa, p256, p384, p521, ed25519 }

    // An EVP_PKEY is not changed once it is made; its references are counted atomically.
    nonisolated(unsafe) private let handle: OpaquePointer
    public let kind: Kind
    /// Bytes of an RSA signature.
    private let modulusLength: Int

    deinit { unsafe EVP_PKEY_free(handle) }

    private init(_ handle: OpaquePointer, _ kind: Kind, modulusLength: Int = 0) {
        unsafe self.handle = handle
        self.kind = kind
        self.modulusLength = modulusLength
    }

    /// True where the modulus has the fingerprint of CVE-2017-15361 (ROCA): its remainder by every small prime is a power
    /// of 65537, which holds for about one sound key in 2^28.
    private static func hasWeakPrimes(_ modulus: [UInt8]) -> Bool {
        let primes: [Int] = [
            11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
        ]
        return primes.allSatisfy { prime in
            let remainder = modulus.reduce(0) { ($0 << 8 | Int($1)) % prime }
            var power = 1
            repeat {
                if power == remainder { return true }
                power = power * 65537 % prime
            } while power != 1
            return false
        }
    }

    /// RSA of 2048 to 16384 bits with an odd exponent of at least 3, not of the kind that can be factored (ROCA).
    public static func rsa(modulus: [UInt8], exponent: [UInt8]) -> PublicKey? {
        let n = Array(modulus.drop { $0 == 0 })
        let e = Array(exponent.drop { $0 == 0 })
        guard n.count >= 256, n.count <= 2048, n[0] & 0x80 != 0 || n.count > 256, !e.isEmpty, e.count <= 8,
            let last = e.last, last & 1 == 1, e.count > 1 || last >= 3, !hasWeakPrimes(n)
        else { return nil }
        guard let key = unsafe shim_public_key_rsa(n, Int32(n.count), e, Int32(e.count)) else { return failed() }
        return unsafe PublicKey(key, .rsa, modulusLength: n.count)
    }

    /// A point of P-256, P-384 or P-521 (`crv` of RFC 7518); OpenSSL checks that it lies on the curve.
    public static func ec(curve: String, x: [UInt8], y: [UInt8]) -> PublicKey? {
        let (group, width, kind): (String, Int, Kind)
        switch curve {
        case "P-256": (group, width, kind) = ("prime256v1", 32, .p256)
        case "P-384": (group, width, kind) = ("secp384r1", 48, .p384)
        case "P-521": (group, width, kind) = ("secp521r1", 66, .p521)
        default: return nil
        }
        guard x.count == width, y.count == width else { return nil }
        var point = [4] + x + y
        guard let key = unsafe shim_public_key_ec(group, &point, point.count) else { return failed() }
        return unsafe PublicKey(key, kind)
    }

    /// An Ed25519 key of 32 bytes (RFC 8037).
    public static func ed25519(_ x: [UInt8]) -> PublicKey? {
        guard x.count == 32 else { return nil }
        guard let key = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, x, 32) else { return failed() }
        return unsafe PublicKey(key, .ed25519)
    }

    private static func failed() -> PublicKey? {
        ERR_clear_error()
        return nil
    }

    /// True where `algorithm` may be used with this key: one algorithm, one kind of key.
    public func fits(_ algorithm: SignatureAlgorithm) -> Bool {
        switch (algorithm, kind) {
        case (.rs256, .rsa), (.rs384, .rsa), (.rs512, .rsa), (.ps256, .rsa), (.ps384, .rsa), (.ps512, .rsa),
            (.es256, .p256), (.es384, .p384), (.es512, .p521), (.edDSA, .ed25519):
            true
        default: false
        }
    }

    /// True where `signature` is this key's over `input`. 20 to 110 µs: not on an event loop.
    public func verify(_ algorithm: SignatureAlgorithm, input: [UInt8], signature: [UInt8]) -> Bool {
        guard fits(algorithm) else { return false }
        var encoded = signature
        switch kind {
        case .rsa: guard signature.count == modulusLength else { return false }
        case .ed25519: guard signature.count == 64 else { return false }
        case .p256, .p384, .p521:
            guard let der = PublicKey.der(signature, width: kind == .p256 ? 32 : kind == .p384 ? 48 : 66) else {
                return false
            }
            encoded = der
        }
        defer { ERR_clear_error() }
        guard let context = unsafe EVP_MD_CTX_new() else { return false }
        defer { unsafe EVP_MD_CTX_free(context) }
        var keyContext: OpaquePointer?
        guard unsafe EVP_DigestVerifyInit(context, &keyContext, algorithm.digest, nil, handle) == 1 else {
            return false
        }
        if algorithm.isPSS {
            guard unsafe EVP_PKEY_CTX_set_rsa_padding(keyContext, RSA_PKCS1_PSS_PADDING) == 1,
                unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(keyContext, RSA_PSS_SALTLEN_DIGEST) == 1
            else { return false }
        }
        return unsafe EVP_DigestVerify(context, encoded, encoded.count, input, input.count) == 1
    }

    /// An ECDSA signature r||s (RFC 7518, section 3.4) as DER.
    private static func der(_ signature: [UInt8], width: Int) -> [UInt8]? {
        guard signature.count == 2 * width else { return nil }
        func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
            var number = Array(bytes.drop { $0 == 0 })
            if number.isEmpty || number[0] & 0x80 != 0 { number.insert(0, at: 0) }
            return [2, UInt8(number.count)] + number
        }
        let body = integer(signature[..<width]) + integer(signature[width...])
        return body.count < 128 ? [0x30, UInt8(body.count)] + body : [0x30, 0x81, UInt8(body.count)] + body
    }
}

extension SignatureAlgorithm {
    var digest: OpaquePointer? {
        switch self {
        case .rs256, .ps256, .es256: unsafe EVP_sha256()
        case .rs384, .ps384, .es384: unsafe EVP_sha384()
        case .rs512, .ps512, .es512: unsafe EVP_sha512()
        case .edDSA: nil
        }
    }

    var isPSS: Bool {
        switch self {
        case .ps256, .ps384, .ps512: true
        case .rs256, .rs384, .rs512, .es256, .es384, .es512, .edDSA: false
        }
    }
}

/// A key that signs tokens: for the development issuer and for tests. A gateway itself never signs one.
@safe
public final class SigningKey: Sendable {
    // As PublicKey.
    nonisolated(unsafe) private let handle: OpaquePointer
    public let algorithm: SignatureAlgorithm

    deinit { unsafe EVP_PKEY_free(handle) }

    /// A fresh ES256 key.
    public init?() {
        guard let key = unsafe shim_generate_ec("P-256") else { return nil }
        unsafe handle = key
        algorithm = .es256
    }

    /// A key from its PEM file (PKCS #8).
    public init?(pem: [UInt8], algorithm: SignatureAlgorithm) {
        // The BIO reads the very bytes: they stay in place until it is gone.
        let read = unsafe pem.withUnsafeBytes { raw -> OpaquePointer? in
            guard let bio = unsafe BIO_new_mem_buf(raw.baseAddress, Int32(clamping: raw.count)) else { return nil }
            defer { unsafe BIO_free(bio) }
            return unsafe shim_read_private_key(bio)
        }
        ERR_clear_error()
        guard let key = unsafe read else { return nil }
        unsafe handle = key
        self.algorithm = algorithm
    }

    /// The key as PEM (PKCS #8), to be kept in a file of its owner's.
    public var pem: [UInt8] {
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { return [] }
        defer { unsafe BIO_free(bio) }
        guard unsafe PEM_write_bio_PKCS8PrivateKey(bio, handle, nil, nil, 0, nil, nil) == 1 else { return [] }
        var bytes: UnsafePointer<UInt8>?
        let count = unsafe shim_BIO_get_mem_data(bio, &bytes)
        return unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
    }

    /// The coordinates of an EC key, 32 bytes each for P-256.
    public var coordinates: (x: [UInt8], y: [UInt8])? {
        var point = [UInt8](repeating: 0, count: 256)
        var length = 0
        guard
            unsafe EVP_PKEY_get_octet_string_param(handle, OSSL_PKEY_PARAM_PUB_KEY, &point, point.count, &length) == 1,
            length % 2 == 1, point[0] == 4
        else { return nil }
        let width = (length - 1) / 2
        return (Array(point[1...width]), Array(point[(width + 1)..<length]))
    }

    /// A signature in the form of RFC 7518.
    public func sign(_ input: [UInt8]) -> [UInt8]? {
        guard let context = unsafe EVP_MD_CTX_new() else { return nil }
        defer { unsafe EVP_MD_CTX_free(context) }
        var keyContext: OpaquePointer?
        guard unsafe EVP_DigestSignInit(context, &keyContext, algorithm.digest, nil, handle) == 1 else { return nil }
        if algorithm.isPSS {
            guard unsafe EVP_PKEY_CTX_set_rsa_padding(keyContext, RSA_PKCS1_PSS_PADDING) == 1,
                unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(keyContext, RSA_PSS_SALTLEN_DIGEST) == 1
            else { return nil }
        }
        var signature = [UInt8](repeating: 0, count: 1024)
        var length = signature.count
        guard unsafe EVP_DigestSign(context, &signature, &length, input, input.count) == 1 else { return nil }
        let bytes = Array(signature[..<length])
        switch algorithm {
        case .es256: return SigningKey.raw(bytes, width: 32)
        case .es384: return SigningKey.raw(bytes, width: 48)
        case .es512: return SigningKey.raw(bytes, width: 66)
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512, .edDSA: return bytes
        }
    }

    /// DER of an ECDSA signature as r||s.
    private static func raw(_ der: [UInt8], width: Int) -> [UInt8]? {
        var at = der.count > 2 && der[1] == 0x81 ? 3 : 2
        var result: [UInt8] = []
        for _ in 0..<2 {
            guard at + 2 <= der.count, der[at] == 2 else { return nil }
            let length = Int(der[at + 1])
            guard at + 2 + length <= der.count else { return nil }
            let number = der[(at + 2)..<(at + 2 + length)].drop { $0 == 0 }
            guard number.count <= width else { return nil }
            result += [UInt8](repeating: 0, count: width - number.count) + number
            at += 2 + length
        }
        return result
    }
}
