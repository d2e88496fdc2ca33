import TidegateCompression
import TidegateCore
import TidegateWire

/// Fetch answers that must be whole: masked, recorded with their messages, or with topics that are no longer allowed.
///
/// Two passes, since a question may be open: first everything is looked at and masked, then deliveries are admitted and
/// the answer is sent.
extension KafkaMachine {
    /// What one batch may grow to, and so many times its own size once it is a large one. Records are made by whoever may
    /// produce.
    private static let batchLimit = 32 << 20
    /// Beyond what its batches have grown to so far, one answer takes no further one: the loop has others to serve.
    static let answerLimit = 8 << 20
    private static let ratioLimit = 200
    private static let ratioFreeBytes = 1 << 20
    /// Runs of kept and of dropped offsets that one answer's evidence tells apart; two a batch it always does.
    private static let runLimit = 1024
    /// Partitions whose last refused batch is remembered.
    private static let refusedBatchLimit = 1024

    /// The answer as it will be sent.
    private struct Plan {
        var pieces: [Piece] = []
        var bytes: [UInt8] = []
        var deliveries: [PlannedDelivery] = []
        var withheld: [(Delivery, Refusal)] = []
        /// Batches that are answered with an error: clients ask for them again and again.
        var refused: [(Delivery, Refusal)] = []
        /// Records to be recorded whole; pieces point into `texts`.
        var records: [RecordView] = []
        var headers: [HeaderView] = []
        var texts: [UInt8] = []
        /// Its contexts take megabytes: they live as long as this answer is made.
        let compressor = Compressor()
        var runs = 0
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

