/// Policy, masks and identity of one configuration, immutable: a reload builds a new one, and every loop swaps it whole.
public final class Authority: Sendable {
    /// Rises with every reload; clearances of another version are void.
    public let version: UInt32
    public let policy: any PolicyJudge
    /// Compiled profiles; `MaskIndex` n is element n - 1.
    public let maskers: [any Masker]
    /// Which tokens are opened; `MaskIndex.opens` n is element n - 1.
    public let scopes: [UnmaskScope]
    public let authenticator: any Authenticator
    /// The routes there are, by name; nil knows any.
    private let routes: [String: Route]?

    public init(
        version: UInt32, policy: any PolicyJudge, maskers: [any Masker],
        scopes: [UnmaskScope] = [], authenticator: any Authenticator, routes: [String: Route]? = nil
    ) {
        self.routes = routes
        self.scopes = scopes
        self.version = version
        self.policy = policy
        self.maskers = maskers
        self.authenticator = authenticator
    }

    /// True where a session's route is there still, and leads to the same backend: nothing passes on another.
    public func knows(_ route: Route) -> Bool {
        routes.map { $0[route.name]?.backendName == route.backendName } ?? true
    }

    /// True where the backend of a session's route was made of other settings than now: its sessions end in order.
    public func replaces(backendOf route: Route) -> Bool {
        routes?[route.name].map { $0.backendVersion != route.backendVersion } ?? false
    }

    @inlinable
    public func masker(_ index: MaskIndex) -> (any Masker)? {
        guard !index.isNone, Int(index.index) <= maskers.count else { return nil }
        return maskers[Int(index.index) - 1]
    }

    /// The tokens to open; none in a dry run, which changes nothing.
    public func scope(_ index: MaskIndex) -> UnmaskScope {
        guard index.opens != 0, !index.isDryRun, Int(index.opens) <= scopes.count else { return .nothing }
        return scopes[Int(index.opens) - 1]
    }
}

/// What a policy is asked: names as text, since this is the cold side of the decision cache.
public struct Question: Sendable {
    public var route: String
    public var action: Action
    /// Singular (`topic`).
    public var kind: String
    public var name: String
    public var withinKind: String?
    public var withinName: String?
    /// The wire name of what is asked (`Fetch`, `XREADGROUP`); empty where it is unknown.
    public var command: String
    /// Only a rule that names the command opens it (`BackendDeclaration.explicitCommands`).
    public var mustBeNamed: Bool
    public init(
        route: String, action: Action, kind: String, name: String, withinKind: String? = nil,
        withinName: String? = nil, command: String = "", mustBeNamed: Bool = false
    ) {
        self.route = route
        self.action = action
        self.kind = kind
        self.name = name
        self.withinKind = withinKind
        self.withinName = withinName
        self.command = command
        self.mustBeNamed = mustBeNamed
    }
}

public struct Ruling: Sendable, Equatable {
    public enum Effect: Sendable, Equatable { case allow, deny, requireApproval }
    public var effect: Effect
    /// Index of the deciding rule, or -1 where none matched (default deny; describe that follows from another right names
    /// the rule it follows from).
    public var rule: Int32
    public var mask: MaskIndex
    public var recording: Recording
    public init(effect: Effect, rule: Int32, mask: MaskIndex = .none, recording: Recording = .positions) {
        self.effect = effect
        self.rule = rule
        self.mask = mask
        self.recording = recording
    }
}

/// A compiled policy. Implemented by Policy; asked on a miss of a connection's decision cache.
public protocol PolicyJudge: AnyObject, Sendable {
    func judge(_ principal: Principal, _ question: Question) -> Ruling
    /// True where some allow or require-approval rule of the route covers the principal, and no deny takes everything from
    /// him: opens what names nothing (IDENTIFY_SYSTEM, DescribeCluster), and keeps a session alive after a reload.
    func covers(_ principal: Principal, route: String) -> Bool
    /// The rule's name, for refusals and evidence.
    func name(ofRule index: Int32) -> String?
    /// True where rulings may depend on `Question.command`: decisions are then kept apart by command. A judge that does
    /// not say is taken to.
    var distinguishesCommands: Bool { get }
}

extension PolicyJudge {
    public var distinguishesCommands: Bool { true }
}
