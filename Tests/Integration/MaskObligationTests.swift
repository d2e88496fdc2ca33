import Foundation
import Testing
import TidegateDemo

extension Integration {
    /// What a rule can say beside its profile, on the embedded cluster: dry runs, and tokens to open.
    @Suite(
        .enabled(if: Surroundings.gateway != nil, "needs a built tidegate (TIDEGATE_BINARY)"),
        .enabled(if: Surroundings.kcat != nil, "kcat is not installed"))
    struct MaskObligationTests {
        private static let masking = """
              keys: { default: { file: masking-key, version: 1 } }
              profiles:
                pii:
                  rules:
                    - { field: card, action: { encrypt: { domain: card, mode: deterministic } } }
                    - { field: mail, action: { token: { domain: mail } } }
            """
        private static let officers = """
              - name: officers read tokens in clear
                subjects: { groups: [officers] }
                actions: [consume]
                resources: { topics: ["clients-*"] }
                effect: allow
                masking: pii
                unmask: { domains: [card] }
            """

        private func begin() throws -> (MockCluster, GatewayProcess) {
            let cluster = try MockCluster()
            for topic in ["clients-clear", "clients-tokens"] { try cluster.create(topic: topic, partitions: 1) }
            var setup = GatewaySetup()
            setup.masking = Self.masking
            setup.policies += "\n" + Self.officers
            setup.files["masking-key"] = "a key of masking has thirty-two bytes at least"
            return (cluster, try GatewayProcess(before: cluster.bootstrap, setup))
        }

        private func records(_ gateway: GatewayProcess, _ group: String, _ topic: String) throws -> [String] {
            try Kcat.through(gateway, group, groups: [group]).read(topic)
        }

        private func delivered(_ gateway: GatewayProcess, to subject: String) -> [String] {
            gateway.evidence.filter {
                $0.contains("\"records.delivered\"") && $0.contains("\"subject\":\"\(subject)\"")
            }
        }

