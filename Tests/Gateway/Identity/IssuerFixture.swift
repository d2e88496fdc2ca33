import Foundation
import Synchronization
import Testing
import TidegateCore
import TidegateCrypto
import TidegateIdentity

/// An issuer in memory: its keys, its clock, and how often it was asked.
final class IssuerFixture: Sendable {
    static let name = "https://idp.example.com"
    private struct State {
        var keys: [(id: String?, key: SigningKey)] = []
        var isAway = false
        var fetches = 0
        var now = Instant(seconds: 1_800_000_000)
    }
    private let state = Mutex(State())

    init(keys: [(id: String?, key: SigningKey)]) { state.withLock { $0.keys = keys } }

    var now: Instant { state.withLock { $0.now } }
    var fetches: Int { state.withLock { $0.fetches } }
    func advance(seconds: Int64) { state.withLock { $0.now = $0.now.advanced(bySeconds: seconds) } }
    func goAway(_ away: Bool = true) { state.withLock { $0.isAway = away } }
    func rotate(to keys: [(id: String?, key: SigningKey)]) { state.withLock { $0.keys = keys } }

    struct Away: Error {}

    @Sendable func fetch(_ url: String) async throws -> [UInt8] {
        try state.withLock { state in
            if url.hasSuffix("/keys") { state.fetches += 1 }
            if state.isAway { throw Away() }
            if url.hasSuffix("openid-configuration") {
                let issuer = String(url.dropLast("/.well-known/openid-configuration".count))
                return Array(#"{"issuer":"\#(issuer)","jwks_uri":"\#(issuer)/keys"}"#.utf8)
            }
            let keys = state.keys.compactMap { entry -> String? in
                guard let point = entry.key.coordinates else { return nil }
                let id = entry.id.map { #""kid":"\#($0)","# } ?? ""
                return #"{"kty":"EC","crv":"P-256",\#(id)"x":"\#(Base64.encodeURL(point.x))","#
                    + #""y":"\#(Base64.encodeURL(point.y))"}"#
            }
            return Array(#"{"keys":[\#(keys.joined(separator: ","))]}"#.utf8)
        }
    }

    func verifier(_ issuers: [IssuerSettings] = [IssuerSettings(issuer: name, audience: "tidegate")]) -> TokenVerifier {
        TokenVerifier(
            issuers, log: Log(minimum: .error, sink: { _ in }), clock: { [self] in now },
            fetch: { [self] in try await fetch($0) })
    }

    /// Claims that are accepted, with `changes` made; a change to nil takes the claim away.
    func claims(_ changes: [String: String?] = [:]) -> String {
        let second = now.nanoseconds / 1_000_000_000
        var members: [String: String] = [
            "iss": "\"\(IssuerFixture.name)\"", "aud": "\"tidegate\"", "sub": "\"ana\"", "exp": "\(second + 300)",
            "iat": "\(second)",
        ]
        for (name, value) in changes { members[name] = value }
        return "{" + members.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }
}

func compact(_ header: String, _ claims: String, _ key: SigningKey) throws -> [UInt8] {
    let signed = Base64.encodeURL(Array(header.utf8)) + "." + Base64.encodeURL(Array(claims.utf8))
    let signature = try #require(key.sign(Array(signed.utf8)))
    return Array("\(signed).\(Base64.encodeURL(signature))".utf8)
}

/// The answer to one token: the principal, or why not.
func outcome(_ verifier: TokenVerifier, _ token: [UInt8]) async -> Result<Principal, TokenRejection> {
    do throws(TokenRejection) { return .success(try await verifier.verify(token)) } catch { return .failure(error) }
}
