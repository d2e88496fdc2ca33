import CYaml
public import TidegateCore

/// Reads YAML into nodes that know where they stand, by libyaml.
///
/// Refused beyond what libyaml refuses: a key that stands twice, merge keys, aliases that loop or blow up, more than 64
/// levels, more than 1 MiB, an empty file.
public enum YAMLReader {
    private static let depthLimit = 64
    private static let nodeLimit = 100_000
    private static let byteLimit = 1 << 20
    static let mergeKeys = "merge keys are not read"

    /// Where reading goes on: what is to be found out, and what was found wrong on the way.
    private struct Progress {
        let file: String
        var budget = nodeLimit
        var problems: [ConfigurationProblem] = []

        func mark(_ mark: yaml_mark_t) -> ConfigurationMark {
            ConfigurationMark(file: file, line: Int(mark.line) + 1, column: Int(mark.column) + 1)
        }
    }

    /// - Throws: the first thing that is wrong, with its place.
    public static func read(_ text: [UInt8], file: String) throws(ConfigurationProblem) -> ConfigurationNode {
        var problems: [ConfigurationProblem] = []
        let root = try read(text, file: file, noting: &problems)
        if let first = problems.first { throw first }
        return root
    }

    /// - Parameter problems: what is wrong with keys, which are left out then: the rest can be judged all the same.
    /// - Throws: what ends the reading.
    public static func read(
        _ text: [UInt8], file: String, noting problems: inout [ConfigurationProblem]
    ) throws(ConfigurationProblem) -> ConfigurationNode {
        let top = ConfigurationMark(file: file, line: 1, column: 1)
        guard text.count <= byteLimit else {
            throw ConfigurationProblem(
                mark: top, path: "", "the file is longer than 1 MiB", suggestion: "a shorter one")
        }
        guard String(validating: text, as: UTF8.self) != nil else {
            throw ConfigurationProblem(mark: top, path: "", "the file is not UTF-8", suggestion: "save it as UTF-8")
        }
        try measureDepth(text, file)
        var parser = unsafe yaml_parser_t()
        var document = unsafe yaml_document_t()
        guard unsafe yaml_parser_initialize(&parser) == 1 else {
            throw ConfigurationProblem(mark: top, path: "", "out of memory", suggestion: "free some")
        }
        defer { unsafe yaml_parser_delete(&parser) }
        let isLoaded = unsafe text.withUnsafeBufferPointer { raw in
            unsafe yaml_parser_set_input_string(&parser, raw.baseAddress, raw.count)
            return unsafe yaml_parser_load(&parser, &document) == 1
        }
        guard isLoaded else {
            let reason = unsafe parser.problem.map { unsafe String(cString: $0) } ?? "not YAML"
            throw ConfigurationProblem(
                mark: unsafe Progress(file: file).mark(parser.problem_mark), path: "", reason,
                suggestion: "valid YAML; texts with ':' or '*' at their start need quotes")
        }
        defer { unsafe yaml_document_delete(&document) }
        guard let root = unsafe yaml_document_get_root_node(&document) else {
            throw ConfigurationProblem(
                mark: top, path: "", "the file is empty", suggestion: "identity, backends, routes and policies")
        }
        try unsafe requireEnd(&parser, file)
        var progress = Progress(file: file)
        defer { problems += progress.problems }
        return try unsafe convert(root, &document, path: "", depth: 0, &progress)
    }

    /// Loading takes time by the square of the depth: what is too deep is found by its events, before.
    private static func measureDepth(_ text: [UInt8], _ file: String) throws(ConfigurationProblem) {
        var parser = unsafe yaml_parser_t()
        guard unsafe yaml_parser_initialize(&parser) == 1 else { return }
        defer { unsafe yaml_parser_delete(&parser) }
        let deep: yaml_mark_t? = unsafe text.withUnsafeBufferPointer { raw in
            unsafe yaml_parser_set_input_string(&parser, raw.baseAddress, raw.count)
            var depth = 0
            while true {
                var event = unsafe yaml_event_t()
                // What is no YAML is told when it is loaded.
                guard unsafe yaml_parser_parse(&parser, &event) == 1 else { return nil }
                let (kind, mark) = unsafe (event.type, event.start_mark)
                unsafe yaml_event_delete(&event)
                switch kind {
                case YAML_SEQUENCE_START_EVENT, YAML_MAPPING_START_EVENT: depth += 1
                case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: depth -= 1
                case YAML_STREAM_END_EVENT, YAML_NO_EVENT: return nil
                default: break
                }
                if depth > depthLimit { return mark }
            }
        }
        guard let deep else { return }
        throw ConfigurationProblem(
            mark: Progress(file: file).mark(deep), path: "", "nested too deep",
            suggestion: "at most \(depthLimit) levels")
    }

