import Foundation
import Testing
import TidegateConfiguration

/// `TIDEGATE_REGENERATE=1 swift test --filter SchemaDocumentTests` writes both files anew.
@Suite struct SchemaDocumentTests {
    private func holds(_ text: String, _ path: String) throws -> Bool {
        let url = Fixture.repository.appending(path: path)
        if ProcessInfo.processInfo.environment["TIDEGATE_REGENERATE"] == "1" {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        return try String(contentsOf: url, encoding: .utf8) == text
    }

    @Test func `the published schema is the code's`() throws {
        #expect(try holds(SchemaDocument.json(Fixture.schema), "docs/tidegate.schema.json"))
    }

    @Test func `the reference names every key`() throws {
        #expect(try holds(SchemaDocument.reference(Fixture.schema), "docs/configuration.md"))
        let paths = SchemaDocument.paths(Fixture.schema).map(\.path)
        #expect(Set(paths).count == paths.count && paths.contains("routes[].advertise.firstBroker"))
        #expect(SchemaDocument.paths(Fixture.schema).allSatisfy { !$0.about.isEmpty })
    }
}
