import CZlib

/// gzip by zlib (RFC 1952).
enum GzipCodec {
    static func decompress(
        _ bytes: RawSpan, into output: inout [UInt8], _ room: inout OutputRoom
    ) throws(CompressionError) {
        var stream = unsafe z_stream()
        guard unsafe shim_inflateInit2(&stream, 15 + 16) == Z_OK else { throw .failed }
        defer { unsafe inflateEnd(&stream) }
        let error: CompressionError? = unsafe bytes.withUnsafeBytes { raw in
            guard let base = raw.baseAddress, let size = UInt32(exactly: raw.count) else { return .corrupt }
            // zlib's interface lacks a const; it does not write to its input.
            unsafe stream.next_in = UnsafeMutablePointer(mutating: base.assumingMemoryBound(to: UInt8.self))
            unsafe stream.avail_in = size
            while true {
                var code = Z_OK
                unsafe room.fill(&output) { space in
                    unsafe stream.next_out = space.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    unsafe stream.avail_out = UInt32(space.count)
                    unsafe code = inflate(&stream, Z_NO_FLUSH)
                    return unsafe space.count - Int(stream.avail_out)
                }
                if room.isExceeded { return .limitExceeded }
                if code == Z_STREAM_END {
                    // Members may follow each other (RFC 1952, section 2.2).
                    if unsafe stream.avail_in == 0 { return nil }
                    guard unsafe inflateReset(&stream) == Z_OK else { return .corrupt }
                    continue
                }
                if code == Z_MEM_ERROR { return .failed }
                if code != Z_OK { return .corrupt }
                if unsafe stream.avail_in == 0, room.isLeft { return .corrupt }
            }
        }
        if let error { throw error }
    }

    static func compress(_ bytes: RawSpan, into output: inout [UInt8]) throws(CompressionError) {
        var stream = unsafe z_stream()
        guard unsafe shim_deflateInit2(&stream, Z_DEFAULT_COMPRESSION, 15 + 16) == Z_OK else { throw .failed }
        defer { unsafe deflateEnd(&stream) }
        let done = unsafe bytes.withUnsafeBytes { raw -> Bool in
            guard let size = UInt32(exactly: raw.count) else { return false }
            let bound = Int(unsafe deflateBound(&stream, UInt(raw.count)))
            unsafe stream.next_in = UnsafeMutablePointer(
                mutating: raw.baseAddress?.assumingMemoryBound(to: UInt8.self))
            unsafe stream.avail_in = size
            return unsafe output.appendRoom(bound) { space in
                unsafe stream.next_out = space.baseAddress?.assumingMemoryBound(to: UInt8.self)
                unsafe stream.avail_out = UInt32(clamping: space.count)
                guard unsafe deflate(&stream, Z_FINISH) == Z_STREAM_END else { return -1 }
                return unsafe space.count - Int(stream.avail_out)
            }
        }
        if !done { throw .failed }
    }
}
