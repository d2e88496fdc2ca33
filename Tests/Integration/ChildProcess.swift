import Foundation
import TestSupport

/// A program started with posix_spawn, and waited for by its id. (Foundation's `Process` takes a child for alive as long as
/// anything that the child left running in the background is: a started Kafka would never have been "started".)
final class ChildProcess {
    let identifier: pid_t
    private var status: Int32?

    /// - Parameters:
    ///   - input, output, errors: files; without one `/dev/null`. Descriptors above 2 are not inherited.
    ///   - inputDescriptor: instead of `input`.
    init(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], input: String? = nil,
        inputDescriptor: Int32? = nil, output: String? = nil, errors: String? = nil
    ) throws {
        // Ours stay ours: posix_spawn_file_actions_addclosefrom_np is not imported.
        for descriptor in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap(Int32.init)
        where descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let inputDescriptor {
            posix_spawn_file_actions_adddup2(&actions, inputDescriptor, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, input ?? "/dev/null", O_RDONLY, 0)
        }
        for (descriptor, file) in [(Int32(1), output), (2, errors)] {
            posix_spawn_file_actions_addopen(
                &actions, descriptor, file ?? "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A test process ignores or blocks what its children must not.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let words = ([path] + arguments).map { strdup($0) } + [nil]
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + settings { free(text) } }
        var started: pid_t = 0
        let code = posix_spawn(&started, path, &actions, &attributes, words, settings)
        guard code == 0 else { throw ProcessFailure(description: "\(path): \(String(cString: strerror(code)))") }
        identifier = started
    }

    /// The exit status once it has ended, 128 and the signal where one ended it; nil while it runs.
    var exitStatus: Int32? {
        if let status { return status }
        var word: Int32 = 0
        guard waitpid(identifier, &word, WNOHANG) == identifier else { return nil }
        status = word & 0x7f == 0 ? (word >> 8) & 0xff : 128 + (word & 0x7f)
        return status
    }

    var isRunning: Bool { exitStatus == nil }

    /// - Parameter seconds: what it takes on a quiet machine at most.
    /// - Returns: the exit status, or nil where it still runs long after that.
    func wait(seconds: Double) -> Int32? {
        let end = ContinuousClock.now + .seconds(seconds * hangFactor)
        while ContinuousClock.now < end {
            if let exitStatus { return exitStatus }
            usleep(10_000)
        }
        return exitStatus
    }

    /// Ends it at once.
    func kill() {
        guard isRunning else { return }
        Glibc.kill(identifier, SIGKILL)
        _ = wait(seconds: 10)
    }
}
