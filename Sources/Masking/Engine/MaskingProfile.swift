import Synchronization
public import TidegateCore
package import TidegateSchemas
import TidegateWire

/// A compiled masking profile: rules by place, by name, by schema and by content, for JSON, text, Avro, Protobuf and
/// columns; what it finds is replaced in place, and what cannot be looked into fails closed.
public final class MaskingProfile: Masker {
    public let name: String
    /// What deserves a look although it compiles: rules that can never act, or act otherwise than they seem to.
    public let warnings: [MaskingWarning]
    /// How values are read.
    public let format: MaskingFormat
    let onFailure: MaskingOnFailure
    let schemas: SchemaMasker
    let rules: CompiledRules
    /// Workspaces that no call has at the moment.
    private let workspaces = Mutex<[MaskingWorkspace]>([])

    /// - Throws: every rule that cannot be compiled, what is wrong with it, and what would be right.
    public convenience init(
        _ settings: MaskingProfileSettings, _ material: MaskingMaterial = MaskingMaterial()
    ) throws(MaskingSettingsErrors) {
        try self.init(settings, material, registry: try SchemaMasker.registry(settings, material))
    }

    /// - Parameter registry: asked instead of the one that the settings name.
    package init(
        _ settings: MaskingProfileSettings, _ material: MaskingMaterial, registry: SchemaRegistry?
    ) throws(MaskingSettingsErrors) {
        var compiler = ProfileCompiler(settings, material)
        rules = try compiler.compile()
        warnings = compiler.warnings
        schemas = try SchemaMasker(settings, registry)
        name = settings.name
        format = settings.format
        onFailure = settings.onFailure
    }

    /// How often each rule and each detector acted since the profile was compiled.
    public func tallies() -> [(label: String, isDetector: Bool, count: UInt64)] { rules.tallies.all }

    public func mask(
        _ fields: Span<MaskField>, in bytes: RawSpan, for request: MaskRequest, into scratch: inout [UInt8],
        outcomes: inout [MaskOutcome], counters: inout MaskCounters
    ) -> Bool {
        let workspace = take()
        workspace.opens = request.opens
        guard read(fields, bytes, request, workspace) else {
            schemas.wait(workspace.schemas, request)
            give(workspace)
            return false
        }
        var record: UInt32?
        for index in fields.indices {
            let field = fields[index]
            if field.record != record {
                record = field.record
                findSubjects(index, fields, bytes, workspace)
            }
            guard bytes.holds(field.range), bytes.holds(field.name) else {
                outcomes.append(.dropRecord)
                continue
            }
            let content = bytes.extracting(field.range)
            outcomes.append(
                mask(
                    field, workspace.readings[index], content, bytes.extracting(field.name), workspace, into: &scratch,
                    &counters))
        }
        counters.openedFields &+= workspace.opened
        give(workspace)
        return true
    }

    private func take() -> MaskingWorkspace {
        workspaces.withLock { $0.popLast() } ?? MaskingWorkspace(rules)
    }

    /// Bytes of room that workspaces keep while nobody uses them, and those of them that hold something.
    package var roomAtRest: (all: Int, used: Int) {
        workspaces.withLock { $0.map(\.roomAtRest).reduce((0, 0)) { ($0.0 + $1.all, $0.1 + $1.used) } }
    }

    /// Keeps no text of what was masked, but its room.
    private func give(_ workspace: MaskingWorkspace) {
        rules.tallies.take(&workspace.counted)
        workspace.rest()
        workspaces.withLock { if $0.count < MaskingProfile.keptWorkspaces { $0.append(workspace) } }
    }
    private static let keptWorkspaces = 16

    // MARK: Fields

    private func mask(
        _ field: MaskField, _ reading: Reading, _ content: RawSpan, _ name: RawSpan, _ workspace: MaskingWorkspace,
        into scratch: inout [UInt8], _ counters: inout MaskCounters
    ) -> MaskOutcome {
        workspace.isKey = field.part == .key
        workspace.subjects.next = PlaceSet()
        _ = workspace.takeNestedFailures()
        switch field.part {
        case .key:
            if rules.keys.isEmpty { return .unchanged }
            return key(content, reading, workspace, into: &scratch, &counters)
        case .value:
            if rules.values.isEmpty { return .unchanged }
            return value(content, rules.values, reading, workspace, into: &scratch, &counters)
        case .header:
            if rules.headers.isEmpty { return .unchanged }
            let match = rules.headers.match(field: name, isColumn: false)
            return named(content, name, match, rules.headers, workspace, into: &scratch, &counters)
        case .field:
            if rules.values.isEmpty { return .unchanged }
            let match = rules.values.match(field: name, isColumn: false)
            return named(content, name, match, rules.values, workspace, into: &scratch, &counters)
        case .column:
            if rules.values.isEmpty { return .unchanged }
            let match = rules.values.match(field: name, isColumn: true)
            let column = Column(type: PostgresType(field.type), isBinary: field.isBinary, match: match)
            return mask(column, content, name, workspace, into: &scratch, &counters)
        }
    }

