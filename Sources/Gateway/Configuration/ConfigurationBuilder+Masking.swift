import TidegateCore
import TidegateDetection
import TidegateMasking
import TidegateTokens

extension ConfigurationBuilder {
    /// - Parameter asksRegistries: false leaves alone what only a running gateway asks them with.
    mutating func masking(_ node: ConfigurationNode?, asksRegistries: Bool) {
        for (key, value) in node?["keys"]?.entries ?? [] {
            if let name = key.text { material.keys[name] = maskingKey(name, value) }
        }
        for (key, value) in node?["detectors"]?.entries ?? [] {
            if let name = key.text { material.detectors[name] = detector(name, key, value) }
        }
        for (key, value) in node?["registries"]?.entries ?? [] {
            guard let name = key.text else { continue }
            registryNames.insert(name)
            material.registries[name] = registry(value, isAsked: asksRegistries)
        }
        for (key, value) in node?["profiles"]?.entries ?? [] {
            guard let name = key.text else { continue }
            profile(name, value)
            profileNames.append(name)
        }
        if withSecrets { configuration.maskingKeys = material.keys.values.sorted { $0.name < $1.name } }
    }

    // MARK: Keys

    /// A key also where something is wrong with it: rules that name it are not wrong.
    private mutating func maskingKey(_ name: String, _ node: ConfigurationNode) -> MaskingKey? {
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

    private mutating func detector(
        _ name: String, _ key: ConfigurationNode, _ node: ConfigurationNode
    ) -> UserDetectorSettings {
        if name == "all" || BuiltInDetector(rawValue: name) != nil {
            report(
                key, name == "all" ? "'all' means every detector" : "there is a built-in detector '\(name)'",
                "a name of its own")
        }
        let context = node["context"]?.texts ?? []
        if node["needsContext"]?.boolean == true, context.isEmpty {
            report(node, "'context' is missing: without words nothing would ever be found", "context: [word, ...]")
        }
        return UserDetectorSettings(
            pattern: node["pattern"]?.text ?? "", checksum: node["checksum"]?.text, context: context,
            needsContext: node["needsContext"]?.boolean ?? false)
    }

    private mutating func registry(_ node: ConfigurationNode, isAsked: Bool) -> SchemaRegistrySettings {
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
        guard isAsked else { return settings }
        do throws(ConfigurationProblem) { settings.password = try secrets.secret("password", in: node) ?? [] } catch {
            problems.append(error)
        }
        settings.ca = authorities(node["ca"])
        return settings
    }

    // MARK: Profiles

    private mutating func profile(_ name: String, _ node: ConfigurationNode) {
        var nodes: [ConfigurationNode] = []
        var settings = MaskingProfileSettings(
            name: name,
            onFailure: node["onFailure"]?.text.flatMap { MaskingOnFailure(rawValue: $0) } ?? .redactValue,
            format: node["format"]?.text.flatMap { MaskingFormat(rawValue: $0) } ?? .auto, rules: [])
        if let registry = node["registry"], let named = registry.text {
            if !registryNames.contains(named) {
                let known = registryNames.sorted()
                report(
                    registry, "there is no registry '\(named)'",
                    known.isEmpty
                        ? "masking.registries: { \(named): { url: ... } }" : SettingsValidator.oneOf(known, near: named)
                )
                material.registries[named] = ConfigurationBuilder.nowhere
            }
            settings.registry = named
        }
        settings.schemas = schemas(node["schemas"])
        if !withSecrets, !settings.schemas.isEmpty {
            // No file is opened, and yet there are schemas: a registry that is not asked stands for them.
            settings.schemas = []
            if settings.registry == nil {
                settings.registry = ConfigurationBuilder.unread
                material.registries[ConfigurationBuilder.unread] = ConfigurationBuilder.nowhere
            }
        }
        for rule in node["rules"]?.elements ?? [] {
            guard let selector = selector(rule) else { continue }
            let parts = rule["in"]?.texts.compactMap { ConfigurationBuilder.parts[$0] }
            // What the schema refuses is told already: its place is held for what else there is to say of the rule.
            let action = action(rule["action"], in: name) ?? .nullify
            suits(selector, action, rule)
            settings.rules.append(MaskingRule(selector, in: parts.map(Set.init), action: action))
            nodes.append(rule)
        }
        do throws(MaskingSettingsErrors) {
            let profile = try MaskingProfile(settings, material)
            configuration.profiles.append(profile)
            configuration.openable.append((domains[name] ?? [:]).filter(\.value).keys.sorted())
            let isAccepted = !refused.contains { $0.hasPrefix(node.path + ".") }
            for warning in profile.warnings where isAccepted && nodes.indices.contains(warning.rule) {
                report(nodes[warning.rule], warning.message, warning.suggestion, .warning)
            }
        } catch {
            for problem in error.list {
                report(
                    nodes.indices.contains(problem.rule) ? nodes[problem.rule] : node, problem.message,
                    problem.suggestion)
            }
        }
    }

    private static let parts: [String: RecordPart] = ["key": .key, "value": .value, "headers": .header]
    /// A name that no configuration can have: names there are not empty.
    private static let unread = ""
    private static let nowhere = SchemaRegistrySettings(url: "http://127.0.0.1:9")

    private mutating func schemas(_ node: ConfigurationNode?) -> [FileSchemaSettings] {
        var found: [FileSchemaSettings] = []
        for schema in node?.elements ?? [] {
            let resources = ["topics", "streams", "tables"].flatMap { schema[$0]?.texts ?? [] }
            if resources.isEmpty,
                !schema.entries.contains(where: { ["topics", "streams", "tables"].contains($0.key.text) })
            {
                report(schema, "nothing is described by it", "topics, streams or tables: [\"orders\"]")
            }
            let name = schema["file"]?.text ?? ""
            if name.hasSuffix(".avsc"), let message = schema["message"] {
                report(message, "'message' stands beside Protobuf only", "leave it out")
            } else if name.hasSuffix(".proto"), schema["message"] == nil {
                report(schema, "'message' is missing", "the message's full name, such as shop.Payment")
            }
            guard let path = file(schema["file"]) else { continue }
            found.append(
                FileSchemaSettings(
                    resources: resources, part: schema["in"]?.text == "key" ? .key : .value, file: path,
                    message: schema["message"]?.text))
        }
        return found
    }

    // MARK: Rules

    /// What a rule looks at; nil where that is not said in exactly one way.
    private mutating func selector(_ rule: ConfigurationNode) -> MaskingSelector? {
        let known = ConfigurationSchema.selectors.map(\.key)
        let named = rule.entries.compactMap { $0.key.text }.filter(known.contains)
        guard named.count == 1, let name = named.first else {
            if named.isEmpty {
                report(rule, "the rule says nowhere to look", "exactly one of \(known.joined(separator: ", "))")
            } else {
                let names = named.map { "'\($0)'" }.joined(separator: " and ")
                report(
                    rule, "\(names) stand beside each other",
                    "a rule each: a rule has exactly one of \(known.joined(separator: ", "))")
            }
            return nil
        }
        guard let node = rule[name] else { return nil }
        switch name {
        case "field": return node.text.map { .field($0) }
        case "fieldPattern": return node.text.map { .namePattern($0) }
        case "tag": return node.text.map { .tag($0) }
        case "column": return node.text.map { .column($0) }
        case "detect": return .detectors(detectors(node))
        default:
            if node.boolean == false { report(node, "false names nothing", "true, or leave the rule out") }
            return .everything
        }
    }

    /// The detectors named that there are; each other is told where it stands.
    private mutating func detectors(_ node: ConfigurationNode) -> [String] {
        var found: [String] = []
        for place in node.elements.isEmpty ? [node] : node.elements {
            guard let name = place.text else { continue }
            if name == "all" || BuiltInDetector(rawValue: name) != nil || material.detectors[name] != nil {
                found.append(name)
            } else {
                let known = material.detectors.keys.sorted() + BuiltInDetector.allCases.map(\.rawValue) + ["all"]
                report(place, "there is no detector '\(name)'", SettingsValidator.oneOf(known, near: name))
            }
        }
        // The rule goes on to be judged for its action.
        return found.isEmpty ? [BuiltInDetector.creditCard.rawValue] : found
    }

    /// Actions that make nothing of what detectors find.
    private mutating func suits(_ selector: MaskingSelector, _ action: MaskingAction, _ rule: ConfigurationNode) {
        guard case .detectors(let names) = selector, let node = rule["action"] else { return }
        /// The built-in ones named, but for those that the action is made for.
        func others(than fitting: BuiltInDetector...) -> String? {
            names.first { name in
                name == "all" || BuiltInDetector(rawValue: name).map { !fitting.contains($0) } ?? false
            }
        }
        switch action {
        case .email:
            guard let name = others(than: .email) else { return }
            report(node, "what '\(name)' finds has no part of an e-mail address", "detect: email in a rule of its own")
        case .coarsen, .shiftDate:
            guard let name = others(than: .dateOfBirth) else { return }
            report(node, "what '\(name)' finds is no date", "detect: date-of-birth in a rule of its own")
        case .bucket:
            guard let name = others() else { return }
            report(node, "what '\(name)' finds is no quantity", "field: PATH for numbers to be put into buckets")
        default: break
        }
    }
}

extension ConfigurationBuilder {
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
