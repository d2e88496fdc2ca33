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
            var parts = rule["in"]?.texts.compactMap { ConfigurationBuilder.parts[$0] }
            // What the schema refuses is told already: its place is held for what else there is to say of the rule.
            let action = action(rule["action"], in: name) ?? .nullify
            suits(selector, action, rule)
            if case .token(let token) = action, token.normalisation != .none, parts?.contains(.key) == true {
                report(
                    rule["action"]?["token"]?["normalise"] ?? rule, "two spellings of a record key would become one",
                    "leave 'normalise' out, or 'key' out of 'in'")
                parts = nil  // it is told already
            }
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
