import Foundation
import Testing
import TidegateConfiguration
import TidegateCore
import TidegateMasking
import TidegatePolicy

@Suite struct ConfigurationReaderTests {
    @Test func `reads the contract's example into typed values`() throws {
        let reading = Fixture.read(Fixture.example)
        #expect(reading.problems.isEmpty)
        let configuration = try #require(reading.configuration)
        #expect(configuration.issuers.count == 1)
        #expect(configuration.backends.map(\.protocolName) == ["kafka"])
        let route = try #require(configuration.routes.first)
        #expect(route.ports == Array(9192...9199) && route.isConfidential && route.proxyNetworks == ["10.0.0.0/8"])
        #expect(route.advertise?.ports == 9193...9199)
        #expect(configuration.policies.map(\.mask) == [MaskIndex(1), MaskIndex(1)])
        #expect(configuration.policies.map(\.recording) == [.messages, .positions])
        #expect(configuration.policies[0].actions == [.describe, .consume, .commit])
        #expect(configuration.profiles.map(\.name) == ["pii"])
        #expect(configuration.transport.driver == "auto" && configuration.transport.loops == 2)
        #expect(configuration.evidence.isStrict && configuration.evidence.stopsOnFailure)
    }

    @Test func `refuses each key whose effect is not built, once`() {
        var text = Fixture.example
        for (old, new) in [
            ("prefix: \"\"", "prefix: \"\"\n      clientID: tidegate"),
            ("recording: messages", "recording: messages\n    limits: { records: 1 }"),
            ("effect: require-approval", "effect: require-approval\n    approval: { quorum: 1 }"),
            ("masking:\n  profiles", "masking:\n  keys: { default: { file: k, version: 1 } }\n  profiles"),
            (
                "action: redact }",
                "action: { token: { domain: email } } }\n        - { detect: [iban], action: redact }"
            ),
            (
                "admin: { listen: 127.0.0.1:8480 }",
                "admin: { listen: 127.0.0.1:8480, url: u, operators: {}, auditors: {} }"
            ),
            ("transport:", "state: { directory: state }\ntransport:"),
            (
                "routes:\n",
                "  cache: { redis: { address: 127.0.0.1:6379 } }\nroutes:\n  - { name: cache, listen: 127.0.0.1:6390, backend: cache }\n"
            ),
        ] { text = text.replacing(old, with: new, maxReplacements: 1) }
        let expected = [
            "identity.issuers[0].clientID", "backends.cache.redis", "policies[0].limits", "policies[1].approval",
            "masking.keys", "masking.profiles.pii.rules[1].action.token", "masking.profiles.pii.rules[2].detect",
            "state", "admin.url", "admin.operators", "admin.auditors",
        ]
        let problems = Fixture.read(text).problems
        #expect(problems.map(\.path) == expected)
        #expect(problems.allSatisfy { $0.message.contains("is not available in this version") })
    }

    @Test(arguments: [
        (
            "audience: tidegate", "audiense: tidegate",
            ["identity.issuers[0]: 'audience' is missing", "identity.issuers[0].audiense: unknown key 'audiense'"]
        ),
        ("backend: orders-kafka", "backend: order-kafka", ["routes[0].backend: there is no backend 'order-kafka'"]),
        ("routes: [orders]", "routes: [order]", ["policies[0].routes[0]: there is no route 'order'"]),
        (
            "masking: pii\n    recording", "masking: pi\n    recording",
            ["policies[0].masking: there is no masking profile 'pi'"]
        ),
        ("listen: 0.0.0.0:9192", "listen: 9192", ["routes[0].listen: '9192' is not of the right form"]),
        (
            "listen: 0.0.0.0:9192", "listen: gw.example.com:9192",
            ["routes[0].listen: 'gw.example.com' is no address of this machine"]
        ),
        (
            "    tls: { certificate: certs/gw.pem, key: certs/gw.key }\n", "",
            ["routes[0].listen: plaintext outside loopback: tokens would travel in the clear"]
        ),
        ("certs/gw.pem, key: certs/gw.key", "certs/gw.pem", ["routes[0].tls: 'key' is missing"]),
        ("loops: 2", "loops: many", ["transport.loops: 'many' where a whole number belongs"]),
        ("driver: auto", "driver: kqueue", ["transport.driver: 'kqueue' is not known here"]),
        ("effect: require-approval", "effect: maybe", ["policies[1].effect: 'maybe' is not known here"]),
        (
            "name: contractors ask first", "name: analysts read orders, masked",
            ["policies[1]: two rules are called 'analysts read orders, masked'"]
        ),
        (
            "[\"orders\"] }", "[\"orders\\\\\"] }",
            ["policies[1].resources.topics[0]: the pattern 'orders\\' ends with a lone '\\'"]
        ),
        (
            "onFailure: redact-value", "onFailure: pass",
            ["warning: masking.profiles.pii.onFailure: values that cannot be looked into pass unmasked"]
        ),
        ("10.0.0.0/8", "10.0.0.0/33", ["routes[0].proxyProtocol[0]: '10.0.0.0/33' is not of the right form"]),
        ("admin: { listen: 127.0.0.1:8480 }", "admin: { listen: 0.0.0.0:8480 }", ["admin: plaintext outside loopback"]),
    ])
    func `says exactly what is wrong`(old: String, new: String, expected: [String]) {
        #expect(Fixture.problems(old, new) == expected)
    }

