import CEvent
import Glibc
import Synchronization
public import TidegateCrypto

public struct HTTPRequest: Sendable {
    public var method: String
    /// Without the query.
    public var path: String
    public var query: String?
    public var headers: [String: String]
    public var body: [UInt8]
    /// Whose connection it is, numeric: `192.0.2.7:40000`, `[2001:db8::7]:40000`; empty where that is not known.
    public var clientAddress: String
}

public struct HTTPResponse: Sendable {
    public var status: Int
    public var contentType: String
    public var headers: [String: String]
    public var body: [UInt8]
    public init(status: Int, contentType: String, headers: [String: String] = [:], body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }
}

/// An HTTP server by libevent on a thread of its own: health, metrics, the development issuer. Handlers answer at once.
public final class HTTPServer: Sendable {
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public var description: String
    }
    public typealias Handler = @Sendable (HTTPRequest) -> HTTPResponse

    /// What clients may use.
    public struct Limits: Sendable {
        /// Connections at once; more wait in the kernel's backlog.
        public var connections = 256
        /// A connection's first request is whole after so long, or the connection ends.
        public var requestMilliseconds = 10_000
        /// As much for each further one, its silence before included.
        public var idleMilliseconds = 60_000
        public var bodyBytes = 1 << 20
        public init() {}
    }

    private let loop: ServerLoop
    /// The port that is listened on: the kernel's choice where 0 was asked for.
    public let port: UInt16

    /// - Parameters:
    ///   - host: a numeric address.
    ///   - tls: presented to clients; nil is plaintext.
    /// - Throws: where the address cannot be bound.
    public init(
        host: String, port: UInt16, tls: TLSServerContext? = nil, limits: Limits = Limits(),
        handler: @escaping Handler
    ) throws(Failure) {
        _ = HTTPServer.threadsAreReady
        let (loop, bound) = try ServerLoop.bind(host: host, port: port, tls: tls, limits: limits, handler: handler)
        self.loop = loop
        self.port = bound
        try loop.start()
    }

    private static let threadsAreReady: Bool = evthread_use_pthreads() == 0

    /// New connections get the new certificate.
    /// A plaintext server stays one.
    public func replace(tls: TLSServerContext) { loop.replace(tls: tls) }

    /// Ends the thread; connections are closed.
    public func stop() { loop.stop() }
}

/// The event base and all that belongs to its thread.
@safe
private final class ServerLoop: Sendable {
    // Made before the thread starts; used on the thread only, but for `event_base_once`, which libevent allows from
    // anywhere once `evthread_use_pthreads` has been called.
    nonisolated(unsafe) private let base: OpaquePointer
    nonisolated(unsafe) private let http: OpaquePointer
    nonisolated(unsafe) private let watch: ConnectionWatch
    /// Looks at connections.
    nonisolated(unsafe) private var timer: OpaquePointer?
    private let handler: HTTPServer.Handler
    private let tls: Mutex<TLSServerContext?>
    private let thread = Mutex<pthread_t?>(nil)
    private static let headerLimit = 16 * 1024

    private init(
        _ base: OpaquePointer, _ http: OpaquePointer, _ watch: ConnectionWatch,
        _ handler: @escaping HTTPServer.Handler, _ tls: TLSServerContext?
    ) {
        unsafe self.watch = watch
        unsafe self.base = base
        unsafe self.http = http
        self.handler = handler
        self.tls = Mutex(tls)
    }

