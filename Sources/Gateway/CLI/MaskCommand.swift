import Glibc
import TidegateConfiguration
import TidegateMasking

extension Command {
    static let mask = Command(
        name: "mask", summary: "masks lines from standard input with a profile",
        usage: "--config FILE --profile P [--format json|text]",
        example: "tidegate mask --config tidegate.yaml --profile pii < orders.jsonl",
        options: ["--config", "--profile", "--format"]
    ) { arguments in
        let file = try arguments.required("--config")
        let name = try arguments.required("--profile")
        let format = arguments.value("--format") ?? "json"
        guard format == "json" || format == "text" else {
            throw CommandLineArguments.UsageError(message: "--format takes json or text")
        }
        let reading = ConfigurationReader(
            backends: Backends.declarations, sections: [.masking], withSecrets: false
        ).read(file: file)
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
        return maskLines(profile, isJSON: format == "json")
    }

    /// Lines are read as bytes: they need not be UTF-8 to be refused well.
    ///
    /// - Returns: 1 where standard input cannot be read to its end.
    private static func maskLines(_ profile: MaskingProfile, isJSON: Bool) -> Int32 {
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
                emit(Array(pending[start..<end]), profile, isJSON)
                start = end + 1
                searched = start
            }
            pending.removeFirst(start)
        }
        if !pending.isEmpty { emit(pending, profile, isJSON) }
        return 0
    }

    private static func emit(_ line: [UInt8], _ profile: MaskingProfile, _ isJSON: Bool) {
        if let masked = profile.mask(line: line, isJSON: isJSON) { Output.bytes(masked + [10]) }
    }
}
