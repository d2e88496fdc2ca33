import CByteClasses
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

    /// No built-in detector knows a number of fewer digits.
    private static let shortestNumber = 7

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
    /// Where strings may end, a bit for each byte of the document: `tidegate_json_stops`.
    private var stops: UnsafeBufferPointer<UInt64>
    /// Where detectors may find something, a bit for each 64 bytes: `DetectorSet.mark`.
    private var marks: [UInt64] = []
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
    /// Detectors have something to look for in this document: where there are marks.
    private var detects = false
    /// Values that no path names deserve a look: by their names, by their content, or inside of their strings.
    private var looks = false
    /// The rules have names that are patterns.
    private let hasNames: Bool
    /// The detectors include patterns of users.
    private let hasPatterns: Bool
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
        hasNames = !part.names.isEmpty
        hasPatterns = part.detectors?.hasPatterns == true
        unsafe document = UnsafeRawBufferPointer(start: nil, count: 0)
        unsafe stops = UnsafeBufferPointer(start: nil, count: 0)
    }

    // What is called for each member is `mutating` even where it changes nothing: a call of another method copies all of
    // the scanner first.

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
            if let taken = unsafe workspace.takeMarks(document.bytes, detectors) {
                marks = taken
                detects = true
            }
            looks = true  // for base64, into which that did not look
        }
        looks = looks || hasNames
        let written = output.count
        let isWhole = withStops { scanner in
            guard let at = scanner.space(0),
                let end = scanner.value(at, places, depth: 0)
            else { return false }
            return scanner.space(end) == nil
        }
        if detects {
            var taken: [UInt64] = []
            swap(&taken, &marks)
            workspace.give(marks: taken)
        }
        if isWhole {
            if edits > 0 { copy(to: count) }
            return true
        }
        if output.count > written { output.removeLast(output.count - written) }
        return false
    }

    /// Keeps what the paths of subjects name; a document that is none keeps nothing.
    mutating func capture(_ document: UnsafeRawBufferPointer) {
        unsafe begin(document)
        isCapturing = true
        _ = withStops { scanner in
            guard let at = scanner.space(0) else { return false }
            return scanner.value(at, scanner.rules.subjects.start, depth: 0) != nil
        }
        isCapturing = false
    }

    /// Calls `body` while `stops` says where the document's strings may end.
    private mutating func withStops(_ body: (inout JSONScanner) -> Bool) -> Bool {
        let words = (count &+ 63) &>> 6
        let room = unsafe workspace.beginStops(words)
        defer { workspace.endStops() }
        guard let room = unsafe room, let bytes = unsafe document.baseAddress else { return false }
        unsafe tidegate_json_stops(bytes.assumingMemoryBound(to: UInt8.self), count, room)
        unsafe stops = UnsafeBufferPointer(start: room, count: words)
        let result = body(&self)
        unsafe stops = UnsafeBufferPointer(start: nil, count: 0)
        return result
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
        if !workspace.isKey, case .nothing = workspace.opens, let replacement = workspace.acts[rule].replacement {
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
    private mutating func withText<Result>(
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

    private mutating func textCount(_ start: Int, _ end: Int) -> Int {
        unsafe withText(start, end, isText: byte(start) == UInt8(ascii: "\"")) { text, _ in text.count }
    }

    private mutating func keepSubject(_ start: Int, _ end: Int, _ slot: Int) {
        unsafe withText(start, end, isText: byte(start) == UInt8(ascii: "\"")) { text, workspace in
            if slot < workspace.subjects.count, workspace.subjects[slot].isEmpty {
                unsafe workspace.subjects[slot] = Array(text)
            }
        }
    }

    // MARK: What no path names

    /// True where a number may be an identifier that is written with a fraction or an exponent: its digits are not seen
    /// before they are put together.
    private mutating func isScaled(_ start: Int, _ end: Int) -> Bool {
        guard part.detectors != nil, !isCapturing, end &- start >= NumberText.shortestScaled else { return false }
        for at in start..<end {
            switch byte(at) {
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): return true
            default: continue
            }
        }
        return false
    }

    /// True where a string may be base64 of a text: its first sixteen characters are, and stand for bytes of UTF-8.
    private mutating func mayBeBase64(_ start: Int, _ end: Int) -> Bool {
        guard end &- start >= Base64Text.shortest &+ 2 else { return false }
        var word: UInt32 = 0
        var continuing = 0
        for index in 1...Base64Text.shortest {
            let byte = byte(start &+ index)
            let sextet: UInt8
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): sextet = byte &- 71
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): sextet = byte &- 65
            case UInt8(ascii: "0")...UInt8(ascii: "9"): sextet = byte &+ 4
            case UInt8(ascii: "+"), UInt8(ascii: "-"): sextet = 62
            case UInt8(ascii: "/"), UInt8(ascii: "_"): sextet = 63
            case UInt8(ascii: "\\"): return true
            case UInt8(ascii: "="): return index &+ 2 >= end &- start &- 1
            default: return false
            }
            word = word &<< 6 | UInt32(sextet)
            guard index & 3 == 0 else { continue }
            for place in 0..<3 {
                let decoded = UInt8(truncatingIfNeeded: word &>> UInt32(16 &- 8 &* place))
                if decoded < 0x80 {
                    let isText = decoded >= 0x20 || decoded == 9 || decoded == 10 || decoded == 13
                    if continuing > 0 || !isText { return false }
                } else if decoded < 0xc0 {
                    if continuing == 0 { return false }
                    continuing &-= 1
                } else {
                    if continuing > 0 || decoded > 0xf4 { return false }
                    continuing = decoded < 0xe0 ? 1 : decoded < 0xf0 ? 2 : 3
                }
            }
        }
        return true
    }

    /// True where detectors may find something in what stands there: a block that it touches is marked.
    @inline(__always)
    private mutating func isMarked(_ start: Int, _ end: Int) -> Bool {
        if !detects { return false }
        var block = start &>> 6
        let last = (end &- 1) &>> 6
        while block <= last {
            let bits = marks[block &>> 6] &>> UInt64(block & 63)
            if bits & 1 != 0 { return true }
            block &+= 1
        }
        return false
    }

    /// Looks at a string or a number with the detectors, for JSON in a string, and for base64.
    private mutating func inspect(_ start: Int, _ end: Int, _ places: PlaceSet) {
        let name = unsafe nameEnd > nameStart ? bytes(nameStart, nameEnd) : rootName
        if byte(start) == UInt8(ascii: "\"") {
            unsafe inspectText(start, end, name, places)
            return
        }
        let made = workspace.replaced.count
        let outcome = unsafe workspace.inspect(
            number: bytes(start, end).bytes, isScaled: isScaled(start, end), name: name, part)
        finish(outcome, from: made, isText: false, start, end)
    }

    /// Looks at a string: the last one that was read.
    ///
    /// - Returns: what became of it.
    private mutating func inspectText(
        _ start: Int, _ end: Int, _ name: UnsafeRawBufferPointer, _ places: PlaceSet, isName: Bool = false
    ) {
        let inside = unsafe bytes(start &+ 1, end &- 1)
        let isPlain = !hasEscape && !mayNest(start)
        if isPlain {
            // Most have nothing in them.
            let isFound = unsafe isMarked(start, end) && workspace.finds(in: inside.bytes, name: name, part)
            if !isFound, !mayBeBase64(start, end) { return }
            if isFound {
                let made = workspace.replaced.count
                let outcome = unsafe workspace.compose(inside.bytes, part)
                return finish(outcome, from: made, isText: true, isName: isName, start, end)
            }
        }
        let made = workspace.replaced.count
        let (part, depth) = (part, nesting)
        let outcome = unsafe withText(start, end, isText: true) { text, workspace in
            var replaced = workspace.takeReplaced()
            let outcome = unsafe workspace.inspect(text.bytes, name: name, part, places, depth: depth, into: &replaced)
            workspace.replaced = replaced
            return outcome
        }
        finish(outcome, from: made, isText: true, isName: isName, start, end)
    }

    /// Writes what became of what stands there; null is no name.
    private mutating func finish(
        _ outcome: MaskingWorkspace.Inspection, from made: Int, isText: Bool, isName: Bool = false, _ start: Int,
        _ end: Int
    ) {
        var outcome = outcome
        if isName, case .null = outcome { outcome = .failed }
        if write(outcome, from: made, isText: isText, start) {
            copied = end
            edits &+= 1
        }
        workspace.replaced.removeLast(workspace.replaced.count - made)
    }

    /// True where a string begins as a document would: its first character, or an escape that may stand for it.
    @inline(__always)
    private mutating func mayNest(_ start: Int) -> Bool {
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
        _ start: Int, _ places: PlaceSet, depth: Int, named: Int? = nil, isRemoved: Bool = false
    ) -> Int? {
        if places.isEmpty, !looks, named == nil {
            return byte(start) == UInt8(ascii: "\"") ? string(start) : skip(start, depth: depth)
        }
        if let rule = first(accepted(places), named) {
            // What is inside needs no look of its own: the whole value goes.
            guard let end = skip(start, depth: depth) else { return nil }
            if !isRemoved { replace(start, end, rule) }
            return end
        }
        switch byte(start) {
        case UInt8(ascii: "{"): return depth < JSONScanner.depthLimit ? object(start, places, depth) : nil
        case UInt8(ascii: "["): return depth < JSONScanner.depthLimit ? array(start, places, depth) : nil
        case UInt8(ascii: "\""):
            hasEscape = false
            guard let end = string(start) else { return nil }
            if isLookedAt(start, end), !isCapturing { inspect(start, end, places) }
            return end
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            guard let end = skip(start, depth: depth) else { return nil }
            if looks, !isCapturing, end &- start >= JSONScanner.shortestNumber || hasPatterns,
                isMarked(start, end) || isScaled(start, end)
            {
                inspect(start, end, places)
            }
            return end
        default: return skip(start, depth: depth)
        }
    }

    /// A string or a name that detectors, or rules inside of it, may have to do with.
    @inline(__always)
    private mutating func isLookedAt(_ start: Int, _ end: Int) -> Bool {
        if mayNest(start) { return true }
        if isMarked(start, end), hasPatterns || !isWords(start, end) { return true }
        return looks && part.detectors != nil && mayBeBase64(start, end)
    }

    /// True for few letters and nothing else: no built-in detector knows such a value.
    @inline(__always)
    private mutating func isWords(_ start: Int, _ end: Int) -> Bool {
        guard end &- start < 18 else { return false }
        var at = start &+ 1
        while at < end &- 1 {
            let byte = byte(at)
            guard (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "_") || byte == 0x20 else {
                return false
            }
            at &+= 1
        }
        return true
    }

    @inline(__always)
    private func first(_ rule: Int?, _ other: Int?) -> Int? {
        guard let other else { return rule }
        return min(rule ?? other, other)
    }

    /// Whether the rule takes out what is reached with these places.
    @inline(__always)
    private mutating func removes(_ places: PlaceSet, _ named: Int?) -> Bool {
        guard rules.hasRemovals, !isCapturing, !workspace.isKey, let rule = first(accepted(places), named),
            rules.actions[rule].isRemoval
        else { return false }
        workspace.acted(rule)
        return true
    }

    private mutating func object(_ start: Int, _ places: PlaceSet, _ depth: Int) -> Int? {
        guard var at = space(start &+ 1) else { return nil }
        if byte(at) == UInt8(ascii: "}") { return at &+ 1 }
        var removal = Removal(keptEnd: start &+ 1)
        while true {
            hasEscape = false
            guard byte(at) == UInt8(ascii: "\""), let keyEnd = string(at) else { return nil }
            let inner = places.isEmpty ? places : step(places, at &+ 1, keyEnd &- 1)
            let keyHasEscape = hasEscape
            let named = looks ? lookAtName(at &+ 1, keyEnd &- 1) : nil
            guard let colon = space(keyEnd), byte(colon) == UInt8(ascii: ":"), let begin = space(colon &+ 1) else {
                return nil
            }
            if explains { unsafe workspace.enter(bytes(at &+ 1, keyEnd &- 1)) }
            let isRemoved = removes(inner, named)
            if looks, !isRemoved, !isCapturing, part.detectors != nil, isLookedAt(at, keyEnd) {
                // It shows somebody's address as well as a value would.
                hasEscape = keyHasEscape
                let none = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
                unsafe inspectText(at, keyEnd, none, PlaceSet(), isName: true)
            }
            guard
                let end = value(
                    begin, inner, depth: depth &+ 1, named: named, isRemoved: isRemoved),
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

    private mutating func array(_ start: Int, _ places: PlaceSet, _ depth: Int) -> Int? {
        guard var at = space(start &+ 1) else { return nil }
        if byte(at) == UInt8(ascii: "]") { return at &+ 1 }
        var removal = Removal(keptEnd: start &+ 1)
        var index = 0
        while true {
            let inner = places.isEmpty ? places : step(places, index)
            if explains { workspace.enter(index) }
            let isRemoved = removes(inner, nil)
            guard let end = value(at, inner, depth: depth &+ 1, isRemoved: isRemoved),
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
    private mutating func step(_ places: PlaceSet, _ start: Int, _ end: Int) -> PlaceSet {
        let raw = unsafe bytes(start, end)
        if hasEscape || start &+ 8 > count || isCapturing { return unsafe stepSlowly(places, raw) }
        let word = unsafe UInt64(littleEndian: document.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        return unsafe part.paths.step(places, key: raw, head: PathAutomaton.head(word, count: raw.count))
    }

    @inline(never)
    private mutating func stepSlowly(_ places: PlaceSet, _ raw: UnsafeRawBufferPointer) -> PlaceSet {
        var decoded: [UInt8] = []
        unsafe JSONEscapes.appendText(of: raw, to: &decoded)
        return unsafe decoded.withUnsafeBytes {
            unsafe isCapturing ? rules.subjects.step(places, key: $0) : part.paths.step(places, key: $0)
        }
    }

    private mutating func step(_ places: PlaceSet, _ index: Int) -> PlaceSet {
        isCapturing ? rules.subjects.step(places, index: index) : part.paths.step(places, index: index)
    }

    /// The first rule whose path ends here.
    @inline(__always)
    private mutating func accepted(_ places: PlaceSet) -> Int? {
        if places.isEmpty { return nil }
        return isCapturing ? rules.subjects.accepted(places) : part.paths.accepted(places)
    }

    /// Remembers a member's name, and asks the rules by name.
    private mutating func lookAtName(_ start: Int, _ end: Int) -> Int? {
        (nameStart, nameEnd) = (start, end)
        if !hasNames || isCapturing { return nil }
        let part = part
        return unsafe withText(start &- 1, end &+ 1, isText: true) { text, _ in unsafe part.rule(forName: text) }
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
            // Most are strings: without a call.
            let behind = byte(at) == UInt8(ascii: "\"") ? string(at) : skip(at, depth: depth &+ 1)
            guard let end = behind, let next = space(end) else { return nil }
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
            guard at < count else { return nil }
            var block = at &>> 6
            var left = unsafe stops[block] &>> UInt64(at & 63)
            if left == 0 {
                repeat {
                    block &+= 1
                    guard block &<< 6 < count else { return nil }
                    unsafe left = stops[block]
                } while left == 0
                at = block &<< 6
            }
            at &+= left.trailingZeroBitCount
            switch byte(at) {
            case UInt8(ascii: "\""): return at &+ 1
            case UInt8(ascii: "\\"):
                hasEscape = true
                guard let next = escape(at) else { return nil }
                at = next
            case 0x80...0xff:
                guard let next = multibyte(at) else { return nil }
                at = next
            default: return nil
            }
        }
    }

    private mutating func escape(_ at: Int) -> Int? {
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
    private mutating func multibyte(_ at: Int) -> Int? {
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

    private mutating func number(_ start: Int) -> Int? {
        if start &+ 8 <= count {
            // A few digits, which end in the same eight bytes: most numbers. A carry only reaches bytes behind the first
            // that is no digit.
            let loaded = unsafe document.loadUnaligned(fromByteOffset: start, as: UInt64.self)
            let word = UInt64(littleEndian: loaded) ^ 0x3030_3030_3030_3030
            let others = ((word &+ 0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080
            if others != 0, word & 0xff != 0 || others & 0x8000 != 0 {
                let end = start &+ others.trailingZeroBitCount &>> 3
                let next = byte(end)
                if end > start, next != UInt8(ascii: "."), next | 0x20 != UInt8(ascii: "e") { return end }
            }
        }
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
