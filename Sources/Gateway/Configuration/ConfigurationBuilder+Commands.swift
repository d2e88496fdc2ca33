import TidegateCore
import TidegatePolicy

extension ConfigurationBuilder {
    /// The commands of a rule, categories expanded; nil is any. One that none of the rule's backends has is an error.
    mutating func commands(_ rule: ConfigurationNode, _ effect: PolicyRule.Effect?) -> PolicyRule.Commands? {
        guard let node = rule["commands"] else { return nil }
        let names = CommandNames(declarations(behind: rule) ?? declarations)
        var found = PolicyRule.Commands()
        for place in node.elements.isEmpty ? [node] : node.elements {
            guard let text = place.text else { continue }
            if !text.hasPrefix("@") {
                let meant = names.wireNames(of: text)
                if meant.isEmpty { unknown(place, "command '\(text)'", text, names) }
                found.named.formUnion(meant)
                found.all.formUnion(meant)
            } else if let meant = names.wireNames(ofCategory: text) {
                if effect != .deny, meant.allSatisfy(names.mustBeNamed) {
                    report(
                        place, "'\(text)' opens nothing: each of its commands must be named",
                        meant.min().map { "names, such as \($0)" } ?? "leave it out", .warning)
                }
                found.all.formUnion(meant)
            } else {
                unknown(place, "category '\(text)'", text, names)
            }
        }
        return found
    }

    private mutating func unknown(
        _ place: ConfigurationNode, _ what: String, _ text: String, _ names: CommandNames
    ) {
        let examples = [names.all.first, names.categories.first.map { "\"\($0)\"" }].compactMap { $0 }
        report(
            place, "the rule's routes have no \(what)",
            text == "*"
                ? "leave commands out, which means any"
                : SettingsValidator.nearest(names.all + names.categories, to: text).map { "did you mean '\($0)'?" }
                    ?? "such as \(examples.joined(separator: " or "))")
    }

    /// What lies behind a rule's routes, or behind all where it names none; nil where that is not known of each.
    func declarations(behind rule: ConfigurationNode) -> [BackendDeclaration]? {
        let routes = rule["routes"]?.texts ?? routeNames
        guard !routes.isEmpty, routes.allSatisfy({ protocolOfRoute[$0] != nil }) else { return nil }
        let protocols = Set(routes.compactMap { protocolOfRoute[$0] })
        return declarations.filter { protocols.contains($0.protocolName) }
    }
}
