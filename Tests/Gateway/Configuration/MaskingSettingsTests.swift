import Foundation
import Testing
import TidegateConfiguration
import TidegateCore
import TidegateMasking
import TidegatePolicy
import TidegateTokens

/// The `masking:` section: what is read of it, and what is told of it.
@Suite struct MaskingSettingsTests {
    /// Problems of a masking section beside a policy that names no profile.
    private func problems(_ masking: String) -> [String] {
        Fixture.problems(
            Fixture.example(masking: masking).replacing("    masking: pii\n", with: ""))
    }

    /// Problems of one rule in a profile called `p`, without the rule's own place before them.
    private func rule(_ rule: String, _ more: String = "") -> [String] {
        problems(
            """
            masking:
              keys: { default: { file: k, version: 1 }, second: { file: l, version: 1 } }
              detectors: { own: { pattern: "a[0-9]+" } }
              profiles: { p: { \(more)rules: [\(rule)] } }
            """
        ).map { $0.replacing("masking.profiles.p.rules[0]", with: "R") }
    }

    @Test func `the contract's example and every form are right`() {
        #expect(Fixture.problems(Fixture.example).isEmpty)
        let all = Fixture.problems(Fixture.example(masking: Fixture.everyForm)).filter { !$0.hasPrefix("warning: ") }
        #expect(all.isEmpty, "\(all)")
    }

    // MARK: Rules

    @Test(arguments: [
        ("{ action: redact }", ["R: the rule says nowhere to look"]),
        (
            "{ field: a, detect: [iban], action: redact }",
            ["R: 'field' and 'detect' stand beside each other"]
        ),
        ("{ everything: false, action: redact }", ["R.everything: false names nothing"]),
        ("{ detect: [], action: redact }", ["R.detect: the list is empty"]),
        ("{ detect: [credit-crad, own, all], action: redact }", ["R.detect[0]: there is no detector 'credit-crad'"]),
        ("{ detect: owm, action: redact }", ["R.detect: there is no detector 'owm'"]),
        (
            "{ detect: [email, credit-card], action: { email: domain } }",
            ["R.action: what 'credit-card' finds has no part of an e-mail address"]
        ),
        ("{ detect: [own, email], action: { email: domain } }", []),
        ("{ detect: all, action: { email: domain } }", ["R.action: what 'all' finds has no part of an e-mail address"]),
        ("{ detect: iban, action: { generalise: { date: year } } }", ["R.action: what 'iban' finds is no date"]),
        ("{ detect: date-of-birth, action: { generalise: { date: year } } }", []),
        (
            "{ detect: date-of-birth, action: { shiftDate: { domain: d, days: 3, key: thrid } } }",
            ["R.action.shiftDate.key: there is no masking key 'thrid'"]
        ),
        ("{ detect: phone, action: { generalise: { bucket: 5 } } }", ["R.action: what 'phone' finds is no quantity"]),
        (
            "{ field: a, action: { hash: sha256 } }", ["R.action.hash: a hash without a key is undone by guessing"]
        ),
        ("{ field: a, action: hash }", ["R.action: 'hash' is not known here"]),
        ("{ field: a, action: { token: {} } }", ["R.action.token: 'domain' is missing"]),
        (
            "{ field: a, action: { token: { domain: d, key: secnd } } }",
            ["R.action.token.key: there is no masking key 'secnd'"]
        ),
        (
            "{ field: a, action: { token: { domain: d, keepLast: 4 } } }",
            [
                "R.action.token.keepLast: 'keepLast' stands beside 'format' only: an opaque token has nothing of its value"
            ]
        ),
        (
            "{ field: a, action: { token: { domain: d, format: card, length: 16 } } }",
            ["R.action.token.length: 'card' says how long values are"]
        ),
        (
            "{ field: a, action: { generalise: { bucket: 10, date: month } } }",
            ["R.action.generalise: exactly one of these belongs here"]
        ),
        ("{ field: a, action: { email: user } }", ["R.action.email: 'user' is not known here"]),
        (
            "{ field: a, in: [key], action: { token: { domain: d, normalise: caseless } } }",
            ["R.action.token.normalise: two spellings of a record key would become one"]
        ),
        ("{ field: a, in: [value], action: { token: { domain: d, normalise: caseless } } }", []),
        ("{ field: a, action: { encrypt: { domain: d } } }", ["R.action.encrypt: 'mode' is missing"]),
    ])
    func `says of a rule exactly what is wrong`(text: String, expected: [String]) {
        #expect(rule(text) == expected)
    }

