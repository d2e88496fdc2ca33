/// What a token looks like, and what it can do.
public enum TokenForm: Sendable, Equatable {
    /// `tgh<version>_` and 42 lower-case letters and digits: HMAC-SHA256, cut to 128 bits, with a check of 61 bits by
    /// which the gateway knows its own tokens. Equal values have equal tokens; none can be opened. No two digits are
    /// neighbours, so nothing that has a run of digits is found in it.
    case opaque
    /// A token of the value's own layout: FF1 (NIST SP 800-38G) under AES-256. It can be opened. It has no mark: neither
    /// that it is a token nor its key's version can be seen.
    case preserving(PreservingSettings)
    /// `tgs<version>_` and base64url: AES-256-SIV (RFC 5297). Equal values have equal tokens; it can be opened. Its
    /// length tells the value's.
    case reversible
    /// `tge<version>_` and base64url: AES-256-GCM with a random nonce. Each time another token; it can be opened. Its
    /// length tells the value's.
    case sealed

    /// Its tokens are told from values by their mark, and authenticated: who may see what they stand for gets them opened.
    /// Nothing tells a preserving token from a value, nor which version made it: FF1 would make of almost any digits some
    /// other ones, which are nobody's or somebody else's. Whoever opens one must know that it is one (`Tokenizer.open`).
    public var opensByItself: Bool {
        switch self {
        case .reversible, .sealed: true
        case .opaque, .preserving: false
        }
    }
}
