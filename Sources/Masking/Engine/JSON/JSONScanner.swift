import CByteClasses
import TidegateCore
import TidegateDetection
import TidegateWire

/// Scans one JSON document (RFC 8259, strictly) once, without a tree, and writes it anew from the first value on that a
/// rule names; what no rule names is copied byte by byte.
///
/// The only type of the engine that loads through a pointer: `at < count` stands before each load. Whatever is not exactly
/// one valid value fails, and leaves the output as it was.
@safe
struct JSONScanner {
    /// Arrays and objects inside each other.
    static let depthLimit = 128

    /// No built-in detector knows a number of fewer digits.
    static let shortestNumber = 7

    let workspace: MaskingWorkspace
    let part: PartRules
    let rules: CompiledRules
    /// What the value is called in whom it is part of.
    let rootName: UnsafeRawBufferPointer
    /// Texts that this document is inside of.
    let nesting: Int
    let explains: Bool
    var document: UnsafeRawBufferPointer
    var count = 0
    /// Where strings may end, a bit for each byte of the document: `tidegate_json_stops`.
    var stops: UnsafeBufferPointer<UInt64>
    /// Where detectors may find something, a bit for each 64 bytes: `DetectorSet.mark`.
    var marks: [UInt64] = []
    /// What is written.
    var output: [UInt8] = []
    /// Behind the last byte of the document that was copied or replaced.
    var copied = 0
    /// Values replaced or taken out in this document.
    var edits: UInt32 = 0
    /// Values that could not be looked into, or be replaced as their rule says.
    var failures: UInt32 = 0
    /// The document was given up for its depth.
    var isTooDeep = false
    /// Whether the last string had an escape.
    var hasEscape = false
    /// Detectors have something to look for in this document: where there are marks.
    var detects = false
    /// Values that no path names deserve a look: by their names, by their content, or inside of their strings.
    var looks = false
    /// The rules have names that are patterns.
    let hasNames: Bool
    /// The detectors include patterns of users.
    let hasPatterns: Bool
    /// The name of the member that is looked at; elements have that of their array.
    var nameStart = 0
    var nameEnd = 0
    /// The name of the object that it is a member of.
    var ownerStart = 0
    var ownerEnd = 0
    /// Some name of the document had an escape.
    var namesHaveEscapes = false

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

    @inline(__always) func byte(_ at: Int) -> UInt8 { unsafe document[at] }

    /// The bytes of a range that was read.
    @inline(__always)
    func bytes(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
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
        var hasSubjects = false
        let isWhole = withStops { scanner in
            guard let at = scanner.space(0) else { return false }
            hasSubjects = scanner.findSubjects(at)
            guard let end = scanner.value(at, places, depth: 0, named: scanner.part.everything)
            else { return false }
            return scanner.space(end) == nil
        }
        if hasSubjects { workspace.subjects.endDocument() }
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

    /// Calls `body` while `stops` says where the document's strings may end.
    mutating func withStops(_ body: (inout JSONScanner) -> Bool) -> Bool {
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

    mutating func begin(_ document: UnsafeRawBufferPointer) {
        unsafe self.document = document
        count = document.count
        copied = 0
        edits = 0
        failures = 0
        (detects, looks, isTooDeep) = (false, false, false)
        (nameStart, nameEnd) = (0, 0)
        (ownerStart, ownerEnd) = (0, 0)
        namesHaveEscapes = false
    }

    // MARK: Reading with rules

    /// - Parameter isRemoved: the caller takes the value out, if it is one.
    /// - Returns: the offset behind the value; nil where it is none.
    mutating func value(
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
        case UInt8(ascii: "{"):
            guard depth < JSONScanner.depthLimit else { return tooDeep() }
            return looks ? namedObject(start, places, depth) : object(start, places, depth)
        case UInt8(ascii: "["): return depth < JSONScanner.depthLimit ? array(start, places, depth) : tooDeep()
        case UInt8(ascii: "\""):
            hasEscape = false
            guard let end = string(start) else { return nil }
            if isLookedAt(start, end) { inspect(start, end, places) }
            return end
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            guard let end = skip(start, depth: depth) else { return nil }
            if looks, end &- start >= JSONScanner.shortestNumber || hasPatterns,
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
    mutating func isLookedAt(_ start: Int, _ end: Int) -> Bool {
        if mayNest(start) { return true }
        if isMarked(start, end), hasPatterns || !isWords(start, end) { return true }
        return looks && part.detectors != nil && mayBeBase64(start, end)
    }

    /// True for few letters and nothing else: no built-in detector knows such a value.
    @inline(__always)
    mutating func isWords(_ start: Int, _ end: Int) -> Bool {
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
    func first(_ rule: Int?, _ other: Int?) -> Int? {
        guard let other else { return rule }
        return min(rule ?? other, other)
    }

    /// Whether the rule takes out what is reached with these places.
    @inline(__always)
    mutating func removes(_ places: PlaceSet, _ named: Int?) -> Bool {
        guard rules.hasRemovals, !workspace.isKey, let rule = first(accepted(places), named),
            rules.actions[rule].isRemoval
        else { return false }
        workspace.acted(rule)
        return true
    }

    mutating func object(_ start: Int, _ places: PlaceSet, _ depth: Int) -> Int? {
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
            if looks, !isRemoved, part.detectors != nil, isLookedAt(at, keyEnd) {
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

    mutating func array(_ start: Int, _ places: PlaceSet, _ depth: Int) -> Int? {
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
    mutating func step(_ places: PlaceSet, _ start: Int, _ end: Int) -> PlaceSet {
        let raw = unsafe bytes(start, end)
        if hasEscape || start &+ 8 > count { return unsafe stepSlowly(places, raw) }
        let word = unsafe UInt64(littleEndian: document.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        return unsafe part.paths.step(places, key: raw, head: PathAutomaton.head(word, count: raw.count))
    }

    @inline(never)
    mutating func stepSlowly(_ places: PlaceSet, _ raw: UnsafeRawBufferPointer) -> PlaceSet {
        var decoded: [UInt8] = []
        unsafe JSONEscapes.appendText(of: raw, to: &decoded)
        return unsafe decoded.withUnsafeBytes {
            unsafe part.paths.step(places, key: $0)
        }
    }

    mutating func step(_ places: PlaceSet, _ index: Int) -> PlaceSet {
        part.paths.step(places, index: index)
    }

    /// The first rule whose path ends here.
    @inline(__always)
    mutating func accepted(_ places: PlaceSet) -> Int? {
        places.isEmpty ? nil : part.paths.accepted(places)
    }

    /// Remembers a member's name, and asks the rules by name.
    mutating func lookAtName(_ start: Int, _ end: Int) -> Int? {
        (nameStart, nameEnd) = (start, end)
        if hasEscape { namesHaveEscapes = true }
        if !hasNames { return nil }
        let part = part
        return unsafe withText(start &- 1, end &+ 1, isText: true) { text, _ in unsafe part.rule(forName: text) }
    }
}