    @Test(arguments: [
        "{ field: pan, action: { token: { domain: d, format: ssn, keepLast: 4 } } }",
        "{ field: pan, action: { token: { domain: d, format: american-express, keepFirst: 6, keepLast: 4 } } }",
        "{ field: pan, action: { token: { domain: d, format: card, keepFirst: 8, keepLast: 4 } } }",
    ])
    func `layouts that leave too little to encrypt are refused when the configuration is loaded`(text: String) {
        #expect(rule(text).count == 1)
        #expect(rule(text).allSatisfy { $0.contains("million values") })
    }

    @Test func `a key that is not there is told at each place, with the one that was meant`() {
        let text = "{ field: a, action: { token: { domain: d, key: secnd } } }"
        let found = Fixture.read(
            Fixture.example(
                masking: """
                    masking:
                      keys: { default: { file: k, version: 1 }, second: { file: l, version: 1 } }
                      profiles: { pii: { rules: [\(text), \(text.replacing("field: a", with: "field: b"))] } }
                    """)
        ).problems
        #expect(found.map(\.path) == (0...1).map { "masking.profiles.pii.rules[\($0)].action.token.key" })
        #expect(found.allSatisfy { $0.suggestion == "did you mean 'second'?" })
    }

    @Test func `without any key a token says how to have one`() {
        let found = Fixture.read(
            Fixture.example(
                masking: "masking: { profiles: { pii: { rules: [{ field: a, action: { token: { domain: d } } }] } } }")
        ).problems
        #expect(found.map(\.message) == ["there is no masking key 'default'"])
        #expect(found.map(\.suggestion) == ["masking.keys: { default: { file: secrets/masking-key, version: 1 } }"])
    }

    // MARK: What rules share

