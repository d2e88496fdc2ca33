import TidegateCore
import TidegateWire

/// Answers that name addresses of the backend's servers, written anew with those of the gateway.
///
/// A node that has none is left out; so are the slots whose primary has none. What is not known is not copied.
struct AddressReplies {
    let addresses: GatewayAddresses
    var cursor: ReplyCursor
    var written: [UInt8] = []

    /// - Returns: nil where the shape names none, or the answer is an error or null.
    /// - Throws: `ShapeFailure` where the answer is of another form.
    static func rewritten(
        _ shape: ReplyShape, _ range: Range<Int>, _ bytes: RawSpan, _ addresses: GatewayAddresses
    ) throws(ShapeFailure) -> [UInt8]? {
        guard shape.namesNodes else { return nil }
        var cursor = ReplyCursor(range)
        let head = try cursor.next(bytes)
        if head.isError || head.kind == .null { return nil }
        var replies = AddressReplies(addresses: addresses, cursor: cursor)
        switch shape {
        case .role: try replies.role(head, bytes)
        case .information: try replies.text(head, bytes) { InformationText($1).rewritten($0) }
        case .clusterNodes:
            try replies.text(head, bytes) { text, addresses in
                ClusterNodeLine.read(text).compactMap { line in
                    addresses.address(ofNode: line.id, at: line.host, line.port).map { line.text(at: $0) }
                }.joined()
            }
        case .clusterSlots: try replies.slots(head, bytes)
        case .clusterShards: try replies.shards(head, bytes)
        default: return nil
        }
        guard replies.cursor.at == replies.cursor.end else { throw ShapeFailure() }
        return replies.written
    }

    private init(addresses: GatewayAddresses, cursor: ReplyCursor) {
        self.addresses = addresses
        self.cursor = cursor
    }

    // MARK: Text

    /// A bulk or a verbatim (`txt:` before it), whose text is another one.
    private mutating func text(
        _ head: RESPToken, _ bytes: RawSpan, _ change: (String, GatewayAddresses) -> String
    ) throws(ShapeFailure) {
        guard head.isText else { throw ShapeFailure() }
        var content = bytes.bytes(head.content)
        var prefix: [UInt8] = []
        if head.kind == .verbatim {
            guard content.count >= 4 else { throw ShapeFailure() }
            prefix = Array(content[..<4])
            content.removeFirst(4)
        }
        let fresh = prefix + change(String(decoding: content, as: UTF8.self), addresses).utf8
        RESPText.appendHeader(head.kind == .verbatim ? "=" : "$", fresh.count, to: &written)
        written += fresh + [0x0D, 0x0A]
    }

    // MARK: Reading

    mutating func list(_ bytes: RawSpan, atLeast count: Int = 0) throws(ShapeFailure) -> RESPToken {
        let token = try cursor.next(bytes)
        guard token.kind == .array, token.count >= count else { throw ShapeFailure() }
        return token
    }

    /// An array of pairs, or a map.
    mutating func pairs(_ bytes: RawSpan) throws(ShapeFailure) -> RESPToken {
        let token = try cursor.next(bytes)
        guard token.kind == .map || token.kind == .array, token.count.isMultiple(of: 2) else { throw ShapeFailure() }
        return token
    }

    mutating func word(_ bytes: RawSpan) throws(ShapeFailure) -> String? {
        let token = try cursor.next(bytes)
        if token.kind == .null { return nil }
        guard token.isText else { throw ShapeFailure() }
        return String(decoding: bytes.bytes(token.content), as: UTF8.self)
    }

    /// A number, or one as text (ROLE); nil where it is no port.
    mutating func port(_ bytes: RawSpan) throws(ShapeFailure) -> UInt16? {
        let token = try cursor.next(bytes)
        guard token.kind == .integer || token.isText else { throw ShapeFailure() }
        return UInt16(String(decoding: bytes.bytes(token.content), as: UTF8.self))
    }

    mutating func copied(_ bytes: RawSpan) throws(ShapeFailure) -> [UInt8] {
        bytes.bytes(try cursor.skip(bytes))
    }

    func bulk(_ text: String, to bytes: inout [UInt8]) { RESPText.append(bulk: Array(text.utf8), to: &bytes) }

    func number(_ value: Int, to bytes: inout [UInt8]) { RESPText.appendHeader(":", value, to: &bytes) }

    mutating func write(_ parts: [[UInt8]]) {
        RESPText.appendHeader("*", parts.count, to: &written)
        for part in parts { written += part }
    }

    // MARK: ROLE

    /// `[master, offset, [[host, port, offset], ...]]` or `[slave, host, port, state, offset]`.
    private mutating func role(_ head: RESPToken, _ bytes: RawSpan) throws(ShapeFailure) {
        guard head.kind == .array, head.count >= 1 else { throw ShapeFailure() }
        let kind = try copied(bytes)
        var check = ReplyCursor(0..<kind.count)
        let token = unsafe try check.next(kind.span.bytes)
        switch unsafe String(decoding: kind.span.bytes.bytes(token.content), as: UTF8.self) {
        case "master" where head.count == 3:
            let offset = try copied(bytes)
            let replicas = try list(bytes)
            var kept: [[UInt8]] = []
            for _ in 0..<replicas.count {
                let replica = try list(bytes, atLeast: 3)
                let host = try word(bytes)
                let port = try port(bytes)
                let reached = try copied(bytes)
                for _ in 3..<replica.count { try cursor.skip(bytes) }
                guard let address = addresses.address(ofNode: nil, at: host ?? "", port) else { continue }
                var part: [UInt8] = []
                RESPText.appendHeader("*", 3, to: &part)
                bulk(address.host, to: &part)
                bulk("\(address.port)", to: &part)
                kept.append(part + reached)
            }
            written += Array("*3\r\n".utf8) + kind + offset
            write(kept)
        case "slave" where head.count == 5:
            let host = try word(bytes)
            let port = try port(bytes)
            let address = addresses.address(ofNode: nil, at: host ?? "", port)
            written += Array("*5\r\n".utf8) + kind
            bulk(address?.host ?? "", to: &written)
            number(Int(address?.port ?? 0), to: &written)
            written += try copied(bytes)
            written += try copied(bytes)
        default: throw ShapeFailure()
        }
    }

    /// Members, name and value together, in an aggregate like the one that they come from.
    static func joined(_ members: [[UInt8]], as header: RESPToken) -> [UInt8] {
        var part: [UInt8] = []
        RESPText.appendHeader(header.mark, header.kind == .map ? members.count : members.count * 2, to: &part)
        for member in members { part += member }
        return part
    }
}
