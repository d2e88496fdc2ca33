import TidegateCore
import TidegateWire

/// The fetch session (KIP-227) of one connection, as the client believes it to be.
///
/// The broker's sessions belong to the broker, not to a connection, and all clients share the gateway's identity there:
/// an id is honoured only on the connection that got it. Partitions that a policy denies are not told to the broker; the
/// gateway answers for them in every response, as Kafka does, and adds them when the policy changes.
struct FetchSession {
    /// Partitions of one session, those of unknown topics too: each takes about 150 bytes here while the connection lasts.
    /// Who asks for more is served without a session, as by a broker that has no room for one.
    static let limit = 20_000

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

    /// Zero: no session.
    var id: Int32 = 0
    /// The governor's epoch in which every entry was judged; nil: none was.
    var epoch: UInt64?
    var entries: [Key: Entry] = [:]
    var deniedCount = 0
    /// True where some topic's records must be held and rebuilt.
    var isMasked = false
    private var unresolved: [UnresolvedKey: FetchRequest.Partition] = [:]
    /// The generation of the catalogue in which unknown topics were last looked for.
    private var lookedIn: UInt64?
    /// Partitions in it.
    var count: Int { entries.count + unresolved.count }
    /// What is answered for denied and unknown partitions, until one of them changes.
    private(set) var standing: Standing?

    /// Elements of a response, encoded.
    struct Standing {
        var version: Int16
        var bytes: [UInt8]
        var topics: Int
    }

    private struct UnresolvedKey: Hashable {
        var id: TopicID
        var index: Int32
    }

    /// Partitions without a known topic, in a stable order.
    var waiting: [Unresolved] {
        if unresolved.isEmpty { return [] }
        return unresolved.map { Unresolved(id: $0.key.id, partition: $0.value) }
            .sorted {
                ($0.id.high, $0.id.low, $0.partition.index) < ($1.id.high, $1.id.low, $1.partition.index)
            }
    }

    mutating func keep(_ made: Standing) { standing = made }

    /// Remembers a partition without a known topic; asked about again with every catalogue.
    mutating func add(unresolved partition: Unresolved) {
        unresolved[UnresolvedKey(id: partition.id, index: partition.partition.index)] = partition.partition
        standing = nil
    }

    /// What waits for its topic, once for each generation of the catalogue.
    mutating func takeWaiting(in generation: UInt64) -> [Unresolved] {
        if unresolved.isEmpty || lookedIn == generation { return [] }
        lookedIn = generation
        return waiting
    }

    mutating func removeUnresolved(_ id: TopicID, _ index: Int32) {
        if unresolved.isEmpty { return }
        if unresolved.removeValue(forKey: UnresolvedKey(id: id, index: index)) != nil { standing = nil }
    }

    mutating func reset() {
        id = 0
        unresolved = [:]
        standing = nil
        entries = [:]
        deniedCount = 0
        isMasked = false
    }

    mutating func set(_ key: Key, _ entry: Entry) {
        let old = entries.updateValue(entry, forKey: key)
        if let old, old.isDenied { deniedCount -= 1 }
        if entry.isDenied { deniedCount += 1 }
        if entry.isDenied || old?.isDenied == true { standing = nil }
    }

    mutating func remove(_ key: Key) {
        guard let old = entries.removeValue(forKey: key), old.isDenied else { return }
        deniedCount -= 1
        standing = nil
    }

    /// Denied entries grouped by topic, partitions in their order.
    var denied: [(topic: Resource, id: TopicID, partitions: [(index: Int32, error: Int16)])] {
        guard deniedCount > 0 else { return [] }
        var groups: [TopicKey: [(index: Int32, error: Int16)]] = [:]
        for (key, entry) in entries where entry.isDenied {
            groups[TopicKey(topic: key.topic, id: key.id), default: []].append((key.partition, entry.error))
        }
        return groups.map { ($0.key.topic, $0.key.id, $0.value.sorted { $0.index < $1.index }) }
    }

    struct TopicKey: Hashable {
        var topic: Resource
        var id: TopicID
    }
}
