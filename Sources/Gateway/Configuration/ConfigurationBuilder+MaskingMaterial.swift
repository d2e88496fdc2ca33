import TidegateCore
import TidegateCrypto
import TidegateDetection
import TidegateMasking
import TidegateTokens

/// What all profiles share: keys, detectors of the operator's own, registries.
extension ConfigurationBuilder {
    // MARK: Keys

    /// A key also where something is wrong with it: rules that name it are not wrong.
    mutating func maskingKey(_ name: String, _ node: ConfigurationNode) -> MaskingKey? {
        var versions: [Int: [UInt8]] = [:]
        var isWhole = true
        for place in [node] + (node["previous"]?.elements ?? []) {
            guard let version = place["version"]?.integer, MaskingKey.versionNumbers.contains(version) else {
                isWhole = false
                _ = keyBytes(place)
                continue
            }
            let newest = node["version"]?.integer ?? version
            if versions[version] != nil {
                report(
                    place["version"] ?? place, "version \(version) stands twice",
                    "a number of its own for each version")
                isWhole = false
            } else if version > newest {
                report(
                    place["version"] ?? place, "version \(version) would make tokens, and not \(newest)",
                    "a number below \(newest): the highest is the newest")
            }
            guard let bytes = keyBytes(place) else {
                isWhole = false
                versions[version] = []
                continue
            }
            versions[version] = bytes
            if !withSecrets { continue }
            do throws(TokenSettingsError) { _ = try MaskingKey(name: name, versions: [version: bytes]) } catch {
                report(place["file"] ?? place["env"] ?? place, error.message, error.suggestion)
                isWhole = false
            }
        }
        if withSecrets, isWhole {
            do throws(TokenSettingsError) { return try MaskingKey(name: name, versions: versions) } catch {
                report(node, error.message, error.suggestion)
            }
        }
        let numbers = versions.isEmpty ? [1] : Array(versions.keys)
        return ConfigurationBuilder.placeholder(name, numbers)
    }

    private mutating func keyBytes(_ node: ConfigurationNode) -> [UInt8]? {
        do throws(ConfigurationProblem) {
            if let bytes = try secrets.material(in: node) { return bytes }
            report(
                node, "'file' is missing", "file or env: 32 random bytes at least, such as from head -c 32 /dev/urandom"
            )
        } catch { problems.append(error) }
        return nil
    }

    /// Stands for a key that is not read, so that profiles are compiled and judged all the same. Nothing is made with it:
    /// a configuration without its secrets is not run.
    private static func placeholder(_ name: String, _ versions: [Int] = [1]) -> MaskingKey? {
        let secrets = versions.map { version in
            (
                version,
                (0..<MaskingKey.minimumSecretBytes).map { UInt8(truncatingIfNeeded: $0 ^ version ^ (version >> 8)) }
            )
        }
        return try? MaskingKey(name: name, versions: Dictionary(secrets) { first, _ in first })
    }

    // MARK: Detectors and registries

    mutating func detector(
        _ name: String, _ key: ConfigurationNode, _ node: ConfigurationNode
    ) -> UserDetectorSettings {
        let before = problems.count
        if name == "all" || BuiltInDetector(rawValue: name) != nil {
            report(
                key, name == "all" ? "'all' means every detector" : "there is a built-in detector '\(name)'",
                "a name of its own")
        }
        let context = node["context"]?.texts ?? []
        if node["needsContext"]?.boolean == true, context.isEmpty {
            report(node, "'context' is missing: without words nothing would ever be found", "context: [word, ...]")
        }
        var settings = UserDetectorSettings(
            pattern: node["pattern"]?.text ?? "", checksum: node["checksum"]?.text, context: context,
            needsContext: node["needsContext"]?.boolean ?? false)
        guard let pattern = node["pattern"], pattern.text != nil, problems.count == before else { return settings }
        do throws(PatternError) {
            _ = try UserPattern(
                name: name, pattern: settings.pattern, checksum: settings.checksum.flatMap { Checksum(rawValue: $0) },
                context: context, needsContext: settings.needsContext)
        } catch {
            report(
                error.reason == .declaration ? node : pattern,
                error.offset.map { "\(error.message), at byte \($0 + 1)" } ?? error.message, error.suggestion)
            // Told here, and not again of each rule that names it.
            settings = UserDetectorSettings(pattern: "stands-in")
        }
        return settings
    }

    mutating func registry(_ node: ConfigurationNode, isAsked: Bool) -> SchemaRegistrySettings {
        var settings = SchemaRegistrySettings(url: node["url"]?.text ?? "", username: node["username"]?.text)
        if let age = node["maxAge"]?.text.flatMap(TextForms.seconds) { settings.maxAge = age }
        if let url = node["url"], let text = url.text, text.hasPrefix("http://"),
            let host = TextForms.host(ofURL: text), !TextForms.isLoopback(host), node["insecure"]?.boolean != true
        {
            report(
                url, "schemas would come in the clear: whoever changes them on the way decides what is masked",
                "https, or insecure: true")
        }
        let password = node["passwordFile"] ?? node["passwordEnv"]
        if node["username"] != nil, password == nil {
            report(node, "'passwordFile' is missing beside username", "passwordFile or passwordEnv")
        }
        if let password, node["username"] == nil {
            report(password, "a password without a username", "username: NAME")
        }
        settings.tls = registryTLS(node, beside: settings.url, isAsked: isAsked)
        guard isAsked else { return settings }
        do throws(ConfigurationProblem) { settings.password = try secrets.secret("password", in: node) ?? [] } catch {
            problems.append(error)
        }
        return settings
    }

    private mutating func registryTLS(
        _ node: ConfigurationNode, beside url: String, isAsked: Bool
    ) -> SchemaRegistrySettings.TLS? {
        guard let tls = node["tls"] else { return nil }
        if url.hasPrefix("http://") {
            report(tls, "the registry's url is no https: it means nothing", "https, or no tls")
        }
        if (tls["certificate"] == nil) != (tls["key"] == nil) {
            report(
                tls, "a certificate needs its key, and a key its certificate",
                "name both certificate and key, or neither")
        }
        guard isAsked else { return nil }
        let before = problems.count
        let settings = SchemaRegistrySettings.TLS(
            ca: file(tls["ca"]), certificate: file(tls["certificate"]), key: file(tls["key"]))
        guard withSecrets, problems.count == before, (settings.certificate == nil) == (settings.key == nil) else {
            return settings
        }
        do throws(TLSConfigurationError) {
            _ = try TLSClientContext(ca: settings.ca, certificate: settings.certificate, key: settings.key)
        } catch {
            report(tls, "\(error)", "a PEM file of the right kind")
        }
        return settings
    }

    /// Tells of a name that leads to no key, and puts one there, so that the profile's compiler does not tell it again.
    mutating func needsKey(_ node: ConfigurationNode?, _ name: String, from settings: ConfigurationNode) {
        guard material.keys[name] == nil || inventedKeys.contains(name) else { return }
        let known = material.keys.keys.filter { !inventedKeys.contains($0) }.sorted()
        report(
            node ?? settings, "there is no masking key '\(name)'",
            known.isEmpty
                ? "masking.keys: { \(name): { file: secrets/masking-key, version: 1 } }"
                : SettingsValidator.oneOf(known, near: name))
        inventedKeys.insert(name)
        material.keys[name] = ConfigurationBuilder.placeholder(name)
    }
}
