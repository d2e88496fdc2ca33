import TidegateWire

/// What a column's value is made of, as far as masks must know: by the type's number in `pg_type` (PostgreSQL 18,
/// `src/include/catalog/pg_type.dat`).
enum PostgresType {
    case text, json, jsonb
    case integer(bytes: Int)
    case numeric
    case float(bytes: Int)
    case date
    /// With a zone or without: in binary both are microseconds.
    case timestamp
    case uuid
    case bytes
    /// `inet` and `cidr`, `macaddr` in two lengths: what is found in them makes them null.
    case network, hardware
    case array(element: UInt32)
    /// Truth, times of day, numbers of the server's own: nothing that tells of anybody.
    case plain
    /// A type that nobody here knows: what is found in it, or could be there and not be seen, makes it null.
    case opaque

    init(_ number: UInt32) {
        switch number {
        case 0, 18, 19, 25, 142, 705, 1042, 1043: self = .text
        case 114: self = .json
        case 3802: self = .jsonb
        case 21: self = .integer(bytes: 2)
        case 23, 26: self = .integer(bytes: 4)
        case 20: self = .integer(bytes: 8)
        case 1700: self = .numeric
        case 700: self = .float(bytes: 4)
        case 701: self = .float(bytes: 8)
        case 1082: self = .date
        case 1114, 1184: self = .timestamp
        case 2950: self = .uuid
        case 17: self = .bytes
        case 650, 869: self = .network
        case 774, 829: self = .hardware
        case 16, 27, 28, 29, 1083, 1186, 1266, 3220, 5069: self = .plain
        default: self = PostgresType.elements[number].map { .array(element: $0) } ?? .opaque
        }
    }

    /// By the number of an array's type.
    private static let elements: [UInt32: UInt32] = [
        143: 142, 199: 114, 651: 650, 775: 774, 1000: 16, 1001: 17, 1002: 18, 1003: 19, 1005: 21, 1007: 23, 1009: 25,
        1014: 1042, 1015: 1043, 1016: 20, 1021: 700, 1022: 701, 1028: 26, 1040: 829, 1041: 869, 1115: 1114, 1182: 1082,
        1183: 1083, 1185: 1184, 1187: 1186, 1231: 1700, 1270: 1266, 2951: 2950, 3807: 3802,
    ]

    var isJSON: Bool {
        switch self {
        case .json, .jsonb: true
        default: false
        }
    }

    /// What replaces it is to be a number again.
    var isNumber: Bool {
        switch self {
        case .integer, .numeric, .float: true
        default: false
        }
    }

    /// True for what a known type writes and no text of ours stands for: infinity, NaN, years of five digits.
    func isSpecial(_ content: RawSpan) -> Bool {
        switch self {
        case .plain: true
        case .date: content.byteCount == 4
        case .timestamp: content.byteCount == 8
        case .numeric:
            content.byteCount == 8 && content.bigEndian(UInt16.self, at: 4).map { $0 & 0xc000 == 0xc000 } == true
        default: false
        }
    }

    /// Text that the value is, or that its bytes are.
    ///
    /// - Returns: nil where there is none.
    func text(ofText content: RawSpan) -> [UInt8]? {
        switch self {
        case .bytes: PostgresBytes.bytes(ofText: content)
        case .array, .plain: nil
        default: content.allBytes
        }
    }

