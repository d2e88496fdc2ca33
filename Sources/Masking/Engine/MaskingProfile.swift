public import TidegateCore
import TidegateWire

/// A compiled masking profile: JSON by path, spliced, failing closed.
///
/// First version: detectors, tokens, other formats come with the masking engine; they are further ways to find ranges and
/// to make replacements, behind the same call.
public final class MaskingProfile: Masker {
    public let name: String
    /// What deserves a look although it compiles: rules that can never act, or act otherwise than they seem to.
    public let warnings: [MaskingWarning]
    private let onFailure: MaskingOnFailure
    private let rules: CompiledRules

    /// - Throws: every rule that cannot be compiled, what is wrong with it, and what would be right.
    public init(_ settings: MaskingProfileSettings) throws(MaskingSettingsErrors) {
        name = settings.name
        onFailure = settings.onFailure
        var paths: [FieldPath] = []
        var errors: [MaskingSettingsError] = []
        var values = PathAutomaton()
        var headers = PathAutomaton()
        var hadRoom = true
        for (index, rule) in settings.rules.enumerated() {
            func fail(_ message: String, _ suggestion: String) {
                errors.append(MaskingSettingsError(rule: index, message: message, suggestion: suggestion))
            }
            switch rule.action {
            case .keepFirst(let count), .keepLast(let count):
                if count < 1 || count > 1024 { fail("\(count) characters cannot be kept", "a number from 1 to 1024") }
            case .redact, .nullify, .drop: break
            }
            if rule.parts.contains(.key) {
                fail(
                    "a record key is masked with an injective action only, and this version has none",
                    "leave 'key' out of 'in'; keys are then left as they are")
            }
            switch FieldPath.parse(rule.field) {
            case .success(let path):
                paths.append(path)
                var hasRoom = true
                if rule.parts.contains(.value) { hasRoom = values.add(path, rule: index) && hasRoom }
                if rule.parts.contains(.header) { hasRoom = headers.add(path, rule: index) && hasRoom }
                // Told at the first that has none: those behind it would have none either.
                if !hasRoom, hadRoom {
                    fail(
                        "the profile's paths have more than \(PathAutomaton.limit) parts in all",
                        "fewer or shorter paths; ** stands for many")
                }
                hadRoom = hadRoom && hasRoom
            case .failure(let error): fail(error.message, "a path such as card.number, **.email or items[*].sku")
            }
        }
        if !errors.isEmpty { throw MaskingSettingsErrors(errors) }
        rules = CompiledRules(values, headers, settings.rules.map { Replacement($0.action) })
        warnings = MaskingWarning.all(settings.rules, paths)
    }

    public func mask(
        _ fields: Span<MaskField>, in bytes: RawSpan, into scratch: inout [UInt8], outcomes: inout [MaskOutcome],
        counters: inout MaskCounters
    ) -> Bool {
        var scanner = JSONScanner(rules)
        swap(&scanner.output, &scratch)
        for index in fields.indices {
            let field = fields[index]
            guard bytes.holds(field.range), bytes.holds(field.name) else {
                outcomes.append(.dropRecord)
                continue
            }
            switch field.part {
            case .key: outcomes.append(.unchanged)
            case .value where rules.values.isEmpty: outcomes.append(.unchanged)
            case .value:
                outcomes.append(
                    document(bytes.extracting(field.range), rules.values, rules.values.start, &scanner, &counters))
            case .header:
                outcomes.append(
                    header(bytes.extracting(field.range), bytes.extracting(field.name), &scanner, &counters))
            }
        }
        swap(&scanner.output, &scratch)
        return true
    }

    /// A header: its name is the first part of a path; what follows it looks into its value, where that is JSON.
    private func header(
        _ content: RawSpan, _ name: RawSpan, _ scanner: inout JSONScanner, _ counters: inout MaskCounters
    ) -> MaskOutcome {
        if rules.headers.isEmpty { return .unchanged }
        let places = unsafe name.withUnsafeBytes { unsafe rules.headers.step(rules.headers.start, key: $0) }
        if places.isEmpty { return .unchanged }
        guard let rule = rules.headers.accepted(places) else {
            return MaskingProfile.looksLikeDocument(content)
                ? document(content, rules.headers, places, &scanner, &counters) : .unchanged
        }
        counters.maskedFields &+= 1
        if rules.replacements[rule].isNull { return .null }
        let start = scanner.output.count
        rules.replacements[rule].append(text: content, to: &scanner.output)
        return .edited(start..<scanner.output.count)
    }

    /// True where a lenient reader might see an object or an array: what the rest of a path names can be nowhere else.
    private static func looksLikeDocument(_ content: RawSpan) -> Bool {
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

    private func document(
        _ content: RawSpan, _ automaton: borrowing PathAutomaton, _ places: PlaceSet, _ scanner: inout JSONScanner,
        _ counters: inout MaskCounters
    ) -> MaskOutcome {
        let start = scanner.output.count
        guard unsafe content.withUnsafeBytes({ unsafe scanner.scan($0, automaton, places) }) else {
            counters.failures &+= 1
            switch onFailure {
            case .redactValue:
                counters.maskedFields &+= 1
                unsafe scanner.output.append(bytes: MaskingProfile.redactedJSON.span.bytes)
                return .edited(start..<scanner.output.count)
            case .dropRecord: return .dropRecord
            case .pass: return .unchanged
            }
        }
        if scanner.edits == 0 { return .unchanged }
        counters.maskedFields &+= scanner.edits
        return .edited(start..<scanner.output.count)
    }

    /// What stands for a document that could not be looked into; for a text of the command line.
    private static let redactedJSON = Array("\"[redacted]\"".utf8)
    private static let redactedText = Array("[redacted]".utf8)

    // MARK: The command line

    /// Masks one line of `tidegate mask`, as the value of a record.
    ///
    /// - Parameter isJSON: text has no paths: under path rules it cannot be looked into, and `onFailure` applies.
    /// - Returns: nil where the line is dropped.
    public func mask(line: [UInt8], isJSON: Bool) -> [UInt8]? {
        if rules.values.isEmpty { return line }
        guard isJSON else {
            switch onFailure {
            case .redactValue: return MaskingProfile.redactedText
            case .dropRecord: return nil
            case .pass: return line
            }
        }
        var scanner = JSONScanner(rules)
        var counters = MaskCounters()
        switch unsafe document(line.span.bytes, rules.values, rules.values.start, &scanner, &counters) {
        case .unchanged: return line
        case .edited(let range): return Array(scanner.output[range])
        case .null: return Array("null".utf8)
        case .dropRecord: return nil
        }
    }
}
