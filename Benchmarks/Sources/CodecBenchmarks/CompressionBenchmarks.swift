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

/// One batch that comes compressed, is masked, and goes on compressed.
final class MaskedCompressedBatch {
    private let batch: MaskedBatch
    private let codec: CompressionCodec
    private let compressor = Compressor()
    private var packed: [UInt8] = []
    private var clear: [UInt8] = []
    private var masked: [UInt8] = []
    private var output: [UInt8] = []

    init(_ batch: MaskedBatch, _ codec: CompressionCodec) {
        self.batch = batch
        self.codec = codec
        do {
            let documents = batch.documents
            try compressor.compress(unsafe documents.span.bytes, codec, into: &packed)
        } catch { preconditionFailure("\(error)") }
    }

    func run() {
        clear.removeAll(keepingCapacity: true)
        masked.removeAll(keepingCapacity: true)
        output.removeAll(keepingCapacity: true)
        do {
            let packed = packed
            try compressor.decompress(unsafe packed.span.bytes, codec, into: &clear, limit: 1 << 20)
            mask()
            let masked = masked
            try compressor.compress(unsafe masked.span.bytes, codec, into: &output)
        } catch { preconditionFailure("\(error)") }
        keep(output.count)
    }

    private func mask() {
        let clear = clear
        unsafe batch.mask(clear.span.bytes)
        unsafe batch.append(clear.span.bytes, to: &masked)
    }
}

extension Suite {
    /// A compressed batch in, masked, compressed again; rates are of clear bytes.
    func addMaskedCompression() throws {
        let profile = try Profiles.threePaths()
        let bytes = Documents.orders.all.reduce(0) { $0 + $1.count }
        for codec in [CompressionCodec.lz4, .zstd] {
            add(
                "masking/3 paths, orders, \(codec) in and out", allocating: .counted, bytes: bytes,
                items: Documents.count,
                on: { MaskedCompressedBatch(MaskedBatch(profile, .orders, editing: Documents.count), codec) },
                { $0.run() })
        }
    }

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
