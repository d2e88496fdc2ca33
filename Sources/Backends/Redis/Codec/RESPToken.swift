import TidegateCore
import TidegateWire

/// One token of RESP2 or RESP3: a leaf, or the header of an aggregate whose elements follow.
///
/// Source: the specification of RESP3 (https://github.com/redis/redis-specifications/blob/master/protocol/RESP3.md).
struct RESPToken {
    enum Kind: UInt8, BitwiseCopyable {
        /// `+text`, `-text`, `:7`, `#t`, `,1.5`, `(12345678901234567890`.
        case simple, error, integer, boolean, double, bigNumber
        /// `$3`, `!21`, `=15`: bytes with their length before them. The content of a verbatim has its `txt:` in it.
        case bulk, bulkError, verbatim
        /// `$-1`, `*-1`, `_`.
        case null
        /// `*2`, `%1` (pairs), `~2`, `>3`.
        case array, map, set, push
        /// `|1`: pairs that go before a reply and belong to it.
        case attribute
    }
    var kind: Kind
    /// All bytes of the token, with its ends of line; of an aggregate its header only.
    var range: Range<Int>
    /// The text of a leaf.
    var content: Range<Int>
    /// How many elements follow (two for each pair), or the value of an integer.
    var count: Int

    var isError: Bool { kind == .error || kind == .bulkError }
    /// Elements follow.
    var isAggregate: Bool {
        switch kind {
        case .array, .map, .set, .push, .attribute: true
        default: false
        }
    }
    /// A leaf that carries bytes of the backend's own choosing.
    var isText: Bool {
        switch kind {
        case .simple, .bulk, .verbatim: true
        default: false
        }
    }
}

/// What stands at a place of a window.
enum RESPReading {
    case token(RESPToken)
    /// The token is not wholly there; where its length is known, so many bytes of the window are needed.
    case incomplete(upTo: Int?)
}

/// Reads tokens where a window has them.
enum RESP {
    /// A line that is longer than this is no header, number or status of anybody's.
    static let lineLimit = 64 << 10
    /// Elements of one aggregate: 2^24, sixteen times what Redis lets a client send.
    static let countLimit = 1 << 24

    /// - Parameter byteLimit: what one bulk may hold.
    /// - Throws: `WireViolation` from the backend where the bytes are no RESP.
    static func read(
        _ window: RawSpan, at start: Int, byteLimit: Int
    ) throws(WireViolation) -> RESPReading {
        guard let mark = window.byte(at: start) else { return .incomplete(upTo: nil) }
        guard let end = try endOfLine(window, from: start + 1) else { return .incomplete(upTo: nil) }
        let line = (start + 1)..<end
        let after = end + 2
        switch mark {
        case UInt8(ascii: "+"): return leaf(.simple, start, line, after)
        case UInt8(ascii: "-"): return leaf(.error, start, line, after)
        case UInt8(ascii: ","): return leaf(.double, start, line, after)
        case UInt8(ascii: "("): return leaf(.bigNumber, start, line, after)
        case UInt8(ascii: "#"): return leaf(.boolean, start, line, after)
        case UInt8(ascii: "_"): return leaf(.null, start, line, after)
        case UInt8(ascii: ":"):
            guard let value = integer(window, line) else { break }
            return .token(RESPToken(kind: .integer, range: start..<after, content: line, count: value))
        case UInt8(ascii: "$"): return try bulk(.bulk, window, start, line, after, byteLimit)
        case UInt8(ascii: "!"): return try bulk(.bulkError, window, start, line, after, byteLimit)
        case UInt8(ascii: "="): return try bulk(.verbatim, window, start, line, after, byteLimit)
        case UInt8(ascii: "*"): return try aggregate(.array, 1, window, start, line, after)
        case UInt8(ascii: "~"): return try aggregate(.set, 1, window, start, line, after)
        case UInt8(ascii: ">"): return try aggregate(.push, 1, window, start, line, after)
        case UInt8(ascii: "%"): return try aggregate(.map, 2, window, start, line, after)
        case UInt8(ascii: "|"): return try aggregate(.attribute, 2, window, start, line, after)
        default: break
        }
        throw WireViolation("bytes that are no RESP", side: .backend, at: start)
    }

