/// What became of a token that was to be opened. Never holds a value.
public enum TokenOpening: Sendable, Equatable {
    /// The value is appended; the token was made under this version of the key.
    case opened(version: Int)
    /// Nothing is appended.
    case refused(TokenRefusal)
}

public enum TokenRefusal: String, Sendable, Error, CaseIterable {
    /// It has not the shape of such a token.
    case notAToken = "not a token"
    /// It names a version that the key does not have.
    case unknownVersion = "unknown key version"
    /// It was changed, or made under another key or for another domain.
    case notAuthentic = "changed, or of another key or domain"
    /// An opaque token: nobody can open it.
    case oneWay = "cannot be opened"
}
