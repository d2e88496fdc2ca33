import TidegateCore
import TidegateWire

/// Finds what is governed in an answer, by the shape that its command has.
///
/// Redis stores bytes and answers them as bulks; numbers, doubles and booleans are never values of a key.
struct ReplyWalk {
    private var cursor: ReplyCursor
    /// Names of fields that the command gave, in order; ranges of the same bytes as the answer.
    var names: [Range<Int>] = []

    init(_ range: Range<Int>) { cursor = ReplyCursor(range) }

    /// What an aggregate holds.
    private enum Layout { case values, fields, scores }

    /// - Parameter target: the number of the target that a name in the answer belongs to, nil where it is none of them.
    /// - Throws: `ShapeFailure` where the answer is of another form.
    mutating func find(
        _ shape: ReplyShape, in bytes: RawSpan, into parts: inout ReplyParts, target: (Range<Int>) -> Int?
    ) throws(ShapeFailure) {
        let head = try cursor.peek(bytes)
        if head.isError || head.kind == .null { return }
        switch shape {
        case .plain, .written, .writtenUnlessZero, .added, .names, .role, .information, .clusterSlots, .clusterShards,
            .clusterNodes:
            return
        case .entries: try run(0, bytes, &parts) { walk, parts throws(ShapeFailure) in try walk.entries(bytes, &parts) }
        case .streams: try streams(bytes, &parts, target)
        case .claimed:
            guard try list(bytes).count >= 2 else { throw ShapeFailure() }
            try cursor.skip(bytes)
            try run(0, bytes, &parts) { walk, parts throws(ShapeFailure) in try walk.entries(bytes, &parts) }
        case .streamInformation:
            try run(0, bytes, &parts) { walk, parts throws(ShapeFailure) in try walk.information(bytes, &parts) }
        case .values, .writtenForValue: try contents(.values, bytes, &parts)
        case .fields: try contents(.fields, bytes, &parts)
        case .scored: try contents(.scores, bytes, &parts)
        case .valuePerTarget:
            let header = try list(bytes)
            for index in 0..<header.count {
                try run(index, bytes, &parts) { walk, parts throws(ShapeFailure) in
                    try walk.value(bytes, &parts, list: -1)
                }
            }
        case .namedFields(_, let isSingle):
            let count = isSingle ? 1 : try list(bytes).count
            guard !parts.wantsFields || count == names.count else { throw ShapeFailure() }
            try run(0, bytes, &parts) { walk, parts throws(ShapeFailure) in
                for index in 0..<count {
                    let name = index < walk.names.count ? walk.names[index] : 0..<0
                    try walk.value(bytes, &parts, list: -1, part: .field, name: name)
                }
            }
        case .popped(let isScored): try popped(bytes, &parts, isScored: isScored, target)
        case .message:
            let header = try list(bytes)
            guard header.count >= 3 else { throw ShapeFailure() }
            for _ in 1..<header.count { try cursor.skip(bytes) }
            try run(0, bytes, &parts) { walk, parts throws(ShapeFailure) in try walk.value(bytes, &parts, list: -1) }
        case .scannedValues: try scanned(.values, bytes, &parts)
        case .scannedFields: try scanned(.fields, bytes, &parts)
        case .scannedScores: try scanned(.scores, bytes, &parts)
        }
    }

    private mutating func run(
        _ target: Int, _ bytes: RawSpan, _ parts: inout ReplyParts,
        _ body: (inout ReplyWalk, inout ReplyParts) throws(ShapeFailure) -> Void
    ) throws(ShapeFailure) {
        parts.beginRun(target: target, at: cursor.at)
        try body(&self, &parts)
        parts.endRun(at: cursor.at)
    }

    /// The header of an aggregate.
    private mutating func list(_ bytes: RawSpan) throws(ShapeFailure) -> RESPToken {
        let token = try cursor.next(bytes)
        guard token.isAggregate else { throw ShapeFailure() }
        return token
    }

    // MARK: Streams

    /// Streams and their entries by turns: pairs in an array, or a map.
    private mutating func streams(
        _ bytes: RawSpan, _ parts: inout ReplyParts, _ target: (Range<Int>) -> Int?
    ) throws(ShapeFailure) {
        let header = try list(bytes)
        let count = header.kind == .map ? header.count / 2 : header.count
        for _ in 0..<count {
            if header.kind != .map {
                guard try list(bytes).count == 2 else { throw ShapeFailure() }
            }
            let name = try cursor.next(bytes)
            guard name.isText, let index = target(name.content) else { throw ShapeFailure() }
            try run(index, bytes, &parts) { walk, parts throws(ShapeFailure) in try walk.entries(bytes, &parts) }
        }
    }

