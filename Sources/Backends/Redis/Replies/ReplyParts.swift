import TidegateCore
import TidegateWire

/// What is governed in one reply: where its values stand, in which records, and whose they are.
///
/// Kept by the machine and filled anew, so that a reply costs no allocation once it has room.
struct ReplyParts {
    /// Records of one target that stand together: one delivery.
    struct Run {
        /// Number of the target among those of the element's command.
        var target: Int
        var fields: Range<Int>
        var records: Range<Int>
        var first, last: Position?
        var bytes: Int
    }
    /// One record: an entry, an element of a list, a field of a hash, a message.
    struct Record {
        var position: Position
        /// All its tokens, to be left out with it.
        var range: Range<Int>
        var fields: Range<Int>
        /// The aggregate that it is counted in; -1 where it stands alone.
        var list: Int
        /// How many elements of the aggregate it is: two for field and value in RESP2.
        var elements: Int
    }
    /// An aggregate whose count falls when a record is left out.
    struct List {
        var header: RESPToken
        var removed = 0
    }

    private(set) var fields: [MaskField] = []
    /// The token of each field.
    private(set) var places: [Range<Int>] = []
    private(set) var records: [Record] = []
    var lists: [List] = []
    private(set) var runs: [Run] = []

    /// Values are looked into, or written down: without it only records are counted.
    var wantsFields = false

    private var open = (target: 0, fields: 0, records: 0, start: 0)

    mutating func empty() {
        // What a large reply took is given back.
        if fields.capacity > 1 << 16 {
            self = ReplyParts()
            return
        }
        fields.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        records.removeAll(keepingCapacity: true)
        lists.removeAll(keepingCapacity: true)
        runs.removeAll(keepingCapacity: true)
    }

    mutating func beginRun(target: Int, at start: Int) {
        open = (target, fields.count, records.count, start)
    }

    /// Closes the run; one without records leaves nothing behind.
    mutating func endRun(at end: Int) {
        let range = open.records..<records.count
        guard !range.isEmpty else { return }
        var first: Position?
        var last: Position?
        for index in range where records[index].position != Position.none {
            let position = records[index].position
            first = first.map { min($0, position) } ?? position
            last = last.map { max($0, position) } ?? position
        }
        runs.append(
            Run(
                target: open.target, fields: open.fields..<fields.count, records: range, first: first, last: last,
                bytes: end - open.start))
    }

    /// - Parameters:
    ///   - position: `Position.none` where the record has none.
    ///   - firstField: how many fields there were before it.
    mutating func append(
        record range: Range<Int>, at position: Position = .none, firstField: Int, list: Int, elements: Int = 1
    ) {
        records.append(
            Record(
                position: position, range: range, fields: firstField..<fields.count, list: list, elements: elements))
    }

    /// A value of the record that is appended next.
    mutating func append(
        _ part: RecordPart, _ token: RESPToken, name: Range<Int> = 0..<0, content: Range<Int>? = nil
    ) {
        guard wantsFields else { return }
        fields.append(
            MaskField(
                part: part, record: UInt32(truncatingIfNeeded: records.count &- open.records),
                range: content ?? token.content, name: name))
        places.append(token.range)
    }

    /// Puts an aggregate on the list of those that may shrink.
    mutating func append(list header: RESPToken) -> Int {
        lists.append(List(header: header))
        return lists.count - 1
    }
}

extension Position {
    /// Of what has no place in a log: the value of a key, a message. No entry has this id (`0-0` is never given).
    static let none = Position(major: 0, minor: 0)
}
