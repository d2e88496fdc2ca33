import COpenSSL

/// HMAC-SHA256 (RFC 2104) under one key, for many short messages: what the key alone decides is computed once, and nothing
/// is allocated a message. Any thread may use it.
@safe
public final class MessageAuthenticator: Sendable {
    public typealias Code = InlineArray<32, UInt8>

    // Written before anybody else sees it, and read only until it is wiped.
    nonisolated(unsafe) private let state: UnsafeMutablePointer<shim_hmac_state>

    public init(key: [UInt8]) {
        let key = key.count > 64 ? HashAlgorithm.sha256.hash(key) : key
        var padded = key + [UInt8](repeating: 0, count: 64 - key.count)
        var inner = padded.map { $0 ^ 0x36 }
        var outer = padded.map { $0 ^ 0x5c }
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: shim_hmac_state())
        unsafe shim_hmac_begin(state, inner, outer)
        unsafe OPENSSL_cleanse(&padded, 64)
        unsafe OPENSSL_cleanse(&inner, 64)
        unsafe OPENSSL_cleanse(&outer, 64)
    }

    deinit {
        unsafe OPENSSL_cleanse(state, MemoryLayout<shim_hmac_state>.size)
        unsafe state.deallocate()
    }

    public func authenticate(_ message: RawSpan) -> Code {
        var code = Code(repeating: 0)
        let isMade = unsafe message.withUnsafeBytes { message in
            unsafe withUnsafeMutableBytes(of: &code) { code in
                unsafe shim_hmac(
                    state, message.baseAddress, message.count, code.baseAddress?.assumingMemoryBound(to: UInt8.self))
            }
        }
        // invariant: hashing bytes that are there does not fail; zeros must not pass for a code
        guard isMade == 1 else { fatalError("OpenSSL does not authenticate") }
        return code
    }
}
