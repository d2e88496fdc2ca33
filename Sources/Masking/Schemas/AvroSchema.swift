/// An Avro schema (specification 1.12, Schema Declaration), all names resolved.
struct AvroSchema: Sendable {
    struct Field: Sendable {
        var name: [UInt8]
        var type: Int
        var tags: [String]
    }
    indirect enum Shape: Sendable {
        case null
        case leaf
        case record([Field])
        case union([Int])
        case array(Int)
        case map(Int)
    }
    struct Entry: Sendable {
        var shape: Shape
        var leaf = LeafType(kind: .bytes, encoding: .raw)
        var tags: [String] = []
        /// A record's, with its namespace.
        var name = ""
        /// Nothing is ever written for it.
        var isEmpty = false
    }
    var types: [Entry]
    var root: Int

    /// Adds tags that stand beside the schema.
    mutating func add(_ patterns: TagPatterns) {
        for index in types.indices {
            guard case .record(var fields) = types[index].shape else { continue }
            for at in fields.indices {
                fields[at].tags += patterns.tags(
                    of: types[index].name + "." + String(decoding: fields[at].name, as: UTF8.self))
            }
            types[index].shape = .record(fields)
        }
    }

    /// A field's tags: a record's or an enumeration's own tags hold for whoever has that type.
    func tags(ofType index: Int) -> [String] {
        guard types.indices.contains(index) else { return [] }
        let own = types[index].tags
        guard case .union(let branches) = types[index].shape else { return own }
        return own + branches.flatMap { types[$0].tags }
    }

    /// Finds the types that nothing is ever written for.
    ///
    /// - Throws: where a record holds itself without a union, an array or a map between: it has no value.
    mutating func findEmptyTypes() throws(SchemaError) {
        var isFinite = [Bool](repeating: false, count: types.count)
        for index in types.indices {
            if case .record = types[index].shape { continue }
            isFinite[index] = true
        }
        var changed = true
        while changed {
            changed = false
            for index in types.indices where !isFinite[index] {
                guard case .record(let fields) = types[index].shape else { continue }
                if fields.allSatisfy({ isFinite[$0.type] }) {
                    isFinite[index] = true
                    changed = true
                    types[index].isEmpty = fields.allSatisfy { types[$0.type].isEmpty }
                }
            }
        }
        if isFinite.contains(false) { throw SchemaError("a record of the Avro schema holds itself") }
    }
}