    @Test(arguments: [
        ("keys: { k: { version: 1 } }", ["keys.k: 'file' is missing"]),
        ("keys: { k: { file: a, env: B, version: 1 } }", ["keys.k.env: file and env stand beside each other"]),
        (
            "keys: { k: { file: a, version: 1, previous: [{ file: b, version: 1 }] } }",
            ["keys.k.previous[0].version: version 1 stands twice"]
        ),
        (
            "keys: { k: { file: a, version: 1, previous: [{ file: b, version: 2 }] } }",
            ["keys.k.previous[0].version: version 2 would make tokens, and not 1"]
        ),
        ("keys: { k: { file: a, version: 1000000 } }", ["keys.k.version: 1000000 is out of range"]),
        ("keys: { k: { file: a, version: 1, secret: abc } }", ["keys.k.secret: unknown key 'secret'"]),
        ("detectors: { all: { pattern: a } }", ["detectors.all: 'all' means every detector"]),
        ("detectors: { iban: { pattern: a } }", ["detectors.iban: there is a built-in detector 'iban'"]),
        (
            "detectors: { own: { pattern: a, needsContext: true } }",
            ["detectors.own: 'context' is missing: without words nothing would ever be found"]
        ),
        (
            "detectors: { own: { pattern: \"x(?=a)b\" } }",
            ["detectors.own.pattern: looks ahead or behind, at byte 2"]
        ),
        (
            "detectors: { own: { pattern: \"(\" } }\n  profiles: { p: { rules: [{ detect: own, in: [value], action: redact }] } }",
            ["detectors.own.pattern: opens a group that is not closed, at byte 1"]
        ),
        ("detectors: { own: { pattern: a, checksum: lunh } }", ["detectors.own.checksum: 'lunh' is not known here"]),
        (
            "registries: { r: { url: \"http://registry:8081\" } }",
            [
                "registries.r.url: schemas would come in the clear: whoever changes them on the way decides what is masked"
            ]
        ),
        ("registries: { r: { url: \"http://registry:8081\", insecure: true } }", []),
        ("registries: { r: { url: \"http://127.0.0.1:8081\" } }", []),
        (
            "registries: { r: { url: \"https://r\", username: u } }",
            ["registries.r: 'passwordFile' is missing beside username"]
        ),
        (
            "registries: { r: { url: \"https://r\", passwordEnv: P } }",
            ["registries.r.passwordEnv: a password without a username"]
        ),
        (
            "registries: { r: { url: \"https://r\", username: u, password: p } }",
            [
                "registries.r: 'passwordFile' is missing beside username",
                "registries.r.password: secrets never stand in the file",
            ]
        ),
        (
            "registries: { r: { url: \"https://r\", tls: { certificate: a.pem } } }",
            ["registries.r.tls: a certificate needs its key, and a key its certificate"]
        ),
        (
            "registries: { r: { url: \"http://127.0.0.1:8081\", tls: { ca: a.pem } } }",
            ["registries.r.tls: the registry's url is no https: it means nothing"]
        ),
        ("registries: { r: { url: \"https://r\", tls: { ca: a.pem, certificate: b.pem, key: b.key } } }", []),
        ("registries: { r: { url: \"https://r\", maxAge: 2s } }", ["registries.r.maxAge: '2s' is out of range"]),
        (
            "registries: { main: { url: \"https://r\" } }\n  profiles: { p: { registry: mian, rules: [{ field: a, action: drop }] } }",
            ["profiles.p.registry: there is no registry 'mian'"]
        ),
        (
            "profiles: { p: { format: jsn, rules: [{ field: a, action: drop }] } }",
            ["profiles.p.format: 'jsn' is not known here"]
        ),
        (
            "profiles: { p: { schemas: [{ file: a.avsc }], rules: [{ field: a, action: drop }] } }",
            ["profiles.p.schemas[0]: nothing is described by it"]
        ),
        (
            "profiles: { p: { schemas: [{ topics: [t], file: a.avsc, message: m }], rules: [{ field: a, action: drop }] } }",
            ["profiles.p.schemas[0].message: 'message' stands beside Protobuf only"]
        ),
        (
            "profiles: { p: { schemas: [{ topics: [t], file: a.proto }], rules: [{ field: a, action: drop }] } }",
            ["profiles.p.schemas[0]: 'message' is missing"]
        ),
    ])
    func `says of keys, detectors, registries and profiles exactly what is wrong`(text: String, expected: [String]) {
        #expect(problems("masking:\n  \(text)") == expected.map { "masking.\($0)" })
    }

