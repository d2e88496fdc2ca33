public import TidegateCore
import TidegateWire

/// A compiled masking profile: JSON by path, spliced, failing closed.
///
/// First version: detectors, tokens, other formats come with the masking engine; they are further ways to find ranges and
/// to make replacements, behind the same call.
public final class MaskingProfile: Masker {
    public let name: String
    private let onFailure: MaskingOnFailure
    private let actions: [MaskingAction]
    private let drops: [Bool]
    private let values: PathAutomaton
    private let headers: PathAutomaton
    private static let stars = Array("****".utf8)

    /// - Throws: the first rule that cannot be compiled, what is wrong with it, and what would be right.
    public init(_ settings: MaskingProfileSettings) throws(MaskingSettingsError) {
        name = settings.name
        onFailure = settings.onFailure
        actions = settings.rules.map(\.action)
        drops = settings.rules.map { $0.action == .drop }
        var values = PathAutomaton(), headers = PathAutomaton()
        for (index, rule) in settings.rules.enumerated() {
            let path: FieldPath
            switch FieldPath.parse(rule.field) {
            case .success(let parsed): path = parsed
            case .failure(let error):
                throw MaskingSettingsError(
                    rule: index, message: error.message, suggestion: "a path such as card.number, **.email or items[*].sku")
            }
            switch rule.action {
            case .keepFirst(let count), .keepLast(let count):
                guard count >= 1, count <= 1024 else {
                    throw MaskingSettingsError(
                        rule: index, message: "\(count) characters cannot be kept", suggestion: "a number from 1 to 1024")
                }
            case .redact, .nullify, .drop: break
            }
            if rule.parts.contains(.key) {
                throw MaskingSettingsError(
                    rule: index,
                    message: "a record key is masked with an injective action only, and this version has none",
                    suggestion: "leave 'key' out of 'in'; keys are then left as they are")
            }
            var hasRoom = true
            if rule.parts.contains(.value) { hasRoom = values.add(path, rule: index) && hasRoom }
            if rule.parts.contains(.header) { hasRoom = headers.add(path, rule: index) && hasRoom }
            guard hasRoom else {
                throw MaskingSettingsError(
                    rule: index, message: "the profile's paths have more than \(PathAutomaton.limit) parts in all",
                    suggestion: "fewer or shorter paths; ** stands for many")
            }
        }
        self.values = values
        self.headers = headers
    }

    public func mask(
        _ fields: Span<MaskField>, in bytes: RawSpan, into scratch: inout [UInt8], outcomes: inout [MaskOutcome],
        counters: inout MaskCounters
    ) -> Bool {
        var edits: [JSONScanner.Edit] = []
        for index in fields.indices {
            let field = fields[index]
            guard bytes.holds(field.range), bytes.holds(field.name) else {
                outcomes.append(.dropRecord)
                continue
            }
            let content = bytes.extracting(field.range)
            switch field.part {
            case .key: outcomes.append(.unchanged)
            case .value:
                outcomes.append(
                    values.isEmpty ? .unchanged : document(content, values, values.start, &edits, &scratch, &counters))
            case .header:
                outcomes.append(header(content, bytes.extracting(field.name), &edits, &scratch, &counters))
            }
        }
        return true
    }

    /// A header: its name is the first part of a path; what follows it looks into its value, where that is JSON.
    private func header(
        _ content: RawSpan, _ name: RawSpan, _ edits: inout [JSONScanner.Edit], _ scratch: inout [UInt8],
        _ counters: inout MaskCounters
    ) -> MaskOutcome {
        if headers.isEmpty { return .unchanged }
        let states = unsafe name.withUnsafeBytes { unsafe headers.step(headers.start, key: $0) }
        if states.isEmpty { return .unchanged }
        if let rule = headers.accepted(states) {
            counters.maskedFields &+= 1
            return text(content, actions[rule], &scratch)
        }
        // Only a document can hold what the rest of the path names.
        guard let first = content.byte(at: 0), first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else {
            return .unchanged
        }
        return document(content, headers, states, &edits, &scratch, &counters)
    }

    private func document(
        _ content: RawSpan, _ automaton: PathAutomaton, _ states: PathAutomaton.States,
        _ edits: inout [JSONScanner.Edit], _ scratch: inout [UInt8], _ counters: inout MaskCounters
    ) -> MaskOutcome {
        let isValid = unsafe content.withUnsafeBytes { raw -> Bool in
            guard let base = unsafe raw.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
            var scanner = unsafe JSONScanner(raw, base, automaton, drops: drops, reusing: edits)
            let isValid = scanner.scan(states)
            edits = scanner.edits
            return isValid
        }
        guard isValid else {
            counters.failures &+= 1
            switch onFailure {
            case .redactValue:
                let start = scratch.count
                scratch.append(contentsOf: Array("\"[redacted]\"".utf8))
                return .edited(start..<scratch.count)
            case .dropRecord: return .dropRecord
            case .pass: return .unchanged
            }
        }
        if edits.isEmpty { return .unchanged }
        let start = scratch.count
        var at = 0
        for edit in edits {
            scratch.append(bytes: content.extracting(at..<edit.start))
            if !edit.isRemoval { replace(content, edit, &scratch) }
            at = edit.end
        }
        scratch.append(bytes: content.extracting(at..<content.byteCount))
        counters.maskedFields &+= UInt32(clamping: edits.count)
        return .edited(start..<scratch.count)
    }

