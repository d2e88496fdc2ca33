import TidegateCompression
import TidegateCore
import TidegateWire

/// Fetch answers that must be whole: masked, recorded with their messages, or decided again because the policy changed.
///
/// Two passes, since a question may be open: first everything is looked at and masked, then deliveries are admitted and
/// the answer is sent.
extension KafkaMachine {
    /// UNSUPPORTED_FOR_MESSAGE_FORMAT: message sets before record batches (magic 0 and 1) cannot be masked.
    private static let unsupportedFormat: Int16 = 43
    /// What one batch may grow to, and so many times its own size once it is a large one; what all batches of one answer
    /// may grow to. Records are made by whoever may produce.
    private static let batchLimit = 32 << 20
    private static let answerLimit = 64 << 20
    private static let ratioLimit = 200
    private static let ratioFreeBytes = 1 << 20

    /// The answer as it will be sent.
    private struct Plan {
        var pieces: [Piece] = []
        var bytes: [UInt8] = []
        var deliveries: [PlannedDelivery] = []
        var withheld: [(Delivery, Refusal)] = []
        /// Records to be recorded whole; pieces point into `texts`.
        var records: [RecordView] = []
        var texts: [UInt8] = []
        /// Bytes that batches were decompressed to, and records that were read in them.
        var grown = 0
        var recordsRead = 0

        mutating func pass(_ range: Range<Int>) {
            if range.isEmpty { return }
            if case .window(let last)? = pieces.last, last.upperBound == range.lowerBound {
                pieces[pieces.count - 1] = .window(last.lowerBound..<range.upperBound)
            } else {
                pieces.append(.window(range))
            }
        }

        mutating func put(_ new: [UInt8]) {
            let start = bytes.count
            bytes.append(contentsOf: new)
            if case .scratch(let last)? = pieces.last, last.upperBound == start {
                pieces[pieces.count - 1] = .scratch(last.lowerBound..<bytes.count)
            } else if start < bytes.count {
                pieces.append(.scratch(start..<bytes.count))
            }
        }

        var count: Int {
            pieces.reduce(0) { sum, piece in
                switch piece {
                case .window(let range), .scratch(let range): sum + range.count
                case .none: sum
                }
            }
        }
    }

    private struct PlannedDelivery {
        var delivery: Delivery
        var clearance: Clearance
        var records: Range<Int>
    }

    mutating func rebuildFetch(
        _ frame: Range<Int>, _ head: Awaited, _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) throws(FieldReader.Failure) -> Progress {
        var expectation = FetchExpectation()
        if case .fetch(let kept)? = details[head.detail] { expectation = kept }
        var reader = FieldReader(at: frame.lowerBound, end: frame.upperBound, isFlexible: head.version >= 12)
        let responseHead = try FetchResponseHead(&reader, window, version: head.version)
        var plan = Plan()
        plan.pass((frame.lowerBound + 4)..<responseHead.topicCountRange.lowerBound)
        var count: [UInt8] = []
        let deniedTopics = responseHead.error == KafkaError.none ? expectation.deniedTopics : 0
        count.append(count: responseHead.topicCount + deniedTopics, isFlexible: head.version >= 12)
        plan.put(count)
        if deniedTopics > 0 { plan.put(expectation.denied) }
        for _ in 0..<responseHead.topicCount {
            guard try planTopic(&reader, head.version, window, &plan, &governor, &output) else { return .parked }
        }
        let tailStart = reader.at
        let hidden = try KafkaMachine.hideEndpoints(&reader, window)
        guard reader.at == frame.upperBound else { throw .bad("bytes behind the end of a Fetch answer") }
        var at = tailStart
        for range in hidden {
            plan.pass(at..<range.tag)
            plan.put([KafkaMachine.paddingTag])
            plan.pass((range.tag + 1)..<range.content.lowerBound)
            plan.put([UInt8](repeating: 0, count: range.content.count))
            at = range.content.upperBound
        }
        plan.pass(at..<reader.at)
        noteSession(responseHead, expectation)
        return send(plan, window, &governor, &output)
    }

