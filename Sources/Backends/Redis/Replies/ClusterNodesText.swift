/// A line of CLUSTER NODES: `id host:port@bus[,hostname[,name=value]...] flags primary ping pong epoch link slot...`.
///
/// Source: the command's page (https://redis.io/docs/latest/commands/cluster-nodes/).
struct ClusterNodeLine: Sendable {
    let id: String
    /// Empty where the node does not know it.
    let host: String
    let port: UInt16
    let hostname: String?
    private let flags: [Substring]
    /// What stands behind the address.
    private let rest: [Substring]

    /// The most nodes that are read: Redis' own limit is about a thousand.
    private static let limit = 16_384

    var isMyself: Bool { flags.contains("myself") }
    var isFailing: Bool { flags.contains("fail") || flags.contains("fail?") || flags.contains("noaddr") }
    /// Another has named it and nobody has met it, or nobody knows where it is.
    var isUnheard: Bool { flags.contains("handshake") || port == 0 }

    /// - Returns: nil where the line is none.
    init?(_ line: Substring) {
        let fields = line.split(separator: " ", omittingEmptySubsequences: true)
        guard fields.count >= 8, fields[0].utf8.count <= 64, fields[0].allSatisfy({ $0.isASCII && $0.isHexDigit }),
            fields[1].utf8.count <= 1024
        else { return nil }
        let parts = fields[1].split(separator: ",", omittingEmptySubsequences: false)
        let address = parts[0].split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)[0]
        guard let (host, port) = HostAndPort.read(address) else { return nil }
        id = String(fields[0])
        self.host = host == "?" ? "" : host
        self.port = port
        hostname = parts.dropFirst().first.flatMap { $0.isEmpty || $0.contains("=") || $0 == "?" ? nil : String($0) }
        flags = fields[2].split(separator: ",")
        rest = Array(fields[2...])
    }

    /// Lines that are none are gone over.
    static func read(_ text: String) -> [ClusterNodeLine] {
        text.split(maxSplits: limit, whereSeparator: \.isNewline).prefix(limit).compactMap { ClusterNodeLine($0) }
    }

    /// The line with the gateway's address for the node's; the bus is not reached through it.
    func text(at address: (host: String, port: UInt16)) -> String {
        "\(id) \(address.host):\(address.port)@0 \(rest.joined(separator: " "))\n"
    }
}

/// `host:port` as Redis writes it: IPv6 without brackets.
enum HostAndPort {
    static func read(_ text: Substring) -> (host: String, port: UInt16)? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        return (String(text[..<colon]), port)
    }
}
