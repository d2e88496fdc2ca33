import TidegateCore
import TidegateWire

/// What governed answers may tell in other places than lists: leaders, cursors, free text, producers' ids; and what is left
/// of an answer whose rights were lost while it was awaited.
extension KafkaMachine {
    // MARK: Rights that were lost

    /// True where the policy or the principal is another than when the request was decided.
    func isStale(_ head: Awaited, _ governor: borrowing Governor) -> Bool {
        head.epoch != governor.decisionEpoch
    }

    /// Asks again for what was allowed for the request as a whole.
    ///
    /// - Returns: the error that refuses the answer.
    mutating func refused(_ expectation: GovernedExpectation, _ governor: inout Governor) -> Int16? {
        for (operation, kind) in expectation.allowed where !stands(operation, &governor) {
            return KafkaError.denied(kind)
        }
        return nil
    }

    /// Asks again for what the answer's elements stand for; a filter does so for its own lists.
    mutating func rejudge(
        _ rule: APIRule, _ tree: MessageNode, _ answer: inout GovernedAnswer, _ window: RawSpan,
        _ governor: inout Governor
    ) {
        for partial in rule.partials {
            let path = (partial.parent.map { [$0.array] } ?? []) + [partial.response]
            if rule.filters.contains(where: { $0.path == path }) { continue }
            guard let field = answer.schema.field(partial.response, under: partial.parent?.array) else { continue }
            for (list, _) in partial.lists(partial.response, in: tree) {
                for element in list.children {
                    guard
                        let (operation, kind) = operation(
                            partial, element, rule.key, answer.expectation, window, &governor),
                        !operation.action.isChange, !stands(operation, &governor)
                    else { continue }
                    let error = KafkaError.denied(kind)
                    let refused = partial.refused(element, error, refusalText, window, isAnswer: true)
                    answer.edits.replace(
                        element.range,
                        with: MessageWriter.element(field, isFlexible: answer.schema.isFlexible, refused))
                }
            }
        }
    }

    /// What an element of an answer was asked for with; nil where it stands for nothing that is known.
    private mutating func operation(
        _ partial: APIRule.Partial, _ element: MessageNode, _ key: Int16, _ expectation: GovernedExpectation,
        _ window: RawSpan, _ governor: inout Governor
    ) -> (Operation, ResourceKind)? {
        let wireName = WireName(UInt16(key))
        let name = element[partial.responseName].map(\.content) ?? 0..<0
        let kind: ResourceKind
        switch partial.subject {
        case .kind(let told, _): kind = told
        case .coordinator: kind = expectation.isTransaction ? .transaction : .group
        case .configuration:
            switch element["ResourceType"]?.integer(window) {
            case 2: kind = .topic
            case 32: kind = .group
            default:
                let cluster = Array("kafka-cluster".utf8)
                guard case .ready(let resource) = unsafe governor.resource(.cluster, named: cluster.span.bytes) else {
                    return nil
                }
                let action: Action = partial.action == .describe ? .describe : .admin
                return (Operation(action, resource, wireName: wireName), .cluster)
            }
        }
        if name.isEmpty, kind == .topic, let id = partial.id.flatMap({ element[$0] }) {
            guard case .found(let resource) = knownTopic(named: 0..<0, id: id.topicID(window), window, &governor) else {
                return nil
            }
            return (Operation(partial.action, resource, wireName: wireName), kind)
        }
        guard case .ready(let resource) = governor.resource(kind, named: window.extracting(name)) else { return nil }
        return (Operation(partial.action, resource, wireName: wireName), kind)
    }

    // MARK: Leaders

