import CZstd

/// Zstandard frames (KIP-110).
@safe
final class ZstdCodec {
    private let decompressor: OpaquePointer?
    private let compressor: OpaquePointer?
    /// A window of 8 MiB, which every decoder should have (RFC 8878, section 3.1.1.1.2); a longer one is not allocated.
    private static let windowLog: Int32 = 23
    /// What frames with a longer window may come to.
    private static let longest = 64 << 20
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

    func decompress(
        _ bytes: RawSpan, into output: inout [UInt8], _ room: inout OutputRoom
    ) throws(CompressionError) {
        guard unsafe decompressor != nil else { throw .failed }
        unsafe _ = ZSTD_DCtx_reset(decompressor, ZSTD_reset_session_only)
        let error: CompressionError? = unsafe bytes.withUnsafeBytes { raw in
            var input = unsafe ZSTD_inBuffer(src: raw.baseAddress, size: raw.count, pos: 0)
            while true {
                var left = 0
                unsafe room.fill(&output) { space in
                    var target = unsafe ZSTD_outBuffer(dst: space.baseAddress, size: space.count, pos: 0)
                    unsafe left = ZSTD_decompressStream(decompressor, &target, &input)
                    return unsafe target.pos
                }
                if ZSTD_isError(left) != 0 {
                    switch ZSTD_getErrorCode(left) {
                    case ZSTD_error_frameParameter_windowTooLarge: return unsafe whole(raw, into: &output, &room)
                    case ZSTD_error_memory_allocation: return .failed
                    default: return .corrupt
                    }
                }
                if room.isExceeded { return .limitExceeded }
                let isRead = unsafe input.pos >= input.size
                if left == 0, isRead { return nil }
                if isRead, room.isLeft { return .corrupt }
            }
        }
        if let error { throw error }
    }

    /// Frames with a longer window (levels 20 to 22 of zstd), from the first on: into one piece, which is their window.
    private func whole(
        _ raw: UnsafeRawBufferPointer, into output: inout [UInt8], _ room: inout OutputRoom
    ) -> CompressionError? {
        var count = 0
        // Not filled before it is used, and so not taken either.
        let capacity = min(room.limit, ZstdCodec.longest)
        let all = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { space, filled in
            unsafe count = ZSTD_decompressDCtx(decompressor, space.baseAddress, capacity, raw.baseAddress, raw.count)
            filled = ZSTD_isError(count) != 0 ? 0 : count
        }
        if ZSTD_isError(count) != 0 {
            switch ZSTD_getErrorCode(count) {
            case ZSTD_error_dstSize_tooSmall: return .limitExceeded
            case ZSTD_error_memory_allocation: return .failed
            default: return .corrupt
            }
        }
        room.replace(&output, with: all)
        return nil
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
