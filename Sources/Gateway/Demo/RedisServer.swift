import Foundation
import Glibc

/// A private redis-server of the demo's own: on the loopback, with a password, without a disk.
final class RedisServer {
    let port: UInt16
    private(set) var version = ""
    private let process = Process()
    private let ended = DispatchSemaphore(value: 0)

    /// The program, where it is installed.
    static let program: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin")
        .split(separator: ":").map { "\($0)/redis-server" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    /// - Throws: `DemoError` where it does not answer in time.
    init(program: String, port: UInt16, password: String, folder: String) throws {
        self.port = port
        process.executableURL = URL(fileURLWithPath: program)
        // The password goes by its standard input: arguments are everybody's to read.
        process.arguments = ["-"]
        let input = Pipe()
        process.standardInput = input
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        let ended = ended
        process.terminationHandler = { _ in ended.signal() }
        try process.run()
        let settings = "bind 127.0.0.1\nport \(port)\nrequirepass \(password)\nsave \"\"\nappendonly no\n"
        try input.fileHandleForWriting.write(contentsOf: Data(settings.utf8))
        try input.fileHandleForWriting.close()
        let end = ContinuousClock.now + .seconds(20)
        while true {
            if let client = try? RedisClient(port: port, password: [password]),
                case .text(let information)? = try? client.ask("INFO", "server")
            {
                version =
                    information.split(whereSeparator: \.isNewline).first { $0.hasPrefix("redis_version:") }
                    .map { String($0.dropFirst(14)) } ?? ""
                return
            }
            guard process.isRunning, ContinuousClock.now < end else {
                stop()
                throw DemoError("\(program) does not answer on port \(port)")
            }
            usleep(20_000)
        }
    }

    /// Ends it at once, since it keeps nothing: other signals are blocked in what a thread of a pool has started.
    func stop() {
        guard process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        // `waitUntilExit` would turn a run loop that this thread has not.
        _ = ended.wait(timeout: .now() + 10)
    }
}
