import TidegateWire

/// Walks one Protobuf message (Protocol Buffers, Encoding) and lists the leaves that the plan wants to see, and the fields
/// that no schema names. Every length is checked against what is around it before it is used.
struct ProtobufWalker {
    var nodes: [Node]
    var fields: [FieldEntry]
    let keys: MapKeys
    let leafTypes: [LeafType]
    let dropsUnknown: Bool
    let depthLimit: Int
    let leafLimit: Int
    var at = 0
    var frame: Int32 = -1
    /// The innermost map's key.
    var keyStart: UInt32 = 0
    var keyEnd: UInt32 = 0

    init(_ tables: PlanTables, _ keys: MapKeys, _ leafTypes: [LeafType], _ options: PlanOptions) {
        nodes = tables.nodes
        fields = tables.fields
        self.keys = keys
        self.leafTypes = leafTypes
        dropsUnknown = options.unknownFields == .drop
        depthLimit = options.depthLimit
        leafLimit = options.leafLimit
    }

    /// - Returns: false where the payload is not exactly one message.
    mutating func walk(_ payload: RawSpan, root: Int32, into list: inout LeafList) -> Bool {
        message(root, end: payload.byteCount, group: 0, depth: 0, payload, &list) && at == payload.byteCount
    }

    // MARK: Numbers

    @inline(__always)
    mutating func varint(_ payload: RawSpan, end: Int) -> UInt64? {
        guard let number = Varint64.read(payload, at: at), number.end <= end else { return nil }
        at = number.end
        return number.value
    }

    /// A length of bytes that are there.
    @inline(__always)
    mutating func length(_ payload: RawSpan, end: Int) -> Int? {
        guard let number = varint(payload, end: end), number <= UInt64(end &- at) else { return nil }
        return Int(number)
    }

    @inline(__always)
    mutating func skip(_ count: Int, end: Int) -> Bool {
        guard count <= end &- at else { return false }
        at &+= count
        return true
    }

    /// A field's number and wire type.
    @inline(__always)
    mutating func tag(_ payload: RawSpan, end: Int) -> (number: UInt32, wire: UInt8)? {
        guard let tag = varint(payload, end: end), let small = UInt32(exactly: tag), small >= 8 else { return nil }
        return (small &>> 3, UInt8(truncatingIfNeeded: small & 7))
    }

    // MARK: Messages

    /// - Parameters:
    ///   - end: of the message, or of what a group stands in.
    ///   - group: the number whose end ends a group; 0 for a message.
    private mutating func message(
        _ index: Int32, end: Int, group: UInt32, depth: Int, _ payload: RawSpan, _ list: inout LeafList
    ) -> Bool {
        guard depth < depthLimit else { return false }
        let node = nodes[Int(index)]
        if node.operation == .nothing {
            if group > 0 { return skipGroup(group, end: end, payload) }
            at = end
            return true
        }
        var hint = Int(node.first)
        while at < end {
            let item = at
            guard let (number, wire) = tag(payload, end: end) else { return false }
            if wire == 4 { return number == group }
            guard let found = find(number, node, &hint), fits(fields[found], wire) else {
                guard skipUnknown(number, wire, item, end: end, payload, &list) else { return false }
                continue
            }
            guard field(fields[found], wire, item, end: end, depth, payload, &list) else { return false }
        }
        return group == 0
    }

    /// Fields mostly come in order.
    @inline(__always)
    private func find(_ number: UInt32, _ node: Node, _ hint: inout Int) -> Int? {
        let first = Int(node.first)
        let end = first &+ Int(node.count)
        for candidate in hint..<min(hint &+ 2, end) where fields[candidate].number == number {
            hint = candidate
            return candidate
        }
        var low = first
        var high = end
        while low < high {
            let middle = (low &+ high) / 2
            if fields[middle].number < number { low = middle &+ 1 } else { high = middle }
        }
        guard low < end, fields[low].number == number else { return nil }
        hint = low
        return low
    }

    @inline(__always)
    private func fits(_ field: FieldEntry, _ wire: UInt8) -> Bool {
        field.wire == wire || wire == 2 && field.isPackable && field.shape == .repeated
    }

    mutating func field(
        _ field: FieldEntry, _ wire: UInt8, _ item: Int, end: Int, _ depth: Int, _ payload: RawSpan,
        _ list: inout LeafList
    ) -> Bool {
        guard nodes.indices.contains(Int(field.node)) else { return false }
        let node = nodes[Int(field.node)]
        switch node.operation {
        case .scalar where wire == field.wire:
            let absence: Int32 = field.shape == .single ? 0 : -1
            return scalar(node, wire, item: item, absence: absence, end: end, payload, &list)
        case .scalar:
            guard let body = open(end: end, payload, &list) else { return false }
            while at < body.end {
                guard scalar(node, field.wire, item: at, absence: -1, end: body.end, payload, &list) else {
                    return false
                }
            }
            return close(body)
        case .map:
            guard let body = open(end: end, payload, &list) else { return false }
            return entry(node, end: body.end, depth &+ 1, payload, &list) && close(body)
        case .message, .nothing:
            if wire == 3 {
                return message(field.node, end: end, group: field.number, depth: depth &+ 1, payload, &list)
            }
            guard let body = open(end: end, payload, &list) else { return false }
            return message(field.node, end: body.end, group: 0, depth: depth &+ 1, payload, &list) && close(body)
        default: return false
        }
    }

    /// A length and its body, which become the innermost frame.
    private struct Body {
        var end: Int
        var outer: Int32
    }

    private mutating func open(end: Int, _ payload: RawSpan, _ list: inout LeafList) -> Body? {
        let start = at
        guard let count = length(payload, end: end), list.frames.count < leafLimit else { return nil }
        let body = Body(end: at &+ count, outer: frame)
        frame = list.openFrame(length: start, body: at..<body.end, in: frame)
        return body
    }

    private mutating func close(_ body: Body) -> Bool {
        frame = body.outer
        return at == body.end
    }

    @inline(__always)
    mutating func scalar(
        _ node: Node, _ wire: UInt8, item: Int, absence: Int32, isMapKey: Bool = false, end: Int, _ payload: RawSpan,
        _ list: inout LeafList
    ) -> Bool {
        let value = at
        var content = at
        switch wire {
        case 0: guard varint(payload, end: end) != nil else { return false }
        case 1: guard skip(8, end: end) else { return false }
        case 5: guard skip(4, end: end) else { return false }
        case 2:
            guard let count = length(payload, end: end) else { return false }
            content = at
            at &+= count
        default: return false
        }
        guard node.rule != Node.unseen else { return true }
        guard list.leaves.count < leafLimit else { return false }
        list.leaves.append(
            Leaf(
                item: UInt32(truncatingIfNeeded: item), value: UInt32(truncatingIfNeeded: value),
                contentStart: UInt32(truncatingIfNeeded: content), contentEnd: UInt32(truncatingIfNeeded: at),
                rule: node.rule, nameID: node.name, keyStart: keyStart, keyEnd: keyEnd, type: node.type,
                absence: absence, frame: frame, kind: node.kind, isMapKey: isMapKey))
        return true
    }
}
