/// One trusted issuer of tokens.
public struct IssuerSettings: Sendable, Equatable {
    public enum Keys: Sendable, Equatable {
        /// `ISSUER/.well-known/openid-configuration` (OpenID Connect Discovery 1.0).
        case discovery
        case url(String)
        case file(String)

        var isFile: Bool {
            if case .file = self { true } else { false }
        }
    }
    /// Exactly the token's `iss`.
    public var issuer: String
    /// What the token's `aud` must hold.
    public var audience: String
    /// Dotted path of the claim with the groups.
    public var groupsClaim: String
    /// Dotted path of the claim that names the person.
    public var subjectClaim: String
    /// Before subject and groups.
    public var prefix: String
    public var keys: Keys
    /// Authorities to trust for fetching; nil is the system's.
    public var caFile: String?
    /// How far clocks may differ, for `exp`, `nbf` and `iat`.
    public var leewaySeconds: Int

    public init(
        issuer: String, audience: String, groupsClaim: String = "groups", subjectClaim: String = "sub",
        prefix: String = "", keys: Keys = .discovery, caFile: String? = nil, leewaySeconds: Int = 60
    ) {
        self.issuer = issuer
        self.audience = audience
        self.groupsClaim = groupsClaim
        self.subjectClaim = subjectClaim
        self.prefix = prefix
        self.keys = keys
        self.caFile = caFile
        self.leewaySeconds = leewaySeconds
    }
}
