import TidegateWire

/// What a broker said it serves: API versions, and the cluster's features (KIP-584).
struct BrokerVersions: Sendable {
    struct Feature: Sendable {
        var name: [UInt8]
        var minimum, maximum: Int16
    }
    private(set) var ranges: [Int16: ClosedRange<Int16>] = [:]
    private(set) var supported: [Feature] = []
    private(set) var finalizedEpoch: Int64 = -1
    private(set) var finalized: [Feature] = []

    /// ApiVersionsResponse; its header is version 0 even where the body is flexible.
    ///
    /// - Parameter version: 0, or 3 and up (which have one layout).
    init(answer window: RawSpan, frame: Range<Int>, version: Int16) throws(FieldReader.Failure) {
        var reader = FieldReader(at: frame.lowerBound + 8, end: frame.upperBound, isFlexible: version >= 3)
        _ = try reader.take(2, window)
        for _ in 0..<max(0, try reader.count(atLeast: 6, window)) {
            let key = try reader.integer(Int16.self, window)
            let lowest = try reader.integer(Int16.self, window)
            let highest = try reader.integer(Int16.self, window)
            try reader.skipTags(window)
            if lowest <= highest { ranges[key] = lowest...highest }
        }
        guard version >= 3 else { return }
        _ = try reader.take(4, window)  // ThrottleTimeMs
        for _ in 0..<(try reader.varint(window)) {
            let tag = try reader.varint(window)
            let size = try reader.varint(window)
            let start = try reader.take(size, window)
            var field = FieldReader(at: start, end: start + size, isFlexible: true)
            switch tag {
            case 0: supported = try BrokerVersions.features(&field, window, isFinalized: false)
            case 1: finalizedEpoch = try field.integer(Int64.self, window)
            case 2: finalized = try BrokerVersions.features(&field, window, isFinalized: true)
            default: break
            }
        }
    }

    init(ranges: [Int16: ClosedRange<Int16>]) { self.ranges = ranges }

    func range(of key: Int16) -> ClosedRange<Int16>? { ranges[key] }

    /// Supported features tell minimum first, finalized ones maximum first.
    private static func features(
        _ reader: inout FieldReader, _ window: RawSpan, isFinalized: Bool
    ) throws(FieldReader.Failure) -> [Feature] {
        var found: [Feature] = []
        for _ in 0..<max(0, try reader.count(atLeast: 6, window)) {
            guard let name = try reader.string(window) else { throw .bad("a feature without a name") }
            let first = try reader.integer(Int16.self, window)
            let second = try reader.integer(Int16.self, window)
            try reader.skipTags(window)
            found.append(
                Feature(
                    name: window.bytes(name), minimum: isFinalized ? second : first,
                    maximum: isFinalized ? first : second))
        }
        return found
    }

    /// The tagged fields of ApiVersionsResponse 3 and up. Version 3 cannot tell a minimum of 0 (KAFKA-17011).
    func appendFeatures(to bytes: inout [UInt8], version: Int16) {
        let told = version >= 4 ? supported : supported.filter { $0.minimum > 0 }
        var tags: [(UInt8, [UInt8])] = []
        if !told.isEmpty { tags.append((0, BrokerVersions.encoded(told, isFinalized: false))) }
        if finalizedEpoch >= 0 { tags.append((1, finalizedEpoch.bigEndianBytes)) }
        if !finalized.isEmpty { tags.append((2, BrokerVersions.encoded(finalized, isFinalized: true))) }
        bytes.append(UInt8(tags.count))
        for (tag, content) in tags {
            bytes.append(tag)
            bytes.append(varint: UInt32(content.count))
            bytes.append(contentsOf: content)
        }
    }

    private static func encoded(_ features: [Feature], isFinalized: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(count: features.count, isFlexible: true)
        for feature in features {
            bytes.append(string: feature.name, isFlexible: true)
            bytes.append(bigEndian: isFinalized ? feature.maximum : feature.minimum)
            bytes.append(bigEndian: isFinalized ? feature.minimum : feature.maximum)
            bytes.append(0)
        }
        return bytes
    }
}
