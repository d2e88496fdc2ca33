import Testing
import TidegateConfiguration
import TidegateCore
import TidegateKafka

/// Which routes must say where the nodes of their backend are.
@Suite struct AdvertiseTests {
    private static let redis = BackendDeclaration(
        protocolName: "redis", settings: .anything, kinds: [], wireNames: [],
        requiresAdvertise: { $0["cluster"] != nil })

    @Test(arguments: [
        ("kafka: { bootstrap: [127.0.0.1:9092] }", true), ("redis: { cluster: [127.0.0.1:7000] }", true),
        ("redis: { address: 127.0.0.1:7000 }", false),
    ])
    func `it is the backend's settings that say whether a route must advertise`(backend: String, isMissed: Bool) {
        let text = """
            identity: { issuers: [{ issuer: https://idp.example.com, audience: tidegate }] }
            backends: { one: { \(backend) } }
            routes: [{ name: r, listen: 127.0.0.1:7100, backend: one }]
            policies: []

            """
        let reading = ConfigurationReader(
            backends: [KafkaBackend.declaration, AdvertiseTests.redis], withSecrets: false
        ).read(text: Array(text.utf8), file: "t.yaml")
        let missed = reading.problems.map(\.message).filter { $0.hasPrefix("'advertise' is missing") }
        #expect(missed.count == (isMissed ? 1 : 0), "\(reading.problems)")
    }
}
