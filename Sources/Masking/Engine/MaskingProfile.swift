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
    private let onFailure: MaskingOnFailure
    private let schemas: SchemaMasker
    private let rules: CompiledRules
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
        for index in fields.indices {
            let field = fields[index]
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

    /// Finds out how each field is read.
    ///
    /// - Returns: false where a schema is still being asked for.
    private func read(
        _ fields: Span<MaskField>, _ bytes: RawSpan, _ request: MaskRequest, _ workspace: MaskingWorkspace
    ) -> Bool {
        workspace.readings.removeAll(keepingCapacity: true)
        var isPending = false
        for index in fields.indices {
            let field = fields[index]
            guard bytes.holds(field.range), field.part == .key || field.part == .value else {
                workspace.readings.append(.text)
                continue
            }
            let isKey = field.part == .key
            let header =
                schemas.hasRegistry
                ? MaskingProfile.header(
                    isKey ? MaskingProfile.keyHeader : MaskingProfile.valueHeader, index, fields, bytes) : .none
            if case .contradicting = header {
                workspace.readings.append(.unknown)
                continue
            }
            let reading =
                if case .names(let header) = header {
                    schemas.reading(
                        of: bytes.extracting(field.range), header: bytes.extracting(header), isKey: isKey, rules,
                        request, &workspace.schemas)
                } else {
                    schemas.reading(
                        of: bytes.extracting(field.range), header: nil, isKey: isKey, rules, request,
                        &workspace.schemas)
                }
            // The others are asked for at the same time.
            if case .pending = reading { isPending = true }
            workspace.readings.append(reading)
        }
        return !isPending
    }

    private static let keyHeader = Array(RegistryFraming.keyHeader.utf8)
    private static let valueHeader = Array(RegistryFraming.valueHeader.utf8)

    private enum SchemaHeader {
        case none
        case names(Range<Int>)
        /// Two of that name, which say different things.
        case contradicting
    }

    /// The content of the header of that name in the record of a key or value, which headers stand behind. Of two, clients
    /// read the last (Confluent, `lastHeader`); not all need do so.
    private static func header(
        _ name: [UInt8], _ index: Int, _ fields: Span<MaskField>, _ bytes: RawSpan
    ) -> SchemaHeader {
        let record = fields[index].record
        var found = SchemaHeader.none
        var at = index + 1
        while at < fields.count, fields[at].record == record {
            let field = fields[at]
            if field.part == .header, bytes.holds(field.name), bytes.holds(field.range),
                unsafe bytes.equals(name.span.bytes, in: field.name)
            {
                if case .names(let other) = found, !bytes.equals(bytes.extracting(other), in: field.range) {
                    return .contradicting
                }
                found = .names(field.range)
            }
            at += 1
        }
        return found
    }

    private func take() -> MaskingWorkspace {
        workspaces.withLock { $0.popLast() } ?? MaskingWorkspace(rules)
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
        _ = workspace.takeNestedFailures()
        switch field.part {
        case .key:
            if rules.keys.isEmpty { return .unchanged }
            return value(content, rules.keys, reading, workspace, into: &scratch, &counters)
        case .value:
            if rules.values.isEmpty { return .unchanged }
            return value(content, rules.values, reading, workspace, into: &scratch, &counters)
        case .header: return named(content, name, rules.headers, workspace, into: &scratch, &counters)
        case .field: return named(content, name, rules.values, workspace, into: &scratch, &counters)
        case .column:
            return column(content, name, field.type, isBinary: field.isBinary, workspace, into: &scratch, &counters)
        }
    }

    /// The whole content of a record's key or value.
    private func value(
        _ content: RawSpan, _ part: PartRules, _ reading: Reading, _ workspace: MaskingWorkspace,
        into scratch: inout [UInt8], _ counters: inout MaskCounters
    ) -> MaskOutcome {
        switch reading {
        case .text: return text(content, part, part.everything, workspace, into: &scratch, &counters)
        case .json(let part):
            // A key of plain text is a name or a number of somebody's: it is no document, and none was promised.
            if workspace.isKey, !NestedDocument.mayBe(content) {
                return text(
                    content, part, part.everything, places: part.paths.start, workspace, into: &scratch, &counters)
            }
            return document(content, part, part.paths.start, workspace, into: &scratch, &counters)
        case .schema(let plan, let start):
            let written = scratch.count
            var edits: UInt32 = 0
            var failures: UInt32 = 0
            let inspection = workspace.mask(
                content, from: start, plan, part, into: &scratch, edits: &edits, failures: &failures)
            switch inspection {
            case .failed, .null: return failed(MaskingProfile.redacted, written, into: &scratch, &counters)
            case .unchanged: return .unchanged
            case .edited: break
            }
            failures &+= workspace.takeNestedFailures()
            if drops(failures, written, &scratch, &counters) { return .dropRecord }
            counters.maskedFields &+= edits
            return .edited(written..<scratch.count)
        case .pending, .unknown: return failed(MaskingProfile.redacted, scratch.count, into: &scratch, &counters)
        }
    }

    /// A column's value, in the text form of its type or the binary one; what is made of it is valid for the type, or null.
    private func column(
        _ content: RawSpan, _ name: RawSpan, _ type: UInt32, isBinary: Bool, _ workspace: MaskingWorkspace,
        into scratch: inout [UInt8], _ counters: inout MaskCounters
    ) -> MaskOutcome {
        var type = PostgresType(type)
        var decoded: [UInt8]
        if !isBinary {
            decoded = content.allBytes
        } else if let text = type.text(ofBinary: content) {
            decoded = text
        } else {
            // Infinity, NaN, what a later version brings: nothing that could be written anew.
            decoded = content.allBytes
            type = .opaque
        }
        let start = scratch.count
        let outcome = unsafe named(
            decoded.span.bytes, name, rules.values, workspace, into: &scratch, &counters)
        guard case .edited(let range) = outcome else { return outcome }
        var text = Array(scratch[range])
        scratch.removeLast(scratch.count - start)
        if type.isJSON, !workspace.isDocument(text) {
            decoded.removeAll(keepingCapacity: true)
            JSONEscapes.appendString(text[...], to: &decoded)
            swap(&text, &decoded)
        }
        guard type.accepts(text[...]) else { return .null }
        if isBinary {
            guard type.appendBinary(text[...], to: &scratch) else { return .null }
        } else {
            scratch.append(contentsOf: text)
        }
        return .edited(start..<scratch.count)
    }

    /// A field with a name: a header, a stream's field, a column. Its name is the first part of a path; what follows looks
    /// into its value, where that is JSON.
    private func named(
        _ content: RawSpan, _ name: RawSpan, _ part: PartRules, _ workspace: MaskingWorkspace,
        into scratch: inout [UInt8], _ counters: inout MaskCounters
    ) -> MaskOutcome {
        if part.isEmpty { return .unchanged }
        let last = name.extracting(MaskingProfile.lastPart(of: name)..<name.byteCount)
        let places =
            part.paths.isEmpty
            ? PlaceSet() : unsafe last.withUnsafeBytes { unsafe part.paths.step(part.paths.start, key: $0) }
        var rule = part.paths.accepted(places)
        if !part.names.isEmpty {
            rule = [rule, unsafe last.withUnsafeBytes { unsafe part.rule(forName: $0) }].compactMap(\.self).min()
        }
        if !part.columns.isEmpty { rule = [rule, part.rule(forColumn: name)].compactMap(\.self).min() }
        rule = [rule, part.everything].compactMap(\.self).min()
        if workspace.findings != nil { unsafe last.withUnsafeBytes { unsafe workspace.enter($0) } }
        defer { if workspace.findings != nil { workspace.leave() } }
        if rule == nil, !places.isEmpty || !part.names.isEmpty, NestedDocument.mayBe(content) {
            return document(content, part, places, name: last, workspace, into: &scratch, &counters)
        }
        return text(content, part, rule, places: places, name: last, workspace, into: &scratch, &counters)
    }

    /// Where the column begins in `schema.table.column`; 0 for any other name.
    private static func lastPart(of name: RawSpan) -> Int {
        var start = name.byteCount
        while start > 0, name.byte(at: start - 1) != UInt8(ascii: ".") { start -= 1 }
        return start < name.byteCount ? start : 0
    }

    // MARK: Formats

    /// - Parameter places: what paths wait for inside, where it is JSON once more encoded.
    private func text(
        _ content: RawSpan, _ part: PartRules, _ rule: Int?, places: PlaceSet = PlaceSet(),
        name: RawSpan = RawSpan(), _ workspace: MaskingWorkspace, into scratch: inout [UInt8],
        _ counters: inout MaskCounters
    ) -> MaskOutcome {
        let start = scratch.count
        let inspection: MaskingWorkspace.Inspection
        if let rule {
            inspection = workspace.replace(content, rule: rule, into: &scratch)
        } else {
            if workspace.isKey || part.areForText || !name.isEmpty {
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
        case .failed: return failed(MaskingProfile.redacted, start, into: &scratch, &counters)
        }
    }

    private func document(
        _ content: RawSpan, _ part: PartRules, _ places: PlaceSet, name: RawSpan = RawSpan(),
        _ workspace: MaskingWorkspace, into scratch: inout [UInt8], _ counters: inout MaskCounters
    ) -> MaskOutcome {
        let start = scratch.count
        let trail = workspace.trail.count
        if !rules.subjects.isEmpty { workspace.findSubjects(in: content) }
        var scanner = unsafe name.withUnsafeBytes { unsafe JSONScanner(workspace, part, name: $0) }
        swap(&scanner.output, &scratch)
        let isDocument = unsafe content.withUnsafeBytes { unsafe scanner.scan($0, places) }
        swap(&scanner.output, &scratch)
        workspace.trail.removeLast(workspace.trail.count - trail)
        guard isDocument else {
            return failed(MaskingProfile.redactedJSON, start, into: &scratch, &counters)
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
        _ words: [UInt8], _ start: Int, into scratch: inout [UInt8], _ counters: inout MaskCounters
    ) -> MaskOutcome {
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
        let outcome = unsafe value(
            line.span.bytes, rules.values, isJSON ? .json(rules.values) : .text, workspace, into: &scratch, &counters)
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
