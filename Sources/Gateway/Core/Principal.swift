/// Who: subject, groups and claims of a verified token, and until when it holds.
public struct Principal: Sendable, Equatable {
    /// What policy and evidence call the person, with the issuer's prefix before it.
    public var subject: String
    public var groups: [String]
    /// Claims by dotted path, each as its list of texts; what a rule's `claims:` compares.
    public var claims: [String: [String]]
    public var issuer: String
    /// When the token ends; the session ends with it.
    public var expires: Instant
    /// Under what the token was accepted; nil where no verifier did.
    public var origin: Origin?

    /// What must still hold for an accepted token after a reload.
    public struct Origin: Sendable, Equatable {
        /// A digest of the issuer's settings.
        public var settings: [UInt8]
        /// A digest of the key that made the signature.
        public var key: [UInt8]
        public init(settings: [UInt8], key: [UInt8]) {
            self.settings = settings
            self.key = key
        }
    }

    public init(
        subject: String, groups: [String], claims: [String: [String]] = [:], issuer: String, expires: Instant,
        origin: Origin? = nil
    ) {
        self.subject = subject
        self.groups = groups
        self.claims = claims
        self.issuer = issuer
        self.expires = expires
        self.origin = origin
    }
}

/// What a client showed to say who it is. Never logged, never stored.
public struct Credential: Sendable {
    /// A token's bytes as they came (a compact JWS).
    public let secret: [UInt8]
    public init(secret: [UInt8]) { self.secret = secret }
}

/// Checks credentials off the event loops. Implemented by Identity.
public protocol Authenticator: AnyObject, Sendable {
    /// Answers at once from the cache, or says `notYet` and wakes the waker exactly once when the same question can be
    /// answered from the cache.
    func authenticate(_ credential: Credential, now: Instant, waker: Waker) -> Authentication
    /// True where what a principal was verified under still holds: its issuer is configured, in the same way; asked after
    /// a reload.
    func stands(_ principal: Principal) -> Bool
}

public enum Authentication: Sendable {
    case verified(Principal)
    case notYet
    /// The reason goes to log and evidence; it never holds the token.
    case rejected(reason: String)
}

/// Wakes one connection: whatever it parked is offered again. Cheap to call from any thread, harmless when the connection
/// is gone.
public struct Waker: Sendable {
    public let wake: @Sendable () -> Void
    public init(_ wake: @escaping @Sendable () -> Void) { self.wake = wake }
}

/// The answer to a question that may take time: `notYet` parks that side, and the same bytes are offered again.
public enum Answer<Value: ~Copyable>: ~Copyable {
    case ready(Value)
    case notYet
    case refused(Refusal)
}
extension Answer: Copyable where Value: Copyable {}
extension Answer: Sendable where Value: Sendable & ~Copyable {}
