import Foundation
import Testing
import TidegateDemo

extension Integration {
    /// More than one server behind a route: a cluster whose slots move, a primary that its sentinels replace, replicas.
    @Suite(.enabled(if: Surroundings.hasRedis, Comment(rawValue: Surroundings.lackingRedis)))
    struct RedisTopologyTests {
        /// The script beside the test.
        ///
        /// - Returns: what ends its input, and so the script.
        private func start(port: UInt16, user: String, tokenFile: String, _ more: [String]) throws -> (
            RunningProgram, end: () -> Void
        ) {
            guard let python = Surroundings.python else { throw ProcessFailure(description: Surroundings.lackingRedis) }
            let stop = FileManager.default.temporaryDirectory.path + "/tidegate-stop-\(UUID().uuidString)"
            let script = Surroundings.root + "/Tests/Integration/Clients/redis_cluster_client.py"
            // Its input is open until a file is there, or this process has ended it.
            let running = try RunningProgram(
                "/bin/sh",
                [
                    "-c", "stop=$0; (while [ ! -e \"$stop\" ]; do sleep 0.1; done; rm \"$stop\") | exec \"$@\"", stop,
                    python, "-B", script, "--port", "\(port)", "--user", user, "--token-file", tokenFile, "--seconds",
                    "120",
                ] + more)
            return (running, { _ = FileManager.default.createFile(atPath: stop, contents: nil) })
        }

        /// Moves ten slots that are in use, and one of them back, while a writer and a reader go on; then both must have met nothing strange.
        ///
        /// - Parameters:
        ///   - ports: of the nodes, as the clients know them.
        ///   - tokenFiles: the writer's and the reader's.
        private func moveSlots(
            of cluster: RedisCluster, ports: [UInt16], user: String, tokenFiles: [String], options: [[String]]
        ) throws {
            for number in 0..<60 {
                let key = "masked:\(number)"
                try cluster.servers[cluster.owner(of: key)].connect().ask(
                    "XADD", key, "1-0", "card", "4111111111111111")
            }
            var clients: [(program: RunningProgram, end: () -> Void)] = []
            defer {
                for client in clients {
                    if client.program.process.isRunning { client.end() }
                    client.program.stop()
                }
            }
            for (number, more) in options.enumerated() {
                clients.append(try start(port: ports[number], user: user, tokenFile: tokenFiles[number], more))
            }
            try eventually("they work", within: 60) { clients.allSatisfy { $0.program.output.contains("going") } }
            var moved: [(slot: Int, to: Int)] = []
            for number in 0..<6 {
                let key = number < 3 ? "open:\(number)" : "masked:\(number)"
                let from = try cluster.owner(of: key)
                let slot = try cluster.slot(of: key)
                try cluster.move(slot, from: from, to: (from + 1) % 3)
                moved.append((slot, (from + 1) % 3))
            }
            try cluster.move(moved[0].slot, from: moved[0].to, to: (moved[0].to + 1) % 3)
            let addresses = ports.map { "\"127.0.0.1:\($0)\"" }.joined(separator: ", ")
            for client in clients {
                client.end()
                try eventually("it ends", within: 60) { !client.program.process.isRunning }
                let said = client.program.output
                #expect(client.program.process.exitStatus == 0, "\(client.program.errors.suffix(1500))")
                #expect(said.contains(#"{"result": [], "step": "unlike"}"#), "\(said)")
                #expect(said.contains(#"{"result": [\#(addresses)], "step": "nodes"}"#), "\(said)")
            }
        }

        @Test func `without a gateway slots move under a client, too`() throws {
            let cluster = try RedisCluster()
            defer { cluster.stop() }
            let password = try cluster.servers[0].passwordFile()
            try moveSlots(
                of: cluster, ports: cluster.servers.map(\.port), user: "default", tokenFiles: [password], options: [[]])
        }

        @Test(arguments: [2, 3], RedisBinary.there)
        func `slots move under a client of a cluster, and it loses and repeats nothing`(
            version: Int, binary: RedisBinary
        )
            throws
        {
            let cluster = try RedisCluster(binary)
            defer { cluster.stop() }
            var setup = GatewaySetup.redis(cluster.settings)
            setup.redisRoute = { ", advertise: { host: 127.0.0.1, ports: \($0 + 1)-\($0 + 3) }" }
            let gateway = try GatewayProcess(before: "", setup)
            defer { gateway.stop() }
            try moveSlots(
                of: cluster, ports: (1...3).map { gateway.redisPort + UInt16($0) }, user: "any",
                tokenFiles: ["engineers", "readers"].map { try gateway.tokenFile($0, groups: [$0]) },
                options: [["--protocol", "\(version)"], ["--protocol", "\(version)", "--reads"]])
            #expect(gateway.isRunning)
        }

