import CChecksum
import TidegateCompression
import TidegateCore
import TidegateWire

/// One record in an uncompressed payload: where its parts stand (KIP-98, record batch v2).
struct RecordPlace {
    struct Header {
        var name: Range<Int>
        /// nil: null.
        var value: Range<Int>?
    }
    /// The whole record, its length included.
    var range: Range<Int>
    var attributes: UInt8
    var timestampDelta: Int64
    var offsetDelta: Int32
    /// nil: null.
    var key, value: Range<Int>?
    /// Headers of this record, in the reader's list.
    var headers: Range<Int>
}

/// Why a batch cannot be looked into.
enum BatchFailure: Error {
    /// Its bytes are not those that its checksum was made of.
    case damaged
    /// Compressed with a codec that is not known.
    case unknownCodec
    /// Not its codec's format, or not the records that its header says: whoever produced it made it so.
    case malformed
    /// More than the gateway looks into.
    case limit
    /// There is no memory for it now.
    case noMemory
}

/// The records of one batch, decoded: only for batches that something must look into.
struct RecordList {
    var records: [RecordPlace] = []
    var headers: [RecordPlace.Header] = []

    /// Records and headers of one batch; each takes memory here.
    static let limit = 262_144

    /// - Parameter payload: the records without compression.
    /// - Throws: `malformed` where the payload is not what the head says: so many records, one behind the other.
    init(_ payload: RawSpan, of batch: BatchHead) throws(BatchFailure) {
        guard Int(batch.count) <= RecordList.limit else { throw .limit }
        guard Int(batch.count) <= payload.byteCount / 6 else { throw .malformed }
        records.reserveCapacity(Int(batch.count))
        var at = 0
        var last: Int32 = -1
        for _ in 0..<batch.count {
            let start = at
            let length = try RecordList.varint(payload, &at)
            guard length > 0, length <= Int64(payload.byteCount - at) else { throw .malformed }
            let end = at + Int(length)
            guard let attributes = payload.byte(at: at) else { throw .malformed }
            at += 1
            let timestamp = try RecordList.varint(payload, &at)
            // Evidence says which offsets were handed over: they rise, and lie in what the head says.
            guard let offset = Int32(exactly: try RecordList.varint(payload, &at)), offset > last,
                offset <= batch.lastOffsetDelta
            else { throw .malformed }
            last = offset
            let key = try RecordList.bytes(payload, &at, end)
            let value = try RecordList.bytes(payload, &at, end)
            let first = headers.count
            let headerCount = try RecordList.varint(payload, &at)
            guard headerCount >= 0, headerCount <= Int64(max(0, end - at)) else { throw .malformed }
            guard headerCount <= Int64(RecordList.limit - first) else { throw .limit }
            for _ in 0..<headerCount {
                guard let name = try RecordList.bytes(payload, &at, end) else { throw .malformed }
                headers.append(.init(name: name, value: try RecordList.bytes(payload, &at, end)))
            }
            guard at == end else { throw .malformed }
            records.append(
                RecordPlace(
                    range: start..<end, attributes: attributes, timestampDelta: timestamp, offsetDelta: offset,
                    key: key, value: value, headers: first..<headers.count))
        }
        guard at == payload.byteCount else { throw .malformed }
    }

    private static func varint(_ payload: RawSpan, _ at: inout Int) throws(BatchFailure) -> Int64 {
        guard let (value, end, overlong) = Varint.signed64(payload, at: at), !overlong else { throw .malformed }
        at = end
        return value
    }

    private static func bytes(
        _ payload: RawSpan, _ at: inout Int, _ end: Int
    ) throws(BatchFailure) -> Range<Int>? {
        let length = try varint(payload, &at)
        if length == -1 { return nil }
        guard length >= 0, length <= Int64(end - at) else { throw .malformed }
        defer { at += Int(length) }
        return at..<(at + Int(length))
    }
}

/// What becomes of one part of a record.
enum PartEdit {
    case unchanged
    case null
    case bytes(Range<Int>)
}

/// Writes a batch anew after some of its records were edited: offsets, timestamps, producer and sequence stay, a dropped
/// record leaves a gap as compaction does, the checksum is made again.
struct BatchWriter {
    /// The payload of the new batch, before compression.
    private(set) var payload: [UInt8] = []
    private(set) var count: Int32 = 0