    static func bind(
        host: String, port: UInt16, tls: TLSServerContext?, limits: HTTPServer.Limits,
        handler: @escaping HTTPServer.Handler
    ) throws(HTTPServer.Failure) -> (ServerLoop, UInt16) {
        guard let base = unsafe event_base_new() else { throw HTTPServer.Failure(description: "no event base") }
        guard let http = unsafe evhttp_new(base) else {
            unsafe event_base_free(base)
            throw HTTPServer.Failure(description: "no HTTP server")
        }
        guard let socket = unsafe evhttp_bind_socket_with_handle(http, host, port) else {
            let reason = unsafe String(cString: strerror(errno))
            unsafe evhttp_free(http)
            unsafe event_base_free(base)
            throw HTTPServer.Failure(description: "\(host):\(port): \(reason)")
        }
        unsafe evhttp_set_max_body_size(http, limits.bodyBytes)
        unsafe evhttp_set_max_headers_size(http, headerLimit)
        unsafe evhttp_set_timeout(http, Int32(clamping: max(1, limits.idleMilliseconds / 1000)))
        unsafe evhttp_set_allowed_methods(
            http, UInt16(EVHTTP_REQ_GET.rawValue | EVHTTP_REQ_HEAD.rawValue | EVHTTP_REQ_POST.rawValue))
        let watch = unsafe ConnectionWatch(limits, evhttp_bound_socket_get_listener(socket))
        let loop = unsafe ServerLoop(base, http, watch, handler, tls)
        let context = unsafe Unmanaged.passUnretained(loop).toOpaque()
        unsafe evhttp_set_bevcb(http, makeBuffer, context)
        unsafe loop.timer = event_new(base, -1, Int16(EV_PERSIST), lookAtConnections, context)
        let milliseconds = min(500, max(10, limits.requestMilliseconds / 4))
        var pause = timeval(tv_sec: 0, tv_usec: suseconds_t(milliseconds * 1000))
        guard unsafe event_add(loop.timer, &pause) == 0 else {
            loop.free()
            throw HTTPServer.Failure(description: "no timer")
        }
        unsafe evhttp_set_gencb(http, takeRequest, context)
        return (loop, unsafe boundPort(evhttp_bound_socket_get_fd(socket)))
    }

