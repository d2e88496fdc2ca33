import CCurl
import Dispatch

/// HTTP or HTTPS by libcurl: keys and discovery documents of issuers, schemas of a registry, questions to a running gateway.
public struct HTTPClient: Sendable {
    public struct Answer: Sendable {
        public var status: Int
        public var body: [UInt8]
        public init(status: Int, body: [UInt8]) {
            self.status = status
            self.body = body
        }
    }
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public var description: String
        public init(description: String) { self.description = description }
    }

    /// For Basic authentication (RFC 7617); they never appear in a failure.
    public struct Credentials: Sendable {
        public var user: String
        public var password: String
        public init(user: String, password: String) {
            self.user = user
            self.password = password
        }
    }

    /// The client's own certificate (mTLS): files in PEM, read for each request. The leaf stands first.
    public struct Identity: Sendable {
        public var certificateFile: String
        public var keyFile: String
        public init(certificateFile: String, keyFile: String) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    private let caFile: String?
    private let identity: Identity?
    private let credentials: Credentials?
    private let timeoutMilliseconds: Int
    private let limit: Int
    private static let queue = DispatchQueue(label: "tidegate.http-client", attributes: .concurrent)

    /// - Parameters:
    ///   - caFile: authorities to trust; nil is the system's.
    ///   - identity: shown to servers that ask for it; nil is none.
    ///   - credentials: sent with each request; nil sends none.
    ///   - limit: bytes of an answer; more is a failure.
    public init(
        caFile: String? = nil, identity: Identity? = nil, credentials: Credentials? = nil,
        timeoutMilliseconds: Int = 5000, limit: Int = 1 << 20
    ) {
        self.caFile = caFile
        self.identity = identity
        self.credentials = credentials
        self.timeoutMilliseconds = timeoutMilliseconds
        self.limit = limit
    }

    /// - Throws: `Failure` where there is no answer; an answer of any status is returned.
    public func get(_ url: String) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            HTTPClient.queue.async { continuation.resume(with: Result { try perform(url) }) }
        }
    }

    /// Sends a body; `headers` are whole lines (`Content-Type: application/json`), and never appear in a failure.
    ///
    /// - Throws: `Failure` where there is no answer; an answer of any status is returned.
    public func post(_ url: String, headers: [String], body: [UInt8]) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            HTTPClient.queue.async {
                continuation.resume(with: Result { try perform(url, headers: headers, body: body) })
            }
        }
    }

    private final class Sink {
        var bytes: [UInt8] = []
        let limit: Int
        init(limit: Int) { self.limit = limit }
    }

    private static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private func perform(
        _ url: String, headers: [String] = [], body: [UInt8]? = nil
    ) throws(Failure) -> Answer {
        guard HTTPClient.isReady, let handle = unsafe curl_easy_init() else {
            throw Failure(description: "libcurl cannot be started")
        }
        defer { unsafe curl_easy_cleanup(handle) }
        let sink = Sink(limit: limit)
        unsafe _ = shim_curl_setopt_string(handle, CURLOPT_URL, url)
        unsafe _ = shim_curl_setopt_string(handle, CURLOPT_USERAGENT, "tidegate")
        unsafe _ = shim_curl_setopt_long(handle, CURLOPT_NOSIGNAL, 1)
        unsafe _ = shim_curl_setopt_long(handle, CURLOPT_TIMEOUT_MS, timeoutMilliseconds)
        // A redirect could lead from https to anywhere: issuers are named by the address that answers.
        unsafe _ = shim_curl_setopt_long(handle, CURLOPT_FOLLOWLOCATION, 0)
        guard unsafe shim_curl_setopt_string(handle, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK,
            unsafe shim_curl_setopt_long(handle, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) == CURLE_OK
        else { throw Failure(description: "libcurl does not know HTTPS") }
        if let caFile {
            // The folder of the system's authorities would stay in force beside the file.
            guard unsafe shim_curl_setopt_string(handle, CURLOPT_CAINFO, caFile) == CURLE_OK,
                unsafe shim_curl_setopt_string(handle, CURLOPT_CAPATH, nil) == CURLE_OK
            else { throw Failure(description: "\(caFile): libcurl does not take it") }
        }
        if let identity {
            guard unsafe shim_curl_setopt_string(handle, CURLOPT_SSLCERT, identity.certificateFile) == CURLE_OK,
                unsafe shim_curl_setopt_string(handle, CURLOPT_SSLKEY, identity.keyFile) == CURLE_OK
            else { throw Failure(description: "libcurl does not take the client certificate") }
        }
        if let credentials {
            guard unsafe shim_curl_setopt_long(handle, CURLOPT_HTTPAUTH, 1) == CURLE_OK,  // CURLAUTH_BASIC
                unsafe shim_curl_setopt_string(handle, CURLOPT_USERNAME, credentials.user) == CURLE_OK,
                unsafe shim_curl_setopt_string(handle, CURLOPT_PASSWORD, credentials.password) == CURLE_OK
            else { throw Failure(description: "libcurl does not take the credentials") }
        }
        var lines: UnsafeMutablePointer<curl_slist>?
        for header in headers { unsafe lines = curl_slist_append(lines, header) }
        defer { unsafe curl_slist_free_all(lines) }
        if let lines = unsafe lines { unsafe _ = shim_curl_setopt_pointer(handle, CURLOPT_HTTPHEADER, lines) }
        if let body {
            unsafe _ = shim_curl_setopt_long(handle, CURLOPT_POSTFIELDSIZE, body.count)
            let code = unsafe body.withUnsafeBytes { bytes in
                unsafe shim_curl_setopt_pointer(
                    handle, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
            }
            guard code == CURLE_OK else { throw Failure(description: "libcurl does not take the body") }
        }
        unsafe _ = shim_curl_setopt_write(
            handle, collectBody, Unmanaged.passUnretained(sink).toOpaque())
        let code = withExtendedLifetime(sink) { unsafe curl_easy_perform(handle) }
        guard code == CURLE_OK else {
            throw Failure(description: unsafe "\(url): \(String(cString: curl_easy_strerror(code)))")
        }
        var status = 0
        unsafe _ = shim_curl_getinfo_long(handle, CURLINFO_RESPONSE_CODE, &status)
        return Answer(status: status, body: sink.bytes)
    }

    /// libcurl's write callback: a short count ends the transfer.
    private static let collect: shim_curl_write_function = { bytes, size, count, context in
        guard let context = unsafe context, let bytes = unsafe bytes else { return 0 }
        let sink = unsafe Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue()
        let total = size * count
        guard sink.bytes.count + total <= sink.limit else { return 0 }
        unsafe sink.bytes.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: total))
        return total
    }
    private var collectBody: shim_curl_write_function { unsafe HTTPClient.collect }
}