    /// The whole content of a record's key or value.
    func value(
        _ content: RawSpan, _ part: PartRules, _ reading: Reading, _ workspace: MaskingWorkspace,
        into scratch: inout [UInt8], _ counters: inout MaskCounters
    ) -> MaskOutcome {
        switch reading {
        case .text: return text(content, part, part.everything, workspace, into: &scratch, &counters)
        case .json(let part, let from):
            guard from <= content.byteCount else {
                return failed(MaskingProfile.redacted, scratch.count, workspace, into: &scratch, &counters)
            }
            // A key of plain text is a name or a number of somebody's: it is no document, and none was promised.
            if workspace.isKey, from == 0, !NestedDocument.mayBe(content) {
                return text(
                    content, part, part.everything, places: part.paths.start, workspace, into: &scratch, &counters)
            }
            let start = scratch.count
            scratch.append(bytes: content.extracting(0..<from))
            let payload = content.extracting(from..<content.byteCount)
            let outcome = document(payload, part, part.paths.start, workspace, into: &scratch, &counters)
            if case .edited(let range) = outcome { return .edited(start..<range.upperBound) }
            scratch.removeLast(scratch.count - start)
            return outcome
        case .schema(let plans, let start):
            let written = scratch.count
            var edits: UInt32 = 0
            var failures: UInt32 = 0
            let inspection = workspace.mask(
                content, from: start, plans, part, into: &scratch, edits: &edits, failures: &failures)
            switch inspection {
            case .failed, .null: return failed(MaskingProfile.redacted, written, workspace, into: &scratch, &counters)
            case .unchanged: return .unchanged
            case .edited: break
            }
            failures &+= workspace.takeNestedFailures()
            if drops(failures, written, &scratch, &counters) { return .dropRecord }
            counters.maskedFields &+= edits
            return .edited(written..<scratch.count)
        case .pending, .unknown:
            return failed(MaskingProfile.redacted, scratch.count, workspace, into: &scratch, &counters)
        }
    }

    /// A field with a name: a header, a stream's field, a column. Its name is the first part of a path; what follows looks
    /// into its value, where that is JSON.
    func named(
        _ content: RawSpan, _ name: RawSpan, _ match: FieldMatch, _ part: PartRules, isColumn: Bool = false,
        isNumber: Bool = false, _ workspace: MaskingWorkspace, into scratch: inout [UInt8],
        _ counters: inout MaskCounters
    ) -> MaskOutcome {
        let (rule, places) = (match.rule, match.places)
        let last = name.extracting(match.start..<name.byteCount)
        if rules.subjectCount > 0 {
            workspace.subjects.next = rules.subjects.match(field: name, isColumn: isColumn).places
        }
        if workspace.findings != nil { unsafe last.withUnsafeBytes { unsafe workspace.enter($0) } }
        defer { if workspace.findings != nil { workspace.leave() } }
        if rule == nil, !places.isEmpty || !part.names.isEmpty, NestedDocument.mayBe(content) {
            return document(content, part, places, name: last, workspace, into: &scratch, &counters)
        }
        return text(
            content, part, rule, places: places, name: last, isNamed: true, isNumber: isNumber, workspace,
            into: &scratch,
            &counters)
    }

    // MARK: Formats

    /// - Parameters:
    ///   - places: what paths wait for inside, where it is JSON once more encoded.
    ///   - isNamed: it stands beside other fields, so that paths need not look into it; the name may be empty (Redis).
    private func text(
        _ content: RawSpan, _ part: PartRules, _ rule: Int?, places: PlaceSet = PlaceSet(),
        name: RawSpan = RawSpan(), isNamed: Bool = false, isNumber: Bool = false, _ workspace: MaskingWorkspace,
        into scratch: inout [UInt8], _ counters: inout MaskCounters
    ) -> MaskOutcome {
        let start = scratch.count
        let inspection: MaskingWorkspace.Inspection
        if let rule {
            inspection = workspace.replace(content, rule: rule, isNumber: isNumber, into: &scratch)
        } else {
            if workspace.isKey || part.areForText || isNamed {
                inspection = unsafe name.withUnsafeBytes {
                    unsafe workspace.inspect(content, name: $0, part, places, depth: 0, into: &scratch)
                }
            } else {
                // Paths look for a structure that text has not.
                inspection = .failed
            }
        }
        switch inspection {
        case .unchanged: return .unchanged
        case .edited:
            if drops(workspace.takeNestedFailures(), start, &scratch, &counters) { return .dropRecord }
            counters.maskedFields &+= 1
            return .edited(start..<scratch.count)
        case .null:
            counters.maskedFields &+= 1
            return .null
        case .failed: return failed(MaskingProfile.redacted, start, workspace, into: &scratch, &counters)
        }
    }

