import Foundation
public import TidegateCrypto
import TidegateHTTP

/// An OIDC issuer for demos and tests: discovery document, keys, and tokens for whoever is asked for. Loopback only, and
/// never for production: it signs without asking.
public final class DevelopmentIssuer: Sendable {
    public let url: String
    private let tokens: DevelopmentTokens
    private let server: HTTPServer

    /// - Parameters:
    ///   - key: ES256; what signs.
    ///   - port: 0 for any free one.
    /// - Throws: `HTTPServer.Failure` where the port cannot be bound, `DemoError` where the key is no EC key.
    public init(key: SigningKey, port: UInt16 = 0) throws {
        let pages = IssuerPages()
        server = try HTTPServer(host: "127.0.0.1", port: port) { pages.answer($0) }
        url = "http://127.0.0.1:\(server.port)"
        tokens = DevelopmentTokens(key: key, issuer: url)
        do { try pages.publish(issuer: url, keys: tokens.keySet()) } catch {
            server.stop()
            throw error
        }
    }

    /// A token for `subject`, as `DevelopmentTokens.mint`.
    public func mint(subject: String, groups: [String], lifetime seconds: Int64 = 3600) throws -> String {
        try tokens.mint(subject: subject, groups: groups, lifetime: seconds)
    }

    public func stop() { server.stop() }
}

/// Signs tokens of one issuer: all that `tidegate demo token` needs, in another process than the issuer.
public struct DevelopmentTokens: Sendable {
    public static let audience = "tidegate"
    private let key: SigningKey
    private let issuer: String

    public init(key: SigningKey, issuer: String) {
        self.key = key
        self.issuer = issuer
    }

    /// - Parameters:
    ///   - lifetime: seconds until `exp`; below zero makes one that has expired.
    ///   - now: seconds since 1970; the clock's without it.
    public func mint(
        subject: String, groups: [String], lifetime: Int64 = 3600, now: Int64? = nil
    ) throws -> String {
        let now = now ?? Int64(Date().timeIntervalSince1970)
        let head = Head(alg: key.algorithm.rawValue, typ: "JWT", kid: try keyID())
        let claims = Claims(
            iss: issuer, aud: DevelopmentTokens.audience, sub: subject, groups: groups, iat: now, nbf: now,
            exp: now + lifetime)
        let signed = try DevelopmentTokens.part(head) + "." + DevelopmentTokens.part(claims)
        guard let signature = key.sign(Array(signed.utf8)) else { throw DemoError("the issuer's key does not sign") }
        return signed + "." + Base64.encodeURL(signature)
    }

    /// The JSON web key set (RFC 7517) with this key in it.
    func keySet() throws -> [UInt8] {
        let (x, y) = try coordinates()
        let key = WebKey(
            kty: "EC", crv: "P-256", use: "sig", alg: key.algorithm.rawValue, kid: try keyID(),
            x: Base64.encodeURL(x), y: Base64.encodeURL(y))
        return try DevelopmentTokens.json(["keys": [key]])
    }

    /// From the key itself: another key has another id.
    private func keyID() throws -> String { "demo-" + Hexadecimal.encode(Array(try coordinates().x.prefix(6))) }

    private func coordinates() throws -> (x: [UInt8], y: [UInt8]) {
        guard key.algorithm == .es256, let found = key.coordinates else {
            throw DemoError("the issuer's key is no P-256 key")
        }
        return found
    }

    private struct Head: Encodable { var alg, typ, kid: String }
    private struct Claims: Encodable {
        var iss, aud, sub: String
        var groups: [String]
        var iat, nbf, exp: Int64
    }
    private struct WebKey: Encodable { var kty, crv, use, alg, kid, x, y: String }

    static func json(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try Array(encoder.encode(value))
    }
    private static func part(_ value: some Encodable) throws -> String { Base64.encodeURL(try json(value)) }
}
