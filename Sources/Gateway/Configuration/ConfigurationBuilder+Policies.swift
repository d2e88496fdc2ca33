import TidegateCore
import TidegateMasking
import TidegatePolicy

extension ConfigurationBuilder {
    mutating func policies(_ node: ConfigurationNode?, knowsRoutes: Bool, knowsProfiles: Bool) {
        var names: Set<String> = []
        var places: [String: ConfigurationNode] = [:]
        for rule in node?.elements ?? [] {
            let effect = rule["effect"]?.text.flatMap { PolicyRule.Effect(rawValue: $0) }
            if let name = rule["name"]?.text {
                if !names.insert(name).inserted { report(rule, "two rules are called '\(name)'", "a name of its own") }
                places[name] = rule
            }
            if let effect, effect != .deny {
                for key in ["subjects", "actions", "resources"]
                where !rule.entries.contains(where: { $0.key.text == key }) {
                    report(rule, "'\(key)' is missing", "only a deny may leave it out; \"*\" is any")
                }
            }
            if let node = rule["subjects"], case .mapping(let entries) = node.content, entries.isEmpty {
                report(node, "no subject is named", "groups, subjects or claims; \"*\" is anybody")
            }
            kinds(rule)
            exactNames(rule["subjects"])
            if knowsRoutes { routes(of: rule) }
            let mask = mask(rule, effect, knowsProfiles)
            let commands = commands(rule, effect)
            guard let name = rule["name"]?.text, let effect else { continue }
            var built = PolicyRule(
                name: name, subjects: subjects(rule["subjects"]), routes: rule["routes"]?.texts ?? [],
                actions: actions(rule["actions"]), resources: resources(rule["resources"]), commands: commands,
                effect: effect, mask: mask,
                recording: rule["recording"]?.text == "messages" ? .messages : .positions)
            if effect == .deny { built.mask = .none }
            if effect == .deny {
                for (key, what) in [
                    ("masking", "masked"), ("dryRun", "masked"), ("unmask", "opened"), ("recording", "recorded"),
                ] {
                    guard let node = rule[key] else { continue }
                    report(node, "a deny hands nothing over, so nothing is \(what)", "leave it out", .warning)
                }
            }
            configuration.policies.append(built)
        }
        // A rule that is wrong may be another one when it is right.
        let wrong = Set(problems.filter { $0.severity == .error }.map(\.path)).union(refused)
        let sound = configuration.policies.filter { rule in
            guard let place = places[rule.name]?.path else { return false }
            return !wrong.contains { $0 == place || $0.hasPrefix(place + ".") }
        }
        let explicit = Set(declarations.flatMap(\.explicitCommands))
        for (name, message) in CompiledPolicy(sound).lint(explicitCommands: explicit) {
            if let place = places[name] {
                report(place, "'\(name)' \(message)", "make one more specific, or take it out", .warning)
            }
        }
    }

    private mutating func routes(of rule: ConfigurationNode) {
        for route in rule["routes"].map({ $0.elements.isEmpty ? [$0] : $0.elements }) ?? [] {
            guard let name = route.text, !routeNames.contains(name) else { continue }
            report(
                route, "there is no route '\(name)'",
                name == "*"
                    ? "leave routes out, which means any" : SettingsValidator.oneOf(routeNames, near: name))
        }
    }

    /// Only subjects are globs: a group or a claim with a star in it is nobody's.
    private mutating func exactNames(_ subjects: ConfigurationNode?) {
        func texts(_ node: ConfigurationNode?) -> [ConfigurationNode] {
            node.map { $0.elements.isEmpty ? [$0] : $0.elements } ?? []
        }
        let named =
            texts(subjects?["groups"]).map { ($0, "group names") }
            + (subjects?["claims"]?.entries ?? []).flatMap { texts($0.value) }.map { ($0, "values of claims") }
        for (node, what) in named {
            guard let text = node.text, text.contains(where: { $0 == "*" || $0 == "?" }) else { continue }
            report(
                node, "'\(text)' is no pattern here: \(what) are compared exactly",
                "the names in full; globs are for subjects and resources", .warning)
        }
    }

    /// Kinds that none of the rule's routes knows: such a rule would never be asked.
    private mutating func kinds(_ rule: ConfigurationNode) {
        guard let node = rule["resources"] else { return }
        if case .mapping(let entries) = node.content, entries.isEmpty {
            report(node, "no resource is named", "a kind with names; \"*\" is any")
        }
        let declared = declarations.flatMap(\.kinds)
        let known = declarations(behind: rule)?.flatMap(\.kinds)
        for (key, value) in node.entries {
            guard let kind = declared.first(where: { $0.plural == key.text }) else { continue }
            if kind.isFlag, value.boolean == false {
                report(value, "false names nothing", "true, or leave the key out")
            }
            if let known, !known.contains(kind) {
                report(
                    key, "the rule's routes have no \(kind.plural)",
                    SettingsValidator.oneOf(known.map(\.plural), near: nil))
            }
        }
    }

