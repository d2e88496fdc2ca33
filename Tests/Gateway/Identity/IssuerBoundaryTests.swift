import Foundation
import Synchronization
import Testing
import TidegateCore
import TidegateCrypto
import TidegateIdentity

/// What one issuer, one token or one reload must not do to others.
@Suite struct IssuerBoundaryTests {
    let key: SigningKey
    let other: SigningKey
    let issuer: IssuerFixture
    static let second = "https://partner.example.com"

    init() throws {
        key = try #require(SigningKey())
        other = try #require(SigningKey())
        issuer = IssuerFixture(keys: [("one", key)])
    }

    private func token(_ changes: [String: String?] = [:]) throws -> [UInt8] {
        try compact(#"{"alg":"ES256","kid":"one"}"#, issuer.claims(changes), key)
    }

    private func verifier(
        _ issuers: [IssuerSettings], keeping previous: TokenVerifier? = nil,
        fetch: (@Sendable (String) async throws -> [UInt8])? = nil
    ) -> TokenVerifier {
        TokenVerifier(
            issuers, log: Log(minimum: .error, sink: { _ in }), keeping: previous, clock: { [issuer] in issuer.now },
            fetch: fetch ?? { [issuer] in try await issuer.fetch($0) })
    }

    private func settings(
        _ name: String = IssuerFixture.name, prefix: String = "", audience: String = "tidegate",
        keys: IssuerSettings.Keys = .discovery, content: [UInt8]? = nil
    ) -> IssuerSettings {
        IssuerSettings(issuer: name, audience: audience, prefix: prefix, keys: keys, fileContent: content)
    }

    @Test func `an issuer cannot name another issuer's people and groups`() async throws {
        let verifier = verifier([settings(), settings(IssuerBoundaryTests.second, prefix: "partner:")])
        #expect(
            await outcome(verifier, try token(["sub": #""partner:ana""#])) == .failure(.foreignSubject))
        let ana = try await verifier.verify(try token(["groups": #"["partner:owners","readers"]"#]))
        #expect(ana.subject == "ana" && ana.groups == ["readers"])
        let partner = try await verifier.verify(
            try token(["iss": "\"\(IssuerBoundaryTests.second)\"", "groups": #"["owners"]"#]))
        #expect(partner.subject == "partner:ana" && partner.groups == ["partner:owners"])
    }

    @Test func `what was accepted under other settings does not stand`() async throws {
        let before = verifier([settings()])
        let ana = try await before.verify(try token())
        #expect(verifier([settings()]).stands(ana))
        #expect(!verifier([settings(audience: "other")]).stands(ana))
        #expect(!verifier([settings(prefix: "x:")]).stands(ana))
        #expect(!verifier([settings(), settings(IssuerBoundaryTests.second, prefix: "an")]).stands(ana))
        #expect(verifier([settings(prefix: ""), settings(IssuerBoundaryTests.second)]).stands(ana))
    }

    @Test func `a key taken out of a file takes what it signed with it, an added one nothing`() async throws {
        let file = IssuerSettings.Keys.file("/nonexistent/keys.json")
        func content(_ keys: [(id: String?, key: SigningKey)]) async throws -> [UInt8] {
            issuer.rotate(to: keys)
            return try await issuer.fetch("/keys")
        }
        let one = try await content([("one", key)])
        let ana = try await verifier([settings(keys: file, content: one)]).verify(try token())
        let both = try await content([("one", key), ("two", other)])
        #expect(verifier([settings(keys: file, content: both)]).stands(ana))
        let two = try await content([("two", other)])
        #expect(!verifier([settings(keys: file, content: two)]).stands(ana))
    }

    @Test(arguments: ["", "{", #"{"keys":[]}"#, #"{"keys":[{"kty":"oct","k":"AA"}]}"#])
    func `a file that went bad takes no keys away at a reload`(_ bad: String) async throws {
        let file = IssuerSettings.Keys.file("/nonexistent/keys.json")
        let good = try await issuer.fetch("/keys")
        let before = verifier([settings(keys: file, content: good)])
        let ana = try await before.verify(try token())
        let after = verifier([settings(keys: file, content: Array(bad.utf8))], keeping: before)
        _ = try await after.verify(try token())
        #expect(after.stands(ana))
        #expect((KeySet(Array(bad.utf8))?.usableKeys ?? 0) == 0 && KeySet(good)?.usableKeys == 1)
    }

    @Test func `an issuer that fails slowly is asked once a check, and rests after it`() async throws {
        let asked = Mutex(0)
        let issuer = issuer
        let verifier = verifier([settings(keys: .url("https://a/keys"))]) { _ in
            asked.withLock { $0 += 1 }
            issuer.advance(seconds: 6)
            throw IssuerFixture.Away()
        }
        #expect(await outcome(verifier, try token()) == .failure(.keysUnavailable))
        #expect(asked.withLock { $0 } == 1)
        #expect(await outcome(verifier, try token()) == .failure(.keysUnavailable))
        #expect(asked.withLock { $0 } == 1)
    }

    @Test func `tokens in check are bounded while an issuer hangs`() async throws {
        let hangs = Mutex(true)
        let issuer = issuer
        let verifier = verifier([settings()]) { url in
            while hangs.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(20)) }
            return try await issuer.fetch(url)
        }
        defer { hangs.withLock { $0 = false } }
        let text = String(decoding: try token(), as: UTF8.self)
        let unsigned = text.prefix { $0 != "." } + "." + text.split(separator: ".")[1] + "."
        func ask(_ number: Int) -> Authentication {
            let signature = Base64.encodeURL(Array("signature \(number)".utf8))
            return verifier.authenticate(
                Credential(secret: Array((unsigned + signature).utf8)), now: issuer.now, waker: Waker {})
        }
        for number in 0..<TokenVerifier.waitingLimit {
            guard case .notYet = ask(number) else {
                Issue.record("token \(number) does not wait")
                return
            }
        }
        guard case .rejected(let reason) = ask(-1) else {
            Issue.record("one more waits")
            return
        }
        #expect(reason == "too many tokens are being checked")
        // One that is in check already may be waited for.
        guard case .notYet = ask(0) else {
            Issue.record("the first does not wait any more")
            return
        }
    }

    @Test func `rejections push no verified token out`() async throws {
        let verifier = verifier([settings()])
        func answer(_ token: [UInt8]) async -> Authentication {
            await withCheckedContinuation { continuation in
                let waker = Waker { continuation.resume() }
                if case .notYet = verifier.authenticate(Credential(secret: token), now: issuer.now, waker: waker) {
                    return
                }
                continuation.resume()
            }
            return verifier.authenticate(Credential(secret: token), now: issuer.now, waker: Waker {})
        }
        let token = try token()
        guard case .verified = await answer(token) else {
            Issue.record("not verified")
            return
        }
        for number in 0..<2500 { _ = await answer(Array("garbage \(number)".utf8)) }
        let again = verifier.authenticate(Credential(secret: token), now: issuer.now, waker: Waker {})
        guard case .verified = again else {
            Issue.record("forgotten")
            return
        }
    }
}
