import TidegateCore
import TidegateWire

/// Where the machine is in a Fetch response (versions 4 to 18) that passes through without being held.
///
/// ```
///  head ─▶ topic ─▶ partition ─▶ records ─▶ partitionTail ─┬▶ partition
///            ▲                                             └▶ topicTail ─┬▶ topic
///            └───────────────────────────────────────────────────────────┴▶ tail ─▶ done
/// ```
/// Headers are looked at, each batch is admitted when its header is seen, and everything leaves as the bytes that came.
struct FetchStream: BitwiseCopyable {
    enum Phase: UInt8, BitwiseCopyable { case head, topic, partition, records, partitionTail, topicTail, tail, done }
    var phase = Phase.head
    var version: Int16
    /// Bytes of the frame that are not consumed yet, its length field included.
    var frameRemaining: Int
    var topicsLeft = 0
    var partitionsLeft = 0
    /// The topic being read, and the right to pass it.
    var topic: Resource?
    var clearance: Clearance?
    var partition: Int32 = 0
    /// The offset behind the last entry of the partition; before the first one, where its log starts.
    var nextOffset: UInt64 = 0
    /// Bytes left of the partition's records, and of the batch in them.
    var recordsLeft = 0
    var batchLeft = 0
}

/// The head of one partition in a Fetch response, up to and with the length of its records.
struct FetchPartitionHead {
    var index: Int32
    var error: Int16
    /// Where the log starts: 0 where the version does not say.
    var logStart: UInt64 = 0
    /// Where the element starts, and where its records start.
    var start: Int
    var recordsStart: Int
    /// -1: null.
    var recordsLength: Int
    /// An error and nothing else.
    var isBareError: Bool { error != KafkaError.none && recordsLength <= 0 }

    init(_ reader: inout FieldReader, _ window: RawSpan, version: Int16) throws(FieldReader.Failure) {
        start = reader.at
        index = try reader.integer(Int32.self, window)
        error = try reader.integer(Int16.self, window)
        _ = try reader.take(16, window)  // HighWatermark, LastStableOffset
        if version >= 5 { logStart = UInt64(max(0, try reader.integer(Int64.self, window))) }
        let aborted = try reader.count(atLeast: 16, window)
        for _ in 0..<max(0, aborted) {
            _ = try reader.take(16, window)
            try reader.skipTags(window)
        }
        if version >= 11 { _ = try reader.take(4, window) }  // PreferredReadReplica
        recordsLength = try reader.length(isString: false, window)
        recordsStart = reader.at
    }
}

/// The head of a Fetch response, up to and with the number of its topics.
struct FetchResponseHead {
    var error: Int16 = 0
    var sessionID: Int32 = 0
    var topicCount: Int
    /// Where the number of topics stands.
    var topicCountRange: Range<Int>

    /// - Parameter reader: at the length of the frame.
    init(_ reader: inout FieldReader, _ window: RawSpan, version: Int16) throws(FieldReader.Failure) {
        _ = try reader.take(8, window)  // length, correlation id
        try reader.skipTags(window)
        _ = try reader.take(4, window)  // ThrottleTimeMs
        if version >= 7 {
            error = try reader.integer(Int16.self, window)
            sessionID = try reader.integer(Int32.self, window)
        }
        let start = reader.at
        topicCount = max(0, try reader.count(atLeast: 5, window))
        topicCountRange = start..<reader.at
    }
}

/// The first bytes of an entry in a log: enough to say which offsets it holds (KIP-98 for magic 2).
struct BatchHead {
    /// With the attributes of a message before record batches.
    static let shortest = 18
    static let whole = 61

    var baseOffset: Int64
    /// Bytes of the entry, its offset and length fields included.
    var size: Int
    var magic: Int8
    var attributes: Int16 = 0
    var lastOffsetDelta: Int32 = 0
    var count: Int32 = 1
    /// Where a compressed message set may begin.
    private var setStart: UInt64?

    var codec: UInt8 { UInt8(attributes & 7) }
    var isControl: Bool { attributes & 0x20 != 0 }
    /// The head's latest timestamp is that of every record: when the broker took them.
    var hasAppendTime: Bool { attributes & 8 != 0 }
    /// Message sets (0 and 1) and record batches (2) are all that there is.
    var isKnown: Bool { (0...2).contains(magic) }

    /// - Parameter available: bytes of records from `at` on, in the window or not.
    /// - Returns: nil where the entry's head is cut off by the end of the records (a partial last batch).
    init?(_ window: RawSpan, at offset: Int, available: Int) throws(FieldReader.Failure) {
        guard available >= BatchHead.shortest else { return nil }
        guard let base = window.bigEndian(Int64.self, at: offset),
            let length = window.bigEndian(Int32.self, at: offset &+ 8),
            let magic = window.bigEndian(Int8.self, at: offset &+ 16)
        else { throw .short }
        baseOffset = base
        self.magic = magic
        guard length >= 0 else { throw .bad("a batch of negative length") }
        size = Int(length) &+ 12
        if magic >= 2 {
            guard available >= BatchHead.whole else { return nil }
            guard let attributes = window.bigEndian(Int16.self, at: offset &+ 21),
                let delta = window.bigEndian(Int32.self, at: offset &+ 23),
                let count = window.bigEndian(Int32.self, at: offset &+ 57)
            else { throw .short }
            self.attributes = attributes
            lastOffsetDelta = max(0, delta)
            self.count = max(0, count)
            guard size >= BatchHead.whole else { throw .bad("a batch shorter than its header") }
        } else {
            guard let attributes = window.bigEndian(Int8.self, at: offset &+ 17) else { throw .short }
            self.attributes = Int16(attributes)
            guard size >= BatchHead.shortest else { throw .bad("a message shorter than its header") }
        }
    }

    /// Widens a compressed message set (magic 0, 1) to all that it may hold: its own offset is that of its last message,
    /// and how many there are is known to whoever decompresses it.
    ///
    /// - Parameter next: the offset behind the entry before it, or where the log starts.
    mutating func widen(from next: UInt64) {
        guard magic < 2, codec != 0, next < last.minor else { return }
        setStart = next
        count = Int32(clamping: last.minor - next + 1)
    }

    var first: Position { Position(major: 0, minor: setStart ?? UInt64(max(0, baseOffset))) }
    var last: Position {
        Position(
            major: 0, minor: UInt64(max(0, baseOffset)).addingReportingOverflow(UInt64(lastOffsetDelta)).partialValue)
    }
}
