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

/// Compresses and decompresses, one codec a call. Keeps the libraries' contexts between calls: megabytes, so it lives as
/// long as there are batches to work on, and no longer.
public final class Compressor {
    // Made when a batch first needs them: most connections never do.
    private lazy var zstd = ZstdCodec()
    private lazy var lz4 = LZ4Codec()
    /// Bytes of room that the last decompression made for what was to come out: tests hold it against what did.
    package private(set) var roomMade = 0

    public init() {}

    /// Appends the decompressed bytes.
    ///
    /// - Parameter limit: how many bytes may come out.
    public func decompress(
        _ bytes: RawSpan, _ codec: CompressionCodec, into output: inout [UInt8], limit: Int
    ) throws(CompressionError) {
        var room = OutputRoom(behind: output.count, limit: limit, input: bytes.byteCount)
        defer {
            room.close(&output)
            roomMade = room.made
        }
        switch codec {
        case .none:
            guard bytes.byteCount <= limit else { throw .limitExceeded }
            unsafe bytes.withUnsafeBytes { unsafe output.append(contentsOf: $0) }
        case .gzip: try GzipCodec.decompress(bytes, into: &output, &room)
        case .snappy: try SnappyCodec.decompress(bytes, into: &output, limit: limit)
        case .lz4: try lz4.decompress(bytes, into: &output, &room)
        case .zstd: try zstd.decompress(bytes, into: &output, &room)
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

/// The room at the end of an array in which a decompression's output comes to stand. It grows only when all of it is
/// filled: little for small batches, more as more comes out, and one byte beyond the limit so that it is seen to be
/// exceeded. So a codec's steps cost what comes out and what goes in, not what might come out.
struct OutputRoom {
    private static let least = 4096
    private static let most = 1 << 20
    let limit: Int
    /// Where the output starts in the array, and where it ends: behind that is room.
    private let start: Int
    private var end: Int
    private var step: Int
    /// Bytes that the array grew by.
    private(set) var made = 0

    /// - Parameters:
    ///   - start: the array's count.
    ///   - limit: how many bytes may come out; a negative one is none.
    ///   - input: bytes of the compressed input.
    init(behind start: Int, limit: Int, input: Int) {
        self.start = start
        end = start
        self.limit = Swift.max(0, limit)
        step = Swift.max(OutputRoom.least, Swift.min(input, OutputRoom.most / 4) * 4)
    }

    /// More came out than may.
    var isExceeded: Bool { end - start > limit }
    /// The last step left some of it: nothing more was to come out of what had been read.
    var isLeft: Bool { end < start + made }

    /// Makes one step.
    ///
    /// - Parameter body: gets the room, never none, and says how much of it was filled.
    mutating func fill(_ output: inout [UInt8], _ body: (UnsafeMutableRawBufferPointer) -> Int) {
        if !isLeft {
            let left = limit - (end - start)
            let count = left >= step ? step : left + 1
            output.appendZeroes(count)
            made += count
            step = Swift.min(step * 2, OutputRoom.most)
        }
        let place = end
        let filled = unsafe output.withUnsafeMutableBytes { raw in
            unsafe body(UnsafeMutableRawBufferPointer(rebasing: raw[place...]))
        }
        end += Swift.max(0, Swift.min(filled, output.count - place))
    }

    /// Puts what was decompressed in another way in the place of all that came out.
    mutating func replace(_ output: inout [UInt8], with whole: [UInt8]) {
        output.removeLast(output.count - start)
        output.append(contentsOf: whole)
        made = whole.count
        end = output.count
    }

    /// Takes the room away that was not filled.
    func close(_ output: inout [UInt8]) {
        if isLeft { output.removeLast(output.count - end) }
    }
}

extension [UInt8] {
    private static let zeroes = [UInt8](repeating: 0, count: 1 << 16)

    /// Grows by `count` zeroes, block by block: one by one, from a sequence, they cost a debug build a hundred times as much.
    mutating func appendZeroes(_ count: Int) {
        if capacity < self.count + count { reserveCapacity(Swift.max(self.count + count, capacity * 2)) }
        var left = count
        while left > 0 {
            let block = Swift.min(left, Self.zeroes.count)
            append(contentsOf: Self.zeroes[..<block])
            left -= block
        }
    }

    /// Grows by up to `count` bytes that `body` fills.
    ///
    /// - Parameter body: gets the new room and says how much of it was filled; negative is a failure.
    mutating func appendRoom(_ count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int) -> Bool {
        let start = self.count
        appendZeroes(count)
        let filled = unsafe withUnsafeMutableBytes { raw in
            unsafe body(UnsafeMutableRawBufferPointer(rebasing: raw[start...]))
        }
        removeLast(count - Swift.max(0, Swift.min(filled, count)))
        return filled >= 0
    }
}
