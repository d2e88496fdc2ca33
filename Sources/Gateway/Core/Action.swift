/// What may be asked, in the same eight words on every protocol (CONTRACT, *Actions and resources*).
public enum Action: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    case describe, consume, produce, commit, create, alter, delete, admin

    /// The word of configuration, evidence and command line.
    public var name: String {
        switch self {
        case .describe: "describe"
        case .consume: "consume"
        case .produce: "produce"
        case .commit: "commit"
        case .create: "create"
        case .alter: "alter"
        case .delete: "delete"
        case .admin: "admin"
        }
    }

    public init?(name: String) {
        guard let found = Action.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    /// Changes that are written as evidence each time and, in strict mode, before they are forwarded.
    @inlinable public var isChange: Bool {
        switch self {
        case .create, .alter, .delete, .admin: true
        case .describe, .consume, .produce, .commit: false
        }
    }
}
