extension PlanCompiler {
    /// Writes the node of an Avro type.
    func expand(_ schema: AvroSchema, _ key: Key, _ index: Int32, _ state: inout State) {
        guard schema.types.indices.contains(key.type) else { return }
        let type = schema.types[key.type]
        var node = Node(operation: .nothing, name: key.name, type: Int32(key.type))
        if !type.isEmpty {
            switch type.shape {
            case .null: break
            case .leaf:
                node.rule = rule(key.mode, type.leaf.kind, &state)
                node.count = Int32(type.leaf.kind == .enumeration ? type.leaf.symbols.count : type.leaf.size)
                node.operation = PlanCompiler.operation(type.leaf)
                node.kind = type.leaf.kind
            case .record(let fields):
                var children: [Int32] = []
                for field in fields where !schema.types[field.type].isEmpty {
                    let tags = field.tags + schema.tags(ofType: field.type)
                    let mode = mode(of: field.name, tags: tags, in: key.mode)
                    children.append(
                        self.node(.init(type: field.type, mode: mode, name: nameID(field.name, &state)), &state))
                }
                node.operation = .record
                append(children, to: &node, &state)
            case .union(let branches):
                node.operation = .union
                node.extra = -1
                for (at, branch) in branches.enumerated() {
                    if case .null = schema.types[branch].shape, node.extra < 0 { node.extra = Int32(at) }
                }
                append(
                    branches.map { self.node(.init(type: $0, mode: key.mode, name: key.name), &state) }, to: &node,
                    &state)
            case .array(let items):
                node.operation = .array
                let mode = elementMode(key.mode, field: name(key.name, state), tags: schema.tags(ofType: items))
                node.first = self.node(.init(type: items, mode: mode, name: key.name), &state)
            case .map(let values):
                node.operation = .map
                node.rule = rule(key.mode)
                if case .place(let place) = key.mode {
                    node.extra = Int32(state.maps.count)
                    state.maps.append(DynamicMap(valueType: values, place: place, keyName: Node.keyName))
                } else {
                    node.first = self.node(.init(type: values, mode: key.mode, name: Node.keyName), &state)
                }
            }
        }
        state.nodes[Int(index)] = node
    }

    private func append(_ children: [Int32], to node: inout Node, _ state: inout State) {
        node.first = Int32(state.children.count)
        node.count = Int32(children.count)
        state.children += children
    }

    /// Of a leaf below; under a map's key nobody knows it yet.
    func name(_ id: Int32, _ state: State) -> [UInt8] {
        state.names.indices.contains(Int(id)) ? state.names[Int(id)] : []
    }

    private static func operation(_ leaf: LeafType) -> NodeOperation {
        switch leaf.encoding {
        case .zigzag: leaf.kind == .enumeration ? .enumeration : leaf.bits == 32 ? .int : .long
        case .flag: .boolean
        case .fixed32, .fixed64, .raw: .fixed
        case .zigzagBytes: .lengthPrefixed
        case .varint, .varintBytes: .nothing
        }
    }
}
