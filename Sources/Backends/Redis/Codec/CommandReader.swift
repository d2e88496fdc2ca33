import TidegateCore
import TidegateWire

/// The arguments of one request, as ranges of its bytes, from the request's first byte. Kept and filled anew for each.
struct CommandArguments {
    private(set) var ranges: [Range<Int>] = []

    var count: Int { ranges.count }
    /// The range of an argument; empty where there is none.
    subscript(index: Int) -> Range<Int> { index >= 0 && index < ranges.count ? ranges[index] : 0..<0 }

    /// Keeps the room of an ordinary command.
    mutating func empty() {
        if ranges.capacity > 1024 { ranges = [] } else { ranges.removeAll(keepingCapacity: true) }
    }
    mutating func append(_ range: Range<Int>) { ranges.append(range) }

    /// True where the argument is that word, in any case of letters; `word` is upper case.
    func isWord(_ index: Int, _ word: StaticString, _ bytes: RawSpan) -> Bool {
        let range = self[index]
        guard range.count == word.utf8CodeUnitCount else { return false }
        return word.withUTF8Buffer { word in
            for offset in 0..<word.count {
                let expected = unsafe word[offset]
                guard let byte = bytes.byte(at: range.lowerBound &+ offset) else { return false }
                let upper = byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") ? byte & 0xDF : byte
                if upper != expected { return false }
            }
            return true
        }
    }

    /// The argument as Redis reads a whole number.
    func integer(_ index: Int, _ bytes: RawSpan) -> Int? { index < count ? RESP.integer(bytes, self[index]) : nil }
}

/// Reads requests: arrays of bulks, and lines of words.
///
/// Redis never checks the two bytes after a bulk; here they are CR LF, so that what is decided is what the server reads.
struct CommandReader {
    /// As Redis: arguments of one request (2^20; `redis.conf` has no name for it), and before authentication.
    static let argumentLimit = (ever: 1 << 20, beforeAuthentication: 10)
    static let bulkLimitBeforeAuthentication = 16 << 10
    /// `PROTO_INLINE_MAX_SIZE`, and of the lines with lengths.
    static let lineLimit = 64 << 10

    enum Reading: Equatable {
        /// The arguments are filled; they end there. None where Redis answers nothing (`*0`, an empty line).
        case command(end: Int)
        /// A line with quotes or escapes in it, which ends there: its words are to be read by `words`.
        case quoted(end: Int)
        /// So many bytes of the window are needed, where that is known.
        case incomplete(upTo: Int?)
    }

    /// How far the request at the window's start was read already: arguments are not gone over again for each chunk.
    private var at = 0
    private var left = 0

    /// Reads the request at `start`; call it again with the same start when more is there.
    ///
    /// - Throws: what is no request, or beyond a limit.
    mutating func read(
        _ window: RawSpan, from start: Int, isAuthenticated: Bool, byteLimit: Int,
        into arguments: inout CommandArguments
    ) throws(WireViolation) -> Reading {
        guard let first = window.byte(at: start) else { return .incomplete(upTo: nil) }
        guard first == UInt8(ascii: "*") else { return try readLine(window, start, into: &arguments) }
        if at == 0 {
            arguments.empty()
            guard let header = try header(window, start + 1) else { return .incomplete(upTo: nil) }
            guard let count = RESP.integer(window, header), count <= CommandReader.argumentLimit.ever else {
                throw WireViolation("Protocol error: invalid multibulk length", at: start)
            }
            if count > CommandReader.argumentLimit.beforeAuthentication, !isAuthenticated {
                throw WireViolation("Protocol error: unauthenticated multibulk length", at: start)
            }
            at = header.upperBound + 2 - start
            left = max(0, count)
        }
        while left > 0 {
            guard let mark = window.byte(at: start + at) else { return .incomplete(upTo: nil) }
            guard mark == UInt8(ascii: "$") else {
                throw WireViolation("Protocol error: expected '$'", at: start + at)
            }
            guard let header = try header(window, start + at + 1) else { return .incomplete(upTo: nil) }
            guard let length = RESP.integer(window, header), length >= 0, length <= byteLimit else {
                throw WireViolation("Protocol error: invalid bulk length", at: start + at)
            }
            if length > CommandReader.bulkLimitBeforeAuthentication, !isAuthenticated {
                throw WireViolation("Protocol error: unauthenticated bulk length", at: start + at)
            }
            let content = (header.upperBound + 2)..<(header.upperBound + 2 + length)
            guard content.upperBound + 2 - start <= byteLimit else {
                throw WireViolation("a request longer than the limit", at: start)
            }
            guard let first = window.byte(at: content.upperBound), let second = window.byte(at: content.upperBound + 1)
            else { return .incomplete(upTo: content.upperBound + 2) }
            guard first == 0x0D, second == 0x0A else {
                throw WireViolation("Protocol error: expected CRLF after an argument", at: content.upperBound)
            }
            arguments.append((content.lowerBound - start)..<(content.upperBound - start))
            at = content.upperBound + 2 - start
            left -= 1
        }
        let end = start + at
        reset()
        return .command(end: end)
    }

