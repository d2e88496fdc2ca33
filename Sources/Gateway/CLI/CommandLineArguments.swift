/// The words behind a command: options with values, flags, and the rest.
struct CommandLineArguments {
    /// Wrong usage: exit code 2.
    struct UsageError: Error { var message: String }

    private(set) var values: [String: [String]] = [:]
    private(set) var flags: Set<String> = []
    private(set) var positional: [String] = []

    /// - Parameters:
    ///   - options: names (`--config`) that take a value; may be given as `--config=FILE` too.
    ///   - flags: names that take none.
    /// - Throws: what is unknown or lacks its value.
    init(_ words: some Sequence<String>, options: Set<String>, flags known: Set<String>) throws(UsageError) {
        var words = Array(words)[...]
        while let word = words.popFirst() {
            guard word.hasPrefix("--"), word.count > 2 else {
                positional.append(word)
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if known.contains(parts[0]), parts.count == 1 {
                flags.insert(parts[0])
            } else if options.contains(parts[0]) {
                guard let value = parts.count == 2 ? parts[1] : words.popFirst() else {
                    throw UsageError(message: "\(parts[0]) needs a value")
                }
                values[parts[0], default: []].append(value)
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
