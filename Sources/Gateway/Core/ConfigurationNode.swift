/// A place in a configuration file, counted from 1.
public struct ConfigurationMark: Sendable, Hashable {
    public var file: String
    public var line, column: Int
    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
}

/// A node of a configuration file: where it stands, and what it holds. No file format is known here.
public struct ConfigurationNode: Sendable {
    public enum Content: Sendable {
        /// The text, and whether it was quoted (a quoted `true` is a text).
        case scalar(String, isQuoted: Bool)
        case sequence([ConfigurationNode])
        case mapping([(key: ConfigurationNode, value: ConfigurationNode)])
    }
    public var content: Content
    public var mark: ConfigurationMark
    /// Keys from the root (`routes[0].listen`), for messages.
    public var path: String
    public init(_ content: Content, mark: ConfigurationMark, path: String) {
        self.content = content
        self.mark = mark
        self.path = path
    }

    public var isNull: Bool {
        if case .scalar(let text, isQuoted: false) = content { return text.isEmpty || text == "~" || text == "null" }
        return false
    }
    /// The text of a scalar.
    public var text: String? {
        if case .scalar(let text, _) = content, !isNull { return text }
        return nil
    }
    public var integer: Int? {
        if case .scalar(let text, isQuoted: false) = content { return Int(text.filter { $0 != "_" }) }
        return nil
    }
    public var boolean: Bool? {
        if case .scalar(let text, isQuoted: false) = content {
            switch text {
            case "true", "True", "TRUE": return true
            case "false", "False", "FALSE": return false
            default: return nil
            }
        }
        return nil
    }
    public var elements: [ConfigurationNode] {
        if case .sequence(let elements) = content { return elements }
        return []
    }
    public var entries: [(key: ConfigurationNode, value: ConfigurationNode)] {
        if case .mapping(let entries) = content { return entries }
        return []
    }
    /// The value of a key; nil where there is none, or it is null.
    public subscript(key: String) -> ConfigurationNode? {
        guard let found = entries.first(where: { $0.key.text == key })?.value, !found.isNull else { return nil }
        return found
    }
    /// `host:port`, an IPv6 host in brackets.
    public var address: (host: String, port: UInt16)? {
        guard let text, let colon = text.lastIndex(of: ":") else { return nil }
        let figures = text[text.index(after: colon)...]
        guard figures.utf8.allSatisfy({ 48...57 ~= $0 }), let port = UInt16(figures) else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        return host.isEmpty ? nil : (String(host), port)
    }
    /// Texts of a list; a single scalar is a list of one.
    public var texts: [String] {
        if let text { return [text] }
        return elements.compactMap(\.text)
    }
}

/// One thing wrong with a configuration: where, what, and what would be right.
public struct ConfigurationProblem: Error, Sendable, Hashable {
    public enum Severity: Sendable, Hashable { case error, warning }
    public var severity: Severity
    public var mark: ConfigurationMark
    public var path: String
    public var message: String
    /// What would be right.
    public var suggestion: String
    public init(
        _ severity: Severity = .error, mark: ConfigurationMark, path: String, _ message: String, suggestion: String
    ) {
        self.severity = severity
        self.mark = mark
        self.path = path
        self.message = message
        self.suggestion = suggestion
    }
    public init(
        _ severity: Severity = .error, at node: ConfigurationNode, _ message: String, suggestion: String
    ) {
        self.init(severity, mark: node.mark, path: node.path, message, suggestion: suggestion)
    }
}

/// All that is wrong, in the order of the file.
public struct ConfigurationProblems: Error, Sendable {
    public var list: [ConfigurationProblem]
    public init(_ list: [ConfigurationProblem] = []) { self.list = list }
    public var hasErrors: Bool { list.contains { $0.severity == .error } }
}

/// Reads secrets from the files and variables that a configuration names. Which files those are, so that a change of one
/// reloads, is said by the settings' schema (`file`, `secretFile`). Implemented by Configuration.
public protocol SecretReader: AnyObject, Sendable {
    /// The secret of `key + "File"` or `key + "Env"` beside each other in `settings`, without one trailing newline.
    ///
    /// - Returns: nil where neither stands there.
    /// - Throws: a problem that names file or variable, never the content.
    func secret(_ key: String, in settings: ConfigurationNode) throws(ConfigurationProblem) -> [UInt8]?

    /// The absolute path of a file that the configuration names at `node` (relative ones start at the configuration's
    /// folder), readable.
    func file(at node: ConfigurationNode) throws(ConfigurationProblem) -> String

    /// False where no file may be opened (`check --without-secrets`): secrets are empty then, and paths are all there is.
    var opensFiles: Bool { get }
}

extension SecretReader {
    public var opensFiles: Bool { true }
}
