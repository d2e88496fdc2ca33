import TidegateConfiguration
import TidegateCore
import TidegateMasking
import TidegatePolicy

extension Command {
    static let explain = Command(
        name: "explain", summary: "says which rule decides, and why",
        usage:
            "--config FILE --subject S [--group G]... [--claim PATH=VALUE]... --action A --resource KIND:NAME [--within KIND:NAME] [--command NAME] [--route R] [--expect EFFECT] [--json]",
        example:
            "tidegate explain --config tidegate.yaml --subject ada --group analysts --action consume --resource topic:orders",
        options: [
            "--config", "--subject", "--group", "--claim", "--action", "--resource", "--within", "--command", "--route",
            "--expect",
        ],
        repeatable: ["--group", "--claim"], flags: ["--json"]
    ) { arguments in
        let query = try ExplainQuery(arguments)
        let reading = ConfigurationReader(
            backends: Backends.declarations, sections: [.policies, .routes, .masking], withSecrets: false
        ).read(file: query.file)
        guard let configuration = reading.configuration else {
            for problem in reading.problems { Output.error("\(problem)\n") }
            return 1
        }
        let answers = try answers(to: query, configuration)
        if arguments.flags.contains("--json") {
            let lines = answers.map { ExplanationLine($0.route, $0.explanation, configuration) }
            // One route is one object; several are a list.
            if lines.count == 1 { Output.json(lines[0]) } else { Output.json(lines) }
        } else {
            Output.text(text(answers, configuration))
        }
        guard let expected = query.expected else { return 0 }
        return answers.allSatisfy { $0.explanation.effect == expected } ? 0 : 1
    }

    /// One answer a route, in the order of the configuration.
    private static func answers(
        to query: ExplainQuery, _ configuration: Configuration
    ) throws -> [(route: String?, explanation: Explanation)] {
        let known = configuration.routes.map(\.name)
        if let route = query.route, !known.contains(route) {
            throw CommandLineArguments.UsageError(
                message: "there is no route '\(route)'; one of \(known.joined(separator: ", "))")
        }
        let policy = CompiledPolicy(configuration.policies)
        // Without any route only rules that name none can match.
        let routes: [String?] = query.route == nil && !known.isEmpty ? known : [query.route]
        return routes.map { ($0, policy.explain(query.principal, query.question(on: $0 ?? ""))) }
    }

    /// Routes with the same answer stand together.
    private static func text(
        _ answers: [(route: String?, explanation: Explanation)], _ configuration: Configuration
    ) -> String {
        var groups: [(routes: [String], explanation: Explanation)] = []
        for (route, explanation) in answers {
            if let same = groups.firstIndex(where: { $0.explanation == explanation }) {
                groups[same].routes += [route].compactMap { $0 }
            } else {
                groups.append(([route].compactMap { $0 }, explanation))
            }
        }
        return groups.map { text($0.routes, $0.explanation, configuration) }.joined()
    }

