import TidegateCore
import TidegateWire

/// What is remembered of a Produce until its answer tells the offsets.
struct ProduceExpectation {
    struct Partition {
        var topic: Resource
        /// The topic as the wire names it: the bytes of its name, or its id.
        var name: [UInt8]
        var id: TopicID
        var index: Int32
        var records: UInt32
        var bytes: UInt32
        /// `KafkaError.none` is allowed.
        var error: Int16
    }
    var partitions: [Partition] = []
    var isDenied: Bool { partitions.contains { $0.error != KafkaError.none } }

    /// Finds the partitions that were forwarded: a few by looking, many by a table, so that long answers stay cheap.
    struct Places {
        private struct Key: Hashable {
            var name: [UInt8]
            var id: TopicID
            var index: Int32
        }
        private let partitions: [Partition]
        private var table: [Key: Int] = [:]

        init(_ expectation: ProduceExpectation) {
            partitions = expectation.partitions
            guard partitions.count > 16 else { return }
            table.reserveCapacity(partitions.count)
            for (at, partition) in partitions.enumerated() where partition.error == KafkaError.none {
                table[Key(name: partition.name, id: partition.id, index: partition.index)] = at
            }
        }

        func find(_ name: [UInt8], _ id: TopicID, _ index: Int32) -> Int? {
            if partitions.count > 16 { return table[Key(name: name, id: id, index: index)] }
            return partitions.firstIndex {
                $0.index == index && $0.name == name && $0.id == id && $0.error == KafkaError.none
            }
        }
    }

    /// Bytes that it holds while it waits, about.
    var weight: Int {
        var bytes = partitions.count * MemoryLayout<Partition>.stride
        for (at, partition) in partitions.enumerated() where at == 0 || partitions[at - 1].topic != partition.topic {
            bytes += partition.name.count
        }
        return bytes
    }
}

/// Produce: the request is held until its last topic is decided; denied topics come back as errors, the rest is served.
extension KafkaMachine {
    static let produceName = WireName(0)

    mutating func takeProduce(
        _ header: RequestHead, _ frame: Range<Int>, _ window: RawSpan, _ governor: inout Governor,
        _ output: inout WireOutput
    ) throws(FieldReader.Failure) -> Progress {
        var request = ProduceRequest()
        try request.read(window, body: header.body, version: header.version)
        if header.version >= 13, awaitTopics(request.topics.lazy.map(\.id), governor, &output) { return .parked }
        var clearance: Clearance?
        var refusedWhole: Int16?
        if let range = request.transactionalID {
            switch governor.resource(ResourceKind(KafkaKind.transaction), named: window.extracting(range)) {
            case .ready(let resource):
                switch governor.decide(Operation(.produce, resource, wireName: KafkaMachine.produceName)) {
                case .allow(let allowed): clearance = allowed
                case .deny, .hold: refusedWhole = KafkaError.transactionalIDAuthorizationFailed
                }
            case .notYet, .refused: refusedWhole = KafkaError.transactionalIDAuthorizationFailed
            }
        }
        var expectation = ProduceExpectation()
        expectation.partitions.reserveCapacity(request.partitions.count)
        var topicErrors: [Int16] = []
        topicErrors.reserveCapacity(request.topics.count)
        for topic in request.topics {
            var error = refusedWhole ?? KafkaError.none
            var resource: Resource?
            switch self.topic(named: topic.name, id: topic.id, window, &governor) {
            case .unknown: error = KafkaError.unknownTopicID
            case .refused: error = KafkaError.topicAuthorizationFailed
            case .found(let found):
                resource = found
                switch governor.decide(Operation(.produce, found, wireName: KafkaMachine.produceName)) {
                case .allow(let allowed): clearance = allowed
                case .deny, .hold: if refusedWhole == nil { error = KafkaError.topicAuthorizationFailed }
                }
            }
            let name = window.bytes(topic.name)
            let first = expectation.partitions.count
            for partition in request.partitions[topic.partitions] {
                let batches = try readBatches(partition.records, window, governor)
                if batches.isForeign, error == KafkaError.none { error = KafkaError.invalidProducerIDMapping }
                expectation.partitions.append(
                    .init(
                        topic: resource ?? Resource.none, name: name, id: topic.id, index: partition.index,
                        records: batches.records, bytes: UInt32(clamping: partition.records.count), error: error))
            }
            topicErrors.append(error)
            if error == KafkaError.invalidProducerIDMapping {
                governor.refuseRequest(KafkaMachine.produceName, "a producer id that is another's")
                for at in first..<expectation.partitions.count { expectation.partitions[at].error = error }
            }
        }
        return send(request, expectation, topicErrors, clearance, header, frame, window, &governor, &output)
    }

