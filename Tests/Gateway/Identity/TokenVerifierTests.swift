import Foundation
import Testing
import TidegateCore
import TidegateCrypto
import TidegateIdentity

@Suite struct TokenVerifierTests {
    let key: SigningKey
    let issuer: IssuerFixture

    init() throws {
        key = try #require(SigningKey())
        issuer = IssuerFixture(keys: [("one", key)])
    }

    private func answer(
        header: String = #"{"alg":"ES256","kid":"one"}"#, _ changes: [String: String?] = [:]
    ) async throws -> Result<Principal, TokenRejection> {
        await outcome(issuer.verifier(), try compact(header, issuer.claims(changes), key))
    }

    @Test func `a good token names subject, groups, claims and expiry`() async throws {
        let found = try await answer(["groups": #"["a","b"]"#, "org": #"{"unit":["x"],"level":3}"#]).get()
        #expect(found.subject == "ana")
        #expect(found.groups == ["a", "b"])
        #expect(found.claims["org.unit"] == ["x"])
        #expect(found.claims["org.level"] == ["3"])
        #expect(found.issuer == IssuerFixture.name)
        #expect(found.expires == issuer.now.advanced(bySeconds: 360))
    }

    @Test(arguments: [
        (#"{"alg":"none"}"#, TokenRejection.algorithmNotAccepted),
        (#"{"alg":"HS256","kid":"one"}"#, .algorithmNotAccepted),
        (#"{"alg":"es256","kid":"one"}"#, .algorithmNotAccepted),
        (#"{"kid":"one"}"#, .algorithmNotAccepted),
        (#"{"alg":"RS256","kid":"one"}"#, .unknownKey),
        (#"{"alg":"ES384","kid":"one"}"#, .unknownKey),
        (#"{"alg":"ES256","kid":"two"}"#, .unknownKey),
        (#"{"alg":"ES256","kid":1}"#, .malformed("kid is no text")),
        (#"{"alg":"ES256","kid":"one","crit":["exp"]}"#, .malformed("an extension that is not understood")),
        (#"{"alg":"ES256","kid":"one","b64":false}"#, .malformed("an extension that is not understood")),
        (#"{"alg":"ES256","kid":"one","typ":"logout+jwt"}"#, .malformed("another type than JWT")),
        (#"{"alg":"ES256","alg":"none","kid":"one"}"#, .malformed("the header is no JSON object")),
        (#"{"alg":"ES256","\u0061lg":"none","kid":"one"}"#, .malformed("the header is no JSON object")),
        (#"["ES256"]"#, .malformed("the header is no JSON object")),
    ])
    func `a header that could mislead is refused`(_ header: String, _ reason: TokenRejection) async throws {
        #expect(try await answer(header: header) == .failure(reason))
    }

    @Test(arguments: ["JWT", "application/jwt", "at+jwt", "application/at+jwt"])
    func `types of tokens are accepted`(_ type: String) async throws {
        _ = try await answer(header: #"{"alg":"ES256","kid":"one","typ":"\#(type)"}"#).get()
    }

    @Test(
        arguments: [
            ("iss", #""https://other.example.com""#, TokenRejection.unknownIssuer), ("iss", nil, .unknownIssuer),
            ("iss", #""https://idp.example.com/""#, .unknownIssuer),
            ("aud", #""other""#, .wrongAudience), ("aud", nil, .wrongAudience),
            ("aud", #""tidegate other""#, .wrongAudience),
            ("aud", #"["other"]"#, .wrongAudience), ("aud", "{}", .wrongAudience),
            ("exp", nil, .noExpiry), ("exp", #""1900000000""#, .malformed("exp is no date")),
            ("exp", "true", .malformed("exp is no date")), ("exp", "1e300", .malformed("exp is no date")),
            ("exp", "-1", .malformed("exp is no date")), ("exp", "1799999940", .expired),
            ("nbf", "1800000061", .notYetValid), ("iat", "1800000061", .notYetValid),
            ("sub", #""""#, .noSubject), ("sub", nil, .noSubject), ("sub", "7", .noSubject),
        ] as [(String, String?, TokenRejection)])
    func `a claim that does not hold is refused`(
        _ claim: String, _ value: String?, _ reason: TokenRejection
    ) async throws {
        #expect(try await answer([claim: value]) == .failure(reason))
    }

    @Test(arguments: [
        ("exp", "1799999941"), ("nbf", "1800000060"), ("iat", "1800000060"), ("aud", #"["x","tidegate"]"#),
    ])
    func `clocks may differ by a minute, and audiences may be several`(_ claim: String, _ value: String) async throws {
        _ = try await answer([claim: value]).get()
    }

    @Test(
        arguments: [
            ("groups", #"["a","b"]"#, ["a", "b"]), ("groups", #""a b""#, ["a", "b"]),
            ("groups", #""a,b""#, ["a", "b"]),
            ("groups", #"["a",7,null,""]"#, ["a"]), ("groups", "7", []), ("groups", nil, []),
            ("realm.roles", #"["a"]"#, ["a"]), ("https://example.com/groups", #"["a"]"#, ["a"]),
        ] as [(String, String?, [String])])
    func `groups come as list or text, below a path or under a name with dots`(
        _ path: String, _ value: String?, _ expected: [String]
    ) async throws {
        let settings = IssuerSettings(issuer: IssuerFixture.name, audience: "tidegate", groupsClaim: path)
        let nested = path == "realm.roles"
        let claims = issuer.claims(nested ? ["realm": value.map { #"{"roles":\#($0)}"# }] : [path: value])
        let token = try compact(#"{"alg":"ES256","kid":"one"}"#, claims, key)
        #expect(try await issuer.verifier([settings]).verify(token).groups == expected)
    }

    @Test func `each issuer puts its prefix before subjects and groups`() async throws {
        let verifier = issuer.verifier([
            IssuerSettings(issuer: IssuerFixture.name, audience: "tidegate", prefix: "staff:"),
            IssuerSettings(issuer: "https://partner.example.com", audience: "tidegate", prefix: "partner:"),
        ])
        let header = #"{"alg":"ES256","kid":"one"}"#
        let first = try await verifier.verify(try compact(header, issuer.claims(["groups": #"["g"]"#]), key))
        let claims = issuer.claims(["iss": #""https://partner.example.com""#])
        let second = try await verifier.verify(try compact(header, claims, key))
        #expect(first.subject == "staff:ana")
        #expect(first.groups == ["staff:g"])
        #expect(second.subject == "partner:ana")
    }

    @Test func `a signature by another key, and a changed one, do not verify`() async throws {
        let other = try #require(SigningKey())
        let header = #"{"alg":"ES256","kid":"one"}"#
        #expect(
            await outcome(issuer.verifier(), try compact(header, issuer.claims(), other)) == .failure(.badSignature))
        var token = try compact(header, issuer.claims(), key)
        let place = try #require(token.lastIndex(of: UInt8(ascii: "."))) + 5
        token[place] = token[place] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        #expect(await outcome(issuer.verifier(), token) == .failure(.badSignature))
    }

    @Test func `an HMAC with the public key as secret is refused before any key is used`() async throws {
        let point = try #require(key.coordinates)
        let signed =
            Base64.encodeURL(Array(#"{"alg":"HS256","kid":"one"}"#.utf8)) + "."
            + Base64.encodeURL(Array(issuer.claims().utf8))
        let mac = HashAlgorithm.sha256.authenticate(Array(signed.utf8), key: [4] + point.x + point.y)
        let token = Array("\(signed).\(Base64.encodeURL(mac))".utf8)
        #expect(await outcome(issuer.verifier(), token) == .failure(.algorithmNotAccepted))
        #expect(issuer.fetches == 0)
    }

    @Test(arguments: ["", ".", "..", "a.b", "a.b.c.d", "e30=.e30.AA", "e30.e30.A", "e30 .e30.AA", "{}.{}.{}"])
    func `what is no compact token is malformed`(_ text: String) async {
        guard case .failure(.malformed) = await outcome(issuer.verifier(), Array(text.utf8)) else {
            Issue.record("\(text) was not called malformed")
            return
        }
    }

    @Test func `a long token is not looked at`() async {
        #expect(await outcome(issuer.verifier(), [UInt8](repeating: 65, count: 16385)) == .failure(.tooLong))
    }

    @Test func `a token without key id is tried with the keys that fit`() async throws {
        let second = try #require(SigningKey())
        issuer.rotate(to: [("one", key), (nil, second)])
        _ = try await issuer.verifier().verify(try compact(#"{"alg":"ES256"}"#, issuer.claims(), second))
    }
}
