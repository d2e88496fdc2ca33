public import TidegateCore

/// How a policy writes commands: a backend's wire names in any case, `CONFIG GET` for `CONFIG|GET`, a container
/// (`CONFIG`) for all of its subcommands, and `@category`.
public struct CommandNames {
    private let declarations: [BackendDeclaration]

    public init(_ declarations: [BackendDeclaration]) { self.declarations = declarations }

    /// All that may stand there, as it is declared.
    public var all: [String] { declarations.flatMap(\.wireNames) }

    /// `@read`, in order.
    public var categories: [String] { Set(declarations.flatMap(\.commandCategories.keys)).sorted().map { "@\($0)" } }

    /// The wire name that a text is; nil where it is none, or a container's.
    public func wireName(_ text: String) -> String? {
        let text = CommandNames.canonical(text)
        return all.first { CommandNames.canonical($0) == text }
    }

    /// The wire names that a name stands for: its own, and those of its subcommands.
    func wireNames(of name: String) -> Set<String> {
        let name = CommandNames.canonical(name)
        return Set(
            all.filter { known in
                let known = CommandNames.canonical(known)
                return known == name || known.hasPrefix(name + "|")
            })
    }

    /// The wire names of a category (with its `@`); nil where no backend has it.
    func wireNames(ofCategory category: String) -> Set<String>? {
        let found = declarations.flatMap(\.commandCategories).filter {
            "@\($0.key.lowercased())" == category.lowercased()
        }
        return found.isEmpty ? nil : Set(found.flatMap(\.value))
    }

    /// A command is opened by its name only.
    public func mustBeNamed(_ wireName: String) -> Bool {
        declarations.contains { $0.explicitCommands.contains(wireName) }
    }

    private static func canonical(_ name: String) -> String {
        name.lowercased().split(separator: " ").joined(separator: "|")
    }
}
