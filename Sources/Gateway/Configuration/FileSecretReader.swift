import Foundation
import Synchronization
public import TidegateCore

/// Reads the files that a configuration names, and remembers which they are.
public final class FileSecretReader: SecretReader {
    private let folder: String
    private let reads: Bool
    private let named = Mutex<Set<String>>([])
    private let noted = Mutex<[ConfigurationProblem]>([])

    /// - Parameters:
    ///   - folder: where relative paths start.
    ///   - reads: false gives empty secrets and looks at no file (`--without-secrets`).
    public init(folder: String, reads: Bool) {
        self.folder = folder
        self.reads = reads
    }

    /// Every file named so far, absolute.
    public var files: [String] { named.withLock { Array($0) }.sorted() }
    /// Warnings: files that everybody may read.
    public var warnings: [ConfigurationProblem] { noted.withLock { $0 } }

    public func path(_ text: String) -> String {
        text.hasPrefix("/") ? text : URL(fileURLWithPath: folder).appending(path: text).standardizedFileURL.path
    }

    public func file(at node: ConfigurationNode) throws(ConfigurationProblem) -> String {
        let path = path(node.text ?? "")
        named.withLock { _ = $0.insert(path) }
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
            if let mode = (try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions] as? Int,
                mode & 0o004 != 0
            {
                noted.withLock {
                    $0.append(
                        ConfigurationProblem(
                            .warning, at: node, "everybody may read \(path)", suggestion: "chmod 600"))
                }
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
