import TidegateCore

/// Channels and patterns that the connection listens to, and the rights to them.
struct RedisSubscriptions {
    enum Kind: UInt8 { case channel, pattern, shard }

    private var channels: [Resource: Asked] = [:]
    private var patterns: [Resource: Asked] = [:]
    private var shards: [Resource: Asked] = [:]

    var isEmpty: Bool { channels.isEmpty && patterns.isEmpty && shards.isEmpty }

    var all: [Asked] { Array(channels.values) + Array(patterns.values) + Array(shards.values) }

    func count(_ kind: Kind) -> Int { self[kind].count }

    subscript(kind: Kind) -> [Resource: Asked] {
        get {
            switch kind {
            case .channel: channels
            case .pattern: patterns
            case .shard: shards
            }
        }
        set {
            switch kind {
            case .channel: channels = newValue
            case .pattern: patterns = newValue
            case .shard: shards = newValue
            }
        }
    }

    mutating func empty() { self = RedisSubscriptions() }
}