        @Test func `what a cluster tells of itself names the gateway's ports only`() throws {
            let cluster = try RedisCluster()
            defer { cluster.stop() }
            var setup = GatewaySetup.redis(cluster.settings)
            setup.redisRoute = { ", advertise: { host: 127.0.0.1, ports: \($0 + 1)-\($0 + 3) }" }
            let gateway = try GatewayProcess(before: "", setup)
            defer { gateway.stop() }
            let token = try gateway.issuer.mint(subject: "eva", groups: ["engineers"])
            for version in [2, 3] {
                let client = try RawRedis(port: gateway.redisPort + 1, secret: token, version: version)
                for command in [
                    ["CLUSTER", "SLOTS"], ["CLUSTER", "SHARDS"], ["CLUSTER", "NODES"], ["GET", "a"], ["GET", "b"],
                    ["GET", "c"],
                    ["ROLE"], ["INFO", "replication"], ["CLIENT", "LIST"], ["CLIENT", "INFO"],
                ] {
                    client.send([command])
                    let bytes = Data(try client.receiveBytes().bytes)
                    for server in cluster.servers {
                        #expect(
                            bytes.firstRange(of: Data("\(server.port)".utf8)) == nil, "\(command) in RESP\(version)")
                    }
                }
                let slots = try client.ask("CLUSTER", "SLOTS").members ?? []
                #expect(slots.count == 3)
                for part in slots {
                    let node = part.members?.dropFirst(2).first?.members ?? []
                    #expect(node.first == .text("127.0.0.1"))
                    guard case .integer(let port) = node.dropFirst().first else {
                        Issue.record("no port in \(part)")
                        continue
                    }
                    #expect((1...3).contains(port - Int64(gateway.redisPort)))
                }
            }
        }

        @Test func `when sentinels choose another primary, clients reach that one`() throws {
            let primary = try RedisServer()
            defer { primary.stop() }
            let replica = try RedisServer(.debian, .replica(of: primary))
            defer { replica.stop() }
            let sentinel = try RedisServer(.debian, .sentinel(over: primary))
            defer { sentinel.stop() }
            try eventually("the sentinel knows the replica") { sentinel.log.contains("+slave") }
            let gateway = try GatewayProcess(
                before: "",
                .redis(
                    "sentinel: { addresses: [\"127.0.0.1:\(sentinel.port)\"], primary: primary }, "
                        + "username: \(RedisServer.user), passwordFile: redis-password"))
            defer { gateway.stop() }
            let client = try gateway.redis("eva", "engineers")
            #expect(try client.ask("XADD", "open:s", "1-0", "n", "1") == .text("1-0"))
            try eventually("the replica has it") { try replica.connect().ask("XLEN", "open:s") == .integer(1) }
            primary.stop()
            try eventually("a client writes to the new primary", within: 60) {
                (try? gateway.redis("eva", "engineers").ask("XADD", "open:s", "*", "n", "2").string?.contains("-0"))
                    == true
            }
            #expect(try replica.connect().ask("XLEN", "open:s") == .integer(2))
        }

        @Test func `a replica is reached at the port behind the primary's, with the same rules and masks`() throws {
            let primary = try RedisServer()
            defer { primary.stop() }
            let replica = try RedisServer(.debian, .replica(of: primary))
            defer { replica.stop() }
            var setup = GatewaySetup.redis(primary.settings + ", replicas: [\"127.0.0.1:\(replica.port)\"]")
            setup.redisRoute = { ", advertise: { host: 127.0.0.1, ports: \($0 + 1)-\($0 + 2) }" }
            let gateway = try GatewayProcess(before: "", setup)
            defer { gateway.stop() }
            try primary.connect().ask("XADD", "masked:s", "1-0", "card", "4111111111111111")
            try eventually("the replica has it") { try replica.connect().ask("XLEN", "masked:s") == .integer(1) }
            let token = try gateway.issuer.mint(subject: "rita", groups: ["readers"])
            for port in [gateway.redisPort, gateway.redisPort + 2] {
                let client = try RawRedis(port: port, secret: token)
                #expect(try client.ask("XRANGE", "masked:s", "-", "+").strings == ["1-0", "card", "****1111"])
                #expect(try client.ask("XRANGE", "closed:s", "-", "+").isRefusal)
            }
        }
    }
}
