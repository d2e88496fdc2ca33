import Foundation
import TestSupport

/// A plain TCP connection to the loopback, blocking, with a limit on every wait.
final class Connection {
    private let descriptor: Int32

    init(port: UInt16, seconds: Int = 5) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var wait = timeval(tv_sec: Int(Double(seconds) * hangFactor), tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        guard Connection.with(port: port, { connect(descriptor, $0, $1) }) == 0 else {
            close(descriptor)
            throw ProcessFailure(description: "nobody listens on \(port)")
        }
    }

    deinit { close(descriptor) }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var at = 0
        while at < bytes.count {
            let count = bytes[at...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            at += count
        }
        return true
    }

    enum Received: Equatable {
        case bytes([UInt8])
        case closed, nothing
    }

    /// What comes next; `.nothing` where nobody spoke within the limit.
    func receive() -> Received {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        if count > 0 { return .bytes(Array(bytes[..<count])) }
        return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? .nothing : .closed
    }

    /// Everything until the other side closes; nil where it does not within the limit.
    func receiveToEnd() -> [UInt8]? {
        var all: [UInt8] = []
        while true {
            switch receive() {
            case .bytes(let bytes): all += bytes
            case .closed: return all
            case .nothing: return nil
            }
        }
    }

    /// A GET over HTTP/1.1: the whole answer as text, or nil where nobody answers.
    static func get(_ path: String, port: UInt16) throws -> String? {
        guard let connection = try? Connection(port: port) else { return nil }
        connection.send(Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8))
        return connection.receiveToEnd().map { String(decoding: $0, as: UTF8.self) }
    }

    static func canBind(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        return with(port: port, { bind(descriptor, $0, $1) }) == 0
    }

    static func with<Result>(
        host: UInt32 = INADDR_LOOPBACK, port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = host.bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
