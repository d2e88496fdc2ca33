import Foundation
import Testing
import TidegateCore
import TidegateCrypto
import TidegateIdentity

@Suite struct KeySourceTests {
    let first: SigningKey
    let second: SigningKey
    let issuer: IssuerFixture

    init() throws {
        first = try #require(SigningKey())
        second = try #require(SigningKey())
        issuer = IssuerFixture(keys: [("one", first)])
    }

    private func token(_ id: String, _ key: SigningKey) throws -> [UInt8] {
        try compact(#"{"alg":"ES256","kid":"\#(id)"}"#, issuer.claims(), key)
    }

    @Test func `a rotated key is found by one fetch`() async throws {
        let verifier = issuer.verifier()
        _ = try await verifier.verify(try token("one", first))
        issuer.rotate(to: [("one", first), ("two", second)])
        issuer.advance(seconds: 5)
        _ = try await verifier.verify(try token("two", second))
        #expect(issuer.fetches == 2)
    }

    @Test func `unknown key ids cause a fetch every five seconds at most`() async throws {
        let verifier = issuer.verifier()
        _ = try await verifier.verify(try token("one", first))
        for index in 0..<50 {
            #expect(await outcome(verifier, try token("unknown-\(index)", second)) == .failure(.unknownKey))
        }
        #expect(issuer.fetches == 1)
        issuer.advance(seconds: 5)
        for index in 0..<50 {
            #expect(await outcome(verifier, try token("unknown-\(index)", second)) == .failure(.unknownKey))
        }
        #expect(issuer.fetches == 2)
    }

    @Test func `a key that the issuer took back is no longer accepted after a fetch`() async throws {
        let verifier = issuer.verifier()
        _ = try await verifier.verify(try token("one", first))
        issuer.rotate(to: [("two", second)])
        issuer.advance(seconds: 5)
        _ = try await verifier.verify(try token("two", second))
        #expect(await outcome(verifier, try token("one", first)) == .failure(.unknownKey))
    }

    @Test func `keys outlive an outage for a day and no longer`() async throws {
        let verifier = issuer.verifier()
        _ = try await verifier.verify(try token("one", first))
        issuer.goAway()
        issuer.advance(seconds: 86_399)
        _ = try await verifier.verify(try token("one", first))
        issuer.advance(seconds: 1)
        #expect(await outcome(verifier, try token("one", first)) == .failure(.keysUnavailable))
        issuer.goAway(false)
        issuer.advance(seconds: 10)
        _ = try await verifier.verify(try token("one", first))
    }

    @Test func `without any keys a token is refused`() async throws {
        issuer.goAway()
        #expect(await outcome(issuer.verifier(), try token("one", first)) == .failure(.keysUnavailable))
    }

    @Test func `keys come from a file too`() async throws {
        let path = FileManager.default.temporaryDirectory.path + "/tidegate-keys-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(try await issuer.fetch("/keys")).write(to: URL(fileURLWithPath: path))
        let verifier = issuer.verifier([
            IssuerSettings(issuer: IssuerFixture.name, audience: "tidegate", keys: .file(path))
        ])
        let before = issuer.fetches
        _ = try await verifier.verify(try token("one", first))
        #expect(issuer.fetches == before)
    }

    @Test func `a discovery document of another issuer, or one that leaves https, gives no keys`() async throws {
        for document in [
            #"{"issuer":"https://evil.example.com","jwks_uri":"https://idp.example.com/keys"}"#,
            #"{"issuer":"https://idp.example.com","jwks_uri":"http://idp.example.com/keys"}"#,
            #"{"issuer":"https://idp.example.com","jwks_uri":"file:///etc/keys"}"#,
        ] {
            let verifier = TokenVerifier(
                [IssuerSettings(issuer: IssuerFixture.name, audience: "tidegate")],
                log: Log(minimum: .error, sink: { _ in }), clock: { [issuer] in issuer.now },
                fetch: { [issuer] url in
                    url.hasSuffix("openid-configuration") ? Array(document.utf8) : try await issuer.fetch(url)
                })
            #expect(await outcome(verifier, try token("one", first)) == .failure(.keysUnavailable))
        }
    }
}