    @Test(arguments: [
        ("subjects: { groups: [contractors] }", "subjects: {}"),
        ("subjects: { groups: [contractors] }", "subjects: { groups: [] }"),
        ("subjects: { groups: [contractors] }", "subjects: { groups: }"),
        ("subjects: { groups: [contractors] }", "subjects:"),
        ("subjects: { groups: [contractors] }", "subjects: { claims: {} }"), ("actions: [consume]", "actions: []"),
        ("actions: [consume]", "actions: ~"), ("resources: { topics: [\"orders\"] }", "resources: {}"),
        ("resources: { topics: [\"orders\"] }", "resources: { topics: [] }"), ("routes: [orders]", "routes: []"),
        ("masking: pii\n    recording", "masking: ~\n    recording"), ("    actions: [consume]\n", ""),
    ])
    func `never takes what is empty for everything`(old: String, new: String) {
        #expect(Fixture.read(Fixture.example.replacing(old, with: new)).configuration == nil)
        #expect(Fixture.problems(old, new).count == 1)
    }

    @Test func `tells all problems in one run, in the order of the file`() {
        let text = Fixture.example.replacing("audience: tidegate", with: "audience: ").replacing(
            "backend: orders-kafka", with: "backend: x"
        )
        .replacing("driver: auto", with: "driver: x").replacing("keepLast: 4", with: "keepLast: -4")
        let reading = Fixture.read(text)
        #expect(reading.configuration == nil)
        #expect(reading.problems.map(\.mark.line) == reading.problems.map(\.mark.line).sorted())
        #expect(
            reading.problems.map(\.path) == [
                "identity.issuers[0].audience", "routes[0].backend", "masking.profiles.pii.rules[0].action.keepLast",
                "transport.driver",
            ])
        #expect(
            reading.problems[3].description
                == "t.yaml:44:22: error: transport.driver: 'x' is not known here; one of auto, io_uring, epoll")
    }

    @Test func `listeners must not meet`() {
        let second = "policies:"
        func problems(_ listen: String) -> [String] {
            Fixture.problems(
                "policies:",
                "  - { name: two, listen: \"\(listen)\", backend: orders-kafka, advertise: { host: g, ports: 9300-9301 } }\n\(second)"
            )
        }
        #expect(problems("127.0.0.1:9195") == ["routes[1].listen: port 9195 is taken by the route 'orders'"])
        #expect(problems("[::1]:9192") == ["routes[1].listen: port 9192 is taken by the route 'orders'"])
        #expect(problems("127.0.0.1:9299").isEmpty)
    }

    @Test func `a part is read without the others`() throws {
        let masking = "masking: { profiles: { p: { rules: [{ field: a, action: drop }] } } }\nroutes: nonsense\n"
        #expect(try #require(Fixture.read(masking, sections: [.masking]).configuration).profiles.map(\.name) == ["p"])
    }

    @Test func `no truncation and no random byte makes it crash`() {
        let bytes = Array(Fixture.example.utf8)
        let reader = ConfigurationReader(backends: Fixture.declarations, withSecrets: false)
        for end in stride(from: 0, to: bytes.count, by: 3) {
            let reading = reader.read(text: Array(bytes[..<end]), file: "t")
            #expect(reading.configuration != nil || !reading.problems.isEmpty)
        }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            var changed = bytes
            for _ in 0..<3 {
                changed[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let reading = reader.read(text: changed, file: "t")
            #expect(reading.configuration != nil || !reading.problems.isEmpty)
        }
    }
}
