import Foundation
import Glibc
import TidegateDemo

extension Command {
    static let demo = Command(
        name: "demo", summary: "tells the main job on an embedded cluster; prints tokens for it",
        usage: "[--once] | token analyst|contractor|data-owner", example: "tidegate demo token analyst",
        flags: ["--once"], words: 2
    ) { arguments in
        if arguments.positional.first == "token" {
            guard arguments.positional.count == 2 else {
                throw CommandLineArguments.UsageError(
                    message: "whose token: \(DemoPerson.all.map(\.name).joined(separator: ", "))")
            }
            Output.text(try DemoFolder.standard.token(for: arguments.positional[1]) + "\n")
            return 0
        }
        guard arguments.positional.isEmpty else {
            throw CommandLineArguments.UsageError(message: "unknown word '\(arguments.positional[0])'")
        }
        let story = DemoStory(once: arguments.flags.contains("--once"), executable: CommandLine.arguments[0]) {
            launch in
            let terminal = try redirectErrors(to: launch.log)
            do {
                let service = try GatewayService(file: launch.configuration)
                await service.begin()
                return RunningGateway {
                    await service.stop()
                    restoreErrors(terminal)
                }
            } catch {
                restoreErrors(terminal)
                throw error
            }
        }
        return await story.run()
    }

    /// The log goes to a file: the terminal belongs to the story.
    private static func redirectErrors(to path: String) throws -> Int32 {
        let kept = dup(2)
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path]) }
        dup2(file, 2)
        close(file)
        return kept
    }

    private static func restoreErrors(_ kept: Int32) {
        dup2(kept, 2)
        close(kept)
    }
}
