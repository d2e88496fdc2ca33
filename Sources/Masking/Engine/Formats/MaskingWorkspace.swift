import TidegateCore
import TidegateDetection
import TidegateSchemas
import TidegateWire

/// What one call of a profile works with, kept between calls so that nothing is allocated in the steady state. Used by one
/// thread at a time: whoever took it from the profile's pool.
@safe
final class MaskingWorkspace: @unchecked Sendable {  // whoever has taken it from the pool is alone with it
    /// Texts inside of texts (JSON in a string, base64) that are looked into.
    static let nestingLimit = 3

    let rules: CompiledRules
    /// By rule, each behind a reference: an action is many references, which would be counted whenever it is copied.
    let acts: [Act]
    private let keyActs: [Act?]
    let splices: Splices
    var detection = DetectionPass()
    /// How often each rule, then each detector acted since they were taken.
    var counted: [UInt64]
    /// Tokens opened in this call.
    var opened: UInt32 = 0
    /// Values that could not be looked into, in documents inside of this field's text.
    private var nestedFailures: UInt32 = 0
    var opens = UnmaskScope.nothing
    var opensNothing: Bool { if case .nothing = opens { true } else { false } }
    /// What a record key's rules do instead.
    var isKey = false
    /// Something in the key could neither be shown nor be made a token.
    var isKeyLost = false
    /// The field was given up as a whole.
    var hasFailed = false
    /// A string without its escapes; what an action has made of a text.
    var plain: [UInt8] = []
    var replaced: [UInt8] = []
    /// A name that is put together, a text that is decoded, the digits of a number.
    private var room: [UInt8] = []
    /// Whose dates are moved.
    let subjects: DateSubjects
    /// Of a payload with a schema: its leaves, what becomes of them, their new texts, and the name of one.
    var leaves = LeafList()
    var leafEdits: [LeafEdit] = []
    var leafTexts: [UInt8] = []
    var leafName: [UInt8] = []
    /// The leaves that say whose dates it has.
    var subjectLeaves = LeafList()
    /// How the fields of this call are read.
    var readings: [Reading] = []
    /// What the registry says in this call.
    var schemas = SchemaAnswers()
    /// How many documents are scanned, inside of each other, and what each is scanned with.
    private var scans = 0
    private var stops: [UnsafeMutableBufferPointer<UInt64>] = unsafe []
    private var marks: [[UInt64]] = []
    /// Only where somebody asked.
    var findings: [MaskingFinding]?
    /// The place in the document, where findings are asked for.
    var trail: [String] = []

    init(_ rules: CompiledRules) {
        self.rules = rules
        acts = rules.actions.map { Act($0) }
        keyActs = rules.keyActions.map { $0.map { Act($0) } }
        splices = Splices(rules.actions)
        counted = [UInt64](repeating: 0, count: rules.tallies.rules.count + rules.tallies.detectors.count)
        subjects = DateSubjects(slots: rules.subjectCount)
    }

    final class Act {
        let action: CompiledAction
        let isNull: Bool
        let replacement: Replacement?
        /// What stands for any text, where it is the same for all.
        let text: [UInt8]?

        init(_ action: CompiledAction) {
            self.action = action
            isNull = action.isNull
            replacement = if case .replacement(let replacement) = action.kind { replacement } else { nil }
            if let replacement, case .nothing = replacement.kept {
                var text: [UInt8] = []
                replacement.append(text: RawSpan(), to: &text)
                self.text = text
            } else {
                text = nil
            }
        }
    }

    enum Inspection {
        case unchanged
        /// The new text stands at the end of the output.
        case edited
        /// Nothing may be shown of it.
        case null
        /// It could not be looked into.
        case failed
    }

    // MARK: A place that a rule names

    /// Makes what stands for a whole text that a rule names.
    ///
    /// - Returns: `unchanged` where the text is an opened or a token already.
    func replace(_ text: RawSpan, rule: Int, isNumber: Bool = false, into output: inout [UInt8]) -> Inspection {
        let action = isKey ? rules.keyActions[rule] : rules.actions[rule]
        guard let action else { return .failed }
        if case .nothing = opens {
        } else {
            switch action.open(text, isNumber: isNumber, opens, into: &output) {
            case .opened:
                opened &+= 1
                note(rule, text, "open")
                return .edited
            case .clear: return .unchanged
            case .notOpenable: break
            }
        }
        counted[rule] &+= 1
        note(rule, text, action.word)
        if action.isNull { return .null }
        let start = output.count
        if action.append(text, isNumber: isNumber, subjects, into: &output) { return .edited }
        if output.count > start { output.removeLast(output.count - start) }
        return .failed
    }

