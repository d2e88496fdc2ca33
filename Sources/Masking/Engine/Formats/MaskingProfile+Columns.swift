import TidegateCore
import TidegateWire

/// A column of a table, or an element of one that is an array.
struct Column {
    var type: PostgresType
    var isBinary: Bool
    var match: FieldMatch
}

extension MaskingProfile {
    /// A column's value, in the text form of its type or the binary one; what is made of it is valid for the type, or null.
    func mask(
        _ column: Column, _ content: RawSpan, _ name: RawSpan, _ workspace: MaskingWorkspace,
        into scratch: inout [UInt8], _ counters: inout MaskCounters
    ) -> MaskOutcome {
        let type = column.type
        if case .array(let element) = type {
            return array(of: element, column, content, name, workspace, into: &scratch, &counters)
        }
        guard var decoded = column.isBinary ? type.text(ofBinary: content) : type.text(ofText: content) else {
            return unreadable(column, content, workspace, &counters)
        }
        if case .opaque = type, column.match.rule == nil, looksInside(column), MaskingProfile.mayHoldDocument(decoded) {
            return unreadable(column, content, workspace, &counters)
        }
        let start = scratch.count
        let outcome = unsafe named(
            decoded.span.bytes, name, column.match, rules.values, isColumn: true, isNumber: type.isNumber, workspace,
            into: &scratch,
            &counters)
        guard case .edited(let range) = outcome else { return outcome }
        var text = Array(scratch[range])
        scratch.removeLast(scratch.count - start)
        if type.isJSON, !workspace.isDocument(text) {
            decoded.removeAll(keepingCapacity: true)
            JSONEscapes.appendString(text[...], to: &decoded)
            swap(&text, &decoded)
        }
        guard type.accepts(text[...]) else { return .null }
        if case .bytes = type {
            // Bytes that are no text are somebody's format: a piece of them cannot be replaced.
            if column.match.rule == nil, String(validating: decoded, as: UTF8.self) == nil { return .null }
            if !column.isBinary {
                PostgresBytes.append(hex: text[...], to: &scratch)
                return .edited(start..<scratch.count)
            }
        }
        if column.isBinary {
            guard type.appendBinary(text[...], to: &scratch) else { return .null }
        } else {
            scratch.append(contentsOf: text)
        }
        return .edited(start..<scratch.count)
    }

    /// An array's elements, each by itself; a rule for the column takes it whole.
    private func array(
        of elementType: UInt32, _ column: Column, _ content: RawSpan, _ name: RawSpan, _ workspace: MaskingWorkspace,
        into scratch: inout [UInt8], _ counters: inout MaskCounters
    ) -> MaskOutcome {
        guard column.match.rule == nil, let array = PostgresArray(content, isBinary: column.isBinary) else {
            return unreadable(column, content, workspace, &counters)
        }
        var element = column
        element.type = PostgresType(column.isBinary ? array.elementType : elementType)
        if case .array = element.type { element.type = .opaque }
        var written: [UInt8] = []
        var copied = 0
        var hasNull = false
        let start = scratch.count
        for (index, part) in array.elements.enumerated() {
            guard let range = part.content else { continue }
            if !column.match.places.isEmpty {
                element.match.places = rules.values.paths.step(column.match.places, index: index)
                element.match.rule = rules.values.paths.accepted(element.match.places)
            }
            let bytes = array.bytes(of: range, isQuoted: part.isQuoted, in: content)
            let outcome = unsafe mask(element, bytes.span.bytes, name, workspace, into: &scratch, &counters)
            switch outcome {
            case .unchanged: continue
            case .dropRecord: return .dropRecord
            case .null, .edited: written.append(bytes: content.extracting(copied..<part.whole.lowerBound))
            }
            copied = part.whole.upperBound
            if case .edited(let made) = outcome {
                array.append(scratch[made], to: &written)
                scratch.removeLast(scratch.count - start)
            } else {
                array.append(nil, to: &written)
                hasNull = true
            }
        }
        if copied == 0 { return .unchanged }
        written.append(bytes: content.extracting(copied..<content.byteCount))
        if hasNull { array.allowNulls(in: &written, from: 0) }
        scratch.append(contentsOf: written)
        return .edited(start..<scratch.count)
    }

    /// What cannot be written anew, or not be looked into: null where a rule names it. Where a rule or a detector could only
    /// mean something in it, `onFailure` says.
    private func unreadable(
        _ column: Column, _ content: RawSpan, _ workspace: MaskingWorkspace, _ counters: inout MaskCounters
    ) -> MaskOutcome {
        if let rule = column.match.rule {
            workspace.acted(rule, bytes: content.byteCount)
            counters.maskedFields &+= 1
            return .null
        }
        if column.isBinary, column.type.isSpecial(content) { return .unchanged }
        if case .plain = column.type { return .unchanged }
        guard rules.values.detectors != nil || looksInside(column) else { return .unchanged }
        counters.failures &+= 1
        switch onFailure {
        case .redactValue:
            counters.maskedFields &+= 1
            return .null
        case .dropRecord: return .dropRecord
        case .pass: return .unchanged
        }
    }

    /// Rules wait for something inside of the value.
    private func looksInside(_ column: Column) -> Bool {
        !column.match.places.isEmpty || !rules.values.names.isEmpty
    }

    /// True where the text of an unknown type has parts, with names perhaps: rows, maps, JSON in either.
    private static func mayHoldDocument(_ text: [UInt8]) -> Bool {
        text.contains { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "\"") }
    }
}
