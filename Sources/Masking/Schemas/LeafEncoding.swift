import TidegateWire

/// The encoding of a new text for a leaf, its length included; refused where the leaf's type cannot hold it.
enum LeafEncoding {
    /// - Returns: false where the text does not fit; what was appended by then is the caller's to take away.
    static func append(_ text: RawSpan, _ type: LeafType, to bytes: inout [UInt8]) -> Bool {
        switch type.kind {
        case .string:
            guard UTF8Check.isValid(text) else { return false }
            appendLength(text.byteCount, type, to: &bytes)
            bytes.append(bytes: text)
            return true
        case .bytes:
            appendLength(text.byteCount, type, to: &bytes)
            bytes.append(bytes: text)
            return true
        case .fixed:
            guard text.byteCount == type.size else { return false }
            bytes.append(bytes: text)
            return true
        case .uuid: return append(uuid: text, type, to: &bytes)
        case .decimal:
            let size = type.encoding == .raw ? type.size : 0
            guard
                let unscaled = DecimalDigits.unscaled(text, scale: type.scale, precision: type.precision, size: size)
            else { return false }
            appendLength(unscaled.count, type, to: &bytes)
            bytes.append(contentsOf: unscaled)
            return true
        case .boolean:
            let isTrue = isEqual(text, "true")
            guard isTrue || isEqual(text, "false") else { return false }
            bytes.append(isTrue ? 1 : 0)
            return true
        case .float, .double:
            guard let number = floatingPoint(text) else { return false }
            append(number, type, to: &bytes)
            return true
        case .enumeration:
            guard let index = type.symbols.firstIndex(where: { unsafe $0.span.bytes.equals(text, in: 0..<$0.count) }),
                type.numbers.indices.contains(index)
            else { return false }
            return append(Int64(type.numbers[index]), type, to: &bytes)
        case .date: return append(CalendarText.day(text), type, to: &bytes)
        case .time: return append(CalendarText.time(text, unit: type.unit), type, to: &bytes)
        case .timestamp, .localTimestamp:
            return append(CalendarText.timestamp(text, unit: type.unit), type, to: &bytes)
        case .int, .long: return append(integer(text), type, to: &bytes)
        case .unsignedInt, .unsignedLong:
            guard text.byte(at: 0) != UInt8(ascii: "-"), let value = magnitude(text, from: 0),
                type.kind == .unsignedLong || value <= UInt64(UInt32.max)
            else { return false }
            return append(Int64(bitPattern: value), type, to: &bytes)
        case .duration: return false
        }
    }

    /// The type's zero.
    static func appendZero(_ type: LeafType, to bytes: inout [UInt8]) {
        switch type.kind {
        case .enumeration: _ = append(Int64(type.defaultNumber), type, to: &bytes)
        case .uuid where type.encoding != .raw:
            appendLength(36, type, to: &bytes)
            for index in 0..<36 {
                bytes.append([8, 13, 18, 23].contains(index) ? UInt8(ascii: "-") : UInt8(ascii: "0"))
            }
        case .decimal where type.encoding != .raw:
            // No bytes at all are no number to many readers.
            appendLength(1, type, to: &bytes)
            bytes.append(0)
        default:
            switch type.encoding {
            case .zigzag, .varint, .flag, .zigzagBytes, .varintBytes: bytes.append(0)
            case .fixed32: bytes.append(contentsOf: repeatElement(0, count: 4))
            case .fixed64: bytes.append(contentsOf: repeatElement(0, count: 8))
            case .raw: bytes.append(contentsOf: repeatElement(0, count: type.size))
            }
        }
    }

    // MARK: Encodings

    private static func appendLength(_ length: Int, _ type: LeafType, to bytes: inout [UInt8]) {
        switch type.encoding {
        case .zigzagBytes: bytes.append(zigzag: Int64(length))
        case .varintBytes: Varint64.append(UInt64(length), to: &bytes)
        case .zigzag, .varint, .fixed32, .fixed64, .flag, .raw: break
        }
    }

