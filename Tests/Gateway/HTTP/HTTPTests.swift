import Foundation
import Testing
import TidegateCrypto
import TidegateHTTP

@Suite struct HTTPTests {
    private static func answer(_ request: HTTPRequest) -> HTTPResponse {
        switch request.path {
        case "/large":
            HTTPResponse(status: 200, contentType: "text/plain", body: [UInt8](repeating: 65, count: 100_000))
        case "/said":
            HTTPResponse(
                status: 200, contentType: "text/plain",
                body: Array("\(request.method) \(request.headers["x-word"] ?? "-") ".utf8) + request.body)
        case "/who": HTTPResponse(status: 200, contentType: "text/plain", body: Array(request.clientAddress.utf8))
        case "/moved":
            HTTPResponse(status: 302, contentType: "text/plain", headers: ["Location": "/"], body: [])
        default:
            HTTPResponse(
                status: request.path == "/" ? 200 : 404, contentType: "text/plain",
                body: Array("\(request.method) \(request.path) \(request.query ?? "-")".utf8))
        }
    }

    @Test func `a request arrives with path and query, and its answer with status and body`() async throws {
        let server = try HTTPServer(host: "127.0.0.1", port: 0, handler: HTTPTests.answer)
        defer { server.stop() }
        #expect(server.port != 0)
        let client = HTTPClient()
        let found = try await client.get("http://127.0.0.1:\(server.port)/?a=b")
        #expect(found.status == 200)
        #expect(String(decoding: found.body, as: UTF8.self) == "GET / a=b")
        #expect(try await client.get("http://127.0.0.1:\(server.port)/none").status == 404)
        let who = String(decoding: try await client.get("http://127.0.0.1:\(server.port)/who").body, as: UTF8.self)
        #expect(who.wholeMatch(of: #/127\.0\.0\.1:[1-9][0-9]*/#) != nil)
    }

    @Test func `a body is sent as it is, with the headers that were asked for`() async throws {
        let server = try HTTPServer(host: "127.0.0.1", port: 0, handler: HTTPTests.answer)
        defer { server.stop() }
        let url = "http://127.0.0.1:\(server.port)/said"
        func post(_ headers: [String], _ body: [UInt8]) async throws -> [UInt8] {
            try await HTTPClient().post(url, headers: headers, body: body).body
        }
        let bytes: [UInt8] = [0, 1, 2, 0xff, 13, 10]
        #expect(
            try await post(["X-Word: hello", "Content-Type: text/plain"], bytes) == Array("POST hello ".utf8) + bytes)
        #expect(try await post([], []) == Array("POST - ".utf8))
        let long = [UInt8](repeating: 66, count: 500_000)
        #expect(try await post([], long) == Array("POST - ".utf8) + long)
    }

    @Test func `a redirect is not followed, and an answer beyond the limit is a failure`() async throws {
        let server = try HTTPServer(host: "127.0.0.1", port: 0, handler: HTTPTests.answer)
        defer { server.stop() }
        #expect(try await HTTPClient().get("http://127.0.0.1:\(server.port)/moved").status == 302)
        #expect(try await HTTPClient(limit: 100_000).get("http://127.0.0.1:\(server.port)/large").body.count == 100_000)
        await #expect(throws: HTTPClient.Failure.self) {
            try await HTTPClient(limit: 99_999).get("http://127.0.0.1:\(server.port)/large")
        }
    }

    @Test(arguments: ["file:///etc/hostname", "ftp://127.0.0.1/", "not a url", ""])
    func `only http and https are spoken`(_ url: String) async {
        await #expect(throws: HTTPClient.Failure.self) { try await HTTPClient().get(url) }
    }

    @Test func `a server stops at once, and leaves its port`() async throws {
        for _ in 0..<50 {
            let server = try HTTPServer(host: "127.0.0.1", port: 0, handler: HTTPTests.answer)
            server.stop()
            server.stop()
            await #expect(throws: HTTPClient.Failure.self) {
                try await HTTPClient(timeoutMilliseconds: 1000).get("http://127.0.0.1:\(server.port)/")
            }
        }
    }

    @Test func `a port that is taken is an error`() throws {
        let server = try HTTPServer(host: "127.0.0.1", port: 0, handler: HTTPTests.answer)
        defer { server.stop() }
        #expect(throws: HTTPServer.Failure.self) {
            try HTTPServer(host: "127.0.0.1", port: server.port, handler: HTTPTests.answer)
        }
    }

    /// A folder of its own.
    private static func folder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.path + "/tidegate-http-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    /// Makes a certificate that is its own authority, and its key.
    private static func make(_ name: String, in folder: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=\(name)", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "\(folder)/\(name).key", "-out",
            "\(folder)/\(name).pem",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
    }

    @Test func `a client shows its certificate to a server that asks for one`() async throws {
        let folder = try HTTPTests.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["server", "known", "stranger"] { try HTTPTests.make(name, in: folder) }
        let context = try TLSServerContext(
            certificate: "\(folder)/server.pem", key: "\(folder)/server.key", clientCA: "\(folder)/known.pem",
            clients: .required)
        let server = try HTTPServer(host: "127.0.0.1", port: 0, tls: context, handler: HTTPTests.answer)
        defer { server.stop() }
        let url = "https://127.0.0.1:\(server.port)/"
        func client(_ certificate: String, _ key: String) -> HTTPClient {
            HTTPClient(
                caFile: "\(folder)/server.pem",
                identity: HTTPClient.Identity(
                    certificateFile: "\(folder)/\(certificate).pem", keyFile: "\(folder)/\(key).key"))
        }
        #expect(try await client("known", "known").get(url).status == 200)
        let refused = [
            HTTPClient(caFile: "\(folder)/server.pem"), client("stranger", "stranger"), client("known", "stranger"),
            client("missing", "known"),
        ]
        for other in refused { #expect(await (try? other.get(url).status) == nil) }
    }

    @Test func `TLS is served, verified, and its certificate replaced`() async throws {
        let folder = try HTTPTests.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func context(_ name: String) throws -> TLSServerContext {
            try HTTPTests.make(name, in: folder)
            return try TLSServerContext(certificate: "\(folder)/\(name).pem", key: "\(folder)/\(name).key")
        }
        let server = try HTTPServer(host: "127.0.0.1", port: 0, tls: try context("one"), handler: HTTPTests.answer)
        defer { server.stop() }
        let (one, two) = (HTTPClient(caFile: "\(folder)/one.pem"), HTTPClient(caFile: "\(folder)/two.pem"))
        let url = "https://127.0.0.1:\(server.port)/"
        #expect(try await one.get(url).status == 200)
        server.replace(tls: try context("two"))
        #expect(try await two.get(url).status == 200)
        await #expect(throws: HTTPClient.Failure.self) { try await one.get(url) }
        await #expect(throws: HTTPClient.Failure.self) { try await one.get("http://127.0.0.1:\(server.port)/") }
    }
}
