import Foundation
import Synchronization
import Testing
import TidegateCore
import TidegateCrypto
import TidegateIdentity

@Suite struct KeyRotationTests {
    let first: SigningKey
    let second: SigningKey
    let issuer: IssuerFixture

    init() throws {
        first = try #require(SigningKey())
        second = try #require(SigningKey())
        issuer = IssuerFixture(keys: [("one", first)])
    }

    private func token(_ id: String?, _ key: SigningKey) throws -> [UInt8] {
        let id = id.map { #","kid":"\#($0)""# } ?? ""
        return try compact(#"{"alg":"ES256"\#(id)}"#, issuer.claims(), key)
    }

    @Test func `a key file is read again once it was replaced`() async throws {
        let path = FileManager.default.temporaryDirectory.path + "/tidegate-keys-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        func write() async throws {
            try Data(try await issuer.fetch("/keys")).write(to: URL(fileURLWithPath: path), options: .atomic)
        }
        try await write()
        let verifier = issuer.verifier([
            IssuerSettings(issuer: IssuerFixture.name, audience: "tidegate", keys: .file(path))
        ])
        _ = try await verifier.verify(try token("one", first))
        issuer.rotate(to: [("two", second)])
        try await write()
        issuer.advance(seconds: 5)
        _ = try await verifier.verify(try token("two", second))
        #expect(await outcome(verifier, try token("one", first)) == .failure(.unknownKey))
        // A file that went bad does not take the keys away.
        for bad in ["{", #"{"keys":[]}"#, #"{"keys":[{"kty":"oct","k":"AA"}]}"#] {
            try Data(bad.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            issuer.advance(seconds: 3600)
            #expect(await outcome(verifier, try token("three", first)) == .failure(.unknownKey))
            _ = try await verifier.verify(try token("two", second))
        }
    }

    @Test func `a reload while the issuer is away keeps the keys, but not those of another audience's settings`()
        async throws
    {
        let before = issuer.verifier()
        _ = try await before.verify(try token("one", first))
        issuer.goAway()
        func reloaded(audience: String) -> TokenVerifier {
            TokenVerifier(
                [IssuerSettings(issuer: IssuerFixture.name, audience: audience)],
                log: Log(minimum: .error, sink: { _ in }),
                keeping: before, clock: { [issuer] in issuer.now }, fetch: issuer.fetch)
        }
        _ = try await reloaded(audience: "tidegate").verify(try token("one", first))
        #expect(await outcome(reloaded(audience: "other"), try token("one", first)) == .failure(.keysUnavailable))
    }

    @Test func `keys without ids rotate too, with a fetch every five seconds at most`() async throws {
        issuer.rotate(to: [(nil, first)])
        let verifier = issuer.verifier()
        _ = try await verifier.verify(try token(nil, first))
        issuer.rotate(to: [(nil, second)])
        #expect(await outcome(verifier, try token(nil, second)) == .failure(.badSignature))
        #expect(issuer.fetches == 1)
        issuer.advance(seconds: 5)
        _ = try await verifier.verify(try token(nil, second))
        #expect(issuer.fetches == 2)
    }

    @Test(.timeLimit(.minutes(5))) func `an issuer that hangs slows nobody whose key is known`() async throws {
        let hangs = Mutex(false)
        let issuer = issuer
        let verifier = TokenVerifier(
            [IssuerSettings(issuer: IssuerFixture.name, audience: "tidegate")],
            log: Log(minimum: .error, sink: { _ in }),
            clock: { issuer.now },
            fetch: { url in
                while hangs.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(20)) }
                return try await issuer.fetch(url)
            })
        _ = try await verifier.verify(try token("one", first))
        hangs.withLock { $0 = true }
        issuer.advance(seconds: 3601)
        // Answered while the refresh still hangs; waiting for it would never end.
        _ = try await verifier.verify(try token("one", first))
        hangs.withLock { $0 = false }
    }

    @Test func `sets that are no key set, and keys of no use, verify nothing`() async throws {
        let point = try #require(first.coordinates)
        let (x, y) = (Base64.encodeURL(point.x), Base64.encodeURL(point.y))
        let good = #""kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)","kid":"one""#
        for (members, isGood) in [
            ("", true), (#","use":"sig""#, true), (#","use":"enc""#, false), (#","use":7"#, false),
            (#","alg":"ES256""#, true), (#","alg":"ES384""#, false), (#","alg":null"#, false),
            (#","key_ops":["verify"]"#, true), (#","key_ops":["encrypt"]"#, false), (#","key_ops":"verify""#, false),
            (#","kid":"one""#, false),
        ] {
            let set = #"{"keys":[{\#(good)\#(members)}]}"#
            let verifier = TokenVerifier(
                [IssuerSettings(issuer: IssuerFixture.name, audience: "tidegate", keys: .url("https://a/keys"))],
                log: Log(minimum: .error, sink: { _ in }), clock: { [issuer] in issuer.now },
                fetch: { _ in Array(set.utf8) })
            let answer = await outcome(verifier, try token("one", first))
            if isGood {
                #expect(throws: Never.self, "\(members)") { try answer.get() }
            } else {
                guard case .failure(.unknownKey) = answer else {
                    // A member that stands twice makes the whole document none.
                    #expect(answer == .failure(.keysUnavailable), "\(members)")
                    continue
                }
            }
        }
    }

    @Test(arguments: ["", "[]", "{}", #"{"keys":{}}"#, #"{"keys":[{"kty":"EC"}],"keys":[]}"#, "<html>"])
    func `what is no key set leaves the issuer without keys`(_ text: String) async throws {
        let verifier = TokenVerifier(
            [IssuerSettings(issuer: IssuerFixture.name, audience: "tidegate", keys: .url("https://a/keys"))],
            log: Log(minimum: .error, sink: { _ in }), clock: { [issuer] in issuer.now },
            fetch: { _ in Array(text.utf8) })
        #expect(await outcome(verifier, try token("one", first)) == .failure(.keysUnavailable))
    }

    @Test(
        arguments: [
            (#"{"resource_access":{"my.client":{"roles":["a"]}}}"#, "resource_access.my.client.roles", ["a"]),
            (#"{"https://x.example/c":{"groups":"a b"}}"#, "https://x.example/c.groups", ["a", "b"]),
            (#"{"a.b":{"c":"long"},"a":{"b":{"c":"short"}}}"#, "a.b.c", ["long"]),
            (#"{"a":{"b":{"c":"only"}},"a.b":7}"#, "a.b.c", ["only"]),
            (#"{"g":"Data Owners, Staff ,"}"#, "g", ["Data Owners", "Staff"]), (#"{"g":" a  b "}"#, "g", ["a", "b"]),
            (#"{"g":{"h":1}}"#, "g.h.i", []), (#"{"g":"x"}"#, ".", []), (#"{"g":"x"}"#, "", []),
        ] as [(String, String, [String])])
    func `groups are found at dotted paths, the longest name first`(
        _ members: String, _ path: String, _ expected: [String]
    ) async throws {
        let settings = IssuerSettings(issuer: IssuerFixture.name, audience: "tidegate", groupsClaim: path)
        let claims = String(issuer.claims().dropLast()) + "," + members.dropFirst()
        let token = try compact(#"{"alg":"ES256","kid":"one"}"#, claims, first)
        #expect(try await issuer.verifier([settings]).verify(token).groups == expected)
    }
}
