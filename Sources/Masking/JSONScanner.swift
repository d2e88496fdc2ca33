/// Scans one JSON document (RFC 8259, strictly) once, without a tree, and notes what the rules edit.
///
/// The only file of the engine that loads through a pointer: `at < count` stands before each load. Whatever is not exactly
/// one valid value fails.
@safe
struct JSONScanner {
    /// Arrays and objects inside each other.
    static let depthLimit = 128

    struct Edit {
        var start, end: Int
        /// Index of the rule; what replaces the range is made when the document is known to be valid.
        var rule: Int
        /// The value that the rule names, for actions that keep a part of it.
        var value: Range<Int>
        var isRemoval: Bool
    }

    private let base: UnsafePointer<UInt8>
    private let count: Int
    private let automaton: PathAutomaton
    private let drops: [Bool]
    private(set) var edits: [Edit]

    init(
        _ bytes: UnsafeRawBufferPointer, _ base: UnsafePointer<UInt8>, _ automaton: PathAutomaton, drops: [Bool],
        reusing edits: consuming [Edit]
    ) {
        unsafe self.base = base
        count = bytes.count
        self.automaton = automaton
        self.drops = drops
        self.edits = edits
        self.edits.removeAll(keepingCapacity: true)
    }

    @inline(__always) private func byte(_ at: Int) -> UInt8 { unsafe base[at] }

    /// - Returns: false where the bytes are not one JSON value.
    mutating func scan(_ states: PathAutomaton.States) -> Bool {
        guard let start = space(0), let end = value(start, states, depth: 0, removable: nil) else { return false }
        return space(end) == nil
    }

    /// The next byte that is no white space; nil at the end.
    @inline(__always)
    private func space(_ start: Int) -> Int? {
        var at = start
        while at < count {
            switch byte(at) {
            case 0x20, 0x0a, 0x0d, 0x09: at &+= 1
            default: return at
            }
        }
        return nil
    }

    /// Where a member or an element may be taken out, its comma with it.
    private struct Removable {
        var start: Int
        /// End of the last part that stays, or of the opening bracket.
        var keptEnd: Int
    }

    /// - Returns: the offset behind the value; nil where it is none.
    private mutating func value(
        _ start: Int, _ states: PathAutomaton.States, depth: Int, removable: Removable?
    ) -> Int? {
        if !states.isEmpty, let rule = automaton.accepted(states) {
            // What is inside needs no look of its own: the whole value goes.
            guard let end = value(start, .init(), depth: depth, removable: nil) else { return nil }
            let isRemoval = drops[rule] && removable != nil
            if !isRemoval { edits.append(Edit(start: start, end: end, rule: rule, value: start..<end, isRemoval: false)) }
            return end
        }
        switch byte(start) {
        case UInt8(ascii: "\""): return string(start)
        case UInt8(ascii: "{"): return depth < JSONScanner.depthLimit ? object(start, states, depth) : nil
        case UInt8(ascii: "["): return depth < JSONScanner.depthLimit ? array(start, states, depth) : nil
        case UInt8(ascii: "t"): return word(start, 0x6575_7274, 4)
        case UInt8(ascii: "n"): return word(start, 0x6c6c_756e, 4)
        case UInt8(ascii: "f"):
            guard start &+ 5 <= count, byte(start &+ 4) == UInt8(ascii: "e") else { return nil }
            return word(start, 0x736c_6166, 4).map { $0 &+ 1 }
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return number(start)
        default: return nil
        }
    }

    /// `true`, `null`, the first four of `false`: little-endian.
    @inline(__always)
    private func word(_ start: Int, _ expected: UInt32, _ length: Int) -> Int? {
        guard start &+ 4 <= count else { return nil }
        let found = unsafe UnsafeRawPointer(base + start).loadUnaligned(as: UInt32.self)
        return UInt32(littleEndian: found) == expected ? start &+ length : nil
    }