    /// Partitions whose leader has no address here have none that can be reached: LEADER_NOT_AVAILABLE, as where a broker is
    /// down. Read without nodes, of which a large cluster would have millions.
    func hideLeaders(
        _ head: Awaited, _ tree: MessageNode, _ answer: inout GovernedAnswer, _ window: RawSpan,
        _ governor: borrowing Governor
    ) throws(FieldReader.Failure) {
        let isMetadata = head.key == KafkaKey.metadata
        guard isMetadata || head.key == KafkaKey.describeTopicPartitions else { return }
        let advertise = governor.session.route.advertise
        var reachable: [Int32: Bool] = [:]
        func isReachable(_ node: Int32) -> Bool {
            if let known = reachable[node] { return known }
            let known = node < 0 || advertise?.address(ofNode: node) != nil
            reachable[node] = known
            return known
        }
        if isMetadata {
            let brokers = tree["Brokers"]?.children.compactMap { $0["NodeId"]?.integer(window) } ?? []
            if brokers.allSatisfy({ isReachable(Int32(truncatingIfNeeded: $0)) }) { return }
        }
        let hasEpoch = !isMetadata || head.version >= 7
        let arrays = isMetadata ? (head.version >= 5 ? 3 : 2) : 5
        for topic in tree["Topics"]?.children ?? [] where !answer.removed.contains(topic.range.lowerBound) {
            guard let list = topic["Partitions"], !list.isNull else { continue }
            var reader = FieldReader(
                at: list.count.lowerBound, end: list.range.upperBound, isFlexible: answer.schema.isFlexible)
            for _ in 0..<max(0, try reader.count(atLeast: 10, window)) {
                let errorAt = reader.at
                let error = try reader.integer(Int16.self, window)
                _ = try reader.take(4, window)  // PartitionIndex
                let leaderAt = reader.at
                let leader = try reader.integer(Int32.self, window)
                if hasEpoch { _ = try reader.take(4, window) }
                for _ in 0..<arrays {
                    let count = max(0, try reader.count(atLeast: 4, window))
                    _ = try reader.take(count * 4, window)
                }
                try reader.skipTags(window)
                if isReachable(leader) { continue }
                if error == KafkaError.none {
                    answer.edits.replace(
                        errorAt..<(errorAt + 2), with: KafkaError.leaderNotAvailable.bigEndianBytes)
                }
                answer.edits.replace(leaderAt..<(leaderAt + 4), with: Int32(-1).bigEndianBytes)
            }
        }
    }

    // MARK: Cursors

    /// Pages of DescribeTopicPartitions that may be open on one connection.
    private static let cursorLimit = 64
    /// No topic is called so: a slash is no part of a topic's name.
    private static let cursorPrefix = "tidegate/"

    /// The next page of DescribeTopicPartitions may begin with a topic that is not to be seen: the client gets a name for
    /// it that says nothing, and the broker its own again with the next request.
    mutating func hideCursor(
        _ tree: MessageNode, _ answer: inout GovernedAnswer, _ window: RawSpan, _ governor: borrowing Governor
    ) {
        guard let cursor = tree["NextCursor"], !cursor.isNull, let name = cursor["TopicName"],
            let index = cursor["PartitionIndex"],
            !governor.permits(.describe, .topic, named: window.extracting(name.content))
        else { return }
        let place = Cursor(name: window.bytes(name.content), index: Int32(truncatingIfNeeded: index.integer(window)))
        if cursors.count >= KafkaMachine.cursorLimit { cursors.removeAll() }
        nextCursor &+= 1
        cursors[nextCursor] = place
        var told: [UInt8] = []
        told.append(string: Array("\(KafkaMachine.cursorPrefix)\(nextCursor)".utf8), isFlexible: true)
        answer.edits.replace(name.range, with: told)
        answer.edits.replace(index.range, with: Int32(0).bigEndianBytes)
    }

