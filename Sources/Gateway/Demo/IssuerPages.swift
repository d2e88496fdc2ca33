import Synchronization
import TidegateHTTP

/// What the development issuer answers over HTTP; nothing before it is published.
final class IssuerPages: Sendable {
    private let pages = Mutex<[String: [UInt8]]>([:])

    /// - Parameter keys: a JSON web key set.
    func publish(issuer: String, keys: [UInt8]) throws {
        let document = Discovery(
            issuer: issuer, jwks_uri: issuer + "/keys", id_token_signing_alg_values_supported: ["ES256"],
            response_types_supported: ["id_token"], subject_types_supported: ["public"])
        let discovery = try DevelopmentTokens.json(document)
        pages.withLock { $0 = ["/.well-known/openid-configuration": discovery, "/keys": keys] }
    }

    func answer(_ request: HTTPRequest) -> HTTPResponse {
        guard let body = pages.withLock({ $0[request.path] }) else {
            return HTTPResponse(status: 404, contentType: "text/plain", body: Array("not here\n".utf8))
        }
        return HTTPResponse(status: 200, contentType: "application/json", body: body)
    }

    /// OpenID Connect Discovery 1.0, section 3: what a verifier of tokens needs, and what is required beside it.
    private struct Discovery: Encodable {
        var issuer, jwks_uri: String
        var id_token_signing_alg_values_supported, response_types_supported, subject_types_supported: [String]
    }
}
