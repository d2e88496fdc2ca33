import Foundation
public import TidegateCore
import TidegateCrypto
import TidegateIdentity
import TidegateMasking
import TidegatePolicy

/// From a file to typed values, or to everything that is wrong with it.
public struct ConfigurationReader {
    public enum Section: String, Sendable, CaseIterable {
        case identity, backends, routes, policies, masking, evidence, transport, admin, limits, log
    }

    /// What was read: a configuration only where nothing is an error.
    public struct Reading: Sendable {
        public var configuration: Configuration?
        /// Backends whose settings the schema accepts, also where something else is wrong: `check` tries them.
        public var backends: [Configuration.Backend] = []
        /// Errors and warnings, in the order of the file.
        public var problems: [ConfigurationProblem]
        /// The file itself and all that it names, for the watcher; absolute.
        public var files: [String]
        public var secrets: FileSecretReader
    }

    let declarations: [BackendDeclaration]
    let sections: Set<Section>
    let withSecrets: Bool

    /// - Parameters:
    ///   - sections: what is asked for; others are neither demanded nor looked at.
    ///   - withSecrets: false reads no secret and no certificate.
    public init(
        backends: [BackendDeclaration], sections: Set<Section> = Set(Section.allCases), withSecrets: Bool = true
    ) {
        declarations = backends
        self.sections = sections
        self.withSecrets = withSecrets
    }

    public func read(file: String) -> Reading {
        let path = URL(fileURLWithPath: file).standardizedFileURL.path
        let secrets = FileSecretReader(
            folder: URL(fileURLWithPath: path).deletingLastPathComponent().path, reads: withSecrets)
        guard let data = FileManager.default.contents(atPath: path) else {
            let mark = ConfigurationMark(file: file, line: 1, column: 1)
            let problem = ConfigurationProblem(
                mark: mark, path: "", "the file cannot be read", suggestion: "the path of a configuration file")
            return Reading(configuration: nil, problems: [problem], files: [path], secrets: secrets)
        }
        return read(text: Array(data), file: file, path: path, secrets: secrets)
    }

    /// - Parameter file: what problems call it.
    public func read(text: [UInt8], file: String, path: String? = nil, secrets: FileSecretReader? = nil) -> Reading {
        let secrets = secrets ?? FileSecretReader(folder: FileManager.default.currentDirectoryPath, reads: withSecrets)
        let files = { ([path].compactMap { $0 } + secrets.files) }
        let root: ConfigurationNode
        do throws(ConfigurationProblem) { root = try YAMLReader.read(text, file: file) } catch {
            return Reading(configuration: nil, problems: [error], files: files(), secrets: secrets)
        }
        var validator = SettingsValidator()
        validator.check(wanted(root), ConfigurationSchema.root(declarations))
        var builder = ConfigurationBuilder(declarations, secrets, withSecrets: withSecrets)
        let configuration = builder.build(wanted(root), sections)
        // A place that the schema refuses is not judged again by what it means.
        let refused = Set(validator.problems.filter { !$0.message.hasSuffix("is missing") }.map(\.path))
        let meant = builder.problems.filter { !refused.contains($0.path) }
        let problems = (validator.problems + meant + secrets.warnings).sorted {
            ($0.mark.line, $0.mark.column) < ($1.mark.line, $1.mark.column)
        }
        let hasErrors = problems.contains { $0.severity == .error }
        let tryable = configuration.backends.filter { backend in
            !validator.problems.contains { $0.path.hasPrefix(backend.settings.path) }
        }
        return Reading(
            configuration: hasErrors ? nil : configuration, backends: tryable, problems: problems, files: files(),
            secrets: secrets)
    }

    /// Only the sections that are asked for; the others are for the whole check to judge.
    private func wanted(_ root: ConfigurationNode) -> ConfigurationNode {
        guard case .mapping(let entries) = root.content, sections.count < Section.allCases.count else { return root }
        let kept = entries.filter { entry in
            Section(rawValue: entry.key.text ?? "").map { sections.contains($0) } ?? false
        }
        return ConfigurationNode(.mapping(kept), mark: root.mark, path: root.path)
    }
}

extension ConfigurationProblem: CustomStringConvertible {
    /// `file:line:column: error: routes[0].listen: what is wrong; what would be right`.
    public var description: String {
        let place = path.isEmpty ? "" : "\(path): "
        return
            "\(mark.file):\(mark.line):\(mark.column): \(severity == .error ? "error" : "warning"): \(place)\(message); \(suggestion)"
    }
}
