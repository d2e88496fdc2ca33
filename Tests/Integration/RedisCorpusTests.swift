import Foundation
import Testing

extension Integration {
    /// Thousands of generated commands to a server, and through the gateway to one like it: the replies are the same, byte for byte.
    @Suite(.enabled(if: Surroundings.hasRedis, Comment(rawValue: Surroundings.lackingRedis)))
    struct RedisCorpusTests {
        /// What the script found.
        private struct Report: Decodable {
            var counts: [String: Int]
            var refusals: [String: Int]
            var unlike: [String]
        }

        /// - Parameter port: in front of `behind`.
        private func compare(
            _ port: UInt16, user: String, tokenFile: String, behind: RedisServer, beside: RedisServer, version: Int,
            seed: Int, count: Int = 4000, more: [String] = []
        ) throws -> (report: Report, said: Finished) {
            for server in [behind, beside] { #expect(try server.connect().ask("FLUSHALL") == .ok) }
            let done = try RedisScript.run(
                "redis_corpus",
                [
                    "--port", "\(port)", "--user", user, "--token-file", tokenFile, "--state-port", "\(behind.port)",
                    "--direct-port", "\(beside.port)", "--direct-password-file", try beside.passwordFile(),
                    "--protocol",
                    "\(version)", "--seed", "\(seed)", "--count", "\(count)",
                ] + more, seconds: 120)
            guard let report = try? JSONDecoder().decode(Report.self, from: Data(done.output.utf8)) else {
                throw ProcessFailure(description: "the corpus ended with \(done.status): \(done.errors.suffix(1500))")
            }
            return (report, done)
        }

        @Test(arguments: [2, 3], RedisBinary.there)
        func `generated commands are answered byte for byte as by a server`(version: Int, binary: RedisBinary) throws {
            let servers = [try RedisServer(binary), try RedisServer(binary)]
            defer { for server in servers { server.stop() } }
            let gateway = try GatewayProcess(before: servers[0])
            defer { gateway.stop() }
            let tokenFile = try gateway.tokenFile("eva", groups: ["engineers"])
            let seed = (binary == .debian ? 0 : 2) + version
            let (report, said) = try compare(
                gateway.redisPort, user: "any", tokenFile: tokenFile, behind: servers[0], beside: servers[1],
                version: version, seed: seed)
            #expect(said.status == 0, "seed \(seed): \(said.output.prefix(4000))")
            #expect(report.unlike.isEmpty)
            // Refusals are few: a gateway that refuses all would be no use.
            let same = (report.counts["identical"] ?? 0) + (report.counts["identical but for ages"] ?? 0)
            #expect(same * 10 > (report.counts["commands"] ?? 0) * 8, "\(report.counts) \(report.refusals)")
            // One in twelve is made to be wrong.
            #expect((report.counts["tolerated"] ?? 0) * 8 < report.counts["commands"] ?? 0, "\(report.refusals)")
            #expect(gateway.isRunning)
        }

        @Test func `the comparison finds a changed byte and a changed key`() throws {
            let servers = [try RedisServer(), try RedisServer()]
            defer { for server in servers { server.stop() } }
            func run(_ more: [String]) throws -> (report: Report, said: Finished) {
                try compare(
                    servers[0].port, user: "default", tokenFile: servers[0].passwordFile(), behind: servers[0],
                    beside: servers[1], version: 3, seed: 7, count: 1500, more: more)
            }
            let clean = try run([])
            #expect(clean.said.status == 0, "\(clean.said.output.prefix(2000))")
            #expect(clean.report.counts["commands"] ?? 0 >= 1500)
            let lied = try run(["--lie-at", "2"])
            #expect(lied.said.status == 1 && lied.report.counts["different"] == 1, "\(lied.report.counts)")
            let changed = try run(["--lie-state"])
            #expect(changed.said.status == 1 && changed.report.unlike == ["0:lie"])
        }
    }
}
