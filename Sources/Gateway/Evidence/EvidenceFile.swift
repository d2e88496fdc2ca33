import Glibc

/// A segment that is written: what the writer needs of a file, so that tests can make it fail.
public protocol EvidenceFile: AnyObject {
    var path: String { get }
    /// Appends all of the bytes, or throws with any part of them written.
    func append(_ bytes: [UInt8]) throws(EvidenceError)
    /// Everything appended is on stable storage when it returns.
    func synchronize() throws(EvidenceError)
    func truncate(to length: Int) throws(EvidenceError)
}

/// Where segments live; the real one is `EvidenceDirectory`.
public protocol EvidenceFileSystem {
    /// Makes an empty file, replacing what stands there, and makes its name durable.
    func create(_ path: String) throws(EvidenceError) -> any EvidenceFile
    /// Opens a file that is there, to append.
    func open(_ path: String) throws(EvidenceError) -> any EvidenceFile
}

/// Files of POSIX: append-only, mode 0600, their directory synchronised after a name was made.
public struct PosixFileSystem: EvidenceFileSystem, Sendable {
    public init() {}

    public func create(_ path: String) throws(EvidenceError) -> any EvidenceFile {
        let file = try PosixEvidenceFile(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC)
        try PosixFileSystem.synchronizeDirectory(of: path)
        return file
    }

    public func open(_ path: String) throws(EvidenceError) -> any EvidenceFile {
        try PosixEvidenceFile(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    }

    /// Makes the names in a file's directory durable.
    static func synchronizeDirectory(of path: String) throws(EvidenceError) {
        let directory = path.lastIndex(of: "/").map { path[..<$0].isEmpty ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = unsafe Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open", directory) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system("fsync", directory) }
    }
}

/// Owns one descriptor.
final class PosixEvidenceFile: EvidenceFile {
    let path: String
    private let descriptor: Int32

    init(_ path: String, _ flags: Int32) throws(EvidenceError) {
        self.path = path
        descriptor = unsafe Glibc.open(path, flags, 0o600)
        guard descriptor >= 0 else { throw .system("open", path) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func append(_ bytes: [UInt8]) throws(EvidenceError) {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress.map { unsafe $0 + written }, bytes.count - written)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system("write", path)
            }
            written += count
        }
    }

    func synchronize() throws(EvidenceError) {
        guard fdatasync(descriptor) == 0 else { throw .system("fdatasync", path) }
    }

    func truncate(to length: Int) throws(EvidenceError) {
        guard ftruncate(descriptor, length) == 0 else { throw .system("ftruncate", path) }
    }
}
