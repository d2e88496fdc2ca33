import TidegateCore
import TidegateWire

/// What is remembered of a Fetch until its answer comes.
struct FetchExpectation {
    /// Elements that the gateway puts before the broker's own.
    var denied: [UInt8] = []
    var deniedTopics = 0
    /// The client begins a session with this request: the answer brings its id.
    var opensSession = false
    var isOfSession = false
    /// Something in the answer must be masked, or recorded whole: it is held and rebuilt.
    var isHeld = false
}

/// Fetch: each topic is decided on the request, asked again on the answer; KIP-227 sessions are kept here.
extension KafkaMachine {
    /// What a held answer may take: the request's own byte limits are lowered to it.
    ///
    /// Compressed, and some times more when it is looked into: about what `answerLimit` lets one answer come to. Half of
    /// what a frame may have, too: the broker returns a first batch larger than asked for.
    static func heldAnswerBytes(_ limits: SessionLimits) -> Int32 {
        Int32(clamping: max(1, min(answerLimit / 4, limits.frameBytes / 2)))
    }
    static let fetchName = WireName(1)

    mutating func takeFetch(
        _ header: RequestHead, _ frame: Range<Int>, _ window: RawSpan, _ governor: inout Governor,
        _ output: inout WireOutput
    ) throws(FieldReader.Failure) -> Progress {
        var request = FetchRequest()
        try request.read(window, body: header.body, version: header.version)
        guard request.replica == -1, !request.hasReplicaState else {
            governor.refuseRequest(KafkaMachine.fetchName, "a replica's field in a client's Fetch")
            owe(fetchError(header, KafkaError.clusterAuthorizationFailed, request, window), &output)
            return .done
        }
        if request.sessionID != 0, request.sessionID != fetchSession.id {
            owe(fetchError(header, KafkaError.fetchSessionIDNotFound), &output)
            return .done
        }
        if request.sessionEpoch >= 0, request.partitions.count > FetchSession.limit {
            if request.sessionEpoch > 0 { return endSession(header, &output) }
            // Answered as by a broker without room for a session: with id 0, whereupon clients ask for all each time.
            request.leaveSession()
        }
        if header.version >= 13, awaitTopics(request.topics.lazy.map(\.id), governor, &output) { return .parked }
        let isAwaited = (0..<awaited.count).contains { awaited[$0].kind == .fetch }
        if !isAwaited, request.sessionEpoch <= 0 || fetchSession.epoch != governor.decisionEpoch {
            // No answer is out: what this request and its session name is all that one can be about.
            consumed.removeAll(keepingCapacity: true)
        }
        var verdicts: [Verdict] = []
        verdicts.reserveCapacity(request.topics.count)
        for topic in request.topics { verdicts.append(judge(topic, window, &governor)) }
        var forgotten: [Resource?] = []
        for topic in request.forgotten {
            switch self.topic(named: topic.name, id: topic.id, window, &governor) {
            case .found(let resource): forgotten.append(resource)
            case .unknown, .refused: forgotten.append(nil)
            }
        }
        guard let clearance = governor.openClearance() else {
            owe(fetchError(header, KafkaError.topicAuthorizationFailed, request, window), &output)
            return .done
        }
        return forward(request, verdicts, forgotten, header, frame, window, clearance, &governor, &output)
    }

    /// The session cannot go on: the client begins anew with all its partitions.
    private mutating func endSession(_ header: RequestHead, _ output: inout WireOutput) -> Progress {
        fetchSession.reset()
        owe(fetchError(header, KafkaError.fetchSessionIDNotFound), &output)
        return .done
    }

    /// What was decided on one topic of the request.
    struct Verdict {
        var resource: Resource?
        /// `KafkaError.none` is allowed.
        var error: Int16
        var isHeld: Bool
        var isAllowed: Bool { error == KafkaError.none }
    }

    private mutating func judge(
        _ topic: FetchRequest.Topic, _ window: RawSpan, _ governor: inout Governor
    ) -> Verdict {
        switch self.topic(named: topic.name, id: topic.id, window, &governor) {
        case .unknown: return Verdict(resource: nil, error: KafkaError.unknownTopicID, isHeld: false)
        case .refused: return Verdict(resource: nil, error: KafkaError.topicAuthorizationFailed, isHeld: false)
        case .found(let resource): return judge(resource, &governor)
        }
    }

    private mutating func judge(_ resource: Resource, _ governor: inout Governor) -> Verdict {
        switch governor.decide(Operation(.consume, resource, wireName: KafkaMachine.fetchName)) {
        case .allow(let clearance):
            consumed.insert(resource)
            return Verdict(resource: resource, error: KafkaError.none, isHeld: clearance.needsHolding)
        case .deny, .hold:
            // A hold on one topic would stall the others: refused now, asked again by the client's next Fetch.
            return Verdict(resource: resource, error: KafkaError.topicAuthorizationFailed, isHeld: false)
        }
    }