    private func send(
        _ plan: Plan, _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) -> Progress {
        for (delivery, refusal) in plan.withheld { governor.withhold(delivery, refusal) }
        for planned in plan.deliveries {
            let admission: Admission
            if planned.clearance.recording == .messages {
                let records = Array(plan.records[planned.records])
                admission = unsafe governor.admit(
                    planned.delivery, records: records.span, window: window, scratch: plan.texts.span.bytes,
                    under: planned.clearance)
            } else {
                admission = governor.admit(planned.delivery, under: planned.clearance)
            }
            switch admission {
            case .release: continue
            case .withhold(let refusal), .cut(let refusal):
                output.close(.refused(refusal))
                return .closed
            }
        }
        guard let clearance = governor.openClearance() else {
            output.close(.refused(Refusal(.revoked)))
            return .closed
        }
        KafkaMachine.put(Int32(clamping: plan.count).bigEndianBytes, under: clearance, &output)
        let base = output.scratch.count
        output.scratch.append(contentsOf: plan.bytes)
        for piece in plan.pieces {
            switch piece {
            case .window(let range): output.pass(range, to: .client, under: clearance)
            case .scratch(let range):
                output.put(
                    (base + range.lowerBound)..<(base + range.upperBound), to: .client, under: clearance)
            case .none: continue
            }
        }
        return .done
    }

    /// - Returns: false where a question is open.
    private mutating func planTopic(
        _ reader: inout FieldReader, _ version: Int16, _ window: RawSpan, _ plan: inout Plan,
        _ governor: inout Governor, _ output: inout WireOutput
    ) throws(FieldReader.Failure) -> Bool {
        let start = reader.at
        let (name, id) = try FetchRequest.topicKey(&reader, window, version)
        let partitions = max(0, try reader.count(atLeast: 16, window))
        plan.pass(start..<reader.at)
        var clearance: Clearance?
        var topic = Resource.none
        if case .found(let resource) = knownTopic(named: name, id: id, window, &governor) {
            topic = resource
            let operation = Operation(.consume, resource, wireName: KafkaMachine.fetchName)
            if case .allow(let allowed) = governor.standing(operation) { clearance = allowed }
        }
        for _ in 0..<partitions {
            let head = try FetchPartitionHead(&reader, window, version: version)
            let records = try reader.take(max(0, head.recordsLength), window)
            let recordsRange = records..<reader.at
            try reader.skipTags(window)
            let range = head.start..<reader.at
            guard let clearance else {
                if topic == Resource.none, head.isBareError {
                    plan.pass(range)  // the broker's own error about an id that stands for nothing any more
                    continue
                }
                var denied: [UInt8] = []
                FetchDenial.append(head.index, KafkaError.topicAuthorizationFailed, version, to: &denied)
                plan.put(denied)
                continue
            }
            let part = PlannedPartition(topic: topic, head: head, records: recordsRange, range: range, version: version)
            guard try planPartition(part, clearance, window, &plan, &governor, &output) else { return false }
        }
        let tail = reader.at
        try reader.skipTags(window)
        plan.pass(tail..<reader.at)
        return true
    }

    private struct PlannedPartition {
        var topic: Resource
        var head: FetchPartitionHead
        var records: Range<Int>
        var range: Range<Int>
        var version: Int16
    }

    private func delivery(
        _ part: PlannedPartition, _ batch: BatchHead, records: Int32, bytes: Int, maskedFields: UInt32 = 0
    ) -> Delivery {
        Delivery(
            part.topic, part: part.head.index, first: batch.first, last: batch.last, records: UInt32(max(0, records)),
            maskedFields: maskedFields, bytes: UInt32(clamping: bytes), towards: .client,
            wireName: KafkaMachine.fetchName)
    }

    private mutating func planPartition(
        _ part: PlannedPartition, _ clearance: Clearance, _ window: RawSpan, _ plan: inout Plan,
        _ governor: inout Governor, _ output: inout WireOutput
    ) throws(FieldReader.Failure) -> Bool {
        var at = part.records.lowerBound
        let end = part.records.upperBound
        var rebuilt: [UInt8] = []
        var isEdited = false
        let before = plan.deliveries.count
        while at < end {
            guard let batch = try BatchHead(window, at: at, available: end - at) else {
                if clearance.mask.isNone { rebuilt.append(bytes: window.extracting(at..<end)) } else { isEdited = true }
                break
            }
            let range = at..<min(end, at + batch.size)
            let isWhole = range.count == batch.size
            at = range.upperBound
            if !batch.isKnown || (batch.magic < 2 && clearance.needsHolding) {
                plan.deliveries.removeSubrange(before...)
                plan.withheld.append(
                    (delivery(part, batch, records: 1, bytes: range.count), Refusal(.notUnderstood)))
                var refused: [UInt8] = []
                FetchDenial.append(part.head.index, KafkaMachine.unsupportedFormat, part.version, to: &refused)
                plan.put(refused)
                return true
            }
            if !clearance.needsHolding || batch.isControl {
                rebuilt.append(bytes: window.extracting(range))
                plan.deliveries.append(
                    PlannedDelivery(
                        delivery: delivery(part, batch, records: batch.count, bytes: range.count),
                        clearance: clearance, records: 0..<0))
                continue
            }
            guard isWhole else {
                // A last batch that is cut off is fetched again from its start: nothing of it is shown.
                isEdited = true
                break
            }
            let made = planBatch(part, batch, range, clearance, window, &rebuilt, &plan, &governor)
            switch made {
            case .notYet:
                output.park(.backend)
                return false
            case .edited: isEdited = true
            case .unchanged: continue
            case .later:
                // The answer has grown enough: as if the broker had ended the partition here, the client asks again.
                isEdited = true
                at = end
            }
        }
        if !isEdited {
            plan.pass(part.range)
            return true
        }
        // The head up to the length of the records, the new length, the new records, the tags.
        let lengthSize = part.head.recordsStart - lengthStart(part, window)
        plan.pass(part.head.start..<(part.head.recordsStart - lengthSize))
        var length: [UInt8] = []
        length.append(count: rebuilt.count, isFlexible: part.version >= 12)
        plan.put(length)
        plan.put(rebuilt)
        plan.pass(part.records.upperBound..<part.range.upperBound)
        return true
    }

