/// The words behind a command: options with values, flags, and the rest.
struct CommandLineArguments {
    /// Wrong usage: exit code 2.
    struct UsageError: Error { var message: String }

    private(set) var values: [String: [String]] = [:]
    private(set) var flags: Set<String> = []
    private(set) var positional: [String] = []

    /// - Parameters:
    ///   - options: names (`--config`) that take a value, once; may be given as `--config=FILE` too, which is the way to
    ///     give one that begins with `--`.
    ///   - repeatable: those of them that may be given several times.
    ///   - flags: names that take none.
    ///   - words: how many other words there may be at most.
    /// - Throws: what is unknown, lacks its value, or stands there and means nothing.
    init(
        _ words: some Sequence<String>, options: Set<String>, repeatable: Set<String> = [], flags known: Set<String>,
        words limit: Int
    ) throws(UsageError) {
        var words = Array(words)[...]
        while let word = words.popFirst() {
            guard word.hasPrefix("-"), word.count > 1 else {
                positional.append(word)
                guard positional.count <= limit else {
                    throw UsageError(message: "'\(word)' means nothing here")
                }
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if known.contains(parts[0]), parts.count == 1 {
                flags.insert(parts[0])
            } else if options.contains(parts[0]) {
                guard parts.count == 2 || words.first?.hasPrefix("--") == false,
                    let value = parts.count == 2 ? parts[1] : words.popFirst()
                else { throw UsageError(message: "\(parts[0]) needs a value") }
                values[parts[0], default: []].append(value)
                if values[parts[0]]?.count == 2, !repeatable.contains(parts[0]) {
                    throw UsageError(message: "\(parts[0]) is given twice")
                }
            } else {
                throw UsageError(message: "unknown option \(word)")
            }
        }
    }

    func value(_ name: String) -> String? { values[name]?.last }

    func required(_ name: String) throws(UsageError) -> String {
        guard let value = value(name) else { throw UsageError(message: "\(name) is missing") }
        return value
    }
}
