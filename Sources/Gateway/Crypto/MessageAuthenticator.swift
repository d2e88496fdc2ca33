import COpenSSL

/// HMAC-SHA256 (RFC 2104) under one key, for many short messages: nothing is allocated and nothing fetched a message, which
/// OpenSSL's own HMAC does. Any thread may use it.
public final class MessageAuthenticator: Sendable {
    public typealias Code = InlineArray<32, UInt8>
    private let contexts: ContextPool
    /// The key as the two hashes begin with it; 64 bytes each.
    private let inner: Secret
    private let outer: Secret

    public init(key: [UInt8]) {
        let key = key.count > 64 ? HashAlgorithm.sha256.hash(key) : key
        let padded = key + [UInt8](repeating: 0, count: 64 - key.count)
        inner = Secret(padded.map { $0 ^ 0x36 })
        outer = Secret(padded.map { $0 ^ 0x5c })
        contexts = unsafe ContextPool {
            guard let context = unsafe EVP_MD_CTX_new(), unsafe EVP_DigestInit_ex2(context, EVP_sha256(), nil) == 1
            else {
                // invariant: SHA-256 is in OpenSSL's default provider; without it nothing here can be trusted
                fatalError("OpenSSL has no SHA-256")
            }
            return unsafe context
        } free: {
            unsafe EVP_MD_CTX_free($0)
        }
    }

    public func authenticate(_ message: RawSpan) -> Code {
        var code = Code(repeating: 0)
        let isMade = unsafe message.withUnsafeBytes { message in
            unsafe withUnsafeMutableBytes(of: &code) { code in
                guard let out = unsafe code.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
                return unsafe contexts.with { context in
                    unsafe EVP_DigestInit_ex2(context, nil, nil) == 1
                        && EVP_DigestUpdate(context, inner.bytes, 64) == 1
                        && EVP_DigestUpdate(context, message.baseAddress, message.count) == 1
                        && EVP_DigestFinal_ex(context, out, nil) == 1
                        && EVP_DigestInit_ex2(context, nil, nil) == 1
                        && EVP_DigestUpdate(context, outer.bytes, 64) == 1
                        && EVP_DigestUpdate(context, out, 32) == 1
                        && EVP_DigestFinal_ex(context, out, nil) == 1
                }
            }
        }
        // invariant: as for the hash itself; zeros must not pass for a code
        guard isMade else { fatalError("OpenSSL does not authenticate") }
        return code
    }
}
