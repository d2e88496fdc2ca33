/// What a walker does at one place of a schema.
enum NodeOperation: UInt8, Sendable, BitwiseCopyable {
    /// Nothing is written for it: null, and records of nulls.
    case nothing
    case boolean
    case int
    case long
    /// `count` bytes.
    case fixed
    /// A length and bytes.
    case lengthPrefixed
    /// One of `count` symbols.
    case enumeration
    /// Children `first..<first + count`.
    case record
    /// Children by branch; `extra` is the null branch or -1.
    case union
    /// Elements are `first`.
    case array
    /// Values are `first`; where that is -1, they depend on the key, and `extra` is the map's number.
    case map
    /// A Protobuf message with fields `first..<first + count`.
    case message
    /// A single value of Protobuf's, read by its field's wire type; `count` is -1 where it is text or bytes.
    case scalar
}

struct Node: Sendable, BitwiseCopyable {
    /// `rule` of a node that nobody wants to see.
    static let unseen: Int32 = -2
    /// `name` of a node under an Avro map's key.
    static let keyName: Int32 = -1
    /// `name` of a node under a Protobuf map's key of some leaf type.
    static func keyName(ofType type: Int) -> Int32 { Int32(truncatingIfNeeded: -2 &- type) }

    var operation: NodeOperation
    /// The rule that takes it, `Leaf.undecided` or `unseen`. Of a map: who takes its keys.
    var rule: Int32 = Node.unseen
    var name: Int32 = 0
    /// The schema's type: index of its leaf type.
    var type: Int32 = 0
    var first: Int32 = -1
    var count: Int32 = 0
    var extra: Int32 = -1
    /// Of a leaf.
    var kind = LeafKind.bytes
}

/// One field of a Protobuf message, at one place.
struct FieldEntry: Sendable, BitwiseCopyable {
    enum Shape: UInt8, BitwiseCopyable { case single, repeated, map, required }
    var number: UInt32
    /// 0 varint, 1 eight bytes, 2 a length and bytes, 3 a group, 5 four bytes.
    var wire: UInt8
    var shape: Shape
    /// Numbers that may stand one behind the other in one field.
    var isPackable: Bool
    /// Of its value, or of the message inside it. Of a map: of its entry's value, unless it depends on the key.
    var node: Int32
}

/// All nodes of a plan. A map's new key may need more: then there are new tables, whose beginning is the same.
final class PlanTables: Sendable {
    let nodes: [Node]
    let children: [Int32]
    let fields: [FieldEntry]

    init(nodes: [Node], children: [Int32], fields: [FieldEntry]) {
        self.nodes = nodes
        self.children = children
        self.fields = fields
    }
}

/// What the encoding of a leaf is, and what it can hold.
struct LeafType: Sendable {
    enum Encoding: UInt8, Sendable {
        /// Zig-zag varint (Avro int and long, Protobuf sint).
        case zigzag
        /// Varint of 64 bits in two's complement (Protobuf int, uint, bool, enum).
        case varint
        case fixed32
        case fixed64
        /// One byte, 0 or 1 (Avro boolean).
        case flag
        /// A zig-zag length (Avro) and bytes.
        case zigzagBytes
        /// A varint length (Protobuf) and bytes.
        case varintBytes
        /// `size` bytes.
        case raw
    }
    var kind: LeafKind
    var encoding: Encoding
    /// Bytes of a fixed, a float or a double.
    var size = 0
    /// Of an integer, and of what counts days or parts of a second.
    var bits = 64
    /// Of a decimal: digits behind the point, digits in all.
    var scale = 0
    var precision = 0
    /// Of a time or timestamp: parts of a second: 1000, 1,000,000 or 1,000,000,000.
    var unit: Int64 = 1
    /// Of an enumeration: names, and the numbers that stand for them (Avro: their indexes).
    var symbols: [[UInt8]] = []
    var numbers: [Int32] = []
    /// What an emptied enumeration is: a number.
    var defaultNumber: Int32 = 0

    /// Of a Protobuf map's key that is a number or a boolean.
    var zeroText: [UInt8] { Array((kind == .boolean ? "false" : "0").utf8) }
}
