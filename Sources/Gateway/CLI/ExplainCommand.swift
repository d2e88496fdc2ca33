import TidegateConfiguration
import TidegateCore
import TidegateMasking
import TidegatePolicy

extension Command {
    static let explain = Command(
        name: "explain", summary: "says which rule decides, and why",
        usage:
            "--config FILE --subject S [--group G]... [--claim PATH=VALUE]... --action A --resource KIND:NAME [--within KIND:NAME] [--route R] [--expect EFFECT] [--json]",
        example:
            "tidegate explain --config tidegate.yaml --subject ada --group analysts --action consume --resource topic:orders",
        options: [
            "--config", "--subject", "--group", "--claim", "--action", "--resource", "--within", "--route", "--expect",
        ],
        flags: ["--json"]
    ) { arguments in
        let reading = ConfigurationReader(
            backends: Backends.declarations, sections: [.policies, .routes, .masking], withSecrets: false
        ).read(file: try arguments.required("--config"))
        guard let configuration = reading.configuration else {
            for problem in reading.problems { Output.error("\(problem)\n") }
            return 1
        }
        let word = try arguments.required("--action")
        guard let action = Action(name: word) else {
            throw CommandLineArguments.UsageError(
                message: "'\(word)' is no action; one of \(Action.allCases.map(\.name).joined(separator: ", "))")
        }
        let (kind, name) = try resource(arguments.required("--resource"))
        let within = try arguments.value("--within").map(resource)
        var claims: [String: [String]] = [:]
        for claim in arguments.values["--claim"] ?? [] {
            let parts = claim.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw CommandLineArguments.UsageError(message: "--claim takes PATH=VALUE") }
            claims[parts[0], default: []].append(parts[1])
        }
        let principal = Principal(
            subject: try arguments.required("--subject"), groups: arguments.values["--group"] ?? [], claims: claims,
            issuer: "", expires: .distantFuture)
        let routes = arguments.value("--route").map { [$0] } ?? configuration.routes.map(\.name)
        let route = routes.first ?? ""
        let question = Question(
            route: route, action: action, kind: kind, name: name, withinKind: within?.kind, withinName: within?.name)
        let explanation = CompiledPolicy(configuration.policies).explain(principal, question)
        if arguments.flags.contains("--json") {
            Output.json(ExplanationLine(explanation, configuration))
        } else {
            Output.text(text(explanation, configuration))
        }
        if let expected = arguments.value("--expect") {
            guard let effect = PolicyRule.Effect(rawValue: expected) else {
                throw CommandLineArguments.UsageError(message: "--expect takes allow, deny or require-approval")
            }
            return explanation.effect == effect ? 0 : 1
        }
        return 0
    }

    private static func resource(_ text: String) throws -> (kind: String, name: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let kinds = Set(Backends.declarations.flatMap(\.kinds).map(\.singular))
        if text == "cluster" { return ("cluster", "kafka-cluster") }
        guard parts.count == 2, kinds.contains(parts[0]) else {
            throw CommandLineArguments.UsageError(
                message:
                    "'\(text)' is no resource: KIND:NAME, with KIND one of \(kinds.sorted().joined(separator: ", "))")
        }
        return (parts[0], parts[1])
    }

    private static func text(_ explanation: Explanation, _ configuration: Configuration) -> String {
        var lines = ["\(explanation.effect.rawValue): \(explanation.reason)"]
        if let rule = explanation.rule { lines.append("  rule: \(rule)") }
        if let masking = profile(explanation, configuration) { lines.append("  masking: \(masking)") }
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
        guard !explanation.mask.isNone, Int(explanation.mask.index) <= configuration.profiles.count else { return nil }
        return configuration.profiles[Int(explanation.mask.index) - 1].name
    }

    private struct ExplanationLine: Encodable {
        struct Near: Encodable {
            var rule, key: String
        }
        var effect, reason: String
        var rule, masking: String?
        var recording: String
        var overruled: [String]
        var nearly: [Near]
        init(_ explanation: Explanation, _ configuration: Configuration) {
            effect = explanation.effect.rawValue
            reason = explanation.reason
            rule = explanation.rule
            masking = Command.profile(explanation, configuration)
            recording = explanation.recording == .messages ? "messages" : "positions"
            overruled = explanation.overruled
            nearly = explanation.nearMisses.map { Near(rule: $0.rule, key: $0.key.rawValue) }
        }
    }
}
