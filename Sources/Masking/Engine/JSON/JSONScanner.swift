import TidegateCore
import TidegateDetection
import TidegateWire

/// Scans one JSON document (RFC 8259, strictly) once, without a tree, and writes it anew from the first value on that a
/// rule names; what no rule names is copied byte by byte.
///
/// The only file of the engine that loads through a pointer: `at < count` stands before each load. Whatever is not exactly
/// one valid value fails, and leaves the output as it was.
@safe
struct JSONScanner {
    /// Arrays and objects inside each other.
    static let depthLimit = 128

    private let workspace: MaskingWorkspace
    private let part: PartRules
    private let rules: CompiledRules
    /// What the value is called in whom it is part of.
    private let rootName: UnsafeRawBufferPointer
    /// Texts that this document is inside of.
    private let nesting: Int
    private let explains: Bool
    private var document: UnsafeRawBufferPointer
    private var count = 0
    /// What is written.
    var output: [UInt8] = []
    /// Behind the last byte of the document that was copied or replaced.
    private var copied = 0
    /// Values replaced or taken out in this document.
    private(set) var edits: UInt32 = 0
    /// Values that could not be looked into, or be replaced as their rule says.
    private(set) var failures: UInt32 = 0
    /// Whether the last string had an escape.
    private var hasEscape = false
    /// Detectors have something to look for in this document.
    private var detects = false
    /// Values that no path names deserve a look: by their names, by their content, or inside of their strings.
    private var looks = false
    /// The name of the member that is looked at; elements have that of their array.
    private var nameStart = 0
    private var nameEnd = 0
    /// Nothing is written: what paths name is kept as subjects.
    private var isCapturing = false

    init(_ workspace: MaskingWorkspace, _ part: PartRules, name: UnsafeRawBufferPointer, nesting: Int = 0) {
        self.workspace = workspace
        self.part = part
        rules = workspace.rules
        unsafe rootName = name
        self.nesting = nesting
        explains = workspace.findings != nil
        unsafe document = UnsafeRawBufferPointer(start: nil, count: 0)
    }

    @inline(__always) private func byte(_ at: Int) -> UInt8 { unsafe document[at] }

