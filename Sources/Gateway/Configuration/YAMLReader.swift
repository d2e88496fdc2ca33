import CYaml
public import TidegateCore

/// Reads YAML into nodes that know where they stand, by libyaml.
///
/// Refused beyond what libyaml refuses: a key that stands twice, merge keys, aliases that loop or blow up, more than 64
/// levels, an empty file.
public enum YAMLReader {
    private static let depthLimit = 64
    private static let nodeLimit = 100_000

    /// - Throws: the first thing that is wrong, with its place.
    public static func read(_ text: [UInt8], file: String) throws(ConfigurationProblem) -> ConfigurationNode {
        let top = ConfigurationMark(file: file, line: 1, column: 1)
        guard String(validating: text, as: UTF8.self) != nil else {
            throw ConfigurationProblem(mark: top, path: "", "the file is not UTF-8", suggestion: "save it as UTF-8")
        }
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
            let mark = unsafe parser.problem_mark
            let reason = unsafe parser.problem.map { unsafe String(cString: $0) } ?? "not YAML"
            throw ConfigurationProblem(
                mark: ConfigurationMark(file: file, line: Int(mark.line) + 1, column: Int(mark.column) + 1), path: "",
                reason, suggestion: "valid YAML; texts with ':' or '*' at their start need quotes")
        }
        defer { unsafe yaml_document_delete(&document) }
        guard let root = unsafe yaml_document_get_root_node(&document) else {
            throw ConfigurationProblem(
                mark: top, path: "", "the file is empty", suggestion: "identity, backends, routes and policies")
        }
        try unsafe requireEnd(&parser, file)
        var budget = nodeLimit
        return try unsafe convert(root, &document, file, path: "", depth: 0, &budget)
    }

    /// A second document would be left unread, and rules in it with it.
    private static func requireEnd(_ parser: inout yaml_parser_t, _ file: String) throws(ConfigurationProblem) {
        var next = unsafe yaml_document_t()
        let isLoaded = unsafe yaml_parser_load(&parser, &next) == 1
        defer { if isLoaded { unsafe yaml_document_delete(&next) } }
        let start = unsafe isLoaded ? next.start_mark : parser.problem_mark
        let mark = ConfigurationMark(file: file, line: Int(start.line) + 1, column: Int(start.column) + 1)
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
        _ node: UnsafeMutablePointer<yaml_node_t>, _ document: inout yaml_document_t, _ file: String, path: String,
        depth: Int, _ budget: inout Int
    ) throws(ConfigurationProblem) -> ConfigurationNode {
        let start = unsafe node.pointee.start_mark
        let mark = ConfigurationMark(file: file, line: Int(start.line) + 1, column: Int(start.column) + 1)
        budget -= 1
        guard depth < depthLimit, budget > 0 else {
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
                        element, &document, file, path: "\(path)[\(elements.count)]", depth: depth + 1, &budget))
                unsafe item = current + 1
            }
            return ConfigurationNode(.sequence(elements), mark: mark, path: path)
        default:
            return try unsafe mapping(node, &document, file, mark, path: path, depth: depth, &budget)
        }
    }

    private static func mapping(
        _ node: UnsafeMutablePointer<yaml_node_t>, _ document: inout yaml_document_t, _ file: String,
        _ mark: ConfigurationMark, path: String, depth: Int, _ budget: inout Int
    ) throws(ConfigurationProblem) -> ConfigurationNode {
        var entries: [(key: ConfigurationNode, value: ConfigurationNode)] = []
        var names: Set<String> = []
        let pairs = unsafe node.pointee.data.mapping.pairs
        var pair = unsafe pairs.start
        while let current = unsafe pair, unsafe current != pairs.top {
            guard let keyNode = unsafe yaml_document_get_node(&document, current.pointee.key),
                let valueNode = unsafe yaml_document_get_node(&document, current.pointee.value)
            else { break }
            let key = try unsafe convert(keyNode, &document, file, path: path, depth: depth + 1, &budget)
            guard case .scalar(let name, _) = key.content else {
                throw ConfigurationProblem(at: key, "a key that is no text", suggestion: "a name")
            }
            if name == "<<" {
                throw ConfigurationProblem(
                    at: key, "merge keys are not read",
                    suggestion: "write the keys out, or use an alias for a whole value")
            }
            guard names.insert(name).inserted else {
                throw ConfigurationProblem(at: key, "'\(name)' stands twice", suggestion: "one of them")
            }
            let inner = path.isEmpty ? name : "\(path).\(name)"
            let value = try unsafe convert(valueNode, &document, file, path: inner, depth: depth + 1, &budget)
            entries.append((ConfigurationNode(key.content, mark: key.mark, path: inner), value))
            unsafe pair = current + 1
        }
        return ConfigurationNode(.mapping(entries), mark: mark, path: path)
    }
}