    private func note(_ rule: Int, _ text: RawSpan, _ word: String) {
        if findings == nil { return }
        findings?.append(
            MaskingFinding(
                path: path, rule: rule, detector: nil, start: 0, end: text.byteCount, confidence: 100, action: word))
    }

    // MARK: Text that detectors look at

    /// Looks at a text that no rule names: JSON in it, what detectors find, base64 of either.
    ///
    /// - Parameters:
    ///   - name: of the field; the best context that a detector has.
    ///   - places: what paths wait for inside, where it is JSON.
    func inspect(
        _ text: RawSpan, name: UnsafeRawBufferPointer, _ part: PartRules, _ places: PlaceSet, depth: Int,
        into output: inout [UInt8]
    ) -> Inspection {
        if NestedDocument.mayBe(text) || NestedDocument.mayBeString(text) {
            if depth >= MaskingWorkspace.nestingLimit { return .failed }
            if let inspection = unsafe scan(text, name: name, part, places, depth: depth, into: &output) {
                return inspection
            }
        } else if !places.isEmpty || !part.names.isEmpty, NestedDocument.looksBroken(text) {
            return .failed
        }
        if unsafe finds(in: text, name: name, part) { return compose(text, part, into: &output) }
        if part.detectors == nil { return .unchanged }
        if unsafe text.withUnsafeBytes({ unsafe NumberText.isScaled($0) }) {
            var digits = takeRoom()
            defer { give(room: &digits) }
            if NumberText.append(digitsOf: text, to: &digits), unsafe finds(in: digits.span.bytes, name: name, part) {
                // Two ways to write a number are two keys.
                return isKey ? .failed : unsafe compose(digits.span.bytes, part, into: &output)
            }
        }
        return unsafe inspectBase64(text, name: name, part, places, depth: depth, into: &output)
    }

    /// Looks into a text that may be a document.
    ///
    /// - Returns: nil where it is none, nor anything that a lenient reader could take for one and find more in than the
    ///   detectors do, who look at it as text.
    private func scan(
        _ text: RawSpan, name: UnsafeRawBufferPointer, _ part: PartRules, _ places: PlaceSet, depth: Int,
        into output: inout [UInt8]
    ) -> Inspection? {
        let start = output.count
        let (entered, found, failures) = (trail.count, findings?.count ?? 0, nestedFailures)
        var scanner = unsafe JSONScanner(self, part, name: name, nesting: depth + 1)
        swap(&scanner.output, &output)
        let isDocument = unsafe text.withUnsafeBytes { unsafe scanner.scan($0, places) }
        swap(&scanner.output, &output)
        if isDocument {
            nestedFailures &+= scanner.failures
            if scanner.edits == 0 { return .unchanged }
            return output.count > start ? .edited : .null
        }
        nestedFailures = failures
        if findings != nil {
            trail.removeLast(trail.count - entered)
            let surplus = (findings?.count ?? found) - found
            findings?.removeLast(surplus)
        }
        if scanner.isTooDeep { return .failed }
        if !places.isEmpty || !part.names.isEmpty, NestedDocument.looksBroken(text) { return .failed }
        if part.detectors != nil, NestedDocument.hasEscape(text) {
            var plain: [UInt8] = []
            unsafe text.withUnsafeBytes { unsafe JSONEscapes.appendText(of: $0, to: &plain) }
            let seen = unsafe finds(in: text, name: name, part) ? detection.findings.count : 0
            if unsafe finds(in: plain.span.bytes, name: name, part), detection.findings.count > seen { return .failed }
        }
        return nil
    }

    /// True where detectors find something: `detection.findings`.
    @inline(__always)
    func finds(in text: RawSpan, name: UnsafeRawBufferPointer, _ part: PartRules) -> Bool {
        guard let detectors = part.detectors else { return false }
        unsafe detectors.find(in: text, name: name.bytes, &detection)
        return detection.findings.count > 0
    }

    /// Replaces what was found; the new text stands at the end of `replaced`.
    func compose(_ text: RawSpan, _ part: PartRules) -> Inspection {
        var output = takeReplaced()
        let outcome = compose(text, part, into: &output)
        swap(&output, &replaced)
        return outcome
    }

