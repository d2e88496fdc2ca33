import TidegateCore
import TidegateWire

/// Partitions of a Fetch that the gateway answers itself, as elements of the response's `Responses` array.
struct FetchDenial {
    struct Topic {
        var name: [UInt8]
        var id: TopicID
        var partitions: [(index: Int32, error: Int16)]
    }
    var topics: [Topic] = []
    var isEmpty: Bool { topics.isEmpty }

    mutating func add(name: [UInt8], id: TopicID, partition: Int32, error: Int16) {
        if let last = topics.indices.last, topics[last].name == name, topics[last].id == id {
            topics[last].partitions.append((partition, error))
        } else {
            topics.append(Topic(name: name, id: id, partitions: [(partition, error)]))
        }
    }

    /// The elements as Kafka itself answers a denied partition: offsets -1, empty non-null records
    /// (`FetchResponse.partitionResponse`).
    func encoded(version: Int16) -> [UInt8] {
        var bytes: [UInt8] = []
        for topic in topics {
            if version >= 13 {
                bytes.append(bigEndian: topic.id.high)
                bytes.append(bigEndian: topic.id.low)
            } else if version >= 12 {
                bytes.append(varint: UInt32(topic.name.count + 1))
                bytes.append(contentsOf: topic.name)
            } else {
                bytes.append(bigEndian: Int16(clamping: topic.name.count))
                bytes.append(contentsOf: topic.name)
            }
            if version >= 12 {
                bytes.append(varint: UInt32(topic.partitions.count + 1))
            } else {
                bytes.append(bigEndian: Int32(topic.partitions.count))
            }
            for partition in topic.partitions {
                FetchDenial.append(partition.index, partition.error, version, to: &bytes)
            }
            if version >= 12 { bytes.append(0) }
        }
        return bytes
    }

    /// One partition's element without records.
    static func append(_ index: Int32, _ error: Int16, _ version: Int16, to bytes: inout [UInt8]) {
        bytes.append(bigEndian: index)
        bytes.append(bigEndian: error)
        bytes.append(bigEndian: Int64(-1))  // HighWatermark
        bytes.append(bigEndian: Int64(-1))  // LastStableOffset
        if version >= 5 { bytes.append(bigEndian: Int64(-1)) }  // LogStartOffset
        if version >= 12 { bytes.append(1) } else { bytes.append(bigEndian: Int32(0)) }  // AbortedTransactions: none
        if version >= 11 { bytes.append(bigEndian: Int32(-1)) }  // PreferredReadReplica
        if version >= 12 { bytes.append(1) } else { bytes.append(bigEndian: Int32(0)) }  // Records: empty
        if version >= 12 { bytes.append(0) }  // no tags
    }
}
