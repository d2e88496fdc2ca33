/// The servers as they are known: a node's number is its place, and the same for as long as it lives.
struct RedisTopology: Sendable, Equatable {
    struct Node: Sendable, Equatable {
        /// Where it is connected to.
        var host: String
        var port: UInt16
        /// Other names of its host, by which servers may speak of it.
        var otherHosts: [String] = []
        /// Of a cluster's node.
        var id: String?
        /// What its certificate is for, where that is not the host.
        var serverName: String?
        /// The cluster takes it for dead.
        var isFailing = false

        func isAt(_ host: String, _ port: UInt16) -> Bool {
            guard self.port == port else { return false }
            return ([self.host] + otherHosts).contains { $0.lowercased() == host.lowercased() }
        }
    }
    /// nil: nobody has the number.
    var nodes: [Node?] = []
    var version: UInt64 = 0

    subscript(number: Int32) -> Node? {
        let index = Int(number)
        return nodes.indices.contains(index) ? nodes[index] : nil
    }

    func number(id: String) -> Int32? { nodes.firstIndex { $0?.id == id }.map { Int32(clamping: $0) } }

    func number(host: String, port: UInt16) -> Int32? {
        nodes.firstIndex { $0?.isAt(host, port) == true }.map { Int32(clamping: $0) }
    }

    /// Whom the route's own port leads to.
    var preferred: Int32 { Int32(clamping: nodes.firstIndex { $0.map { !$0.isFailing } ?? false } ?? 0) }

    var known: Int { nodes.count { $0 != nil } }

    /// True where some number leads to another server in `fresh`.
    func isMoved(to fresh: [Node?]) -> Bool {
        zip(nodes, fresh).contains { old, new in
            guard let old, let new else { return false }
            return old.host != new.host || old.port != new.port
        }
    }
}

/// Gives a cluster's nodes their numbers: the configured ones first, in their order; then the others by node id. A number is
/// kept while its node is listed; one that has become free is given again.
struct NodeNumbers: Sendable {
    private let configured: [RedisSettings.Address]
    /// By number; nil: not known which node, or free.
    private var ids: [String?]
    /// Configured addresses that were asked, or could not be, since the first answer: before it the whole cluster may not
    /// have been there.
    private var asked: Set<Int> = []
    private var hasHeard = false
    private var isComplete = false

    init(_ configured: [RedisSettings.Address]) {
        self.configured = configured
        ids = configured.map { _ in nil }
    }

    /// True where it is not known which node some configured address is.
    var hasStranger: Bool { configured.indices.contains { ids[$0] == nil } }

    mutating func giveUp(_ target: RedisServers.Target) {
        if hasHeard, let place = target.configured { asked.insert(place) }
    }

    /// Takes CLUSTER NODES of one node.
    ///
    /// - Returns: all nodes by number; nil where it is not known yet which nodes the configured addresses are (a name
    ///   in the configuration, numbers in the answer): each must be asked who it is. Also where a node that was reset knows
    ///   itself only.
    mutating func take(_ lines: [ClusterNodeLine], from target: RedisServers.Target) -> [RedisTopology.Node?]? {
        let heard = lines.filter { !$0.isUnheard }
        if heard.count < 2, ids.count(where: { $0 != nil }) > 1 { return nil }
        hasHeard = hasHeard || !heard.isEmpty
        giveUp(target)
        let present = Set(heard.map(\.id))
        for number in ids.indices where !(ids[number].map { present.contains($0) } ?? true) { ids[number] = nil }
        while ids.count > configured.count, case .some(.none) = ids.last { ids.removeLast() }
        for (number, address) in configured.enumerated() where ids[number] == nil {
            let found = heard.first {
                $0.port == address.port && !ids.contains($0.id)
                    && ($0.host.lowercased() == address.host.lowercased()
                        || $0.hostname?.lowercased() == address.host.lowercased())
            }
            ids[number] = found?.id
        }
        if let own = target.configured, own < configured.count, ids[own] == nil,
            let itself = heard.first(where: \.isMyself)
        {
            // One that could not be asked at first has got another number meanwhile, and comes to its own.
            if let other = ids.indices.dropFirst(configured.count).first(where: { ids[$0] == itself.id }) {
                ids[other] = nil
            }
            if !ids.contains(itself.id) { ids[own] = itself.id }
        }
        if !isComplete, ids.indices.contains(where: { ids[$0] == nil && !asked.contains($0) }) { return nil }
        isComplete = true
        for node in heard.sorted(by: { $0.id < $1.id }) where !ids.contains(node.id) {
            if let free = ids.indices.dropFirst(configured.count).first(where: { ids[$0] == nil }) {
                ids[free] = node.id
            } else {
                ids.append(node.id)
            }
        }
        return nodes(heard, target)
    }

    private func nodes(_ heard: [ClusterNodeLine], _ target: RedisServers.Target) -> [RedisTopology.Node?] {
        ids.indices.map { number in
            let address = number < configured.count ? configured[number] : nil
            guard let id = ids[number], let line = heard.first(where: { $0.id == id }) else {
                return address.map { .init(host: $0.host, port: $0.port, isFailing: true) }
            }
            // A node that does not know its own address is where it was asked.
            let host = line.host.isEmpty ? line.hostname ?? (line.isMyself ? target.host : "") : line.host
            guard !host.isEmpty else { return address.map { .init(host: $0.host, port: $0.port, id: id) } }
            var node = RedisTopology.Node(host: host, port: line.port, id: id, isFailing: line.isFailing)
            node.serverName = address?.host ?? line.hostname
            for other in [line.hostname, address?.port == line.port ? address?.host : nil] {
                if let other, other != host, !node.otherHosts.contains(other) { node.otherHosts.append(other) }
            }
            return node
        }
    }
}
