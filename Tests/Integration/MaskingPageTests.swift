import Foundation
import Testing

/// `docs/masking.md` shows what each action does: it is held against the executable.
@Suite(.enabled(if: Surroundings.gateway != nil, "needs a built tidegate (TIDEGATE_BINARY)"))
struct MaskingPageTests {
    private static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../docs/masking.md")

    /// The block that begins with these words behind its backquotes.
    private func block(_ heading: String) throws -> String {
        let text = try String(contentsOf: MaskingPageTests.page, encoding: .utf8)
        let start = try #require(text.range(of: "```\(heading)\n"))
        let end = try #require(text.range(of: "\n```", range: start.upperBound..<text.endIndex))
        return String(text[start.upperBound..<end.lowerBound])
    }

    @Test func `the page's record becomes what the page says, and each rule acts`() throws {
        let folder = try CommandTests.Folder(try block("yaml example"))
        try folder.write("0123456789abcdefghijklmnopqrstuv", to: "masking-key")
        let before = try block("json before") + "\n"
        let words = ["mask", "--config", folder.configuration, "--profile", "pii"]
        let masked = try folder.run(words, input: before)
        #expect(masked.status == 0, "\(masked.errors)")
        #expect(masked.output == (try block("json after")) + "\n")
        let again = try folder.run(words, input: before)
        #expect(again.output == masked.output)
        let rules = try block("yaml example").components(separatedBy: "- { ").count - 1
        let explained = try folder.run(words + ["--explain", "--json"], input: before)
        for rule in 1...rules { #expect(explained.output.contains("\"rule\":\(rule),"), "rule \(rule) did not act") }
        for clear in ["4111111111", "s3cret", "London", "J45", "555"] {
            #expect(!masked.output.contains(clear) && !explained.output.contains(clear))
        }
    }
}
