import COpenSSL

/// One TLS connection on memory BIOs: ciphertext in and out as bytes, no sockets. Lives on one event loop.
@safe
public final class TLSSession {
    public enum Outcome: Equatable, Sendable {
        /// So many bytes of plaintext.
        case bytes(Int)
        /// More ciphertext is needed.
        case wantsMore
        /// The peer said that it sends no more (close_notify).
        case closed
        case failed(String)
    }

    private let ssl: OpaquePointer
    /// Owned by `ssl`.
    private var incoming: OpaquePointer
    private var outgoing: OpaquePointer
    /// The most that each has held at once.
    private var mostIncoming = 0
    private var mostOutgoing = 0
    /// Buffers up to here are not worth being made anew.
    private static let worthKeeping = 32 << 10

    public init?(server context: TLSServerContext) {
        guard let made = unsafe TLSSession.make(context.handle) else { return nil }
        unsafe (ssl, incoming, outgoing) = made
        unsafe SSL_set_accept_state(ssl)
    }

    /// - Parameter serverName: the host name or numeric address that the certificate must hold; sent as SNI where it is a
    ///   name.
    ///
    /// An empty name, or one that holds a zero byte, makes no session: OpenSSL would verify none, or another.
    public init?(client context: TLSClientContext, serverName: String) {
        guard !serverName.isEmpty, !serverName.utf8.contains(0) else { return nil }
        guard let made = unsafe TLSSession.make(context.handle) else { return nil }
        unsafe (ssl, incoming, outgoing) = made
        unsafe SSL_set_connect_state(ssl)
        let parameters = unsafe SSL_get0_param(ssl)
        if unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, serverName) != 1 {
            unsafe _ = shim_SSL_set_tlsext_host_name(ssl, serverName)
            unsafe SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
            guard unsafe SSL_set1_host(ssl, serverName) == 1 || !context.verifies else { return nil }
        }
        ERR_clear_error()
    }

    deinit { unsafe SSL_free(ssl) }

    private static func make(_ context: OpaquePointer) -> (OpaquePointer, OpaquePointer, OpaquePointer)? {
        guard let ssl = unsafe SSL_new(context) else { return nil }
        guard let incoming = unsafe BIO_new(BIO_s_mem()), let outgoing = unsafe BIO_new(BIO_s_mem()) else {
            unsafe SSL_free(ssl)
            return nil
        }
        unsafe SSL_set_bio(ssl, incoming, outgoing)
        return unsafe (ssl, incoming, outgoing)
    }

    /// Takes ciphertext that came from the peer.
    public func receive(ciphertext: RawSpan) {
        unsafe ciphertext.withUnsafeBytes { raw -> Void in
            guard let base = raw.baseAddress else { return }
            var at = 0
            while at < raw.count {
                let written = unsafe BIO_write(incoming, base + at, Int32(clamping: raw.count - at))
                if written <= 0 { return }
                at += Int(written)
            }
            mostIncoming = max(mostIncoming, Int(unsafe shim_BIO_pending(incoming)))
        }
    }

    /// Goes on with the handshake: `bytes(0)` once it is done.
    public func handshake() -> Outcome {
        if isEstablished { return .bytes(0) }
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(ssl)
        return result == 1 ? .bytes(0) : outcome(result)
    }

    public var isEstablished: Bool { unsafe SSL_is_init_finished(ssl) == 1 }

    /// Decrypts into `buffer`, up to its size.
    public func read(into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
        guard let base = buffer.baseAddress, buffer.count > 0 else { return .bytes(0) }
        ERR_clear_error()
        let count = unsafe SSL_read(ssl, base, Int32(clamping: buffer.count))
        return count > 0 ? .bytes(Int(count)) : outcome(count)
    }

    /// Encrypts plaintext; all of it, since the outgoing BIO grows.
    public func write(_ plaintext: RawSpan) -> Outcome {
        unsafe plaintext.withUnsafeBytes { raw -> Outcome in
            guard let base = raw.baseAddress else { return .bytes(0) }
            var at = 0
            while at < raw.count {
                ERR_clear_error()
                let count = unsafe SSL_write(ssl, base + at, Int32(clamping: raw.count - at))
                if count <= 0 { return outcome(count) }
                at += Int(count)
            }
            return .bytes(at)
        }
    }

    /// Hands out the ciphertext that waits to be sent, and forgets it.
    public func drain(_ body: (RawSpan) -> Void) {
        var bytes: UnsafePointer<UInt8>?
        let count = unsafe shim_BIO_get_mem_data(outgoing, &bytes)
        guard count > 0, let base = unsafe bytes else { return }
        mostOutgoing = max(mostOutgoing, count)
        unsafe body(UnsafeRawBufferPointer(start: base, count: count).bytes)
        unsafe _ = shim_BIO_reset(outgoing)
    }

    /// Holds buffers for bulk, whether they are in use or not.
    public var isGrown: Bool { max(mostIncoming, mostOutgoing) > TLSSession.worthKeeping }

    /// Gives back what buffers have grown by, where nothing is in them: a memory BIO never shrinks by itself.
    ///
    /// - Returns: false where something is in them still.
    public func shrink() -> Bool {
        if mostIncoming > TLSSession.worthKeeping {
            guard unsafe shim_BIO_pending(incoming) == 0 else { return false }
            guard let fresh = unsafe BIO_new(BIO_s_mem()) else { return true }
            unsafe SSL_set0_rbio(ssl, fresh)
            unsafe incoming = fresh
            mostIncoming = 0
        }
        if mostOutgoing > TLSSession.worthKeeping {
            guard unsafe shim_BIO_pending(outgoing) == 0 else { return false }
            guard let fresh = unsafe BIO_new(BIO_s_mem()) else { return true }
            unsafe SSL_set0_wbio(ssl, fresh)
            unsafe outgoing = fresh
            mostOutgoing = 0
        }
        return true
    }

    public var hasOutput: Bool { unsafe shim_BIO_pending(outgoing) > 0 }

    /// Says that no more is sent (close_notify).
    public func close() {
        ERR_clear_error()
        unsafe _ = SSL_shutdown(ssl)
        ERR_clear_error()
    }

    /// The server name that a client asked for.
    public var serverName: String? {
        guard let name = unsafe SSL_get_servername(ssl, Int32(TLSEXT_NAMETYPE_host_name)) else { return nil }
        return unsafe String(cString: name)
    }

    /// The application protocol that was agreed on (ALPN).
    public var applicationProtocol: String? {
        var bytes: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &bytes, &count)
        return count == 0
            ? nil : unsafe String(decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
    }

    /// The subject of the peer's verified certificate (RFC 2253 form), where it showed one.
    public var peerSubject: String? {
        guard let certificate = unsafe SSL_get1_peer_certificate(ssl) else { return nil }
        defer { unsafe X509_free(certificate) }
        guard let text = unsafe BIO_new(BIO_s_mem()) else { return nil }
        defer { unsafe BIO_free(text) }
        guard unsafe shim_print_subject(text, certificate) >= 0 else { return nil }
        var bytes: UnsafePointer<UInt8>?
        let count = unsafe shim_BIO_get_mem_data(text, &bytes)
        return unsafe String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    /// The first failure, which stays the reason: OpenSSL says it once only.
    private var failure: String?

    private func fail(_ reason: String) -> Outcome {
        let first = failure ?? reason
        failure = first
        ERR_clear_error()
        return .failed(first)
    }

    /// SSL_get_error before the BIOs are touched.
    private func outcome(_ result: Int32) -> Outcome {
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .wantsMore
        case SSL_ERROR_ZERO_RETURN: return .closed
        default:
            let verification = unsafe SSL_get_verify_result(ssl)
            if verification != Int(X509_V_OK), let text = unsafe X509_verify_cert_error_string(verification) {
                return fail("certificate: \(unsafe String(cString: text))")
            }
            return fail(lastTLSError("TLS failure"))
        }
    }
}
