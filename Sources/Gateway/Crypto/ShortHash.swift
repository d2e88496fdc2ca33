import COpenSSL

extension HashAlgorithm {
    /// SHA-256 (FIPS 180-4) into 32 bytes of the caller's stack, for short texts by the thousand.
    public static func sha256(of bytes: RawSpan) -> InlineArray<32, UInt8> {
        var result = InlineArray<32, UInt8>(repeating: 0)
        var length: UInt32 = 0
        var target = result.mutableSpan
        let isMade = unsafe bytes.withUnsafeBytes { raw in
            unsafe target.withUnsafeMutableBufferPointer { output in
                unsafe EVP_Digest(raw.baseAddress, raw.count, output.baseAddress, &length, EVP_sha256(), nil) == 1
            }
        }
        // invariant: as for any hash here; zeros must not pass for one
        guard isMade, length == 32 else { preconditionFailure("OpenSSL does not hash") }
        return result
    }
}