    private mutating func object(_ start: Int, _ states: PathAutomaton.States, _ depth: Int) -> Int? {
        guard var at = space(start &+ 1) else { return nil }
        if byte(at) == UInt8(ascii: "}") { return at &+ 1 }
        var keptEnd = start &+ 1
        while true {
            guard byte(at) == UInt8(ascii: "\""), let keyEnd = string(at) else { return nil }
            let memberStart = at
            guard let colon = space(keyEnd), byte(colon) == UInt8(ascii: ":"), let valueStart = space(colon &+ 1) else {
                return nil
            }
            let inner = states.isEmpty ? states : step(states, keyStart: at &+ 1, keyEnd: keyEnd &- 1)
            guard
                let end = value(
                    valueStart, inner, depth: depth &+ 1, removable: Removable(start: memberStart, keptEnd: keptEnd))
            else { return nil }
            guard let next = space(end) else { return nil }
            let isRemoved = removes(inner)
            if byte(next) == UInt8(ascii: ",") {
                guard let following = space(next &+ 1) else { return nil }
                if isRemoved { remove(memberStart, following, inner) } else { keptEnd = end }
                at = following
            } else {
                guard byte(next) == UInt8(ascii: "}") else { return nil }
                if isRemoved { remove(keptEnd, end, inner) }
                return next &+ 1
            }
        }
    }

    private mutating func array(_ start: Int, _ states: PathAutomaton.States, _ depth: Int) -> Int? {
        guard var at = space(start &+ 1) else { return nil }
        if byte(at) == UInt8(ascii: "]") { return at &+ 1 }
        var keptEnd = start &+ 1
        var index = 0
        while true {
            let inner = states.isEmpty ? states : automaton.step(states, index: index)
            guard
                let end = value(at, inner, depth: depth &+ 1, removable: Removable(start: at, keptEnd: keptEnd)),
                let next = space(end)
            else { return nil }
            let isRemoved = removes(inner)
            if byte(next) == UInt8(ascii: ",") {
                guard let following = space(next &+ 1) else { return nil }
                if isRemoved { remove(at, following, inner) } else { keptEnd = end }
                at = following
                index &+= 1
            } else {
                guard byte(next) == UInt8(ascii: "]") else { return nil }
                if isRemoved { remove(keptEnd, end, inner) }
                return next &+ 1
            }
        }
    }

    @inline(__always)
    private func removes(_ states: PathAutomaton.States) -> Bool {
        guard !states.isEmpty, let rule = automaton.accepted(states) else { return false }
        return drops[rule]
    }

    /// Notes a removal; what was noted inside of its range before goes with it.
    private mutating func remove(_ start: Int, _ end: Int, _ states: PathAutomaton.States) {
        while let last = edits.last, last.start >= start { edits.removeLast() }
        edits.append(
            Edit(start: start, end: end, rule: automaton.accepted(states) ?? 0, value: start..<end, isRemoval: true))
    }

    private func step(_ states: PathAutomaton.States, keyStart: Int, keyEnd: Int) -> PathAutomaton.States {
        let raw = unsafe UnsafeRawBufferPointer(start: base + keyStart, count: keyEnd &- keyStart)
        guard unsafe raw.contains(UInt8(ascii: "\\")) else { return unsafe automaton.step(states, key: raw) }
        let decoded = JSONScanner.unescape(unsafe Array(raw))
        return unsafe decoded.withUnsafeBytes { unsafe automaton.step(states, key: $0) }
    }

