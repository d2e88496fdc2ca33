import COpenSSL

/// AES-256-GCM (NIST SP 800-38D) with OpenSSL, under a key that comes with each message. Any thread may use it.
package final class GaloisCounter: Sendable {
    package init() {}

    private let contexts = unsafe ContextPool {
        guard let context = unsafe EVP_CIPHER_CTX_new(),
            unsafe EVP_EncryptInit_ex2(context, EVP_aes_256_gcm(), nil, nil, nil) == 1
        else {
            // invariant: AES is in OpenSSL's default provider; without it nothing here can be trusted
            fatalError("OpenSSL has no GCM")
        }
        return unsafe context
    } free: {
        unsafe EVP_CIPHER_CTX_free($0)
    }

    /// Where text, nonce and tag of an envelope are; GCM's nonce is the last 12 bytes before the text.
    private static func parts(_ envelope: UnsafeMutableRawBufferPointer, _ textCount: Int)
        -> (text: UnsafeMutablePointer<UInt8>, nonce: UnsafeMutablePointer<UInt8>, tag: UnsafeMutableRawPointer)?
    {
        guard let base = envelope.baseAddress, textCount >= 0, textCount <= Int(Int32.max),
            envelope.count == textCount &+ SealedEnvelope.overhead
        else { return nil }
        let text = unsafe (base + SealedEnvelope.nonceCount).assumingMemoryBound(to: UInt8.self)
        return unsafe (text, text - 12, base + (SealedEnvelope.nonceCount + textCount))
    }

    func seal(
        _ envelope: UnsafeMutableRawBufferPointer, textCount: Int, key: UnsafeRawBufferPointer, _ associated: [UInt8]
    ) {
        var count: Int32 = 0
        let isSealed = unsafe contexts.with { context in
            guard let parts = unsafe GaloisCounter.parts(envelope, textCount) else { return false }
            let key = unsafe key.baseAddress?.assumingMemoryBound(to: UInt8.self)
            return unsafe EVP_EncryptInit_ex2(context, nil, key, parts.nonce, nil) == 1
                && EVP_EncryptUpdate(context, nil, &count, associated, Int32(associated.count)) == 1
                && EVP_EncryptUpdate(context, parts.text, &count, parts.text, Int32(textCount)) == 1
                && EVP_EncryptFinal_ex(context, parts.text + textCount, &count) == 1
                && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, parts.tag) == 1
        }
        // invariant: clear text must not pass for encrypted
        guard isSealed else { fatalError("OpenSSL does not seal") }
    }

    func open(
        _ envelope: UnsafeMutableRawBufferPointer, textCount: Int, key: UnsafeRawBufferPointer, _ associated: [UInt8]
    ) -> Bool {
        var count: Int32 = 0
        return unsafe contexts.with { context in
            guard let parts = unsafe GaloisCounter.parts(envelope, textCount) else { return false }
            let key = unsafe key.baseAddress?.assumingMemoryBound(to: UInt8.self)
            let isOpen =
                unsafe EVP_DecryptInit_ex2(context, nil, key, parts.nonce, nil) == 1
                && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, parts.tag) == 1
                && EVP_DecryptUpdate(context, nil, &count, associated, Int32(associated.count)) == 1
                && EVP_DecryptUpdate(context, parts.text, &count, parts.text, Int32(textCount)) == 1
                && EVP_DecryptFinal_ex(context, parts.text + textCount, &count) == 1
            if !isOpen { ERR_clear_error() }
            return isOpen
        }
    }

    /// The text of an envelope in parts: nil where it was not sealed so.
    ///
    /// - Parameters: key of 32 bytes, nonce of 12, tag of 16; others open nothing.
    package func open(_ text: [UInt8], nonce: [UInt8], tag: [UInt8], key: [UInt8], associated: [UInt8]) -> [UInt8]? {
        guard key.count == 32, nonce.count == 12, tag.count == 16 else { return nil }
        var envelope = [UInt8](repeating: 0, count: 12) + nonce + text + tag
        let isOpen = unsafe envelope.withUnsafeMutableBytes { envelope in
            unsafe key.withUnsafeBytes { unsafe open(envelope, textCount: text.count, key: $0, associated) }
        }
        return isOpen ? Array(envelope.dropFirst(24).dropLast(16)) : nil
    }

    /// Encrypted text and tag.
    ///
    /// - Precondition: a key of 32 bytes and a nonce of 12.
    package func seal(_ text: [UInt8], nonce: [UInt8], key: [UInt8], associated: [UInt8]) -> [UInt8] {
        precondition(key.count == 32 && nonce.count == 12)
        var envelope = [UInt8](repeating: 0, count: 12) + nonce + text + [UInt8](repeating: 0, count: 16)
        unsafe envelope.withUnsafeMutableBytes { envelope in
            unsafe key.withUnsafeBytes { unsafe seal(envelope, textCount: text.count, key: $0, associated) }
        }
        return Array(envelope.dropFirst(24))
    }
}
