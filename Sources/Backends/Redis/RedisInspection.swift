import TidegateCore
import TidegateWire

/// What the gateway reads in a command, in words: for tests, which see no type of this module.
package struct RedisInspection: Equatable, Sendable {
    /// `consume stream:orders within group:g from 5-0`, one for each target.
    package var targets: [String] = []
    package var shape = ""
    /// `governed`, `open`, `session`, `cluster`, `exposing`, `refused`.
    package var handling = ""
    /// Why it is refused.
    package var failure: String?
    package var rule: String?
    package var categories: UInt32 = 0
    package var waits: Int?
    package var isRefusedUnderMask = false
    /// The argument that is `$`.
    package var newest: Int?

    /// Every command that the table has.
    package static var commands: [String] { CommandTable.wireNames }
    package static var explicitCommands: Set<String> { CommandTable.explicitNames }
    /// By category, without its `@`.
    package static var categories: [String: [String]] { CommandTable.categoryNames }

    /// - Parameter arguments: the command and its arguments.
    package static func ask(_ arguments: [[UInt8]]) -> RedisInspection {
        var bytes: [UInt8] = []
        var read = CommandArguments()
        for argument in arguments {
            read.append(bytes.count..<(bytes.count + argument.count))
            bytes += argument
        }
        return ask(read, unsafe bytes.span.bytes)
    }

    /// Reads one request as it comes on the wire.
    ///
    /// - Returns: its arguments, or nil where it is not wholly there.
    /// - Throws: `WireViolation`
    package static func arguments(of request: [UInt8], isAuthenticated: Bool = true) throws -> (
        words: [[UInt8]], end: Int
    )? {
        var reader = CommandReader()
        var read = CommandArguments()
        let window = unsafe request.span.bytes
        switch try reader.read(
            window, from: 0, isAuthenticated: isAuthenticated, byteLimit: 1 << 20, into: &read)
        {
        case .incomplete: return nil
        case .command(let end): return (read.ranges.map { window.bytes($0) }, end)
        case .quoted(let end): return CommandReader.words(window, 0..<end).map { ($0, end) }
        }
    }

    /// Reads requests as they arrive byte by byte, with one reader and one store of arguments.
    ///
    /// - Throws: `WireViolation`
    package static func drip(_ requests: [UInt8]) throws -> [[[UInt8]]] {
        var reader = CommandReader()
        var read = CommandArguments()
        var start = 0
        var words: [[[UInt8]]] = []
        for count in 0...requests.count {
            let part = Array(requests[..<count])
            let window = unsafe part.span.bytes
            switch try reader.read(window, from: start, isAuthenticated: true, byteLimit: 1 << 20, into: &read) {
            case .incomplete: continue
            case .command(let end):
                words.append(read.ranges.map { window.bytes(($0.lowerBound + start)..<($0.upperBound + start)) })
                start = end
            case .quoted(let end):
                words.append(CommandReader.words(window, start..<end) ?? [])
                start = end
            }
        }
        return words
    }

    /// Where a reply ends, fed byte by byte; nil where it does not.
    package static func end(of reply: [UInt8]) throws -> Int? {
        var scan = ReplyScan()
        for count in 0...reply.count {
            let part = Array(reply[..<count])
            var need: Int?
            if let end = try scan.end(unsafe part.span.bytes, from: 0, byteLimit: 1 << 20, need: &need) { return end }
        }
        return nil
    }

    private static func ask(_ arguments: CommandArguments, _ bytes: RawSpan) -> RedisInspection {
        var inspection = RedisInspection()
        let table = CommandTable.all
        guard let index = table.find(arguments, bytes) else {
            inspection.failure = "unknown"
            return inspection
        }
        let rule = table.rules[index]
        inspection.rule = "\(rule.name)"
        inspection.categories = rule.categories.rawValue
        switch rule.handling {
        case .open: inspection.handling = "open"
        case .session(let command): inspection.handling = "session \(command)"
        case .cluster(let action, let shape):
            inspection.handling = "cluster \(action.name)"
            inspection.shape = "\(shape)"
        case .exposing: inspection.handling = "exposing"
        case .refused(let reason):
            inspection.handling = "refused"
            inspection.failure = "\(reason)"
        case .governed(let grammar):
            inspection.handling = "governed"
            var request = CommandRequest()
            do throws(GrammarFailure) {
                try grammar(arguments, bytes, &request)
            } catch {
                inspection.failure = "\(error.reason)"
                return inspection
            }
            inspection.shape = "\(request.shape)"
            inspection.waits = request.wait?.argument
            inspection.newest = request.newest >= 0 ? request.newest : nil
            inspection.isRefusedUnderMask = request.isRefusedUnderMask
            inspection.targets = request.targets.map { target in
                guard target.kind == .cluster || arguments.ranges.indices.contains(target.name),
                    target.group.map(arguments.ranges.indices.contains) ?? true
                else { return "outside" }
                let name = String(decoding: bytes.bytes(arguments[target.name]), as: UTF8.self)
                var text = "\(target.action.name) \(target.kind):\(target.kind == .cluster ? "" : name)"
                if let group = target.group {
                    text += " within group:\(String(decoding: bytes.bytes(arguments[group]), as: UTF8.self))"
                }
                if let from = target.from { text += " from \(from.major)-\(from.minor)" }
                return text
            }
        }
        return inspection
    }
}
