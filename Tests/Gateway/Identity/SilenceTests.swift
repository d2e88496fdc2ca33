import Foundation
import Synchronization
import Testing
import TidegateCore
import TidegateCrypto
import TidegateIdentity

/// Takes what is logged.
private final class Lines: Sendable {
    private let state = Mutex<[UInt8]>([])
    var text: String { String(decoding: state.withLock { $0 }, as: UTF8.self) }
    func take(_ line: [UInt8]) { state.withLock { $0 += line } }
}

@Suite struct SilenceTests {
    @Test func `no log line and no reason holds a token, a part of one, or a claim`() async throws {
        let key = try #require(SigningKey())
        let other = try #require(SigningKey())
        let issuer = IssuerFixture(keys: [("one", key)])
        let lines = Lines()
        let verifier = TokenVerifier(
            [IssuerSettings(issuer: IssuerFixture.name, audience: "tidegate")],
            log: Log(minimum: .debug, sink: { lines.take($0) }), clock: { issuer.now },
            fetch: { try await issuer.fetch($0) })
        let header = #"{"alg":"ES256","kid":"one"}"#
        let claims = [
            issuer.claims(["sub": #""confidential""#, "aud": #""confidential""#]),
            issuer.claims(["iss": #""confidential""#]), issuer.claims(["exp": #""confidential""#]),
            issuer.claims(["sub": #"["confidential"]"#]), "confidential",
        ]
        var tokens = try claims.map { try compact(header, $0, key) }
        tokens.append(try compact(header, issuer.claims(["sub": #""confidential""#]), other))
        tokens.append(try compact(#"{"alg":"confidential"}"#, issuer.claims(), key))
        tokens.append(try compact(#"{"alg":"ES256","kid":"confidential"}"#, issuer.claims(), key))
        tokens.append(Array("confidential.confidential.confidential".utf8))
        tokens.append([UInt8](repeating: 0xC3, count: 400))
        issuer.goAway()
        // Once while the keys cannot be had, then with them.
        for isAway in [true, false] {
            issuer.goAway(isAway)
            issuer.advance(seconds: 10)
            for token in tokens {
                guard case .failure(let rejection) = await outcome(verifier, token) else {
                    Issue.record("a token that does not hold was accepted")
                    continue
                }
                let told = rejection.description + "\(rejection)" + lines.text
                #expect(!told.contains("confidential"))
                for part in String(decoding: token, as: UTF8.self).split(separator: ".") where part.count > 8 {
                    #expect(!told.contains(part), "a token's part is told")
                }
            }
        }
        #expect(lines.text.contains("issuer's keys cannot be fetched"), "the log was looked at")
    }
}