    /// The bytes that a string with escapes stands for; a lone surrogate becomes U+FFFD, as readers do.
    static func unescape(_ raw: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var at = 0
        func unit(_ from: Int) -> UInt32? {
            guard from + 6 <= raw.count, raw[from] == UInt8(ascii: "\\"), raw[from + 1] == UInt8(ascii: "u") else {
                return nil
            }
            return UInt32(String(decoding: raw[(from + 2)..<(from + 6)], as: UTF8.self), radix: 16)
        }
        while at < raw.count {
            guard raw[at] == UInt8(ascii: "\\"), at + 1 < raw.count else {
                result.append(raw[at])
                at += 1
                continue
            }
            switch raw[at + 1] {
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "t"): result.append(9)
            case UInt8(ascii: "r"): result.append(13)
            case UInt8(ascii: "b"): result.append(8)
            case UInt8(ascii: "f"): result.append(12)
            case UInt8(ascii: "u"):
                var code = unit(at) ?? 0xfffd
                var length = 6
                if (0xd800..<0xdc00).contains(code), let low = unit(at + 6), (0xdc00..<0xe000).contains(low) {
                    code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
                    length = 12
                }
                let scalar = Unicode.Scalar(code) ?? "\u{fffd}"
                result.append(contentsOf: Array(String(scalar).utf8))
                at += length
                continue
            default: result.append(raw[at + 1])
            }
            at += 2
        }
        return result
    }

    /// - Returns: the offset behind the closing quote; nil where the string is not valid (control characters, escapes that
    ///   are none, bytes that are no UTF-8).
    @inline(__always)
    private func string(_ start: Int) -> Int? {
        var at = start &+ 1
        while true {
            // Eight bytes at a time: none of them a quote, a backslash, a control character, or beyond ASCII.
            while at &+ 8 <= count {
                let word = unsafe UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self)
                let quotes = word ^ 0x2222_2222_2222_2222
                let slashes = word ^ 0x5c5c_5c5c_5c5c_5c5c
                let ones: UInt64 = 0x0101_0101_0101_0101
                let found =
                    ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes)
                    | (word &- 0x2020_2020_2020_2020) | word
                if found & 0x8080_8080_8080_8080 != 0 { break }
                at &+= 8
            }
            guard at < count else { return nil }
            switch byte(at) {
            case UInt8(ascii: "\""): return at &+ 1
            case UInt8(ascii: "\\"):
                guard let next = escape(at) else { return nil }
                at = next
            case 0x20..<0x80: at &+= 1
            case 0x80...0xff:
                guard let next = multibyte(at) else { return nil }
                at = next
            default: return nil
            }
        }
    }

    private func escape(_ at: Int) -> Int? {
        guard at &+ 1 < count else { return nil }
        switch byte(at &+ 1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return at &+ 2
        case UInt8(ascii: "u"):
            guard at &+ 6 <= count else { return nil }
            for index in 2..<6 {
                switch byte(at &+ index) {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                    UInt8(ascii: "A")...UInt8(ascii: "F"):
                    continue
                default: return nil
                }
            }
            return at &+ 6
        default: return nil
        }
    }

    /// One UTF-8 sequence beyond ASCII (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
    private func multibyte(_ at: Int) -> Int? {
        let first = byte(at)
        let length: Int
        var low: UInt8 = 0x80
        var high: UInt8 = 0xbf
        switch first {
        case 0xc2...0xdf: length = 2
        case 0xe0: (length, low) = (3, 0xa0)
        case 0xe1...0xec, 0xee...0xef: length = 3
        case 0xed: (length, high) = (3, 0x9f)
        case 0xf0: (length, low) = (4, 0x90)
        case 0xf1...0xf3: length = 4
        case 0xf4: (length, high) = (4, 0x8f)
        default: return nil
        }
        guard at &+ length <= count, (low...high).contains(byte(at &+ 1)) else { return nil }
        for index in 2..<max(2, length) where byte(at &+ index) & 0xc0 != 0x80 { return nil }
        return at &+ length
    }

    private func number(_ start: Int) -> Int? {
        var at = start
        if byte(at) == UInt8(ascii: "-") { at &+= 1 }
        guard at < count else { return nil }
        if byte(at) == UInt8(ascii: "0") { at &+= 1 } else {
            guard let end = digits(at) else { return nil }
            at = end
        }
        if at < count, byte(at) == UInt8(ascii: ".") {
            guard let end = digits(at &+ 1) else { return nil }
            at = end
        }
        if at < count, byte(at) | 0x20 == UInt8(ascii: "e") {
            at &+= 1
            if at < count, byte(at) == UInt8(ascii: "+") || byte(at) == UInt8(ascii: "-") { at &+= 1 }
            guard let end = digits(at) else { return nil }
            at = end
        }
        return at
    }

    /// At least one digit.
    @inline(__always)
    private func digits(_ start: Int) -> Int? {
        var at = start
        while at < count, byte(at) &- 48 < 10 { at &+= 1 }
        return at > start ? at : nil
    }
}
