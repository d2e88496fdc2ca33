import Foundation

/// Authorities and certificates for the loopback, made by openssl; removed with the folder for temporary files.
struct Certificates {
    let folder: String
    var authority: String { folder + "/ca.pem" }

    static let names =
        "DNS:localhost,DNS:broker-1.localhost,DNS:broker-2.localhost,DNS:broker-3.localhost,IP:127.0.0.1"

    /// An authority, `server` (`names`) and `client` under it.
    static let shared = Result { try Certificates() }

    /// - Throws: where openssl is missing.
    init() throws {
        folder = try Surroundings.temporaryFolder()
        try openssl(
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=tests", "-keyout", "\(folder)/ca.key", "-out", authority,
            ])
        try issue("server", names: Certificates.names)
        try issue("client", names: "DNS:client.example")
    }

    /// `NAME.pem` and `NAME.key`.
    func issue(_ name: String, names: String) throws {
        let path = "\(folder)/\(name)"
        try openssl(
            [
                "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=\(name)",
                "-keyout", "\(path).key", "-out", "\(path).csr",
            ])
        try "subjectAltName=\(names)\n".write(toFile: "\(path).ext", atomically: false, encoding: .utf8)
        try openssl(
            [
                "x509", "-req", "-in", "\(path).csr", "-CA", authority, "-CAkey", "\(folder)/ca.key",
                "-CAcreateserial", "-days", "2", "-out", "\(path).pem", "-extfile", "\(path).ext",
            ])
    }

    func content(_ file: String) throws -> String { try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8) }

    private func openssl(_ arguments: [String]) throws {
        let done = try Program.run("/usr/bin/openssl", arguments)
        guard done.status == 0 else { throw ProcessFailure(description: "openssl: \(done.errors.suffix(400))") }
    }
}
