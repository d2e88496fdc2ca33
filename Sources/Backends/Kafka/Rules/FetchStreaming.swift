import TidegateCore
import TidegateWire

/// Fetch answers that nobody edits: headers are looked at, batches admitted, bytes passed as they come.
extension KafkaMachine {
    /// True where the answer must be whole before any of it is sent: something is masked or recorded whole, or has come to
    /// be so, or is no longer allowed since the request was decided. What still stands as it did streams under any policy.
    mutating func mustHold(_ head: Awaited, _ governor: inout Governor) -> Bool {
        if isStale(head, governor), hasTurned(&governor) { return true }
        if head.detail == 0 { return false }
        if case .fetch(let expectation)? = details[head.detail] { return expectation.isHeld }
        return true
    }

    /// Whether some topic that was ever asked for on this connection may not stream any more: asked once an epoch, since an
    /// answer that is stale in it was asked for before.
    private mutating func hasTurned(_ governor: inout Governor) -> Bool {
        if let turned, turned.epoch == governor.decisionEpoch { return turned.isSo }
        var isSo = false
        for topic in consumed {
            let operation = Operation(.consume, topic, wireName: KafkaMachine.fetchName)
            if case .allow(let clearance) = governor.standing(operation), !clearance.needsHolding { continue }
            isSo = true
        }
        turned = (governor.decisionEpoch, isSo)
        return isSo
    }

