import COpenSSL
import Glibc

/// Why a TLS context cannot be made: which file, and what is wrong with it.
public struct TLSConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    public let file: String
    public let reason: String
    public init(file: String, reason: String) {
        self.file = file
        self.reason = reason
    }
    public var description: String { "\(file): \(reason)" }
}

/// What a listener presents and demands: TLS 1.2 and 1.3, no renegotiation, no session cache, buffers released when idle.
@safe
public final class TLSServerContext: Sendable {
    // An SSL_CTX is not changed after `init`; OpenSSL counts its references atomically.
    nonisolated(unsafe) let handle: OpaquePointer

    private static let protocolsSlot = shim_protocols_slot()

    public enum ClientCertificate: Sendable, Equatable { case none, optional, required }

    /// - Parameters:
    ///   - certificate: a PEM file with the chain, the leaf first.
    ///   - key: a PEM file with the leaf's private key.
    ///   - clientCA: a PEM file with the authorities of client certificates; needed unless `clients` is `.none`.
    ///   - applicationProtocols: by preference (ALPN, RFC 7301); a client that offers others only is refused, one that
    ///     offers none is not.
    /// - Throws: the file that cannot be read or does not fit, and why.
    public init(
        certificate: String, key: String, clientCA: String? = nil, clients: ClientCertificate = .none,
        applicationProtocols: [String] = []
    ) throws(TLSConfigurationError) {
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else {
            throw TLSConfigurationError(file: certificate, reason: "out of memory")
        }
        unsafe handle = context
        unsafe TLSServerContext.prepare(context)
        unsafe SSL_CTX_set_num_tickets(context, 0)
        _ = unsafe shim_SSL_CTX_set_session_cache_off(context)
        try unsafe TLSServerContext.load(context, certificate: certificate, key: key)
        if !applicationProtocols.isEmpty {
            let wire = applicationProtocols.flatMap { [UInt8(clamping: $0.utf8.count)] + Array($0.utf8.prefix(255)) }
            guard
                unsafe shim_SSL_CTX_accept_protocols(
                    context, TLSServerContext.protocolsSlot, wire, UInt32(clamping: wire.count)) == 1
            else { throw TLSConfigurationError(file: certificate, reason: "out of memory") }
        }
        guard clients != .none else { return }
        guard let clientCA else {
            throw TLSConfigurationError(
                file: certificate, reason: "client certificates are asked for without an authority")
        }
        try TLSServerContext.checkReadable(clientCA)
        guard unsafe SSL_CTX_load_verify_locations(context, clientCA, nil) == 1 else {
            throw TLSConfigurationError(file: clientCA, reason: lastTLSError("holds no certificate authority"))
        }
        unsafe SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(clientCA))
        let demand = SSL_VERIFY_PEER | (clients == .required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
        unsafe SSL_CTX_set_verify(context, demand, nil)
    }

    deinit { unsafe SSL_CTX_free(handle) }

    /// TLS 1.2 at least, and as little memory as an idle session can have.
    static func prepare(_ context: OpaquePointer) {
        unsafe _ = shim_SSL_CTX_set_min_proto_version(context, Int(TLS1_2_VERSION).asInt32)
        let mode =
            Int(SSL_MODE_RELEASE_BUFFERS) | Int(SSL_MODE_ENABLE_PARTIAL_WRITE)
            | Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER)
        unsafe _ = shim_SSL_CTX_set_mode(context, mode)
        unsafe shim_SSL_CTX_restrict(context)
    }

    static func load(
        _ context: OpaquePointer, certificate: String, key: String
    ) throws(TLSConfigurationError) {
        ERR_clear_error()
        unsafe shim_SSL_CTX_never_ask(context)
        try checkReadable(certificate)
        try checkReadable(key)
        guard unsafe SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
            throw TLSConfigurationError(file: certificate, reason: lastTLSError("holds no PEM certificate"))
        }
        guard unsafe SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 else {
            throw TLSConfigurationError(
                file: key, reason: lastTLSError("holds no PEM private key, or not that of the certificate"))
        }
        guard unsafe SSL_CTX_check_private_key(context) == 1 else {
            throw TLSConfigurationError(file: key, reason: "is not the key of the certificate in \(certificate)")
        }
    }
}

extension TLSServerContext {
    /// OpenSSL says only that there is no PEM where the file cannot be opened.
    static func checkReadable(_ file: String) throws(TLSConfigurationError) {
        guard unsafe access(file, R_OK) == 0 else {
            throw TLSConfigurationError(file: file, reason: unsafe String(cString: strerror(errno)))
        }
    }
}

/// How a backend is verified, and what the gateway presents to it.
@safe
public final class TLSClientContext: Sendable {
    // As TLSServerContext.
    nonisolated(unsafe) let handle: OpaquePointer
    /// Chain and host name are verified.
    public let verifies: Bool

    /// - Parameters:
    ///   - ca: a PEM file of authorities; nil is the system's.
    ///   - certificate: the gateway's own, with `key`.
    ///   - verifies: false accepts any certificate.
    /// - Throws: the file that cannot be read or does not fit, and why.
    public init(
        ca: String? = nil, certificate: String? = nil, key: String? = nil, verifies: Bool = true
    ) throws(TLSConfigurationError) {
        self.verifies = verifies
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else {
            throw TLSConfigurationError(file: ca ?? "", reason: "out of memory")
        }
        unsafe handle = context
        unsafe TLSServerContext.prepare(context)
        ERR_clear_error()
        if let ca {
            try TLSServerContext.checkReadable(ca)
            guard unsafe SSL_CTX_load_verify_locations(context, ca, nil) == 1 else {
                throw TLSConfigurationError(file: ca, reason: lastTLSError("holds no certificate authority"))
            }
        } else if verifies {
            unsafe SSL_CTX_set_default_verify_paths(context)
        }
        if let certificate {
            guard let key else {
                throw TLSConfigurationError(file: certificate, reason: "has no private key beside it")
            }
            try unsafe TLSServerContext.load(context, certificate: certificate, key: key)
        }
        unsafe SSL_CTX_set_verify(context, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nil)
    }

    deinit { unsafe SSL_CTX_free(handle) }
}

/// OpenSSL's last error as short text; constant reasons of the library, never a peer's data.
func lastTLSError(_ otherwise: String) -> String {
    let code = ERR_get_error()
    ERR_clear_error()
    guard code != 0, let reason = unsafe ERR_reason_error_string(code) else { return otherwise }
    return unsafe "\(otherwise) (\(String(cString: reason)))"
}

extension Int {
    fileprivate var asInt32: Int32 { Int32(truncatingIfNeeded: self) }
}

extension TLSServerContext {
    /// Hands out a new connection of this context to a library that drives it itself (libevent), which then owns it.
    public func withNewSession<Result>(_ body: (OpaquePointer?) -> Result) -> Result {
        let session = unsafe SSL_new(handle)
        unsafe SSL_set_accept_state(session)
        return unsafe body(session)
    }
}
