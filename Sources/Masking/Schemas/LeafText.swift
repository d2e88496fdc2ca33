import TidegateWire

/// The text of a leaf: what rules and detectors see.
enum LeafText {
    /// - Returns: false where the content is not UTF-8 or has no text of its kind, and was appended as it is.
    static func append(_ content: Range<Int>, _ type: LeafType, _ payload: RawSpan, to text: inout [UInt8]) -> Bool {
        switch type.encoding {
        case .zigzag:
            guard let number = Varint.signed64(payload, at: content.lowerBound), !number.overlong else { return false }
            append(number.value, type, to: &text)
            return true
        case .varint:
            guard let number = Varint64.read(payload, at: content.lowerBound) else { return false }
            append(varint: number.value, type, to: &text)
            return true
        case .fixed32:
            guard let bits = payload.littleEndian(UInt32.self, at: content.lowerBound) else { return false }
            switch type.kind {
            case .float: append(Float(bitPattern: bits), to: &text)
            case .unsignedInt: DecimalDigits.appendDigits(UInt64(bits), to: &text)
            default: append(Int64(Int32(bitPattern: bits)), type, to: &text)
            }
            return true
        case .fixed64:
            guard let bits = payload.littleEndian(UInt64.self, at: content.lowerBound) else { return false }
            switch type.kind {
            case .double: append(Double(bitPattern: bits), to: &text)
            case .unsignedLong: DecimalDigits.appendDigits(bits, to: &text)
            default: append(Int64(bitPattern: bits), type, to: &text)
            }
            return true
        case .flag:
            text.append(contentsOf: (payload.byte(at: content.lowerBound) == 1 ? "true" : "false").utf8)
            return true
        case .zigzagBytes, .varintBytes, .raw: return append(bytes: content, type, payload, to: &text)
        }
    }

    /// As `append`, for plain signed integers.
    static func appendInteger(
        _ content: Range<Int>, _ encoding: LeafType.Encoding, _ kind: LeafKind, _ payload: RawSpan,
        to text: inout [UInt8]
    ) -> Bool {
        let number: Int64?
        switch encoding {
        case .zigzag: number = Varint.signed64(payload, at: content.lowerBound)?.value
        case .varint: number = Varint64.read(payload, at: content.lowerBound).map { Int64(bitPattern: $0.value) }
        case .fixed32: number = payload.littleEndian(Int32.self, at: content.lowerBound).map { Int64($0) }
        case .fixed64: number = payload.littleEndian(Int64.self, at: content.lowerBound)
        case .flag, .zigzagBytes, .varintBytes, .raw: number = nil
        }
        guard let number else { return false }
        append(signed: kind == .int ? Int64(Int32(truncatingIfNeeded: number)) : number, to: &text)
        return true
    }

    private static func append(
        bytes content: Range<Int>, _ type: LeafType, _ payload: RawSpan, to text: inout [UInt8]
    ) -> Bool {
        switch type.kind {
        case .decimal where DecimalDigits.append(content, scale: type.scale, payload, to: &text): return true
        case .uuid where type.encoding == .raw:
            for (index, at) in content.enumerated() {
                if [4, 6, 8, 10].contains(index) { text.append(UInt8(ascii: "-")) }
                let byte = payload.byte(at: at) ?? 0
                text.append(hexDigit(byte &>> 4))
                text.append(hexDigit(byte & 15))
            }
            return true
        case .duration where content.count == 12:
            for (index, letters) in [("P", "M"), ("", "DT"), ("", "")].enumerated() {
                guard let part = payload.littleEndian(UInt32.self, at: content.lowerBound + 4 * index) else {
                    return false
                }
                text.append(contentsOf: letters.0.utf8)
                if index < 2 {
                    DecimalDigits.appendDigits(UInt64(part), to: &text)
                } else {
                    DecimalDigits.appendDigits(UInt64(part / 1000), to: &text)
                    text.append(UInt8(ascii: "."))
                    DecimalDigits.appendDigits(UInt64(part % 1000), to: &text, width: 3)
                    text.append(UInt8(ascii: "S"))
                }
                text.append(contentsOf: letters.1.utf8)
            }
            return true
        default:
            let bytes = unsafe payload.extracting(unchecked: content)
            text.append(bytes: bytes)
            return type.kind != .decimal && UTF8Check.isValid(bytes)
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ value &- 10
    }

    private static func append(_ number: Int64, _ type: LeafType, to text: inout [UInt8]) {
        switch type.kind {
        case .date: CalendarText.appendDate(day: number, to: &text)
        case .timestamp:
            CalendarText.appendTimestamp(number, unit: type.unit, to: &text)
            text.append(UInt8(ascii: "Z"))
        case .localTimestamp: CalendarText.appendTimestamp(number, unit: type.unit, to: &text)
        case .time where CalendarText.appendTime(number, unit: type.unit, to: &text): break
        case .enumeration:
            if let index = type.numbers.firstIndex(where: { Int64($0) == number }) {
                text.append(contentsOf: type.symbols[index])
            } else {
                append(signed: number, to: &text)
            }
        default: append(signed: number, to: &text)
        }
    }

    private static func append(signed number: Int64, to text: inout [UInt8]) {
        if number < 0 { text.append(UInt8(ascii: "-")) }
        DecimalDigits.appendDigits(number.magnitude, to: &text)
    }

    private static func append(varint value: UInt64, _ type: LeafType, to text: inout [UInt8]) {
        switch type.kind {
        case .boolean: text.append(contentsOf: (value == 0 ? "false" : "true").utf8)
        case .unsignedInt: DecimalDigits.appendDigits(UInt64(UInt32(truncatingIfNeeded: value)), to: &text)
        case .unsignedLong: DecimalDigits.appendDigits(value, to: &text)
        // Readers take the lowest 32 bits.
        case .int, .enumeration: append(Int64(Int32(truncatingIfNeeded: value)), type, to: &text)
        default: append(Int64(bitPattern: value), type, to: &text)
        }
    }

    private static func append(_ number: some BinaryFloatingPoint & CustomStringConvertible, to text: inout [UInt8]) {
        text.append(contentsOf: number.description.utf8)
    }
}

/// Whether bytes are UTF-8 (RFC 3629): no surrogates, nothing longer than it need be, nothing above U+10FFFF.
enum UTF8Check {
    static func isValid(_ bytes: RawSpan) -> Bool {
        var at = 0
        while at < bytes.byteCount {
            if let word = bytes.littleEndian(UInt64.self, at: at), word & 0x8080_8080_8080_8080 == 0 {
                at &+= 8
                continue
            }
            guard let first = bytes.byte(at: at) else { return false }
            at &+= 1
            if first < 0x80 { continue }
            guard first >= 0xc2, first <= 0xf4, let second = bytes.byte(at: at) else { return false }
            let low: UInt8 = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80
            let high: UInt8 = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf
            guard second >= low, second <= high else { return false }
            at &+= 1
            for _ in 0..<(first >= 0xf0 ? 2 : first >= 0xe0 ? 1 : 0) {
                guard let next = bytes.byte(at: at), next & 0xc0 == 0x80 else { return false }
                at &+= 1
            }
        }
        return true
    }
}
