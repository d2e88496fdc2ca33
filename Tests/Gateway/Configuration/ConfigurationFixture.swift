import Foundation
import TidegateConfiguration
import TidegateCore
import TidegateKafka

/// The contract's example without what is not available, and ways to read a change of it.
enum Fixture {
    static let example = """
        identity:
          issuers:
            - issuer: https://idp.example.com/realms/main
              audience: tidegate
              groupsClaim: groups
              subjectClaim: sub
              prefix: ""
        backends:
          orders-kafka:
            kafka:
              bootstrap: [127.0.0.1:9092]
              sasl: { mechanism: SCRAM-SHA-512, username: gateway, passwordFile: secrets/kafka }
              tls: { ca: certs/ca.pem }
        routes:
          - name: orders
            listen: 0.0.0.0:9192
            backend: orders-kafka
            advertise: { host: gateway.example.com, ports: 9193-9199, firstBroker: 0 }
            proxyProtocol: [10.0.0.0/8]
            tls: { certificate: certs/gw.pem, key: certs/gw.key }
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
            masking: pii
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

        """

    static let declarations: [BackendDeclaration] = [KafkaBackend.declaration]
    static var schema: SettingsSchema { ConfigurationSchema.root(declarations) }

    static func read(
        _ text: String, sections: Set<ConfigurationReader.Section> = Set(ConfigurationReader.Section.allCases)
    ) -> ConfigurationReader.Reading {
        ConfigurationReader(backends: declarations, sections: sections, withSecrets: false)
            .read(text: Array(text.utf8), file: "t.yaml")
    }

    /// Line, path and message of every problem of the example with one text in place of another.
    static func problems(_ old: String, _ new: String) -> [String] {
        precondition(example.contains(old), "the example has no \(old)")
        return problems(example.replacing(old, with: new))
    }

    static func problems(_ text: String) -> [String] {
        read(text).problems.map { "\($0.severity == .error ? "" : "warning: ")\($0.path): \($0.message)" }
    }

    /// The repository's folder, wherever the sources are linked from.
    static var repository: URL {
        var url = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        for _ in 0..<4 { url.deleteLastPathComponent() }
        return url
    }
}