    private static func append(_ number: Int64?, _ type: LeafType, to bytes: inout [UInt8]) -> Bool {
        guard let number else { return false }
        let isUnsigned = type.kind == .unsignedInt || type.kind == .unsignedLong
        guard type.bits == 64 || isUnsigned || Int32(exactly: number) != nil else { return false }
        switch type.encoding {
        case .zigzag: bytes.append(zigzag: number)
        case .varint: Varint64.append(UInt64(bitPattern: number), to: &bytes)
        case .fixed32: append(littleEndian: UInt32(truncatingIfNeeded: number), to: &bytes)
        case .fixed64: append(littleEndian: UInt64(bitPattern: number), to: &bytes)
        case .flag, .zigzagBytes, .varintBytes, .raw: return false
        }
        return true
    }

    private static func append(_ number: Double, _ type: LeafType, to bytes: inout [UInt8]) {
        if type.encoding == .fixed32 {
            append(littleEndian: Float(number).bitPattern, to: &bytes)
        } else {
            append(littleEndian: number.bitPattern, to: &bytes)
        }
    }

    private static func append<T: FixedWidthInteger>(littleEndian value: T, to bytes: inout [UInt8]) {
        bytes.append(bigEndian: value.byteSwapped)
    }

    private static func append(uuid text: RawSpan, _ type: LeafType, to bytes: inout [UInt8]) -> Bool {
        guard text.byteCount == 36 else { return false }
        var nibbles = 0
        var value: UInt8 = 0
        if type.encoding != .raw { appendLength(36, type, to: &bytes) }
        for at in 0..<36 {
            guard let byte = text.byte(at: at) else { return false }
            if type.encoding != .raw { bytes.append(byte) }
            if [8, 13, 18, 23].contains(at) {
                guard byte == UInt8(ascii: "-") else { return false }
                continue
            }
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return false }
            value = value &<< 4 | UInt8(truncatingIfNeeded: digit)
            nibbles &+= 1
            if type.encoding == .raw, nibbles & 1 == 0 { bytes.append(value) }
        }
        return true
    }

    // MARK: Texts

    private static func isEqual(_ text: RawSpan, _ word: StaticString) -> Bool {
        guard text.byteCount == word.utf8CodeUnitCount else { return false }
        for at in 0..<text.byteCount where unsafe text.byte(at: at) != word.utf8Start[at] { return false }
        return true
    }

    private static func magnitude(_ text: RawSpan, from start: Int) -> UInt64? {
        guard text.byteCount > start else { return nil }
        var value: UInt64 = 0
        for at in start..<text.byteCount {
            guard let byte = text.byte(at: at), byte >= 0x30, byte <= 0x39 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, more) = product.addingReportingOverflow(UInt64(byte &- 0x30))
            if overflow || more { return nil }
            value = sum
        }
        return value
    }

    private static func integer(_ text: RawSpan) -> Int64? {
        guard text.byte(at: 0) == UInt8(ascii: "-") else {
            return magnitude(text, from: 0).flatMap { Int64(exactly: $0) }
        }
        guard let value = magnitude(text, from: 1), value <= Int64.min.magnitude else { return nil }
        return 0 &- Int64(truncatingIfNeeded: value)
    }

    /// Digits, a point and an exponent; neither hexadecimal nor infinite.
    private static func floatingPoint(_ text: RawSpan) -> Double? {
        guard text.byteCount <= 400 else { return nil }
        for at in 0..<text.byteCount {
            switch text.byte(at: at) {
            case .some(0x30...0x39), .some(0x2b), .some(0x2d), .some(0x2e), .some(0x45), .some(0x65): continue
            default: return nil
            }
        }
        guard let string = text.text(0..<text.byteCount), let number = Double(string), number.isFinite else {
            return nil
        }
        return number
    }
}
