/// INFO without what says where the server, its replicas and its files are.
///
/// Source: the command's page (https://redis.io/docs/latest/commands/info/), and `genRedisInfoString` of Redis 7 and 8.
struct InformationText {
    private let addresses: GatewayAddresses

    init(_ addresses: GatewayAddresses) { self.addresses = addresses }

    /// Names of lines that are left out.
    private static let hidden: Set<String> = [
        "config_file", "executable", "availability_zone", "unix_socket", "server_name", "hostname", "host", "ip",
        "port",
        "bind", "cluster_announce_ip",
    ]

    func rewritten(_ text: String) -> String {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        var primary: (host: String, port: UInt16)?
        for kind in ["master", "primary"] {
            guard let host = value(of: "\(kind)_host", lines), let port = value(of: "\(kind)_port", lines) else {
                continue
            }
            primary = addresses.address(ofNode: nil, at: String(host), UInt16(port))
        }
        return lines.compactMap { line in
            guard let colon = line.firstIndex(of: ":") else {
                return line.isEmpty || line.first == "#" ? String(line) : nil
            }
            let name = String(line[..<colon])
            let value = line[line.index(after: colon)...]
            switch name {
            case "tcp_port": return addresses.own.map { "tcp_port:\($0.port)" }
            case "master_host", "primary_host": return primary.map { "\(name):\($0.host)" }
            case "master_port", "primary_port": return primary.map { "\(name):\($0.port)" }
            default: break
            }
            if InformationText.isNumbered(name, "slave") || InformationText.isNumbered(name, "replica") {
                return replica(name, value)
            }
            if InformationText.hidden.contains(name) || name.hasPrefix("listener") || namesPlace(value) { return nil }
            return String(line)
        }.joined(separator: "\r\n")
    }

    private func value(of name: String, _ lines: [Substring]) -> Substring? {
        lines.first { $0.hasPrefix(name + ":") }.map { $0.dropFirst(name.count + 1) }
    }

    private static func isNumbered(_ name: String, _ kind: String) -> Bool {
        name.hasPrefix(kind) && name.count > kind.count
            && name.dropFirst(kind.count).allSatisfy { $0.isASCII && $0.isNumber }
    }

    /// `slave0:ip=10.0.0.1,port=6379,state=online,offset=1,lag=0`
    private func replica(_ name: String, _ value: Substring) -> String? {
        let parts = value.split(separator: ",")
        func part(_ key: String) -> Substring? {
            parts.first { $0.hasPrefix(key + "=") }.map { $0.dropFirst(key.count + 1) }
        }
        guard let host = part("ip"), let port = part("port"),
            let address = addresses.address(ofNode: nil, at: String(host), UInt16(port))
        else { return nil }
        let kept = parts.filter { part in ["state=", "offset=", "lag=", "type="].contains { part.hasPrefix($0) } }
        return "\(name):ip=\(address.host),port=\(address.port)" + kept.map { ",\($0)" }.joined()
    }

    /// Lines that nobody has listed (newer servers, modules) are kept only where they say no address and no path.
    private func namesPlace(_ value: Substring) -> Bool {
        if value.hasPrefix("/") { return true }
        if ["ip=", "port=", "host=", "addr=", "address=", "bind=", "path="].contains(where: { value.contains($0) }) {
            return true
        }
        return addresses.topology.nodes.contains { node in
            guard let node else { return false }
            return value.contains("\(node.host):\(node.port)")
        }
    }
}
