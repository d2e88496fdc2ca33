import CLz4

/// LZ4 frames (KIP-57).
@safe
final class LZ4Codec {
    private var context: OpaquePointer?

    init() {
        var made: OpaquePointer?
        if unsafe LZ4F_isError(LZ4F_createDecompressionContext(&made, UInt32(LZ4F_VERSION))) == 0 {
            unsafe context = made
        }
    }

    deinit { unsafe _ = LZ4F_freeDecompressionContext(context) }

    func decompress(
        _ bytes: RawSpan, into output: inout [UInt8], _ room: inout OutputRoom
    ) throws(CompressionError) {
        guard unsafe context != nil else { throw .failed }
        unsafe LZ4F_resetDecompressionContext(context)
        let error: CompressionError? = unsafe bytes.withUnsafeBytes { raw in
            guard let base = raw.baseAddress else { return .corrupt }
            var at = 0
            while true {
                var hint = 0
                var consumed = raw.count - at
                unsafe room.fill(&output) { space in
                    var filled = space.count
                    unsafe hint = LZ4F_decompress(context, space.baseAddress, &filled, base + at, &consumed, nil)
                    return LZ4F_isError(hint) != 0 ? 0 : filled
                }
                if LZ4F_isError(hint) != 0 { return LZ4Codec.isShortOfMemory(hint) ? .failed : .corrupt }
                if room.isExceeded { return .limitExceeded }
                at += consumed
                let isRead = at >= raw.count
                // A hint of 0 ends a frame; another may follow.
                if hint == 0, isRead { return nil }
                // With room left and nothing to read the frame is cut off; a full room may have more to come.
                if isRead, room.isLeft { return .corrupt }
            }
        }
        if let error { throw error }
    }

    /// The code itself is not for those who link dynamically; its name is.
    private static func isShortOfMemory(_ code: Int) -> Bool {
        unsafe String(cString: LZ4F_getErrorName(code)) == "ERROR_allocation_failed"
    }

    func compress(_ bytes: RawSpan, into output: inout [UInt8]) throws(CompressionError) {
        var preferences = LZ4F_preferences_t()
        preferences.frameInfo.blockMode = LZ4F_blockIndependent
        preferences.frameInfo.blockSizeID = LZ4F_max64KB
        let done = unsafe bytes.withUnsafeBytes { raw in
            unsafe output.appendRoom(LZ4F_compressFrameBound(raw.count, &preferences)) { space in
                let count = unsafe LZ4F_compressFrame(
                    space.baseAddress, space.count, raw.baseAddress, raw.count, &preferences)
                return LZ4F_isError(count) != 0 ? -1 : count
            }
        }
        if !done { throw .failed }
    }
}
