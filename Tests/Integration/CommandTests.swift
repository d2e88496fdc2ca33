import Foundation
import Testing

/// The executable as people call it: what it prints, where, and with which exit code.
@Suite(.enabled(if: Surroundings.gateway != nil, "needs a built tidegate (TIDEGATE_BINARY)"))
struct CommandTests {
    /// A folder with a configuration in it, gone with the test.
    final class Folder {
        let path: String
        var configuration: String { path + "/tidegate.yaml" }

        init(_ text: String = CommandTests.right) throws {
            path = try Surroundings.temporaryFolder()
            try write(text)
        }
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ text: String, to name: String = "tidegate.yaml") throws {
            try text.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
        }

        /// Runs a command to its end.
        func run(_ words: String..., input: String? = nil) throws -> Finished { try run(words, input: input) }

        func run(_ words: [String], input: String? = nil) throws -> Finished {
            let binary = try #require(Surroundings.gateway)
            return try Program.run(binary, words, input: input, seconds: 20)
        }

        /// Asks for Ada, an analyst.
        func explain(_ words: [String]) throws -> Finished {
            try run(["explain", "--config", configuration, "--subject", "ada", "--group", "analysts"] + words)
        }
    }

    static let right = """
        identity: { issuers: [{ issuer: "https://idp.example.com", audience: tidegate }] }
        backends:
          real: { kafka: { bootstrap: ["127.0.0.1:9092"] } }
        routes:
          - { name: orders, listen: "127.0.0.1:9192", backend: real, advertise: { host: localhost, ports: 9193-9195 } }
          - { name: tests, listen: "127.0.0.1:9292", backend: real, advertise: { host: localhost, ports: 9293-9295 } }
        policies:
          - name: analysts read, masked
            subjects: { groups: [analysts] }
            routes: [orders]
            actions: [consume]
            resources: { topics: ["orders*"] }
            effect: allow
            masking: pii
          - name: testers do all
            subjects: { groups: [analysts] }
            routes: [tests]
            actions: ["*"]
            resources: "*"
            effect: allow
        masking:
          profiles:
            pii: { rules: [{ field: card, action: { keepLast: 4 } }] }

        """

    // MARK: check

    @Test func `check accepts what is right`() throws {
        let folder = try Folder()
        let ending = try folder.run("check", "--config", folder.configuration)
        #expect(ending.status == 0 && ending.output.isEmpty)
        #expect(ending.errors == "\(folder.configuration): no errors, 0 warnings\n")
        let json = try folder.run("check", "--config=\(folder.configuration)", "--json")
        #expect(json.status == 0 && json.output == "[]\n")
    }

    /// Wrong in syntax, in names, in what a backend needs, and in what a warning is for.
    private static let wrong =
        right.replacing("audience: tidegate", with: "audience: tidegate, audience: twice")
        .replacing(
            "bootstrap: [\"127.0.0.1:9092\"]",
            with:
                "bootstrap: [\"127.0.0.1:9092\"], sasl: { mechanism: PLAIN, username: u, passwordFile: pw }, tls: { ca: ca.pem, verify: none }"
        )
        .replacing("routes: [orders]", with: "routes: [order]").replacing("masking: pii", with: "masking: pi")
        .replacing("keepLast: 4", with: "keepLast: 4000")

    @Test func `check tells everything in one run, in the order of the file`() throws {
        let folder = try Folder(Self.wrong)
        let ending = try folder.run("check", "--config", folder.configuration)
        #expect(ending.status == 1)
        let expected = [
            "1:57: error: identity.issuers[0]: 'audience' stands twice; one of them",
            "3:81: error: backends.real.kafka.sasl.passwordFile: \(folder.path)/pw is not there; ",
            "3:94: error: backends.real.kafka.tls.ca: \(folder.path)/ca.pem is not there; ",
            "warning: backends.real.kafka.tls.verify: ",
            "error: policies[0].routes[0]: there is no route 'order'; did you mean 'orders'?",
            "error: policies[0].masking: there is no masking profile 'pi'; did you mean 'pii'?",
            "error: masking.profiles.pii.rules[0].action.keepLast: 4000 is out of range; from 1 to 1024",
        ]
        #expect(ending.lines.count == expected.count, "\(ending.output)")
        for (line, part) in zip(ending.lines, expected) {
            #expect(line.hasPrefix(folder.configuration + ":"))
            #expect(line.contains(part.drop { $0.isNumber || $0 == ":" || $0 == " " }), "\(line)")
        }
        #expect(ending.errors == "\(folder.configuration): 6 errors, 1 warning\n")

        let json = try folder.run("check", "--config", folder.configuration, "--json")
        #expect(json.status == 1 && json.errors.isEmpty)
        #expect(json.objects.map { $0["path"] as? String }.first == "identity.issuers[0]")
        #expect(json.objects.count == expected.count)
        for object in json.objects {
            #expect(
                Set(object.keys) == ["file", "line", "column", "severity", "path", "message", "suggestion"])
        }
    }

    @Test func `no error hides another one`() throws {
        let folder = try Folder(
            """
            identity: { issuers: [{ issuer: "https://idp.example.com", jwksFile: keys.json, ca: idp.pem }] }
            backends:
              refused: { kafka: { bootstrap: [nonsense], sasl: { mechanism: PLAIN, username: u, passwordFile: pw1 }, tls: { ca: ca1, certificate: c1, key: k1 } } }
              tried: { kafka: { bootstrap: ["127.0.0.1:9092"], sasl: { mechanism: PLAIN, username: u, passwordFile: pw2 }, tls: { ca: ca2, certificate: c2, key: k2 } } }
            routes:
              - { listen: "127.0.0.1:9192", backend: none, tls: { certificate: gw.pem, key: gw.key, clientCertificate: optional }, advertise: { host: localhost } }
            policies:
              - { name: all, subjects: { groups: [a] }, actions: ["*"], resources: "*", effect: allow, masking: pii }
            masking:
              profiles:
                pii:
                  rules: [{ field: a..b, in: [key], action: redact }, { field: "c[", action: { keepLast: 4000 } }, { field: d, in: [key], action: drop }]

            """)
        let ending = try folder.run("check", "--config", folder.configuration)
        let found = ending.lines.map { line in
            let parts = line.split(separator: ": ", maxSplits: 3)
            return "\(parts[1]) \(parts[2])"
        }
        let files = ["sasl.passwordFile", "tls.ca", "tls.certificate", "tls.key"]
        let rules = "error masking.profiles.pii.rules"
        #expect(
            found == [
                "error identity.issuers[0]", "error identity.issuers[0].jwksFile", "error identity.issuers[0].ca",
                "error backends.refused.kafka.bootstrap[0]",
            ] + files.map { "error backends.refused.kafka.\($0)" } + files.map { "error backends.tried.kafka.\($0)" }
                + [
                    "error routes[0]", "error routes[0].backend", "error routes[0].tls",
                    "error routes[0].tls.certificate",
                    "error routes[0].tls.key", "error routes[0].advertise", "\(rules)[0]", "\(rules)[0]", "\(rules)[1]",
                    "\(rules)[1].action.keepLast", "\(rules)[2]",
                ], "\(ending.output)")
        #expect(Set(ending.lines).count == ending.lines.count)
    }

    @Test(arguments: [["check", "--json"], ["mask", "--profile", "pii"]])
    func `data that cannot be written ends a command with 1, and says so`(words: [String]) throws {
        let folder = try Folder(Self.right)
        let binary = try #require(Surroundings.gateway)
        let all = [binary] + words + ["--config", folder.configuration]
        let full = try Program.run(
            "/bin/bash", ["-c", "\"$0\" \"$@\" > /dev/full"] + all, input: "{}\n", seconds: 20)
        #expect(full.status == 1 && full.errors.contains("tidegate: standard output: No space left"), "\(full)")
    }

    @Test func `a reader that has enough ends a command quietly`() throws {
        let folder = try Folder()
        let binary = try #require(Surroundings.gateway)
        let ending = try Program.run(
            "/bin/bash",
            [
                "-c",
                "trap '' PIPE; yes '{}' | \"$0\" mask --profile pii --config \"$1\" | head -n 1; echo ${PIPESTATUS[1]}",
                binary, folder.configuration,
            ], seconds: 20)
        #expect(ending.lines == ["{}", "1"] && !ending.errors.contains("tidegate"), "\(ending)")
    }

    @Test func `check --without-secrets opens no file`() throws {
        let folder = try Folder(
            Self.right.replacing(
                "bootstrap: [\"127.0.0.1:9092\"]",
                with:
                    "bootstrap: [\"127.0.0.1:9092\"], sasl: { mechanism: PLAIN, username: u, passwordEnv: TIDEGATE_NOT_SET }, tls: { ca: ca.pem, certificate: c.pem, key: c.key }"
            ).replacing("audience: tidegate", with: "audience: tidegate, jwksFile: keys.json, ca: other.pem")
                .replacing("backend: real,", with: "backend: real, tls: { certificate: gw.pem, key: gw.key },"))
        #expect(try folder.run("check", "--config", folder.configuration, "--without-secrets").status == 0)
        let with = try folder.run("check", "--config", folder.configuration)
        #expect(with.status == 1 && with.lines.count == 10, "\(with.output)")
    }

    @Test func `a backend's warnings and those of ties do not fail the check`() throws {
        let folder = try Folder(
            Self.right.replacing(
                "bootstrap: [\"127.0.0.1:9092\"]",
                with:
                    "bootstrap: [\"127.0.0.1:9092\"], sasl: { mechanism: PLAIN, username: u, passwordFile: pw }, tls: { verify: none }"
            ).replacing("routes: [tests]", with: "routes: [tests, orders]").replacing(
                "resources: \"*\"", with: "resources: { topics: [\"orders*\"] }"))
        try folder.write("secret", to: "pw")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder.path + "/pw")
        let ending = try folder.run("check", "--config", folder.configuration)
        #expect(ending.status == 0 && ending.errors.hasSuffix(": no errors, 3 warnings\n"), "\(ending.output)")
        #expect(ending.output.contains("everybody may read \(folder.path)/pw; chmod 600"))
        #expect(ending.output.contains("tls.verify: "))
        #expect(ending.output.contains("'testers do all' ties with 'analysts read, masked'"))
    }

    // MARK: serve

    @Test func `serve tells every error in one run, one a line, and starts nothing`() throws {
        let folder = try Folder(Self.wrong)
        let ending = try folder.run("serve", "--config", folder.configuration)
        #expect(ending.status == 1)
        let lines = ending.errors.split(separator: "\n")
        #expect(lines.first == "tidegate serve: the configuration has errors")
        #expect(lines.dropFirst().count == 7, "\(ending.errors)")
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix(folder.configuration + ":") })
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/evidence"))
    }

    // MARK: explain

    @Test func `explain answers for the route that is named, or for each`() throws {
        let folder = try Folder()
        let question = ["--action", "consume", "--resource", "topic:orders"]
        let one = try folder.explain(question + ["--route", "orders"])
        #expect(one.status == 0)
        #expect(
            one.lines == [
                "allow: the only rule that matches", "  route: orders", "  rule: analysts read, masked",
                "  masking: pii", "  recording: positions", "  nearly: testers do all (its routes do not match)",
            ])
        let all = try folder.explain(question)
        #expect(all.lines.filter { $0.hasPrefix("  route: ") } == ["  route: orders", "  route: tests"])
        let json = try folder.explain(question + ["--json"])
        #expect(json.objects.map { $0["route"] as? String } == ["orders", "tests"])
        #expect(json.objects.map { $0["masking"] as? String } == ["pii", nil])
        let alike = try folder.explain(["--action", "admin", "--resource", "topic:none", "--claim", "a=b"])
        #expect(alike.lines.contains("  route: tests"))
    }

    @Test func `explain tells a dry run, and which tokens are opened`() throws {
        let folder = try Folder(
            Self.right.replacing(
                "action: { keepLast: 4 } }]", with: "action: { encrypt: { domain: card, mode: random } } }]"
            ).replacing("profiles:\n", with: "keys: { default: { file: key, version: 1 } }\n  profiles:\n"))
        let plain = try String(contentsOfFile: folder.configuration, encoding: .utf8)
        func explain(_ more: String, _ words: String...) throws -> Finished {
            try folder.write(plain.replacing("masking: pii", with: "masking: pii\n    \(more)"))
            return try folder.explain(
                ["--action", "consume", "--resource", "topic:orders", "--route", "orders"] + words)
        }
        let dry = try explain("dryRun: true")
        #expect(dry.lines.contains("  masking: pii (dry run: counted, and handed over as it is)"), "\(dry)")
        #expect(try explain("dryRun: true", "--json").objects.first?["dry_run"] as? Bool == true)
        let some = try explain("unmask: { domains: [card] }")
        #expect(some.lines.contains("  unmask: card") && some.lines.contains("  masking: pii"), "\(some)")
        #expect(try explain("unmask: true").lines.contains("  unmask: all tokens"))
        let json = try explain("unmask: true", "--json").objects.first
        #expect(json?["unmask"] as? [String] == ["*"] && json?["dry_run"] as? Bool == false)
    }

    @Test func `explain asks for one command`() throws {
        let folder = try Folder(
            Self.right.replacing("actions: [consume]", with: "actions: [consume]\n    commands: [fetch]"))
        func explain(_ more: String...) throws -> [String] {
            try folder.explain(["--action", "consume", "--resource", "topic:orders", "--route", "orders"] + more).lines
        }
        #expect(try explain("--command", "fetch").starts(with: ["allow: the only rule that matches"]))
        let near = "  nearly: analysts read, masked (its commands do not match)"
        #expect(try explain("--command", "ListOffsets").contains(near) && explain().contains(near))
    }

    @Test func `explain --expect asks all routes`() throws {
        let folder = try Folder()
        func code(_ action: String, _ topic: String, _ more: String...) throws -> Int32 {
            try folder.explain(["--action", action, "--resource", "topic:\(topic)", "--expect"] + more).status
        }
        #expect(try code("consume", "orders", "allow") == 0)
        #expect(try code("consume", "orders", "deny") == 1)
        #expect(try code("produce", "orders", "allow") == 1, "only on one of the routes")
        #expect(try code("produce", "orders", "deny") == 1)
        #expect(try code("produce", "orders", "deny", "--route", "orders") == 0)
        #expect(try code("produce", "orders", "allow", "--route", "tests") == 0)
    }

    @Test(arguments: [
        (["--action", "consume", "--resource", "topic:orders", "--route", "order"], "one of orders, tests"),
        (["--action", "consume", "--resource", "topic:orders", "--expect", "allowed"], "--expect takes"),
        (["--action", "read", "--resource", "topic:orders"], "'read' is no action"),
        (["--action", "consume", "--resource", "topic:"], "'topic:' is no resource"),
        (["--action", "consume", "--resource", "shelf:s"], "'shelf:s' is no resource"),
        (["--action", "consume", "--resource", "topic:orders", "--command", "Fetsh"], "did you mean 'Fetch'?"),
        (["--action", "consume"], "--resource is missing"),
    ])
    func `explain refuses what it cannot answer, and prints nothing`(words: [String], reason: String) throws {
        let folder = try Folder()
        let ending = try folder.explain(words)
        #expect(ending.status == 2 && ending.output.isEmpty && ending.errors.contains(reason), "\(ending.errors)")
    }

    // MARK: mask

    @Test func `mask needs its own section only`() throws {
        let folder = try Folder(
            Self.right.replacing("identity:", with: "identiy:").replacing("name: orders", with: "name: [], name: []"))
        let ending = try folder.run(
            "mask", "--config", folder.configuration, "--profile", "pii",
            input: "{\"card\":\"4111111111111111\",\"sum\":1}\n{\"sum\":2}")
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(ending.lines == ["{\"card\":\"****1111\",\"sum\":1}", "{\"sum\":2}"])
    }

    @Test func `mask reads lines in the profile's own format, unless one is said`() throws {
        let folder = try Folder(
            Self.right.replacing(
                "pii: { rules: [{ field: card, action: { keepLast: 4 } }] }",
                with: "pii: { format: text, rules: [{ detect: [credit-card], action: redact }] }"))
        let words = ["mask", "--config", folder.configuration, "--profile", "pii"]
        let input = "paid with 4111 1111 1111 1111"
        #expect(try folder.run(words, input: input).lines == ["paid with [redacted]"])
        #expect(try folder.run(words + ["--format", "json"], input: input).lines == ["\"[redacted]\""])
    }

    /// Rules by place and by content, and a token; the key is in a file.
    private static let found = right.replacing(
        "profiles:\n    pii: { rules: [{ field: card, action: { keepLast: 4 } }] }",
        with: """
            keys: { default: { file: key, version: 1 } }
              detectors: { employee-id: { pattern: "EMP-[0-9]{6}" } }
              profiles:
                pii:
                  rules:
                    - { field: card, action: { keepLast: 4 } }
                    - { field: mail, action: { token: { domain: email } } }
                    - { detect: [credit-card, employee-id], action: redact }
            """)
    private static let key = "a key of masking has thirty-two bytes at least"

    @Test func `mask --explain says which rule and which detector acted, where, and never on what`() throws {
        let folder = try Folder(Self.found)
        try folder.write(Self.key, to: "key")
        let input = #"""
            {"card":"4111111111111111","note":"é by EMP-123456, 4111 1111 1111 1111"}
            {"sum":2}
            {"card"

            """#
        func run(_ more: String...) throws -> Finished {
            try folder.run(
                ["mask", "--config", folder.configuration, "--profile", "pii"] + more, input: input)
        }
        let json = try run("--explain", "--json")
        #expect(json.status == 0, "\(json.errors)")
        let lines = try json.lines.map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        #expect(lines.map { $0["line"] as? Int } == [1, 2, 3])
        #expect(lines.map { $0["outcome"] as? String } == ["masked", "unchanged", "masked"])
        let findings = lines.map { $0["findings"] as? [[String: Any]] ?? [] }
        #expect(findings.map(\.count) == [3, 0, 0])
        let texts = findings[0].map { finding in
            let detector = finding["detector"] as? String ?? (finding["detector"] is NSNull ? "null" : "none")
            let (path, action) = (finding["path"] as? String ?? "", finding["action"] as? String ?? "")
            let named = detector == "null" ? ["rule"] : ["rule", "start", "end"]
            let numbers = named.map { "\(finding[$0] as? Int ?? -1)" }.joined(separator: " ")
            return "\(path) \(detector) \(numbers) \(action)"
        }
        #expect(
            texts == [
                "card null 1 keepLast", "note employee-id 3 6 16 redact", "note credit-card 3 18 37 redact",
            ])
        #expect(findings[0].allSatisfy { 50...100 ~= $0["confidence"] as? Int ?? 0 })
        let text = try run("--explain")
        #expect(text.status == 0 && text.lines.count == 6, "\(text)")
        #expect(text.lines.first == "line 1: masked" && text.lines.contains("  card: rule 1: keepLast"))
        #expect(text.lines.contains { $0.hasPrefix("  note: employee-id at bytes 6 to 16, confidence ") })
        #expect(text.lines.suffix(2) == ["line 2: unchanged", "line 3: masked: it could not be looked into"])
        for output in [json.output, text.output] { #expect(!output.contains("4111") && !output.contains("EMP-1")) }
        #expect(try run("--json").status == 2)
    }

    @Test func `mask reads the key, and tokens of equal values are equal`() throws {
        let folder = try Folder(Self.found)
        let words = ["mask", "--config", folder.configuration, "--profile", "pii"]
        let missing = try folder.run(words, input: "{}\n")
        #expect(
            missing.status == 1 && missing.errors.contains("masking.keys.default.file: \(folder.path)/key is not there")
        )
        try folder.write(Self.key, to: "key")
        let ending = try folder.run(words, input: "{\"mail\":\"a@b.c\"}\n{\"mail\":\"a@b.c\"}\n{\"mail\":\"d@b.c\"}\n")
        #expect(ending.status == 0 && ending.lines.count == 3 && Set(ending.lines).count == 2, "\(ending)")
        #expect(ending.lines.allSatisfy { $0.hasPrefix("{\"mail\":\"tgh1_") })
        let check = try folder.run("check", "--config", folder.configuration)
        #expect(check.status == 0, "\(check.output)")
    }

    @Test func `mask takes time by the length of a line, not by its square`() throws {
        let folder = try Folder()
        let binary = try #require(Surroundings.gateway)
        /// Seconds of processor time, which other tests beside this one do not change.
        func cost(_ mebibytes: Int) throws -> Double {
            let line = "{\"sum\":\"" + String(repeating: "x", count: mebibytes << 20) + "\"}\n"
            let ending = try Program.run(
                "/bin/bash",
                ["-c", "\"$0\" mask --config \"$1\" --profile pii | wc -c; times", binary, folder.configuration],
                input: line, seconds: 120)
            // What came out, bash's own times, and those of its children: `0m1.250s 0m0.040s`.
            try #require(ending.lines.count == 3 && Int(ending.lines[0]) == line.utf8.count, "\(ending)")
            return try ending.lines[2].split(separator: " ").reduce(0) { sum, text in
                let parts = text.dropLast().split(separator: "m").map { Double($0) }
                return sum + (try #require(parts[0])) * 60 + (try #require(parts[1]))
            }
        }
        let (short, long) = (try cost(4), try cost(32))
        #expect(long < short * 12, "\(short) s for 4 MiB, \(long) s for 32 MiB")
    }

    @Test func `mask says which profiles there are`() throws {
        let folder = try Folder()
        let ending = try folder.run("mask", "--config", folder.configuration, "--profile", "none", input: "")
        #expect(ending.status == 2 && ending.errors.contains("there is no profile 'none'; one of pii"))
    }

    // MARK: The rest

    @Test func `version says itself in both ways`() throws {
        let folder = try Folder()
        let plain = try folder.run("version")
        let json = try folder.run("version", "--json")
        let version = try #require(json.objects.first?["version"] as? String)
        #expect(plain.status == 0 && json.status == 0 && plain.output == "tidegate \(version)\n")
    }

    @Test func `evidence verify fails where there is none, and takes no other word`() throws {
        let folder = try Folder()
        #expect(try folder.run("evidence", "verify", "--directory", folder.path + "/nowhere").status == 1)
        #expect(try folder.run("evidence", "verify").status == 2)
        #expect(try folder.run("evidence", "check", "--directory", folder.path).status == 2)
        #expect(try folder.run("evidence", "verify", "export", "--directory", folder.path).status == 2)
        let replay = try folder.run("evidence", "replay", "--directory", folder.path)
        #expect(replay.status == 2 && replay.errors.contains("not available in this version"))
        try FileManager.default.createDirectory(
            atPath: folder.path + "/evidence", withIntermediateDirectories: true)
        try folder.write("{\"type\":\"x\"}\n", to: "evidence/evidence-000000000001.jsonl")
        let broken = try folder.run("evidence", "verify", "--directory", folder.path + "/evidence", "--json")
        #expect(broken.status == 1 && broken.objects.first?["intact"] as? Bool == false, "\(broken.output)")
    }

    @Test(arguments: [
        ["check", "--config", "a.yaml", "b.yaml"], ["check", "--config", "a.yaml", "-without-secrets"],
        ["check", "--config", "--json"], ["check", "--config"], ["check"], ["check", "--config", "a", "--config", "b"],
        ["check", "--config", "a", "--json=1"], ["check", "--confg", "a"], ["serve", "a.yaml"], ["version", "now"],
        ["schema", "x"], ["mask", "--config", "a"], ["mask", "--config", "a", "--profile", "p", "--format", "xml"],
        ["demo", "token"], ["demo", "nonsense"], ["nonsense"], [],
    ])
    func `wrong usage is told, with exit code 2`(words: [String]) throws {
        let folder = try Folder()
        let ending = try folder.run(words)
        #expect(ending.status == 2)
        #expect((ending.errors + ending.output).contains("tidegate"), "\(ending.errors)")
    }

    @Test func `commands of later versions say so`() throws {
        let folder = try Folder()
        for name in ["login", "connect", "approve", "unlock", "who-read", "bench"] {
            let ending = try folder.run(name)
            #expect(ending.status == 2)
            #expect(ending.errors == "tidegate: '\(name)' is not available in this version\n")
        }
    }
}

extension Finished {
    /// The output as one JSON object, or a list of them.
    fileprivate var objects: [[String: Any]] {
        let value = try? JSONSerialization.jsonObject(with: Data(output.utf8))
        return value as? [[String: Any]] ?? (value as? [String: Any]).map { [$0] } ?? []
    }
}