    /// Entries: `[[id, [field, value, ...], ...], ...]`. Ids alone (JUSTID) are no records.
    private mutating func entries(_ bytes: RawSpan, _ parts: inout ReplyParts) throws(ShapeFailure) {
        let header = try cursor.next(bytes)
        if header.kind == .null { return }
        guard header.isAggregate else { throw ShapeFailure() }
        let list = parts.append(list: header)
        for _ in 0..<header.count {
            let head = try cursor.peek(bytes)
            // A deleted entry (XCLAIM before Redis 7), or an id alone.
            if head.kind == .null || head.isText {
                try cursor.skip(bytes)
                continue
            }
            try entry(bytes, &parts, list: list)
        }
    }

    /// One entry; null fields are those of one that was deleted since.
    private mutating func entry(
        _ bytes: RawSpan, _ parts: inout ReplyParts, list number: Int
    ) throws(ShapeFailure) {
        let start = cursor.at
        let firstField = parts.fields.count
        let header = try list(bytes)
        guard header.count >= 2 else { throw ShapeFailure() }
        let id = try cursor.next(bytes)
        guard id.isText, let position = Position(entryID: bytes, id.content) else { throw ShapeFailure() }
        if parts.wantsFields { try entryFields(bytes, &parts) } else { try cursor.skip(bytes) }
        for _ in 2..<header.count { try cursor.skip(bytes) }
        parts.append(record: start..<cursor.at, at: position, firstField: firstField, list: number)
    }

    private mutating func entryFields(_ bytes: RawSpan, _ parts: inout ReplyParts) throws(ShapeFailure) {
        let header = try cursor.next(bytes)
        if header.kind == .null { return }
        guard header.isAggregate, header.count.isMultiple(of: 2) else { throw ShapeFailure() }
        for _ in 0..<(header.count / 2) {
            let name = try cursor.next(bytes)
            let value = try cursor.next(bytes)
            guard name.kind == .bulk, value.kind == .bulk else { throw ShapeFailure() }
            parts.append(.field, value, name: name.content)
        }
    }

    /// XINFO STREAM: pairs of names and what they name; entries stand under three of them.
    private mutating func information(_ bytes: RawSpan, _ parts: inout ReplyParts) throws(ShapeFailure) {
        let header = try list(bytes)
        guard header.count.isMultiple(of: 2) else { throw ShapeFailure() }
        for _ in 0..<(header.count / 2) {
            let name = try cursor.next(bytes)
            guard name.isText else { throw ShapeFailure() }
            let value = try cursor.peek(bytes)
            if value.kind == .null {
                try cursor.skip(bytes)
            } else if bytes.equals("entries", name.content) {
                try entries(bytes, &parts)
            } else if bytes.equals("first-entry", name.content) || bytes.equals("last-entry", name.content) {
                try entry(bytes, &parts, list: -1)
            } else {
                // Ids, numbers, and (FULL) groups with ids and names of consumers.
                try cursor.skip(bytes)
            }
        }
    }

    // MARK: Other keys

    private mutating func contents(
        _ layout: Layout, _ bytes: RawSpan, _ parts: inout ReplyParts, target: Int = 0
    ) throws(ShapeFailure) {
        try run(target, bytes, &parts) { walk, parts throws(ShapeFailure) in
            switch layout {
            case .values: try walk.values(bytes, &parts)
            case .fields: try walk.pairs(bytes, &parts, part: .field)
            case .scores: try walk.pairs(bytes, &parts, part: .value)
            }
        }
    }

    /// One text, or an aggregate of them, however deep it nests (HRANDFIELD, GEOSEARCH WITHCOORD).
    private mutating func values(_ bytes: RawSpan, _ parts: inout ReplyParts) throws(ShapeFailure) {
        let head = try cursor.peek(bytes)
        guard head.isAggregate else { return try value(bytes, &parts, list: -1) }
        _ = try cursor.next(bytes)
        let list = parts.append(list: head)
        var owed = [(list: list, left: head.count)]
        while let last = owed.last {
            if last.left == 0 {
                owed.removeLast()
                continue
            }
            owed[owed.count - 1].left -= 1
            let token = try cursor.peek(bytes)
            if token.isAggregate {
                guard owed.count < ReplyScan.depthLimit else { throw ShapeFailure() }
                _ = try cursor.next(bytes)
                owed.append((-1, token.count))
            } else {
                try value(bytes, &parts, list: last.list)
            }
        }
    }

