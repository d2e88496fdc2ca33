import TidegateEvidence

extension Command {
    static let evidence = Command(
        name: "evidence", summary: "checks and exports the evidence, offline",
        usage: "verify|export --directory DIR [--json]", example: "tidegate evidence verify --directory evidence",
        options: ["--directory"], flags: ["--json"], words: 1
    ) { arguments in
        if arguments.positional.first == "replay" {
            throw CommandLineArguments.UsageError(message: "'evidence replay' is not available in this version")
        }
        let directory = try arguments.required("--directory")
        switch arguments.positional.first {
        case "verify": return try verify(directory, json: arguments.flags.contains("--json"))
        case "export":
            try EvidenceReader(directory: directory).read { _, line in
                Output.bytes(Array(line) + (line.last == 10 ? [] : [10]))
                return true
            }
            return 0
        default: throw CommandLineArguments.UsageError(message: "say verify or export")
        }
    }

    private struct Verdict: Encodable {
        var intact: Bool
        var lines: UInt64
        var segments: Int
        var gaps: UInt64
        var digest: String
        var problem: String?
    }

    private static func verify(_ directory: String, json: Bool) throws -> Int32 {
        let found = try EvidenceVerifier(directory: directory).verify()
        if json {
            Output.json(
                Verdict(
                    intact: found.isIntact, lines: found.lines, segments: found.segments, gaps: found.gaps,
                    digest: found.digest, problem: found.problem?.description))
        } else if let problem = found.problem {
            Output.text("broken: \(problem)\n")
        } else {
            Output.text(
                "intact: \(found.lines) lines in \(found.segments) segments, \(found.gaps) gaps, up to \(found.digest)\n"
            )
        }
        return found.isIntact ? 0 : 1
    }
}