    private static func text(
        _ routes: [String], _ explanation: Explanation, _ configuration: Configuration
    ) -> String {
        var lines = ["\(explanation.effect.rawValue): \(explanation.reason)"]
        if !routes.isEmpty { lines.append("  route: \(routes.joined(separator: ", "))") }
        if let rule = explanation.rule { lines.append("  rule: \(rule)") }
        if let masking = profile(explanation, configuration) {
            let dryRun = explanation.mask.isDryRun ? " (dry run: counted, and handed over as it is)" : ""
            lines.append("  masking: \(masking)\(dryRun)")
        }
        if let opened = opened(explanation, configuration) {
            lines.append("  unmask: \(opened == ["*"] ? "all tokens" : opened.joined(separator: ", "))")
        }
        if explanation.effect == .allow {
            lines.append("  recording: \(explanation.recording == .messages ? "messages" : "positions")")
        }
        for rule in explanation.overruled { lines.append("  overruled: \(rule)") }
        for near in explanation.nearMisses {
            lines.append("  nearly: \(near.rule) (its \(near.key.rawValue) do not match)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func profile(_ explanation: Explanation, _ configuration: Configuration) -> String? {
        guard explanation.mask.index > 0, Int(explanation.mask.index) <= configuration.profiles.count else {
            return nil
        }
        return configuration.profiles[Int(explanation.mask.index) - 1].name
    }

    /// Domains whose tokens are opened, `*` for all; nil for none.
    private static func opened(_ explanation: Explanation, _ configuration: Configuration) -> [String]? {
        guard explanation.mask.opens > 0, Int(explanation.mask.opens) <= configuration.scopes.count else { return nil }
        return switch configuration.scopes[Int(explanation.mask.opens) - 1] {
        case .nothing: nil
        case .everything: ["*"]
        case .domains(let domains): domains
        }
    }

    private struct ExplanationLine: Encodable {
        struct Near: Encodable {
            var rule, key: String
        }
        var effect, reason: String
        var route, rule, masking: String?
        var dryRun: Bool
        var unmask: [String]?
        var recording: String
        var overruled: [String]
        var nearly: [Near]

        enum CodingKeys: String, CodingKey {
            case effect, reason, route, rule, masking, unmask, recording, overruled, nearly
            case dryRun = "dry_run"
        }

        init(_ route: String?, _ explanation: Explanation, _ configuration: Configuration) {
            self.route = route
            effect = explanation.effect.rawValue
            reason = explanation.reason
            rule = explanation.rule
            masking = Command.profile(explanation, configuration)
            dryRun = explanation.mask.isDryRun
            unmask = Command.opened(explanation, configuration)
            recording = explanation.recording == .messages ? "messages" : "positions"
            overruled = explanation.overruled
            nearly = explanation.nearMisses.map { Near(rule: $0.rule, key: $0.key.rawValue) }
        }
    }
}

/// What `explain` is asked, read before anything is printed.
private struct ExplainQuery {
    var file: String
    var principal: Principal
    /// nil: all routes.
    var route: String?
    var expected: PolicyRule.Effect?
    private var action: Action
    private var resource: (kind: String, name: String)
    private var within: (kind: String, name: String)?
    /// A wire name; empty: unknown.
    private var command = ""
    private var mustBeNamed = false

    /// - Throws: wrong usage.
    init(_ arguments: CommandLineArguments) throws(CommandLineArguments.UsageError) {
        file = try arguments.required("--config")
        let word = try arguments.required("--action")
        guard let action = Action(name: word) else {
            throw .init(
                message: "'\(word)' is no action; one of \(Action.allCases.map(\.name).joined(separator: ", "))")
        }
        self.action = action
        resource = try ExplainQuery.resource(try arguments.required("--resource"))
        if let text = arguments.value("--within") { within = try ExplainQuery.resource(text) }
        if let text = arguments.value("--command") {
            let names = CommandNames(Backends.declarations)
            guard let name = names.wireName(text) else {
                let near = SettingsValidator.nearest(names.all, to: text).map { "; did you mean '\($0)'?" }
                throw .init(message: "'\(text)' is no command of a backend\(near ?? "")")
            }
            command = name
            mustBeNamed = names.mustBeNamed(name)
        }
        var claims: [String: [String]] = [:]
        for claim in arguments.values["--claim"] ?? [] {
            let parts = claim.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw .init(message: "--claim takes PATH=VALUE") }
            claims[parts[0], default: []].append(parts[1])
        }
        principal = Principal(
            subject: try arguments.required("--subject"), groups: arguments.values["--group"] ?? [], claims: claims,
            issuer: "", expires: .distantFuture)
        route = arguments.value("--route")
        if let word = arguments.value("--expect") {
            guard let effect = PolicyRule.Effect(rawValue: word) else {
                throw .init(message: "--expect takes allow, deny or require-approval")
            }
            expected = effect
        }
    }

    func question(on route: String) -> Question {
        Question(
            route: route, action: action, kind: resource.kind, name: resource.name, withinKind: within?.kind,
            withinName: within?.name, command: command, mustBeNamed: mustBeNamed)
    }

    private static func resource(
        _ text: String
    ) throws(CommandLineArguments.UsageError) -> (kind: String, name: String) {
        if text == "cluster" { return ("cluster", "kafka-cluster") }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let kinds = Set(Backends.declarations.flatMap(\.kinds).map(\.singular))
        guard parts.count == 2, kinds.contains(parts[0]), !parts[1].isEmpty else {
            throw .init(
                message:
                    "'\(text)' is no resource: KIND:NAME, with KIND one of \(kinds.sorted().joined(separator: ", "))")
        }
        return (parts[0], parts[1])
    }
}
