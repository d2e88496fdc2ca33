import TidegateWire

/// What names a schema in a registry.
public enum SchemaKey: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    case id(UInt32)
    /// 16 bytes in the order of their text.
    case guid(UInt64, UInt64)

    public var description: String {
        switch self {
        case .id(let id): return "schema \(id)"
        case .guid: return "schema \(guidText ?? "")"
        }
    }

    /// `89791762-2336-4186-9674-299b90a802e2`; nil for an id.
    public var guidText: String? {
        guard case .guid(let high, let low) = self else { return nil }
        var text = ""
        for (index, word) in [high, low].enumerated() {
            for nibble in 0..<16 {
                let position = index * 16 + nibble
                if [8, 12, 16, 20].contains(position) { text += "-" }
                text += String(word &>> UInt64(60 &- 4 &* nibble) & 15, radix: 16)
            }
        }
        return text
    }
}

/// Which message of a Protobuf schema a payload is: indexes from the top level inwards, at most eight.
public struct MessagePath: Hashable, Sendable, BitwiseCopyable, Sequence {
    public static let depthLimit = 8
    private var low: UInt64 = 0
    private var high: UInt64 = 0
    public private(set) var count = 0

    /// The first message of the file.
    public static let first: MessagePath = {
        var path = MessagePath()
        _ = path.append(0)
        return path
    }()

    public init() {}

    /// - Returns: false where there is no room for it.
    public mutating func append(_ index: Int64) -> Bool {
        guard count < MessagePath.depthLimit, index >= 0, index <= 0xffff else { return false }
        let shift = UInt64(16 &* (count & 3))
        if count < 4 { low |= UInt64(index) &<< shift } else { high |= UInt64(index) &<< shift }
        count &+= 1
        return true
    }

    public func makeIterator() -> AnyIterator<Int> {
        var at = 0
        return AnyIterator {
            guard at < count else { return nil }
            let word = at < 4 ? low : high
            defer { at &+= 1 }
            return Int(word &>> UInt64(16 &* (at & 3)) & 0xffff)
        }
    }
}

/// How a registry's serialisers say which schema a payload has (Confluent, Wire format): a zero and an id of four bytes in
/// network order, or a one and a GUID of 16 bytes; before the payload, or in a header of the record.
public struct RegistryFraming: Hashable, Sendable, BitwiseCopyable {
    /// Headers that hold the framing of a record's key and value, as it would stand before them.
    public static let keyHeader = "__key_schema_id"
    public static let valueHeader = "__value_schema_id"

    public var schema: SchemaKey
    /// Bytes of the framing: the payload, or Protobuf's message indexes, come behind it.
    public var length: Int

    /// The framing that some bytes begin with.
    ///
    /// - Returns: nil where they begin with none.
    public static func parse(_ bytes: RawSpan) -> RegistryFraming? {
        switch bytes.byte(at: 0) {
        case 0:
            guard let id = bytes.bigEndian(UInt32.self, at: 1) else { return nil }
            return RegistryFraming(schema: .id(id), length: 5)
        case 1:
            guard let high = bytes.bigEndian(UInt64.self, at: 1), let low = bytes.bigEndian(UInt64.self, at: 9) else {
                return nil
            }
            return RegistryFraming(schema: .guid(high, low), length: 17)
        default: return nil
        }
    }

    /// Protobuf's message indexes, which stand behind the framing, in a header too: a zig-zag count and as many zig-zag
    /// indexes. A count of zero is short for the first message.
    ///
    /// - Parameter start: `length` of the framing.
    /// - Returns: the path, and the offset behind it; nil where there is none, or one of more than eight indexes.
    public static func messagePath(_ bytes: RawSpan, at start: Int) -> (path: MessagePath, end: Int)? {
        guard let count = Varint.signed64(bytes, at: start), !count.overlong, count.value >= 0 else { return nil }
        if count.value == 0 { return (.first, count.end) }
        guard count.value <= Int64(MessagePath.depthLimit) else { return nil }
        var path = MessagePath()
        var at = count.end
        for _ in 0..<count.value {
            guard let index = Varint.signed64(bytes, at: at), !index.overlong, path.append(index.value) else {
                return nil
            }
            at = index.end
        }
        return (path, at)
    }
}
