import Glibc
import TidegateConfiguration
import TidegateMasking

extension Command {
    static let mask = Command(
        name: "mask", summary: "masks lines from standard input with a profile",
        usage: "--config FILE --profile P [--format json|text] [--explain [--json]]",
        example: "tidegate mask --config tidegate.yaml --profile pii < orders.jsonl",
        options: ["--config", "--profile", "--format"], flags: ["--explain", "--json"]
    ) { arguments in
        let file = try arguments.required("--config")
        let name = try arguments.required("--profile")
        let format = arguments.value("--format")
        guard format == nil || format == "json" || format == "text" else {
            throw CommandLineArguments.UsageError(message: "--format takes json or text")
        }
        let explains = arguments.flags.contains("--explain")
        let asJSON = arguments.flags.contains("--json")
        if asJSON, !explains {
            throw CommandLineArguments.UsageError(message: "--json stands beside --explain")
        }
        let reading = ConfigurationReader(backends: Backends.declarations, sections: [.masking]).read(file: file)
        guard let configuration = reading.configuration else {
            for problem in reading.problems { Output.error("\(problem)\n") }
            return 1
        }
        guard let profile = configuration.profiles.first(where: { $0.name == name }) else {
            throw CommandLineArguments.UsageError(
                message:
                    "there is no profile '\(name)'; one of \(configuration.profiles.map(\.name).joined(separator: ", "))"
            )
        }
        // A line is no payload of Avro or Protobuf: JSON stands for it.
        let isJSON = format.map { $0 == "json" } ?? (profile.format != .text)
        var number = 0
        return eachLine { line in
            number += 1
            if explains {
                var findings: [MaskingFinding]? = []
                let masked = profile.mask(line: line, isJSON: isJSON, explaining: &findings)
                let explained = ExplainedLine(number, line, masked, findings ?? [])
                if asJSON { Output.json(explained) } else { Output.text(explained.text) }
            } else if let masked = profile.mask(line: line, isJSON: isJSON) {
                Output.bytes(masked + [10])
            }
        }
    }

    /// Lines are read as bytes: they need not be UTF-8 to be refused well.
    ///
    /// - Returns: 1 where standard input cannot be read to its end.
    private static func eachLine(_ act: ([UInt8]) -> Void) -> Int32 {
        var pending: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let size = buffer.count
            let (count, failure) = unsafe buffer.withUnsafeMutableBytes {
                let count = unsafe Glibc.read(0, $0.baseAddress, size)
                return (count, errno)
            }
            if count < 0, failure == EINTR { continue }
            if count < 0 {
                Output.error("tidegate mask: standard input: \(Output.reason(failure))\n")
                return 1
            }
            if count == 0 { break }
            // What was there before has no line's end.
            var searched = pending.count
            pending.append(contentsOf: buffer[..<count])
            var start = 0
            while let end = pending[searched...].firstIndex(of: 10) {
                act(Array(pending[start..<end]))
                start = end + 1
                searched = start
            }
            pending.removeFirst(start)
        }
        if !pending.isEmpty { act(pending) }
        return 0
    }
}

/// Which rules and detectors acted on one line, and where; never on what.
private struct ExplainedLine: Encodable {
    struct Finding: Encodable {
        var path: String
        var detector: String?
        /// From 1, as they stand in the profile.
        var rule: Int
        /// Bytes of the value's text.
        var start, end: Int
        var confidence: Int
        var action: String

        enum CodingKeys: CodingKey { case path, detector, rule, start, end, confidence, action }

        /// Null where the place alone decided, instead of no key at all.
        func encode(to encoder: any Encoder) throws {
            var object = encoder.container(keyedBy: CodingKeys.self)
            try object.encode(path, forKey: .path)
            try object.encode(detector, forKey: .detector)
            try object.encode(rule, forKey: .rule)
            try object.encode(start, forKey: .start)
            try object.encode(end, forKey: .end)
            try object.encode(confidence, forKey: .confidence)
            try object.encode(action, forKey: .action)
        }
    }

    var line: Int
    /// `unchanged`, `masked` or `dropped`: a line that could not be looked into is masked or dropped without a finding.
    var outcome: String
    var findings: [Finding]

    init(_ number: Int, _ line: [UInt8], _ masked: [UInt8]?, _ findings: [MaskingFinding]) {
        self.line = number
        outcome = masked.map { $0 == line ? "unchanged" : "masked" } ?? "dropped"
        self.findings = findings.map {
            Finding(
                path: $0.path, detector: $0.detector, rule: $0.rule + 1, start: $0.start, end: $0.end,
                confidence: $0.confidence, action: $0.action)
        }
    }

    var text: String {
        var text = "line \(line): \(outcome)"
        if findings.isEmpty, outcome != "unchanged" { text += ": it could not be looked into" }
        for finding in findings {
            let place = finding.path.isEmpty ? "the whole text" : finding.path
            let found =
                finding.detector.map {
                    "\($0) at bytes \(finding.start) to \(finding.end), confidence \(finding.confidence), "
                } ?? ""
            text += "\n  \(place): \(found)rule \(finding.rule): \(finding.action)"
        }
        return text + "\n"
    }
}