    private func subjects(_ node: ConfigurationNode?) -> PolicyRule.Subjects {
        guard let node, node.text == nil else { return .init() }
        var claims: [String: [String]] = [:]
        for (key, value) in node["claims"]?.entries ?? [] { claims[key.text ?? ""] = value.texts }
        return .init(
            groups: node["groups"]?.texts ?? [], subjects: (node["subjects"]?.texts ?? []).map { Glob($0) },
            claims: claims)
    }

    private func actions(_ node: ConfigurationNode?) -> Set<Action> {
        let words = node?.texts ?? []
        return words.contains("*") ? [] : Set(words.compactMap { Action(name: $0) })
    }

    private func resources(_ node: ConfigurationNode?) -> PolicyRule.Resources {
        guard let node else { return .unspecified }
        if node.text == "*" { return .any }
        var kinds: [String: [Glob]] = [:]
        let declared = declarations.flatMap(\.kinds)
        for (key, value) in node.entries {
            guard let kind = declared.first(where: { $0.plural == key.text }) else { continue }
            if kind.isFlag {
                if value.boolean == true { kinds[kind.singular] = [Glob("*")] }
            } else {
                kinds[kind.singular] = value.texts.map { Glob($0) }
            }
        }
        return .kinds(kinds)
    }

    /// The profile of a rule, whether it only counts, and the tokens that it opens.
    private mutating func mask(
        _ rule: ConfigurationNode, _ effect: PolicyRule.Effect?, _ knowsProfiles: Bool
    ) -> MaskIndex {
        if effect == .deny { return .none }
        let isDryRun = rule["dryRun"]?.boolean == true
        guard let node = rule["masking"], let name = node.text else {
            if isDryRun, let place = rule["dryRun"] {
                report(place, "'dryRun' stands beside masking only", "masking: PROFILE, or leave it out")
            }
            if let place = rule["unmask"], place.boolean != false {
                report(
                    place, "'unmask' stands beside masking only: the profile says where tokens are",
                    "masking: PROFILE, or leave it out")
            }
            return .none
        }
        guard knowsProfiles else { return .none }
        guard profileNames.contains(name) else {
            report(node, "there is no masking profile '\(name)'", SettingsValidator.oneOf(profileNames, near: name))
            return .none
        }
        if isDryRun, let place = rule["dryRun"] {
            report(
                place, "a dry run masks nothing: what '\(name)' would hide is handed over, and counted",
                "leave it out once the counts are right", .warning)
        }
        let opens = opens(rule["unmask"], effect, name, isDryRun)
        let index = configuration.profiles.firstIndex { $0.name == name } ?? 0
        return MaskIndex(UInt16(clamping: index + 1), isDryRun: isDryRun, opens: opens)
    }

    /// - Returns: the number of the scope, from 1; 0 opens nothing.
    private mutating func opens(
        _ node: ConfigurationNode?, _ effect: PolicyRule.Effect?, _ profile: String, _ isDryRun: Bool
    ) -> UInt16 {
        guard let node, node.boolean != false else { return 0 }
        if effect == .requireApproval {
            report(node, "'unmask' stands in allow rules only", "effect: allow, or leave it out")
        }
        if isDryRun {
            report(node, "a dry run changes nothing, so nothing is opened", "dryRun or unmask, one of them")
        }
        let known = domains[profile] ?? [:]
        let openable = known.filter(\.value).keys.sorted()
        let scope: UnmaskScope
        if node.boolean == true {
            if openable.isEmpty {
                report(
                    node, "the profile '\(profile)' makes no token that can be opened",
                    "encrypt, in one of its rules", .warning)
            }
            scope = .everything
        } else {
            let places = node["domains"].map { $0.elements.isEmpty ? [$0] : $0.elements } ?? []
            for place in places {
                guard let domain = place.text, known[domain] != true else { continue }
                if known[domain] == nil {
                    report(
                        place, "the profile '\(profile)' makes no tokens of the domain '\(domain)'",
                        openable.isEmpty
                            ? "encrypt, in one of its rules"
                            : SettingsValidator.oneOf(openable, near: domain))
                } else {
                    report(
                        place, "the profile '\(profile)' makes tokens of '\(domain)' that cannot be opened",
                        "encrypt, in its rule")
                }
            }
            scope = .domains(Array(Set(places.compactMap(\.text))).sorted())
        }
        if let index = configuration.scopes.firstIndex(of: scope) { return UInt16(clamping: index + 1) }
        configuration.scopes.append(scope)
        return UInt16(clamping: configuration.scopes.count)
    }
}