    /// Replaces what was found, each piece by its rule's action.
    private func compose(_ text: RawSpan, _ part: PartRules, into output: inout [UInt8]) -> Inspection {
        var copied = 0
        var isNull = false
        for index in 0..<detection.findings.count {
            let finding = detection.findings[index]
            let (start, end) = (Int(finding.start), Int(finding.end))
            guard start >= copied, end <= text.byteCount, start < end else { continue }
            let rule = part.detectorRules[Int(finding.detector)]
            let act = isKey ? keyActs[rule] : acts[rule]
            if case .nothing = opens {
            } else if act?.action.isOpen(to: opens) == true {
                continue
            }
            found(rule, tally: part.detectorTallies[Int(finding.detector)])
            if findings != nil {
                findings?.append(
                    MaskingFinding(
                        path: path, rule: rule, detector: part.detectorNames[Int(finding.detector)],
                        start: start, end: end, confidence: Int(finding.confidence),
                        action: act?.action.word ?? "redact"))
            }
            output.append(bytes: text.extracting(copied..<start))
            copied = end
            guard let act else {
                // Two keys would become one.
                isKeyLost = true
                continue
            }
            if act.isNull {
                isNull = true
                continue
            }
            if let text = act.text {
                output.append(contentsOf: text)
                continue
            }
            let before = output.count
            if !act.action.append(text.extracting(start..<end), isNumber: false, subjects, into: &output) {
                output.removeLast(output.count - before)
                output.append(contentsOf: MaskingProfile.redacted)
            }
        }
        if isNull { return .null }
        if copied == 0 { return .unchanged }
        output.append(bytes: text.extracting(copied..<text.byteCount))
        return .edited
    }

    /// A text that is base64 of something to be masked is masked inside.
    private func inspectBase64(
        _ text: RawSpan, name: UnsafeRawBufferPointer, _ part: PartRules, _ places: PlaceSet, depth: Int,
        into output: inout [UInt8]
    ) -> Inspection {
        let hasPatterns = part.detectors?.hasPatterns == true
        guard unsafe text.withUnsafeBytes({ unsafe Base64Text.mayBe($0, anything: hasPatterns) }) else {
            return .unchanged
        }
        var decoded = takeRoom()
        defer { give(room: &decoded) }
        guard let encoding = Base64Text(text, into: &decoded) else { return .unchanged }
        let isText = (try? UTF8Span(validating: decoded.span)) != nil
        if !isText || depth >= MaskingWorkspace.nestingLimit {
            // What is found there could not be replaced, and what may be in there still deeper nobody looks for.
            if unsafe finds(in: decoded.span.bytes, name: name, part) { return .failed }
            return isText && Base64Text.isReadable(decoded) ? .failed : .unchanged
        }
        var masked: [UInt8] = []
        let inside = unsafe inspect(
            decoded.span.bytes, name: name, part, places, depth: depth + 1, into: &masked)
        switch inside {
        case .unchanged, .null, .failed: return inside
        case .edited:
            if isKey { return .failed }
            encoding.append(masked, to: &output)
            return .edited
        }
    }

    /// A number of JSON, looked at as the digits that it stands for: `4.1e3` is 4100.
    /// The new one stands at the end of `replaced`.
    func inspect(
        number: RawSpan, isScaled: Bool, name: UnsafeRawBufferPointer, _ part: PartRules
    ) -> Inspection {
        if isScaled {
            var digits = takeRoom()
            defer { give(room: &digits) }
            if NumberText.append(digitsOf: number, to: &digits) {
                guard unsafe finds(in: digits.span.bytes, name: name, part) else { return .unchanged }
                return unsafe compose(digits.span.bytes, part)
            }
        }
        return unsafe finds(in: number, name: name, part) ? compose(number, part) : .unchanged
    }

    /// True where the text is one value of JSON.
    func isDocument(_ text: [UInt8]) -> Bool {
        let none = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        var scanner = unsafe JSONScanner(self, PartRules(), name: none)
        return unsafe text.withUnsafeBytes { unsafe scanner.scan($0, PlaceSet()) }
    }

    /// Keeps what the paths of subjects name in a field of the record: itself, or what is in it where it is a document.
    func keepSubjects(_ text: [UInt8], _ places: PlaceSet) {
        let named = rules.values.subjects.allAccepted(places)
        for slot in 0..<DateSubjects.limit where named &>> UInt32(slot) & 1 != 0 {
            unsafe text.withUnsafeBytes { unsafe subjects.keep($0, slot: slot) }
        }
        guard unsafe NestedDocument.mayBe(text.span.bytes) else { return }
        let none = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        var scanner = unsafe JSONScanner(self, rules.values, name: none)
        subjects.next = places
        unsafe text.withUnsafeBytes { unsafe scanner.findSubjects(inField: $0) }
    }

    /// Appends the token of all of a key's bytes, or of a value's in it.
    ///
    /// - Returns: false where there is no key material for it: the record must go.
    func appendWholeKey(_ bytes: RawSpan, to output: inout [UInt8]) -> Bool {
        guard let action = rules.wholeKey, action.append(bytes, isNumber: false, subjects, into: &output) else {
            isKeyLost = true
            return false
        }
        return true
    }