    private mutating func forward(
        _ request: FetchRequest, _ verdicts: [Verdict], _ forgotten: [Resource?], _ header: RequestHead,
        _ frame: Range<Int>, _ window: RawSpan, _ clearance: Clearance, _ governor: inout Governor,
        _ output: inout WireOutput
    ) -> Progress {
        let isFlexible = header.version >= 12
        var expectation = FetchExpectation()
        expectation.opensSession = request.sessionEpoch == 0 && header.version >= 7
        expectation.isOfSession = request.sessionEpoch >= 0 && header.version >= 7
        expectation.isHeld = verdicts.contains { $0.isHeld }
        var denial = FetchDenial()
        var edits = FrameEdits()
        if !expectation.isOfSession {
            if request.leavesSession {
                edits.replace(
                    request.sessionEpochAt..<(request.sessionEpochAt + 4), with: request.sessionEpoch.bigEndianBytes)
            }
            if request.sessionID != 0 || request.leavesSession { fetchSession.reset() }
            for (topic, verdict) in zip(request.topics, verdicts) where !verdict.isAllowed {
                let name = window.bytes(topic.name)
                for partition in request.partitions[topic.partitions] {
                    denial.add(name: name, id: topic.id, partition: partition.index, error: verdict.error)
                }
            }
        } else {
            if expectation.opensSession { fetchSession.reset() }
            let lost = note(request, verdicts, forgotten)
            if fetchSession.count > FetchSession.limit { return endSession(header, &output) }
            var changes = rejudgeSession(request, &governor)
            changes.denied += lost
            changes.allowed += resolveSession(request, &governor)
            expectation.isHeld = expectation.isHeld || fetchSession.isMasked
            // A name that the connection has no room for cannot stand in the session: it is answered once.
            for (topic, verdict) in zip(request.topics, verdicts) where verdict.resource == nil && topic.id.isZero {
                let name = window.bytes(topic.name)
                for partition in request.partitions[topic.partitions] {
                    denial.add(name: name, id: topic.id, partition: partition.index, error: verdict.error)
                }
            }
            insert(changes.allowed, &edits, at: request.topicCount.upperBound, header.version, governor)
            insert(
                changes.denied, &edits, at: request.forgottenCount.upperBound, header.version, governor,
                isForgetting: true)
            let added = changes.allowed.count
            let dropped = changes.denied.count
            let kept = verdicts.count { $0.isAllowed }
            if added > 0 || kept != verdicts.count {
                edits.replaceCount(request.topicCount, with: kept + added, isFlexible: isFlexible)
            }
            if dropped > 0 {
                edits.replaceCount(
                    request.forgottenCount, with: request.forgotten.count + dropped, isFlexible: isFlexible)
            }
        }
        if verdicts.contains(where: { !$0.isAllowed }) {
            for (topic, verdict) in zip(request.topics, verdicts) where !verdict.isAllowed {
                edits.remove(topic.element)
            }
            if !expectation.isOfSession {
                edits.replaceCount(
                    request.topicCount, with: verdicts.count { $0.isAllowed }, isFlexible: isFlexible)
            }
        }
        if expectation.isHeld {
            lowerLimits(request, verdicts, to: KafkaMachine.heldAnswerBytes(governor.session.route.limits), &edits)
        }
        if expectation.isOfSession {
            let standing = standingDenial(version: header.version, governor)
            // Most requests add nothing: then the answers share the session's own bytes.
            expectation.denied =
                denial.isEmpty ? standing.bytes : denial.encoded(version: header.version) + standing.bytes
            expectation.deniedTopics = denial.topics.count + standing.topics
        } else {
            expectation.denied = denial.encoded(version: header.version)
            expectation.deniedTopics = denial.topics.count
        }
        let isPlain = !expectation.isHeld && expectation.deniedTopics == 0 && !expectation.opensSession
        if !expectation.isOfSession, !verdicts.isEmpty, verdicts.allSatisfy({ !$0.isAllowed }) {
            owe(fetchAnswer(header, denial), &output)
            return .done
        }
        expect(.fetch, header, governor, detail: isPlain ? nil : .fetch(expectation))
        edits.send(frame, to: .backend, under: clearance, &output)
        return .done
    }

