import TidegateWire

/// A value that the gateway composes: for refusals and entries of its own. What is not named has its default.
package indirect enum MessageValue: Sendable {
    case integer(Int64)
    case text([UInt8])
    case null
    case id(TopicID)
    case list([MessageValue])
    /// Elements of an array, encoded already.
    case encoded([UInt8], count: Int)
    /// One element of an array for each number, which stands in the untagged field (an int32) that `at` names.
    case repeated([String: MessageValue], at: String, numbers: [Int32])
    case fields([String: MessageValue])

    package static func text(_ text: String) -> MessageValue { .text(Array(text.utf8)) }
}

/// Writes messages and parts of them from values.
struct MessageWriter {
    let isFlexible: Bool
    var bytes: [UInt8] = []

    init(isFlexible: Bool) { self.isFlexible = isFlexible }

    /// A whole answer, its length and header before it.
    static func answer(_ schema: MessageSchema, correlation: Int32, _ values: [String: MessageValue]) -> [UInt8] {
        var writer = MessageWriter(isFlexible: schema.isFlexible)
        writer.structure(schema.fields, values)
        return KafkaMachine.answer(correlation, writer.bytes, isFlexible: schema.hasFlexibleHeader)
    }

    /// One element of an array, to be put beside a peer's own.
    static func element(_ field: MessageSchema.Field, isFlexible: Bool, _ value: MessageValue) -> [UInt8] {
        var writer = MessageWriter(isFlexible: isFlexible)
        writer.scalar(field, value)
        return writer.bytes
    }

    mutating func structure(_ fields: [MessageSchema.Field], _ values: [String: MessageValue]) {
        for field in fields where field.tag == nil { write(field, values[field.name]) }
        guard isFlexible else { return }
        let tagged = fields.filter { $0.tag != nil && values[$0.name] != nil }
        bytes.append(varint: UInt32(tagged.count))
        for field in tagged {
            var inner = MessageWriter(isFlexible: true)
            inner.write(field, values[field.name])
            bytes.append(varint: field.tag ?? 0)
            bytes.append(varint: UInt32(clamping: inner.bytes.count))
            bytes.append(contentsOf: inner.bytes)
        }
    }

    private mutating func write(_ field: MessageSchema.Field, _ value: MessageValue?) {
        guard field.isArray else { return scalar(field, value ?? MessageWriter.defaultValue(field)) }
        switch value {
        case .list(let elements)?:
            bytes.append(count: elements.count, isFlexible: isFlexible)
            for element in elements { scalar(field, element) }
        case .encoded(let elements, let count)?:
            bytes.append(count: count, isFlexible: isFlexible)
            bytes.append(contentsOf: elements)
        case .repeated(let values, let name, let numbers)?: repeated(field, values, name, numbers)
        case .integer?, .text?, .null?, .id?, .fields?, nil:
            let isNull = field.isNullable && (field.defaultText == "null" || isNull(value))
            bytes.append(count: isNull ? -1 : 0, isFlexible: isFlexible)
        }
    }

    /// Encodes the element once, and writes it with each number in its place: a peer can name very many.
    private mutating func repeated(
        _ field: MessageSchema.Field, _ values: [String: MessageValue], _ name: String, _ numbers: [Int32]
    ) {
        let before = field.fields.filter { $0.tag == nil }.prefix { $0.name != name }
        var head = MessageWriter(isFlexible: isFlexible)
        for inner in before { head.write(inner, values[inner.name]) }
        var element = MessageWriter(isFlexible: isFlexible)
        element.structure(field.fields, values)
        let tail = element.bytes.dropFirst(head.bytes.count + 4)
        bytes.append(count: numbers.count, isFlexible: isFlexible)
        bytes.reserveCapacity(bytes.count + numbers.count * element.bytes.count)
        for number in numbers {
            bytes.append(contentsOf: head.bytes)
            bytes.append(bigEndian: number)
            bytes.append(contentsOf: tail)
        }
    }

    private func isNull(_ value: MessageValue?) -> Bool {
        if case .null? = value { return true }
        return false
    }

    private static func defaultValue(_ field: MessageSchema.Field) -> MessageValue {
        if field.isNullable, field.defaultText == "null" { return .null }
        switch field.kind {
        case .fixed:
            if field.defaultText == "true" { return .integer(1) }
            return .integer(Int64(field.defaultText) ?? hexadecimal(field.defaultText) ?? 0)
        case .uuid: return .id(TopicID(high: 0, low: 0))
        case .string, .bytes: return .text(Array(field.defaultText.utf8))
        case .structure: return .fields([:])
        }
    }

    private static func hexadecimal(_ text: String) -> Int64? {
        text.hasPrefix("0x") ? Int64(text.dropFirst(2), radix: 16) : nil
    }

    private mutating func scalar(_ field: MessageSchema.Field, _ value: MessageValue) {
        switch (field.kind, value) {
        case (.fixed(let size), .integer(let number)):
            switch size {
            case 1: bytes.append(bigEndian: Int8(truncatingIfNeeded: number))
            case 2: bytes.append(bigEndian: Int16(truncatingIfNeeded: number))
            case 4: bytes.append(bigEndian: Int32(truncatingIfNeeded: number))
            default: bytes.append(bigEndian: number)
            }
        case (.uuid, .id(let id)):
            bytes.append(bigEndian: id.high)
            bytes.append(bigEndian: id.low)
        case (.string, .text(let text)): bytes.append(string: text, isFlexible: isFlexible)
        case (.bytes, .text(let content)):
            bytes.append(count: content.count, isFlexible: isFlexible)
            bytes.append(contentsOf: content)
        case (.string, _) where field.isNullable:
            if isFlexible { bytes.append(0) } else { bytes.append(bigEndian: Int16(-1)) }
        case (.bytes, _) where field.isNullable: bytes.append(count: -1, isFlexible: isFlexible)
        case (.structure, .fields(let values)):
            if field.isNullable, field.tag == nil, !field.isArray { bytes.append(bigEndian: Int8(1)) }
            structure(field.fields, values)
        case (.structure, _) where field.isNullable: bytes.append(bigEndian: Int8(-1))
        case (.fixed, _), (.uuid, _), (.string, _), (.bytes, _), (.structure, _):
            // A value of another kind than its field, or a null where none may be: the field's zero.
            scalar(field, MessageWriter.zero(field.kind))
        }
    }

    private static func zero(_ kind: MessageSchema.Kind) -> MessageValue {
        switch kind {
        case .fixed: .integer(0)
        case .uuid: .id(TopicID(high: 0, low: 0))
        case .string, .bytes: .text([])
        case .structure: .fields([:])
        }
    }
}
