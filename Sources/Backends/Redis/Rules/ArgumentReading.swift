import TidegateCore
import TidegateWire

extension GrammarFailure {
    // The words of Redis, which clients and its own tests look for.
    static let count = GrammarFailure("wrong number of arguments")
    static let syntax = GrammarFailure("syntax error")
    static let integer = GrammarFailure("value is not an integer or out of range")
    static let timeout = GrammarFailure("timeout is not a float or out of range")
    static let entry = GrammarFailure("Invalid stream ID specified as stream command argument")
}

/// A word that may stand behind a command's fixed arguments, and what must follow it.
struct CommandOption: Sendable {
    let word: StaticString
    /// Whole numbers right behind it.
    var integers = 0
    /// Arguments of any form behind those.
    var others = 0

    init(_ word: StaticString, integers: Int = 0, others: Int = 0) {
        self.word = word
        self.integers = integers
        self.others = others
    }
}

extension CommandArguments {
    func holds(_ counts: ClosedRange<Int>) throws(GrammarFailure) {
        guard counts.contains(count) else { throw .count }
    }

    /// A whole number that is not negative.
    @discardableResult
    func natural(_ index: Int, _ bytes: RawSpan) throws(GrammarFailure) -> Int {
        guard let value = integer(index, bytes), value >= 0 else { throw .integer }
        return value
    }

    /// Options from an argument to the end, each at most once, in any order.
    ///
    /// Redis lets some be said twice (the last one counts); nobody needs that, and it is where readers come to differ.
    ///
    /// - Returns: bit `n` is set where `options[n]` stands there.
    @discardableResult
    func options(
        _ options: [CommandOption], from start: Int, _ bytes: RawSpan
    ) throws(GrammarFailure) -> UInt32 {
        var given: UInt32 = 0
        var at = start
        while at < count {
            guard let found = options.firstIndex(where: { isWord(at, $0.word, bytes) }) else { throw .syntax }
            let bit = UInt32(1) << UInt32(truncatingIfNeeded: found)
            guard given & bit == 0 else { throw .syntax }
            given |= bit
            at += 1
            for _ in 0..<options[found].integers {
                guard at < count else { throw .syntax }
                guard integer(at, bytes) != nil else { throw .integer }
                at += 1
            }
            at += options[found].others
            guard at <= count else { throw .syntax }
        }
        return given
    }

    /// The number of names that stands at `index`, followed by so many at least.
    func numberOfNames(_ index: Int, _ bytes: RawSpan) throws(GrammarFailure) -> Int {
        guard let number = integer(index, bytes) else { throw .integer }
        guard number > 0, number <= count - index - 1 else { throw .syntax }
        return number
    }

    /// Seconds as `12` or `0.5`. Redis takes what `strtold` takes; other forms are refused, so that the limit that is
    /// set on it is the one that the server reads.
    func seconds(_ index: Int, _ bytes: RawSpan) throws(GrammarFailure) -> CommandRequest.Wait {
        let range = self[index]
        var hasPoint = false
        var digits = 0
        guard range.count <= 20 else { throw .timeout }
        for at in range {
            guard let byte = bytes.byte(at: at) else { throw .timeout }
            if byte == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
            } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                digits += 1
            } else {
                throw .timeout
            }
        }
        guard digits > 0 else { throw .timeout }
        return CommandRequest.Wait(argument: index, unit: .seconds)
    }

    // MARK: Entry ids

    /// True where the argument is that one byte.
    func isByte(_ index: Int, _ byte: Unicode.Scalar, _ bytes: RawSpan) -> Bool {
        self[index].count == 1 && bytes.byte(at: self[index].lowerBound) == UInt8(ascii: byte)
    }

    /// An entry's id: `ms-seq`, or `ms`, which stands for `ms-0`.
    ///
    /// Redis also takes what `strtoull` takes (`+5`, ` 5`); those are refused.
    func entry(_ index: Int, _ bytes: RawSpan) throws(GrammarFailure) -> Position {
        guard let position = CommandArguments.entry(self[index], bytes) else { throw .entry }
        return position
    }

    /// An end of a range: an id, `(id`, `-` or `+`.
    func bound(_ index: Int, _ bytes: RawSpan) throws(GrammarFailure) -> Position {
        if isByte(index, "-", bytes) { return Position(major: 0, minor: 0) }
        if isByte(index, "+", bytes) { return Position(major: .max, minor: .max) }
        var range = self[index]
        if range.count > 1, bytes.byte(at: range.lowerBound) == UInt8(ascii: "(") {
            range = (range.lowerBound + 1)..<range.upperBound
        }
        guard let position = CommandArguments.entry(range, bytes) else { throw .entry }
        return position
    }

    private static func entry(_ range: Range<Int>, _ bytes: RawSpan) -> Position? {
        // Redis copies an id into 128 bytes.
        guard !range.isEmpty, range.count < 128 else { return nil }
        var major: UInt64 = 0
        var minor: UInt64?
        var digits = 0
        for at in range {
            guard let byte = bytes.byte(at: at) else { return nil }
            if byte == UInt8(ascii: "-"), minor == nil, digits > 0 {
                minor = 0
                digits = 0
                continue
            }
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            digits += 1
            let (product, high) = (minor ?? major).multipliedReportingOverflow(by: 10)
            let (sum, low) = product.addingReportingOverflow(UInt64(byte &- UInt8(ascii: "0")))
            if high || low { return nil }
            if minor == nil { major = sum } else { minor = sum }
        }
        guard digits > 0 else { return nil }
        return Position(major: major, minor: minor ?? 0)
    }
}
