import TidegateCore
import TidegateWire

/// The server's side of SASL on one connection: mechanisms, handshake versions, tokens.
///
/// ```
///  waiting ──SaslHandshake(ok)──▶ offered(mechanism, framed?) ──token──▶ verified
///     ▲                                 │                                   │
///     └────────── wrong mechanism ◀─────┘          re-authentication (KIP-368) from here, as the same subject
/// ```
/// Sources: KIP-43, KIP-152 (SaslAuthenticate), KIP-255 (OAUTHBEARER), KIP-368, RFC 4616 (PLAIN), RFC 7628.
struct ClientLogIn {
    enum Mechanism: Equatable {
        case oauthBearer, plain
        static let offered: [(name: String, mechanism: Mechanism)] = [
            ("OAUTHBEARER", .oauthBearer), ("PLAIN", .plain),
        ]
        init?(name: String) {
            guard let found = Mechanism.offered.first(where: { $0.name == name }) else { return nil }
            self = found.mechanism
        }
    }

    enum State: Equatable {
        case waiting
        /// A mechanism is chosen; after handshake version 0 tokens come without Kafka's header.
        case offered(Mechanism, isFramed: Bool)
        case verified
    }
    var state = State.waiting

    /// The token of a client's first SASL message.
    ///
    /// - Returns: nil where the message is not of the mechanism's form.
    static func token(in message: RawSpan, of mechanism: Mechanism) -> [UInt8]? {
        switch mechanism {
        case .plain: return plainPassword(message)
        case .oauthBearer: return bearerToken(message)
        }
    }

    /// RFC 4616: `authzid NUL authcid NUL passwd`. The name beside a token is ignored (CONTRACT).
    private static func plainPassword(_ message: RawSpan) -> [UInt8]? {
        let bytes = message.allBytes
        let parts = bytes.split(separator: 0, maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[2].isEmpty else { return nil }
        return Array(parts[2])
    }

    /// RFC 7628: `n,a=...,^Aauth=Bearer TOKEN^A...^A^A`.
    private static func bearerToken(_ message: RawSpan) -> [UInt8]? {
        let bytes = message.allBytes
        guard bytes.starts(with: Array("n,".utf8)), bytes.suffix(2).elementsEqual([1, 1]) else { return nil }
        // Extensions may stand beside the token; more of them than anybody sends are not looked for.
        let parts = bytes.dropLast(2).split(separator: 1, maxSplits: 15, omittingEmptySubsequences: false)
        let prefix = Array("auth=bearer ".utf8)
        for part in parts.dropFirst() where part.count > prefix.count {
            let start = part.prefix(prefix.count).map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }
            if start == prefix { return Array(part.dropFirst(prefix.count)) }
        }
        return nil
    }
}