    /// Lowers MaxBytes and PartitionMaxBytes: the answer must be held whole.
    private func lowerLimits(
        _ request: FetchRequest, _ verdicts: [Verdict], to limit: Int32, _ edits: inout FrameEdits
    ) {
        if request.maxBytes > limit {
            edits.replace(request.maxBytesAt..<(request.maxBytesAt + 4), with: limit.bigEndianBytes)
        }
        for (topic, verdict) in zip(request.topics, verdicts) where verdict.isAllowed {
            for partition in request.partitions[topic.partitions] where partition.maxBytes > limit {
                edits.replace(partition.maxBytesAt..<(partition.maxBytesAt + 4), with: limit.bigEndianBytes)
            }
        }
    }

    // MARK: Sessions

    /// What the gateway answers in every response of the session, encoded once until the session changes.
    private mutating func standingDenial(
        version: Int16, _ governor: borrowing Governor
    ) -> FetchSession.Standing {
        if let kept = fetchSession.standing, kept.version == version { return kept }
        var denial = FetchDenial()
        // Topics without ids are ordered by their names.
        let groups = fetchSession.denied.map { (name: governor.name(of: $0.topic), group: $0) }
            .sorted { ($0.group.id.high, $0.group.id.low, $0.name) < ($1.group.id.high, $1.group.id.low, $1.name) }
        for (name, group) in groups {
            let name = Array(name.utf8)
            for partition in group.partitions {
                denial.add(name: name, id: group.id, partition: partition.index, error: partition.error)
            }
        }
        for waiting in fetchSession.waiting {
            denial.add(name: [], id: waiting.id, partition: waiting.partition.index, error: KafkaError.unknownTopicID)
        }
        let made = FetchSession.Standing(
            version: version, bytes: denial.encoded(version: version), topics: denial.topics.count)
        fetchSession.keep(made)
        return made
    }

    /// - Returns: partitions that the broker's session holds, and that this request names although they are denied by now.
    private mutating func note(
        _ request: FetchRequest, _ verdicts: [Verdict], _ forgotten: [Resource?]
    ) -> [SessionTopic] {
        var lost = SessionTopics()
        for (topic, verdict) in zip(request.topics, verdicts) {
            guard let resource = verdict.resource else {
                for partition in request.partitions[topic.partitions] where !topic.id.isZero {
                    fetchSession.add(unresolved: .init(id: topic.id, partition: partition))
                }
                continue
            }
            for partition in request.partitions[topic.partitions] {
                fetchSession.removeUnresolved(topic.id, partition.index)
                let key = FetchSession.Key(topic: resource, id: topic.id, partition: partition.index)
                if !verdict.isAllowed, let old = fetchSession.entries[key], !old.isDenied { lost.add(key, partition) }
                fetchSession.set(
                    key, .init(partition: partition, isDenied: !verdict.isAllowed, error: verdict.error))
            }
            if verdict.isHeld { fetchSession.isMasked = true }
        }
        for (topic, resource) in zip(request.forgotten, forgotten) {
            for partition in request.forgottenPartitions[topic.partitions] {
                fetchSession.removeUnresolved(topic.id, partition)
                guard let resource else { continue }
                fetchSession.remove(.init(topic: resource, id: topic.id, partition: partition))
            }
        }
        return lost.topics
    }

    /// Session entries whose verdict changed since they were judged, and which the request does not list.
    private mutating func rejudgeSession(
        _ request: FetchRequest, _ governor: inout Governor
    ) -> (allowed: [SessionTopic], denied: [SessionTopic]) {
        guard fetchSession.epoch != governor.decisionEpoch else { return ([], []) }
        let isFirst = fetchSession.epoch == nil || fetchSession.entries.isEmpty
        fetchSession.epoch = governor.decisionEpoch
        fetchSession.isMasked = false
        var allowed = SessionTopics()
        var denied = SessionTopics()
        for (key, entry) in fetchSession.entries {
            let verdict = judge(key.topic, &governor)
            if verdict.isHeld { fetchSession.isMasked = true }
            guard !isFirst, verdict.isAllowed == entry.isDenied else { continue }
            var changed = entry
            changed.isDenied = !verdict.isAllowed
            changed.error = verdict.error
            fetchSession.set(key, changed)
            if verdict.isAllowed { allowed.add(key, entry.partition) } else { denied.add(key, entry.partition) }
        }
        return (allowed.topics, denied.topics)
    }