    /// Nothing of what was masked stays in it.
    func rest() {
        findings = nil
        trail = []
        opened = 0
        nestedFailures = 0
        opens = .nothing
        schemas.removeAll()
        freeLongStops()
        subjects.rest()
        plain.rest()
        replaced.rest()
        leafEdits.rest()
        leafTexts.rest()
        leafName.rest()
        readings.rest()
        leaves.rest()
        subjectLeaves.rest()
        detection.rest()
    }

    /// - Parameter bytes: of the value's text, where findings are asked for.
    func acted(_ rule: Int, bytes: Int = 0) {
        counted[rule] &+= 1
        guard findings != nil else { return }
        let action = isKey ? rules.keyActions[rule] : rules.actions[rule]
        findings?.append(
            MaskingFinding(
                path: path, rule: rule, detector: nil, start: 0, end: bytes, confidence: 100,
                action: action?.word ?? "redact"))
    }

    /// Counts a find of a detector.
    func found(_ rule: Int, tally: Int) {
        counted[rule] &+= 1
        counted[rules.tallies.rules.count &+ tally] &+= 1
    }

    func takePlain() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &plain)
        taken.removeAll(keepingCapacity: true)
        return taken
    }

    func takeNestedFailures() -> UInt32 {
        defer { nestedFailures = 0 }
        return nestedFailures
    }

    func takeRoom() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &room)
        return taken
    }

    func give(room given: inout [UInt8]) {
        given.removeAll(keepingCapacity: given.capacity <= 1 << 20)
        swap(&given, &room)
    }

    /// What is there stays: texts inside of texts write behind each other.
    func takeReplaced() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &replaced)
        return taken
    }

    /// Room for so many words, until `endStops`; what is in it is not known. A document inside of another has its own.
    func beginStops(_ count: Int) -> UnsafeMutablePointer<UInt64>? {
        if unsafe stops.count == scans { unsafe stops.append(UnsafeMutableBufferPointer(start: nil, count: 0)) }
        if unsafe stops[scans].count < count {
            unsafe stops[scans].deallocate()
            unsafe stops[scans] = UnsafeMutableBufferPointer.allocate(capacity: max(16, count + count / 2))
        }
        scans += 1
        return unsafe stops[scans - 1].baseAddress
    }

    func endStops() { scans -= 1 }

    /// Gives back what an uncommonly long document took.
    private func freeLongStops() {
        for index in unsafe stops.indices where unsafe stops[index].count > MaskingWorkspace.keptWords {
            unsafe stops[index].deallocate()
            unsafe stops[index] = UnsafeMutableBufferPointer(start: nil, count: 0)
        }
    }

    deinit {
        splices.deallocate()
        for index in unsafe stops.indices { unsafe stops[index].deallocate() }
    }

    /// Which blocks of the document detectors may find something in; nil where none is.
    func takeMarks(_ document: RawSpan, _ detectors: DetectorSet) -> [UInt64]? {
        if let kept = marks.popLast() { detection.marks = kept }
        let isMarked = detectors.mark(document, &detection)
        var taken: [UInt64] = []
        swap(&taken, &detection.marks)
        if isMarked { return taken }
        marks.append(taken)
        return nil
    }

    /// Bytes of room that is kept between calls, and those of them that hold something.
    var roomAtRest: (all: Int, used: Int) {
        let texts = [plain, replaced, room, leafTexts, leafName]
        let (subjects, detection, leaves) = (subjects.room, detection.room, (self.leaves.room, subjectLeaves.room))
        return (
            texts.reduce(0) { $0 + $1.capacity } + subjects.all + detection.all + leaves.0.all + leaves.1.all
                + leafEdits.capacity * MemoryLayout<LeafEdit>.stride
                + readings.capacity * MemoryLayout<Reading>.stride,
            texts.reduce(0) { $0 + $1.count } + subjects.used + detection.used + leaves.0.used + leaves.1.used
                + leafEdits.count + readings.count
        )
    }

    func give(marks given: consuming [UInt64]) {
        if given.count <= MaskingWorkspace.keptWords { marks.append(given) }
    }
    /// Of documents of 4 MiB.
    private static let keptWords = 1 << 16

    // MARK: Explaining

    func enter(_ name: UnsafeRawBufferPointer) {
        var text: [UInt8] = []
        unsafe JSONEscapes.appendText(of: name, to: &text)
        let part = String(decoding: text, as: UTF8.self)
        trail.append(part.contains(where: { ".[\"*".contains($0) }) || part.isEmpty ? "\"\(part)\"" : part)
    }

    func enter(_ index: Int) { trail.append("[\(index)]") }
    func leave() { trail.removeLast() }

    var path: String {
        trail.reduce(into: "") { path, part in
            path += part.hasPrefix("[") || path.isEmpty ? part : "." + part
        }
    }
}
