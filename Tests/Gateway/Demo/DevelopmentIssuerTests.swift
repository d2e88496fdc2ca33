import Foundation
import Testing
import TidegateCrypto
import TidegateDemo
import TidegateHTTP

struct DevelopmentIssuerTests {
    struct Discovery: Decodable {
        var issuer, keys: String
        enum CodingKeys: String, CodingKey {
            case issuer
            case keys = "jwks_uri"
        }
    }
    struct Keys: Decodable {
        struct Key: Decodable { var kty, crv, alg, kid, x, y: String }
        var keys: [Key]
    }
    struct Head: Decodable { var alg, kid: String }
    struct Claims: Decodable {
        var iss, aud, sub: String
        var groups: [String]
        var iat, exp: Int64
    }

    private func decoded(_ part: String) throws -> [UInt8] { try #require(Base64.decodeURL(part)) }

    private func key() throws -> SigningKey { try #require(SigningKey()) }

    private func get<Value: Decodable>(_ url: String) async throws -> Value {
        let answer = try await HTTPClient().get(url)
        try #require(answer.status == 200)
        return try JSONDecoder().decode(Value.self, from: Data(answer.body))
    }

    @Test func `what is minted verifies with the key that discovery leads to`() async throws {
        let issuer = try DevelopmentIssuer(key: key())
        defer { issuer.stop() }
        let document: Discovery = try await get(issuer.url + "/.well-known/openid-configuration")
        #expect(document.issuer == issuer.url)
        let keys: Keys = try await get(document.keys)
        let key = try #require(keys.keys.first)
        let parts = try issuer.mint(subject: "ada", groups: ["analysts"], lifetime: 60).split(separator: ".").map(
            String.init)
        try #require(parts.count == 3)
        let head = try JSONDecoder().decode(Head.self, from: Data(decoded(parts[0])))
        #expect(head.alg == "ES256" && head.kid == key.kid)
        let claims = try JSONDecoder().decode(Claims.self, from: Data(decoded(parts[1])))
        #expect(
            claims.iss == issuer.url && claims.aud == "tidegate" && claims.sub == "ada" && claims.groups == ["analysts"]
        )
        #expect(claims.exp - claims.iat == 60)
        let (x, y) = try (decoded(key.x), decoded(key.y))
        let published = try #require(PublicKey.ec(curve: key.crv, x: x, y: y))
        let signature = try decoded(parts[2])
        #expect(published.verify(.es256, input: Array("\(parts[0]).\(parts[1])".utf8), signature: signature))
        #expect(!published.verify(.es256, input: Array("\(parts[0]).\(parts[0])".utf8), signature: signature))
    }

    @Test func `an unknown page is not found`() async throws {
        let issuer = try DevelopmentIssuer(key: key())
        defer { issuer.stop() }
        #expect(try await HTTPClient().get(issuer.url + "/token").status == 404)
    }

    @Test func `a folder in which no demo has run mints nothing`() {
        let folder = DemoFolder(path: NSTemporaryDirectory() + "/no-demo-\(UUID().uuidString)")
        let failure = #expect(throws: DemoError.self) { try folder.token(for: "analyst") }
        #expect(failure?.description.contains("no demo has run") == true)
        #expect(throws: DemoError.self) { try folder.token(for: "nobody") }
    }
}