    private mutating func send(
        _ request: ProduceRequest, _ expectation: ProduceExpectation, _ topicErrors: [Int16], _ clearance: Clearance?,
        _ header: RequestHead, _ frame: Range<Int>, _ window: RawSpan, _ governor: inout Governor,
        _ output: inout WireOutput
    ) -> Progress {
        let allAllowed = topicErrors.allSatisfy { $0 == KafkaError.none }
        guard let clearance, topicErrors.contains(KafkaError.none) || request.topics.isEmpty else {
            if request.acks == 0 {
                // As Kafka does: there is no answer to put the error in.
                output.close(.refused(Refusal(.denied)))
                return .closed
            }
            owe(produceAnswer(header, expectation), &output)
            return .done
        }
        if request.acks == 0 {
            guard allAllowed else {
                output.close(.refused(Refusal(.denied)))
                return .closed
            }
            for partition in expectation.partitions {
                guard let refusal = record(partition, at: nil, &governor) else { continue }
                output.close(.refused(refusal))
                return .closed
            }
            governor.holdBackendForEvidence()
            output.pass(frame, to: .backend, under: clearance)
            return .done
        }
        expect(.produce, header, governor, detail: .produce(expectation))
        var edits = FrameEdits()
        if !allAllowed {
            for (topic, error) in zip(request.topics, topicErrors) where error != KafkaError.none {
                edits.remove(topic.element)
            }
            edits.replaceCount(
                request.topicCount, with: topicErrors.count { $0 == KafkaError.none },
                isFlexible: header.version >= 9)
        }
        edits.send(frame, to: .backend, under: clearance, &output)
        return .done
    }

    private func produced(_ partition: ProduceExpectation.Partition, at base: Int64?) -> Delivery {
        var first: Position?
        var last: Position?
        if let base, base >= 0 {
            first = Position(major: 0, minor: UInt64(base))
            last = Position(major: 0, minor: UInt64(base) &+ UInt64(max(1, partition.records)) &- 1)
        }
        return Delivery(
            partition.topic, part: partition.index, first: first, last: last, records: partition.records,
            bytes: partition.bytes, towards: .backend, wireName: KafkaMachine.produceName)
    }

    /// Records in a partition's batches, as their headers say, and whether one of them bears another's producer id.
    private mutating func readBatches(
        _ range: Range<Int>, _ window: RawSpan, _ governor: borrowing Governor
    ) throws(FieldReader.Failure) -> (records: UInt32, isForeign: Bool) {
        var at = range.lowerBound
        var count: UInt32 = 0
        var isForeign = false
        while at < range.upperBound {
            guard let batch = try BatchHead(window, at: at, available: range.upperBound - at) else {
                throw .bad("a batch cut off by the end of its records")
            }
            guard batch.isKnown else { throw .bad("a batch of a format that is not known") }
            guard batch.size <= range.upperBound - at else { throw .bad("a batch longer than its records") }
            if batch.magic == 2, let producer = window.bigEndian(Int64.self, at: at + 43),
                !mayUse(producer: producer, governor)
            {
                isForeign = true
            }
            count = count.addingReportingOverflow(UInt32(batch.count)).partialValue
            at += batch.size
        }
        return (count, isForeign)
    }

    // MARK: The answer

    /// Reads offsets for evidence, hides brokers' addresses, and puts the denied topics before the broker's own.
    mutating func readProduced(
        _ frame: Range<Int>, _ head: Awaited, _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) throws(FieldReader.Failure) -> Progress {
        guard case .produce(let expectation)? = details[head.detail] else {
            throw .bad("an answer to a Produce that was not kept")
        }
        let isFlexible = head.version >= 9
        var reader = FieldReader(at: frame.lowerBound + 8, end: frame.upperBound, isFlexible: isFlexible)
        try reader.skipTags(window)
        let countStart = reader.at
        let count = max(0, try reader.count(atLeast: 5, window))
        let countRange = countStart..<reader.at
        var stored: [(ProduceExpectation.Partition, Int64)] = []
        stored.reserveCapacity(expectation.partitions.count)
        var edits = FrameEdits()
        let places = ProduceExpectation.Places(expectation)
        for _ in 0..<count {
            var name: [UInt8] = []
            var id = TopicID(high: 0, low: 0)
            if head.version >= 13 {
                id = try reader.topicID(window)
            } else if let range = try reader.string(window) {
                name = window.bytes(range)
            }
            for _ in 0..<max(0, try reader.count(atLeast: 14, window)) {
                let index = try reader.integer(Int32.self, window)
                let error = try reader.integer(Int16.self, window)
                let base = try reader.integer(Int64.self, window)
                if head.version >= 2 { _ = try reader.take(8, window) }  // LogAppendTimeMs
                if head.version >= 5 { _ = try reader.take(8, window) }  // LogStartOffset
                if head.version >= 8 {
                    for _ in 0..<max(0, try reader.count(atLeast: 5, window)) {
                        _ = try reader.take(4, window)
                        try hideText(&reader, window, &edits)
                        try reader.skipTags(window)
                    }
                    try hideText(&reader, window, &edits)
                }
                try reader.skipTags(window)
                if KafkaError.isAppended(error), let asked = places.find(name, id, index) {
                    stored.append((expectation.partitions[asked], base))
                }
            }
            try reader.skipTags(window)
        }
        if head.version >= 1 { _ = try reader.take(4, window) }  // ThrottleTimeMs
        let tailStart = reader.at
        let hidden = try KafkaMachine.hideEndpoints(&reader, window)
        guard reader.at == frame.upperBound, tailStart <= reader.at else {
            throw .bad("bytes behind the end of a Produce answer")
        }
        var failed: Refusal?
        for (partition, base) in stored {
            let refusal = record(partition, at: base, &governor)
            failed = failed ?? refusal
        }
        if let failed {
            output.close(.refused(failed))
            return .closed
        }
        guard let clearance = governor.openClearance() else {
            _ = awaited.popFirst()  // seen and recorded
            output.close(.refused(Refusal(.revoked)))
            return .closed
        }
        for range in hidden {
            edits.replace(range.tag..<(range.tag + 1), with: [KafkaMachine.paddingTag])
            edits.replace(range.content, with: [UInt8](repeating: 0, count: range.content.count))
        }
        if expectation.isDenied {
            let (elements, topics) = deniedElements(expectation, version: head.version)
            edits.replaceCount(countRange, with: count + topics, isFlexible: isFlexible)
            edits.replace(countRange.upperBound..<countRange.upperBound, with: elements)
        }
        edits.send(frame, to: .client, under: clearance, &output)
        return .done
    }

