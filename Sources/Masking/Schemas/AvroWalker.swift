import TidegateWire

/// Walks one Avro value in its binary encoding (specification 1.12, Binary Encoding) and lists the leaves that the plan
/// wants to see. Every length is checked against the bytes that remain before it is used.
struct AvroWalker {
    private var nodes: [Node]
    private var children: [Int32]
    private let keys: MapKeys
    private let depthLimit: Int
    private let leafLimit: Int
    private var at = 0
    private var frame: Int32 = -1
    /// The innermost map's key.
    private var keyStart: UInt32 = 0
    private var keyEnd: UInt32 = 0

    init(_ tables: PlanTables, _ keys: MapKeys, _ options: PlanOptions) {
        nodes = tables.nodes
        children = tables.children
        self.keys = keys
        depthLimit = options.depthLimit
        leafLimit = options.leafLimit
    }

    /// - Returns: false where the payload is not exactly one value.
    mutating func walk(_ payload: RawSpan, root: Int32, into list: inout LeafList) -> Bool {
        value(root, item: 0, absence: -1, depth: 0, payload, &list) && at == payload.byteCount
    }

    // MARK: Numbers

    /// A zig-zag varint of at most 64 bits. One that is longer than it need be is taken as it is.
    @inline(__always)
    private mutating func long(_ payload: RawSpan) -> Int64? {
        guard let number = Varint.signed64(payload, at: at), !number.overlong else { return nil }
        at = number.end
        return number.value
    }

    /// A length of bytes that are there.
    @inline(__always)
    private mutating func length(_ payload: RawSpan) -> Int? {
        guard let number = long(payload), number >= 0, number <= Int64(payload.byteCount &- at) else { return nil }
        return Int(number)
    }

    @inline(__always)
    private mutating func skip(_ count: Int, _ payload: RawSpan) -> Bool {
        guard count <= payload.byteCount &- at else { return false }
        at &+= count
        return true
    }

    // MARK: Values

    /// - Parameters:
    ///   - item: where the union's index stands, or the value itself.
    ///   - absence: the union's null branch, or -1.
    private mutating func value(
        _ index: Int32, item: Int, absence: Int32, depth: Int, _ payload: RawSpan, _ list: inout LeafList
    ) -> Bool {
        let node = nodes[Int(index)]
        let start = at
        var content = at
        switch node.operation {
        case .nothing: return true
        case .boolean:
            guard let flag = payload.byte(at: at), flag <= 1 else { return false }
            at &+= 1
        case .int:
            guard let number = long(payload), Int32(exactly: number) != nil else { return false }
        case .long:
            guard long(payload) != nil else { return false }
        case .fixed:
            guard skip(Int(node.count), payload) else { return false }
        case .lengthPrefixed:
            guard let count = length(payload) else { return false }
            content = at
            at &+= count
        case .enumeration:
            guard let symbol = long(payload), symbol >= 0, symbol < Int64(node.count) else { return false }
        case .record:
            guard depth < depthLimit else { return false }
            for child in Int(node.first)..<Int(node.first &+ node.count) {
                guard value(children[child], item: at, absence: -1, depth: depth &+ 1, payload, &list) else {
                    return false
                }
            }
            return true
        case .union:
            guard let branch = long(payload), branch >= 0, branch < Int64(node.count) else { return false }
            let child = children[Int(node.first) &+ Int(branch)]
            return value(child, item: start, absence: node.extra, depth: depth, payload, &list)
        case .array: return depth < depthLimit && array(node, depth &+ 1, payload, &list)
        case .map: return depth < depthLimit && map(node, depth &+ 1, payload, &list)
        case .message, .scalar: return false
        }
        guard node.rule != Node.unseen else { return true }
        return append(node, item: item, value: start, content: content, absence: absence, &list)
    }

    @inline(__always)
    private func append(
        _ node: Node, item: Int, value: Int, content: Int, absence: Int32, isMapKey: Bool = false,
        _ list: inout LeafList
    ) -> Bool {
        guard list.leaves.count < leafLimit else { return false }
        list.leaves.append(
            Leaf(
                item: UInt32(truncatingIfNeeded: item), value: UInt32(truncatingIfNeeded: value),
                contentStart: UInt32(truncatingIfNeeded: content), contentEnd: UInt32(truncatingIfNeeded: at),
                rule: node.rule, nameID: node.name, keyStart: keyStart, keyEnd: keyEnd, type: node.type,
                absence: absence, frame: frame, kind: node.kind, isMapKey: isMapKey))
        return true
    }

    /// How many elements a block has; where it says how many bytes, they become the innermost frame.
    private struct Block {
        var count: Int64
        var end = -1
        var outer: Int32 = -1
    }

    private mutating func open(_ payload: RawSpan, _ list: inout LeafList) -> Block? {
        guard var count = long(payload) else { return nil }
        guard count < 0 else { return Block(count: count) }
        guard count != .min else { return nil }
        count = -count
        let start = at
        guard let size = length(payload), list.frames.count < leafLimit else { return nil }
        let block = Block(count: count, end: at &+ size, outer: frame)
        frame = list.openFrame(length: start, body: at..<block.end, in: frame)
        return block
    }

    private mutating func close(_ block: Block) -> Bool {
        guard block.end >= 0 else { return true }
        frame = block.outer
        return at == block.end
    }

    private mutating func array(_ node: Node, _ depth: Int, _ payload: RawSpan, _ list: inout LeafList) -> Bool {
        while true {
            guard let block = open(payload, &list) else { return false }
            if block.count == 0 { return close(block) && block.end < 0 }
            // Elements for which nothing is written may be any number; all others take a byte at least.
            if nodes[Int(node.first)].operation != .nothing {
                guard block.count <= Int64(payload.byteCount &- at) else { return false }
                for _ in 0..<block.count {
                    guard value(node.first, item: at, absence: -1, depth: depth, payload, &list) else { return false }
                }
            }
            guard close(block) else { return false }
        }
    }

    private mutating func map(_ node: Node, _ depth: Int, _ payload: RawSpan, _ list: inout LeafList) -> Bool {
        let outer = (keyStart, keyEnd)
        while true {
            guard let block = open(payload, &list) else { return false }
            if block.count == 0 {
                (keyStart, keyEnd) = outer
                return close(block) && block.end < 0
            }
            guard block.count <= Int64(payload.byteCount &- at) else { return false }
            for _ in 0..<block.count {
                let start = at
                guard let count = length(payload) else { return false }
                let content = at
                at &+= count
                keyStart = UInt32(truncatingIfNeeded: content)
                keyEnd = UInt32(truncatingIfNeeded: at)
                if node.rule != Node.unseen {
                    var key = node
                    key.kind = .string
                    key.type = SchemaPlan.mapKeyType
                    guard
                        append(
                            key, item: start, value: start, content: content, absence: -1, isMapKey: true, &list)
                    else { return false }
                }
                guard let inner = valueNode(node, content..<at, payload),
                    value(inner, item: at, absence: -1, depth: depth, payload, &list)
                else { return false }
            }
            guard close(block) else { return false }
        }
    }

    private mutating func valueNode(_ node: Node, _ key: Range<Int>, _ payload: RawSpan) -> Int32? {
        if node.first >= 0 { return node.first }
        guard payload.holds(key),
            let found = keys.node(ofMap: node.extra, key: unsafe payload.extracting(unchecked: key))
        else { return nil }
        if Int(found) >= nodes.count {
            let tables = keys.published.tables
            nodes = tables.nodes
            children = tables.children
        }
        return Int(found) < nodes.count ? found : nil
    }
}
