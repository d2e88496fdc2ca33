import TidegateSchemas

/// What the registry says in one call of a profile: a key is asked about once, and ids, which are a peer's input, make no
/// call ask without bounds or wait for ever.
struct SchemaAnswers {
    /// Schemas of a call that are not there: the next are asked for when those have come. Where so many cannot be had, the
    /// others that are not known cannot either: the registry keeps failures in bounded room and for a bounded time, so that a
    /// call that goes on asking might never come to its end.
    static let missingLimit = 16

    private var answers: [SchemaKey: SchemaRegistry.Answer] = [:]
    private var pending = 0
    private var failures = 0
    private var last: SchemaKey?

    /// Forgets what was said: another call, another day.
    mutating func removeAll() {
        answers.removeAll(keepingCapacity: answers.count <= 256)
        (pending, failures, last) = (0, 0, nil)
    }

    /// The registry's answer, asked for at most once; nobody is woken (`wait`).
    mutating func answer(_ key: SchemaKey, _ registry: SchemaRegistry) -> SchemaRegistry.Answer {
        if let said = answers[key] { return said }
        let answer: SchemaRegistry.Answer
        if pending + failures < SchemaAnswers.missingLimit {
            answer = registry.schema(key)
        } else if let schema = registry.known(key) {
            answer = .ready(schema)
        } else {
            return pending > 0 ? .pending : .failed(SchemaError("too many schemas of one batch cannot be had"))
        }
        switch answer {
        case .ready: break
        case .pending:
            pending += 1
            last = key
        case .failed: failures += 1
        }
        answers[key] = answer
        return answer
    }

    /// Has the call made again, once: when the schema has come that was asked for last, which by then has most of the others
    /// before it.
    func wait(_ registry: SchemaRegistry, wake: @escaping @Sendable () -> Void) {
        guard let last else { return }
        // It may have come since.
        guard case .pending = registry.schema(last, wake: wake) else { return wake() }
    }
}