    /// Copies a record as it is.
    mutating func copy(_ record: RecordPlace, from source: RawSpan) {
        payload.append(bytes: source.extracting(record.range))
        count += 1
    }

    /// Writes a record with edited parts.
    ///
    /// - Parameters:
    ///   - headers: edits of the record's headers' values, in their order.
    ///   - scratch: what edits' ranges point into.
    mutating func write(
        _ record: RecordPlace, key: PartEdit, value: PartEdit, headers: [PartEdit], list: RecordList,
        from source: RawSpan, scratch: RawSpan
    ) {
        var body: [UInt8] = [record.attributes]
        body.append(zigzag: record.timestampDelta)
        body.append(zigzag: Int64(record.offsetDelta))
        BatchWriter.append(record.key, key, source, scratch, to: &body)
        BatchWriter.append(record.value, value, source, scratch, to: &body)
        body.append(zigzag: Int64(record.headers.count))
        for (header, edit) in zip(list.headers[record.headers], headers) {
            BatchWriter.append(header.name, .unchanged, source, scratch, to: &body)
            BatchWriter.append(header.value, edit, source, scratch, to: &body)
        }
        payload.append(zigzag: Int64(body.count))
        payload.append(contentsOf: body)
        count += 1
    }

    private static func append(
        _ range: Range<Int>?, _ edit: PartEdit, _ source: RawSpan, _ scratch: RawSpan, to body: inout [UInt8]
    ) {
        switch edit {
        case .unchanged:
            guard let range else { return body.append(zigzag: -1) }
            body.append(zigzag: Int64(range.count))
            body.append(bytes: source.extracting(range))
        case .null: body.append(zigzag: -1)
        case .bytes(let range):
            body.append(zigzag: Int64(range.count))
            body.append(bytes: scratch.extracting(range))
        }
    }

    /// Appends the whole batch.
    ///
    /// - Parameter header: the 61 bytes of the batch that came.
    /// - Throws: where the codec fails.
    func finish(
        header: RawSpan, codec: CompressionCodec, _ compressor: Compressor, into output: inout [UInt8]
    ) throws(CompressionError) {
        let start = output.count
        output.append(bytes: header)
        // An empty batch has no payload to compress (as compaction leaves it).
        if count == 0 {
            output[start + 22] &= 0xf8
        } else {
            try unsafe compressor.compress(payload.span.bytes, codec, into: &output)
        }
        output.replace(bigEndian: Int32(clamping: output.count - start - 12), at: start + 8)
        output.replace(bigEndian: count, at: start + 57)
        let checksum = unsafe BatchHead.checksum(output.span.bytes.extracting((start + BatchHead.summed)...))
        output.replace(bigEndian: checksum, at: start + 17)
    }
}

extension BatchHead {
    /// What the checksum is made of starts at the attributes.
    fileprivate static let summed = 21

    fileprivate static func checksum(_ bytes: RawSpan) -> UInt32 {
        unsafe bytes.withUnsafeBytes { raw in
            unsafe tidegate_crc32c(raw.baseAddress?.assumingMemoryBound(to: UInt8.self), raw.count)
        }
    }

    /// Decodes the records of a whole batch (magic 2).
    ///
    /// - Parameters:
    ///   - batch: its bytes, at least a whole head.
    ///   - payload: gets the records without compression.
    ///   - limit: how many bytes these may be.
    func records(
        in batch: RawSpan, into payload: inout [UInt8], _ compressor: Compressor, limit: Int
    ) throws(BatchFailure) -> RecordList {
        // What is made anew gets a checksum that is right: here is the last look at the one that came.
        guard batch.bigEndian(UInt32.self, at: 17) == BatchHead.checksum(batch.extracting(BatchHead.summed...)) else {
            throw .damaged
        }
        guard let codec = CompressionCodec(rawValue: codec) else { throw .unknownCodec }
        guard Int(count) <= RecordList.limit else { throw .limit }
        do throws(CompressionError) {
            try compressor.decompress(batch.extracting(BatchHead.whole...), codec, into: &payload, limit: limit)
        } catch {
            switch error {
            case .corrupt: throw .malformed
            case .limitExceeded: throw .limit
            case .failed: throw .noMemory
            }
        }
        return try unsafe RecordList(payload.span.bytes, of: self)
    }
}
