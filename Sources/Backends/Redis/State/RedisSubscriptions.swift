import TidegateCore

/// Channels and patterns that the connection listens to, and the rights to them: what the server has confirmed.
struct RedisSubscriptions {
    enum Kind: UInt8, BitwiseCopyable { case channel, pattern, shard }

    private var channels: [Resource: Asked] = [:]
    private var patterns: [Resource: Asked] = [:]
    private var shards: [Resource: Asked] = [:]

    var isEmpty: Bool { channels.isEmpty && patterns.isEmpty && shards.isEmpty }

    var all: [Asked] { Array(channels.values) + Array(patterns.values) + Array(shards.values) }

    func count(_ kind: Kind) -> Int {
        switch kind {
        case .channel: channels.count
        case .pattern: patterns.count
        case .shard: shards.count
        }
    }

    mutating func insert(_ kind: Kind, _ name: Resource, _ right: Asked) {
        switch kind {
        case .channel: channels[name] = right
        case .pattern: patterns[name] = right
        case .shard: shards[name] = right
        }
    }

    mutating func remove(_ kind: Kind, _ name: Resource) {
        switch kind {
        case .channel: channels[name] = nil
        case .pattern: patterns[name] = nil
        case .shard: shards[name] = nil
        }
    }

    mutating func empty() { self = RedisSubscriptions() }
}
