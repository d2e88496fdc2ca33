import Foundation
import Glibc

/// One command of `tidegate`: what it is called, how it is used, and what it does.
struct Command: Sendable {
    var name: String
    var summary: String
    /// The synopsis behind the name, and an example.
    var usage: String
    var example: String
    var options: Set<String> = []
    /// Options that may be given several times.
    var repeatable: Set<String> = []
    var flags: Set<String> = []
    /// How many words beside options and flags it takes at most.
    var words = 0
    /// Returns the exit code: 0 done, 1 refused or found wrong; wrong usage is 2.
    var run: @Sendable (CommandLineArguments) async throws -> Int32

    var help: String {
        """
        tidegate \(name): \(summary)

        usage: tidegate \(name) \(usage)
        example: \(example)

        """
    }

    static let all: [Command] = [
        .serve, .check, .explain, .mask, .unmask, .evidence, .schema, .demo, .version,
    ]

    /// Commands that are promised, and come with a later version.
    static let later: Set<String> = [
        "login", "token", "connect", "credential", "credentials", "request", "requests", "approve", "deny", "grants",
        "revoke", "lock", "unlock", "locks", "sessions", "who-read", "bench",
    ]

    /// Runs what the words say.
    static func run(_ words: [String]) async -> Int32 {
        guard let name = words.first, name != "--help", name != "help", name != "-h" else {
            Output.text(overview)
            return words.isEmpty ? 2 : 0
        }
        if name == "--version" { return await run(["version"]) }
        if later.contains(name) {
            Output.error("tidegate: '\(name)' is not available in this version\n")
            return 2
        }
        guard let command = all.first(where: { $0.name == name }) else {
            Output.error("tidegate: unknown command '\(name)'\n\n\(overview)")
            return 2
        }
        if words.contains("--help") || words.contains("-h") {
            Output.text(command.help)
            return 0
        }
        do {
            let arguments = try CommandLineArguments(
                words.dropFirst(), options: command.options, repeatable: command.repeatable, flags: command.flags,
                words: command.words)
            return try await command.run(arguments)
        } catch let error as CommandLineArguments.UsageError {
            Output.error("tidegate \(name): \(error.message)\n\n\(command.help)")
            return 2
        } catch {
            Output.error("tidegate \(name): \(error)\n")
            return 1
        }
    }

    private static var overview: String {
        let width = all.map(\.name.count).max() ?? 0
        let lines = all.map { "  \($0.name.padding(toLength: width + 2, withPad: " ", startingAt: 0))\($0.summary)" }
        return """
            tidegate: privileged-access management for streams, on the wire

            \(lines.joined(separator: "\n"))

            `tidegate COMMAND --help` shows how to use one.

            """
    }
}

/// Data to standard output, progress and errors to standard error.
enum Output {
    static func text(_ text: String) { bytes(Array(text.utf8)) }
    static func bytes(_ bytes: [UInt8]) { write(bytes, to: 1) }
    static func error(_ text: String) { write(Array(text.utf8), to: 2) }

    /// Writes all of it. Data that cannot be written ends the command with 1: what is short must not pass for whole.
    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var at = 0
        while at < bytes.count {
            let (count, failure) = unsafe bytes.withUnsafeBytes { raw in
                let count = unsafe Glibc.write(descriptor, raw.baseAddress?.advanced(by: at), raw.count - at)
                return (count, errno)
            }
            if count < 0, failure == EINTR { continue }
            if count > 0 {
                at += count
                continue
            }
            guard descriptor == 1 else { return }
            // Who reads a pipe may close it when he has enough, as `head` does.
            if failure != EPIPE { error("tidegate: standard output: \(reason(failure))\n") }
            exit(1)
        }
    }

    /// What the system calls an error.
    static func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }

    /// A JSON object on a line of its own.
    static func json(_ object: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if let data = try? encoder.encode(object) { bytes(Array(data) + [10]) }
    }
}

/// What this build calls itself.
enum Version { static let text = "0.1.0" }

extension Command {
    static let version = Command(
        name: "version", summary: "says which build this is", usage: "[--json]", example: "tidegate version",
        flags: ["--json"]
    ) { arguments in
        if arguments.flags.contains("--json") {
            Output.json(["version": Version.text])
        } else {
            Output.text("tidegate \(Version.text)\n")
        }
        return 0
    }
}
