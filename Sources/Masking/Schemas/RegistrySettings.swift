/// Where a schema registry is, and how long its answers hold. Times are in seconds.
public struct RegistrySettings: Sendable {
    /// `https://registry.example.com:8081`, with a path where there is one, without user and password.
    public var url: String
    /// For Basic authentication; nil for none.
    public var user: String?
    public var password: String?
    /// Authorities to trust; nil is the system's.
    public var caFile: String?
    /// The gateway's own certificate with its key, where the registry asks for one; both or neither.
    public var certificateFile: String?
    public var keyFile: String?
    /// A schema is asked for again after so long, while it goes on being used.
    public var refreshSeconds: Int64 = 3600
    /// A schema that could not be asked for again is not used any longer.
    public var maxAgeSeconds: Int64 = 24 * 3600
    /// How long a schema that does not exist or cannot be used is not asked for again.
    public var negativeSeconds: Int64 = 30
    /// How long nothing is asked for again after the registry could not be reached.
    public var retrySeconds: Int64 = 5
    /// Schemas that are kept, and as many failures.
    public var cacheLimit = 1024
    /// Schemas that are asked for at a time: ids are a peer's input.
    public var askLimit = 16
    /// Schemas that wait to be asked for.
    public var queueLimit = 1024
    /// Callers that wait for schemas at a time, each for one: more than there are sessions.
    public var waitingLimit = 1 << 17

    public init(url: String) { self.url = url }
}
