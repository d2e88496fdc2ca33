import TidegateCore
import TidegateWire

/// The side connection of a cluster: logs in, asks ApiVersions once and Metadata each time it is woken.
///
/// A machine without a client, so that it shares loops, TLS and log-in with the relays.
struct CatalogueMachine: WireMachine, ~Copyable {
    enum Phase { case loggingIn, askingVersions, askingFeatures, idle, askingMetadata }

    private static let metadataVersion: Int16 = 12
    let cluster: KafkaCluster
    private var phase = Phase.loggingIn
    private var upstream: UpstreamLogIn
    private var versions: BrokerVersions?
    private var metadataVersion = CatalogueMachine.metadataVersion
    private var isAskedAgain = false

    init(cluster: KafkaCluster) {
        self.cluster = cluster
        upstream = UpstreamLogIn(cluster: cluster)
    }

    mutating func handle(
        _ event: WireEvent, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) {
        switch event {
        case .accepted:
            guard let endpoint = cluster.endpoint(ofNode: nil) else { return output.close(.backendUnreachable) }
            output.connect(endpoint)
        case .connected:
            upstream.begin(&output)
            if upstream.isReady { askVersions(&output) }
        case .woken:
            if phase == .idle { askMetadata(&output) } else { isAskedAgain = true }
        case .ended: output.close(phase == .loggingIn ? .backendUnreachable : .backendEnded)
        case .draining: output.close(.draining)
        case .secured, .authorityChanged, .lastWords, .gone: break
        }
    }

    mutating func receive(
        _ window: RawSpan, from side: Side, asking governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Int {
        guard side == .backend else { throw WireViolation("a side connection has no client") }
        if !upstream.isReady {
            let consumed = try upstream.receive(window, &governor, &output)
            if upstream.isReady { askVersions(&output) }
            return consumed
        }
        guard let length = window.bigEndian(Int32.self, at: 0) else { return 0 }
        guard length >= 4, Int(length) <= 256 << 20 else {
            throw WireViolation("an answer of an odd length", side: .backend)
        }
        let frame = 0..<(4 + Int(length))
        guard frame.upperBound <= window.byteCount else {
            output.need(.backend, bytes: frame.count)
            return 0
        }
        do throws(FieldReader.Failure) {
            switch phase {
            case .askingVersions:
                let found = try BrokerVersions(answer: window, frame: frame, version: 0)
                versions = found
                metadataVersion = min(
                    CatalogueMachine.metadataVersion, found.range(of: KafkaKey.metadata)?.upperBound ?? 0)
                let newest = min(4, found.range(of: KafkaKey.apiVersions)?.upperBound ?? 0)
                if newest >= 3 { askFeatures(newest, &output) } else { askMetadata(&output) }
            case .askingFeatures:
                versions = try BrokerVersions(answer: window, frame: frame, version: 3)
                askMetadata(&output)
            case .askingMetadata:
                try takeMetadata(window, frame)
                phase = .idle
                if isAskedAgain { askMetadata(&output) }
            case .idle, .loggingIn: throw .bad("an answer to no request")
            }
        } catch { throw error.violation(.backend, at: 0) }
        return frame.upperBound
    }

    /// Version 0 is answered by every broker; features are asked for by the newest version it then tells.
    private mutating func askVersions(_ output: inout WireOutput) {
        phase = .askingVersions
        output.sayToBackend(
            OwnRequest.frame(key: KafkaKey.apiVersions, version: 0, correlation: 1, []), about: .catalogue)
    }

    private mutating func askFeatures(_ version: Int16, _ output: inout WireOutput) {
        phase = .askingFeatures
        var body: [UInt8] = []
        body.append(string: Array("tidegate".utf8), isFlexible: true)
        body.append(string: Array("1".utf8), isFlexible: true)
        body.append(0)
        output.sayToBackend(
            OwnRequest.frame(key: KafkaKey.apiVersions, version: version, correlation: 3, body, isFlexible: true),
            about: .catalogue)
    }

    /// All topics, without creating any.
    private mutating func askMetadata(_ output: inout WireOutput) {
        phase = .askingMetadata
        isAskedAgain = false
        cluster.begin()
        let isFlexible = metadataVersion >= 9
        var body: [UInt8] = []
        if isFlexible {
            body.append(0)
        } else if metadataVersion >= 1 {
            body.append(bigEndian: Int32(-1))
        } else {
            body.append(bigEndian: Int32(0))
        }
        if metadataVersion >= 4 { body.append(0) }  // AllowAutoTopicCreation
        if metadataVersion >= 8, metadataVersion <= 10 { body.append(0) }
        if metadataVersion >= 8 { body.append(0) }
        if isFlexible { body.append(0) }
        output.sayToBackend(
            OwnRequest.frame(
                key: KafkaKey.metadata, version: metadataVersion, correlation: 2, body, isFlexible: isFlexible),
            about: .catalogue)
    }

    /// MetadataResponse: brokers, and topics with their ids.
    private func takeMetadata(_ window: RawSpan, _ frame: Range<Int>) throws(FieldReader.Failure) {
        let version = metadataVersion
        var reader = FieldReader(at: 8, end: frame.upperBound, isFlexible: version >= 9)
        try reader.skipTags(window)
        if version >= 3 { _ = try reader.take(4, window) }
        var nodes: [Int32: KafkaCatalogue.Node] = [:]
        for _ in 0..<max(0, try reader.count(atLeast: 11, window)) {
            let id = try reader.integer(Int32.self, window)
            let host = try reader.string(window)
            let port = try reader.integer(Int32.self, window)
            if version >= 1 { _ = try reader.string(window) }
            try reader.skipTags(window)
            guard let host, let name = window.text(host), let number = UInt16(exactly: port) else { continue }
            nodes[id] = .init(host: name, port: number)
        }
        if version >= 2 { _ = try reader.string(window) }
        if version >= 1 { _ = try reader.take(4, window) }
        var topics: [TopicID: [UInt8]] = [:]
        var names: Set<[UInt8]> = []
        for _ in 0..<max(0, try reader.count(atLeast: 8, window)) {
            _ = try reader.take(2, window)
            let name = try reader.string(window)
            let id = version >= 10 ? try reader.topicID(window) : TopicID(high: 0, low: 0)
            if version >= 1 { _ = try reader.take(1, window) }
            try skipPartitions(&reader, window)
            if version >= 8 { _ = try reader.take(4, window) }
            try reader.skipTags(window)
            guard let name else { continue }
            names.insert(window.bytes(name))
            if !id.isZero { topics[id] = window.bytes(name) }
        }
        if let versions { cluster.publish(nodes: nodes, topics: topics, names: names, apiVersions: versions) }
    }

    private func skipPartitions(_ reader: inout FieldReader, _ window: RawSpan) throws(FieldReader.Failure) {
        for _ in 0..<max(0, try reader.count(atLeast: 18, window)) {
            _ = try reader.take(10, window)
            if metadataVersion >= 7 { _ = try reader.take(4, window) }
            for _ in 0..<(metadataVersion >= 5 ? 3 : 2) {
                let count = max(0, try reader.count(atLeast: 4, window))
                _ = try reader.take(count * 4, window)
            }
            try reader.skipTags(window)
        }
    }
}
