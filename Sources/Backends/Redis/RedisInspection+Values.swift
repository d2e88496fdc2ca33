import TidegateCore
import TidegateWire

extension RedisInspection {
    /// The values that the walk finds in a command's answer, as `target:value`, the target's number among the command's.
    ///
    /// - Returns: nil where the command is not governed, or not understood.
    /// - Throws: where the answer has another form than the command's shape says.
    package static func values(in answer: [UInt8], to command: [[UInt8]]) throws -> [String]? {
        var bytes = answer
        var arguments = CommandArguments()
        for argument in command {
            arguments.append(bytes.count..<(bytes.count + argument.count))
            bytes += argument
        }
        let window = unsafe bytes.span.bytes
        let table = CommandTable.all
        guard let index = table.find(arguments, window), case .governed(let grammar) = table.rules[index].handling
        else { return nil }
        var request = CommandRequest()
        do throws(GrammarFailure) { try grammar(arguments, window, &request) } catch { return nil }
        var walk = ReplyWalk(0..<answer.count)
        if case .namedFields(let from, let isSingle) = request.shape {
            walk.names = (from..<(isSingle ? from + 1 : arguments.count)).map { arguments[$0] }
        }
        var parts = ReplyParts()
        parts.wantsFields = true
        let targets = request.targets
        try walk.find(request.shape, in: window, into: &parts) { name in
            targets.firstIndex { window.bytes(arguments[$0.name]) == window.bytes(name) }
        }
        return parts.runs.flatMap { run in
            parts.fields[run.fields].map { "\(run.target):\(String(decoding: window.bytes($0.range), as: UTF8.self))" }
        }
    }
}
