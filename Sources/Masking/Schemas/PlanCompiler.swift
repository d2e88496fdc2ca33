import Synchronization

/// What a plan asks about a map's key that it has not seen.
protocol MapKeyResolver: Sendable {
    /// The node of what stands under a key; nil where there is no room for it.
    func valueNode(ofMap map: Int32, key: [UInt8]) -> Int32?
}

/// Makes nodes from a schema and what a resolver says of its places: a node for each type at each place that it can have.
final class PlanCompiler<Resolver: PlaceResolver>: MapKeyResolver {
    /// How what is below a value is seen.
    enum Mode: Hashable, Sendable {
        /// Nobody wants it.
        case unseen
        /// Its leaves are for the detectors.
        case detected
        /// Its leaves are a rule's.
        case taken(Int32)
        case place(Resolver.Place)
    }
    struct Key: Hashable, Sendable {
        var type: Int
        var mode: Mode
        /// Of a leaf below; a record's own fields have their own.
        var name: Int32
    }
    struct DynamicMap: Sendable {
        var valueType: Int
        var place: Resolver.Place
        var keyName: Int32
    }
    struct State: Sendable {
        var nodes: [Node] = []
        var children: [Int32] = []
        var fields: [FieldEntry] = []
        var known: [Key: Int32] = [:]
        var waiting: [(Key, Int32)] = []
        var maps: [DynamicMap] = []
        /// Of texts that may be documents, by `Leaf.place`.
        var places: [Resolver.Place] = []
        var placeIDs: [Resolver.Place: Int32] = [:]
        var names: [[UInt8]] = [[]]
        var nameIDs: [[UInt8]: Int32] = [[]: 0]
        var failure: SchemaError?
    }
    enum Model: Sendable {
        case avro(AvroSchema)
        case protobuf(ProtobufSchema, UnknownFields)

        var fieldNames: [[UInt8]] {
            switch self {
            case .avro(let schema):
                schema.types.flatMap { type in
                    if case .record(let fields) = type.shape { return fields.map(\.name) }
                    return []
                }
            case .protobuf(let schema, _): schema.messages.flatMap { $0.fields.map(\.name) }
            }
        }
    }
    typealias UnknownFields = PlanOptions.UnknownFields

    /// Nodes of one plan.
    static var nodeLimit: Int { 1 << 16 }

    let model: Model
    let resolver: Resolver
    let published = PublishedTables()
    private let state: Mutex<State>

    init(_ model: Model, _ resolver: Resolver) {
        self.model = model
        self.resolver = resolver
        state = Mutex(State())
    }

    /// All names that fields can have: a map's new key brings none.
    var names: [[UInt8]] { state.withLock { $0.names } }

    /// - Returns: the node of the whole value.
    func compile(root: Int, tags: [String]) throws(SchemaError) -> Int32 {
        let (node, failure) = state.withLock { state in
            for name in model.fieldNames { _ = nameID(name, &state) }
            let mode = mode(at: resolver.start, field: [], tags: tags)
            let node = self.node(Key(type: root, mode: mode, name: 0), &state)
            finish(&state)
            return (node, state.failure)
        }
        if let failure { throw failure }
        return node
    }

    func valueNode(ofMap map: Int32, key: [UInt8]) -> Int32? {
        state.withLock { state in
            guard state.maps.indices.contains(Int(map)), state.failure == nil else { return nil }
            let place = state.maps[Int(map)].place
            let type = state.maps[Int(map)].valueType
            let name = state.maps[Int(map)].keyName
            let mode = mode(at: resolver.entering(field: key, from: place), field: key, tags: tags(ofType: type))
            let count = state.nodes.count
            let node = self.node(Key(type: type, mode: mode, name: name), &state)
            if state.nodes.count > count { finish(&state) }
            return state.failure == nil ? node : nil
        }
    }

    /// Gives each node that was asked for what is below it, and shows them all.
    private func finish(_ state: inout State) {
        while state.failure == nil, let (key, node) = state.waiting.popLast() {
            switch model {
            case .avro(let schema): expand(schema, key, node, &state)
            case .protobuf(let schema, let unknown): expand(schema, unknown, key, node, &state)
            }
        }
        published.replace(by: PlanTables(nodes: state.nodes, children: state.children, fields: state.fields))
    }

    // MARK: For the two formats

    /// The node of a type at a place; it is expanded later.
    func node(_ asked: Key, _ state: inout State) -> Int32 {
        var key = asked
        if key.mode == .unseen || hasOwnNames(key.type) { key.name = 0 }
        if let known = state.known[key] { return known }
        guard state.nodes.count < PlanCompiler.nodeLimit else {
            state.failure = SchemaError("the rules see too many different places in the schema")
            return 0
        }
        let index = Int32(state.nodes.count)
        state.nodes.append(Node(operation: .nothing))
        state.known[key] = index
        state.waiting.append((key, index))
        return index
    }

    /// Records give the leaves below them their names.
    private func hasOwnNames(_ type: Int) -> Bool {
        guard case .avro(let schema) = model, case .record = schema.types[type].shape else { return false }
        return true
    }

    func nameID(_ name: [UInt8], _ state: inout State) -> Int32 {
        if let known = state.nameIDs[name] { return known }
        let index = Int32(state.names.count)
        state.names.append(name)
        state.nameIDs[name] = index
        return index
    }

    func mode(at place: Resolver.Place, field: [UInt8], tags: [String]) -> Mode {
        if let rule = resolver.rule(at: place, field: field, tags: tags).flatMap({ Int32(exactly: $0) }), rule >= 0 {
            return .taken(rule)
        }
        if resolver.looksInside(place) { return .place(place) }
        return resolver.detects ? .detected : .unseen
    }

    /// How a field is seen from its record or message.
    func mode(of field: [UInt8], tags: [String], in mode: Mode) -> Mode {
        guard case .place(let place) = mode else { return mode }
        return self.mode(at: resolver.entering(field: field, from: place), field: field, tags: tags)
    }

    /// How an array's elements are seen.
    func elementMode(_ mode: Mode, field: [UInt8], tags: [String]) -> Mode {
        guard case .place(let place) = mode else { return mode }
        return self.mode(at: resolver.enteringElement(from: place), field: field, tags: tags)
    }

    /// Who sees a leaf, or a map's keys.
    func rule(_ mode: Mode) -> Int32 {
        switch mode {
        case .unseen: Node.unseen
        case .taken(let rule): rule
        case .detected: Leaf.undecided
        case .place: resolver.detects ? Leaf.undecided : Node.unseen
        }
    }

    /// Who sees a leaf. A text may be a document, into which rules reach: it says at which place it stands.
    func rule(_ mode: Mode, _ kind: LeafKind, _ state: inout State) -> Int32 {
        guard case .place(let place) = mode, kind == .string || kind == .bytes, resolver.looksInsideText(at: place)
        else { return rule(mode) }
        if let known = state.placeIDs[place] { return Leaf.firstPlace &- known }
        let id = Int32(state.places.count)
        state.places.append(place)
        state.placeIDs[place] = id
        return Leaf.firstPlace &- id
    }

    /// The place of a text, by `Leaf.place`.
    func place(_ id: Int) -> Resolver.Place? {
        state.withLock { $0.places.indices.contains(id) ? $0.places[id] : nil }
    }

    private func tags(ofType type: Int) -> [String] {
        switch model {
        case .avro(let schema): schema.tags(ofType: type)
        case .protobuf(let schema, _): schema.tags(ofType: type)
        }
    }
}
