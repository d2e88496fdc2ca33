import TidegateCore
import TidegateWire

/// ApiVersions: answered by the gateway, before log-in too, with what both the broker and this build understand.
extension KafkaMachine {
    mutating func answerAPIVersions(
        _ header: RequestHead, _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) -> Progress {
        catalogue = cluster.catalogue(newerThan: catalogue)
        guard let broker = catalogue?.apiVersions else {
            if awaitRefresh(governor, &output) { return .parked }
            guard catalogue?.apiVersions != nil else {
                output.close(.backendUnreachable)
                return .closed
            }
            return answerAPIVersions(header, window, &governor, &output)
        }
        guard (0...4).contains(header.version) else {
            // KIP-511: to a newer version the body is version 0, with the one entry that matters.
            var body = KafkaError.unsupportedVersion.bigEndianBytes
            body.append(count: 1, isFlexible: false)
            for number in [KafkaKey.apiVersions, 0, 4] as [Int16] { body.append(bigEndian: number) }
            owe(KafkaMachine.answer(header.correlation, body), &output)
            return .done
        }
        let isFlexible = header.version >= 3
        let offered = rules.offered(broker)
        var body = KafkaError.none.bigEndianBytes
        body.append(count: offered.count, isFlexible: isFlexible)
        for (key, range) in offered {
            body.append(bigEndian: key)
            body.append(bigEndian: range.lowerBound)
            body.append(bigEndian: range.upperBound)
            if isFlexible { body.append(0) }
        }
        if header.version >= 1 { body.append(bigEndian: Int32(0)) }
        if isFlexible { broker.appendFeatures(to: &body, version: header.version) }
        owe(KafkaMachine.answer(header.correlation, body), &output)
        return .done
    }
}
