import Synchronization
import TidegateWire

/// What stands under a map's keys: asked of the table, and of the resolver where the key is new.
final class MapKeys: Sendable {
    private let resolver: any MapKeyResolver
    private let table = Mutex(MapKeyTable())
    let published: PublishedTables

    init(_ resolver: any MapKeyResolver, _ published: PublishedTables) {
        self.resolver = resolver
        self.published = published
    }

    /// - Returns: nil where there is no room for the key's nodes.
    func node(ofMap map: Int32, key: RawSpan) -> Int32? {
        if let known = table.withLock({ $0.find(map, key) }) { return known }
        guard let node = resolver.valueNode(ofMap: map, key: key.allBytes) else { return nil }
        table.withLock { $0.insert(map, key, node) }
        return node
    }
}

/// All nodes that a plan has by now. Not generic, so that a record costs no more than a lock and a reference.
final class PublishedTables: Sendable {
    private let current = Mutex(PlanTables(nodes: [], children: [], fields: []))

    var tables: PlanTables { current.withLock { $0 } }

    func replace(by tables: PlanTables) { current.withLock { $0 = tables } }
}
