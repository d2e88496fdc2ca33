import TidegateCore
import TidegateSchemas
import TidegateWire

/// What the fields of a record say of each other: which schema they have, and whose their dates are.
extension MaskingProfile {
    /// Finds out how each field is read.
    ///
    /// - Returns: false where a schema is still being asked for.
    func read(
        _ fields: Span<MaskField>, _ bytes: RawSpan, _ request: MaskRequest, _ workspace: MaskingWorkspace
    ) -> Bool {
        workspace.readings.removeAll(keepingCapacity: true)
        let files = schemas.fileReadings(request, rules)
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
                        files, &workspace.schemas)
                } else {
                    schemas.reading(
                        of: bytes.extracting(field.range), header: nil, isKey: isKey, rules, files,
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

    /// Keeps whose dates the record's fields and columns have that begins there.
    func findSubjects(
        _ start: Int, _ fields: Span<MaskField>, _ bytes: RawSpan, _ workspace: MaskingWorkspace
    ) {
        if rules.subjectCount == 0 { return }
        workspace.subjects.beginRecord()
        var at = start
        while at < fields.count, fields[at].record == fields[start].record {
            let field = fields[at]
            at += 1
            guard field.part == .field || field.part == .column, bytes.holds(field.range), bytes.holds(field.name)
            else { continue }
            let isColumn = field.part == .column
            let match = rules.subjects.match(field: bytes.extracting(field.name), isColumn: isColumn)
            if match.places.isEmpty { continue }
            let type = PostgresType(field.type)
            let content = bytes.extracting(field.range)
            let text =
                !isColumn
                ? content.allBytes : field.isBinary ? type.text(ofBinary: content) : type.text(ofText: content)
            if let text { workspace.keepSubjects(text, match.places) }
        }
    }
}