    /// Text that the value is, or is written as.
    ///
    /// - Returns: nil where the bytes are none of that type.
    func text(ofBinary content: RawSpan) -> [UInt8]? {
        switch self {
        case .text, .json, .bytes: return content.allBytes
        case .array, .plain: return nil
        case .network: return PostgresBytes.text(ofNetwork: content)
        case .hardware: return PostgresBytes.text(ofHardware: content)
        case .opaque:
            // The label of an enumeration is itself; what has parts has lengths, which are no text.
            let bytes = content.allBytes
            let isText = bytes.allSatisfy { $0 >= 0x20 } && String(validating: bytes, as: UTF8.self) != nil
            return isText ? bytes : nil
        case .jsonb: return content.byte(at: 0) == 1 ? content.bytes(1..<content.byteCount) : nil
        case .integer(let bytes):
            guard content.byteCount == bytes else { return nil }
            switch bytes {
            case 2: return content.bigEndian(Int16.self, at: 0).map { Array(String($0).utf8) }
            case 4: return content.bigEndian(Int32.self, at: 0).map { Array(String($0).utf8) }
            default: return content.bigEndian(Int64.self, at: 0).map { Array(String($0).utf8) }
            }
        case .float(let bytes):
            guard content.byteCount == bytes else { return nil }
            let text =
                bytes == 4
                ? content.bigEndian(UInt32.self, at: 0).map { "\(Float(bitPattern: $0))" }
                : content.bigEndian(UInt64.self, at: 0).map { "\(Double(bitPattern: $0))" }
            // As Postgres writes whole ones.
            return text.map { Array(($0.hasSuffix(".0") ? String($0.dropLast(2)) : $0).utf8) }
        case .numeric: return PostgresNumeric.text(of: content)
        case .date:
            guard content.byteCount == 4, let days = content.bigEndian(Int32.self, at: 0) else { return nil }
            return PostgresTime.text(days: Int64(days))
        case .timestamp:
            guard content.byteCount == 8, let time = content.bigEndian(Int64.self, at: 0) else { return nil }
            return PostgresTime.text(microseconds: time)
        case .uuid:
            guard content.byteCount == 16 else { return nil }
            var text: [UInt8] = []
            for (index, byte) in content.allBytes.enumerated() {
                if [4, 6, 8, 10].contains(index) { text.append(UInt8(ascii: "-")) }
                text.append(PostgresType.digits[Int(byte >> 4)])
                text.append(PostgresType.digits[Int(byte & 15)])
            }
            return text
        }
    }
    private static let digits = Array("0123456789abcdef".utf8)

    /// True where the type can hold that text.
    func accepts(_ text: ArraySlice<UInt8>) -> Bool {
        switch self {
        case .text: return !text.contains(0)
        case .json, .jsonb: return !text.contains(0)
        case .integer(let bytes):
            guard let value = Int64(String(decoding: text, as: UTF8.self)), JSONEscapes.isNumber(text) else {
                return false
            }
            return bytes == 8 || value.magnitude < UInt64(1) << UInt64(bytes * 8 - 1)
        case .numeric: return JSONEscapes.isNumber(text) && text.count <= 1000
        case .float(let bytes):
            guard JSONEscapes.isNumber(text) else { return false }
            let text = String(decoding: text, as: UTF8.self)
            return bytes == 4 ? Float(text)?.isFinite == true : Double(text)?.isFinite == true
        case .date: return PostgresTime.days(text) != nil
        case .timestamp: return PostgresTime.microseconds(text) != nil
        case .uuid: return PostgresType.uuid(text) != nil
        case .bytes: return true
        case .network, .hardware, .array, .plain, .opaque: return false
        }
    }

    /// Appends the binary form of a text that the type accepts.
    ///
    /// - Returns: false where there is none; nothing was appended then.
    func appendBinary(_ text: ArraySlice<UInt8>, to output: inout [UInt8]) -> Bool {
        guard accepts(text) else { return false }
        let string = String(decoding: text, as: UTF8.self)
        switch self {
        case .text, .json, .bytes: output.append(contentsOf: text)
        case .jsonb:
            output.append(1)
            output.append(contentsOf: text)
        case .integer(let bytes):
            guard let value = Int64(string) else { return false }
            switch bytes {
            case 2: output.append(bigEndian: Int16(clamping: value))
            case 4: output.append(bigEndian: Int32(clamping: value))
            default: output.append(bigEndian: value)
            }
        case .float(let bytes):
            if bytes == 4 {
                guard let value = Float(string) else { return false }
                output.append(bigEndian: value.bitPattern)
            } else {
                guard let value = Double(string) else { return false }
                output.append(bigEndian: value.bitPattern)
            }
        case .numeric: return PostgresNumeric.append(text, to: &output)
        case .date:
            guard let days = PostgresTime.days(text), let value = Int32(exactly: days) else { return false }
            output.append(bigEndian: value)
        case .timestamp:
            guard let time = PostgresTime.microseconds(text) else { return false }
            output.append(bigEndian: time)
        case .uuid:
            guard let bytes = PostgresType.uuid(text) else { return false }
            output.append(contentsOf: bytes)
        case .network, .hardware, .array, .plain, .opaque: return false
        }
        return true
    }