    /// A second document would be left unread, and rules in it with it.
    private static func requireEnd(_ parser: inout yaml_parser_t, _ file: String) throws(ConfigurationProblem) {
        var next = unsafe yaml_document_t()
        let isLoaded = unsafe yaml_parser_load(&parser, &next) == 1
        defer { if isLoaded { unsafe yaml_document_delete(&next) } }
        let start = unsafe isLoaded ? next.start_mark : parser.problem_mark
        let mark = Progress(file: file).mark(start)
        guard isLoaded else {
            let reason = unsafe parser.problem.map { unsafe String(cString: $0) } ?? "not YAML"
            throw ConfigurationProblem(mark: mark, path: "", reason, suggestion: "valid YAML")
        }
        guard unsafe yaml_document_get_root_node(&next) == nil else {
            throw ConfigurationProblem(
                mark: mark, path: "", "a second document", suggestion: "one document in the file")
        }
    }

    private static func convert(
        _ node: UnsafeMutablePointer<yaml_node_t>, _ document: inout yaml_document_t, path: String, depth: Int,
        _ progress: inout Progress
    ) throws(ConfigurationProblem) -> ConfigurationNode {
        let mark = unsafe progress.mark(node.pointee.start_mark)
        progress.budget -= 1
        guard depth < depthLimit, progress.budget > 0 else {
            throw ConfigurationProblem(
                mark: mark, path: path, "nested too deep, or an alias that holds itself",
                suggestion: "at most \(depthLimit) levels and \(nodeLimit) nodes")
        }
        switch unsafe node.pointee.type {
        case YAML_SCALAR_NODE:
            let scalar = unsafe node.pointee.data.scalar
            let text = unsafe String(
                decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            let isQuoted = unsafe scalar.style != YAML_PLAIN_SCALAR_STYLE
            return ConfigurationNode(.scalar(text, isQuoted: isQuoted), mark: mark, path: path)
        case YAML_SEQUENCE_NODE:
            var elements: [ConfigurationNode] = []
            let items = unsafe node.pointee.data.sequence.items
            var item = unsafe items.start
            while let current = unsafe item, unsafe current != items.top {
                guard let element = unsafe yaml_document_get_node(&document, current.pointee) else { break }
                elements.append(
                    try unsafe convert(
                        element, &document, path: "\(path)[\(elements.count)]", depth: depth + 1, &progress))
                unsafe item = current + 1
            }
            return ConfigurationNode(.sequence(elements), mark: mark, path: path)
        default:
            return try unsafe mapping(node, &document, mark, path: path, depth: depth, &progress)
        }
    }

    private static func mapping(
        _ node: UnsafeMutablePointer<yaml_node_t>, _ document: inout yaml_document_t, _ mark: ConfigurationMark,
        path: String, depth: Int, _ progress: inout Progress
    ) throws(ConfigurationProblem) -> ConfigurationNode {
        var entries: [(key: ConfigurationNode, value: ConfigurationNode)] = []
        var names: Set<String> = []
        let pairs = unsafe node.pointee.data.mapping.pairs
        var pair = unsafe pairs.start
        while let current = unsafe pair, unsafe current != pairs.top {
            guard let keyNode = unsafe yaml_document_get_node(&document, current.pointee.key),
                let valueNode = unsafe yaml_document_get_node(&document, current.pointee.value)
            else { break }
            unsafe pair = current + 1
            let key = try unsafe convert(keyNode, &document, path: path, depth: depth + 1, &progress)
            guard case .scalar(let name, _) = key.content else {
                progress.problems.append(
                    ConfigurationProblem(at: key, "a key that is no text", suggestion: "a name"))
                continue
            }
            if name == "<<" {
                progress.problems.append(
                    ConfigurationProblem(
                        at: key, mergeKeys, suggestion: "write the keys out, or use an alias for a whole value"))
                continue
            }
            guard names.insert(name).inserted else {
                progress.problems.append(
                    ConfigurationProblem(at: key, "'\(name)' stands twice", suggestion: "one of them"))
                continue
            }
            let inner = path.isEmpty ? name : "\(path).\(name)"
            let value = try unsafe convert(valueNode, &document, path: inner, depth: depth + 1, &progress)
            entries.append((ConfigurationNode(key.content, mark: key.mark, path: inner), value))
        }
        return ConfigurationNode(.mapping(entries), mark: mark, path: path)
    }
}
