import COpenSSL

/// AES (FIPS 197) on single blocks, for the modes that are built of them (FF1, SIV, XAES-256-GCM); never a way to encrypt
/// data by itself. Any thread may use it; nothing is allocated a block.
public final class BlockCipher: Sendable {
    private let contexts: ContextPool

    /// - Parameter key: of 16, 24 or 32 bytes; otherwise nil.
    public init?(key: [UInt8]) {
        guard key.count == 16 || key.count == 24 || key.count == 32 else { return nil }
        let secret = Secret(key)
        contexts = unsafe ContextPool {
            let key = secret.bytes
            let cipher =
                unsafe key.count == 16
                ? EVP_aes_128_ecb() : key.count == 24 ? EVP_aes_192_ecb() : EVP_aes_256_ecb()
            guard let context = unsafe EVP_CIPHER_CTX_new(),
                unsafe EVP_EncryptInit_ex2(context, cipher, key, nil, nil) == 1,
                unsafe EVP_CIPHER_CTX_set_padding(context, 0) == 1
            else {
                // invariant: AES is in OpenSSL's default provider; without it nothing here can be trusted
                fatalError("OpenSSL has no AES")
            }
            return unsafe context
        } free: {
            unsafe EVP_CIPHER_CTX_free($0)
        }
    }

    /// Runs `body` with a cipher that is this thread's meanwhile: cheaper than `encrypt` for several blocks.
    @inline(__always)
    func with<Result>(_ body: (AESContext) -> Result) -> Result {
        unsafe contexts.with { unsafe body(AESContext($0)) }
    }

    /// One block, its bytes as a number in network order.
    public func encrypt(_ block: UInt128) -> UInt128 { with { $0.encrypt(block) } }
}

/// A thread's turn at a block cipher; not to be kept.
@safe
struct AESContext {
    private let handle: OpaquePointer
    init(_ handle: OpaquePointer) { unsafe self.handle = handle }

    /// One block, its bytes as a number in network order.
    @inline(__always)
    func encrypt(_ block: UInt128) -> UInt128 {
        var bytes = block.bigEndian
        let count = unsafe withUnsafeMutableBytes(of: &bytes) { raw in
            let start = unsafe raw.baseAddress?.assumingMemoryBound(to: UInt8.self)
            return unsafe EVP_Cipher(handle, start, start, 16)
        }
        // invariant: a keyed context encrypts a whole block; clear text must not pass for encrypted
        guard count == 16 else { fatalError("OpenSSL does not encrypt") }
        return UInt128(bigEndian: bytes)
    }
}

extension UnsafeRawBufferPointer {
    /// The block at `offset` as a number in network order; what lies behind the end is zero.
    @inline(__always)
    func block(at offset: Int) -> UInt128 {
        guard offset >= 0, offset < count else { return 0 }
        if count &- offset >= 16 {
            return UInt128(bigEndian: unsafe loadUnaligned(fromByteOffset: offset, as: UInt128.self))
        }
        var result: UInt128 = 0
        for index in offset..<count { result = unsafe result &<< 8 | UInt128(self[index]) }
        return result &<< UInt128(truncatingIfNeeded: 8 &* (16 &- (count &- offset)))
    }
}
