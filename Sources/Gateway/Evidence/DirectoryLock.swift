import Glibc

/// One process writes into a directory: a lock on the file `pid`, which names the process that holds it.
final class DirectoryLock {
    private let descriptor: Int32

    init(_ directory: String) throws(EvidenceError) {
        if unsafe mkdir(directory, 0o700) == 0 {
            try PosixFileSystem.synchronizeDirectory(of: directory)
        } else if errno != EEXIST {
            throw .system("mkdir", directory)
        }
        let path = "\(directory)/pid"
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("open", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            guard number == EWOULDBLOCK else { throw .system("flock", path, number) }
            var text = [UInt8](repeating: 0, count: 20)
            let count = unsafe text.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            let holder = String(decoding: text.prefix(max(0, count)).filter { (48...57).contains($0) }, as: UTF8.self)
            throw EvidenceError(
                .inUse, file: path, "the evidence directory is in use by process \(holder.isEmpty ? "?" : holder)")
        }
        let pid = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        _ = unsafe pid.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}
