import TidegateConfiguration

/// Looks at files every second, and says when one has changed and all have been still for a second.
///
/// Looking, not inotify: it sees symlink swaps, network file systems and files that are not there yet alike.
final class FileWatcher {
    private var states: [String: FileState?] = [:]
    private var isDirty = false

    /// - Parameter files: by path, the state to compare with: as it was before the file was read, so that a change during
    ///   the reading is one.
    func watch(_ files: [String: FileState?]) {
        states = files
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
