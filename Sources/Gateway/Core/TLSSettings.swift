public import TidegateCrypto

/// The settings of TLS towards a backend: the same under every protocol's key.
public enum TLSSettings {
    /// - Parameter peer: what stands at the other end, in the plural (`brokers`).
    public static func property(towards peer: String) -> SettingsSchema.Property {
        .init(
            "tls",
            .object([
                .init(
                    "ca", .text(example: "certs/ca.pem", check: .file), "Authorities to trust; the system's without it."
                ),
                .init(
                    "certificate", .text(example: "certs/client.pem", check: .file),
                    "The gateway's own certificate (mTLS)."),
                .init("key", .text(example: "certs/client.key", check: .secretFile), "Its key."),
                .init("serverName", .text(example: "server.internal"), "The name in the \(peer)' certificates."),
                .init(
                    "verify", .word(["full", "none"]), "full (the default): chain and host name; none: neither.",
                    caution: .init(
                        "none", "whoever stands between gateway and \(peer) can pose as one of them",
                        "verify: full, with ca and serverName where they are needed")),
            ]), "TLS towards the \(peer); without it plaintext.")
    }

    /// Reads settings that the schema has accepted.
    ///
    /// - Parameter problems: gets all that is wrong; then there is no context.
    /// - Returns: nil also where no file may be opened.
    public static func context(
        _ settings: ConfigurationNode, _ secrets: any SecretReader, _ problems: inout [ConfigurationProblem]
    ) -> TLSClientContext? {
        var files: [String: String] = [:]
        let before = problems.count
        for key in ["ca", "certificate", "key"] {
            guard let node = settings[key] else { continue }
            do throws(ConfigurationProblem) { files[key] = try secrets.file(at: node) } catch { problems.append(error) }
        }
        if (settings["certificate"] == nil) != (settings["key"] == nil) {
            problems.append(
                ConfigurationProblem(
                    at: settings, "a certificate needs its key, and a key its certificate",
                    suggestion: "name both certificate and key, or neither"))
        }
        guard problems.count == before, secrets.opensFiles else { return nil }
        do throws(TLSConfigurationError) {
            return try TLSClientContext(
                ca: files["ca"], certificate: files["certificate"], key: files["key"],
                verifies: settings["verify"]?.text != "none")
        } catch {
            problems.append(
                ConfigurationProblem(at: settings, "\(error)", suggestion: "a PEM file of the right kind"))
            return nil
        }
    }
}
