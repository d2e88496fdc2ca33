import TidegateCore
import TidegateWire

/// CLUSTER SLOTS and SHARDS.
extension AddressReplies {
    // MARK: CLUSTER SLOTS

    /// `[[first, last, [host, port, id, more], ...], ...]`: the primary first, then its replicas. `more` (hostnames) is
    /// emptied.
    mutating func slots(_ head: RESPToken, _ bytes: RawSpan) throws(ShapeFailure) {
        guard head.kind == .array else { throw ShapeFailure() }
        var kept: [[UInt8]] = []
        for _ in 0..<head.count {
            let entry = try list(bytes, atLeast: 2)
            let bounds = try copied(bytes) + copied(bytes)
            var nodes: [[UInt8]] = []
            var hasPrimary = false
            for index in 2..<entry.count {
                guard let node = try slotNode(bytes) else { continue }
                if index == 2 { hasPrimary = true }
                nodes.append(node)
            }
            guard hasPrimary else { continue }
            var part: [UInt8] = []
            RESPText.appendHeader("*", nodes.count + 2, to: &part)
            part += bounds
            for node in nodes { part += node }
            kept.append(part)
        }
        write(kept)
    }

    private mutating func slotNode(_ bytes: RawSpan) throws(ShapeFailure) -> [UInt8]? {
        let node = try list(bytes, atLeast: 2)
        let host = try word(bytes)
        let port = try port(bytes)
        let id = node.count > 2 ? try word(bytes) : nil
        var more: RESPToken?
        for index in 3..<max(3, node.count) {
            let token = try cursor.peek(bytes)
            if index == 3, token.kind == .array || token.kind == .map { more = token }
            try cursor.skip(bytes)
        }
        guard let address = addresses.address(ofNode: id, at: host ?? "", port) else { return nil }
        var part: [UInt8] = []
        RESPText.appendHeader("*", 2 + (id == nil ? 0 : 1) + (more == nil ? 0 : 1), to: &part)
        bulk(address.host, to: &part)
        number(Int(address.port), to: &part)
        if let id { bulk(id, to: &part) }
        if let more { RESPText.appendHeader(more.mark, 0, to: &part) }
        return part
    }

    // MARK: CLUSTER SHARDS

    /// `[{slots: [first, last, ...], nodes: [{id, port, tls-port, ip, endpoint, hostname, role, ...}, ...]}, ...]`.
    mutating func shards(_ head: RESPToken, _ bytes: RawSpan) throws(ShapeFailure) {
        guard head.kind == .array else { throw ShapeFailure() }
        var kept: [[UInt8]] = []
        for _ in 0..<head.count {
            let shard = try pairs(bytes)
            var members: [[UInt8]] = []
            var isWhole = true
            for _ in 0..<(shard.count / 2) {
                let name = try word(bytes) ?? ""
                var member: [UInt8] = []
                bulk(name, to: &member)
                switch name {
                case "slots", "id": members.append(member + (try copied(bytes)))
                case "nodes":
                    let nodes = try list(bytes)
                    var parts: [[UInt8]] = []
                    for _ in 0..<nodes.count {
                        let (part, isPrimary) = try shardNode(bytes)
                        if let part { parts.append(part) } else if isPrimary { isWhole = false }
                    }
                    if parts.isEmpty { isWhole = false }
                    RESPText.appendHeader("*", parts.count, to: &member)
                    for part in parts { member += part }
                    members.append(member)
                default: try cursor.skip(bytes)
                }
            }
            guard isWhole else { continue }
            kept.append(AddressReplies.joined(members, as: shard))
        }
        write(kept)
    }

    /// - Returns: nil for a node that has no address here.
    private mutating func shardNode(_ bytes: RawSpan) throws(ShapeFailure) -> (part: [UInt8]?, isPrimary: Bool) {
        let node = try pairs(bytes)
        var id: String?
        var (host, ports) = ("", [UInt16]())
        var isPrimary = false
        var members: [(name: String, value: [UInt8]?)] = []
        for _ in 0..<(node.count / 2) {
            let name = try word(bytes) ?? ""
            switch name {
            case "port", "tls-port":
                if let number = try port(bytes) { ports.append(number) }
                members.append((name, nil))
            case "ip":
                host = try word(bytes) ?? ""
                members.append((name, nil))
            case "endpoint":
                try cursor.skip(bytes)
                members.append((name, nil))
            case "id", "role", "replication-offset", "health", "availability-zone":
                let value = try copied(bytes)
                var check = ReplyCursor(0..<value.count)
                let token = unsafe try check.next(value.span.bytes)
                let text = unsafe String(decoding: value.span.bytes.bytes(token.content), as: UTF8.self)
                if name == "id" { id = text }
                if name == "role" { isPrimary = text == "master" || text == "primary" }
                members.append((name, value))
            default: try cursor.skip(bytes)
            }
        }
        var found = addresses.address(ofNode: id, at: host, nil)
        for port in ports where found == nil { found = addresses.address(ofNode: id, at: host, port) }
        guard let address = found else { return (nil, isPrimary) }
        let parts = members.map { member in
            var part: [UInt8] = []
            bulk(member.name, to: &part)
            if let value = member.value {
                part += value
            } else if member.name.hasSuffix("port") {
                number(Int(address.port), to: &part)
            } else {
                bulk(address.host, to: &part)
            }
            return part
        }
        return (AddressReplies.joined(parts, as: node), isPrimary)
    }
}
