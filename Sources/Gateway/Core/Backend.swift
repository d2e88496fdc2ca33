/// One configured backend, shared by its connections: settings, catalogue, endpoints.
///
/// A new protocol is one folder, one target in the manifest, and one line in the list of backends (CONTRIBUTING).
public protocol Backend: AnyObject, Sendable {
    static var declaration: BackendDeclaration { get }

    /// - Parameter settings: the node under the backend's key, already held against `declaration.settings`.
    /// - Throws: what only a closer look shows (an unreadable secret, a CA that is no certificate), with its place.
    init(
        name: String, settings: ConfigurationNode, services: BackendServices
    ) throws(ConfigurationProblems)

    /// A machine for one connection; called on the connection's loop.
    func makeMachine(for session: Session) -> any MachineBox

    /// Runs until cancelled: keeps catalogue and endpoints true by side connections.
    func run() async
}

/// What a backend says about itself, so that the core has no list of protocols, kinds or words.
public struct BackendDeclaration: Sendable {
    /// The key under a backend's name in the configuration, and the `protocol` of events.
    public var protocolName: String
    public var settings: SettingsSchema
    public var kinds: [ResourceKindDeclaration]
    /// The protocol's names of its requests, by `WireName`.
    public var wireNames: [String]
    /// What a policy rule's `commands` may say as `@category`: wire names by category, written here without `@`.
    public var commandCategories: [String: [String]]
    /// Wire names that a rule opens only by naming them in `commands`, not by a category nor by leaving `commands` out:
    /// what goes around a mask (Redis' EVAL). A deny matches them either way.
    public var explicitCommands: Set<String>
    /// How evidence spells where records stand.
    public var positions: PositionForm
    /// True of settings with which clients are told where the backend's nodes are, so that a route must say how each is
    /// reached.
    public var requiresAdvertise: @Sendable (ConfigurationNode) -> Bool
    public init(
        protocolName: String, settings: SettingsSchema, kinds: [ResourceKindDeclaration], wireNames: [String],
        commandCategories: [String: [String]] = [:], explicitCommands: Set<String> = [],
        positions: PositionForm = .offset,
        requiresAdvertise: @escaping @Sendable (ConfigurationNode) -> Bool = { _ in false }
    ) {
        self.positions = positions
        self.requiresAdvertise = requiresAdvertise
        self.protocolName = protocolName
        self.settings = settings
        self.kinds = kinds
        self.wireNames = wireNames
        self.commandCategories = commandCategories
        self.explicitCommands = explicitCommands
    }
}

/// A kind of resource in the words of configuration (`topics`) and events (`topic`).
public struct ResourceKindDeclaration: Sendable, Equatable {
    public var singular, plural: String
    /// `cluster: true` instead of a list of names.
    public var isFlag: Bool
    public init(singular: String, plural: String, isFlag: Bool = false) {
        self.singular = singular
        self.plural = plural
        self.isFlag = isFlag
    }
}

/// What the gateway does for a backend.
public struct BackendServices: Sendable {
    public var log: Log
    public var secrets: any SecretReader
    /// Opens connections of the backend's own; nil where nothing runs (`tidegate check`).
    public var sideConnections: (any SideConnections)?
    public init(log: Log, secrets: any SecretReader, sideConnections: (any SideConnections)?) {
        self.log = log
        self.secrets = secrets
        self.sideConnections = sideConnections
    }
}

/// Connections without a client: a machine that speaks to a backend only, on the gateway's own loops and TLS.
public protocol SideConnections: Sendable {
    /// Starts a machine on some loop: it gets `accepted`, and says where to `connect`.
    ///
    /// - Parameter ended: called once, from the loop, with the reason.
    func open(
        _ make: @escaping @Sendable () -> any MachineBox, ended: @escaping @Sendable (CloseReason) -> Void
    ) -> SideConnection
}

/// A running side connection, from any thread.
public struct SideConnection: Sendable {
    /// Sends the machine `woken`.
    public let wake: @Sendable () -> Void
    public let close: @Sendable () -> Void
    public init(wake: @escaping @Sendable () -> Void, close: @escaping @Sendable () -> Void) {
        self.wake = wake
        self.close = close
    }
}
