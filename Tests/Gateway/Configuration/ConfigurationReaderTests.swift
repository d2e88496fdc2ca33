import Foundation
import TestSupport
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
            "[\"orders\"] }", "[\"orders\\\\\\\\\\\\\"] }",
            ["policies[1].resources.topics[0]: the pattern 'orders\\\\\\' ends with a lone '\\'"]
        ),
        ("[\"orders\"] }", "[\"orders\\\\\\\\\"] }", []),
        (
            "firstBroker: 0", "firstBroker: 0, port: 9192",
            ["routes[0].advertise.port: 'port' stands beside sni only"]
        ),
        (
            "ports: 9193-9199, firstBroker: 0", "sni: \"b-{id}.example.com\", firstBroker: 0",
            [
                "routes[0].advertise.host: 'host' stands beside ports only",
                "routes[0].advertise.firstBroker: 'firstBroker' stands beside ports only",
            ]
        ),
        (
            "effect: require-approval\n    masking: pii", "effect: deny\n    masking: pii\n    recording: messages",
            [
                "warning: policies[1].masking: a deny hands nothing over, so nothing is masked",
                "warning: policies[1].recording: a deny hands nothing over, so nothing is recorded",
            ]
        ),
        (
            "onFailure: redact-value", "onFailure: pass",
            ["warning: masking.profiles.pii.onFailure: values that cannot be looked into pass unmasked"]
        ),
        ("10.0.0.0/8", "10.0.0.0/33", ["routes[0].proxyProtocol[0]: '10.0.0.0/33' is not of the right form"]),
        ("admin: { listen: 127.0.0.1:8480 }", "admin: { listen: 0.0.0.0:8480 }", ["admin: plaintext outside loopback"]),
        (
            "listen: 0.0.0.0:9192", "listen: \"[:::1:::]:9192\"",
            ["routes[0].listen: '[:::1:::]:9192' is not of the right form"]
        ),
        (
            "listen: 0.0.0.0:9192", "listen: 127.0.0.01:9192",
            ["routes[0].listen: '127.0.0.01' is no address of this machine"]
        ),
        (
            "listen: 0.0.0.0:9192", "listen: 0.0.0.0:+9192",
            ["routes[0].listen: '0.0.0.0:+9192' is not of the right form"]
        ),
        ("10.0.0.0/8", "\"1::2::3/64\"", ["routes[0].proxyProtocol[0]: '1::2::3/64' is not of the right form"]),
        ("10.0.0.0/8", "10.0.0.0/+8", ["routes[0].proxyProtocol[0]: '10.0.0.0/+8' is not of the right form"]),
        (
            "listen: 127.0.0.1:8480", "listen: 127.evil.example:8480",
            [
                "admin: plaintext outside loopback",
                "admin.listen: '127.evil.example' is no address of this machine",
            ]
        ),
        (
            "listen: 127.0.0.1:8480", "listen: 127.0.0.1:9195",
            ["admin.listen: port 9195 of admin.listen is taken by the route 'orders'"]
        ),
        (
            "passwordFile: secrets/kafka", "password: hidden",
            ["backends.orders-kafka.kafka.sasl.password: secrets never stand in the file"]
        ),
        (
            "ca: certs/ca.pem", "verify: none",
            [
                "warning: backends.orders-kafka.kafka.tls.verify: whoever stands between gateway and brokers can pose as one of them"
            ]
        ),
        (
            "issuer: https://idp", "issuer: http://idp",
            ["identity.issuers[0].issuer: keys would come in the clear: whoever changes them on the way forges tokens"]
        ),
        (
            "audience: tidegate", "audience: tidegate\n      jwksURL: http://127.0.0.1@evil.example/keys",
            ["identity.issuers[0].jwksURL: 'http://127.0.0.1@evil.example/keys' is not of the right form"]
        ),
        (
            "groups: [contractors]", "groups: [\"contract*\"], claims: { team: [\"e?l\"] }",
            [
                "warning: policies[1].subjects.groups[0]: 'contract*' is no pattern here: group names are compared exactly",
                "warning: policies[1].subjects.claims.team[0]: 'e?l' is no pattern here: values of claims are compared exactly",
            ]
        ),
        (
            "name: contractors ask first", "recording: positions\n    routes: [none]",
            ["policies[1]: 'name' is missing", "policies[1].routes[0]: there is no route 'none'"]
        ),
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

    @Test(arguments: [
        ("subjects: { groups: [contractors] }", "subjects: [\"svc-*\"]", "subjects: { subjects: [...] }"),
        ("routes: [orders]", "routes: \"*\"", "leave routes out, which means any"),
        ("passwordFile: secrets/kafka", "password: hidden", "passwordFile or passwordEnv instead of 'password'"),
        (
            "name: contractors ask first", "recording: positions",
            "name: analysts read orders, masked (Unique; refusals and evidence name it.)"
        ),
    ])
    func `says what would be right`(old: String, new: String, suggestion: String) {
        let problems = Fixture.read(Fixture.example.replacing(old, with: new)).problems
        #expect(problems.map(\.suggestion) == [suggestion])
    }

    @Test func `keys in the clear are taken from loopback, and where it is said`() {
        for (old, new) in [
            ("https://idp.example.com/", "http://127.0.0.1:1/"), ("https://idp.example.com/", "http://[::1]:1/"),
            ("https://idp.example.com/", "http://localhost/"),
            ("issuer: https://idp.example.com/realms/main", "issuer: http://idp.example.com\n      insecure: true"),
            (
                "issuer: https://idp.example.com/realms/main",
                "issuer: http://idp.example.com\n      jwksFile: keys.json"
            ),
        ] { #expect(Fixture.problems(old, new).isEmpty, "\(new)") }
    }

    @Test func `no policy at all is a warning`() throws {
        let start = try #require(Fixture.example.range(of: "policies:")?.lowerBound)
        let end = try #require(Fixture.example.range(of: "masking:\n  keys")?.lowerBound)
        var text = Fixture.example
        text.removeSubrange(start..<end)
        #expect(Fixture.problems(text) == ["warning: : there is no policy, so nobody may do anything"])
        #expect(
            Fixture.problems(text + "policies: []\n") == [
                "warning: policies: there is no policy, so nobody may do anything"
            ])
    }

    @Test func `ties are told, with who wins`() {
        let warnings = Fixture.problems("actions: [consume]", "routes: [orders]\n    actions: [consume]")
        #expect(
            warnings == [
                "warning: policies[1]: 'contractors ask first' ties with 'analysts read orders, masked' where both match: 'contractors ask first' decides, since it requires approval"
            ])
    }

    @Test func `every duration and size has its bounds`() {
        let keys: [(section: String, key: String, low: String, high: String, wrong: [String])] = [
            ("limits", "idle", "1s", "30d", ["0s", "31d"]),
            ("limits", "timeToAuthenticate", "1s", "30d", ["0s", "31d"]),
            ("limits", "frame", "1KiB", "1GiB", ["1023", "2GiB"]),
            ("limits", "unauthenticatedFrame", "1KiB", "100MiB", ["1023", "101MiB"]),
            ("limits", "memory", "1MiB", "1TiB", ["1023KiB", "2TiB"]), ("issuer", "leeway", "0s", "5m", ["6m"]),
        ]
        func read(_ section: String, _ key: String, _ value: String) -> ConfigurationReader.Reading {
            Fixture.read(
                section == "limits"
                    ? Fixture.example + "limits: { \(key): \(value) }\n"
                    : Fixture.example.replacing("prefix: \"\"", with: "prefix: \"\"\n      \(key): \(value)"))
        }
        for (section, key, low, high, wrong) in keys {
            for value in [low, high] { #expect(read(section, key, value).problems.isEmpty, "\(key): \(value)") }
            for value in wrong {
                let problems = read(section, key, value).problems
                #expect(problems.map(\.message) == ["'\(value)' is out of range"], "\(key): \(value)")
                #expect(problems.map(\.suggestion) == ["from \(low) to \(high)"], "\(key): \(value)")
            }
            for value in [
                "9223372036854775807s", "106751991167d", "9223372036854775807", "9223372036854775807TiB", "-1s", "+5s",
                "1", "5", "s", "KiB", "1.5s", "1e3s", "9223372036854775808s", "\"1 s\"", "\"\"",
            ] { #expect(read(section, key, value).configuration == nil, "\(key): \(value)") }
        }
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
                == "t.yaml:47:22: error: transport.driver: 'x' is not known here; one of auto, io_uring, epoll")
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

    @Test func `one address has several spellings`() {
        let text = Fixture.example.replacing("listen: 0.0.0.0:9192", with: "listen: \"[::1]:9192\"")
        func admin(_ listen: String) -> [String] {
            Fixture.problems(
                text.replacing("admin: { listen: 127.0.0.1:8480 }", with: "admin: { listen: \"\(listen)\" }"))
        }
        let taken = "port 9192 of admin.listen is taken by the route 'orders'"
        #expect(admin("[0:0:0:0:0:0:0:1]:9192") == ["admin.listen: \(taken)"])
        #expect(admin("127.0.0.1:9192").isEmpty)
        #expect(admin("[::ffff:127.0.0.1]:8480").isEmpty, "loopback, mapped")
        let byDefault = Fixture.example.replacing("ports: 9193-9199", with: "ports: 8480-8489")
            .replacing("admin: { listen: 127.0.0.1:8480 }\n", with: "")
        #expect(Fixture.problems(byDefault) == [": port 8480 of admin.listen is taken by the route 'orders'"])
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
        var random = SeededGenerator(seed: 23)
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
