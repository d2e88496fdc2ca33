import TestSupport
import Testing
import TidegateCompression

/// Decompresses, or says why not; spans cannot stand inside an expectation.
private func decompressed(_ bytes: [UInt8], _ codec: CompressionCodec, limit: Int = 1 << 20) -> Result<
    [UInt8], CompressionError
> {
    var output: [UInt8] = []
    do throws(CompressionError) {
        try Compressor().decompress(bytes.span.bytes, codec, into: &output, limit: limit)
        return .success(output)
    } catch {
        return .failure(error)
    }
}

private func compressed(_ bytes: [UInt8], _ codec: CompressionCodec) throws -> [UInt8] {
    var output: [UInt8] = []
    try Compressor().compress(bytes.span.bytes, codec, into: &output)
    return output
}

private func bytes(hex: String) -> [UInt8] {
    let digits = Array(hex)
    return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...($0 + 1)]), radix: 16) }
}

private let packing: [CompressionCodec] = [.gzip, .snappy, .lz4, .zstd]

@Suite struct CompressionTests {
    /// "Tidegate " eight times, by Python's gzip, the lz4 and the zstd command, and by hand for snappy's raw format.
    @Test(arguments: [
        (CompressionCodec.gzip, "1f8b08000000000002030bc94c494d4f2c495508a18c010081e8547e48000000"),
        (.lz4, "04224d186440a7130000009f546964656761746520090027506761746520000000008da11267"),
        (.zstd, "28b52ffd24487d0000485469646567617465200100a4548ebda22b32"),
        (.snappy, "4820546964656761746520fa0900"),
        (.snappy, "82534e4150505900" + "0000000100000001" + "0000000e" + "4820546964656761746520fa0900"),
    ])
    func `reads what other implementations wrote`(codec: CompressionCodec, hex: String) {
        let expected = Array(String(repeating: "Tidegate ", count: 8).utf8)
        #expect(decompressed(bytes(hex: hex), codec) == .success(expected))
    }

    @Test(arguments: packing, [0, 1, 100, 32_768, 65_535, 65_536, 131_072, 300_001])
    func `returns what it compressed and keeps exactly to the limit`(codec: CompressionCodec, size: Int) throws {
        var generator = SeededGenerator(seed: UInt64(size))
        let plain = (0..<size).map { _ in UInt8.random(in: 0...15, using: &generator) }
        let packed = try compressed(plain, codec)
        #expect(decompressed(packed, codec, limit: size) == .success(plain))
        if size > 0 { #expect(decompressed(packed, codec, limit: size - 1) == .failure(.limitExceeded)) }
    }

    @Test(arguments: packing)
    func `takes any limit without a trap`(codec: CompressionCodec) throws {
        let plain = Array(String(repeating: "Tidegate ", count: 2_000).utf8)
        let packed = try compressed(plain, codec)
        #expect(decompressed(packed, codec, limit: .max) == .success(plain))
        for limit in [0, -1, Int.min] {
            #expect(decompressed(packed, codec, limit: limit) == .failure(.limitExceeded))
        }
    }

    @Test(arguments: [CompressionCodec.gzip, .lz4, .zstd])
    func `reads frames that follow each other`(codec: CompressionCodec) throws {
        let first = Array("one ".utf8)
        let second = [UInt8](repeating: 7, count: 70_000)
        let packed = try compressed(first, codec) + compressed(second, codec)
        #expect(decompressed(packed, codec) == .success(first + second))
    }

    @Test(arguments: [CompressionCodec.gzip, .lz4, .zstd], [100_000])
    func `makes room for what comes out, not for each of many empty frames`(codec: CompressionCodec, count: Int) throws
    {
        let last = Array("the end".utf8)
        let empty = try compressed([], codec)
        var packed: [UInt8] = []
        for _ in 0..<count { packed += empty }
        packed += try compressed(last, codec)
        let compressor = Compressor()
        var output: [UInt8] = [1]
        try compressor.decompress(packed.span.bytes, codec, into: &output, limit: 1 << 25)
        #expect(output == [1] + last)
        #expect(compressor.roomMade <= 1 << 20)
    }

    @Test(arguments: [CompressionCodec.gzip, .lz4, .zstd], [1, 4096, 100_000, 1_500_000])
    func `makes little more room than comes out`(codec: CompressionCodec, size: Int) throws {
        var generator = SeededGenerator(seed: 5)
        let plain = (0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let packed = try compressed(plain, codec)
        let compressor = Compressor()
        var output: [UInt8] = []
        try compressor.decompress(packed.span.bytes, codec, into: &output, limit: .max)
        #expect(output == plain)
        #expect(compressor.roomMade <= max(4096, min(4 * packed.count, 1 << 20)) + size + (1 << 20))
    }

    /// Frames by hand, for a window of 128 MiB (RFC 8878, section 3.1.1.1.2): a raw block, and one of a byte repeated.
    private let wide = [
        bytes(hex: "28b52ffd0088" + "290000" + "68656c6c6f"), bytes(hex: "28b52ffd0088" + "030010" + "61"),
    ]

    @Test func `a window that no decoder must have is not allocated, and its frames are read`() throws {
        let hello = Array("hello".utf8)
        let run = [UInt8](repeating: 0x61, count: 131_072)
        #expect(decompressed(wide[0], .zstd) == .success(hello))
        #expect(decompressed(wide[0], .zstd, limit: 5) == .success(hello))
        #expect(decompressed(wide[0], .zstd, limit: 4) == .failure(.limitExceeded))
        #expect(decompressed(wide[1], .zstd) == .success(run))
        #expect(decompressed(wide[1], .zstd, limit: 131_071) == .failure(.limitExceeded))
        #expect(decompressed(wide[1], .zstd, limit: .max) == .success(run))
        let usual = try compressed(hello, .zstd)
        #expect(decompressed(usual + wide[0] + wide[1], .zstd) == .success(hello + hello + run))
        #expect(decompressed(wide[0] + [1, 2, 3], .zstd) == .failure(.corrupt))
        for limit in [0, -1] { #expect(decompressed(wide[0], .zstd, limit: limit) == .failure(.limitExceeded)) }
    }

    @Test(arguments: packing)
    func `stops a bomb at the limit`(codec: CompressionCodec) throws {
        let packed = try compressed([UInt8](repeating: 0, count: 4 << 20), codec)
        #expect(decompressed(packed, codec, limit: 100_000) == .failure(.limitExceeded))
    }

    @Test(arguments: packing)
    func `survives cut and damaged input`(codec: CompressionCodec) throws {
        var generator = SeededGenerator(seed: 7)
        let plain = (0..<3_000).map { _ in UInt8.random(in: 0...15, using: &generator) }
        let packed = try compressed(plain, codec)
        for _ in 0..<60 {
            let cut = Int.random(in: 17..<packed.count, using: &generator)
            #expect(decompressed(Array(packed[..<cut]), codec) == .failure(.corrupt))
            var damaged = packed
            damaged[Int.random(in: 0..<damaged.count, using: &generator)] ^= UInt8.random(
                in: 1...255, using: &generator)
            if case .success(let output) = decompressed(damaged, codec, limit: 10_000) {
                #expect(output.count <= 10_000)
            }
        }
    }
}