        @Test func `tokens are opened for whom a rule unmasks, in the domains that it names`() throws {
            let (cluster, gateway) = try begin()
            defer { gateway.stop() }
            let engineer = try Kcat.through(gateway, "eva", groups: ["engineers"])
            try engineer.write(
                "a:{\"card\":\"4111111111111111\",\"mail\":\"a@b.c\"}\n", to: "clients-clear", partition: 0)
            let masked = try #require(try records(gateway, "analysts", "clients-clear").first)
            let match = try #require(
                masked.firstMatch(of: #/a (\{"card":"tgs1_[^"]+","mail":"tgh1_[^"]+"\})$/#), "\(masked)")
            // Stored as tokens, they are opened by who may, and stay tokens for the others.
            try engineer.write("b:\(match.1)\n", to: "clients-tokens", partition: 0)
            #expect(try records(gateway, "analysts", "clients-tokens").first?.hasSuffix("b \(match.1)") == true)
            let opened = try #require(try records(gateway, "officers", "clients-tokens").first)
            #expect(opened.contains("{\"card\":\"4111111111111111\",\"mail\":\"tgh1_"), "\(opened)")
            let line = try #require(delivered(gateway, to: "officers").last)
            #expect(line.contains("\"opened_fields\":1") && !line.contains("4111"), "\(line)")
            #expect(try gateway.metrics().contains("tidegate_opened_fields_total{route=\"orders\"} 1"))
            withExtendedLifetime(cluster) {}
        }

        @Test func `unmask asks the gateway, which lets whom a rule lets, and records it first`() throws {
            let (cluster, gateway) = try begin()
            defer { gateway.stop() }
            let engineer = try Kcat.through(gateway, "eva", groups: ["engineers"])
            try engineer.write(
                "a:{\"card\":\"4111111111111111\",\"mail\":\"a@b.c\"}\n", to: "clients-clear", partition: 0)
            let masked = try #require(try records(gateway, "analysts", "clients-clear").first)
            let found = try #require(masked.firstMatch(of: #/"card":"([^"]+)","mail":"([^"]+)"/#), "\(masked)")
            let (card, mail) = (String(found.1), String(found.2))
            let binary = try #require(Surroundings.gateway)
            func unmask(_ group: String, _ words: [String], input: String? = nil) throws -> Finished {
                let url = "http://127.0.0.1:\(gateway.port + 8)/"
                return try Program.run(
                    binary, ["unmask", "--url", url] + words, input: input,
                    environment: ["TIDEGATE_TOKEN": try gateway.issuer.mint(subject: group, groups: [group])],
                    seconds: 20)
            }
            func opened() -> [String] { gateway.evidence.filter { $0.contains("\"tokens.opened\"") } }
            let one = try unmask("officers", [card])
            #expect(one.status == 0 && one.output == "4111111111111111\n", "\(one)")
            #expect(opened().count == 1)
            let all = try unmask("officers", [], input: "\(card)\n\(mail)\nnone\n\(card)\n")
            #expect(all.status == 1 && all.output == "4111111111111111\n\n\n4111111111111111\n", "\(all)")
            #expect(all.errors.contains("token 2: cannot be opened") && all.errors.contains("token 3: not a token"))
            let json = try unmask("officers", ["--json", card])
            #expect(json.output == "[{\"value\":\"4111111111111111\"}]\n")
            let lines = opened()
            #expect(lines.count == 3)
            #expect(
                lines[1].contains(
                    #/"subject":"officers","groups":\["officers"\],"client_address":"127\.0\.0\.1:\d+","opened":\{"card":2\},"refused":2/#
                ))
            #expect(lines.allSatisfy { !$0.contains("4111") && !$0.contains("tgs1_") })
            let other = try unmask("analysts", [card])
            #expect(other.status == 1 && other.output.isEmpty && other.errors.contains("no rule lets you open tokens"))
            #expect(try unmask("officers", ["--route", "orders", card]).status == 0, "the rule names no route")
            #expect(
                try unmask("officers", ["--route", "other\n", card]).errors.contains("no rule lets you open tokens"))
            try gateway.reload { $0.policies = GatewayProcess.policies }
            #expect(try unmask("officers", [card]).status == 1, "the rule is gone")
            let refused = gateway.evidence.filter { $0.contains("\"tokens.refused\"") }.prefix(2)
            #expect(refused.count == 2 && refused.allSatisfy { $0.contains("\"refused_domains\":{\"card\":1}") })
            #expect(refused.first?.contains("\"reason\":\"no rule lets the subject open tokens\"") == true)
            #expect(refused.last?.contains("\"reason\":\"no such route\"") == true)
            #expect(refused.allSatisfy { !$0.contains("\"route\"") && !$0.contains("tgs1_") && !$0.contains("4111") })
            for words in [["--url", "http://192.0.2.1/", card], ["--url", "nonsense", card]] {
                let wrong = try Program.run(
                    binary, ["unmask"] + words, environment: ["TIDEGATE_TOKEN": "x"], seconds: 20)
                #expect(wrong.status == 2 && wrong.output.isEmpty)
            }
            withExtendedLifetime(cluster) {}
        }

        @Test func `a dry run changes nothing, and says what it would have done; counts go on over reloads`() throws {
            let (cluster, gateway) = try begin()
            defer { gateway.stop() }
            let engineer = try Kcat.through(gateway, "eva", groups: ["engineers"])
            let clear = "{\"card\":\"4111111111111111\",\"mail\":\"a@b.c\"}"
            try engineer.write("a:\(clear)\n", to: "clients-clear", partition: 0)
            #expect(try records(gateway, "analysts", "clients-clear").first?.contains("4111") == false)
            let count = "tidegate_mask_rule_total{profile=\"pii\",rule=\"card\"}"
            #expect(try gateway.metrics().contains("\(count) 1\n"))
            try gateway.reload {
                $0.policies = $0.policies.replacing(
                    "masking: pii", with: "masking: pii\n    dryRun: true", maxReplacements: 1)
            }
            #expect(try records(gateway, "analysts", "clients-clear").first?.hasSuffix("a \(clear)") == true)
            let line = try #require(delivered(gateway, to: "analysts").last)
            #expect(line.contains("\"would_mask_fields\":2") && !line.contains("masked_fields\":"), "\(line)")
            let metrics = try gateway.metrics()
            #expect(metrics.contains("tidegate_dry_run_fields_total{route=\"orders\"} 2\n"))
            #expect(metrics.contains("tidegate_masked_fields_total{route=\"orders\"} 2\n"))
            #expect(metrics.contains("\(count) 2\n"))
            withExtendedLifetime(cluster) {}
        }
    }
}
