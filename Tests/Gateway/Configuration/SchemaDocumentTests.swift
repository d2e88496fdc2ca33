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
        #expect(try holds(SchemaDocument.json(Fixture.published), "docs/tidegate.schema.json"))
    }

    private func accepts(_ text: String) throws -> Bool {
        let schema = try JSONSerialization.jsonObject(with: Data(SchemaDocument.json(Fixture.schema).utf8))
        let node = try YAMLReader.read(Array(text.utf8), file: "t")
        return try SchemaEvaluator.accepts(try #require(schema as? [String: Any]), .init(node))
    }

    @Test func `the published schema accepts what is right`() throws {
        #expect(try accepts(Fixture.example))
        #expect(
            try accepts(
                Fixture.example(masking: Fixture.everyForm)
                    .replacing("masking: pii\n    recording", with: "masking: pii\n    unmask: true\n    recording")))
        #expect(
            try accepts(
                Fixture.example + "limits: { idle: 30d, frame: 1048576, memory: 1GiB }\nlog: { level: debug }\n"))
    }

    /// Each is refused by the reader too: an editor must not be stricter than the gateway.
    @Test(arguments: [
        ("audience: tidegate", "audiense: tidegate"), ("backend: orders-kafka", "backend: [orders-kafka]"),
        ("listen: 0.0.0.0:9192", "listen: 9192"), ("listen: 0.0.0.0:9192", "listen: 0.0.0.0"),
        ("certs/gw.pem, key: certs/gw.key", "certs/gw.pem"), ("loops: 2", "loops: many"), ("loops: 2", "loops: 0"),
        ("driver: auto", "driver: kqueue"), ("effect: require-approval", "effect: maybe"),
        ("subjects: { groups: [contractors] }", "subjects: [\"svc-*\"]"),
        ("subjects: { groups: [contractors] }", "subjects: { groups: [] }"),
        ("actions: [consume]", "actions: [read]"), ("actions: [consume]", "actions: []"),
        ("passwordFile: secrets/kafka", "password: hidden"), ("keepLast: 4", "keepLast: -4"),
        ("keepLast: 4", "keepLast: 4, keepFirst: 4"), ("token: { domain: email }", "token: { key: default }"),
        ("token: { domain: email }", "hash: { domain: email }"), ("token: { domain: email }", "email: most"),
        ("token: { domain: email }", "encrypt: { domain: email }"),
        ("token: { domain: email }", "generalise: { bucket: 0 }"),
        ("token: { domain: email }", "generalise: { bucket: -10 }"),
        ("token: { domain: email }", "generalise: { bucket: ten }"),
        ("token: { domain: email }", "generalise: { date: week }"),
        ("token: { domain: email }", "shiftDate: { domain: email, days: 0 }"),
        ("token: { domain: email }", "token: { domain: email, format: base64 }"),
        ("token: { domain: email }", "token: { domain: email, normalise: some }"),
        ("masking-key, version: 1", "masking-key"), ("masking-key, version: 1", "masking-key, version: 0"),
        ("masking-key, version: 1", "masking-key, version: 2, previous: []"),
        ("onFailure: redact-value", "format: xml"), ("onFailure: redact-value", "schemas: []"),
        ("onFailure: redact-value", "schemas: [{ topics: [orders] }]"),
        ("masking: pii\n    recording", "masking: pii\n    unmask: { domains: [] }\n    recording"),
        ("masking: pii\n    recording", "masking: pii\n    unmask: email\n    recording"),
        ("masking: pii\n    recording", "masking: pii\n    dryRun: 2\n    recording"),
        ("masking:\n  keys", "masking:\n  registries: { main: { url: registry } }\n  keys"),
        ("masking:\n  keys", "masking:\n  detectors: { own: { checksum: luhn } }\n  keys"),
        ("masking:\n  keys", "masking:\n  detectors: { own: { pattern: a, checksum: lun } }\n  keys"),
        ("transport:", "state: { directory: state }\ntransport:"), ("kafka:\n", "redis:\n"),
        ("ports: 9193-9199", "ports: many"), ("loops: 2", "loops: 2 }\nlimits: { idle: 5"),
        ("loops: 2", "loops: 2 }\nlimits: { frame: 1"), ("loops: 2", "loops: 2 }\nlimits: { frame: 1XB"),
        ("issuer: https://idp", "issuer: ftp://idp"), ("topics: [\"orders\"]", "topcs: [\"orders\"]"),
        ("    effect: require-approval\n", ""), ("- { field: card.number, action: { keepLast: 4 } }", "- {}"),
    ])
    func `the published schema refuses what the reader refuses`(old: String, new: String) throws {
        #expect(Fixture.example.contains(old))
        let text = Fixture.example.replacing(old, with: new)
        #expect(try !accepts(text))
        #expect(Fixture.read(text).configuration == nil)
    }

    @Test func `the reference names every key`() throws {
        #expect(try holds(SchemaDocument.reference(Fixture.published), "docs/configuration.md"))
        let paths = SchemaDocument.paths(Fixture.published).map(\.path)
        #expect(Set(paths).count == paths.count && paths.contains("routes[].advertise.firstBroker"))
        #expect(paths.contains("backends.NAME.redis.cluster") && paths.contains("policies[].resources.streams"))
        #expect(SchemaDocument.paths(Fixture.published).allSatisfy { !$0.about.isEmpty })
    }
}