    /// Gives the broker back its own cursor.
    ///
    /// - Returns: the error where the connection knows of none such.
    mutating func restoreCursor(
        _ request: inout GovernedRequest, _ window: RawSpan, _ governor: inout Governor
    ) -> Int16? {
        guard request.header.key == KafkaKey.describeTopicPartitions, let cursor = request.tree["Cursor"],
            !cursor.isNull, let name = cursor["TopicName"], let index = cursor["PartitionIndex"],
            let text = window.text(name.content), text.hasPrefix(KafkaMachine.cursorPrefix)
        else { return nil }
        guard let number = UInt32(text.dropFirst(KafkaMachine.cursorPrefix.count)), let place = cursors[number] else {
            refusalText = "a cursor that the gateway has not given, or has forgotten"
            return KafkaError.invalidRequest
        }
        var own: [UInt8] = []
        own.append(string: place.name, isFlexible: true)
        request.edits.replace(name.range, with: own)
        request.edits.replace(index.range, with: place.index.bigEndianBytes)
        return nil
    }

    // MARK: Text

    /// A broker's free text in which an address of a broker stands is not told.
    func hideMessages(_ tree: MessageNode, _ answer: inout GovernedAnswer, _ window: RawSpan) {
        guard answer.schema.holdsText else { return }
        var messages: [MessageNode] = []
        tree.collect(MessageSchema.texts, &messages)
        for message in messages where !message.isNull && holdsAddress(window, message.content) {
            var empty: [UInt8] = []
            empty.append(string: [], isFlexible: answer.schema.isFlexible)
            answer.edits.replace(message.range, with: empty)
        }
    }

    /// True where a broker's host stands in the text, or its port behind a colon.
    func holdsAddress(_ window: RawSpan, _ range: Range<Int>) -> Bool {
        if range.isEmpty { return false }
        let text = String(decoding: window.bytes(range), as: UTF8.self).lowercased()
        func stands(_ host: String, _ port: UInt16) -> Bool {
            (!host.isEmpty && text.contains(host.lowercased())) || text.contains(":\(port)")
        }
        return cluster.catalogue(newerThan: catalogue).nodes.values.contains { stands($0.host, $0.port) }
            || cluster.settings.bootstrap.contains { stands($0.host, $0.port) }
    }

    // MARK: Producers

    /// An InitProducerId that was answered: the id is that principal's.
    func noteProducer(_ tree: MessageNode, _ window: RawSpan, _ governor: borrowing Governor) {
        guard tree["ErrorCode"]?.integer(window) == 0, let id = tree["ProducerId"]?.integer(window), id >= 0,
            let principal = governor.principal
        else { return }
        cluster.note(producer: id, of: principal)
    }

    /// Batches after which the cluster is told again that an id is in use: who has not used one for long is forgotten.
    private static let producerUses: UInt32 = 1024

    /// True where a batch may bear that producer's id: not another's.
    mutating func mayUse(producer id: Int64, _ governor: borrowing Governor) -> Bool {
        if id < 0 { return true }
        let isOwn = id == ownProducer
        if isOwn, ownUses < KafkaMachine.producerUses {
            ownUses += 1
            return true
        }
        guard let principal = governor.principal else { return false }
        switch cluster.isOwner(principal, ofProducer: id) {
        case .some(true):
            ownProducer = id
            ownUses = 0
            return true
        case .some(false): return false
        case .none:
            // Forgotten though it is in use: it is this principal's still.
            if isOwn { cluster.note(producer: id, of: principal) }
            ownUses = 0
            return true
        }
    }
}

extension GovernedAnswer {
    /// The answer in which everything is refused with one error, of the shape that the broker's own has.
    func refusal(
        of tree: MessageNode, _ rule: APIRule, _ error: Int16, _ text: String, _ correlation: Int32, _ window: RawSpan
    ) -> [UInt8] {
        var values: [String: MessageValue] = [
            "ErrorCode": .integer(Int64(error)), "ErrorMessage": .text(text), "NodeId": .integer(-1),
            "Port": .integer(-1),
        ]
        for partial in rule.partials where partial.parent == nil {
            guard let list = tree[partial.response] else { continue }
            values[partial.response] = partial.refused(
                list.children, in: schema, error, text, window, isAnswer: true)
        }
        return MessageWriter.answer(schema, correlation: correlation, values)
    }
}
