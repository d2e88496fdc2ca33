import Foundation
import Testing

/// A running gateway and the files that its configuration names. No backend is there: none is needed to reload.
@Suite(
    .enabled(if: Surroundings.gateway != nil, "needs a built tidegate (TIDEGATE_BINARY)"),
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"), "needs the openssl command"))
struct WatchedFilesTests {
    /// A gateway whose every named file is in one folder, without a slash in any name.
    private final class Serving {
        let folder: String
        let port: UInt16
        private var process: ChildProcess?

        /// - Parameter descriptors: how many the gateway inherits, and how many it may have.
        init(descriptors: (soft: Int, hard: Int)? = nil) throws {
            folder = try Surroundings.temporaryFolder()
            port = try Ports.base([0, 1, 2, 8])
            try write("one", to: "password")
            try write(Serving.keys, to: "keys")
            for name in ["backend", "admin"] { try certify(name) }
            try configure()
            let binary = try #require(Surroundings.gateway)
            var command = [binary, "serve", "--config", folder + "/tidegate.yaml"]
            if let descriptors {
                let limits = "ulimit -Sn \(descriptors.soft) && ulimit -Hn \(descriptors.hard) && exec \"$@\""
                command = ["/bin/sh", "-c", limits, "sh"] + command
            }
            let started = try ChildProcess(command[0], Array(command.dropFirst()), errors: folder + "/log")
            process = started
            try eventually("the gateway runs") {
                guard started.isRunning else { throw ProcessFailure(description: self.log) }
                return self.log.contains("gateway is running")
            }
        }
        deinit {
            process?.kill()
            try? FileManager.default.removeItem(atPath: folder)
        }

        /// The key of RFC 8037, appendix A.2.
        static let keys =
            #"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#

        var log: String {
            String(decoding: FileManager.default.contents(atPath: folder + "/log") ?? Data(), as: UTF8.self)
        }
        var evidence: String {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/evidence")) ?? []
            return names.map { name in
                String(
                    decoding: FileManager.default.contents(atPath: folder + "/evidence/" + name) ?? Data(),
                    as: UTF8.self)
            }.joined()
        }

        /// The soft and the hard limit of the process's descriptors.
        func descriptors() throws -> [Substring] {
            let limits = try String(contentsOfFile: "/proc/\(process?.identifier ?? 0)/limits", encoding: .utf8)
            let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max open files") })
            return Array(line.split(separator: " ").dropFirst(3).prefix(2))
        }

        func count(_ words: String) -> Int { log.ranges(of: words).count }

        func write(_ text: String, to name: String) throws {
            try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder + "/" + name)
        }

        func certify(_ name: String) throws {
            let made = try Program.run(
                "/usr/bin/openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "10",
                    "-subj",
                    "/CN=localhost", "-keyout", "\(folder)/\(name)-key.new", "-out", "\(folder)/\(name)-pem.new",
                ])
            try #require(made.status == 0, "\(made.errors)")
            for kind in ["key", "pem"] {
                try #require(rename("\(folder)/\(name)-\(kind).new", "\(folder)/\(name)-\(kind)") == 0)
            }
        }

        /// - Parameter second: the port of a second route.
        func configure(second: UInt16? = nil, more: String = "") throws {
            let other = second.map {
                "  - { name: two, listen: \"127.0.0.1:\($0)\", backend: real, advertise: { host: g, ports: \(port + 2) } }\n"
            }
            try write(
                """
                identity: { issuers: [{ issuer: "http://127.0.0.1:1", audience: tidegate, jwksFile: keys }] }
                backends:
                  real:
                    kafka:
                      bootstrap: ["127.0.0.1:1"]
                      sasl: { mechanism: PLAIN, username: u, passwordFile: password }
                      tls: { ca: backend-pem, certificate: backend-pem, key: backend-key }
                routes:
                  - { name: one, listen: "127.0.0.1:\(port)", backend: real, advertise: { host: g, ports: \(port + 1) } }
                \(other ?? "")
                policies: [{ name: nobody, effect: deny }]
                admin: { listen: "127.0.0.1:\(port + 8)", tls: { certificate: admin-pem, key: admin-key } }
                \(more)
                """, to: "tidegate.yaml")
        }

        /// The certificate that the admin port shows.
        func shown() throws -> String {
            let answer = try Program.run(
                "/usr/bin/openssl", ["s_client", "-connect", "127.0.0.1:\(port + 8)", "-servername", "localhost"],
                seconds: 20)
            let start = try #require(answer.output.range(of: "-----BEGIN"), "\(answer.errors)").lowerBound
            let end = try #require(answer.output.range(of: "END CERTIFICATE-----")).upperBound
            return String(answer.output[start..<end])
        }

        func certificate(_ name: String) -> String {
            String(decoding: FileManager.default.contents(atPath: folder + "/" + name) ?? Data(), as: UTF8.self)
                .trimmingCharacters(in: .newlines)
        }
    }

    private static let accepted = "configuration reloaded"
    private static let rejected = "the old one stays in force"

    @Test func `a change of any file that a backend names reloads, also after a set was refused`() throws {
        let gateway = try Serving()
        try gateway.write("two", to: "password")
        try eventually("a new password is taken") { gateway.count(Self.accepted) == 1 }
        try gateway.certify("backend")
        try eventually("a new certificate is taken") { gateway.count(Self.accepted) >= 2 }
        let before = gateway.count(Self.accepted)
        try gateway.write("", to: "password")
        try eventually("an empty password is refused") { gateway.count(Self.rejected) > 0 }
        #expect(gateway.evidence.contains("\"problems\":1"))
        try gateway.write("three", to: "password")
        try eventually("the refused set is read again") { gateway.count(Self.accepted) > before }
    }

    @Test func `the gateway takes all descriptors that it may have, and says where they are few`() throws {
        let gateway = try Serving(descriptors: (soft: 200, hard: 900))
        #expect(try gateway.descriptors() == ["900", "900"])
        #expect(gateway.count("limits.sessions is more than the system has descriptors for") == 1)
    }

    @Test func `a key set that verifies nothing is refused`() throws {
        let gateway = try Serving()
        try gateway.write("{\"keys\":[]}", to: "keys")
        try eventually("the set is refused") { gateway.log.contains("/keys holds no key that can verify a token") }
        #expect(gateway.count(Self.accepted) == 0)
        try gateway.write(Serving.keys + "\n", to: "keys")
        try eventually("the keys are taken") { gateway.count(Self.accepted) == 1 }
    }

    @Test func `every problem of a refused set is told and counted`() throws {
        let gateway = try Serving()
        try FileManager.default.removeItem(atPath: gateway.folder + "/password")
        try gateway.configure(more: "unknown: 1")
        try eventually("the set is refused") { gateway.evidence.contains("\"problems\":2") }
        #expect(gateway.log.contains("unknown key 'unknown'") && gateway.log.contains("/password is not there"))
    }

    @Test func `a set whose listener cannot be had changes no certificate`() throws {
        let gateway = try Serving()
        let old = gateway.certificate("admin-pem")
        #expect(try gateway.shown() == old)
        // Its route listens where the second route shall.
        let holder = try Serving()
        try gateway.certify("admin")
        try gateway.configure(second: holder.port)
        try eventually("the set is refused") { gateway.count(Self.rejected) > 0 }
        #expect(try gateway.shown() == old)
        try gateway.configure()
        try eventually("the certificate is the new one") { try gateway.shown() == gateway.certificate("admin-pem") }
    }
}
