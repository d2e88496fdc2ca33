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
    var opens = UnmaskScope.nothing
    var opensNothing: Bool { if case .nothing = opens { true } else { false } }
    /// What a record key's rules do instead.
    var isKey = false
    /// A string without its escapes; what an action has made of a text.
    var plain: [UInt8] = []
    var replaced: [UInt8] = []
    /// By slot: whose dates are moved.
    var subjects: [[UInt8]] = []
    /// Of a payload with a schema: its leaves, what becomes of them, their new texts, and the name of one.
    var leaves = LeafList()
    var leafEdits: [LeafEdit] = []
    var leafTexts: [UInt8] = []
    var leafName: [UInt8] = []
    /// How the fields of this call are read.
    var readings: [Reading] = []
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
        subjects = [[UInt8]](repeating: [], count: rules.subjectCount)
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
        if MaskingWorkspace.mayBeDocument(text) {
            if depth >= MaskingWorkspace.nestingLimit { return .failed }
            let start = output.count
            var scanner = unsafe JSONScanner(self, part, name: name, nesting: depth + 1)
            swap(&scanner.output, &output)
            let isDocument = unsafe text.withUnsafeBytes { unsafe scanner.scan($0, places) }
            swap(&scanner.output, &output)
            if isDocument {
                if scanner.edits == 0 { return .unchanged }
                return output.count > start ? .edited : .null
            }
        }
        if unsafe finds(in: text, name: name, part) { return compose(text, part, into: &output) }
        if part.detectors == nil { return .unchanged }
        return unsafe inspectBase64(text, name: name, part, places, depth: depth, into: &output)
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
                output.append(contentsOf: MaskingProfile.redacted)
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
        guard depth < MaskingWorkspace.nestingLimit, let encoding = Base64Text(text) else { return .unchanged }
        let decoded = encoding.decoded
        var masked: [UInt8] = []
        let inside = unsafe inspect(
            decoded.span.bytes, name: name, part, places, depth: depth + 1, into: &masked)
        switch inside {
        case .unchanged, .null, .failed: return inside
        case .edited:
            encoding.append(masked, to: &output)
            return .edited
        }
    }

    /// True where a lenient reader might see an object or an array.
    static func mayBeDocument(_ content: RawSpan) -> Bool {
        var at = 0
        while let byte = content.byte(at: at) {
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["): return true
            case 0...0x20, 0xef, 0xbb, 0xbf, 0xfe, 0xff: at += 1  // white space, control characters, byte order marks
            default: return false
            }
        }
        return false
    }

    /// A number of JSON, looked at as the digits that it stands for: `4.1e3` is 4100.
    /// The new one stands at the end of `replaced`.
    func inspect(
        number: RawSpan, isScaled: Bool, name: UnsafeRawBufferPointer, _ part: PartRules
    ) -> Inspection {
        if isScaled, let digits = NumberText.digits(of: number) {
            guard unsafe finds(in: digits.span.bytes, name: name, part) else { return .unchanged }
            return unsafe compose(digits.span.bytes, part)
        }
        return unsafe finds(in: number, name: name, part) ? compose(number, part) : .unchanged
    }

    /// True where the text is one value of JSON.
    func isDocument(_ text: [UInt8]) -> Bool {
        let none = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        var scanner = unsafe JSONScanner(self, PartRules(), name: none)
        return unsafe text.withUnsafeBytes { unsafe scanner.scan($0, PlaceSet()) }
    }

    /// Keeps whose dates the rules of this document move.
    func findSubjects(in content: RawSpan) {
        for slot in subjects.indices { subjects[slot].removeAll(keepingCapacity: true) }
        let none = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        var scanner = unsafe JSONScanner(self, rules.values, name: none)
        unsafe content.withUnsafeBytes { unsafe scanner.capture($0) }
    }

    /// Nothing of what was masked stays in it.
    func rest() {
        findings = nil
        trail = []
        opened = 0
        opens = .nothing
        freeLongStops()
        for slot in subjects.indices { subjects[slot].removeAll(keepingCapacity: true) }
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