    /// Where the length of a partition's records stands.
    private func lengthStart(_ part: PlannedPartition, _ window: RawSpan) -> Int {
        guard part.version >= 12 else { return part.head.recordsStart - 4 }
        return part.head.recordsStart - Varint.length(unsigned32: UInt32(clamping: part.head.recordsLength + 1))
    }

    private enum Made {
        case unchanged
        case edited
        case notYet
        /// Nothing of it was taken.
        case later
    }

    /// Decodes a batch, masks it, and appends it as the client will get it.
    private mutating func planBatch(
        _ part: PlannedPartition, _ batch: BatchHead, _ range: Range<Int>, _ clearance: Clearance, _ window: RawSpan,
        _ rebuilt: inout [UInt8], _ plan: inout Plan, _ governor: inout Governor
    ) -> Made {
        let header = window.extracting(range.lowerBound..<(range.lowerBound + BatchHead.whole))
        let body = window.extracting((range.lowerBound + BatchHead.whole)..<range.upperBound)
        var payload: [UInt8] = []
        let list: RecordList
        let codec = CompressionCodec(rawValue: batch.codec)
        let most = min(
            KafkaMachine.batchLimit, max(KafkaMachine.ratioFreeBytes, body.byteCount * KafkaMachine.ratioLimit))
        let left = KafkaMachine.answerLimit - plan.grown
        if plan.grown > 0, left <= 0 || plan.recordsRead + Int(batch.count) > RecordList.limit { return .later }
        do {
            guard let codec else { throw CompressionError.corrupt }
            try compressor.decompress(body, codec, into: &payload, limit: min(most, left))
            list = try unsafe RecordList(payload.span.bytes, count: batch.count)
        } catch {
            if plan.grown > 0, left < most, case CompressionError.limitExceeded = error { return .later }
            return withhold(part, batch, header, range, &rebuilt, &plan)
        }
        plan.grown += payload.count
        plan.recordsRead += list.records.count
        let source = unsafe payload.span.bytes
        var scratch: [UInt8] = []
        var outcomes: [MaskOutcome] = []
        var counters = MaskCounters()
        if !clearance.mask.isNone {
            let fields = KafkaMachine.fields(list)
            guard
                let counted = governor.mask(
                    fields.span, in: source, under: clearance, into: &scratch, outcomes: &outcomes)
            else { return .notYet }
            counters = counted
        }
        let firstRecord = plan.records.count
        let isEdited = outcomes.contains { $0 != .unchanged }
        var writer = BatchWriter()
        var outcome = 0
        var dropped: Int32 = 0
        for record in list.records {
            let parts = KafkaMachine.edits(of: record, list, outcomes, &outcome)
            if parts.isDropped {
                dropped += 1
                continue
            }
            if parts.isUnchanged {
                if isEdited { writer.copy(record, from: source) }
            } else {
                unsafe writer.write(
                    record, key: parts.key, value: parts.value, headers: parts.headers, list: list, from: source,
                    scratch: scratch.span.bytes)
            }
            if clearance.recording == .messages {
                unsafe view(record, parts, batch, header, source, scratch.span.bytes, &plan)
            }
        }
        let start = rebuilt.count
        if isEdited {
            do throws(CompressionError) {
                try writer.finish(header: header, codec: codec ?? .none, compressor, into: &rebuilt)
            } catch {
                rebuilt.removeLast(rebuilt.count - start)
                plan.records.removeSubrange(firstRecord...)
                return withhold(part, batch, header, range, &rebuilt, &plan)
            }
        } else {
            rebuilt.append(bytes: window.extracting(range))
        }
        let delivered = delivery(
            part, batch, records: batch.count - dropped, bytes: rebuilt.count - start,
            maskedFields: counters.maskedFields)
        plan.deliveries.append(
            PlannedDelivery(
                delivery: delivered, clearance: clearance, records: firstRecord..<plan.records.count))
        if dropped > 0 {
            plan.withheld.append(
                (delivery(part, batch, records: dropped, bytes: 0), Refusal(.unmaskable)))
        }
        return isEdited ? .edited : .unchanged
    }

