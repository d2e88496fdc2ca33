import Foundation
import Testing
import TidegateHTTP

@Suite struct HTTPLimitTests {
    private let end = "Host: a\r\nConnection: close\r\n\r\n"

    private func server(_ change: (inout HTTPServer.Limits) -> Void) throws -> HTTPServer {
        var limits = HTTPServer.Limits()
        change(&limits)
        return try HTTPServer(host: "127.0.0.1", port: 0, limits: limits) { request in
            HTTPResponse(status: 200, contentType: "text/plain", body: Array("read \(request.body.count)".utf8))
        }
    }

    @Test func `a client that sends a byte now and then is ended`() throws {
        let server = try server { $0.requestMilliseconds = 200 }
        defer { server.stop() }
        let slow = try RawConnection(port: server.port)
        slow.send("GET / HTTP/1.1\r\nX: ")
        #expect(slow.tricklesUntilTheEnd())
        let next = try RawConnection(port: server.port)
        next.send("GET / HTTP/1.1\r\n\(end)")
        #expect(next.readToEnd().hasSuffix("read 0"))
    }

    @Test func `connections beyond the limit wait until one has ended`() throws {
        let server = try server {
            $0.connections = 2
            $0.requestMilliseconds = 600
        }
        defer { server.stop() }
        let started = DispatchTime.now()
        let held = try (0..<2).map { _ in try RawConnection(port: server.port) }
        for connection in held { connection.send("GET / HTTP/1.1\r\n") }
        for _ in 0..<20 {
            let next = try RawConnection(port: server.port)
            next.send("GET / HTTP/1.1\r\n\(end)")
            #expect(next.readToEnd().hasSuffix("read 0"))
        }
        #expect(DispatchTime.now() > started + .milliseconds(500))
        withExtendedLifetime(held) {}
    }

    @Test func `a body where none is taken is refused`() throws {
        let server = try server { $0.bodyBytes = 0 }
        defer { server.stop() }
        func answer(_ request: String) throws -> String {
            let connection = try RawConnection(port: server.port)
            connection.send(request)
            return connection.readToEnd()
        }
        #expect(try answer("GET / HTTP/1.1\r\n\(end)").hasSuffix("read 0"))
        #expect(try answer("POST / HTTP/1.1\r\nContent-Length: 1\r\n\(end)x").hasPrefix("HTTP/1.1 413 "))
    }
}
