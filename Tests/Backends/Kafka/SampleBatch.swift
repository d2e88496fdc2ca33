import TidegateKafka

/// A record batch made by this test's own hand (KIP-98), and read back by it: nothing of it is the gateway's code but the
/// codecs.
struct SampleBatch: Equatable {
    struct Record: Equatable {
        var offsetDelta: Int64
        var key: String?
        var value: String?
        var headers: [String: String] = [:]
    }
    var baseOffset: Int64 = 0
    var codec: UInt8 = 0
    var lastOffsetDelta: Int32 = 0
    var producer: Int64 = -1
    var sequence: Int32 = -1
    var records: [Record]

    init(at base: Int64 = 0, codec: UInt8 = 0, _ values: [String?], producer: Int64 = -1) {
        baseOffset = base
        self.codec = codec
        self.producer = producer
        sequence = producer < 0 ? -1 : 7
        lastOffsetDelta = Int32(values.count - 1)
        records = values.enumerated().map { .init(offsetDelta: Int64($0), key: "k\($0)", value: $1) }
    }

    var bytes: [UInt8] {
        var plain: [UInt8] = []
        for record in records {
            var body: [UInt8] = [0]
            body += SampleBatch.varint(record.offsetDelta * 10) + SampleBatch.varint(record.offsetDelta)
            body += SampleBatch.text(record.key) + SampleBatch.text(record.value)
            body += SampleBatch.varint(Int64(record.headers.count))
            for (name, value) in record.headers.sorted(by: { $0.key < $1.key }) {
                body += SampleBatch.text(name) + SampleBatch.text(value)
            }
            plain += SampleBatch.varint(Int64(body.count)) + body
        }
        return SampleBatch.frame(
            plain, count: Int32(records.count), at: baseOffset, codec: codec, lastOffsetDelta: lastOffsetDelta,
            producer: producer, sequence: sequence)
    }

    /// A batch around records that are written already.
    static func frame(
        _ plain: [UInt8], count: Int32, at baseOffset: Int64 = 0, codec: UInt8 = 0, lastOffsetDelta: Int32 = 0,
        producer: Int64 = -1, sequence: Int32 = -1
    ) -> [UInt8] {
        var summed = SampleBatch.big(Int16(codec)) + SampleBatch.big(lastOffsetDelta)
        summed += SampleBatch.big(Int64(1_700_000_000_000)) + SampleBatch.big(Int64(1_700_000_000_500))
        summed += SampleBatch.big(producer) + SampleBatch.big(Int16(producer < 0 ? -1 : 3)) + SampleBatch.big(sequence)
        summed += SampleBatch.big(count) + KafkaInspection.compress(plain, codec: codec)
        return SampleBatch.big(baseOffset) + SampleBatch.big(Int32(summed.count + 9)) + SampleBatch.big(Int32(5)) + [2]
            + SampleBatch.big(SampleBatch.crc(summed)) + summed
    }

    /// A batch whose checksum fits again after its bytes were changed.
    static func summed(_ bytes: [UInt8]) -> [UInt8] {
        Array(bytes[..<17]) + big(crc(Array(bytes[21...]))) + bytes[21...]
    }

    /// A record of one value and no key, nothing of it looked at but its lengths.
    static func record(_ value: [UInt8]) -> [UInt8] {
        let body = [0, 0, 0] + varint(-1) + varint(Int64(value.count)) + value + varint(0)
        return varint(Int64(body.count)) + body
    }

    /// - Returns: nil where the bytes are not exactly one batch with a right checksum.
    init?(_ bytes: [UInt8]) {
        func number(_ at: Int, _ size: Int) -> Int64 {
            bytes[(at + 1)..<(at + size)].reduce(Int64(Int8(bitPattern: bytes[at]))) { $0 << 8 | Int64($1) }
        }
        guard bytes.count >= 61, bytes[16] == 2, number(8, 4) == Int64(bytes.count - 12),
            SampleBatch.crc(Array(bytes[21...])) == UInt32(truncatingIfNeeded: number(17, 4)), number(12, 4) == 5,
            number(27, 8) == 1_700_000_000_000
        else { return nil }
        baseOffset = number(0, 8)
        codec = bytes[22] & 7
        lastOffsetDelta = Int32(number(23, 4))
        producer = number(43, 8)
        sequence = Int32(number(53, 4))
        records = []
        guard let plain = KafkaInspection.decompress(Array(bytes[61...]), codec: codec) else { return nil }
        var at = 0
        func varint() -> Int64? {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while at < plain.count, shift < 64 {
                value |= UInt64(plain[at] & 0x7f) << shift
                shift += 7
                at += 1
                if plain[at - 1] < 0x80 { return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
            }
            return nil
        }
        func text() -> String?? {
            guard let length = varint() else { return nil }
            if length < 0 { return .some(nil) }
            guard at + Int(length) <= plain.count else { return nil }
            defer { at += Int(length) }
            return String(decoding: plain[at..<(at + Int(length))], as: UTF8.self)
        }
        for _ in 0..<number(57, 4) {
            guard let length = varint() else { return nil }
            let end = at + Int(length)
            at += 1
            guard let time = varint(), let delta = varint(), time == delta * 10, let key = text(), let value = text(),
                let count = varint()
            else { return nil }
            var record = Record(offsetDelta: delta, key: key, value: value)
            for _ in 0..<count {
                guard let name = text(), let name, let value = text() else { return nil }
                record.headers[name] = value ?? ""
            }
            guard at == end else { return nil }
            records.append(record)
        }
        if at != plain.count { return nil }
    }

    private static func varint(_ value: Int64) -> [UInt8] {
        var rest = UInt64(bitPattern: value << 1 ^ value >> 63)
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7f | 0x80))
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    private static func text(_ text: String?) -> [UInt8] {
        guard let text else { return varint(-1) }
        return varint(Int64(text.utf8.count)) + Array(text.utf8)
    }

    private static func big<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    /// CRC-32C, bit by bit (RFC 3720, B.4).
    static func crc(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = .max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
        }
        return ~crc
    }
}
