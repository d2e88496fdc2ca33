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
        /// The file itself and all that it names, absolute, each as it was before it was read; nil is not there.
        public var states: [String: FileState?]
        public var files: [String] { states.keys.sorted() }
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
        // Before it is read: a change from here on is one to the watcher.
        let states = [path: FileState(path)]
        guard let data = FileManager.default.contents(atPath: path) else {
            let mark = ConfigurationMark(file: file, line: 1, column: 1)
            let problem = ConfigurationProblem(
                mark: mark, path: "", "the file cannot be read", suggestion: "the path of a configuration file")
            return Reading(configuration: nil, problems: [problem], states: states, secrets: secrets)
        }
        return read(text: Array(data), file: file, secrets: secrets, states: states)
    }

    /// - Parameter file: what problems call it.
    public func read(text: [UInt8], file: String) -> Reading {
        let secrets = FileSecretReader(folder: FileManager.default.currentDirectoryPath, reads: withSecrets)
        return read(text: text, file: file, secrets: secrets, states: [:])
    }

    private func read(
        text: [UInt8], file: String, secrets: FileSecretReader, states: [String: FileState?]
    ) -> Reading {
        let root: ConfigurationNode
        var unclear: [ConfigurationProblem] = []
        do throws(ConfigurationProblem) { root = try YAMLReader.read(text, file: file, noting: &unclear) } catch {
            return Reading(configuration: nil, problems: unclear + [error], states: states, secrets: secrets)
        }
        var validator = SettingsValidator()
        validator.check(wanted(root), ConfigurationSchema.root(declarations))
        var states = states
        for path in validator.files.map({ secrets.path($0.text ?? "") }) {
            states[path] = FileState(path)
            // What a schema imports makes it another one.
            guard withSecrets else { continue }
            for imported in FileSchemaSettings.imports(ofFile: path) where states[imported] == nil {
                states[imported] = FileState(imported)
            }
        }
        var builder = ConfigurationBuilder(
            declarations, secrets, withSecrets: withSecrets,
            refused: Set(validator.problems.filter { $0.severity == .error }.map(\.path)))
        var configuration = builder.build(wanted(root), sections)
        var problems =
            judged(validator.problems, builder.problems, unclear.filter(isWanted))
            + validator.secretFiles.compactMap(secrets.exposure)
        var tryable: [Configuration.Backend] = []
        for (index, backend) in configuration.backends.enumerated() {
            guard let schema = declarations.first(where: { $0.protocolName == backend.protocolName })?.settings else {
                continue
            }
            var inner = SettingsValidator()
            inner.check(backend.settings, schema)
            configuration.backends[index].files = inner.files.map { secrets.path($0.text ?? "") }
            if !inner.problems.contains(where: { $0.severity == .error }) {
                tryable.append(configuration.backends[index])
            } else {
                // It is not made, so that nobody else tells which of its files are not there.
                for node in inner.files {
                    do throws(ConfigurationProblem) { _ = try secrets.file(at: node) } catch { problems.append(error) }
                }
            }
        }
        let hasErrors = problems.contains { $0.severity == .error }
        return Reading(
            configuration: hasErrors ? nil : configuration, backends: tryable, problems: problems.inOrder,
            states: states, secrets: secrets)
    }

    /// A place that the schema refuses is not judged again by what it means, and what a merge key would have brought is
    /// not missing.
    private func judged(
        _ found: [ConfigurationProblem], _ meant: [ConfigurationProblem], _ unclear: [ConfigurationProblem]
    ) -> [ConfigurationProblem] {
        func isLack(_ problem: ConfigurationProblem) -> Bool { problem.message.hasSuffix("is missing") }
        let refused = Set(found.filter { $0.severity == .error && !isLack($0) }.map(\.path))
        let merged = Set(unclear.filter { $0.message == YAMLReader.mergeKeys }.map(\.path))
        let all = found + meant.filter { !refused.contains($0.path) }
        return unclear + all.filter { !(isLack($0) && merged.contains($0.path)) }
    }

    private func isWanted(_ problem: ConfigurationProblem) -> Bool {
        let section = problem.path.prefix { $0 != "." && $0 != "[" }
        return section.isEmpty || Section(rawValue: String(section)).map { sections.contains($0) } ?? true
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
    /// `file:line:column: error: routes[0].listen: what is wrong; what would be right`; without a place where there is none.
    public var description: String {
        let mark = mark.file.isEmpty ? "" : "\(mark.file):\(mark.line):\(mark.column): "
        let place = path.isEmpty ? "" : "\(path): "
        return "\(mark)\(severity == .error ? "error" : "warning"): \(place)\(message); \(suggestion)"
    }
}

extension [ConfigurationProblem] {
    /// In the order of the file.
    public var inOrder: [ConfigurationProblem] {
        sorted { ($0.mark.line, $0.mark.column) < ($1.mark.line, $1.mark.column) }
    }
}

extension ConfigurationProblems: CustomStringConvertible {
    /// One problem a line.
    public var description: String { list.map(\.description).joined(separator: "\n") }
}