    private static func uuid(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let digits = text.filter { $0 != UInt8(ascii: "-") }
        guard digits.count == 32 else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in digits {
            guard let value = Character(Unicode.Scalar(digit)).hexDigitValue else { return nil }
            if let first = high {
                bytes.append(first << 4 | UInt8(value))
                high = nil
            } else {
                high = UInt8(value)
            }
        }
        return bytes
    }
}

/// `numeric` in binary: counts of digits of base 10,000, the first one's weight, the sign, the scale, and the digits
/// (PostgreSQL, `src/backend/utils/adt/numeric.c`).
enum PostgresNumeric {
    static func text(of content: RawSpan) -> [UInt8]? {
        guard let count = content.bigEndian(Int16.self, at: 0), let weight = content.bigEndian(Int16.self, at: 2),
            let sign = content.bigEndian(UInt16.self, at: 4), let scale = content.bigEndian(UInt16.self, at: 6),
            count >= 0, content.byteCount == 8 + 2 * Int(count), sign == 0 || sign == 0x4000, scale <= 0x3fff
        else { return nil }
        var groups: [Int16] = []
        for index in 0..<Int(count) {
            guard let group = content.bigEndian(Int16.self, at: 8 + 2 * index), (0..<10_000).contains(group) else {
                return nil
            }
            groups.append(group)
        }
        func group(_ power: Int) -> String {
            let index = Int(weight) - power
            let digits = String(groups.indices.contains(index) ? groups[index] : 0)
            return String(repeating: "0", count: 4 - digits.count) + digits
        }
        var whole = weight >= 0 ? (0...Int(weight)).reversed().map(group).joined() : "0"
        whole = String(whole.drop { $0 == "0" })
        var text = (sign == 0 ? "" : "-") + (whole.isEmpty ? "0" : whole)
        if scale > 0 {
            let groupCount = (Int(scale) + 3) / 4
            text += "." + (1...groupCount).map { group(-$0) }.joined().prefix(Int(scale))
        }
        return Array(text.utf8)
    }

    static func append(_ text: ArraySlice<UInt8>, to output: inout [UInt8]) -> Bool {
        // Without an exponent: what masks make of numbers has none.
        guard !text.contains(where: { $0 | 0x20 == UInt8(ascii: "e") }) else { return false }
        let isNegative = text.first == UInt8(ascii: "-")
        let parts = text.dropFirst(isNegative ? 1 : 0).split(
            separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard let whole = parts.first, parts.count <= 2 else { return false }
        let fraction = parts.count == 2 ? Array(parts[1]) : []
        let zero = UInt8(ascii: "0")
        let padded =
            [UInt8](repeating: zero, count: (4 - whole.count % 4) % 4) + whole + fraction
            + [UInt8](repeating: zero, count: (4 - fraction.count % 4) % 4)
        var groups: [Int16] = []
        for start in stride(from: 0, to: padded.count, by: 4) {
            groups.append(padded[start..<start + 4].reduce(0) { $0 * 10 + Int16($1 - zero) })
        }
        var weight = (whole.count + 3) / 4 - 1
        while groups.first == 0 {
            groups.removeFirst()
            weight -= 1
        }
        while groups.last == 0 { groups.removeLast() }
        output.append(bigEndian: Int16(clamping: groups.count))
        output.append(bigEndian: Int16(clamping: groups.isEmpty ? 0 : weight))
        output.append(bigEndian: UInt16(isNegative && !groups.isEmpty ? 0x4000 : 0))
        output.append(bigEndian: UInt16(clamping: fraction.count))
        for group in groups { output.append(bigEndian: group) }
        return true
    }
}
