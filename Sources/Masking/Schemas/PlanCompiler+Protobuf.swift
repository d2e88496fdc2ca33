extension PlanCompiler {
    /// Writes the node of a Protobuf message or of a single value.
    func expand(
        _ schema: ProtobufSchema, _ unknown: UnknownFields, _ key: Key, _ index: Int32, _ state: inout State
    ) {
        let leaf = key.type - schema.messages.count
        if schema.leafTypes.indices.contains(leaf) {
            state.nodes[Int(index)] = Node(
                operation: .scalar, rule: rule(key.mode, schema.leafTypes[leaf].kind, &state), name: key.name,
                type: Int32(leaf),
                count: Int32(schema.leafTypes[leaf].encoding == .varintBytes ? -1 : 0),
                kind: schema.leafTypes[leaf].kind)
            return
        }
        guard schema.messages.indices.contains(key.type) else { return }
        let message = schema.messages[key.type]
        var node = Node(operation: .message, name: key.name, type: Int32(key.type))
        // What nobody wants to see need not be looked into, unless unknown fields may hide there.
        if key.mode == .unseen, unknown == .keep { node.operation = .nothing }
        var entries: [FieldEntry] = []
        if node.operation == .message {
            for field in message.fields {
                entries.append(entry(schema, field, message.isTransparent, key, &state))
            }
        }
        node.first = Int32(state.fields.count)
        node.count = Int32(entries.count)
        state.fields += entries
        state.nodes[Int(index)] = node
    }

    private func entry(
        _ schema: ProtobufSchema, _ field: ProtobufSchema.Field, _ isTransparent: Bool, _ key: Key, _ state: inout State
    ) -> FieldEntry {
        let type = schema.type(of: field.content)
        let name = isTransparent ? key.name : nameID(field.name, &state)
        let tags = field.tags + (field.shape == .map ? [] : schema.tags(ofType: type))
        var mode = isTransparent ? key.mode : mode(of: field.name, tags: tags, in: key.mode)
        var result = FieldEntry(
            number: field.number, wire: field.wire, shape: field.shape, isPackable: field.isPackable, node: -1)
        switch field.shape {
        case .map: result.node = mapNode(schema, type, mode, name, &state)
        case .repeated:
            mode = elementMode(
                mode, field: isTransparent ? self.name(name, state) : field.name, tags: schema.tags(ofType: type))
            result.node = node(.init(type: type, mode: mode, name: name), &state)
        case .single, .required: result.node = node(.init(type: type, mode: mode, name: name), &state)
        }
        return result
    }

    /// A map's entries are messages with a key (1) and a value (2). Its node has their two fields at `type`.
    private func mapNode(
        _ schema: ProtobufSchema, _ entry: Int, _ mode: Mode, _ name: Int32, _ state: inout State
    ) -> Int32 {
        guard schema.messages.indices.contains(entry),
            let keyField = schema.messages[entry].fields.first(where: { $0.number == 1 }),
            let valueField = schema.messages[entry].fields.first(where: { $0.number == 2 }),
            case .leaf(let keyLeaf) = keyField.content
        else { return -1 }
        let keyName = Node.keyName(ofType: keyLeaf)
        // A map's keys are seen with the map.
        let keyMode: Mode
        if case .place = mode { keyMode = resolver.detects ? .detected : .unseen } else { keyMode = mode }
        let valueType = schema.type(of: valueField.content)
        var result = Node(operation: .map, rule: rule(keyMode), name: name, type: Int32(state.fields.count))
        var value = FieldEntry(number: 2, wire: valueField.wire, shape: .single, isPackable: false, node: -1)
        state.fields.append(
            FieldEntry(
                number: 1, wire: keyField.wire, shape: .single, isPackable: false,
                node: node(.init(type: schema.type(of: keyField.content), mode: keyMode, name: name), &state)))
        if case .place(let place) = mode {
            result.extra = Int32(state.maps.count)
            state.maps.append(DynamicMap(valueType: valueType, place: place, keyName: keyName))
        } else {
            value.node = node(.init(type: valueType, mode: mode, name: keyName), &state)
        }
        state.fields.append(value)
        let index = Int32(state.nodes.count)
        state.nodes.append(result)
        return index
    }
}
