import Foundation
import Synchronization
import Testing
import TidegateDemo
import TidegateHTTP

extension Integration {
    /// Avro from a registry, JSON beside it, and record keys: through the gateway as it is deployed, on the embedded cluster.
    @Suite(.enabled(if: Surroundings.gateway != nil, "needs a built tidegate (TIDEGATE_BINARY)"))
    struct MaskedSchemaTests {
        private static let topic = "clients-schemas"
        private static let schema = #"""
            {"type":"record","name":"Order","fields":[{"name":"email","type":"string","confluent:tags":["PII"]},
             {"name":"card","type":["null","string"]},{"name":"note","type":"string"},{"name":"total","type":"long"}]}
            """#

        /// A registry that knows two schemas: of Avro by the id 7, of JSON by the id 8.
        private static func registry(_ asked: @escaping @Sendable (String) -> Void) throws -> HTTPServer {
            let known = [
                "/schemas/ids/7": try JSONSerialization.data(withJSONObject: ["schema": schema]),
                "/schemas/ids/8": try JSONSerialization.data(
                    withJSONObject: ["schema": #"{"type":"object"}"#, "schemaType": "JSON"]),
            ]
            return try HTTPServer(host: "127.0.0.1", port: 0) { request in
                asked(request.path)
                let known = known[request.path]
                return HTTPResponse(
                    status: known == nil ? 404 : 200, contentType: "application/json",
                    body: known.map { Array($0) } ?? Array(#"{"error_code":40403}"#.utf8))
            }
        }

        private static func masking(_ port: UInt16) -> String {
            """
              keys: { default: { file: masking-key, version: 1 } }
              registries: { main: { url: "http://127.0.0.1:\(port)" } }
              profiles:
                pii:
                  registry: main
                  rules:
                    - { tag: PII, action: { token: { domain: mail } } }
                    - { field: email, action: { token: { domain: mail } } }
                    - { field: card, action: { keepLast: 4 } }
                    - { detect: [phone, email], action: { token: { domain: mail } } }
            """
        }

        private static func text(_ text: String) -> [UInt8] {
            let count = UInt8(text.utf8.count * 2)
            return (count < 0x80 ? [count] : [count, 1]) + Array(text.utf8)
        }
        private static func order(_ email: String, _ card: String, _ note: String) -> [UInt8] {
            [0, 0, 0, 0, 7] + text(email) + [2] + text(card) + text(note) + [84]
        }

        @Test func `one value has one token in Avro, in JSON and in a key; an unknown schema shows nothing`() throws {
            let asked = Mutex<[String]>([])
            let registry = try MaskedSchemaTests.registry { path in asked.withLock { $0.append(path) } }
            defer { registry.stop() }
            let cluster = try MockCluster()
            try cluster.create(topic: MaskedSchemaTests.topic, partitions: 1)
            var setup = GatewaySetup()
            setup.masking = MaskedSchemaTests.masking(registry.port)
            setup.files["masking-key"] = "a key of masking has thirty-two bytes at least"
            let gateway = try GatewayProcess(before: cluster.bootstrap, setup)
            defer { gateway.stop() }
            let mail = "ann@example.com"
            let values: [(key: String, value: [UInt8])] = [
                ("k", MaskedSchemaTests.order(mail, "4111111111111111", "to \(mail)")),
                (mail, [0, 0, 0, 0, 8] + Array(#"{"email":"\#(mail)","total":42}"#.utf8)),
                ("k", [0, 0, 0, 0, 9] + Array("nobody knows me".utf8)),
                // No schema says what is tagged in it.
                ("k", Array(#"{"email":"\#(mail)"}"#.utf8)),
            ]
            try KafkaClient.producer(bootstrap: cluster.bootstrap).produce(
                values.map { .init(partition: 0, offset: 0, key: Array($0.key.utf8), value: $0.value) },
                to: MaskedSchemaTests.topic)
            let reader = try KafkaClient.consumer(
                bootstrap: gateway.bootstrapAddress, group: "analytics-schemas",
                logIn: .plain(user: "token", password: try gateway.issuer.mint(subject: "ada", groups: ["analysts"])))
            let records = try reader.readAll(MaskedSchemaTests.topic, partitions: 1)
            try #require(records.count == 4)
            #expect(records[1].value.starts(with: [0, 0, 0, 0, 8]))
            let json = String(decoding: records[1].value.dropFirst(5), as: UTF8.self)
            let token = String(try #require(json.firstMatch(of: #/^\{"email":"(tgh1_[a-z2-7]+)","total":42\}$/#)).1)
            #expect(records[0].value == MaskedSchemaTests.order(token, "****1111", "to \(token)"))
            // What a detector finds in a key becomes the rule's own token, for that is injective.
            #expect(String(decoding: records[1].key, as: UTF8.self) == token)
            for record in records[2...] { #expect(String(decoding: record.value, as: UTF8.self) == "[redacted]") }
            #expect(asked.withLock { Set($0) }.isSuperset(of: ["/schemas/ids/7", "/schemas/ids/9"]))
            #expect(!gateway.evidence.contains { $0.contains(mail) || $0.contains("4111111111") })
            withExtendedLifetime(cluster) {}
        }
    }
}