    /// The bytes of a range that was read.
    @inline(__always)
    private func bytes(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: document[start..<end])
    }

    /// - Returns: false where the bytes are not one JSON value. Where it is true and `edits` is above 0 the document as it
    ///   is to be stands at the end of `output`.
    mutating func scan(_ document: UnsafeRawBufferPointer, _ places: PlaceSet) -> Bool {
        unsafe begin(document)
        if let detectors = part.detectors {
            detects = unsafe detectors.mayMatch(document.bytes, &workspace.detection)
            looks = true  // for base64, into which that did not look
        }
        looks = looks || !part.names.isEmpty
        let written = output.count
        if let at = space(0), let end = value(at, part.paths, places, depth: 0), space(end) == nil {
            if edits > 0 { copy(to: count) }
            return true
        }
        if output.count > written { output.removeLast(output.count - written) }
        return false
    }

    /// Keeps what the paths of `automaton` name; a document that is none keeps nothing.
    mutating func capture(_ document: UnsafeRawBufferPointer, _ automaton: borrowing PathAutomaton) {
        unsafe begin(document)
        isCapturing = true
        if let at = space(0) { _ = value(at, automaton, automaton.start, depth: 0) }
        isCapturing = false
    }

    private mutating func begin(_ document: UnsafeRawBufferPointer) {
        unsafe self.document = document
        count = document.count
        copied = 0
        edits = 0
        failures = 0
        (detects, looks) = (false, false)
        (nameStart, nameEnd) = (0, 0)
    }

    // MARK: Writing

    /// Copies what was read and not written.
    private mutating func copy(to end: Int) {
        unsafe output.append(contentsOf: bytes(copied, end))
        copied = end
    }

    /// Puts in the place of a value what its rule's action makes of it. Types hold: what is no text becomes a number again,
    /// or null.
    private mutating func replace(_ start: Int, _ end: Int, _ rule: Int) {
        if byte(start) == UInt8(ascii: "n") { return }  // null tells nothing
        if isCapturing { return keepSubject(start, end, rule) }
        if !workspace.isKey, case .nothing = workspace.opens,
            case .replacement(let replacement) = rules.actions[rule].kind
        {
            copy(to: start)
            let value = unsafe bytes(start, end).bytes
            replacement.append(json: value, to: &output)
            workspace.acted(rule, bytes: explains ? textCount(start, end) : 0)
        } else {
            guard act(start, end, rule) else { return }
        }
        copied = end
        edits &+= 1
    }

    /// - Returns: false where the value stays as it is.
    private mutating func act(_ start: Int, _ end: Int, _ rule: Int) -> Bool {
        let first = byte(start)
        let isText = first == UInt8(ascii: "\"")
        let isNumber = first == UInt8(ascii: "-") || first &- 48 < 10
        let made = workspace.replaced.count
        var outcome = MaskingWorkspace.Inspection.null
        if isText || isNumber {
            outcome = unsafe withText(start, end, isText: isText) { text, workspace in
                var replaced = workspace.takeReplaced()
                let outcome = unsafe workspace.replace(text.bytes, rule: rule, isNumber: isNumber, into: &replaced)
                workspace.replaced = replaced
                return outcome
            }
        } else {
            workspace.acted(rule)
        }
        defer { workspace.replaced.removeLast(workspace.replaced.count - made) }
        return write(outcome, from: made, isText: isText, start)
    }

    /// Writes what became of a value that begins at `start`; what was made of it stands in the workspace from `made` on.
    private mutating func write(
        _ outcome: MaskingWorkspace.Inspection, from made: Int, isText: Bool, _ start: Int
    ) -> Bool {
        switch outcome {
        case .unchanged: return false
        case .edited:
            copy(to: start)
            let text = workspace.replaced[made...]
            if isText {
                JSONEscapes.appendString(text, to: &output)
            } else if JSONEscapes.isNumber(text) {
                output.append(contentsOf: text)
            } else {
                output.append(word: JSONScanner.null)
            }
        case .null:
            copy(to: start)
            output.append(word: JSONScanner.null)
        case .failed:
            copy(to: start)
            failures &+= 1
            if isText {
                JSONEscapes.appendString(MaskingProfile.redacted[...], to: &output)
            } else {
                output.append(word: JSONScanner.null)
            }
        }
        return true
    }
    private static let null: UInt32 = 0x6c6c_756e

    /// Calls `body` with the text of a string, unescaped, or of a number.
    private func withText<Result>(
        _ start: Int, _ end: Int, isText: Bool, _ body: (UnsafeRawBufferPointer, MaskingWorkspace) -> Result
    ) -> Result {
        if !isText { return unsafe body(bytes(start, end), workspace) }
        let inside = unsafe bytes(start &+ 1, end &- 1)
        if unsafe !inside.contains(UInt8(ascii: "\\")) { return unsafe body(inside, workspace) }
        var plain = workspace.takePlain()
        unsafe JSONEscapes.appendText(of: inside, to: &plain)
        let result = unsafe plain.withUnsafeBytes { unsafe body($0, workspace) }
        workspace.plain = plain
        return result
    }

    private func textCount(_ start: Int, _ end: Int) -> Int {
        unsafe withText(start, end, isText: byte(start) == UInt8(ascii: "\"")) { text, _ in text.count }
    }

    private func keepSubject(_ start: Int, _ end: Int, _ slot: Int) {
        unsafe withText(start, end, isText: byte(start) == UInt8(ascii: "\"")) { text, workspace in
            if slot < workspace.subjects.count, workspace.subjects[slot].isEmpty {
                unsafe workspace.subjects[slot] = Array(text)
            }
        }
    }

    // MARK: What no path names

    /// True where a number may be an identifier that is written with a fraction or an exponent: its digits are not seen
    /// before they are put together.
    private func isScaled(_ start: Int, _ end: Int) -> Bool {
        guard part.detectors != nil, !isCapturing, end &- start >= NumberText.shortestScaled else { return false }
        for at in start..<end {
            switch byte(at) {
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): return true
            default: continue
            }
        }
        return false
    }

    /// True where a string may be base64: nothing but its characters at the beginning.
    @inline(__always)
    private func mayBeBase64(_ start: Int, _ end: Int) -> Bool {
        guard part.detectors != nil, end &- start >= Base64Text.shortest &+ 2 else { return false }
        for at in (start &+ 1)..<(start &+ Base64Text.shortest) {
            switch byte(at) {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "-"),
                UInt8(ascii: "_"), UInt8(ascii: "\\"):
                continue
            default: return false
            }
        }
        return true
    }

    /// Looks at a string or a number with the detectors, and for JSON in a string.
    private mutating func inspect(_ start: Int, _ end: Int, _ places: PlaceSet) {
        let isText = byte(start) == UInt8(ascii: "\"")
        let made = workspace.replaced.count
        let name = unsafe nameEnd > nameStart ? bytes(nameStart, nameEnd) : rootName
        let outcome = unsafe withText(start, end, isText: isText) { text, workspace in
            var replaced = workspace.takeReplaced()
            let outcome: MaskingWorkspace.Inspection
            if isText {
                outcome = unsafe workspace.inspect(
                    text.bytes, name: name, part, places, depth: nesting, into: &replaced)
            } else {
                outcome = unsafe workspace.inspect(number: text.bytes, name: name, part, into: &replaced)
            }
            workspace.replaced = replaced
            return outcome
        }
        if write(outcome, from: made, isText: isText, start) {
            copied = end
            edits &+= 1
        }
        workspace.replaced.removeLast(workspace.replaced.count - made)
    }

    /// True where a string begins as a document would: its first character, or an escape that may stand for it.
    @inline(__always)
    private func mayNest(_ start: Int) -> Bool {
        switch byte(start &+ 1) {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\\"), UInt8(ascii: " "), 0xef: return true
        default: return false
        }
    }

    /// Where members or elements of one object or array can be taken out, a comma with each.
    private struct Removal {
        /// Behind the last one that stays, or behind the opening bracket.
        var keptEnd: Int
        /// Where the first one began that was taken out since; -1 where none was.
        var start = -1
    }

    /// Takes a member out whose successor begins at `next`.
    private mutating func remove(_ start: Int, upTo next: Int, _ removal: inout Removal) {
        if removal.start < 0 {
            copy(to: start)
            removal.start = start
        }
        copied = next
        edits &+= 1
    }

    /// Takes the last member out, which ends at `end`, and the comma before it.
    private mutating func removeLast(upTo end: Int, _ removal: Removal) {
        if removal.start < 0 {
            copy(to: removal.keptEnd)
        } else {
            output.removeLast(removal.start &- removal.keptEnd)
        }
        copied = end
        edits &+= 1
    }

    // MARK: Reading with rules

    /// - Parameter isRemoved: the caller takes the value out, if it is one.
    /// - Returns: the offset behind the value; nil where it is none.
    private mutating func value(
        _ start: Int, _ automaton: borrowing PathAutomaton, _ places: PlaceSet, depth: Int, named: Int? = nil,
        isRemoved: Bool = false
    ) -> Int? {
        if places.isEmpty, !looks, named == nil { return skip(start, depth: depth) }
        if let rule = first(automaton.accepted(places), named) {
            // What is inside needs no look of its own: the whole value goes.
            guard let end = skip(start, depth: depth) else { return nil }
            if !isRemoved { replace(start, end, rule) }
            return end
        }
        switch byte(start) {
        case UInt8(ascii: "{"): return depth < JSONScanner.depthLimit ? object(start, automaton, places, depth) : nil
        case UInt8(ascii: "["): return depth < JSONScanner.depthLimit ? array(start, automaton, places, depth) : nil
        case UInt8(ascii: "\""):
            guard let end = skip(start, depth: depth) else { return nil }
            if detects || mayNest(start) || looks && mayBeBase64(start, end), !isCapturing {
                inspect(start, end, places)
            }
            return end
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            guard let end = skip(start, depth: depth) else { return nil }
            if detects || looks && isScaled(start, end) { inspect(start, end, places) }
            return end
        default: return skip(start, depth: depth)
        }
    }

    @inline(__always)
    private func first(_ rule: Int?, _ other: Int?) -> Int? {
        guard let other else { return rule }
        return min(rule ?? other, other)
    }

    /// Whether the rule takes out what is reached with these places.
    @inline(__always)
    private func removes(_ automaton: borrowing PathAutomaton, _ places: PlaceSet, _ named: Int?) -> Bool {
        guard rules.hasRemovals, !isCapturing, !workspace.isKey, let rule = first(automaton.accepted(places), named),
            rules.actions[rule].isRemoval
        else { return false }
        workspace.acted(rule)
        return true
    }

    private mutating func object(
        _ start: Int, _ automaton: borrowing PathAutomaton, _ places: PlaceSet, _ depth: Int
    ) -> Int? {
        guard var at = space(start &+ 1) else { return nil }
        if byte(at) == UInt8(ascii: "}") { return at &+ 1 }
        var removal = Removal(keptEnd: start &+ 1)
        while true {
            hasEscape = false
            guard byte(at) == UInt8(ascii: "\""), let keyEnd = string(at) else { return nil }
            let inner = places.isEmpty ? places : step(automaton, places, at &+ 1, keyEnd &- 1)
            let named = looks ? lookAtName(at &+ 1, keyEnd &- 1) : nil
            guard let colon = space(keyEnd), byte(colon) == UInt8(ascii: ":"), let begin = space(colon &+ 1) else {
                return nil
            }
            if explains { unsafe workspace.enter(bytes(at &+ 1, keyEnd &- 1)) }
            let isRemoved = removes(automaton, inner, named)
            if detects, !isRemoved { inspectName(at &+ 1, keyEnd &- 1) }
            guard
                let end = value(
                    begin, automaton, inner, depth: depth &+ 1, named: named, isRemoved: isRemoved),
                let next = space(end)
            else { return nil }
            if explains { workspace.leave() }
            if byte(next) == UInt8(ascii: ",") {
                guard let following = space(next &+ 1) else { return nil }
                if isRemoved { remove(at, upTo: following, &removal) } else { removal = Removal(keptEnd: end) }
                at = following
            } else {
                guard byte(next) == UInt8(ascii: "}") else { return nil }
                if isRemoved { removeLast(upTo: end, removal) }
                return next &+ 1
            }
        }
    }

    private mutating func array(
        _ start: Int, _ automaton: borrowing PathAutomaton, _ places: PlaceSet, _ depth: Int
    ) -> Int? {
        guard var at = space(start &+ 1) else { return nil }
        if byte(at) == UInt8(ascii: "]") { return at &+ 1 }
        var removal = Removal(keptEnd: start &+ 1)
        var index = 0
        while true {
            let inner = places.isEmpty ? places : automaton.step(places, index: index)
            if explains { workspace.enter(index) }
            let isRemoved = removes(automaton, inner, nil)
            guard let end = value(at, automaton, inner, depth: depth &+ 1, isRemoved: isRemoved),
                let next = space(end)
            else { return nil }
            if explains { workspace.leave() }
            if byte(next) == UInt8(ascii: ",") {
                guard let following = space(next &+ 1) else { return nil }
                if isRemoved { remove(at, upTo: following, &removal) } else { removal = Removal(keptEnd: end) }
                at = following
                index &+= 1
            } else {
                guard byte(next) == UInt8(ascii: "]") else { return nil }
                if isRemoved { removeLast(upTo: end, removal) }
                return next &+ 1
            }
        }
    }

    /// A key's places; escapes are decoded first, so that `\u006e` is `n`.
    @inline(__always)
    private func step(_ automaton: borrowing PathAutomaton, _ places: PlaceSet, _ start: Int, _ end: Int) -> PlaceSet {
        let raw = unsafe bytes(start, end)
        if !hasEscape, start &+ 8 <= count {
            let word = unsafe UInt64(littleEndian: document.loadUnaligned(fromByteOffset: start, as: UInt64.self))
            return unsafe automaton.step(places, key: raw, head: PathAutomaton.head(word, count: raw.count))
        }
        if !hasEscape { return unsafe automaton.step(places, key: raw) }
        var decoded: [UInt8] = []
        unsafe JSONEscapes.appendText(of: raw, to: &decoded)
        return unsafe decoded.withUnsafeBytes { unsafe automaton.step(places, key: $0) }
    }

    /// Remembers a member's name, and asks the rules by name.
    private mutating func lookAtName(_ start: Int, _ end: Int) -> Int? {
        (nameStart, nameEnd) = (start, end)
        if part.names.isEmpty || isCapturing { return nil }
        return unsafe withText(start &- 1, end &+ 1, isText: true) { text, _ in unsafe part.rule(forName: text) }
    }

    /// A name that detectors find something in is written anew, for it shows somebody's address as well as a value would;
    /// null is no name.
    private mutating func inspectName(_ start: Int, _ end: Int) {
        let made = workspace.replaced.count
        let outcome = unsafe withText(start &- 1, end &+ 1, isText: true) { text, workspace in
            var replaced = workspace.takeReplaced()
            let none = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
            let outcome = unsafe workspace.inspect(
                text.bytes, name: none, part, PlaceSet(), depth: nesting, into: &replaced)
            workspace.replaced = replaced
            return outcome
        }
        let told: MaskingWorkspace.Inspection = if case .null = outcome { .failed } else { outcome }
        if write(told, from: made, isText: true, start &- 1) {
            copied = end &+ 1
            edits &+= 1
        }
        workspace.replaced.removeLast(workspace.replaced.count - made)
    }

    // MARK: Reading without rules

    /// A value that no rule can reach into.
    private mutating func skip(_ start: Int, depth: Int) -> Int? {
        switch byte(start) {
        case UInt8(ascii: "\""): return string(start)
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            return depth < JSONScanner.depthLimit ? skipContainer(start, depth) : nil
        case UInt8(ascii: "t"): return word(start, 0x6575_7274, 4)
        case UInt8(ascii: "n"): return word(start, 0x6c6c_756e, 4)
        case UInt8(ascii: "f"):
            guard start &+ 5 <= count, byte(start &+ 4) == UInt8(ascii: "e") else { return nil }
            return word(start, 0x736c_6166, 5)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return number(start)
        default: return nil
        }
    }

    private mutating func skipContainer(_ start: Int, _ depth: Int) -> Int? {
        let isObject = byte(start) == UInt8(ascii: "{")
        let close = byte(start) &+ 2  // '{' and '}', '[' and ']' are two apart
        guard var at = space(start &+ 1) else { return nil }
        if byte(at) == close { return at &+ 1 }
        while true {
            if isObject {
                guard byte(at) == UInt8(ascii: "\""), let keyEnd = string(at), let colon = space(keyEnd),
                    byte(colon) == UInt8(ascii: ":"), let begin = space(colon &+ 1)
                else { return nil }
                at = begin
            }
            guard let end = skip(at, depth: depth &+ 1), let next = space(end) else { return nil }
            if byte(next) != UInt8(ascii: ",") { return byte(next) == close ? next &+ 1 : nil }
            guard let following = space(next &+ 1) else { return nil }
            at = following
        }
    }

    /// The next byte that is no white space; nil at the end.
    @inline(__always)
    private func space(_ start: Int) -> Int? {
        var at = start
        while at < count {
            let found = byte(at)
            if found > 0x20 { return at }
            guard found == 0x20 || found == 0x0a || found == 0x0d || found == 0x09 else { return at }
            at &+= 1
        }
        return nil
    }

    /// `true`, `null`, the first four of `false`: little-endian.
    @inline(__always)
    private func word(_ start: Int, _ expected: UInt32, _ length: Int) -> Int? {
        guard start &+ 4 <= count else { return nil }
        let found = unsafe document.loadUnaligned(fromByteOffset: start, as: UInt32.self)
        return UInt32(littleEndian: found) == expected ? start &+ length : nil
    }

    /// - Returns: the offset behind the closing quote; nil where the string is not valid (control characters, escapes that
    ///   are none, bytes that are no UTF-8).
    @inline(__always)
    private mutating func string(_ start: Int) -> Int? {
        var at = start &+ 1
        while true {
            // Eight bytes at a time, up to the first quote, backslash, control character, or byte beyond ASCII. A borrow
            // only reaches bytes above the first that is found.
            while at &+ 8 <= count {
                let loaded = unsafe document.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                let word = UInt64(littleEndian: loaded)
                let quotes = word ^ 0x2222_2222_2222_2222
                let slashes = word ^ 0x5c5c_5c5c_5c5c_5c5c
                let ones: UInt64 = 0x0101_0101_0101_0101
                let found =
                    ((quotes &- ones) | (slashes &- ones) | (word &- 0x2020_2020_2020_2020) | word)
                    & 0x8080_8080_8080_8080
                if found != 0 {
                    at &+= found.trailingZeroBitCount &>> 3
                    break
                }
                at &+= 8
            }
            guard at < count else { return nil }
            switch byte(at) {
            case UInt8(ascii: "\""): return at &+ 1
            case UInt8(ascii: "\\"):
                hasEscape = true
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
        if byte(at) == UInt8(ascii: "0") {
            at &+= 1
        } else {
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