    private mutating func send(
        _ plan: Plan, _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) -> Progress {
        for (delivery, refusal) in plan.withheld { governor.withhold(delivery, refusal) }
        for (delivery, refusal) in plan.refused where isNews(delivery) { governor.withhold(delivery, refusal) }
        for planned in plan.deliveries {
            let admission: Admission
            if planned.clearance.recording == .messages {
                admission = unsafe governor.admit(
                    planned.delivery, records: plan.records.span.extracting(planned.records),
                    headers: plan.headers.span, window: window, scratch: plan.texts.span.bytes,
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

    /// - Returns: false where the client was refused that batch with its last request for the partition: evidence has it.
    private mutating func isNews(_ refused: Delivery) -> Bool {
        if refusedBatches.count >= KafkaMachine.refusedBatchLimit { refusedBatches.removeAll() }
        let place = RefusedBatch(topic: refused.resource, part: refused.part)
        return refusedBatches.updateValue(refused.first, forKey: place) != .some(refused.first)
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

    private func delivery(_ part: PlannedPartition, _ batch: BatchHead, records: Int32, bytes: Int) -> Delivery {
        Delivery(
            part.topic, part: part.head.index, first: batch.first, last: batch.last, records: UInt32(max(0, records)),
            bytes: UInt32(clamping: bytes), towards: .client, wireName: KafkaMachine.fetchName)
    }

    private func planPartition(
        _ part: PlannedPartition, _ clearance: Clearance, _ window: RawSpan, _ plan: inout Plan,
        _ governor: inout Governor, _ output: inout WireOutput
    ) throws(FieldReader.Failure) -> Bool {
        var at = part.records.lowerBound
        let end = part.records.upperBound
        var rebuilt: [UInt8] = []
        var isEdited = false
        var next = part.head.logStart
        while at < end {
            guard var batch = try BatchHead(window, at: at, available: end - at) else {
                if clearance.mustRead { isEdited = true } else { rebuilt.append(bytes: window.extracting(at..<end)) }
                break
            }
            batch.widen(from: next)
            next = batch.last.minor &+ 1
            let range = at..<min(end, at + batch.size)
            at = range.upperBound
            let made: Made
            if !batch.isKnown || (batch.magic < 2 && clearance.mustRead) {
                made = .refused(KafkaError.unsupportedForMessageFormat, .notUnderstood)
            } else if !clearance.needsHolding || batch.isControl || batch.magic < 2 {
                made = pass(part, batch, range, clearance, window, &rebuilt, &plan, isUnread: batch.magic < 2)
            } else if range.count < batch.size {
                // A last batch that is cut off is fetched again from its start: nothing of it is shown.
                made = .later
            } else {
                made = planBatch(part, batch, range, clearance, window, &rebuilt, &plan, &governor)
            }
            switch made {
            case .unchanged: continue
            case .edited: isEdited = true
            case .notYet:
                output.park(.backend)
                return false
            case .later:
                // As if the broker had ended the partition here: the client asks again.
                isEdited = true
                at = end
            case .refused(let error, let code):
                // What came before it is handed over; the client's next request begins with it.
                isEdited = true
                at = end
                guard rebuilt.isEmpty else { continue }
                let records = batch.isKnown ? batch.count : 1
                plan.refused.append((delivery(part, batch, records: records, bytes: range.count), Refusal(code)))
                var refused: [UInt8] = []
                FetchDenial.append(part.head.index, error, part.version, to: &refused)
                plan.put(refused)
                return true
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

    /// Hands over a batch as it is.
    ///
    /// - Parameter isUnread: under a clearance that would have it looked at, each record counts as one that failed.
    private func pass(
        _ part: PlannedPartition, _ batch: BatchHead, _ range: Range<Int>, _ clearance: Clearance, _ window: RawSpan,
        _ rebuilt: inout [UInt8], _ plan: inout Plan, isUnread: Bool
    ) -> Made {
        var delivery = delivery(part, batch, records: batch.count, bytes: range.count)
        delivery.isDryRun = clearance.mask.isDryRun
        if isUnread, !clearance.mask.isNone { delivery.maskFailures = delivery.records }
        rebuilt.append(bytes: window.extracting(range))
        plan.deliveries.append(PlannedDelivery(delivery: delivery, clearance: clearance, records: 0..<0))
        return .unchanged
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
        /// Nothing of it was taken: the client is to know, and not to go on as if there were nothing.
        case refused(Int16, Refusal.Code)
    }

    /// Decodes a batch, masks it, and appends it as the client will get it.
    private func planBatch(
        _ part: PlannedPartition, _ batch: BatchHead, _ range: Range<Int>, _ clearance: Clearance, _ window: RawSpan,
        _ rebuilt: inout [UInt8], _ plan: inout Plan, _ governor: inout Governor
    ) -> Made {
        // The first batch of each partition has room beyond what the others may take: a broker orders a session's
        // partitions by what it sent, and would not know that the last ones got nothing.
        let isFirst = rebuilt.isEmpty
        if plan.grown >= KafkaMachine.answerLimit + (isFirst ? KafkaMachine.batchLimit : 0) { return .later }
        if plan.grown > 0, plan.recordsRead + Int(batch.count) > RecordList.limit * (isFirst ? 2 : 1) { return .later }
        let limit = min(
            KafkaMachine.batchLimit,
            max(KafkaMachine.ratioFreeBytes, (range.count - BatchHead.whole) * KafkaMachine.ratioLimit))
        let header = window.extracting(range.lowerBound..<(range.lowerBound + BatchHead.whole))
        var payload: [UInt8] = []
        let list: RecordList
        do throws(BatchFailure) {
            list = try batch.records(
                in: window.extracting(range), into: &payload, plan.compressor, limit: limit)
        } catch {
            if !clearance.mustRead {
                plan.grown += limit
                return pass(part, batch, range, clearance, window, &rebuilt, &plan, isUnread: true)
            }
            // What its producer made so is left out: the consumer goes on behind it. What came so by accident may come
            // otherwise the next time, and what another version understands is not to be skipped.
            switch error {
            case .damaged: return .refused(KafkaError.corruptMessage, .notUnderstood)
            case .unknownCodec: return .refused(KafkaError.unsupportedCompressionType, .notUnderstood)
            case .noMemory: return .refused(KafkaError.unknownServerError, .limit)
            case .limit:
                plan.grown += limit  // it cost as much as one that was read
                return withhold(part, batch, header, range, .limit, &rebuilt, &plan)
            case .malformed:
                plan.grown += limit
                let code: Refusal.Code = clearance.mask.hides ? .unmaskable : .notUnderstood
                return withhold(part, batch, header, range, code, &rebuilt, &plan)
            }
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
        var runs = RecordRuns(limit: KafkaMachine.runLimit - plan.runs, views: firstRecord)
        for record in list.records {
            let parts = KafkaMachine.edits(of: record, list, outcomes, &outcome)
            let offset = batch.first.minor &+ UInt64(record.offsetDelta)
            if parts.isDropped {
                runs.add(isKept: false, offset, views: plan.records.count)
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
                unsafe view(record, list, parts, offset, batch, header, source, scratch.span.bytes, &plan)
            }
            runs.add(isKept: true, offset, views: plan.records.count)
        }
        let start = rebuilt.count
        if isEdited {
            do throws(CompressionError) {
                let codec = CompressionCodec(rawValue: batch.codec) ?? .none  // known: it was read with it
                try writer.finish(header: header, codec: codec, plan.compressor, into: &rebuilt)
            } catch {
                rebuilt.removeLast(rebuilt.count - start)
                plan.records.removeLast(plan.records.count - firstRecord)
                return .refused(KafkaError.unknownServerError, .limit)
            }
        } else {
            rebuilt.append(bytes: window.extracting(range))
        }
        runs.close(over: batch)
        plan.runs += runs.all.count
        note(
            runs, delivery(part, batch, records: 0, bytes: 0), bytes: rebuilt.count - start, counters, clearance,
            &plan)
        return isEdited ? .edited : .unchanged
    }

    /// What was kept of a batch is delivered, and what was dropped withheld: a line for each run of offsets.
    private func note(
        _ runs: RecordRuns, _ batch: Delivery, bytes: Int, _ counters: MaskCounters, _ clearance: Clearance,
        _ plan: inout Plan
    ) {
        // What was masked is told once, with the first that is handed over; a failure that dropped its record, with that.
        var batch = batch
        batch.isDryRun = counters.isDryRun
        var told = batch
        told.bytes = UInt32(clamping: bytes)
        told.count(counters)
        if !runs.all.allSatisfy(\.isKept) { told.maskFailures = 0 }
        for run in runs.all {
            var delivery = run.isKept ? told : batch
            delivery.first = Position(major: 0, minor: run.first)
            delivery.last = Position(major: 0, minor: run.last)
            delivery.records = run.records
            if run.isKept {
                plan.deliveries.append(
                    PlannedDelivery(delivery: delivery, clearance: clearance, records: run.views))
                told = batch
            } else {
                plan.withheld.append((delivery, Refusal(.unmaskable)))
            }
        }
    }

    /// A batch that nobody could read, or that is too much, is not shown: an empty one with its offsets stands for it, so
    /// that the consumer goes on.
    private func withhold(
        _ part: PlannedPartition, _ batch: BatchHead, _ header: RawSpan, _ range: Range<Int>, _ code: Refusal.Code,
        _ rebuilt: inout [UInt8], _ plan: inout Plan
    ) -> Made {
        plan.withheld.append((delivery(part, batch, records: batch.count, bytes: range.count), Refusal(code)))
        do throws(CompressionError) {
            try BatchWriter().finish(header: header, codec: .none, plan.compressor, into: &rebuilt)
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

    /// What evidence keeps of a record at messages level: key, value and headers as the client gets them.
    private func view(
        _ record: RecordPlace, _ list: RecordList, _ edits: RecordEdits, _ offset: UInt64, _ batch: BatchHead,
        _ header: RawSpan, _ source: RawSpan, _ scratch: RawSpan, _ plan: inout Plan
    ) {
        let (time, overflow) =
            batch.hasAppendTime
            ? (header.bigEndian(Int64.self, at: 35) ?? -1, false)
            : (header.bigEndian(Int64.self, at: 27) ?? -1).addingReportingOverflow(record.timestampDelta)
        let key = KafkaMachine.copy(record.key, edits.key, source, scratch, into: &plan.texts)
        let value = KafkaMachine.copy(record.value, edits.value, source, scratch, into: &plan.texts)
        let first = plan.headers.count
        for (index, place) in record.headers.enumerated() {
            let edit = edits.headers.isEmpty ? .unchanged : edits.headers[index]
            plan.headers.append(
                HeaderView(
                    name: KafkaMachine.copy(list.headers[place].name, .unchanged, source, scratch, into: &plan.texts),
                    value: KafkaMachine.copy(list.headers[place].value, edit, source, scratch, into: &plan.texts)))
        }
        plan.records.append(
            RecordView(
                position: Position(major: 0, minor: offset), timestamp: overflow ? -1 : time, key: key, value: value,
                headers: first..<plan.headers.count))
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

/// Which records of a batch are handed over and which are not, as runs of offsets: evidence claims for neither what is the
/// other's.
private struct RecordRuns {
    struct Run {
        var isKept: Bool
        var first, last: UInt64
        var records: UInt32 = 1
        /// What evidence keeps of its records at messages level.
        var views: Range<Int>
    }
    private(set) var all: [Run] = []
    private let limit: Int
    private let firstView: Int

    /// - Parameters:
    ///   - limit: beyond so many runs the last one of each kind stands for all the rest.
    ///   - views: how many there are before this batch.
    init(limit: Int, views: Int) {
        self.limit = max(2, limit)
        firstView = views
    }

    /// - Parameter views: how many there are behind this record.
    mutating func add(isKept: Bool, _ offset: UInt64, views: Int) {
        guard var at = all.indices.last, all[at].isKept == isKept || all.count >= limit else {
            let start = all.last?.views.upperBound ?? firstView
            all.append(Run(isKept: isKept, first: offset, last: offset, views: start..<views))
            return
        }
        // Runs take turns.
        if all[at].isKept != isKept { at -= 1 }
        all[at].last = offset
        all[at].records += 1
        all[at].views = all[at].views.lowerBound..<views
    }

    /// The offsets of a batch are all of its runs', with those at its ends that have no record any more; one of no records
    /// is kept.
    mutating func close(over batch: BatchHead) {
        if all.isEmpty {
            all.append(Run(isKept: true, first: 0, last: 0, records: 0, views: firstView..<firstView))
        }
        all[0].first = batch.first.minor
        let end = all.indices.max { all[$0].last < all[$1].last } ?? 0
        all[end].last = batch.last.minor
    }
}
