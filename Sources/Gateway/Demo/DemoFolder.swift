import Foundation
import Glibc
package import TidegateCrypto

/// The folder of a demo: the issuer's key and address (so that `tidegate demo token` works from another terminal, and an
/// hour later), the configuration, and the evidence. Readable by its owner only.
public struct DemoFolder: Sendable {
    public let path: String

    /// `$TIDEGATE_DEMO_HOME`, or `.tidegate-demo` in the home folder.
    public static var standard: DemoFolder {
        let given = ProcessInfo.processInfo.environment["TIDEGATE_DEMO_HOME"] ?? ""
        return DemoFolder(path: given.isEmpty ? NSHomeDirectory() + "/.tidegate-demo" : given)
    }

    public init(path: String) { self.path = path }

    /// A fresh one below the folder for temporary files.
    static func temporary() throws -> DemoFolder {
        let folder = DemoFolder(
            path: FileManager.default.temporaryDirectory.path + "/tidegate-demo-\(UUID().uuidString)")
        try folder.create()
        return folder
    }

    var configuration: String { path + "/tidegate.yaml" }
    var evidence: String { path + "/evidence" }
    var log: String { path + "/tidegate.log" }
    var redisPassword: String { path + "/redis-password" }
    private var lock: String { path + "/running" }
    private var key: String { path + "/issuer.pem" }
    private var issuer: String { path + "/issuer.url" }

    package func create() throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    /// Keeps other demos out of the folder until this process ends.
    ///
    /// - Throws: `DemoError` where one is up: its configuration, issuer and evidence are not to be replaced under it.
    package func claim() throws {
        let descriptor = unsafe open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DemoError("\(lock) cannot be written") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw DemoError(
                "a demo is up in \(path): end it, or give this one a folder of its own with TIDEGATE_DEMO_HOME")
        }
        // The descriptor stays open, and with it the lock, as long as the process lives.
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// What an earlier demo recorded goes: its offsets are those of another cluster.
    func clearEvidence() throws {
        if FileManager.default.fileExists(atPath: evidence) { try FileManager.default.removeItem(atPath: evidence) }
        try FileManager.default.createDirectory(
            atPath: evidence, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    /// The key of an earlier demo, or a fresh one.
    package func signingKey() throws -> SigningKey {
        if let pem = FileManager.default.contents(atPath: key),
            let kept = SigningKey(pem: Array(pem), algorithm: .es256)
        {
            return kept
        }
        guard let fresh = SigningKey() else { throw DemoError("OpenSSL makes no key") }
        try write(fresh.pem, to: key)
        return fresh
    }

    package func note(issuer url: String) throws { try write(Array(url.utf8), to: issuer) }

    func note(redisPassword password: String) throws { try write(Array(password.utf8), to: redisPassword) }

    func write(configuration text: String) throws { try write(Array(text.utf8), to: configuration) }

    /// A token for one of the demo's people, signed with the key that the folder holds.
    ///
    /// - Throws: `DemoError` where no demo has run here, or nobody is called `name`.
    public func token(for name: String) throws -> String {
        guard let person = DemoPerson.all.first(where: { $0.name == name }) else {
            throw DemoError("nobody is called '\(name)': \(DemoPerson.all.map(\.name).joined(separator: ", "))")
        }
        guard let pem = FileManager.default.contents(atPath: key),
            let url = FileManager.default.contents(atPath: issuer),
            let kept = SigningKey(pem: Array(pem), algorithm: .es256)
        else { throw DemoError("no demo has run in \(path): start one with `tidegate demo`") }
        return try DevelopmentTokens(key: kept, issuer: String(decoding: url, as: UTF8.self))
            .mint(subject: person.name, groups: person.groups)
    }

    /// Writes a file that only its owner may read, whole or not at all.
    private func write(_ bytes: [UInt8], to file: String) throws {
        let draft = file + ".new"
        let descriptor = unsafe open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DemoError("\(draft) cannot be written") }
        defer { close(descriptor) }
        var at = 0
        while at < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { raw in
                unsafe Glibc.write(descriptor, raw.baseAddress?.advanced(by: at), raw.count - at)
            }
            guard count > 0 else { throw DemoError("\(draft) cannot be written") }
            at += count
        }
        guard unsafe rename(draft, file) == 0 else { throw DemoError("\(file) cannot be written") }
    }
}