    /// Partitions whose topic has become known since the client listed them: those that the broker is to be asked for.
    private mutating func resolveSession(
        _ request: FetchRequest, _ governor: inout Governor
    ) -> [SessionTopic] {
        var found = SessionTopics()
        let generation = cluster.catalogue(newerThan: catalogue).generation
        for waiting in fetchSession.takeWaiting(in: generation) {
            guard case .found(let resource) = knownTopic(named: 0..<0, id: waiting.id, RawSpan(), &governor) else {
                continue
            }
            fetchSession.removeUnresolved(waiting.id, waiting.partition.index)
            let verdict = judge(resource, &governor)
            if verdict.isHeld { fetchSession.isMasked = true }
            let key = FetchSession.Key(topic: resource, id: waiting.id, partition: waiting.partition.index)
            fetchSession.set(
                key, .init(partition: waiting.partition, isDenied: !verdict.isAllowed, error: verdict.error))
            if verdict.isAllowed { found.add(key, waiting.partition) }
        }
        return found.topics
    }

    struct SessionTopic {
        var topic: Resource
        var id: TopicID
        var partitions: [FetchRequest.Partition]
    }

    private struct SessionTopics {
        private(set) var topics: [SessionTopic] = []
        private var places: [FetchSession.TopicKey: Int] = [:]

        mutating func add(_ key: FetchSession.Key, _ partition: FetchRequest.Partition) {
            let topic = FetchSession.TopicKey(topic: key.topic, id: key.id)
            if let index = places[topic] {
                topics[index].partitions.append(partition)
            } else {
                places[topic] = topics.count
                topics.append(SessionTopic(topic: key.topic, id: key.id, partitions: [partition]))
            }
        }
    }

    /// Partitions that became allowed are asked of the broker, for the client will not list them again; those that became
    /// denied are taken out of the broker's session (`isForgetting`).
    private func insert(
        _ topics: [SessionTopic], _ edits: inout FrameEdits, at place: Int, _ version: Int16,
        _ governor: borrowing Governor, isForgetting: Bool = false
    ) {
        guard !topics.isEmpty else { return }
        var bytes: [UInt8] = []
        for topic in topics {
            append(key: topic, to: &bytes, version, governor)
            bytes.append(count: topic.partitions.count, isFlexible: version >= 12)
            for partition in topic.partitions {
                if isForgetting {
                    bytes.append(bigEndian: partition.index)
                } else {
                    partition.append(to: &bytes, version: version)
                }
            }
            if version >= 12 { bytes.append(0) }
        }
        edits.replace(place..<place, with: bytes)
    }

    private func append(
        key topic: SessionTopic, to bytes: inout [UInt8], _ version: Int16, _ governor: borrowing Governor
    ) {
        if version >= 13 {
            bytes.append(bigEndian: topic.id.high)
            bytes.append(bigEndian: topic.id.low)
        } else {
            bytes.append(string: Array(governor.name(of: topic.topic).utf8), isFlexible: version >= 12)
        }
    }

    // MARK: Answers of our own

    /// An answer with an error for the whole request; before version 7, which has no such field, for every partition.
    private func fetchError(
        _ header: RequestHead, _ error: Int16, _ request: FetchRequest? = nil, _ window: RawSpan = RawSpan()
    ) -> [UInt8] {
        var denial = FetchDenial()
        if header.version < 7 || error == KafkaError.topicAuthorizationFailed, let request {
            for topic in request.topics {
                let name = window.bytes(topic.name)
                for partition in request.partitions[topic.partitions] {
                    denial.add(name: name, id: topic.id, partition: partition.index, error: error)
                }
            }
            return fetchAnswer(header, denial)
        }
        return fetchAnswer(header, denial, error: error)
    }

    private func fetchAnswer(_ header: RequestHead, _ denial: FetchDenial, error: Int16 = 0) -> [UInt8] {
        let isFlexible = header.version >= 12
        var body: [UInt8] = []
        body.append(bigEndian: Int32(0))
        if header.version >= 7 {
            body.append(bigEndian: error)
            body.append(bigEndian: Int32(0))
        }
        body.append(count: denial.topics.count, isFlexible: isFlexible)
        body.append(contentsOf: denial.encoded(version: header.version))
        if isFlexible { body.append(0) }
        return KafkaMachine.answer(header.correlation, body, isFlexible: isFlexible)
    }
}

extension Clearance {
    /// Masks and messages need whole records in hand.
    var needsHolding: Bool { !mask.isNone || recording == .messages }
    /// What cannot be read must not pass as it is; a dry run lets it.
    var mustRead: Bool { mask.hides || recording == .messages }
}

extension FrameEdits {
    mutating func replaceCount(_ range: Range<Int>, with count: Int, isFlexible: Bool) {
        var bytes: [UInt8] = []
        bytes.append(count: count, isFlexible: isFlexible)
        replace(range, with: bytes)
    }
}

extension FixedWidthInteger {
    var bigEndianBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: self)
        return bytes
    }
}
