package import TidegateCrypto

/// A JSON web signature in compact form (RFC 7515), taken apart strictly and not verified yet.
package struct CompactJWS: Sendable {
    /// Bytes of a token; a longer one is not looked at.
    package static let limit = 16 * 1024

    package let algorithm: SignatureAlgorithm
    package let keyID: String?
    /// What was signed for: of a token, its claims.
    package let payload: [UInt8]
    /// The text that the signature is over.
    let signed: [UInt8]
    let signature: [UInt8]

    /// - Throws: what makes it no token that could be accepted.
    package init(_ token: [UInt8]) throws(TokenRejection) {
        guard token.count <= CompactJWS.limit else { throw .tooLong }
        guard let text = String(validating: token, as: UTF8.self) else { throw .malformed("not text") }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .malformed("not three parts") }
        guard let headerBytes = Base64.decodeURL(parts[0]), let payload = Base64.decodeURL(parts[1]),
            let signature = Base64.decodeURL(parts[2])
        else { throw .malformed("not base64url") }
        guard let header = JSONValue(headerBytes), case .object(let members) = header else {
            throw .malformed("the header is no JSON object")
        }
        // An extension that must be understood is not: RFC 7515, section 4.1.11; RFC 7797.
        guard members["crit"] == nil, members["b64"] == nil else {
            throw .malformed("an extension that is not understood")
        }
        if let type = members["typ"] {
            guard case .string(let name) = type,
                ["jwt", "application/jwt", "at+jwt", "application/at+jwt", "jws"].contains(name.lowercased())
            else { throw .malformed("another type than JWT") }
        }
        guard case .string(let name)? = members["alg"], let algorithm = SignatureAlgorithm(rawValue: name) else {
            throw .algorithmNotAccepted
        }
        if let id = members["kid"] {
            guard case .string(let text) = id else { throw .malformed("kid is no text") }
            keyID = text
        } else {
            keyID = nil
        }
        self.algorithm = algorithm
        self.payload = payload
        self.signature = signature
        signed = Array("\(parts[0]).\(parts[1])".utf8)
    }

    /// The claims of a token (RFC 7519); read before the signature is verified only to learn whose key to ask for.
    func claims() throws(TokenRejection) -> JSONValue {
        guard let claims = JSONValue(payload), case .object = claims else {
            throw .malformed("the claims are no JSON object")
        }
        return claims
    }

    /// The key that made the signature.
    func signer(among keys: [KeySet.Key]) -> KeySet.Key? {
        keys.first { $0.key.verify(algorithm, input: signed, signature: signature) }
    }

    /// True where one of the keys made the signature.
    package func isSigned(byOneOf keys: [PublicKey]) -> Bool {
        keys.contains { $0.verify(algorithm, input: signed, signature: signature) }
    }
}
