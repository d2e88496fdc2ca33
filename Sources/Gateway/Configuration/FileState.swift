import Glibc

/// What a file is by now: changes with its content, and with the target of a symbolic link that leads to it.
public struct FileState: Sendable, Equatable, CustomStringConvertible {
    public let description: String

    /// - Returns: nil where there is no such file.
    public init?(_ path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        description =
            "\(status.st_dev):\(status.st_ino):\(status.st_size):\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
    }
}