    @Test func `all of it is told in one run, in the order of the file`() {
        let found = Fixture.read(
            Fixture.example(
                masking: """
                    masking:
                      keys: { default: { version: 1 } }
                      detectors: { own: { pattern: a, checksum: x } }
                      registries: { main: { url: "http://registry" } }
                      profiles:
                        pii:
                          registry: other
                          rules:
                            - { action: redact }
                            - { field: a, tag: b, action: redact }
                            - { detect: [x], action: { token: { domain: d, key: none } } }
                    """)
        ).problems
        #expect(
            found.map { $0.path.replacing("masking.", with: "").replacing("profiles.pii", with: "P") } == [
                "keys.default", "detectors.own.checksum", "registries.main.url", "P.registry", "P.rules[0]",
                "P.rules[1]", "P.rules[2].detect[0]", "P.rules[2].action.token.key",
            ])
        #expect(found.map(\.mark.line) == found.map(\.mark.line).sorted())
    }

    // MARK: Policies

    private func policy(_ more: String) -> [String] {
        Fixture.problems(
            Fixture.example(masking: Fixture.everyForm).replacing(
                "masking: pii\n    recording", with: "\(more)\n    recording")
        ).filter { $0.contains("policies") }
    }

    @Test(arguments: [
        (
            "dryRun: true", ["policies[0].dryRun: 'dryRun' stands beside masking only"]
        ),
        (
            "unmask: true",
            ["policies[0].unmask: 'unmask' stands beside masking only: the profile says where tokens are"]
        ),
        ("dryRun: false\n    unmask: false", []),
        (
            "masking: pii\n    dryRun: true",
            ["warning: policies[0].dryRun: a dry run masks nothing: what 'pii' would hide is handed over, and counted"]
        ),
        ("masking: pii\n    unmask: true", []), ("masking: pii\n    unmask: { domains: [notes] }", []),
        ("masking: pii\n    unmask: { domains: notes }", []),
        (
            "masking: pii\n    unmask: { domains: [nots, mail, pan] }",
            [
                "policies[0].unmask.domains[0]: the profile 'pii' makes no tokens of the domain 'nots'",
                "policies[0].unmask.domains[1]: the profile 'pii' makes tokens of 'mail' that cannot be opened",
                "policies[0].unmask.domains[2]: the profile 'pii' makes tokens of 'pan' that cannot be opened",
            ]
        ),
        (
            "masking: pii\n    dryRun: true\n    unmask: true",
            [
                "warning: policies[0].dryRun: a dry run masks nothing: what 'pii' would hide is handed over, and counted",
                "policies[0].unmask: a dry run changes nothing, so nothing is opened",
            ]
        ),
        ("masking: pii\n    unmask: {}", ["policies[0].unmask: 'domains' is missing"]),
    ])
    func `says of a policy's dry run and of what it opens exactly what is wrong`(text: String, expected: [String]) {
        #expect(policy(text) == expected)
    }

    @Test func `only an allow rule opens tokens`() {
        let text = Fixture.example(masking: Fixture.everyForm)
        #expect(
            Fixture.problems(
                text.replacing("effect: require-approval", with: "effect: require-approval\n    unmask: true")
            )
            .filter { $0.contains("policies") } == ["policies[1].unmask: 'unmask' stands in allow rules only"])
        #expect(
            Fixture.problems(
                text.replacing("effect: require-approval", with: "effect: deny\n    unmask: true\n    dryRun: true")
            ).filter { $0.contains("policies") } == [
                "warning: policies[1].unmask: a deny hands nothing over, so nothing is opened",
                "warning: policies[1].dryRun: a deny hands nothing over, so nothing is masked",
                "warning: policies[1].masking: a deny hands nothing over, so nothing is masked",
            ])
    }

    @Test func `a profile without a token that can be opened has nothing to unmask`() {
        #expect(
            Fixture.problems(
                Fixture.example.replacing(
                    "masking: pii\n    recording", with: "masking: pii\n    unmask: true\n    recording"))
                == ["warning: policies[0].unmask: the profile 'pii' makes no token that can be opened"])
    }

    @Test func `the rules carry profile, dry run and scope`() throws {
        let text = Fixture.example(masking: Fixture.everyForm)
            .replacing(
                "masking: pii\n    recording",
                with: "masking: pii\n    unmask: { domains: [notes] }\n    recording"
            )
            .replacing(
                "effect: require-approval\n    masking: pii", with: "effect: allow\n    masking: pii\n    dryRun: true")
        let more = text.replacing(
            "masking:\n  keys",
            with: """
                  - { name: three, subjects: "*", actions: [consume], resources: { topics: [a] }, effect: allow, masking: pii, unmask: true }
                  - { name: four, subjects: "*", actions: [consume], resources: { topics: [b] }, effect: allow, masking: pii, unmask: { domains: [notes, notes] } }
                masking:
                  keys
                """)
        let configuration = try #require(Fixture.read(more).configuration)
        #expect(configuration.scopes == [.domains(["notes"]), .everything])
        #expect(
            configuration.policies.map(\.mask) == [
                MaskIndex(1, opens: 1), MaskIndex(1, isDryRun: true), MaskIndex(1, opens: 2), MaskIndex(1, opens: 1),
            ])
    }
}