    /// Goes on with the streamed answer from `consumed`.
    ///
    /// - Returns: `done` where the answer is finished; `parked` where more bytes are needed.
    mutating func streamFetch(
        _ window: RawSpan, from consumed: inout Int, _ governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Progress {
        guard var state = stream else { return .done }
        defer { stream = state.phase == .done ? nil : state }
        do throws(FieldReader.Failure) {
            while state.phase != .done {
                let end = consumed + state.frameRemaining
                var reader = FieldReader(at: consumed, end: end, isFlexible: state.version >= 12)
                let step: Progress
                switch state.phase {
                case .head: step = try streamHead(&reader, &state, window, &governor, &output)
                case .topic: step = try streamTopic(&reader, &state, window, &governor, &output)
                case .partition: step = try streamPartition(&reader, &state, window, &governor, &output)
                case .records: step = try streamRecords(&reader, &state, window, &governor, &output)
                case .partitionTail, .topicTail: step = try streamTags(&reader, &state, window, &governor, &output)
                case .tail: step = try streamTail(&reader, &state, window, &governor, &output)
                case .done: step = .done
                }
                state.frameRemaining -= reader.at - consumed
                consumed = reader.at
                switch step {
                case .done: continue
                case .parked, .closed: return step
                }
            }
        } catch {
            guard case .short = error else { throw error.violation(.backend, at: consumed) }
            // What was read of this part stays; it comes again with more behind it.
            guard window.byteCount - consumed < KafkaMachine.longestHead else {
                throw WireViolation("a Fetch answer with an endless header", side: .backend, at: consumed)
            }
            output.need(.backend, bytes: window.byteCount - consumed + 1)
            return .parked
        }
        guard state.frameRemaining == 0 else {
            throw WireViolation("bytes behind the end of a Fetch answer", side: .backend, at: consumed)
        }
        try finishAnswer(&output)
        return .done
    }

    /// A part that must be whole in the window: the aborted transactions of one partition are the longest.
    private static let longestHead = 8 << 20

    private func cut(_ refusal: Refusal, _ output: inout WireOutput) -> Progress {
        output.close(.refused(refusal))
        return .closed
    }

    private mutating func streamHead(
        _ reader: inout FieldReader, _ state: inout FetchStream, _ window: RawSpan, _ governor: inout Governor,
        _ output: inout WireOutput
    ) throws(FieldReader.Failure) -> Progress {
        let start = reader.at
        let head = try FetchResponseHead(&reader, window, version: state.version)
        guard let clearance = governor.openClearance() else { return cut(Refusal(.revoked), &output) }
        var expectation = FetchExpectation()
        if let awaited = awaited.first, case .fetch(let kept)? = details[awaited.detail] { expectation = kept }
        noteSession(head, expectation)
        state.clearance = clearance
        state.topicsLeft = head.topicCount
        state.phase = head.topicCount > 0 ? .topic : .tail
        guard expectation.deniedTopics > 0, head.error == KafkaError.none else {
            output.pass(start..<reader.at, to: .client, under: clearance)
            return .done
        }
        var count: [UInt8] = []
        count.append(count: head.topicCount + expectation.deniedTopics, isFlexible: state.version >= 12)
        let grown = expectation.denied.count + count.count - head.topicCountRange.count
        let length = Int32(clamping: state.frameRemaining - 4 + grown)
        KafkaMachine.put(length.bigEndianBytes, under: clearance, &output)
        output.pass(start + 4..<head.topicCountRange.lowerBound, to: .client, under: clearance)
        KafkaMachine.put(count + expectation.denied, under: clearance, &output)
        return .done
    }

    /// Keeps the id of the session that an answer opens or ends.
    mutating func noteSession(_ head: FetchResponseHead, _ expectation: FetchExpectation) {
        if expectation.opensSession, head.error == KafkaError.none {
            fetchSession.id = head.sessionID
            if head.sessionID == 0 { fetchSession.reset() }
        } else if head.error == KafkaError.fetchSessionIDNotFound {
            fetchSession.reset()
        }
    }

    static func put(_ bytes: [UInt8], under clearance: Clearance, _ output: inout WireOutput) {
        let start = output.scratch.count
        output.scratch.append(contentsOf: bytes)
        output.put(start..<output.scratch.count, to: .client, under: clearance)
    }

    private mutating func streamTopic(
        _ reader: inout FieldReader, _ state: inout FetchStream, _ window: RawSpan, _ governor: inout Governor,
        _ output: inout WireOutput
    ) throws(FieldReader.Failure) -> Progress {
        let start = reader.at
        let (name, id) = try FetchRequest.topicKey(&reader, window, state.version)
        state.partitionsLeft = max(0, try reader.count(atLeast: 16, window))
        let clearance: Clearance
        if case .found(let resource) = knownTopic(named: name, id: id, window, &governor) {
            guard
                case .allow(let allowed) = governor.standing(
                    Operation(.consume, resource, wireName: KafkaMachine.fetchName)),
                !allowed.needsHolding
            else {
                // The policy has changed in the middle of the answer, whose length is told already.
                return cut(Refusal(.revoked), &output)
            }
            state.topic = resource
            clearance = allowed
        } else {
            // An id that stands for nothing any more: the broker's own errors about it pass, records would not.
            guard let open = governor.openClearance() else { return cut(Refusal(.revoked), &output) }
            state.topic = nil
            clearance = open
        }
        state.clearance = clearance
        state.phase = state.partitionsLeft > 0 ? .partition : .topicTail
        output.pass(start..<reader.at, to: .client, under: clearance)
        return .done
    }

    private mutating func streamPartition(
        _ reader: inout FieldReader, _ state: inout FetchStream, _ window: RawSpan, _ governor: inout Governor,
        _ output: inout WireOutput
    ) throws(FieldReader.Failure) -> Progress {
        let head = try FetchPartitionHead(&reader, window, version: state.version)
        guard let clearance = renewed(&state, &governor), state.topic != nil || head.isBareError else {
            return cut(Refusal(.revoked), &output)
        }
        state.partition = head.index
        state.nextOffset = head.logStart
        state.recordsLeft = max(0, head.recordsLength)
        state.batchLeft = 0
        state.phase = .records
        output.pass(head.start..<reader.at, to: .client, under: clearance)
        return .done
    }

    /// The topic's clearance of now; nil where it is gone or asks for more than streaming can give.
    private func renewed(_ state: inout FetchStream, _ governor: inout Governor) -> Clearance? {
        guard let held = state.clearance else { return nil }
        if held.isOpen { return governor.openClearance() }
        guard let fresh = governor.renew(held), !fresh.needsHolding else { return nil }
        state.clearance = fresh
        return fresh
    }

    private mutating func streamRecords(
        _ reader: inout FieldReader, _ state: inout FetchStream, _ window: RawSpan, _ governor: inout Governor,
        _ output: inout WireOutput
    ) throws(FieldReader.Failure) -> Progress {
        if state.recordsLeft == 0 {
            state.phase = .partitionTail
            return .done
        }
        guard let clearance = renewed(&state, &governor), let topic = state.topic else {
            return cut(Refusal(.revoked), &output)
        }
        if state.batchLeft == 0 {
            if var batch = try BatchHead(window, at: reader.at, available: state.recordsLeft) {
                guard batch.isKnown else { throw .bad("a batch of a format that is not known") }
                batch.widen(from: state.nextOffset)
                state.nextOffset = batch.last.minor &+ 1
                state.batchLeft = min(batch.size, state.recordsLeft)
                let delivery = Delivery(
                    topic, part: state.partition, first: batch.first, last: batch.last,
                    records: UInt32(batch.count), bytes: UInt32(clamping: state.batchLeft), towards: .client,
                    wireName: KafkaMachine.fetchName)
                switch governor.admit(delivery, under: clearance) {
                case .release: break
                case .withhold(let refusal), .cut(let refusal): return cut(refusal, &output)
                }
            } else {
                state.batchLeft = state.recordsLeft  // the head of a batch that is cut off: no record is in it
            }
        }
        let count = min(state.batchLeft, window.byteCount - reader.at)
        guard count > 0 else { throw .short }
        let start = try reader.take(count, window)
        output.pass(start..<reader.at, to: .client, under: clearance)
        state.batchLeft -= count
        state.recordsLeft -= count
        return .done
    }

    private mutating func streamTags(
        _ reader: inout FieldReader, _ state: inout FetchStream, _ window: RawSpan, _ governor: inout Governor,
        _ output: inout WireOutput
    ) throws(FieldReader.Failure) -> Progress {
        let start = reader.at
        try reader.skipTags(window)
        guard let clearance = renewed(&state, &governor) else { return cut(Refusal(.revoked), &output) }
        output.pass(start..<reader.at, to: .client, under: clearance)
        if state.phase == .partitionTail {
            state.partitionsLeft -= 1
            state.phase = state.partitionsLeft > 0 ? .partition : .topicTail
        } else {
            state.topicsLeft -= 1
            state.phase = state.topicsLeft > 0 ? .topic : .tail
            if state.topicsLeft == 0 { state.clearance = governor.openClearance() }
        }
        return .done
    }

    /// The tagged fields behind all records. NodeEndpoints (tag 0, KIP-951) name brokers, and the frame's length is told
    /// already: they become an unknown tag of the same size, and the client asks Metadata instead.
    private mutating func streamTail(
        _ reader: inout FieldReader, _ state: inout FetchStream, _ window: RawSpan, _ governor: inout Governor,
        _ output: inout WireOutput
    ) throws(FieldReader.Failure) -> Progress {
        let start = reader.at
        guard let clearance = governor.openClearance() else { return cut(Refusal(.revoked), &output) }
        let hidden = try KafkaMachine.hideEndpoints(&reader, window)
        var at = start
        for range in hidden {
            output.pass(at..<range.tag, to: .client, under: clearance)
            KafkaMachine.put([KafkaMachine.paddingTag], under: clearance, &output)
            output.pass(range.tag + 1..<range.content.lowerBound, to: .client, under: clearance)
            KafkaMachine.put([UInt8](repeating: 0, count: range.content.count), under: clearance, &output)
            at = range.content.upperBound
        }
        output.pass(at..<reader.at, to: .client, under: clearance)
        state.phase = .done
        return .done
    }

    /// An unknown tag of one byte; receivers skip it (KIP-482).
    static let paddingTag: UInt8 = 0x7f

    /// Reads a section of tagged fields and finds NodeEndpoints in it. Where other tags follow, theirs are lower than the
    /// padding's, which no receiver minds: all clients skip unknown tags in any order.
    static func hideEndpoints(
        _ reader: inout FieldReader, _ window: RawSpan
    ) throws(FieldReader.Failure) -> [(tag: Int, content: Range<Int>)] {
        guard reader.isFlexible else { return [] }
        var found: [(tag: Int, content: Range<Int>)] = []
        var count = try reader.varint(window)
        while count > 0 {
            let place = reader.at
            let tag = try reader.varint(window)
            let size = try reader.varint(window)
            let content = try reader.take(size, window)
            if tag == 0 { found.append((place, content..<(content + size))) }
            count -= 1
        }
        return found
    }
}
