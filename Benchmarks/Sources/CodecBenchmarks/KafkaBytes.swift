import TidegateCompression
import TidegateWire

/// Requests and answers as Kafka's clients and brokers write them, for the versions measured.
enum KafkaBytes {
    static func frame(_ body: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: Int32(body.count))
        bytes.append(contentsOf: body)
        return bytes
    }

    static func request(key: Int16, version: Int16, isFlexible: Bool, _ body: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: key)
        bytes.append(bigEndian: version)
        bytes.append(bigEndian: correlation)
        bytes.append(bigEndian: Int16(5))
        bytes.append(contentsOf: Array("bench".utf8))
        if isFlexible { bytes.append(0) }
        bytes.append(contentsOf: body)
        return frame(bytes)
    }

    static let correlation: Int32 = 7

    static func saslHandshake() -> [UInt8] {
        var body: [UInt8] = []
        body.append(bigEndian: Int16(5))
        body.append(contentsOf: Array("PLAIN".utf8))
        return request(key: 17, version: 1, isFlexible: false, body)
    }

    static func saslAuthenticate() -> [UInt8] {
        let message = [0] + Array("bench".utf8) + [0] + Array("token".utf8)
        var body: [UInt8] = []
        body.append(bigEndian: Int32(message.count))
        body.append(contentsOf: message)
        return request(key: 36, version: 0, isFlexible: false, body)
    }

    /// A record batch (magic 2) of `size` bytes whose records nobody decodes.
    static func batch(size: Int, records: Int32) -> [UInt8] {
        batch(payload: [UInt8](repeating: 0x61, count: size - 61), records: records, codec: .none)
    }

    /// A record batch of `count` orders, one a record, as a producer would send it.
    static func batch(orders count: Int, codec: CompressionCodec) throws(CompressionError) -> [UInt8] {
        var payload: [UInt8] = []
        for number in 0..<count {
            let order = Orders.document(number)
            var record: [UInt8] = [0]
            record.append(zigzag: 0)
            record.append(zigzag: Int64(number))
            record.append(zigzag: -1)
            record.append(zigzag: Int64(order.count))
            record.append(contentsOf: order)
            record.append(zigzag: 0)
            payload.append(zigzag: Int64(record.count))
            payload.append(contentsOf: record)
        }
        var packed: [UInt8] = []
        try Compressor().compress(unsafe payload.span.bytes, codec, into: &packed)
        return batch(payload: packed, records: Int32(count), codec: codec)
    }

    private static func batch(payload: [UInt8], records: Int32, codec: CompressionCodec) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: Int64(0))  // BaseOffset
        bytes.append(bigEndian: Int32(49 + payload.count))
        bytes.append(bigEndian: Int32(0))  // PartitionLeaderEpoch
        bytes.append(2)
        bytes.append(bigEndian: UInt32(0))  // CRC
        bytes.append(bigEndian: Int16(codec.rawValue))
        bytes.append(bigEndian: records - 1)
        bytes.append(contentsOf: [UInt8](repeating: 0, count: 16))  // timestamps
        bytes.append(bigEndian: Int64(-1))
        bytes.append(bigEndian: Int16(-1))
        bytes.append(bigEndian: Int32(-1))
        bytes.append(bigEndian: records)
        bytes.append(contentsOf: payload)
        bytes.replace(bigEndian: checksum(bytes[21...]), at: 17)
        return bytes
    }

    /// CRC-32C, bit by bit (RFC 3720, B.4).
    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var sum = UInt32.max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0x82f6_3b78 : sum >> 1 }
        }
        return ~sum
    }

    /// Fetch 13 to 17 without a session, or the next request of session 1 (nothing new: `partitions` is 0).
    static func fetch(version: Int16, partitions: Int, sessionEpoch: Int32 = -1) -> [UInt8] {
        var body: [UInt8] = []
        if version <= 14 { body.append(bigEndian: Int32(-1)) }
        body.append(bigEndian: Int32(500))
        body.append(bigEndian: Int32(1))
        body.append(bigEndian: Int32(50 << 20))
        body.append(0)
        body.append(bigEndian: Int32(sessionEpoch > 0 ? 1 : 0))
        body.append(bigEndian: sessionEpoch)
        body.append(varint: partitions > 0 ? 2 : 1)
        if partitions > 0 {
            body.append(contentsOf: CannedCluster.topicID)
            body.append(varint: UInt32(partitions + 1))
            for partition in 0..<partitions {
                body.append(bigEndian: Int32(partition))
                body.append(bigEndian: Int32(-1))
                body.append(bigEndian: Int64(0))
                body.append(bigEndian: Int32(-1))
                body.append(bigEndian: Int64(-1))
                body.append(bigEndian: Int32(1 << 20))
                body.append(0)
            }
            body.append(0)
        }
        body.append(varint: 1)  // forgotten topics
        body.append(varint: 1)  // rack
        body.append(0)
        return request(key: 1, version: version, isFlexible: true, body)
    }

    /// The answer to `fetch`; the offsets of its batches are set by `FetchAnswer`.
    static func fetchAnswer(
        partitions: Int, batches: Int, of batch: [UInt8], sessionID: Int32 = 0
    ) -> (bytes: [UInt8], offsets: [Int]) {
        var body: [UInt8] = []
        body.append(bigEndian: correlation)
        body.append(0)
        body.append(bigEndian: Int32(0))
        body.append(bigEndian: Int16(0))
        body.append(bigEndian: sessionID)
        body.append(varint: partitions > 0 ? 2 : 1)
        var offsets: [Int] = []
        if partitions > 0 {
            body.append(contentsOf: CannedCluster.topicID)
            body.append(varint: UInt32(partitions + 1))
            for partition in 0..<partitions {
                body.append(bigEndian: Int32(partition))
                body.append(bigEndian: Int16(0))
                for _ in 0..<3 { body.append(bigEndian: Int64(1 << 40)) }  // high watermark, last stable, log start
                body.append(varint: 1)  // no aborted transactions
                body.append(bigEndian: Int32(-1))
                body.append(varint: UInt32(batches * batch.count + 1))
                for _ in 0..<batches {
                    offsets.append(body.count + 4)
                    body.append(contentsOf: batch)
                }
                body.append(0)
            }
            body.append(0)
        }
        body.append(0)
        return (frame(body), offsets)
    }

    /// Produce 12 (by name) or 13 (by id), acks all, one batch a partition.
    static func produce(version: Int16, partitions: Int, batchSize: Int) -> [UInt8] {
        var body: [UInt8] = [0]
        body.append(bigEndian: Int16(-1))
        body.append(bigEndian: Int32(30_000))
        body.append(varint: 2)
        body.append(contentsOf: topicKey(version))
        body.append(varint: UInt32(partitions + 1))
        for partition in 0..<partitions {
            body.append(bigEndian: Int32(partition))
            body.append(varint: UInt32(batchSize + 1))
            body.append(contentsOf: batch(size: batchSize, records: 16))
            body.append(0)
        }
        body.append(contentsOf: [0, 0])
        return request(key: 0, version: version, isFlexible: true, body)
    }

    /// The topic's id (13 and up) or name.
    private static func topicKey(_ version: Int16) -> [UInt8] {
        if version >= 13 { return CannedCluster.topicID }
        var name: [UInt8] = []
        name.append(compact: CannedCluster.topic)
        return name
    }

    static func produceAnswer(version: Int16, partitions: Int) -> [UInt8] {
        var body: [UInt8] = []
        body.append(bigEndian: correlation)
        body.append(0)
        body.append(varint: 2)
        body.append(contentsOf: topicKey(version))
        body.append(varint: UInt32(partitions + 1))
        for partition in 0..<partitions {
            body.append(bigEndian: Int32(partition))
            body.append(bigEndian: Int16(0))
            body.append(bigEndian: Int64(100))
            body.append(bigEndian: Int64(-1))
            body.append(bigEndian: Int64(0))
            body.append(contentsOf: [1, 0, 0])  // no record errors, no message, no tags
        }
        body.append(0)
        body.append(bigEndian: Int32(0))
        body.append(0)
        return frame(body)
    }
}

extension [UInt8] {
    /// A compact string (KIP-482).
    mutating func append(compact text: [UInt8]) {
        append(varint: UInt32(text.count + 1))
        append(contentsOf: text)
    }
}
