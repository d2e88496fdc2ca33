import Foundation
import Testing

/// Certificates made by the `openssl` command in a folder of their own, which goes with this object.
final class CertificateFixture: Sendable {
    let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/tidegate-tls-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for authority in ["ca", "other-ca"] {
            try openssl(
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "10",
                "-subj", "/CN=\(authority)", "-keyout", path("\(authority).key"), "-out", path("\(authority).pem"))
        }
        try issue("server", names: "DNS:broker.example.com,IP:127.0.0.1")
        try issue("client", subject: "/O=Example, Inc/CN=ana")
        try issue("expired", names: "DNS:broker.example.com", expired: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    private func issue(_ name: String, subject: String? = nil, names: String? = nil, expired: Bool = false) throws {
        try openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject ?? "/CN=\(name)",
            "-keyout", path("\(name).key"), "-out", path("\(name).csr"))
        try Data((names.map { "subjectAltName=\($0)\n" } ?? "basicConstraints=CA:FALSE\n").utf8)
            .write(to: URL(fileURLWithPath: path("\(name).ext")))
        // A certificate of minus one day ended yesterday.
        try openssl(
            "x509", "-req", "-in", path("\(name).csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
            "-CAcreateserial", "-days", expired ? "-1" : "10", "-extfile", path("\(name).ext"), "-out",
            path("\(name).pem"))
    }

    func openssl(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "openssl \(arguments.joined(separator: " "))")
    }
}
