import TidegateConfiguration
import TidegateCore

extension Command {
    static let check = Command(
        name: "check", summary: "validates a configuration and tells every error at once",
        usage: "--config FILE [--without-secrets] [--json]", example: "tidegate check --config tidegate.yaml",
        options: ["--config"], flags: ["--without-secrets", "--json"]
    ) { arguments in
        let file = try arguments.required("--config")
        let withSecrets = !arguments.flags.contains("--without-secrets")
        let reading = ConfigurationReader(backends: Backends.declarations, withSecrets: withSecrets).read(file: file)
        let problems = (reading.problems + Assembly.tryBackends(reading)).inOrder
        let errors = problems.count { $0.severity == .error }
        if arguments.flags.contains("--json") {
            Output.json(problems.map(ProblemLine.init))
        } else {
            for problem in problems { Output.text("\(problem)\n") }
            Output.error(
                errors == 0
                    ? "\(file): no errors, \(count(problems.count, "warning"))\n"
                    : "\(file): \(count(errors, "error")), \(count(problems.count - errors, "warning"))\n")
        }
        return errors == 0 ? 0 : 1
    }

    private static func count(_ number: Int, _ word: String) -> String { "\(number) \(word)\(number == 1 ? "" : "s")" }

    private struct ProblemLine: Encodable {
        var file: String
        var line, column: Int
        var severity, path, message, suggestion: String
        init(_ problem: ConfigurationProblem) {
            file = problem.mark.file
            line = problem.mark.line
            column = problem.mark.column
            severity = problem.severity == .error ? "error" : "warning"
            path = problem.path
            message = problem.message
            suggestion = problem.suggestion
        }
    }
}
