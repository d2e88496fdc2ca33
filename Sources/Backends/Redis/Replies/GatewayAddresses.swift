import TidegateCore
import TidegateWire

/// What clients of one session are told in the place of the backend's addresses.
struct GatewayAddresses {
    let topology: RedisTopology
    let advertise: Advertise?
    /// The node that the session's server is.
    let node: Int32

    /// The gateway's address for a node; nil where the node is not known, or has none here.
    func address(ofNode id: String?, at host: String, _ port: UInt16?) -> (host: String, port: UInt16)? {
        number(ofNode: id, at: host, port).flatMap { advertise?.address(ofNode: $0) }
    }

    /// That of the server that answers.
    var own: (host: String, port: UInt16)? { advertise?.address(ofNode: node) }

    private func number(ofNode id: String?, at host: String, _ port: UInt16?) -> Int32? {
        if let id, let number = topology.number(id: id) { return number }
        guard let port else { return nil }
        // Without a host the server means its own: where it was reached.
        let host = host.isEmpty || host == "?" ? topology[node]?.host ?? "" : host
        return topology.number(host: host, port: port)
    }
}

/// `MOVED slot host:port` and `ASK slot host:port`: errors that send a client to another node.
struct Redirection {
    /// The error in the gateway's words; nil where the node has no address here.
    let words: [UInt8]?

    /// True where a reply may be one, or an error whose text stands elsewhere: looked at for every error and every plain
    /// answer.
    @inline(__always)
    static func mayBe(_ bytes: RawSpan, at start: Int) -> Bool {
        guard let mark = bytes.byte(at: start),
            mark == UInt8(ascii: "-") || mark == UInt8(ascii: "!")
                || mark == UInt8(ascii: "|")
        else { return false }
        guard mark == UInt8(ascii: "-"), let first = bytes.byte(at: start &+ 1) else { return true }
        return first == UInt8(ascii: "M") || first == UInt8(ascii: "A")
    }

    /// - Returns: nil where the reply is another one.
    init?(_ reply: Range<Int>, _ bytes: RawSpan, _ addresses: GatewayAddresses) {
        var cursor = ReplyCursor(reply)
        guard let head = try? cursor.next(bytes), head.isError else { return nil }
        let text = String(decoding: bytes.bytes(head.content.prefix(1024)), as: UTF8.self)
        let parts = text.split(separator: " ", omittingEmptySubsequences: true)
        guard let kind = parts.first, kind == "MOVED" || kind == "ASK" else { return nil }
        guard parts.count == 3, let slot = UInt16(parts[1]), slot < 16_384, let told = HostAndPort.read(parts[2]),
            let address = addresses.address(ofNode: nil, at: told.host, told.port)
        else {
            words = nil
            return
        }
        words = RESPText.error("\(kind) \(slot) \(address.host):\(address.port)")
    }

    /// In the place of one that leads nowhere: clients ask again a little later.
    static let nowhere = RESPText.error("TRYAGAIN the node that has the slot is not known here yet")
}
