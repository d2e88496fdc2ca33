import TidegateCore

/// The answers that one reply holds (one, or those in EXEC's), and what each had asked for.
struct ReplyDeliveries {
    struct Answer {
        /// Where it stands in the reply.
        var range: Range<Int>
        var entry: Awaited
        /// Its targets among `asked`.
        var asked: Range<Int>
        /// What it holds among the parts' runs.
        var runs = 0..<0
        /// Its aggregates among the parts' lists.
        var lists = 0..<0
        /// Names of fields that its command gave.
        var names: [[UInt8]]?
        /// What the client gets in its place.
        var replacement: [UInt8]?
    }
    private(set) var answers: [Answer] = []
    /// Renewed as the reply is looked at.
    private(set) var asked: [Asked] = []

    mutating func begin() {
        answers.removeAll(keepingCapacity: true)
        asked.removeAll(keepingCapacity: true)
    }

    mutating func add(_ range: Range<Int>, _ entry: Awaited, names: [[UInt8]]?) {
        answers.append(Answer(range: range, entry: entry, asked: asked.count..<asked.count, names: names))
    }

    /// A target of the answer that was added last.
    mutating func ask(_ target: Asked) {
        asked.append(target)
        if let last = answers.indices.last { answers[last].asked = answers[last].asked.lowerBound..<asked.count }
    }

    subscript(answer index: Int) -> Answer {
        get { answers[index] }
        set { answers[index] = newValue }
    }

    subscript(asked index: Int) -> Asked {
        get { asked[index] }
        set { asked[index] = newValue }
    }

    /// Moves all ranges, for a copy of the reply that stands elsewhere.
    mutating func move(by distance: Int) {
        for index in answers.indices {
            let range = answers[index].range
            answers[index].range = (range.lowerBound + distance)..<(range.upperBound + distance)
        }
    }

    var hasNames: Bool { answers.contains { $0.names != nil } }
}
