import Foundation
import TidegateConfiguration
import TidegateCore
import TidegateKafka
import TidegateRedis

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
          keys: { default: { file: secrets/masking-key, version: 1 } }
          profiles:
            pii:
              onFailure: redact-value
              rules:
                - { field: card.number, action: { keepLast: 4 } }
                - { field: "**.email", action: { token: { domain: email } } }
                - { detect: [credit-card, us-ssn, iban], action: redact }
                - { column: customers.phone, action: redact }
        evidence: { directory: evidence, durability: strict, onFailure: stop }
        transport: { driver: auto, loops: 2 }
        admin: { listen: 127.0.0.1:8480 }

        """

    /// The example with another `masking:` section.
    static func example(masking: String) -> String {
        // invariant: the example has both sections
        let start = example.range(of: "masking:\n  keys")!.lowerBound
        let end = example.range(of: "evidence: {")!.lowerBound
        return example.replacingCharacters(in: start..<end, with: masking + "\n")
    }

    /// All that a profile can say.
    static let everyForm = """
        masking:
          keys:
            default: { file: secrets/masking-key, version: 3 }
            other: { env: OTHER_KEY, version: 2, previous: [{ file: secrets/other-1, version: 1 }] }
          detectors:
            employee-id: { pattern: "EMP-[0-9]{6}", checksum: luhn, context: [employee, staff], needsContext: false }
          registries:
            main:
              url: https://registry:8081
              username: tidegate
              passwordFile: secrets/registry
              tls: { ca: certs/ca.pem, certificate: certs/registry.pem, key: certs/registry.key }
              maxAge: 12h
          profiles:
            pii:
              format: avro
              registry: main
              schemas:
                - { topics: ["orders"], in: key, file: schemas/order.avsc }
                - { topics: "pay.*", streams: [pay], tables: [public.pay], file: schemas/pay.proto, message: shop.Payment }
              onFailure: drop-record
              rules:
                - { fieldPattern: "(?i)^(ssn|tax_?id)$", action: redact }
                - { tag: PII, in: key, action: { token: { domain: pii, key: other } } }
                - { column: public.customers.phone, action: { redact: "" } }
                - { detect: [credit-card, employee-id], action: { keepFirst: 2 } }
                - { detect: email, action: { email: initial } }
                - { detect: all, action: nullify }
                - { field: b, action: { generalise: { bucket: 10 } } }
                - { field: c, action: { generalise: { bucket: 0.25 } } }
                - { field: d, action: { generalise: { date: month } } }
                - { field: e, action: { shiftDate: { domain: visits, days: 30, subject: patient.id, key: other } } }
                - { field: f, action: { shiftDate: { domain: visits, days: 7 } } }
                - { field: g, action: { token: { domain: mail, normalise: caseless } } }
                - { field: h, in: [key, value, headers], action: { token: { domain: pan, format: card, keepFirst: 6, keepLast: 4 } } }
                - { field: i, action: { token: { domain: id, format: lower-alphanumeric, length: 12, luhn: any } } }
                - { field: j, action: { token: { domain: ssn, format: ssn } } }
                - { field: k, action: { encrypt: { domain: notes, mode: deterministic, key: default } } }
                - { field: l, action: { encrypt: { domain: notes, mode: random } } }
                - { field: m, action: drop }
                - { everything: true, in: value, action: nullify }
        """

    static let declarations: [BackendDeclaration] = [KafkaBackend.declaration]
    static var schema: SettingsSchema { ConfigurationSchema.root(declarations) }
    /// Of all backends, as `tidegate schema` prints it.
    static var published: SettingsSchema {
        ConfigurationSchema.root([KafkaBackend.declaration, RedisBackend.declaration])
    }

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
