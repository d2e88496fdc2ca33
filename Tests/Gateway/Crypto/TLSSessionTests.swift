import Foundation
import Testing
import TidegateCrypto

@Suite struct TLSSessionTests {
    private static let made = Result { try CertificateFixture() }
    let files: CertificateFixture
    init() throws { files = try TLSSessionTests.made.get() }

    private func server(
        _ name: String = "server", clients: TLSServerContext.ClientCertificate = .none, protocols: [String] = []
    ) throws -> TLSSession {
        let context = try TLSServerContext(
            certificate: files.path("\(name).pem"), key: files.path("\(name).key"),
            clientCA: clients == .none ? nil : files.path("ca.pem"), clients: clients, applicationProtocols: protocols)
        return try #require(TLSSession(server: context))
    }

    private func client(
        ca: String = "ca", name: String = "broker.example.com", certificate: String? = nil, verifies: Bool = true
    ) throws -> TLSSession {
        let context = try TLSClientContext(
            ca: files.path("\(ca).pem"), certificate: certificate.map { files.path("\($0).pem") },
            key: certificate.map { files.path("\($0).key") }, verifies: verifies)
        return try #require(TLSSession(client: context, serverName: name))
    }

    /// Carries ciphertext from one side to the other in pieces of at most `piece` bytes.
    private func carry(_ from: TLSSession, _ to: TLSSession, piece: Int = .max) {
        var bytes: [UInt8] = []
        from.drain { span in span.withUnsafeBytes { bytes += Array($0) } }
        var at = 0
        while at < bytes.count {
            let part = Array(bytes[at..<min(bytes.count, at + min(piece, bytes.count))])
            to.receive(ciphertext: part.span.bytes)
            if piece != .max { _ = to.handshake() }
            at += part.count
        }
    }

    /// Both sides' outcomes after a handshake.
    private func handshake(
        _ client: TLSSession, _ server: TLSSession, piece: Int = .max
    ) -> (client: TLSSession.Outcome, server: TLSSession.Outcome) {
        var outcomes = (client.handshake(), server.handshake())
        for _ in 0..<8 {
            carry(client, server, piece: piece)
            outcomes.1 = server.handshake()
            carry(server, client, piece: piece)
            outcomes.0 = client.handshake()
        }
        return outcomes
    }

