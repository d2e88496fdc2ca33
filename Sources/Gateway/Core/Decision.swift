/// One action on one resource, as the client asks for it; a request asks for many.
public struct Operation: Sendable, BitwiseCopyable {
    public var action: Action
    public var resource: Resource
    /// The group of a stream, the publication of a table; judged as a pair.
    public var within: Resource?
    public var wireName: WireName
    /// Where the request says where it starts.
    public var from: Position?
    @inlinable
    public init(
        _ action: Action, _ resource: Resource, within: Resource? = nil, wireName: WireName, from: Position? = nil
    ) {
        self.action = action
        self.resource = resource
        self.within = within
        self.wireName = wireName
        self.from = from
    }
}

/// Made on an operation: allowed with its obligations, denied with a reason, or waiting for an approval.
public enum Decision: Sendable, BitwiseCopyable {
    case allow(Clearance)
    case deny(Refusal)
    case hold
}

/// Which compiled masking profile applies, whether in earnest, and which tokens are opened.
public struct MaskIndex: Hashable, Sendable, BitwiseCopyable {
    /// The profile's number in the authority, from 1; 0 is none.
    public let index: UInt16
    /// The number of the authority's scope of tokens that the profile opens, from 1; 0 opens none.
    public let opens: UInt16
    /// The profile only counts what it would mask; everything is handed over as it is.
    public let isDryRun: Bool
    public init(_ index: UInt16, isDryRun: Bool = false, opens: UInt16 = 0) {
        self.index = index
        self.opens = opens
        self.isDryRun = isDryRun
    }
    public static let none = MaskIndex(0)
    /// Nobody looks at what is handed over.
    @inlinable public var isNone: Bool { index == 0 }
    /// Something is hidden: what cannot be looked into must not pass as it is.
    @inlinable public var hides: Bool { index != 0 && !isDryRun }
}

/// What evidence keeps of what was handed over.
public enum Recording: UInt8, Sendable, BitwiseCopyable { case positions, messages }

/// The right to pass bytes. Only a governor makes one, and it is good only under the version of policy that made it.
public struct Clearance: Sendable, Equatable, BitwiseCopyable {
    /// The line of the decision cache it came from.
    @usableFromInline let line: UInt32
    /// The version of the authority that made it.
    @usableFromInline let authority: UInt32
    /// How to mask what is handed over.
    public let mask: MaskIndex
    public let recording: Recording
    @usableFromInline
    init(line: UInt32, authority: UInt32, mask: MaskIndex, recording: Recording) {
        self.line = line
        self.authority = authority
        self.mask = mask
        self.recording = recording
    }
    /// The right of `openClearance`: no records pass under it.
    @inlinable public var isOpen: Bool { line == .max }
}

/// Why something is refused: a code, the rule that decided and the request that was raised. There is no field for a value.
public struct Refusal: Error, Sendable, Equatable, BitwiseCopyable {
    public enum Code: UInt8, Sendable, BitwiseCopyable {
        /// A deny rule decided.
        case denied
        /// No rule covers it.
        case noRule
        /// A require-approval rule decided; no approval yet.
        case approvalRequired
        /// The session's token or credential has ended.
        case expired
        /// The credential was rejected.
        case unauthenticated
        /// A field that only a broker may set, or a request that is refused to everybody.
        case notForClients
        /// The gateway does not understand it (unknown key, version, format), so nobody gets it.
        case notUnderstood
        /// A limit of the gateway.
        case limit
        /// The record could not be masked, and the profile says to withhold it.
        case unmaskable
        /// Evidence could not be stored.
        case evidenceUnavailable
        /// The policy changed, and what was allowed no longer is.
        case revoked
    }
    public var code: Code
    /// Index of the deciding rule in its policy, or -1.
    public var rule: Int32
    /// The access request raised for it, or 0.
    public var request: UInt64
    @inlinable
    public init(_ code: Code, rule: Int32 = -1, request: UInt64 = 0) {
        self.code = code
        self.rule = rule
        self.request = request
    }

    /// Constant text for logs and evidence.
    public var reason: String {
        switch code {
        case .denied: "denied by rule"
        case .noRule: "no rule allows it"
        case .approvalRequired: "approval required"
        case .expired: "token or credential expired"
        case .unauthenticated: "not authenticated"
        case .notForClients: "not open to clients"
        case .notUnderstood: "not understood"
        case .limit: "limit exceeded"
        case .unmaskable: "could not be masked"
        case .evidenceUnavailable: "evidence could not be stored"
        case .revoked: "no longer allowed"
        }
    }
}