    private static func boundPort(_ descriptor: Int32) -> UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let port = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = unsafe getsockname(descriptor, address, &length)
            }
            // The port stands at the same place for both families.
            return unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { unsafe $0.pointee.sin_port }
        }
        return UInt16(bigEndian: port)
    }

    func start() throws(HTTPServer.Failure) {
        let body = unsafe Unmanaged.passRetained(self).toOpaque()
        var made = pthread_t()
        guard unsafe pthread_create(&made, nil, runServer, body) == 0 else {
            unsafe Unmanaged<ServerLoop>.fromOpaque(body).release()
            free()
            throw HTTPServer.Failure(description: "no thread")
        }
        thread.withLock { $0 = made }
    }

    func run() {
        // A client that went away is an error of the write, not the end of the process.
        var pipe = sigset_t()
        unsafe sigemptyset(&pipe)
        unsafe sigaddset(&pipe, SIGPIPE)
        unsafe pthread_sigmask(SIG_BLOCK, &pipe, nil)
        unsafe _ = event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY)
        free()
    }

    private func free() {
        if let timer = unsafe timer { unsafe event_free(timer) }
        unsafe evhttp_free(http)
        unsafe watch.releaseAll()
        unsafe event_base_free(base)
    }

    func stop() {
        guard
            let running = thread.withLock({ thread -> pthread_t? in
                defer { thread = nil }
                return thread
            })
        else { return }
        // An event, not `event_base_loopbreak` from here: a loop that begins only now would forget that.
        unsafe _ = event_base_once(base, -1, Int16(EV_TIMEOUT), endLoop, UnsafeMutableRawPointer(base), nil)
        pthread_join(running, nil)
    }

    func replace(tls context: TLSServerContext) { tls.withLock { $0 = context } }

    func buffer() -> OpaquePointer? {
        let options = Int32(BEV_OPT_CLOSE_ON_FREE.rawValue)
        let made =
            if let context = tls.withLock({ $0 }) {
                unsafe context.withNewSession { session in
                    unsafe bufferevent_openssl_socket_new(base, -1, session, BUFFEREVENT_SSL_ACCEPTING, options)
                }
            } else {
                unsafe bufferevent_socket_new(base, -1, options)
            }
        if let made = unsafe made { unsafe watch.hold(made) }
        return unsafe made
    }

    func look() { unsafe watch.look() }

    func take(_ request: UnsafeMutablePointer<evhttp_request>) {
        unsafe watch.renew(evhttp_connection_get_bufferevent(evhttp_request_get_connection(request)))
        let response = unsafe handler(read(request))
        unsafe answer(request, response)
    }

    private func read(_ request: UnsafeMutablePointer<evhttp_request>) -> HTTPRequest {
        let uri = unsafe evhttp_request_get_evhttp_uri(request)
        let path = unsafe uri.flatMap { unsafe evhttp_uri_get_path($0) }.map { unsafe String(cString: $0) } ?? "/"
        let query = unsafe uri.flatMap { unsafe evhttp_uri_get_query($0) }.map { unsafe String(cString: $0) }
        var headers: [String: String] = [:]
        let list = unsafe evhttp_request_get_input_headers(request)
        var entry = unsafe list?.pointee.tqh_first
        while let current = unsafe entry {
            if let key = unsafe current.pointee.key, let value = unsafe current.pointee.value {
                unsafe headers[String(cString: key).lowercased()] = unsafe String(cString: value)
            }
            unsafe entry = current.pointee.next.tqe_next
        }
        let input = unsafe evhttp_request_get_input_buffer(request)
        var body = [UInt8](repeating: 0, count: unsafe evbuffer_get_length(input))
        let count = body.count
        _ = unsafe body.withUnsafeMutableBytes { unsafe evbuffer_remove(input, $0.baseAddress, count) }
        let method =
            switch unsafe evhttp_request_get_command(request) {
            case EVHTTP_REQ_POST: "POST"
            case EVHTTP_REQ_HEAD: "HEAD"
            default: "GET"
            }
        return HTTPRequest(
            method: method, path: path.isEmpty ? "/" : path, query: query, headers: headers, body: body,
            clientAddress: unsafe ServerLoop.peer(request))
    }

    private static func peer(_ request: UnsafeMutablePointer<evhttp_request>) -> String {
        guard let connection = unsafe evhttp_request_get_connection(request) else { return "" }
        var address: UnsafeMutablePointer<CChar>?
        var port: UInt16 = 0
        unsafe evhttp_connection_get_peer(connection, &address, &port)
        guard let text = unsafe address.map({ unsafe String(cString: $0) }), !text.isEmpty else { return "" }
        return text.contains(":") ? "[\(text)]:\(port)" : "\(text):\(port)"
    }

    private func answer(_ request: UnsafeMutablePointer<evhttp_request>, _ response: HTTPResponse) {
        let headers = unsafe evhttp_request_get_output_headers(request)
        unsafe evhttp_add_header(headers, "Content-Type", response.contentType)
        unsafe evhttp_add_header(headers, "X-Content-Type-Options", "nosniff")
        for (name, value) in response.headers { unsafe evhttp_add_header(headers, name, value) }
        let buffer = unsafe evbuffer_new()
        if unsafe evhttp_request_get_command(request) == EVHTTP_REQ_HEAD {
            // libevent leaves the length out and would send the body, which the next answer would follow.
            unsafe evhttp_add_header(headers, "Content-Length", "\(response.body.count)")
        } else {
            unsafe evbuffer_add(buffer, response.body, response.body.count)
        }
        unsafe evhttp_send_reply(request, Int32(clamping: response.status), nil, buffer)
        unsafe evbuffer_free(buffer)
    }
}

private func makeBuffer(
    _ base: OpaquePointer?, _ context: UnsafeMutableRawPointer?
) -> OpaquePointer? {
    guard let context = unsafe context else { return nil }
    return unsafe Unmanaged<ServerLoop>.fromOpaque(context).takeUnretainedValue().buffer()
}

private func lookAtConnections(_ socket: Int32, _ what: Int16, _ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    unsafe Unmanaged<ServerLoop>.fromOpaque(context).takeUnretainedValue().look()
}

private func endLoop(_ socket: Int32, _ what: Int16, _ base: UnsafeMutableRawPointer?) {
    guard let base = unsafe base else { return }
    unsafe _ = event_base_loopbreak(OpaquePointer(base))
}

private func takeRequest(_ request: UnsafeMutablePointer<evhttp_request>?, _ context: UnsafeMutableRawPointer?) {
    guard let request = unsafe request, let context = unsafe context else { return }
    unsafe Unmanaged<ServerLoop>.fromOpaque(context).takeUnretainedValue().take(request)
}

private func runServer(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context = unsafe context else { return nil }
    unsafe Unmanaged<ServerLoop>.fromOpaque(context).takeRetainedValue().run()
    return nil
}
