import Synchronization
import TidegateHTTP

/// What the development issuer answers over HTTP; nothing before it is published.
final class IssuerPages: Sendable {
    private let pages = Mutex<[String: [UInt8]]>([:])

    /// - Parameter keys: a JSON web key set.
    func publish(issuer: String, keys: [UInt8]) throws {
        // OpenID Connect Discovery 1.0, section 3: what a verifier of tokens needs, and what is required beside it.
        let document: [String: Metadata] = [
            "issuer": .text(issuer), "jwks_uri": .text(issuer + "/keys"),
            "id_token_signing_alg_values_supported": .list(["ES256"]), "response_types_supported": .list(["id_token"]),
            "subject_types_supported": .list(["public"]),
        ]
        let discovery = try DevelopmentTokens.json(document)
        pages.withLock { $0 = ["/.well-known/openid-configuration": discovery, "/keys": keys] }
    }

    func answer(_ request: HTTPRequest) -> HTTPResponse {
        guard let body = pages.withLock({ $0[request.path] }) else {
            return HTTPResponse(status: 404, contentType: "text/plain", body: Array("not here\n".utf8))
        }
        return HTTPResponse(status: 200, contentType: "application/json", body: body)
    }

    private enum Metadata: Encodable {
        case text(String)
        case list([String])

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .list(let list): try container.encode(list)
            }
        }
    }
}