    private static func leaf(
        _ kind: RESPToken.Kind, _ start: Int, _ line: Range<Int>, _ after: Int
    ) -> RESPReading {
        .token(RESPToken(kind: kind, range: start..<after, content: line, count: 0))
    }

    private static func bulk(
        _ kind: RESPToken.Kind, _ window: RawSpan, _ start: Int, _ line: Range<Int>, _ after: Int, _ byteLimit: Int
    ) throws(WireViolation) -> RESPReading {
        guard let length = integer(window, line), length >= -1 else {
            throw WireViolation("a length that is none", side: .backend, at: start)
        }
        if length == -1 { return leaf(.null, start, line, after) }
        guard length <= byteLimit else {
            throw WireViolation("a value longer than the limit", side: .backend, at: start)
        }
        let content = after..<(after + length)
        guard let first = window.byte(at: content.upperBound), let second = window.byte(at: content.upperBound + 1)
        else {
            return .incomplete(upTo: content.upperBound + 2)
        }
        guard first == 0x0D, second == 0x0A else {
            throw WireViolation("a value without its end of line", side: .backend, at: content.upperBound)
        }
        return .token(RESPToken(kind: kind, range: start..<(content.upperBound + 2), content: content, count: 0))
    }

    private static func aggregate(
        _ kind: RESPToken.Kind, _ factor: Int, _ window: RawSpan, _ start: Int, _ line: Range<Int>, _ after: Int
    ) throws(WireViolation) -> RESPReading {
        guard let count = integer(window, line), count >= -1, count <= countLimit else {
            throw WireViolation("a count that is none", side: .backend, at: start)
        }
        if count == -1 { return leaf(.null, start, line, after) }
        return .token(RESPToken(kind: kind, range: start..<after, content: line, count: count * factor))
    }

    /// Where the line's CR stands, or nil where the line is not wholly there.
    private static func endOfLine(_ window: RawSpan, from start: Int) throws(WireViolation) -> Int? {
        var at = start
        while let byte = window.byte(at: at) {
            if byte == 0x0D {
                guard let next = window.byte(at: at + 1) else { return nil }
                guard next == 0x0A else {
                    throw WireViolation("a line that CR does not end with LF", side: .backend, at: at)
                }
                return at
            }
            at &+= 1
            if at &- start > lineLimit {
                throw WireViolation("a line longer than the limit", side: .backend, at: start)
            }
        }
        return nil
    }

    /// A decimal number as Redis writes and takes it (`string2ll`): no plus, no leading zero, no space.
    static func integer(_ window: RawSpan, _ range: Range<Int>) -> Int? {
        guard var byte = window.byte(at: range.lowerBound), range.count <= 20, window.holds(range) else { return nil }
        var at = range.lowerBound
        let isNegative = byte == UInt8(ascii: "-")
        if isNegative {
            at += 1
            guard at < range.upperBound, let next = window.byte(at: at) else { return nil }
            byte = next
        }
        if byte == UInt8(ascii: "0") { return range.count == 1 ? 0 : nil }
        var value = 0
        while at < range.upperBound, let digit = window.byte(at: at) {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            let (product, high) = value.multipliedReportingOverflow(by: 10)
            let part = Int(digit &- UInt8(ascii: "0"))
            let (sum, low) =
                isNegative ? product.subtractingReportingOverflow(part) : product.addingReportingOverflow(part)
            if high || low { return nil }
            value = sum
            at &+= 1
        }
        return at > range.lowerBound + (isNegative ? 1 : 0) ? value : nil
    }
}
