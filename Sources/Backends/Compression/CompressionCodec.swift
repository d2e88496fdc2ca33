/// The codecs of Kafka's record batches, by their number in the batch's attributes.
public enum CompressionCodec: UInt8, Sendable, CaseIterable {
    case none, gzip, snappy, lz4, zstd
}

/// Why bytes could not be decompressed.
public enum CompressionError: Error, Sendable, Equatable {
    /// Not the codec's format, or cut off.
    case corrupt
    /// More than the limit came out; checked while it is produced, never after.
    case limitExceeded
    /// The library could not compress (out of memory).
    case failed
}

/// Compresses and decompresses, one codec a call. Keeps the libraries' contexts between calls: one an event loop.
public final class Compressor {
    // Made when a batch first needs them: most connections never do.
    private lazy var zstd = ZstdCodec()
    private lazy var lz4 = LZ4Codec()

    public init() {}

    /// Appends the decompressed bytes.
    ///
    /// - Parameter limit: how many bytes may come out.
    public func decompress(
        _ bytes: RawSpan, _ codec: CompressionCodec, into output: inout [UInt8], limit: Int
    ) throws(CompressionError) {
        switch codec {
        case .none:
            guard bytes.byteCount <= limit else { throw .limitExceeded }
            unsafe bytes.withUnsafeBytes { unsafe output.append(contentsOf: $0) }
        case .gzip: try GzipCodec.decompress(bytes, into: &output, limit: limit)
        case .snappy: try SnappyCodec.decompress(bytes, into: &output, limit: limit)
        case .lz4: try lz4.decompress(bytes, into: &output, limit: limit)
        case .zstd: try zstd.decompress(bytes, into: &output, limit: limit)
        }
    }

    /// Appends the compressed bytes.
    public func compress(
        _ bytes: RawSpan, _ codec: CompressionCodec, into output: inout [UInt8]
    ) throws(CompressionError) {
        switch codec {
        case .none: unsafe bytes.withUnsafeBytes { unsafe output.append(contentsOf: $0) }
        case .gzip: try GzipCodec.compress(bytes, into: &output)
        case .snappy: try SnappyCodec.compress(bytes, into: &output)
        case .lz4: try lz4.compress(bytes, into: &output)
        case .zstd: try zstd.compress(bytes, into: &output)
        }
    }
}

/// How much room each step of a decompression gets: little for small batches, more as more comes out, and one byte
/// beyond the limit so that it is seen to be exceeded.
struct OutputRoom {
    private static let least = 4096
    private static let most = 1 << 20
    let limit: Int
    private var step: Int

    /// - Parameters:
    ///   - limit: how many bytes may come out; a negative one is none.
    ///   - input: bytes of the compressed input.
    init(limit: Int, input: Int) {
        self.limit = Swift.max(0, limit)
        step = Swift.max(OutputRoom.least, Swift.min(input, OutputRoom.most / 4) * 4)
    }

    /// - Parameter produced: bytes that came out so far, at most the limit.
    mutating func next(after produced: Int) -> Int {
        defer { step = Swift.min(step * 2, OutputRoom.most) }
        let left = limit - produced
        return left >= step ? step : left + 1
    }
}

extension [UInt8] {
    /// Grows by up to `count` bytes that `body` fills.
    ///
    /// - Parameter body: gets the new room and says how much of it was filled; negative is a failure.
    mutating func appendRoom(_ count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int) -> Bool {
        let start = self.count
        append(contentsOf: repeatElement(0, count: count))
        let filled = unsafe withUnsafeMutableBytes { raw in
            unsafe body(UnsafeMutableRawBufferPointer(rebasing: raw[start...]))
        }
        removeLast(count - Swift.max(0, Swift.min(filled, count)))
        return filled >= 0
    }
}
