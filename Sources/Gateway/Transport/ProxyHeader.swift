import TidegateWire

/// The PROXY protocol's header, version 2 (haproxy.org, proxy-protocol.txt, section 2.2). Version 1 is refused.
enum ProxyHeader {
    enum Reading: Equatable {
        case incomplete
        case malformed
        /// The client's address, or nil where the proxy speaks for itself (LOCAL, or a family without addresses), and the
        /// header's bytes.
        case header(source: SocketAddress?, length: Int)
    }

    private static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]
    /// Addresses of 36 bytes and the type-length-values that proxies add; more is refused.
    static let limit = 2048

    static func read(_ bytes: RawSpan) -> Reading {
        for (index, expected) in signature.enumerated() {
            guard let byte = bytes.byte(at: index) else { return .incomplete }
            if byte != expected { return .malformed }
        }
        guard let command = bytes.byte(at: 12), let family = bytes.byte(at: 13),
            let rest = bytes.bigEndian(UInt16.self, at: 14)
        else { return .incomplete }
        let length = 16 + Int(rest)
        guard command >> 4 == 2, command & 0x0F <= 1, length <= limit else { return .malformed }
        guard bytes.byteCount >= length else { return .incomplete }
        if command & 0x0F == 0 { return .header(source: nil, length: length) }
        switch family {
        case 0x11:
            guard rest >= 12, let port = bytes.bigEndian(UInt16.self, at: 24) else { return .malformed }
            return .header(source: SocketAddress(bytes: bytes.bytes(16..<20), port: port), length: length)
        case 0x21:
            guard rest >= 36, let port = bytes.bigEndian(UInt16.self, at: 48) else { return .malformed }
            return .header(source: SocketAddress(bytes: bytes.bytes(16..<32), port: port), length: length)
        case 0x00: return .header(source: nil, length: length)
        default: return .malformed
        }
    }
}
