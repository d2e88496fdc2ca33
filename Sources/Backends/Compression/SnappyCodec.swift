import CSnappy

/// snappy, raw and in the framing of snappy-java (`\x82SNAPPY\0`, blocks with big-endian sizes), which Kafka's Java client
/// writes.
enum SnappyCodec {
    private static let magic: [UInt8] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]
    private static let blockSize = 32 * 1024

    static func decompress(
        _ bytes: RawSpan, into output: inout [UInt8], limit: Int
    ) throws(CompressionError) {
        guard isFramed(bytes) else { return try block(bytes, into: &output, limit: limit) }
        let start = output.count
        var at = 16
        while at < bytes.byteCount {
            guard let size = size(bytes, at), size <= bytes.byteCount - at - 4 else { throw .corrupt }
            try block(
                bytes.extracting((at + 4)..<(at + 4 + size)), into: &output, limit: limit - (output.count - start))
            at += 4 + size
        }
    }

    private static func isFramed(_ bytes: RawSpan) -> Bool {
        guard bytes.byteCount >= 16 else { return false }
        return unsafe bytes.withUnsafeBytes { raw in unsafe raw.prefix(8).elementsEqual(magic) }
    }

    private static func size(_ bytes: RawSpan, _ at: Int) -> Int? {
        guard bytes.byteCount - at >= 4 else { return nil }
        return unsafe bytes.withUnsafeBytes { raw in
            unsafe Int(UInt32(bigEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
        }
    }

    private static func block(
        _ bytes: RawSpan, into output: inout [UInt8], limit: Int
    ) throws(CompressionError) {
        let error: CompressionError? = unsafe bytes.withUnsafeBytes { raw in
            let base = unsafe raw.baseAddress?.assumingMemoryBound(to: CChar.self)
            var length = 0
            guard unsafe snappy_uncompressed_length(base, raw.count, &length) == SNAPPY_OK else { return .corrupt }
            guard length <= limit else { return .limitExceeded }
            // Snappy cannot expand more than some 21 times; a longer promise is a lie that would cost memory.
            guard length / 64 <= raw.count else { return .corrupt }
            return unsafe output.appendRoom(length) { space in
                var filled = space.count
                let target = unsafe space.baseAddress?.assumingMemoryBound(to: CChar.self)
                if length == 0 { return 0 }
                return unsafe snappy_uncompress(base, raw.count, target, &filled) == SNAPPY_OK ? filled : -1
            } ? nil : .corrupt
        }
        if let error { throw error }
    }

    /// Writes the framing of snappy-java: every client reads it.
    static func compress(_ bytes: RawSpan, into output: inout [UInt8]) throws(CompressionError) {
        output.append(contentsOf: magic)
        output.append(contentsOf: [0, 0, 0, 1, 0, 0, 0, 1])
        var at = 0
        while at < bytes.byteCount {
            let count = min(blockSize, bytes.byteCount - at)
            let place = output.count
            output.append(contentsOf: [0, 0, 0, 0])
            let done = unsafe bytes.extracting(at..<(at + count)).withUnsafeBytes { raw in
                unsafe output.appendRoom(snappy_max_compressed_length(raw.count)) { space in
                    var filled = space.count
                    let code = unsafe snappy_compress(
                        raw.baseAddress?.assumingMemoryBound(to: CChar.self), raw.count,
                        space.baseAddress?.assumingMemoryBound(to: CChar.self), &filled)
                    return code == SNAPPY_OK ? filled : -1
                }
            }
            guard done else { throw .failed }
            let size = UInt32(output.count - place - 4)
            for shift in 0..<4 { output[place + shift] = UInt8(truncatingIfNeeded: size >> UInt32(24 - 8 * shift)) }
            at += count
        }
    }
}