    /// Writes what the broker has stored, or gets without being asked for an answer. Writes that have happened are recorded
    /// whatever the policy says by now and whether or not the session goes on: under what allows them or as covered by
    /// nothing.
    ///
    /// - Returns: why the session must end, where evidence cannot be written.
    private func record(
        _ partition: ProduceExpectation.Partition, at base: Int64?, _ governor: inout Governor
    ) -> Refusal? {
        let operation = Operation(.produce, partition.topic, wireName: KafkaMachine.produceName)
        guard case .allow(let standing) = governor.standing(operation) else {
            governor.recordUncovered(produced(partition, at: base))
            return nil
        }
        switch governor.admit(produced(partition, at: base), under: standing) {
        case .release: return nil
        case .withhold(let refusal), .cut(let refusal): return refusal
        }
    }

    /// Writes what was forwarded and not answered for when the connection ended.
    func recordUnanswered(_ governor: inout Governor) {
        for index in 0..<awaited.count where awaited[index].kind == .produce {
            guard case .produce(let expectation)? = details[awaited[index].detail] else { continue }
            for partition in expectation.partitions where partition.error == KafkaError.none {
                governor.recordUnanswered(produced(partition, at: nil))
            }
        }
    }

    /// Reads a nullable text, and blanks it where it names a broker's address.
    private func hideText(
        _ reader: inout FieldReader, _ window: RawSpan, _ edits: inout FrameEdits
    ) throws(FieldReader.Failure) {
        let start = reader.at
        guard let content = try reader.string(window), holdsAddress(window, content) else { return }
        edits.replace(start..<reader.at, with: reader.isFlexible ? [0] : Int16(-1).bigEndianBytes)
    }

    private func produceAnswer(_ header: RequestHead, _ expectation: ProduceExpectation) -> [UInt8] {
        let isFlexible = header.version >= 9
        let (elements, topics) = deniedElements(expectation, version: header.version)
        var body: [UInt8] = []
        body.append(count: topics, isFlexible: isFlexible)
        body.append(contentsOf: elements)
        if header.version >= 1 { body.append(bigEndian: Int32(0)) }
        if isFlexible { body.append(0) }
        return KafkaMachine.answer(header.correlation, body, isFlexible: isFlexible)
    }

    /// Denied topics as elements of ProduceResponse's `Responses`.
    private func deniedElements(
        _ expectation: ProduceExpectation, version: Int16
    ) -> (bytes: [UInt8], topics: Int) {
        let isFlexible = version >= 9
        var bytes: [UInt8] = []
        var topics = 0
        var at = 0
        let all = expectation.partitions
        while at < all.count {
            var end = at + 1
            while end < all.count, all[end].name == all[at].name, all[end].id == all[at].id { end += 1 }
            if all[at].error != KafkaError.none {
                topics += 1
                if version >= 13 {
                    bytes.append(bigEndian: all[at].id.high)
                    bytes.append(bigEndian: all[at].id.low)
                } else {
                    bytes.append(string: all[at].name, isFlexible: isFlexible)
                }
                bytes.append(count: end - at, isFlexible: isFlexible)
                for partition in all[at..<end] {
                    bytes.append(bigEndian: partition.index)
                    bytes.append(bigEndian: partition.error)
                    bytes.append(bigEndian: Int64(-1))
                    if version >= 2 { bytes.append(bigEndian: Int64(-1)) }
                    if version >= 5 { bytes.append(bigEndian: Int64(-1)) }
                    if version >= 8 {
                        bytes.append(count: 0, isFlexible: isFlexible)
                        if isFlexible { bytes.append(0) } else { bytes.append(bigEndian: Int16(-1)) }
                    }
                    if isFlexible { bytes.append(0) }
                }
                if isFlexible { bytes.append(0) }
            }
            at = end
        }
        return (bytes, topics)
    }
}