    private func document(
        _ content: RawSpan, _ part: PartRules, _ places: PlaceSet, name: RawSpan = RawSpan(),
        _ workspace: MaskingWorkspace, into scratch: inout [UInt8], _ counters: inout MaskCounters
    ) -> MaskOutcome {
        let start = scratch.count
        let trail = workspace.trail.count
        var scanner = unsafe name.withUnsafeBytes { unsafe JSONScanner(workspace, part, name: $0) }
        swap(&scanner.output, &scratch)
        let isDocument = unsafe content.withUnsafeBytes { unsafe scanner.scan($0, places) }
        swap(&scanner.output, &scratch)
        workspace.trail.removeLast(workspace.trail.count - trail)
        guard isDocument else {
            return failed(MaskingProfile.redactedJSON, start, workspace, into: &scratch, &counters)
        }
        let failures = scanner.failures &+ workspace.takeNestedFailures()
        if drops(failures, start, &scratch, &counters) { return .dropRecord }
        if scanner.edits == 0 { return .unchanged }
        counters.maskedFields &+= scanner.edits
        return .edited(start..<scratch.count)
    }

    /// Counts what could not be looked into inside of a field.
    ///
    /// - Returns: true where its record goes therefore; nothing is written of it then.
    private func drops(
        _ failures: UInt32, _ start: Int, _ scratch: inout [UInt8], _ counters: inout MaskCounters
    ) -> Bool {
        counters.failures &+= failures
        guard failures > 0, onFailure == .dropRecord else { return false }
        if scratch.count > start { scratch.removeLast(scratch.count - start) }
        return true
    }

    /// What cannot be looked into.
    private func failed(
        _ words: [UInt8], _ start: Int, _ workspace: MaskingWorkspace, into scratch: inout [UInt8],
        _ counters: inout MaskCounters
    ) -> MaskOutcome {
        workspace.hasFailed = true
        if scratch.count > start { scratch.removeLast(scratch.count - start) }
        counters.failures &+= 1
        switch onFailure {
        case .redactValue:
            counters.maskedFields &+= 1
            scratch.append(contentsOf: words)
            return .edited(start..<scratch.count)
        case .dropRecord: return .dropRecord
        case .pass: return .unchanged
        }
    }

    /// What stands for what could not be looked into, or not be replaced as a rule says.
    static let redacted = Array("[redacted]".utf8)
    private static let redactedJSON = Array("\"[redacted]\"".utf8)

    // MARK: The command line

    /// Masks one line of `tidegate mask`, as the value of a record.
    ///
    /// - Parameter isJSON: text has no paths: under path rules it cannot be looked into, and `onFailure` applies.
    /// - Returns: nil where the line is dropped.
    public func mask(line: [UInt8], isJSON: Bool) -> [UInt8]? {
        var findings: [MaskingFinding]?
        return mask(line: line, isJSON: isJSON, explaining: &findings)
    }

    /// As `mask(line:isJSON:)`, and says what was found where `findings` is not nil.
    public func mask(line: [UInt8], isJSON: Bool, explaining findings: inout [MaskingFinding]?) -> [UInt8]? {
        if rules.values.isEmpty { return line }
        let workspace = take()
        workspace.findings = findings
        var counters = MaskCounters()
        var scratch: [UInt8] = []
        workspace.isKey = false
        workspace.subjects.beginRecord()
        workspace.subjects.next = PlaceSet()
        let outcome = unsafe value(
            line.span.bytes, rules.values, isJSON ? .json(rules.values, from: 0) : .text, workspace, into: &scratch,
            &counters)
        findings = workspace.findings
        give(workspace)
        switch outcome {
        case .unchanged: return line
        case .edited(let range): return Array(scratch[range])
        case .null: return isJSON ? Array("null".utf8) : []
        case .dropRecord: return nil
        }
    }
}
