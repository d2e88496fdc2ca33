/// Why a token is not accepted; for log and evidence. Never holds the token or a part of it.
public enum TokenRejection: Error, Sendable, Equatable, CustomStringConvertible {
    case tooLong
    case malformed(String)
    case algorithmNotAccepted
    case unknownIssuer
    case unknownKey
    case keysUnavailable
    /// Checks wait for the issuer's keys already, as many as may: the next attempt may find room.
    case tooMany
    case badSignature
    case wrongAudience
    case expired
    case notYetValid
    case noExpiry
    case noSubject
    case foreignSubject

    public var description: String {
        switch self {
        case .tooLong: "the token is longer than \(CompactJWS.limit) bytes"
        case .malformed(let what): "malformed token: \(what)"
        case .algorithmNotAccepted: "the token's algorithm is not accepted"
        case .unknownIssuer: "the token's issuer is not configured"
        case .unknownKey: "no key of the issuer fits the token"
        case .keysUnavailable: "the issuer's keys cannot be had"
        case .tooMany: "too many tokens are being checked"
        case .badSignature: "the token's signature does not verify"
        case .wrongAudience: "the token is for another audience"
        case .expired: "the token has expired"
        case .notYetValid: "the token is not valid yet"
        case .noExpiry: "the token has no expiry"
        case .noSubject: "the token names no subject"
        case .foreignSubject: "the token names a subject with another issuer's prefix"
        }
    }
}
