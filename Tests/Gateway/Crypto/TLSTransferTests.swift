import Foundation
import Testing
import TidegateCrypto

/// Sessions in pairs, beyond one handshake: volume, silence, and what either side may see of the other's end.
@Suite struct TLSTransferTests {
    private static let made = Result { try CertificateFixture() }
    let files: CertificateFixture
    init() throws { files = try TLSTransferTests.made.get() }

    private func pair(
        clients: TLSServerContext.ClientCertificate = .none, showing certificate: String? = nil
    ) throws -> (client: TLSSession, server: TLSSession) {
        let context = try TLSServerContext(
            certificate: files.path("server.pem"), key: files.path("server.key"),
            clientCA: clients == .none ? nil : files.path("ca.pem"), clients: clients)
        let client = try TLSClientContext(
            ca: files.path("ca.pem"), certificate: certificate.map { files.path("\($0).pem") },
            key: certificate.map { files.path("\($0).key") })
        return (
            try #require(TLSSession(client: client, serverName: "broker.example.com")),
            try #require(TLSSession(server: context))
        )
    }

    private func carry(_ from: TLSSession, _ to: TLSSession) -> Int {
        var bytes: [UInt8] = []
        from.drain { span in span.withUnsafeBytes { bytes += Array($0) } }
        to.receive(ciphertext: bytes.span.bytes)
        return bytes.count
    }

    /// Both sides' last outcomes.
    private func shake(_ pair: (client: TLSSession, server: TLSSession)) -> (TLSSession.Outcome, TLSSession.Outcome) {
        var outcomes = (pair.client.handshake(), TLSSession.Outcome.wantsMore)
        for _ in 0..<6 {
            _ = carry(pair.client, pair.server)
            outcomes.1 = pair.server.handshake()
            _ = carry(pair.server, pair.client)
            outcomes.0 = pair.client.handshake()
        }
        return outcomes
    }

    private func write(_ session: TLSSession, _ bytes: ArraySlice<UInt8>) -> TLSSession.Outcome {
        let bytes = Array(bytes)
        return session.write(bytes.span.bytes)
    }

    private func read(_ session: TLSSession) -> (bytes: [UInt8], end: TLSSession.Outcome) {
        var result: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 32768)
        while true {
            let outcome = buffer.withUnsafeMutableBytes { session.read(into: $0) }
            guard case .bytes(let count) = outcome, count > 0 else { return (result, outcome) }
            result += buffer[..<count]
        }
    }

    @Test func `ten megabytes arrive whole each way, and nothing waits behind`() throws {
        let pair = try pair()
        #expect(shake(pair) == (.bytes(0), .bytes(0)))
        let sent = (0..<10_000_000).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 11) }
        for (from, to) in [(pair.client, pair.server), (pair.server, pair.client)] {
            var received: [UInt8] = []
            received.reserveCapacity(sent.count)
            for start in stride(from: 0, to: sent.count, by: 300_000) {
                let part = sent[start..<min(sent.count, start + 300_000)]
                #expect(write(from, part) == .bytes(part.count))
                #expect(carry(from, to) > part.count)
                let (bytes, end) = read(to)
                #expect(end == .wantsMore)
                received += bytes
            }
            #expect(received == sent)
            #expect(!from.hasOutput)
        }
    }

    @Test func `nothing in, nothing out`() throws {
        let pair = try pair()
        _ = shake(pair)
        #expect(write(pair.client, []) == .bytes(0))
        #expect(!pair.client.hasOutput)
        let empty: [UInt8] = []
        pair.client.receive(ciphertext: empty.span.bytes)
        #expect(read(pair.client).end == .wantsMore)
    }

    @Test func `each side closes for itself, and what was written before arrives first`() throws {
        let pair = try pair()
        _ = shake(pair)
        #expect(write(pair.client, [1, 2, 3]) == .bytes(3))
        pair.client.close()
        _ = carry(pair.client, pair.server)
        let (bytes, end) = read(pair.server)
        #expect(bytes == [1, 2, 3])
        #expect(end == .closed)
        #expect(write(pair.server, [4, 5]) == .bytes(2), "half-closed: the answer may still go out")
        pair.server.close()
        _ = carry(pair.server, pair.client)
        let answer = read(pair.client)
        #expect(answer.bytes == [4, 5])
        #expect(answer.end == .closed)
    }

    @Test func `a client certificate of another authority is refused where one is optional, too`() throws {
        for clients in [TLSServerContext.ClientCertificate.optional, .required] {
            let stranger = try pair(clients: clients, showing: "other-ca")
            guard case .failed(let reason) = shake(stranger).1 else {
                Issue.record("accepted")
                continue
            }
            #expect(reason.hasPrefix("certificate: "), "\(reason)")
            #expect(stranger.server.peerSubject == nil || !stranger.server.isEstablished)
        }
    }

    @Test func `certificates of clients without an authority to check them by are no configuration`() throws {
        for clients in [TLSServerContext.ClientCertificate.optional, .required] {
            #expect(throws: TLSConfigurationError.self) {
                _ = try TLSServerContext(
                    certificate: files.path("server.pem"), key: files.path("server.key"), clients: clients)
            }
        }
        #expect(throws: TLSConfigurationError.self) {
            _ = try TLSServerContext(
                certificate: files.path("server.pem"), key: files.path("server.key"),
                clientCA: files.path("none.pem"), clients: .required)
        }
        #expect(throws: TLSConfigurationError.self) {
            _ = try TLSClientContext(ca: files.path("ca.pem"), certificate: files.path("client.pem"))
        }
        #expect(throws: TLSConfigurationError.self) { _ = try TLSClientContext(ca: files.path("server.key")) }
    }

    @Test func `flipping any one byte of a record is noticed`() throws {
        for place in [0, 3, 5, 12, 20] {
            let pair = try pair()
            _ = shake(pair)
            _ = write(pair.client, [7, 7, 7, 7])
            var bytes: [UInt8] = []
            pair.client.drain { span in span.withUnsafeBytes { bytes += Array($0) } }
            bytes[place] ^= 0x55
            pair.server.receive(ciphertext: bytes.span.bytes)
            let (plain, end) = read(pair.server)
            #expect(plain == [])
            if end != .wantsMore {
                guard case .failed = end else {
                    Issue.record("\(end)")
                    continue
                }
            }
        }
    }
}
