import TidegateWire

extension ProtobufWalker {
    /// One entry: its key and its value stand in any order, and the last of each counts.
    mutating func entry(
        _ node: Node, end: Int, _ depth: Int, _ payload: RawSpan, _ list: inout LeafList
    ) -> Bool {
        guard depth < depthLimit else { return false }
        let key = fields[Int(node.type)]
        var value = fields[Int(node.type) &+ 1]
        let start = at
        let outer = (keyStart, keyEnd)
        defer { (keyStart, keyEnd) = outer }
        (keyStart, keyEnd) = (0, 0)
        while at < end {
            guard let (number, wire) = tag(payload, end: end) else { return false }
            guard number == 1, wire == key.wire else {
                guard skip(number, wire, end: end, payload) else { return false }
                continue
            }
            let from = at
            guard skip(number, wire, end: end, payload) else { return false }
            keyEnd = UInt32(truncatingIfNeeded: at)
            keyStart = keyEnd
            // Behind the length of a text.
            at = from
            if wire == 2 { guard length(payload, end: end) != nil else { return false } }
            keyStart = UInt32(truncatingIfNeeded: at)
            at = Int(keyEnd)
        }
        at = start
        if value.node < 0 {
            guard let found = valueNode(node, key, payload) else { return false }
            value.node = found
        }
        while at < end {
            let item = at
            guard let (number, wire) = tag(payload, end: end) else { return false }
            if number == 1, wire == key.wire {
                guard
                    scalar(
                        nodes[Int(key.node)], wire, item: item, absence: 0, isMapKey: true, end: end, payload, &list)
                else { return false }
            } else if number == 2, wire == value.wire {
                guard field(value, wire, item, end: end, depth, payload, &list) else { return false }
            } else {
                guard skipUnknown(number, wire, item, end: end, payload, &list) else { return false }
            }
        }
        return at == end
    }

    /// Text keys are asked for as they are, numbers as decimals; a key that is not there is its type's zero.
    private mutating func valueNode(_ node: Node, _ key: FieldEntry, _ payload: RawSpan) -> Int32? {
        let range = Int(keyStart)..<Int(keyEnd)
        guard payload.holds(range), nodes.indices.contains(Int(key.node)) else { return nil }
        let type = Int(nodes[Int(key.node)].type)
        guard leafTypes.indices.contains(type) else { return nil }
        let found: Int32?
        if key.wire == 2 {
            found = keys.node(ofMap: node.extra, key: unsafe payload.extracting(unchecked: range))
        } else {
            var text: [UInt8] = []
            if range.isEmpty {
                text = leafTypes[type].zeroText
            } else {
                _ = LeafText.append(range, leafTypes[type], payload, to: &text)
            }
            found = unsafe keys.node(ofMap: node.extra, key: text.span.bytes)
        }
        guard let found else { return nil }
        if Int(found) >= nodes.count {
            let tables = keys.published.tables
            nodes = tables.nodes
            fields = tables.fields
        }
        return nodes.indices.contains(Int(found)) ? found : nil
    }
}