    /// One value that may be null, a number or a text.
    private mutating func value(
        _ bytes: RawSpan, _ parts: inout ReplyParts, list: Int, part: RecordPart = .value, name: Range<Int> = 0..<0
    ) throws(ShapeFailure) {
        let firstField = parts.fields.count
        let token = try cursor.next(bytes)
        switch token.kind {
        case .bulk, .simple, .verbatim: parts.append(part, token, name: name)
        case .null, .integer, .double, .boolean, .bigNumber: return
        case .error, .bulkError: return
        case .array, .map, .set, .push, .attribute: throw ShapeFailure()
        }
        parts.append(record: token.range, firstField: firstField, list: list)
    }

    /// Field and value, or member and score, by turns: flat, as a map, or as pairs.
    ///
    /// - Parameter part: of the second where it is `field` (the first is its name), else of the first.
    private mutating func pairs(
        _ bytes: RawSpan, _ parts: inout ReplyParts, part: RecordPart
    ) throws(ShapeFailure) {
        let header = try list(bytes)
        guard header.count > 0 else { return }
        let list = parts.append(list: header)
        let isNested = try cursor.peek(bytes).isAggregate
        let count = isNested ? header.count : header.count / 2
        guard isNested || header.count.isMultiple(of: 2) else { throw ShapeFailure() }
        for _ in 0..<count {
            let start = cursor.at
            let firstField = parts.fields.count
            if isNested {
                guard try self.list(bytes).count == 2 else { throw ShapeFailure() }
            }
            let first = try cursor.next(bytes)
            let second = try cursor.next(bytes)
            guard first.isText, !second.isAggregate else { throw ShapeFailure() }
            if part == .field {
                if second.isText { parts.append(.field, second, name: first.content) }
            } else {
                parts.append(.value, first)
            }
            parts.append(
                record: start..<cursor.at, firstField: firstField, list: list,
                elements: isNested || header.kind == .map ? (header.kind == .map ? 2 : 1) : 2)
        }
    }

    /// A key and what was taken out of it: `[key, value]`, `[key, member, score]`, `[key, [value, ...]]`,
    /// `[key, [[member, score], ...]]`.
    private mutating func popped(
        _ bytes: RawSpan, _ parts: inout ReplyParts, isScored: Bool, _ target: (Range<Int>) -> Int?
    ) throws(ShapeFailure) {
        let header = try list(bytes)
        guard header.count >= 2 else { throw ShapeFailure() }
        let name = try cursor.next(bytes)
        guard name.isText, let index = target(name.content) else { throw ShapeFailure() }
        if try cursor.peek(bytes).isAggregate {
            guard header.count == 2 else { throw ShapeFailure() }
            return try contents(isScored ? .scores : .values, bytes, &parts, target: index)
        }
        guard header.count == (isScored ? 3 : 2) else { throw ShapeFailure() }
        try run(index, bytes, &parts) { walk, parts throws(ShapeFailure) in
            try walk.value(bytes, &parts, list: -1)
            if isScored { try walk.cursor.skip(bytes) }
        }
    }

    private mutating func scanned(
        _ layout: Layout, _ bytes: RawSpan, _ parts: inout ReplyParts
    ) throws(ShapeFailure) {
        guard try list(bytes).count == 2 else { throw ShapeFailure() }
        try cursor.skip(bytes)
        try contents(layout, bytes, &parts)
    }
}

extension RawSpan {
    /// True where the range holds that text.
    func equals(_ text: StaticString, _ range: Range<Int>) -> Bool {
        guard range.count == text.utf8CodeUnitCount, holds(range) else { return false }
        return text.withUTF8Buffer { text in
            for offset in 0..<text.count {
                let expected = unsafe text[offset]
                guard byte(at: range.lowerBound &+ offset) == expected else { return false }
            }
            return true
        }
    }
}

extension Position {
    /// The id of an entry, `milliseconds-sequence`, both whole decimal numbers of 64 bits.
    init?(entryID bytes: RawSpan, _ range: Range<Int>) {
        var parts: (UInt64, UInt64) = (0, 0)
        var isSecond = false
        var digits = 0
        guard bytes.holds(range) else { return nil }
        for at in range {
            guard let byte = bytes.byte(at: at) else { return nil }
            if byte == UInt8(ascii: "-"), !isSecond, digits > 0 {
                isSecond = true
                digits = 0
                continue
            }
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            let digit = UInt64(byte &- UInt8(ascii: "0"))
            let (product, high) = (isSecond ? parts.1 : parts.0).multipliedReportingOverflow(by: 10)
            let (sum, low) = product.addingReportingOverflow(digit)
            if high || low { return nil }
            if isSecond { parts.1 = sum } else { parts.0 = sum }
            digits += 1
        }
        guard isSecond, digits > 0 else { return nil }
        self.init(major: parts.0, minor: parts.1)
    }
}