    /// A batch that cannot be read is not shown: an empty one with its offsets stands for it, so that the consumer goes on.
    private mutating func withhold(
        _ part: PlannedPartition, _ batch: BatchHead, _ header: RawSpan, _ range: Range<Int>,
        _ rebuilt: inout [UInt8], _ plan: inout Plan
    ) -> Made {
        plan.withheld.append(
            (delivery(part, batch, records: batch.count, bytes: range.count), Refusal(.unmaskable)))
        do throws(CompressionError) {
            try BatchWriter().finish(header: header, codec: .none, compressor, into: &rebuilt)
        } catch {}  // nothing is compressed in an empty batch
        return .edited
    }

    private static func fields(_ list: RecordList) -> [MaskField] {
        var fields: [MaskField] = []
        for (number, record) in list.records.enumerated() {
            let index = UInt32(number)
            if let key = record.key { fields.append(MaskField(part: .key, record: index, range: key)) }
            if let value = record.value { fields.append(MaskField(part: .value, record: index, range: value)) }
            for header in list.headers[record.headers] {
                guard let value = header.value else { continue }
                fields.append(MaskField(part: .header, record: index, range: value, name: header.name))
            }
        }
        return fields
    }

    private struct RecordEdits {
        var key = PartEdit.unchanged
        var value = PartEdit.unchanged
        var headers: [PartEdit] = []
        var isUnchanged = true
        var isDropped = false

        mutating func next(_ outcomes: [MaskOutcome], _ at: inout Int) -> PartEdit {
            guard at < outcomes.count else { return .unchanged }
            defer { at += 1 }
            switch outcomes[at] {
            case .unchanged: return .unchanged
            case .edited(let range):
                isUnchanged = false
                return .bytes(range)
            case .null:
                isUnchanged = false
                return .null
            case .dropRecord:
                isDropped = true
                return .unchanged
            }
        }
    }

    /// The outcomes of one record's parts, in the order in which `fields` named them.
    private static func edits(
        of record: RecordPlace, _ list: RecordList, _ outcomes: [MaskOutcome], _ at: inout Int
    ) -> RecordEdits {
        var edits = RecordEdits()
        if outcomes.isEmpty { return edits }
        if record.key != nil { edits.key = edits.next(outcomes, &at) }
        if record.value != nil { edits.value = edits.next(outcomes, &at) }
        for header in list.headers[record.headers] {
            edits.headers.append(header.value == nil ? .unchanged : edits.next(outcomes, &at))
        }
        return edits
    }

    /// What evidence keeps of a record at messages level: key and value as the client gets them.
    private func view(
        _ record: RecordPlace, _ edits: RecordEdits, _ batch: BatchHead, _ header: RawSpan, _ source: RawSpan,
        _ scratch: RawSpan, _ plan: inout Plan
    ) {
        let offset = UInt64(max(0, batch.baseOffset)) &+ UInt64(max(0, record.offsetDelta))
        let base = header.bigEndian(Int64.self, at: 27) ?? -1
        let (time, overflow) = base.addingReportingOverflow(record.timestampDelta)
        let key = KafkaMachine.copy(record.key, edits.key, source, scratch, into: &plan.texts)
        let value = KafkaMachine.copy(record.value, edits.value, source, scratch, into: &plan.texts)
        plan.records.append(
            RecordView(
                position: Position(major: 0, minor: offset), timestamp: overflow ? -1 : time, key: key, value: value))
    }

    private static func copy(
        _ range: Range<Int>?, _ edit: PartEdit, _ source: RawSpan, _ scratch: RawSpan, into texts: inout [UInt8]
    ) -> Piece {
        let start = texts.count
        switch edit {
        case .null: return .none
        case .unchanged:
            guard let range else { return .none }
            texts.append(bytes: source.extracting(range))
        case .bytes(let range): texts.append(bytes: scratch.extracting(range))
        }
        return .scratch(start..<texts.count)
    }
}
