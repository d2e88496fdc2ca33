import CEvent
import Glibc

/// The connections of one server: how many there may be, and how long each may go without a whole request.
///
/// libevent times silence only, which a client that sends a byte now and then never shows. A buffer is held, by a
/// reference of its own, until libevent has let go of it; its socket is closed at the next `look`. Used on the server's
/// thread.
@safe
final class ConnectionWatch {
    private let limits: HTTPServer.Limits
    /// Accepts connections; disabled while there are as many as there may be.
    private let listener: OpaquePointer?
    /// Buffers, and the monotonic milliseconds at which each must have sent its next request.
    private var held: [OpaquePointer: Int64] = unsafe [:]

    init(_ limits: HTTPServer.Limits, _ listener: OpaquePointer?) {
        self.limits = limits
        unsafe self.listener = listener
    }

    func hold(_ buffer: OpaquePointer) {
        unsafe bufferevent_incref(buffer)
        unsafe held[buffer] = ConnectionWatch.now + Int64(limits.requestMilliseconds)
        if unsafe held.count >= limits.connections { unsafe evconnlistener_disable(listener) }
    }

    /// A whole request has come; the next one may take its time.
    func renew(_ buffer: OpaquePointer?) {
        guard let buffer = unsafe buffer, unsafe held[buffer] != nil else { return }
        unsafe held[buffer] = ConnectionWatch.now + Int64(limits.idleMilliseconds)
    }

    /// Lets go of what libevent has freed, and ends what is late.
    func look() {
        let now = ConnectionWatch.now
        let buffers = unsafe Array(held.keys)
        for index in unsafe buffers.indices {
            let buffer = unsafe buffers[index]
            var context: UnsafeMutableRawPointer?
            unsafe bufferevent_getcb(buffer, nil, nil, nil, &context)
            if unsafe context == nil {
                unsafe held[buffer] = nil
                _ = unsafe bufferevent_decref(buffer)
            } else if let deadline = unsafe held[buffer], deadline <= now {
                // libevent sees the end and frees its connection.
                _ = unsafe shutdown(bufferevent_getfd(buffer), Int32(SHUT_RDWR))
            }
        }
        if unsafe held.count < limits.connections { unsafe evconnlistener_enable(listener) }
    }

    /// Once libevent has freed the server, and the listener with it.
    func releaseAll() {
        let buffers = unsafe Array(held.keys)
        for index in unsafe buffers.indices { _ = unsafe bufferevent_decref(buffers[index]) }
        unsafe held = [:]
    }

    private static var now: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
