import CZstd

/// Zstandard frames (KIP-110).
@safe
final class ZstdCodec {
    private let decompressor: OpaquePointer?
    private let compressor: OpaquePointer?
    /// A window of 8 MiB, as zstd's own decoders demand (RFC 8878, section 3.1.1.1.2).
    private static let windowLog: Int32 = 23
    private static let level: Int32 = 3

    init() {
        unsafe decompressor = ZSTD_createDCtx()
        unsafe compressor = ZSTD_createCCtx()
        if unsafe decompressor != nil {
            unsafe _ = ZSTD_DCtx_setParameter(decompressor, ZSTD_d_windowLogMax, ZstdCodec.windowLog)
        }
    }

    deinit {
        unsafe _ = ZSTD_freeDCtx(decompressor)
        unsafe _ = ZSTD_freeCCtx(compressor)
    }

    func decompress(_ bytes: RawSpan, into output: inout [UInt8], limit: Int) throws(CompressionError) {
        guard unsafe decompressor != nil else { throw .failed }
        unsafe _ = ZSTD_DCtx_reset(decompressor, ZSTD_reset_session_only)
        let start = output.count
        let error: CompressionError? = unsafe bytes.withUnsafeBytes { raw in
            var input = unsafe ZSTD_inBuffer(src: raw.baseAddress, size: raw.count, pos: 0)
            var rooms = OutputRoom(limit: limit, input: raw.count)
            while true {
                let room = rooms.next(after: output.count - start)
                var left = 0
                var filled = 0
                _ = unsafe output.appendRoom(room) { space in
                    var target = unsafe ZSTD_outBuffer(dst: space.baseAddress, size: space.count, pos: 0)
                    unsafe left = ZSTD_decompressStream(decompressor, &target, &input)
                    unsafe filled = target.pos
                    return filled
                }
                if ZSTD_isError(left) != 0 { return .corrupt }
                if output.count - start > rooms.limit { return .limitExceeded }
                let isRead = unsafe input.pos >= input.size
                if left == 0, isRead { return nil }
                if isRead, filled < room { return .corrupt }
            }
        }
        if let error { throw error }
    }

    func compress(_ bytes: RawSpan, into output: inout [UInt8]) throws(CompressionError) {
        guard unsafe compressor != nil else { throw .failed }
        let done = unsafe bytes.withUnsafeBytes { raw in
            unsafe output.appendRoom(ZSTD_compressBound(raw.count)) { space in
                let count = unsafe ZSTD_compressCCtx(
                    compressor, space.baseAddress, space.count, raw.baseAddress, raw.count, ZstdCodec.level)
                return ZSTD_isError(count) != 0 ? -1 : count
            }
        }
        if !done { throw .failed }
    }
}
