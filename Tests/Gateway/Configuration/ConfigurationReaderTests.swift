import Foundation
import Testing
import TidegateConfiguration
import TidegateCore
import TidegateKafka
import TidegateMasking
import TidegatePolicy

@Suite struct ConfigurationReaderTests {
    static let valid = """
        identity:
          issuers:
            - { issuer: https://idp.example.com/realms/main, audience: tidegate, groupsClaim: groups }
        backends:
          orders-kafka:
            kafka:
              bootstrap: [127.0.0.1:9092]
        routes:
          - name: orders
            listen: 127.0.0.1:9192
            backend: orders-kafka
            advertise: { host: gateway.example.com, ports: 9193-9199, firstBroker: 0 }
            proxyProtocol: [10.0.0.0/8]
        policies:
          - name: analysts read orders, masked
            subjects: { groups: [analysts] }
            routes: [orders]
            actions: [describe, consume, commit]
            resources: { topics: ["orders", "orders.*"], groups: ["analytics-*"] }
            effect: allow
            masking: pii
            recording: messages
          - name: contractors ask first
            subjects: { groups: [contractors] }
            actions: [consume]
            resources: { topics: ["orders"] }
            effect: require-approval
        masking:
          profiles:
            pii:
              onFailure: redact-value
              rules:
                - { field: card.number, action: { keepLast: 4 } }
                - { field: "**.email", action: redact }
        evidence: { directory: evidence, durability: strict, onFailure: stop }
        transport: { driver: auto, loops: 2 }
        admin: { listen: 127.0.0.1:8480 }
        limits: { frame: 64MiB, idle: 5m }

        """

    private func read(_ text: String, sections: Set<ConfigurationReader.Section> = Set(ConfigurationReader.Section.allCases)) -> ConfigurationReader.Reading {
        ConfigurationReader(backends: [KafkaBackend.declaration], sections: sections, withSecrets: false)
            .read(text: Array(text.utf8), file: "t.yaml")
    }

    private func problems(_ text: String) -> [String] {
        read(text).problems.map { "\($0.mark.line):\($0.path): \($0.message)" }
    }

    @Test func `the contract's configuration is read into typed values`() throws {
        let reading = read(Self.valid)
        #expect(reading.problems.isEmpty, "\(reading.problems)")
        let configuration = try #require(reading.configuration)
        #expect(configuration.routes[0].ports == [9192] + Array(9193...9199))
        #expect(configuration.policies[0].mask == MaskIndex(1))
        #expect(configuration.policies[0].recording == .messages)
        #expect(configuration.limits.frameBytes == 64 << 20)
        #expect(configuration.limits.idleSeconds == 300)
        #expect(configuration.routes[0].advertise?.address(ofNode: 3)?.port == 9196)
    }

    @Test(arguments: [
        ("clientID: tidegate", "groupsClaim: groups }", "groupsClaim: groups, clientID: tidegate }"),
        ("limits", "recording: messages", "recording: messages\n    limits: { records: 1 }"),
        ("approval", "effect: require-approval", "effect: require-approval\n    approval: { quorum: 1 }"),
        ("keys", "masking:\n  profiles", "masking:\n  keys: { default: { file: x } }\n  profiles"),
        ("detect", "action: redact }", "action: redact }\n        - { detect: [iban], action: redact }"),
        ("token", "action: redact }", "action: { token: { domain: email } } }"),
        ("state", "limits: { frame", "state: { directory: state }\nlimits: { frame"),
        ("operators", "admin: { listen: 127.0.0.1:8480 }", "admin: { operators: { groups: [a] } }"),
        ("redis", "    kafka:\n      bootstrap: [127.0.0.1:9092]", "    redis: { address: 127.0.0.1:6379 }"),
    ])
    func `a key whose effect is not built is refused, never passed over`(key: String, what: String, with: String) {
        let text = Self.valid.replacingOccurrences(of: what, with: with)
        #expect(text != Self.valid)
        let found = read(text).problems.filter { $0.message.contains("not available in this version") }
        #expect(found.count == 1, "\(key): \(read(text).problems)")
    }

