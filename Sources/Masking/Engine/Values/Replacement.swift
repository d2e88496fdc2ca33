import TidegateCore
import TidegateWire

/// What stands in the place of a value that a rule names, made ready when the profile is compiled.
struct Replacement: Sendable {
    enum Kept: Sendable {
        case nothing
        case first(Int)
        case last(Int)
    }

    let kept: Kept
    /// The member or element goes, where there is one around the value.
    let isRemoval: Bool
    /// Nothing at all is left of text that is not JSON, such as a header.
    let isNull: Bool
    /// For a string in JSON, quotes and all; for text.
    let json: [UInt8]
    private let text: [UInt8]

    /// A text stands for the whole of any text.
    var isText: Bool { if case .nothing = kept { !isNull } else { false } }

    private static let star = UInt8(ascii: "*")
    private static let quote = UInt8(ascii: "\"")
    private static let stars: UInt32 = 0x2a2a_2a2a

    init(_ action: MaskingAction) {
        var kept = Kept.nothing
        var json = Array("null".utf8)
        var text: [UInt8] = []
        switch action {
        case .redact(let words):
            json = []
            JSONText.append(words, to: &json)
            text = Array(words.utf8)
        case .keepFirst(let count): kept = .first(count)
        case .keepLast(let count): kept = .last(count)
        case .nullify, .drop, .email, .bucket, .coarsen, .shiftDate, .token: break
        }
        self.kept = kept
        self.json = json
        self.text = text
        isRemoval = action == .drop
        isNull = action == .drop || action == .nullify
    }

    /// Appends what stands for a JSON value; of anything but a string no part is kept, and its type goes to null.
    func append(json value: RawSpan, to output: inout [UInt8]) {
        guard value.byte(at: 0) == Replacement.quote, value.byteCount >= 2 else {
            output.append(word: 0x6c6c_756e)
            return
        }
        if case .nothing = kept {
            unsafe output.append(bytes: json.span.bytes)
            return
        }
        output.append(Replacement.quote)
        append(part: value.extracting(1..<(value.byteCount - 1)), isJSON: true, to: &output)
        output.append(Replacement.quote)
    }

    /// Appends what stands for plain text.
    func append(text value: RawSpan, to output: inout [UInt8]) {
        if case .nothing = kept {
            unsafe output.append(bytes: text.span.bytes)
        } else {
            append(part: value, isJSON: false, to: &output)
        }
    }

    /// Four stars and the part that stays. What is no longer than that part is starred whole. What looks masked already
    /// stays as it is, so that masking twice is masking once: no more of it is shown than the rule lets through.
    private func append(part value: RawSpan, isJSON: Bool, to output: inout [UInt8]) {
        switch kept {
        case .nothing: return
        case .first(let count):
            let end = Replacement.keptEnd(of: value, first: count, isJSON: isJSON)
            output.append(bytes: value.extracting(0..<end))
            output.append(word: Replacement.stars)
        case .last(let count):
            output.append(word: Replacement.stars)
            let start = Replacement.keptStart(of: value, last: count, isJSON: isJSON)
            output.append(bytes: value.extracting(start..<value.byteCount))
        }
    }

    /// Behind the first bytes that stay, which stars follow.
    static func keptEnd(of value: RawSpan, first count: Int, isJSON: Bool) -> Int {
        let end = Characters.end(of: count, in: value, isJSON: isJSON)
        let isMasked =
            value.byteCount >= 4 && end >= value.byteCount - 4
            && value.littleEndian(UInt32.self, at: value.byteCount - 4) == Replacement.stars
        if isMasked { return value.byteCount - 4 }
        return end < value.byteCount ? end : 0
    }

    /// Where the last bytes begin that stay, which stars stand before.
    static func keptStart(of value: RawSpan, last count: Int, isJSON: Bool) -> Int {
        let start = Characters.start(of: count, in: value, isJSON: isJSON)
        let isMasked = start <= 4 && value.littleEndian(UInt32.self, at: 0) == Replacement.stars
        if isMasked { return 4 }
        return start > 0 ? start : value.byteCount
    }
}

/// Characters as a reader counts them: Unicode scalars. In JSON an escape is one, and a pair of surrogates is one.
enum Characters {
    /// The offset behind the first `count` characters; the end where there are no more.
    static func end(of count: Int, in value: RawSpan, isJSON: Bool) -> Int {
        var at = 0
        for _ in 0..<count where at < value.byteCount { at = next(value, at, isJSON) }
        return at
    }

    /// The offset of the last `count` characters; 0 where there are no more.
    static func start(of count: Int, in value: RawSpan, isJSON: Bool) -> Int {
        if isPlain(value) { return max(0, value.byteCount - count) }
        var behind = end(of: count, in: value, isJSON: isJSON)
        var at = 0
        while behind < value.byteCount {
            behind = next(value, behind, isJSON)
            at = next(value, at, isJSON)
        }
        return at
    }

    /// True where each byte is a character: ASCII without escapes.
    @inline(__always)
    private static func isPlain(_ value: RawSpan) -> Bool {
        unsafe value.withUnsafeBytes { raw in
            var others: UInt8 = 0
            for at in 0..<raw.count {
                let byte = unsafe raw[at]
                others |= byte & 0x80 | (byte == UInt8(ascii: "\\") ? 1 : 0)
            }
            return others == 0
        }
    }

    private static func next(_ value: RawSpan, _ at: Int, _ isJSON: Bool) -> Int {
        guard let byte = value.byte(at: at) else { return value.byteCount }
        if byte == UInt8(ascii: "\\"), isJSON {
            guard let unit = unit(value, at) else { return min(value.byteCount, at + 2) }
            if unit & 0xfc00 == 0xd800, let low = self.unit(value, at + 6), low & 0xfc00 == 0xdc00 { return at + 12 }
            return at + 6
        }
        var end = at + 1
        // Text need not be UTF-8: only what continues a sequence belongs to it, so that nothing hides behind a lead byte.
        if byte >= 0xc0 {
            while end < at + 4, let following = value.byte(at: end), following & 0xc0 == 0x80 { end += 1 }
        }
        return end
    }

    /// The UTF-16 unit that `\u` and four digits at that place stands for.
    private static func unit(_ value: RawSpan, _ at: Int) -> UInt16? {
        guard value.byte(at: at) == UInt8(ascii: "\\"), value.byte(at: at + 1) == UInt8(ascii: "u") else { return nil }
        var unit: UInt16 = 0
        for index in 2..<6 {
            guard let digit = value.byte(at: at + index) else { return nil }
            let letter = digit | 0x20
            unit = unit &<< 4 | UInt16(digit < 0x3a ? digit &- 0x30 : letter &- 87)
        }
        return unit
    }
}

extension [UInt8] {
    /// Appends four bytes, the lowest first.
    mutating func append(word: UInt32) {
        unsafe Swift.withUnsafeBytes(of: word.littleEndian) { unsafe append(contentsOf: $0) }
    }
}
