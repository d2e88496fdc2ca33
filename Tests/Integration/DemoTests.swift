import Foundation
import Testing

extension Integration {
    /// The demo as a person runs it: it stays up, and its lines are pasted into another terminal.
    @Suite(.enabled(if: Surroundings.gateway != nil, "needs a built tidegate (TIDEGATE_BINARY)"))
    struct DemoTests {
        @Test(.enabled(if: Surroundings.kcat != nil, "kcat is not installed"))
        func `the lines that the demo prints do what they say, and SIGTERM ends it`() throws {
            let home = try Surroundings.temporaryFolder()
            defer { try? FileManager.default.removeItem(atPath: home) }
            let demo = try RunningProgram(
                try #require(Surroundings.gateway), ["demo"], environment: ["TIDEGATE_DEMO_HOME": home])
            defer { demo.stop() }
            try eventually("the story is told", within: 60) {
                try #require(demo.process.isRunning, "\(demo.output.suffix(800))")
                return demo.output.contains("/metrics | grep tidegate_")
            }
            let output = demo.output.replacing(#/\u{1b}\[[0-9;]*m/#, with: "")
            func command(_ words: String...) throws -> String {
                let lines = output.replacingOccurrences(of: "\\\n", with: " ").split(separator: "\n").map(String.init)
                return try #require(lines.first { line in words.allSatisfy(line.contains) }, "\(words)")
                    .trimmingCharacters(in: .whitespaces)
            }
            func shell(_ line: String) throws -> Finished {
                try Program.run("/bin/bash", ["-c", line], environment: ["KCAT_CONFIG": "/dev/null"])
            }
            let masked = try shell(command("kcat", "token analyst"))
            let clear = try shell(command("kcat", "token data-owner", "-C"))
            #expect(masked.lines.count == clear.lines.count && masked.lines.count >= 60, "\(masked.errors)")
            #expect(masked.lines.allSatisfy { $0.contains(#""number":"****"#) })
            #expect(clear.lines.allSatisfy { $0.contains(#""number":""#) && !$0.contains("****") })
            let refused = try shell(command("kcat", "token contractor"))
            #expect(refused.lines.isEmpty && (refused.errors + refused.output).contains("authorization failed"))
            let wrote = try shell(command("echo", "token data-owner", "-P"))
            #expect(wrote.status == 0, "\(wrote.errors)")
            #expect(try shell(command("evidence verify")).status == 0)
            #expect(try shell(command("curl")).output.contains("tidegate_records_delivered_total"))
            let second = try Program.run(
                try #require(Surroundings.gateway), ["demo"], environment: ["TIDEGATE_DEMO_HOME": home])
            #expect(second.status == 1 && second.output.contains("a demo is up in \(home)"), "\(second.output)")
            #expect(
                try shell(command("kcat", "token analyst")).lines.count > 60, "the first goes on, with what was written"
            )
            kill(demo.process.identifier, SIGTERM)
            #expect(demo.process.wait(seconds: 30) == 0)
        }
    }
}