    @Test(arguments: [
        ("recording: messages", "recordng: messages", "unknown key 'recordng'"),
        ("backend: orders-kafka", "backend: orders-kafak", "there is no backend 'orders-kafak'"),
        ("masking: pii", "masking: pi", "there is no masking profile 'pi'"),
        ("routes: [orders]", "routes: [order]", "there is no route 'order'"),
        ("listen: 127.0.0.1:9192", "listen: 0.0.0.0:9192", "plaintext outside loopback: tokens would travel in the clear"),
        ("listen: 127.0.0.1:9192", "listen: 9192", "'9192' is not of the right form"),
        ("ports: 9193-9199", "ports: 9199-9193", "'9199-9193' is not of the right form"),
        ("effect: allow", "effect: permit", "'permit' is not known here"),
        ("keepLast: 4", "keepLast: none", "'none' where a whole number belongs"),
        ("\"**.email\"", "\"a..b\"", "a dot without a name before it at character 3 of 'a..b'"),
        ("subjects: { groups: [contractors] }", "routes: [orders]", "'subjects' is missing"),
        ("name: contractors ask first", "name: analysts read orders, masked", "two rules are called 'analysts read orders, masked'"),
        ("            advertise: { host: gateway.example.com, ports: 9193-9199, firstBroker: 0 }\n", "", "'advertise' is missing: clients of this backend are told where its nodes are"),
        ("frame: 64MiB", "frame: much", "'much' is not of the right form"),
        ("driver: auto", "driver: kqueue", "'kqueue' is not known here"),
        ("loops: 2", "loops: 0", "0 is out of range"),
    ])
    func `each mistake is told once, with its place`(what: String, with: String, message: String) {
        let source = what.hasPrefix("            ") ? String(what.dropFirst(8)) : what
        let text = Self.valid.replacingOccurrences(of: source, with: with)
        #expect(text != Self.valid)
        let found = read(text).problems.filter { $0.severity == .error }
        #expect(found.map(\.message) == [message], "\(found)")
        #expect(found.allSatisfy { $0.mark.line > 0 && !$0.suggestion.isEmpty })
    }

    @Test func `all mistakes come in one run, in the order of the file`() {
        let text = Self.valid.replacingOccurrences(of: "groupsClaim", with: "groupClaim")
            .replacingOccurrences(of: "effect: allow", with: "effect: yes")
            .replacingOccurrences(of: "loops: 2", with: "loops: many")
        #expect(
            problems(text).map { String($0.split(separator: ":")[0]) } == ["3", "20", "36"], "\(problems(text))")
    }

    @Test(arguments: [
        "a: 1\na: 2\n", "x: *nope\n", "a: &r [*r]\n", "a:\n  <<: {b: 1}\n", "", "a: [1\n", "\tx: 1\n", "? [a]\n: 1\n",
        String(repeating: "[", count: 100) + String(repeating: "]", count: 100),
    ])
    func `what is no configuration is refused with one clear place`(text: String) {
        let reading = read(text)
        #expect(reading.configuration == nil)
        #expect(reading.problems.contains { $0.severity == .error })
    }

    @Test func `no prefix of a valid file, and no noise in it, brings the reader down`() {
        let bytes = Array(Self.valid.utf8)
        let reader = ConfigurationReader(backends: [KafkaBackend.declaration], withSecrets: false)
        for end in stride(from: 0, to: bytes.count, by: 7) { _ = reader.read(text: Array(bytes[..<end]), file: "t") }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var noisy = bytes
            for _ in 0..<5 { noisy[Int.random(in: 0..<noisy.count, using: &generator)] = UInt8.random(in: .min ... .max, using: &generator) }
            _ = reader.read(text: noisy, file: "t")
        }
    }

    @Test func `masking alone is enough for tidegate mask`() throws {
        let text = "masking:\n  profiles:\n    p:\n      rules: [{ field: a, action: nullify }]\n"
        #expect(try #require(read(text, sections: [.masking]).configuration).profiles.map(\.name) == ["p"])
        #expect(read(text).configuration == nil)
    }

    @Test func `secrets are read without one trailing newline, and everybody's file is warned of`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tidegate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "pw").path
        try Data("secret\n\n".utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
        let mark = ConfigurationMark(file: "t", line: 1, column: 1)
        func node(_ key: String, _ value: String) -> ConfigurationNode {
            ConfigurationNode(
                .mapping([
                    (ConfigurationNode(.scalar(key, isQuoted: false), mark: mark, path: key),
                        ConfigurationNode(.scalar(value, isQuoted: false), mark: mark, path: key))
                ]), mark: mark, path: "")
        }
        let reader = FileSecretReader(folder: folder.path, reads: true)
        #expect(try reader.secret("password", in: node("passwordFile", "pw")) == Array("secret\n".utf8))
        #expect(reader.warnings.count == 1)
        #expect(reader.files == [file])
        #expect(throws: ConfigurationProblem.self) { try reader.secret("password", in: node("passwordFile", "none")) }
        #expect(throws: ConfigurationProblem.self) { try reader.secret("password", in: node("passwordEnv", "TIDEGATE_NO_SUCH")) }
        #expect(try reader.secret("password", in: node("other", "x")) == nil)
    }

    @Test(arguments: ["docs/tidegate.schema.json", "docs/configuration.md"])
    func `what is published is what the code reads`(path: String) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let published = try String(contentsOf: root.appending(path: path), encoding: .utf8)
        let schema = ConfigurationSchema.root([KafkaBackend.declaration])
        if path.hasSuffix("json") {
            #expect(published == SchemaDocument.json(schema), "run: tidegate schema > docs/tidegate.schema.json")
        } else {
            #expect(published.hasSuffix(SchemaDocument.reference(schema)), "run: make reference")
        }
    }
}
