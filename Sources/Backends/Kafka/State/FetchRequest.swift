import TidegateCore
import TidegateWire

/// What a Fetch request (versions 4 to 18) asks for. Reused between requests.
struct FetchRequest {
    struct Topic {
        var element: Range<Int>
        var name: Range<Int>
        var id: TopicID
        /// Where the number of partitions stands.
        var count: Range<Int>
        var partitions: Range<Int>
        /// Tagged fields behind the partitions.
        var tail: Range<Int>
    }
    struct Partition: BitwiseCopyable {
        var index: Int32
        var currentLeaderEpoch: Int32 = -1
        var fetchOffset: Int64 = 0
        var lastFetchedEpoch: Int32 = -1
        var logStartOffset: Int64 = -1
        var maxBytes: Int32 = 0
        /// Where `maxBytes` stands.
        var maxBytesAt = 0

        /// The element without tags (which only followers set), as a request of that version holds it.
        func append(to bytes: inout [UInt8], version: Int16) {
            bytes.append(bigEndian: index)
            if version >= 9 { bytes.append(bigEndian: currentLeaderEpoch) }
            bytes.append(bigEndian: fetchOffset)
            if version >= 12 { bytes.append(bigEndian: lastFetchedEpoch) }
            if version >= 5 { bytes.append(bigEndian: logStartOffset) }
            bytes.append(bigEndian: maxBytes)
            if version >= 12 { bytes.append(0) }
        }
    }
    /// Partitions in one request; each takes memory here.
    static let limit = 200_000

    var replica: Int32 = -1
    var maxBytes: Int32 = 0
    /// Where `maxBytes` stands.
    var maxBytesAt = 0
    var sessionID: Int32 = 0
    /// -1 where the version has no sessions, or the client wants none.
    var sessionEpoch: Int32 = -1
    /// Where `sessionEpoch` stands.
    var sessionEpochAt = 0
    /// The client wants a session and is not to have one: `sessionEpoch` is -1, not what came.
    private(set) var leavesSession = false
    var hasReplicaState = false
    var topicCount = 0..<0
    var topics: [Topic] = []
    var partitions: [Partition] = []
    var forgottenCount = 0..<0
    var forgotten: [Topic] = []
    /// Partition numbers of forgotten topics; `Topic.partitions` indexes them.
    var forgottenPartitions: [Int32] = []

    mutating func read(_ window: RawSpan, body: Range<Int>, version: Int16) throws(FieldReader.Failure) {
        topics.removeAll(keepingCapacity: true)
        partitions.removeAll(keepingCapacity: true)
        forgotten.removeAll(keepingCapacity: true)
        forgottenPartitions.removeAll(keepingCapacity: true)
        var reader = FieldReader(at: body.lowerBound, end: body.upperBound, isFlexible: version >= 12)
        replica = version <= 14 ? try reader.integer(Int32.self, window) : -1
        _ = try reader.take(8, window)  // MaxWaitMs, MinBytes
        maxBytesAt = reader.at
        maxBytes = try reader.integer(Int32.self, window)
        _ = try reader.take(1, window)  // IsolationLevel
        sessionID = 0
        sessionEpoch = -1
        leavesSession = false
        if version >= 7 {
            sessionID = try reader.integer(Int32.self, window)
            sessionEpochAt = reader.at
            sessionEpoch = try reader.integer(Int32.self, window)
        }
        var start = reader.at
        var count = try reader.count(atLeast: 5, window)
        topicCount = start..<reader.at
        for _ in 0..<max(0, count) { try readTopic(&reader, window, version) }
        forgottenCount = reader.at..<reader.at
        if version >= 7 {
            start = reader.at
            count = try reader.count(atLeast: 5, window)
            forgottenCount = start..<reader.at
            for _ in 0..<max(0, count) { try readForgotten(&reader, window, version) }
        }
        if version >= 11 { _ = try reader.string(window) }  // RackId
        hasReplicaState = false
        if version >= 12 { try readTags(&reader, window) }
        guard reader.at == body.upperBound else { throw .bad("bytes behind the end of a Fetch request") }
    }

    mutating func leaveSession() {
        sessionEpoch = -1
        leavesSession = true
    }

    private mutating func readTopic(
        _ reader: inout FieldReader, _ window: RawSpan, _ version: Int16
    ) throws(FieldReader.Failure) {
        let start = reader.at
        let (name, id) = try FetchRequest.topicKey(&reader, window, version)
        let countStart = reader.at
        let count = try reader.count(atLeast: 16, window)
        let countRange = countStart..<reader.at
        let first = partitions.count
        guard count <= FetchRequest.limit - first else { throw .bad("more partitions than a request may name") }
        for _ in 0..<max(0, count) {
            var partition = Partition(index: try reader.integer(Int32.self, window))
            if version >= 9 { partition.currentLeaderEpoch = try reader.integer(Int32.self, window) }
            partition.fetchOffset = try reader.integer(Int64.self, window)
            if version >= 12 { partition.lastFetchedEpoch = try reader.integer(Int32.self, window) }
            if version >= 5 { partition.logStartOffset = try reader.integer(Int64.self, window) }
            partition.maxBytesAt = reader.at
            partition.maxBytes = try reader.integer(Int32.self, window)
            try reader.skipTags(window)
            partitions.append(partition)
        }
        let tail = reader.at
        try reader.skipTags(window)
        topics.append(
            Topic(
                element: start..<reader.at, name: name, id: id, count: countRange,
                partitions: first..<partitions.count, tail: tail..<reader.at))
    }

    private mutating func readForgotten(
        _ reader: inout FieldReader, _ window: RawSpan, _ version: Int16
    ) throws(FieldReader.Failure) {
        let start = reader.at
        let (name, id) = try FetchRequest.topicKey(&reader, window, version)
        let countStart = reader.at
        let count = try reader.count(atLeast: 4, window)
        let countRange = countStart..<reader.at
        let first = forgottenPartitions.count
        guard count <= FetchRequest.limit - first else { throw .bad("more partitions than a request may name") }
        for _ in 0..<max(0, count) { forgottenPartitions.append(try reader.integer(Int32.self, window)) }
        let tail = reader.at
        try reader.skipTags(window)
        forgotten.append(
            Topic(
                element: start..<reader.at, name: name, id: id, count: countRange,
                partitions: first..<forgottenPartitions.count, tail: tail..<reader.at))
    }

    static func topicKey(
        _ reader: inout FieldReader, _ window: RawSpan, _ version: Int16
    ) throws(FieldReader.Failure) -> (name: Range<Int>, id: TopicID) {
        if version >= 13 { return (0..<0, try reader.topicID(window)) }
        return (try topicName(&reader, window), TopicID(high: 0, low: 0))
    }

    /// Bytes that a topic's name can have (org.apache.kafka.common.internals.Topic).
    static let longestName = 249

    static func topicName(_ reader: inout FieldReader, _ window: RawSpan) throws(FieldReader.Failure) -> Range<Int> {
        guard let name = try reader.string(window) else { throw .bad("a topic without a name") }
        guard name.count <= longestName else { throw .bad("a topic's name longer than names can be") }
        return name
    }

    /// Tag 1 is ReplicaState (KIP-903): only brokers may set it.
    private mutating func readTags(_ reader: inout FieldReader, _ window: RawSpan) throws(FieldReader.Failure) {
        var count = try reader.varint(window)
        while count > 0 {
            let tag = try reader.varint(window)
            let size = try reader.varint(window)
            _ = try reader.take(size, window)
            if tag == 1 { hasReplicaState = true }
            count &-= 1
        }
    }
}
