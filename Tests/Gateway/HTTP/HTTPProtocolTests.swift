import Foundation
import Synchronization
import Testing
import TidegateHTTP

@Suite struct HTTPProtocolTests {
    /// Counts the requests that reached the handler.
    private final class Handled: Sendable {
        private let state = Mutex(0)
        var count: Int { state.withLock { $0 } }
        func rise() { state.withLock { $0 += 1 } }
    }
    private let handled = Handled()

    private func server() throws -> HTTPServer {
        let handled = handled
        return try HTTPServer(host: "127.0.0.1", port: 0) { request in
            handled.rise()
            return HTTPResponse(
                status: 200, contentType: "text/plain", headers: ["X-Seen": request.headers["x-mark"] ?? "none"],
                body: Array("\(request.method) \(request.body.count)".utf8))
        }
    }

    /// What the server says to one request on a connection of its own.
    private func answer(_ port: UInt16, _ request: String) throws -> String {
        let connection = try RawConnection(port: port)
        connection.send(request)
        return connection.readToEnd()
    }

    private let end = "Host: a\r\nConnection: close\r\n"

    @Test func `GET and POST reach the handler with headers and body`() throws {
        let server = try server()
        defer { server.stop() }
        let got = try answer(server.port, "GET / HTTP/1.1\r\n\(end)X-Mark: seven\r\n\r\n")
        #expect(got.hasPrefix("HTTP/1.1 200 "))
        #expect(got.hasSuffix("\r\n\r\nGET 0"))
        #expect(got.contains("X-Seen: seven\r\n"))
        #expect(got.contains("X-Content-Type-Options: nosniff\r\n"))
        let posted = try answer(server.port, "POST / HTTP/1.1\r\n\(end)Content-Length: 5\r\n\r\nhello")
        #expect(posted.hasSuffix("\r\n\r\nPOST 5"))
        let chunked = try answer(
            server.port, "POST / HTTP/1.1\r\n\(end)Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n")
        #expect(chunked.hasSuffix("\r\n\r\nPOST 6"))
    }

    @Test func `HEAD has no body`() throws {
        let server = try server()
        defer { server.stop() }
        let got = try answer(server.port, "HEAD / HTTP/1.1\r\n\(end)\r\n")
        #expect(got.hasPrefix("HTTP/1.1 200 "))
        #expect(got.hasSuffix("\r\n\r\n"))
        #expect(got.contains("Content-Length: 6\r\n"))
        // On a connection that stays open, the next answer begins where this one ends.
        let both = try answer(server.port, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\(end)\r\n")
        let answers = both.components(separatedBy: "\r\n\r\n")
        #expect(answers.count == 3)
        #expect(answers[1].hasPrefix("HTTP/1.1 200 "))
        #expect(answers.last == "GET 0")
    }

    @Test func `a body beyond a mebibyte is refused, announced or in chunks, and one of a mebibyte is not`() throws {
        let server = try server()
        defer { server.stop() }
        let announced = try answer(server.port, "POST / HTTP/1.1\r\n\(end)Content-Length: 1048577\r\n\r\n")
        #expect(announced.hasPrefix("HTTP/1.1 413 "), "\(announced.prefix(40))")
        let giant = try answer(server.port, "POST / HTTP/1.1\r\n\(end)Content-Length: 99999999999999999999\r\n\r\n")
        #expect(!giant.hasPrefix("HTTP/1.1 2"))
        let chunk = String(repeating: "a", count: 0x40000)
        let chunks = String(repeating: "40000\r\n\(chunk)\r\n", count: 5)
        let chunked = try answer(
            server.port, "POST / HTTP/1.1\r\n\(end)Transfer-Encoding: chunked\r\n\r\n\(chunks)0\r\n\r\n")
        #expect(!chunked.hasPrefix("HTTP/1.1 2"))
        #expect(handled.count == 0)
        let whole = String(repeating: "a", count: 1 << 20)
        let taken = try answer(server.port, "POST / HTTP/1.1\r\n\(end)Content-Length: 1048576\r\n\r\n\(whole)")
        #expect(taken.hasSuffix("\r\n\r\nPOST 1048576"))
    }

    @Test func `other methods, giant headers and garbage do not reach the handler`() throws {
        let server = try server()
        defer { server.stop() }
        for request in [
            "DELETE / HTTP/1.1\r\n\(end)\r\n", "CONNECT a:1 HTTP/1.1\r\n\(end)\r\n", "\0\0\0\0\r\n\r\n",
            "GET / HTTP/1.1\r\nX: \(String(repeating: "a", count: 20_000))\r\n\(end)\r\n", "GET\r\n\r\n",
        ] {
            #expect(!(try answer(server.port, request)).hasPrefix("HTTP/1.1 2"), "\(request.prefix(20))")
        }
        #expect(handled.count == 0)
        #expect(try answer(server.port, "GET / HTTP/1.1\r\n\(end)\r\n").hasSuffix("GET 0"), "and it serves on")
    }

    @Test func `a client gives up on a server that says nothing`() async throws {
        let silent = try SilentPort()
        let failure = await #expect(throws: HTTPClient.Failure.self) {
            try await HTTPClient(timeoutMilliseconds: 300).get("http://127.0.0.1:\(silent.port)/")
        }
        #expect(failure?.description.hasPrefix("http://127.0.0.1:\(silent.port)/: ") == true)
    }

    @Test func `a missing file of authorities is a failure, not the system's authorities`() async {
        await #expect(throws: HTTPClient.Failure.self) {
            try await HTTPClient(caFile: "/nonexistent/ca.pem").get("https://127.0.0.1:9/")
        }
    }

    @Test func `a server stops while a client holds a connection open`() throws {
        let server = try server()
        let idle = try RawConnection(port: server.port)
        idle.send("GET / HTTP/1.1\r\nHost: a\r\n")
        server.stop()
        #expect(idle.readToEnd() == "")
    }

    @Test(arguments: ["not-an-address", "256.0.0.1"])
    func `an address that cannot be bound is an error`(_ host: String) {
        #expect(throws: HTTPServer.Failure.self) {
            try HTTPServer(host: host, port: 0) { _ in HTTPResponse(status: 200, contentType: "a/b", body: []) }.stop()
        }
    }
}
