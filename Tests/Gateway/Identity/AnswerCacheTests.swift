import Synchronization
import Testing
import TidegateCore
import TidegateCrypto
import TidegateIdentity

private final class Count: Sendable {
    private let state = Mutex(0)
    var value: Int { state.withLock { $0 } }
    func rise() { state.withLock { $0 += 1 } }
}

@Suite struct AnswerCacheTests {
    let key: SigningKey
    let issuer: IssuerFixture
    let verifier: TokenVerifier

    init() throws {
        key = try #require(SigningKey())
        issuer = IssuerFixture(keys: [("one", key)])
        verifier = issuer.verifier()
    }

    /// Asks from `sessions` connections at once, waits until each was woken, and asks again.
    private func ask(_ token: [UInt8], sessions: Int = 1) async -> (wakes: Int, answer: Authentication) {
        let wakes = Count()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<sessions {
                let (verifier, issuer) = (self.verifier, self.issuer)
                group.addTask {
                    await withCheckedContinuation { continuation in
                        let waker = Waker {
                            wakes.rise()
                            continuation.resume()
                        }
                        switch verifier.authenticate(Credential(secret: token), now: issuer.now, waker: waker) {
                        case .notYet: return
                        case .verified, .rejected: continuation.resume()
                        }
                    }
                }
            }
        }
        let again = verifier.authenticate(
            Credential(secret: token), now: issuer.now, waker: Waker { Issue.record("woken though answered") })
        return (wakes.value, again)
    }

    private func token(_ changes: [String: String?] = [:]) throws -> [UInt8] {
        try compact(#"{"alg":"ES256","kid":"one"}"#, issuer.claims(changes), key)
    }

    @Test func `a first question waits, the next is answered at once`() async throws {
        let token = try token()
        guard case (1, .verified(let found)) = await ask(token) else {
            Issue.record("not verified")
            return
        }
        #expect(found.subject == "ana")
        guard case (0, .verified) = await ask(token) else {
            Issue.record("not answered from the cache")
            return
        }
    }

    @Test func `many sessions with one token are each woken once, and keys are fetched once`() async throws {
        guard case (let wakes, .verified) = await ask(try token(), sessions: 200) else {
            Issue.record("not verified")
            return
        }
        #expect((1...200).contains(wakes))
        #expect(issuer.fetches == 1)
    }

    @Test func `a cached answer ends with the token`() async throws {
        let token = try token()
        _ = await ask(token)
        issuer.advance(seconds: 359)
        guard case (0, .verified) = await ask(token) else {
            Issue.record("ended early")
            return
        }
        issuer.advance(seconds: 1)
        guard case (_, .rejected(let reason)) = await ask(token) else {
            Issue.record("outlived the token")
            return
        }
        #expect(reason == TokenRejection.expired.description)
    }

    @Test func `a rejection holds for a few seconds only`() async throws {
        issuer.goAway()
        let token = try token()
        guard case (1, .rejected) = await ask(token), case (0, .rejected) = await ask(token) else {
            Issue.record("not rejected")
            return
        }
        issuer.goAway(false)
        issuer.advance(seconds: 6)
        guard case (1, .verified) = await ask(token) else {
            Issue.record("still rejected")
            return
        }
    }

    @Test func `no reason holds a part of the token`() async throws {
        let token = try token(["sub": #""x""#, "aud": #""secret-audience""#])
        guard case (_, .rejected(let reason)) = await ask(token) else {
            Issue.record("not rejected")
            return
        }
        #expect(!reason.contains("secret"))
        #expect(reason == "the token is for another audience")
    }

    @Test func `a principal stands while its issuer is configured`() async throws {
        let found = try await verifier.verify(try token())
        #expect(verifier.stands(found))
        #expect(!issuer.verifier([IssuerSettings(issuer: "https://b.example.com", audience: "t")]).stands(found))
    }

    @Test func `a cached answer ends with the key behind it`() async throws {
        let other = try #require(SigningKey())
        let token = try token()
        guard case (1, .verified) = await ask(token) else {
            Issue.record("not verified")
            return
        }
        issuer.rotate(to: [("two", other)])
        issuer.advance(seconds: 5)
        _ = try await verifier.verify(try compact(#"{"alg":"ES256","kid":"two"}"#, issuer.claims(), other))
        guard case (1, .rejected(let reason)) = await ask(token) else {
            Issue.record("outlived its key")
            return
        }
        #expect(reason == TokenRejection.unknownKey.description)
    }

    @Test func `a cached answer ends with the age of its issuer's keys, and is given anew when the issuer is back`()
        async throws
    {
        let token = try token(["exp": "\(issuer.now.nanoseconds / 1_000_000_000 + 1_000_000)"])
        _ = await ask(token)
        issuer.goAway()
        issuer.advance(seconds: 86_399)
        guard case (0, .verified) = await ask(token) else {
            Issue.record("ended early")
            return
        }
        issuer.advance(seconds: 6)
        guard case (1, .rejected) = await ask(token) else {
            Issue.record("outlived its issuer's keys")
            return
        }
        issuer.goAway(false)
        issuer.advance(seconds: 6)
        guard case (1, .verified) = await ask(token) else {
            Issue.record("not given anew")
            return
        }
    }

    @Test(.timeLimit(.minutes(5))) func `an issuer that hangs leaves room for the tokens of another`() async throws {
        let (release, released) = AsyncStream.makeStream(of: Void.self)
        let hanging = "https://hanging.example.com"
        let verifier = TokenVerifier(
            [hanging, IssuerFixture.name].map { IssuerSettings(issuer: $0, audience: "tidegate", prefix: $0) },
            log: Log(minimum: .error, sink: { _ in }), clock: { [issuer] in issuer.now },
            fetch: { [issuer] url in
                if url.hasPrefix(hanging) { for await _ in release {} }
                return try await issuer.fetch(url)
            })
        defer { released.finish() }
        let (wakes, woken) = AsyncStream.makeStream(of: Void.self)
        for number in 0..<TokenVerifier.waitingLimit {
            let claims = issuer.claims(["iss": "\"\(hanging)\"", "sub": "\"\(number)\""])
            let token = try compact(#"{"alg":"ES256","kid":"one"}"#, claims, key)
            _ = verifier.authenticate(Credential(secret: token), now: issuer.now, waker: Waker { woken.yield() })
        }
        var count = 0
        for await _ in wakes {
            count += 1
            if count == TokenVerifier.waitingLimit - TokenVerifier.waitingLimitOfIssuer { break }
        }
        let token = try token()
        let answer: Authentication = await withCheckedContinuation { continuation in
            let waker = Waker { [issuer] in
                continuation.resume(
                    returning: verifier.authenticate(Credential(secret: token), now: issuer.now, waker: Waker {}))
            }
            switch verifier.authenticate(Credential(secret: token), now: issuer.now, waker: waker) {
            case .notYet: return
            case let known: continuation.resume(returning: known)
            }
        }
        guard case .verified = answer else {
            Issue.record("not verified: \(answer)")
            return
        }
    }
}
