import TidegateCompression

/// One batch's records in one codec, both ways, into buffers that are kept.
final class CompressedBatch {
    let clear = Orders.documents(96)
    private(set) var packed: [UInt8] = []
    private var output: [UInt8] = []
    private let codec: CompressionCodec
    private let compressor = Compressor()

    init(_ codec: CompressionCodec) {
        self.codec = codec
        compress()
        packed = output
        decompress()
        precondition(output == clear, "\(codec) does not give back what went in")
    }

    func compress() {
        output.removeAll(keepingCapacity: true)
        do {
            let clear = clear
            try compressor.compress(unsafe clear.span.bytes, codec, into: &output)
        } catch { preconditionFailure("\(error)") }
        keep(output.count)
    }

    func decompress() {
        output.removeAll(keepingCapacity: true)
        do {
            let packed = packed
            try compressor.decompress(unsafe packed.span.bytes, codec, into: &output, limit: 1 << 20)
        } catch { preconditionFailure("\(error)") }
        keep(output.count)
    }
}

extension Suite {
    /// What masking a compressed batch costs before and behind the masking itself; rates are of clear bytes.
    func addCompression() {
        let size = Orders.documents(96).count
        for codec in CompressionCodec.allCases where codec != .none {
            add(
                "compression/\(codec) decompress 64 KB", allocating: .counted, bytes: size, items: 96,
                on: { CompressedBatch(codec) }, { $0.decompress() })
            add(
                "compression/\(codec) compress 64 KB", allocating: .counted, bytes: size, items: 96,
                on: { CompressedBatch(codec) }, { $0.compress() })
        }
    }
}
