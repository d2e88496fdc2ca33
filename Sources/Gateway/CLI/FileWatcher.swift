import Foundation
import Glibc

/// What a file is by now: changes with its content, and with the target of a symbolic link that leads to it.
struct FileState: Equatable, CustomStringConvertible {
    let description: String

    /// - Returns: nil where there is no such file.
    init?(_ path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        description =
            "\(status.st_dev):\(status.st_ino):\(status.st_size):\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
    }
}

/// Looks at files every second, and says when one has changed and all have been still for a second.
///
/// Looking, not inotify: it sees symlink swaps, network file systems and files that are not there yet alike.
final class FileWatcher {
    private var states: [String: FileState?] = [:]
    private var isDirty = false

    /// Takes what is there now as the state to compare with.
    func watch(_ files: [String]) {
        states = Dictionary(files.map { ($0, FileState($0)) }, uniquingKeysWith: { first, _ in first })
        isDirty = false
    }

    /// - Returns: true once after a change, when nothing has changed since the call before.
    func hasSettledChange() -> Bool {
        var changed = false
        for (file, state) in states {
            let now = FileState(file)
            if now != state {
                states[file] = now
                changed = true
            }
        }
        if changed {
            isDirty = true
            return false
        }
        defer { isDirty = false }
        return isDirty
    }
}