    private func read(_ session: TLSSession) -> (bytes: [UInt8], end: TLSSession.Outcome) {
        var result: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 5000)
        while true {
            let outcome = buffer.withUnsafeMutableBytes { session.read(into: $0) }
            guard case .bytes(let count) = outcome, count > 0 else { return (result, outcome) }
            result += buffer[..<count]
        }
    }

    private func write(_ session: TLSSession, _ bytes: [UInt8]) -> TLSSession.Outcome {
        session.write(bytes.span.bytes)
    }

    private func isFailure(_ outcome: TLSSession.Outcome, _ part: String) -> Bool {
        if case .failed(let reason) = outcome { reason.contains(part) } else { false }
    }

    @Test(arguments: [Int.max, 1, 7])
    func `a handshake and a large transfer arrive whole in any pieces`(_ piece: Int) throws {
        let (client, server) = (try client(), try server())
        let outcomes = handshake(client, server, piece: piece)
        #expect(outcomes.client == .bytes(0))
        #expect(outcomes.server == .bytes(0))
        #expect(server.serverName == "broker.example.com")
        let sent = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(write(client, sent) == .bytes(sent.count))
        carry(client, server, piece: piece)
        let received = read(server)
        #expect(received.bytes == sent)
        #expect(received.end == .wantsMore)
        client.close()
        carry(client, server)
        #expect(read(server).end == .closed)
    }

    @Test func `an address is verified as an address`() throws {
        #expect(handshake(try client(name: "127.0.0.1"), try server()).client == .bytes(0))
        #expect(isFailure(handshake(try client(name: "127.0.0.2"), try server()).client, "IP address mismatch"))
    }

    @Test(arguments: [
        ("server", "ca", "other.example.com", "ostname mismatch"),
        ("server", "other-ca", "broker.example.com", "issuer"),
        ("expired", "ca", "broker.example.com", "expired"),
    ])
    func `a certificate that does not hold ends the handshake`(
        _ certificate: String, _ ca: String, _ name: String, _ reason: String
    ) throws {
        let (client, server) = (try client(ca: ca, name: name), try server(certificate))
        let outcomes = handshake(client, server)
        #expect(isFailure(outcomes.client, reason), "\(outcomes.client)")
        #expect(!client.isEstablished)
    }

    @Test func `without verification any certificate will do`() throws {
        #expect(
            handshake(try client(ca: "other-ca", name: "x", verifies: false), try server("expired")).client == .bytes(0)
        )
    }

    @Test func `an empty server name makes no session`() throws {
        let context = try TLSClientContext(ca: files.path("ca.pem"))
        let made = ["", "broker.example.com\0.evil"].map { TLSSession(client: context, serverName: $0) != nil }
        #expect(made == [false, false])
    }

    @Test func `a required client certificate names its subject, and its lack ends the handshake`() throws {
        let (known, server) = (try client(certificate: "client"), try server(clients: .required))
        #expect(handshake(known, server).server == .bytes(0))
        #expect(server.peerSubject == "CN=ana,O=Example\\, Inc")
        let refusing = try self.server(clients: .required)
        let refused = handshake(try client(), refusing).server
        #expect(isFailure(refused, "did not return a certificate"), "\(refused)")
        let optional = try self.server(clients: .optional)
        #expect(handshake(try client(), optional).server == .bytes(0))
        #expect(optional.peerSubject == nil)
    }

    @Test func `application protocols bind only who offers some`() throws {
        let server = try server(protocols: ["postgresql"])
        #expect(handshake(try client(), server).server == .bytes(0))
        #expect(server.applicationProtocol == nil)
    }

    @Test func `what is no TLS is a failure, not a trap`() throws {
        for garbage in [
            Array("GET / HTTP/1.1\r\n\r\n".utf8), [0, 0, 0, 30, 0, 18, 0, 3], [UInt8](repeating: 0xFF, count: 70_000),
        ] {
            let server = try server()
            server.receive(ciphertext: garbage.span.bytes)
            #expect(isFailure(server.handshake(), "TLS failure"))
            #expect(isFailure(read(server).end, "TLS failure"))
        }
        let broken = (try client(), try server())
        _ = handshake(broken.0, broken.1)
        let record: [UInt8] = [23, 3, 3, 0, 20] + [UInt8](repeating: 7, count: 20)
        broken.1.receive(ciphertext: record.span.bytes)
        #expect(isFailure(read(broken.1).end, "bad record mac"))
    }

    @Test func `a file that is missing, is no PEM or does not fit is named`() throws {
        let (certificate, key) = (files.path("server.pem"), files.path("server.key"))
        func reason(_ certificate: String, _ key: String) -> TLSConfigurationError? {
            do throws(TLSConfigurationError) {
                _ = try TLSServerContext(certificate: certificate, key: key)
                return nil
            } catch { return error }
        }
        #expect(reason(certificate, key) == nil)
        #expect(
            reason(files.path("none.pem"), key)
                == TLSConfigurationError(file: files.path("none.pem"), reason: "No such file or directory"))
        #expect(reason(files.path("server.ext"), key)?.reason.hasPrefix("holds no PEM certificate") == true)
        #expect(reason(certificate, files.path("client.key"))?.file == files.path("client.key"))
        try files.openssl("ec", "-in", key, "-aes128", "-passout", "pass:x", "-out", files.path("locked.key"))
        #expect(reason(certificate, files.path("locked.key"))?.file == files.path("locked.key"))
    }
}
