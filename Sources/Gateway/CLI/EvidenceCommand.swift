import TidegateEvidence

extension Command {
    static let evidence = Command(
        name: "evidence", summary: "checks and exports the evidence, offline",
        usage: "verify|export --directory DIR [--expect DIGEST] [--from-start] [--json]",
        example: "tidegate evidence verify --directory evidence",
        options: ["--directory", "--expect"], flags: ["--from-start", "--json"], words: 1
    ) { arguments in
        if arguments.positional.first == "replay" {
            throw CommandLineArguments.UsageError(message: "'evidence replay' is not available in this version")
        }
        let directory = try arguments.required("--directory")
        switch arguments.positional.first {
        case "verify": return try verify(directory, arguments)
        case "export":
            guard arguments.value("--expect") == nil, arguments.flags.isEmpty else {
                throw CommandLineArguments.UsageError(
                    message: "export takes --directory alone: it prints JSON lines, and verify checks them")
            }
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
        var firstSegment: UInt64
        var lastSegment: UInt64
        var gaps: UInt64
        var unfinishedBytes: Int
        var digest: String
        var problem: String?
    }

    private static func verify(_ directory: String, _ arguments: CommandLineArguments) throws -> Int32 {
        let expected = try arguments.value("--expect").map { text in
            guard let digest = EvidenceDigest(text) else {
                throw CommandLineArguments.UsageError(message: "--expect needs 64 lower-case hexadecimal digits")
            }
            return digest
        }
        let found = try EvidenceVerifier(directory: directory).verify(
            expecting: expected, fromStart: arguments.flags.contains("--from-start"))
        if arguments.flags.contains("--json") {
            Output.json(
                Verdict(
                    intact: found.isIntact, lines: found.lines, segments: found.segments,
                    firstSegment: found.firstSegment, lastSegment: found.lastSegment, gaps: found.gaps,
                    unfinishedBytes: found.unfinishedBytes, digest: found.digest,
                    problem: found.problem?.description))
        } else if let problem = found.problem {
            Output.text("broken: \(problem)\n")
        } else {
            let unfinished = found.unfinishedBytes > 0 ? ", \(found.unfinishedBytes) bytes unfinished" : ""
            Output.text(
                "intact: \(found.lines) lines in \(found.segments) segments (\(found.firstSegment) to "
                    + "\(found.lastSegment)), \(found.gaps) gaps\(unfinished), up to \(found.digest)\n")
        }
        return found.isIntact ? 0 : 1
    }
}