    /// Ready for the next request.
    mutating func reset() {
        at = 0
        left = 0
    }

    /// The digits of a line that ends in CR LF, or nil where the line is not wholly there.
    private func header(_ window: RawSpan, _ start: Int) throws(WireViolation) -> Range<Int>? {
        var end = start
        while let byte = window.byte(at: end) {
            if byte == 0x0D {
                guard let next = window.byte(at: end + 1) else { return nil }
                guard next == 0x0A else { throw WireViolation("Protocol error: expected LF after CR", at: end) }
                return start..<end
            }
            end &+= 1
            if end &- start > 32 { throw WireViolation("Protocol error: too big mbulk count string", at: start) }
        }
        return nil
    }

    // MARK: Lines

    /// A line of words, as people type it into netcat (`processInlineBuffer`). Words without quotes are taken here.
    private func readLine(
        _ window: RawSpan, _ start: Int, into arguments: inout CommandArguments
    ) throws(WireViolation) -> Reading {
        arguments.empty()
        var at = start
        var wordStart: Int?
        var hasQuotes = false
        while let byte = window.byte(at: at) {
            if byte == 0x0A {
                if hasQuotes { return .quoted(end: at + 1) }
                if let wordStart { arguments.append((wordStart - start)..<(at - start)) }
                return .command(end: at + 1)
            }
            switch byte {
            case 0x20, 0x09, 0x0D:
                if let begun = wordStart { arguments.append((begun - start)..<(at - start)) }
                wordStart = nil
            case 0x22, 0x27: hasQuotes = true
            case ..<0x20, 0x7F: throw WireViolation("Protocol error: a control character in a line", at: at)
            default: if wordStart == nil { wordStart = at }
            }
            at &+= 1
            if at &- start > CommandReader.lineLimit {
                throw WireViolation("Protocol error: too big inline request", at: start)
            }
        }
        return .incomplete(upTo: nil)
    }

    /// The words of a line with quotes and escapes, as `sdssplitargs` has them; nil where a quote is not closed, or is
    /// followed by something else than a space.
    static func words(_ window: RawSpan, _ line: Range<Int>) -> [[UInt8]]? {
        var words: [[UInt8]] = []
        var at = line.lowerBound
        let end = line.upperBound
        func byte(_ at: Int) -> UInt8 { at < end ? window.byte(at: at) ?? 0x0A : 0x0A }
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        while true {
            while at < end, isSpace(byte(at)) { at += 1 }
            if at >= end { return words }
            var word: [UInt8] = []
            var quote: UInt8?
            while true {
                let next = byte(at)
                if let open = quote {
                    if at >= end { return nil }
                    if next == open {
                        guard at + 1 >= end || isSpace(byte(at + 1)) else { return nil }
                        at += 1
                        break
                    }
                    if next == UInt8(ascii: "\\"), open == UInt8(ascii: "\"") {
                        at = unescape(at, byte, into: &word)
                    } else if next == UInt8(ascii: "\\"), byte(at + 1) == UInt8(ascii: "'") {
                        word.append(UInt8(ascii: "'"))
                        at += 2
                    } else {
                        word.append(next)
                        at += 1
                    }
                    continue
                }
                if at >= end || isSpace(next) { break }
                if next == UInt8(ascii: "\"") || next == UInt8(ascii: "'") { quote = next } else { word.append(next) }
                at += 1
            }
            words.append(word)
        }
    }

    /// `\x41`, `\n`, `\r`, `\t`, `\b`, `\a`, or the character itself.
    ///
    /// - Returns: where the next character stands.
    private static func unescape(_ at: Int, _ byte: (Int) -> UInt8, into word: inout [UInt8]) -> Int {
        let next = byte(at + 1)
        if next == UInt8(ascii: "x"), let high = hexadecimal(byte(at + 2)), let low = hexadecimal(byte(at + 3)) {
            word.append(high << 4 | low)
            return at + 4
        }
        switch next {
        case UInt8(ascii: "n"): word.append(0x0A)
        case UInt8(ascii: "r"): word.append(0x0D)
        case UInt8(ascii: "t"): word.append(0x09)
        case UInt8(ascii: "b"): word.append(0x08)
        case UInt8(ascii: "a"): word.append(0x07)
        default: word.append(next)
        }
        return at + 2
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
