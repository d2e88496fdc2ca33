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
