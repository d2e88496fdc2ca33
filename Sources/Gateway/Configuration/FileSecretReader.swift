import Foundation
public import TidegateCore

/// Reads the files and variables that a configuration names.
public final class FileSecretReader: SecretReader {
    private let folder: String
    private let reads: Bool

    /// - Parameters:
    ///   - folder: where relative paths start.
    ///   - reads: false gives empty secrets and looks at no file (`--without-secrets`).
    public init(folder: String, reads: Bool) {
        self.folder = folder
        self.reads = reads
    }

    public var opensFiles: Bool { reads }

    /// A warning where everybody may read the file at `node`.
    public func exposure(of node: ConfigurationNode) -> ConfigurationProblem? {
        let path = path(node.text ?? "")
        guard reads, let attributes = try? FileManager.default.attributesOfItem(atPath: resolved(path)),
            let mode = attributes[.posixPermissions] as? Int, mode & 0o004 != 0
        else { return nil }
        return ConfigurationProblem(.warning, at: node, "everybody may read \(path)", suggestion: "chmod 600")
    }

    private func resolved(_ path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }

    public func path(_ text: String) -> String {
        text.hasPrefix("/") ? text : URL(fileURLWithPath: folder).appending(path: text).standardizedFileURL.path
    }

    public func file(at node: ConfigurationNode) throws(ConfigurationProblem) -> String {
        let path = path(node.text ?? "")
        guard reads else { return path }
        var isFolder: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw ConfigurationProblem(
                at: node, "\(path) is not there", suggestion: "the path of a file, from the configuration's folder on")
        }
        guard !isFolder.boolValue, FileManager.default.isReadableFile(atPath: path) else {
            throw ConfigurationProblem(
                at: node, "\(path) cannot be read", suggestion: "a file that the gateway's user may read")
        }
        return path
    }

    /// The bytes of `file` or `env` in `settings`, a newline at the end too: key material is not text.
    ///
    /// - Returns: nil where neither stands there; nothing where secrets are not read.
    func material(in settings: ConfigurationNode) throws(ConfigurationProblem) -> [UInt8]? {
        if settings["file"] != nil, let node = settings["env"] {
            throw ConfigurationProblem(at: node, "file and env stand beside each other", suggestion: "one of them")
        }
        if let node = settings["file"] {
            let path = try file(at: node)
            guard reads else { return [] }
            guard let data = FileManager.default.contents(atPath: path) else {
                throw ConfigurationProblem(
                    at: node, "\(path) cannot be read", suggestion: "a file that the gateway's user may read")
            }
            return Array(data)
        }
        guard let node = settings["env"], let name = node.text else { return nil }
        guard reads else { return [] }
        guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else {
            throw ConfigurationProblem(
                at: node, "the environment has no \(name)", suggestion: "a variable that holds the key")
        }
        return Array(value.utf8)
    }

    public func secret(_ key: String, in settings: ConfigurationNode) throws(ConfigurationProblem) -> [UInt8]? {
        if let node = settings[key + "File"], settings[key + "Env"] != nil {
            throw ConfigurationProblem(
                at: node, "\(key)File and \(key)Env stand beside each other", suggestion: "one of them")
        }
        if let node = settings[key + "File"] {
            let path = try file(at: node)
            guard reads else { return [] }
            guard let data = FileManager.default.contents(atPath: path) else {
                throw ConfigurationProblem(
                    at: node, "\(path) cannot be read", suggestion: "a file that the gateway's user may read")
            }
            var bytes = Array(data)
            if bytes.last == 10 {
                bytes.removeLast()
                if bytes.last == 13 { bytes.removeLast() }
            }
            guard !bytes.isEmpty else {
                throw ConfigurationProblem(at: node, "\(path) is empty", suggestion: "a file that holds the secret")
            }
            return bytes
        }
        if let node = settings[key + "Env"] {
            guard reads else { return [] }
            guard let value = ProcessInfo.processInfo.environment[node.text ?? ""], !value.isEmpty else {
                throw ConfigurationProblem(
                    at: node, "the environment has no \(node.text ?? "")",
                    suggestion: "a variable that holds the secret")
            }
            return Array(value.utf8)
        }
        return nil
    }
}
