import TidegateCore
import TidegateWire

/// The fetch session (KIP-227) of one connection, as the client believes it to be.
///
/// The broker's sessions belong to the broker, not to a connection, and all clients share the gateway's identity there:
/// an id is honoured only on the connection that got it. Partitions that a policy denies are not told to the broker; the
/// gateway answers for them in every response, as Kafka does, and adds them when the policy changes.
struct FetchSession {
    struct Key: Hashable {
        var topic: Resource
        var id: TopicID
        var partition: Int32
    }
    struct Entry {
        /// As the last request named it: what is sent again when it becomes allowed.
        var partition: FetchRequest.Partition
        var isDenied: Bool
        /// The error it is answered with while denied.
        var error: Int16
    }

    /// A partition of a topic whose id nobody knows yet: the client lists it once, and waits for it from then on.
    struct Unresolved {
        var id: TopicID
        var partition: FetchRequest.Partition
    }
    static let unresolvedLimit = 4096

    /// Zero: no session.
    var id: Int32 = 0
    /// The version of the authority under which every entry was judged.
    var authority: UInt32 = 0
    var entries: [Key: Entry] = [:]
    var deniedCount = 0
    /// True where some topic's records must be held and rebuilt.
    var isMasked = false
    private(set) var unresolved: [Unresolved] = []

    /// Remembers a partition without a known topic; asked about again with every request.
    mutating func add(unresolved partition: Unresolved) {
        removeUnresolved(partition.id, partition.partition.index)
        if unresolved.count < FetchSession.unresolvedLimit { unresolved.append(partition) }
    }

    mutating func removeUnresolved(_ id: TopicID, _ index: Int32) {
        if unresolved.isEmpty { return }
        unresolved.removeAll { $0.id == id && $0.partition.index == index }
    }

    mutating func reset() {
        id = 0
        unresolved = []
        entries = [:]
        deniedCount = 0
        isMasked = false
    }

    mutating func set(_ key: Key, _ entry: Entry) {
        if let old = entries.updateValue(entry, forKey: key), old.isDenied { deniedCount -= 1 }
        if entry.isDenied { deniedCount += 1 }
    }

    mutating func remove(_ key: Key) {
        if let old = entries.removeValue(forKey: key), old.isDenied { deniedCount -= 1 }
    }

    /// Denied entries grouped by topic, in a stable order.
    var denied: [(topic: Resource, id: TopicID, partitions: [(index: Int32, error: Int16)])] {
        guard deniedCount > 0 else { return [] }
        var groups: [TopicKey: [(index: Int32, error: Int16)]] = [:]
        for (key, entry) in entries where entry.isDenied {
            groups[TopicKey(topic: key.topic, id: key.id), default: []].append((key.partition, entry.error))
        }
        return groups.map { ($0.key.topic, $0.key.id, $0.value.sorted { $0.index < $1.index }) }
            .sorted { ($0.1.high, $0.1.low, $0.2[0].index) < ($1.1.high, $1.1.low, $1.2[0].index) }
    }

    private struct TopicKey: Hashable {
        var topic: Resource
        var id: TopicID
    }
}