    /// Writes what stands instead of a value.
    private func replace(_ content: RawSpan, _ edit: JSONScanner.Edit, _ scratch: inout [UInt8]) {
        let isString = content.byte(at: edit.start) == UInt8(ascii: "\"")
        let inside = isString ? (edit.start + 1)..<(edit.end - 1) : 0..<0
        switch actions[edit.rule] {
        case .redact(let text) where isString: JSONText.append(text, to: &scratch)
        case .keepFirst(let count) where isString:
            scratch.append(UInt8(ascii: "\""))
            if let kept = MaskingProfile.prefix(count, of: content, inside) { scratch.append(bytes: content.extracting(kept)) }
            scratch.append(contentsOf: MaskingProfile.stars)
            scratch.append(UInt8(ascii: "\""))
        case .keepLast(let count) where isString:
            scratch.append(UInt8(ascii: "\""))
            scratch.append(contentsOf: MaskingProfile.stars)
            if let kept = MaskingProfile.suffix(count, of: content, inside) { scratch.append(bytes: content.extracting(kept)) }
            scratch.append(UInt8(ascii: "\""))
        case .redact, .keepFirst, .keepLast, .nullify, .drop: scratch.append(contentsOf: Array("null".utf8))
        }
    }

    /// A header's value, which is plain text.
    private func text(_ content: RawSpan, _ action: MaskingAction, _ scratch: inout [UInt8]) -> MaskOutcome {
        let start = scratch.count
        let whole = 0..<content.byteCount
        switch action {
        case .redact(let text): scratch.append(contentsOf: Array(text.utf8))
        case .nullify, .drop: return .null
        case .keepFirst(let count):
            if let kept = MaskingProfile.prefix(count, of: content, whole) { scratch.append(bytes: content.extracting(kept)) }
            scratch.append(contentsOf: MaskingProfile.stars)
        case .keepLast(let count):
            scratch.append(contentsOf: MaskingProfile.stars)
            if let kept = MaskingProfile.suffix(count, of: content, whole) { scratch.append(bytes: content.extracting(kept)) }
        }
        return .edited(start..<scratch.count)
    }

    /// The first characters of a string, as they are written; nil where that would be all of it.
    private static func prefix(_ count: Int, of content: RawSpan, _ range: Range<Int>) -> Range<Int>? {
        var at = range.lowerBound
        for _ in 0..<count {
            guard at < range.upperBound else { return nil }
            at = next(content, at, range.upperBound)
        }
        return at < range.upperBound ? range.lowerBound..<at : nil
    }

    /// The last characters of a string, as they are written; nil where that would be all of it.
    private static func suffix(_ count: Int, of content: RawSpan, _ range: Range<Int>) -> Range<Int>? {
        var starts: [Int] = []
        var at = range.lowerBound
        while at < range.upperBound {
            starts.append(at)
            at = next(content, at, range.upperBound)
        }
        return starts.count > count ? starts[starts.count - count]..<range.upperBound : nil
    }

    /// The offset behind one character: a UTF-8 sequence, an escape, or two that make a pair.
    private static func next(_ content: RawSpan, _ at: Int, _ end: Int) -> Int {
        guard let byte = content.byte(at: at) else { return end }
        var length: Int
        switch byte {
        case UInt8(ascii: "\\"):
            guard content.byte(at: at + 1) == UInt8(ascii: "u") else {
                length = 2
                break
            }
            length = 6
            if let high = content.byte(at: at + 2), high | 0x20 == UInt8(ascii: "d"),
                let digit = content.byte(at: at + 3), [UInt8(ascii: "8"), 57, 97, 98, 65, 66].contains(digit),
                content.byte(at: at + 6) == UInt8(ascii: "\\"), content.byte(at: at + 7) == UInt8(ascii: "u")
            {
                length = 12
            }
        case 0xc0...0xdf: length = 2
        case 0xe0...0xef: length = 3
        case 0xf0...0xff: length = 4
        default: length = 1
        }
        return min(end, at + length)
    }

    // MARK: The command line

    /// Masks one line of `tidegate mask`.
    ///
    /// - Parameter isJSON: text has no paths: under path rules it cannot be looked into, and `onFailure` applies.
    /// - Returns: nil where the line is dropped.
    public func mask(line: [UInt8], isJSON: Bool) -> [UInt8]? {
        var scratch: [UInt8] = []
        var counters = MaskCounters()
        var edits: [JSONScanner.Edit] = []
        if !isJSON, !values.isEmpty {
            switch onFailure {
            case .redactValue: return Array("[redacted]".utf8)
            case .dropRecord: return nil
            case .pass: return line
            }
        }
        let outcome = unsafe document(line.span.bytes, values, values.start, &edits, &scratch, &counters)
        switch outcome {
        case .unchanged: return line
        case .edited(let range): return Array(scratch[range])
        case .null: return Array("null".utf8)
        case .dropRecord: return nil
        }
    }
}
