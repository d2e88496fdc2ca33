public import TidegateCore

/// A rule of the configuration, as it was written.
public struct PolicyRule: Sendable {
    public enum Effect: String, Sendable, CaseIterable {
        case allow
        case deny
        case requireApproval = "require-approval"
    }
    /// Who; keys beside each other must all match, entries of one list are alternatives. Empty: anybody.
    public struct Subjects: Sendable, Equatable {
        public var groups: [String] = []
        public var subjects: [Glob] = []
        /// By dotted path of the claim.
        public var claims: [String: [String]] = [:]
        public init(groups: [String] = [], subjects: [Glob] = [], claims: [String: [String]] = [:]) {
            self.groups = groups
            self.subjects = subjects
            self.claims = claims
        }
        public var isEmpty: Bool { groups.isEmpty && subjects.isEmpty && claims.isEmpty }
    }
    public enum Resources: Sendable, Equatable {
        /// `"*"`: any of any kind.
        case any
        /// By the singular of the kind; a flag kind (`cluster: true`) has the glob `*`.
        case kinds([String: [Glob]])
        /// Left out: only in a deny, which then covers everything.
        case unspecified
    }

    /// Wire names of a backend's requests.
    public struct Commands: Sendable, Equatable {
        /// All that the rule means, its categories expanded.
        public var all: Set<String>
        /// Those that it names itself, a container (`CONFIG`) naming all of its subcommands.
        public var named: Set<String>
        public init(all: Set<String> = [], named: Set<String> = []) {
            self.all = all.union(named)
            self.named = named
        }

        /// What a rule that is no deny opens, where some are opened by name only.
        func opened(_ explicit: Set<String>) -> Set<String> { all.subtracting(explicit.subtracting(named)) }
    }

    public var name: String
    public var subjects: Subjects
    /// Names of routes; empty is any.
    public var routes: [String]
    /// Empty is any.
    public var actions: Set<Action>
    public var resources: Resources
    /// nil is any, but those that must be named.
    public var commands: Commands?
    public var effect: Effect
    /// The profile's number, whether it only counts, and which tokens are opened.
    public var mask: MaskIndex
    public var recording: Recording

    public init(
        name: String, subjects: Subjects = Subjects(), routes: [String] = [], actions: Set<Action> = [],
        resources: Resources = .unspecified, commands: Commands? = nil, effect: Effect, mask: MaskIndex = .none,
        recording: Recording = .positions
    ) {
        self.name = name
        self.subjects = subjects
        self.routes = routes
        self.actions = actions
        self.resources = resources
        self.commands = commands
        self.effect = effect
        self.mask = mask
        self.recording = recording
    }
}

/// How specifically a rule matched: resource first, then subject, then a named route (CONTRACT, *Which rule decides*).
struct Specificity: Comparable {
    /// Exact names before globs, globs by their literal characters.
    var resource: (Int, Int)
    /// Exact subject, glob, claims, groups, any: 4 to 0.
    var subject: Int
    var route: Int
    /// require-approval before allow.
    var effect: Int
    /// Masked before unmasked; a dry run hides nothing, so it is unmasked.
    var masked: Int
    /// With `commands` before without: last, so that naming a command never takes a mask away.
    var commands: Int

    static func < (left: Self, right: Self) -> Bool {
        // Tuples compare up to six.
        let (ours, theirs) = ((left.effect, left.masked, left.commands), (right.effect, right.masked, right.commands))
        return left.ties(with: right)
            ? ours < theirs
            : (left.resource.0, left.resource.1, left.subject, left.route)
                < (right.resource.0, right.resource.1, right.subject, right.route)
    }
    static func == (left: Self, right: Self) -> Bool { !(left < right) && !(right < left) }

    /// Equal but for what breaks ties.
    func ties(with other: Self) -> Bool {
        resource == other.resource && subject == other.subject && route == other.route
    }
}

extension PolicyRule {
    /// Which key of a rule does not match, for explanations.
    public enum Mismatch: String, Sendable { case subjects, routes, actions, resources, commands }

    /// The keys that do not match; empty is a match.
    func mismatches(_ principal: Principal, _ question: Question) -> [Mismatch] {
        var found: [Mismatch] = []
        if subjectRank(principal) == nil { found.append(.subjects) }
        if !isOn(question.route) { found.append(.routes) }
        if !actions.isEmpty, !actions.contains(question.action) { found.append(.actions) }
        if resourceRank(question) == nil { found.append(.resources) }
        if !meansCommand(of: question) { found.append(.commands) }
        return found
    }

    /// A deny means what it lists however it lists it; another rule opens what must be named only by its name.
    private func meansCommand(of question: Question) -> Bool {
        guard let commands else { return effect == .deny || !question.mustBeNamed }
        let meant = question.mustBeNamed && effect != .deny ? commands.named : commands.all
        return meant.contains(question.command)
    }

    /// True of a deny that whom it means can do nothing against.
    var deniesEverything: Bool {
        effect == .deny && (actions.isEmpty || actions.count == Action.allCases.count)
            && (resources == .unspecified || resources == .any) && commands == nil
    }

    /// Naming no route is naming all.
    func isOn(_ route: String) -> Bool { routes.isEmpty || routes.contains(route) }

    /// True of a deny that forbids reading all that `rule` lets whom it means read.
    func forbidsReading(of rule: PolicyRule) -> Bool {
        effect == .deny && (actions.isEmpty || actions.contains(.consume))
            && (resources == .unspecified || resources == .any || resources == rule.resources)
    }

    /// 4 exact subject, 3 glob, 2 claims, 1 groups, 0 anybody; nil where the principal is not meant.
    func subjectRank(_ principal: Principal) -> Int? {
        var rank = 0
        if !subjects.groups.isEmpty {
            guard subjects.groups.contains(where: { principal.groups.contains($0) }) else { return nil }
            rank = max(rank, 1)
        }
        if !subjects.claims.isEmpty {
            for (path, values) in subjects.claims {
                guard let held = principal.claims[path], values.contains(where: { held.contains($0) }) else {
                    return nil
                }
            }
            rank = max(rank, 2)
        }
        if !subjects.subjects.isEmpty {
            let matching = subjects.subjects.filter { $0.matches(principal.subject) }
            guard !matching.isEmpty else { return nil }
            rank = max(rank, matching.contains { $0.isExact } ? 4 : 3)
        }
        return rank
    }

    /// Of the resource's globs that match: exact before glob, then literal characters; nil where none does.
    func resourceRank(_ question: Question) -> (Int, Int)? {
        switch resources {
        case .any, .unspecified: return (0, 0)
        case .kinds(let kinds):
            let rank = PolicyRule.rank(kinds[question.kind], question.name)
            guard let kind = question.withinKind, let name = question.withinName else { return rank }
            let within = PolicyRule.rank(kinds[kind], name)
            // A pair is covered where both of its names are; a deny that lists one of the kinds needs that one only.
            if effect == .deny, kinds[question.kind] == nil { return within }
            if effect == .deny, kinds[kind] == nil { return rank }
            return within == nil ? nil : rank
        }
    }

    private static func rank(_ globs: [Glob]?, _ name: String) -> (Int, Int)? {
        guard let globs else { return nil }
        let matching = globs.filter { $0.matches(name) }
        if matching.contains(where: { $0.isExact }) { return (2, name.unicodeScalars.count) }
        return matching.map(\.literalCount).max().map { (1, $0) }
    }
}
