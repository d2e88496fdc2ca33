import TidegateCore

/// What is served, and under which conditions: one rule for each API key that a client may use.
final class KafkaRules: Sendable {
    static let wireNames: [String] = (0...Int16(92)).map { MessageCatalog.shared.api($0)?.name ?? "key-\($0)" }

    /// By key.
    private let rules: [APIRule?]

    init() {
        var rules = [APIRule?](repeating: nil, count: 93)
        for rule in APIRule.all { rules[Int(rule.key)] = rule }
        self.rules = rules
    }

    func rule(_ key: Int16) -> APIRule? { key >= 0 && Int(key) < rules.count ? rules[Int(key)] : nil }

    func wireName(_ key: Int16) -> WireName? { key >= 0 && key <= 92 ? WireName(UInt16(key)) : nil }

    /// The versions of a key that requests may have.
    func served(_ key: Int16) -> ClosedRange<Int16>? {
        guard let versions = MessageCatalog.shared.api(key)?.versions else { return nil }
        switch key {
        case KafkaKey.produce, KafkaKey.fetch, KafkaKey.apiVersions, KafkaKey.saslHandshake, KafkaKey.saslAuthenticate:
            return versions
        default:
            guard let rule = rule(key), rule.isServed else { return nil }
            return versions.lowerBound...min(versions.upperBound, rule.highest)
        }
    }

    /// What ApiVersions tells: the broker's versions and this build's, intersected.
    ///
    /// Produce is told from version 0, or old librdkafka turns compression off (KAFKA-18659).
    func offered(_ broker: BrokerVersions) -> [(key: Int16, versions: ClosedRange<Int16>)] {
        (0...Int16(92)).compactMap { key in
            switch key {
            case KafkaKey.apiVersions: return (key, 0...4)
            case KafkaKey.saslHandshake: return (key, 0...1)
            case KafkaKey.saslAuthenticate: return (key, 0...2)
            default: break
            }
            guard let ours = served(key), let theirs = broker.range(of: key) else { return nil }
            if let rule = rule(key), !rule.isOffered { return nil }
            let low = max(ours.lowerBound, theirs.lowerBound)
            let high = min(ours.upperBound, theirs.upperBound)
            guard low <= high else { return nil }
            return (key, (key == KafkaKey.produce ? 0 : low)...high)
        }
    }

    /// RequestHeader is version 2 where the body is flexible (KIP-482); ControlledShutdown 0, which had version 0, is not
    /// served.
    static func requestHeaderIsFlexible(key: Int16, version: Int16) -> Bool {
        guard let api = MessageCatalog.shared.api(key) else { return false }
        return version >= api.firstFlexible
    }
}
