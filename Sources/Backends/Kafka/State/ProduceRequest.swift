import TidegateCore
import TidegateWire

/// What a Produce request (versions 3 to 13) asks for, found without decoding records. Reused between requests.
struct ProduceRequest {
    struct Topic {
        /// The whole element, and its name (to 12) or id (13+).
        var element: Range<Int>
        var name: Range<Int>
        var id: TopicID
        var partitions: Range<Int>
    }
    struct Partition {
        var index: Int32
        /// The records' content; empty where null.
        var records: Range<Int>
    }
    var transactionalID: Range<Int>?
    var acks: Int16 = 0
    /// Where the number of topics stands.
    var topicCount = 0..<0
    var topics: [Topic] = []
    var partitions: [Partition] = []

    /// - Parameter body: behind the request header, to the end of the frame.
    mutating func read(_ window: RawSpan, body: Range<Int>, version: Int16) throws(FieldReader.Failure) {
        topics.removeAll(keepingCapacity: true)
        partitions.removeAll(keepingCapacity: true)
        var reader = FieldReader(at: body.lowerBound, end: body.upperBound, isFlexible: version >= 9)
        transactionalID = try reader.string(window)
        acks = try reader.integer(Int16.self, window)
        _ = try reader.integer(Int32.self, window)
        let countStart = reader.at
        let count = try reader.count(atLeast: 5, window)
        topicCount = countStart..<reader.at
        for _ in 0..<max(0, count) {
            let start = reader.at
            var name = 0..<0
            var id = TopicID(high: 0, low: 0)
            if version >= 13 {
                id = try reader.topicID(window)
            } else {
                name = try FetchRequest.topicName(&reader, window)
            }
            let first = partitions.count
            let partitionCount = try reader.count(atLeast: 5, window)
            guard partitionCount <= FetchRequest.limit - first else {
                throw .bad("more partitions than a request may name")
            }
            let needed = first + max(0, partitionCount)
            if needed > partitions.capacity { partitions.reserveCapacity(max(needed, first * 2)) }
            for _ in 0..<max(0, partitionCount) {
                let index = try reader.integer(Int32.self, window)
                let length = try reader.length(isString: false, window)
                let records = try reader.take(max(0, length), window)
                partitions.append(Partition(index: index, records: records..<(records + max(0, length))))
                try reader.skipTags(window)
            }
            try reader.skipTags(window)
            topics.append(
                Topic(element: start..<reader.at, name: name, id: id, partitions: first..<partitions.count))
        }
        try reader.skipTags(window)
        guard reader.at == body.upperBound else { throw .bad("bytes behind the end of a Produce request") }
    }
}
