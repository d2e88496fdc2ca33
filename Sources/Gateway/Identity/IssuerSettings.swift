import TidegateCrypto

/// One trusted issuer of tokens.
public struct IssuerSettings: Sendable, Equatable {
    public enum Keys: Sendable, Equatable {
        /// `ISSUER/.well-known/openid-configuration` (OpenID Connect Discovery 1.0).
        case discovery
        case url(String)
        case file(String)
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
    /// What the file of keys held when the configuration was read; nil where nobody has read it yet.
    public var fileContent: [UInt8]?

    public init(
        issuer: String, audience: String, groupsClaim: String = "groups", subjectClaim: String = "sub",
        prefix: String = "", keys: Keys = .discovery, caFile: String? = nil, leewaySeconds: Int = 60,
        fileContent: [UInt8]? = nil
    ) {
        self.issuer = issuer
        self.audience = audience
        self.groupsClaim = groupsClaim
        self.subjectClaim = subjectClaim
        self.prefix = prefix
        self.keys = keys
        self.caFile = caFile
        self.leewaySeconds = leewaySeconds
        self.fileContent = fileContent
    }

    /// True where both are the same but for the content of their file of keys.
    func isSame(as other: IssuerSettings) -> Bool {
        var other = other
        other.fileContent = fileContent
        return self == other
    }

    /// A digest of all that decides what a token means; the content of a file of keys is not in it, so that a key may be
    /// added to it without an end of sessions.
    ///
    /// - Parameter rivals: prefixes of other issuers that begin with this one's.
    func fingerprint(rivals: [String]) -> [UInt8] {
        var members = [issuer, audience, groupsClaim, subjectClaim, prefix, "\(leewaySeconds)", caFile ?? ""]
        switch keys {
        case .discovery: members.append("discovery")
        case .url(let url): members.append("url \(url)")
        case .file(let path): members.append("file \(path)")
        }
        members += rivals.sorted()
        return HashAlgorithm.sha256.hash(Array(members.map { "\($0.utf8.count):\($0)" }.joined().utf8))
    }
}
