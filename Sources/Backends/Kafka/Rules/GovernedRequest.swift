import TidegateCore
import TidegateWire

/// One governed request while it is decided: what is taken out of it, and what its answer will hold instead.
struct GovernedRequest {
    let rule: APIRule
    let schema: MessageSchema
    let answer: MessageSchema
    let header: RequestHead
    let tree: MessageNode
    var edits = FrameEdits()
    var expectation = GovernedExpectation()
    /// Keys of groups that are refused whole: what they hold is not asked about.
    var deniedParents: Set<[UInt8]> = []
    var deniedCount = 0
    private(set) var removed: Set<Int> = []
    private var asked = 0
    /// Arrays by where they start, and how many elements they lose.
    private var shrunk: [Int: (list: MessageNode, by: Int)] = [:]
    /// Where the grafts of an array stand.
    private var places: [Place: Int] = [:]
    private struct Place: Hashable {
        var array: String
        var key: [UInt8]?
    }
    /// An error for the whole request where its answer has no elements, and its words.
    var topError = KafkaError.none
    var topText = ""

    /// An element that is refused: with which error, and in which words where the answer carries any.
    struct Denied {
        var element: MessageNode
        var error: Int16
        var text: String
    }

    init(rule: APIRule, schema: MessageSchema, answer: MessageSchema, header: RequestHead, tree: MessageNode) {
        self.rule = rule
        self.schema = schema
        self.answer = answer
        self.header = header
        self.tree = tree
    }

    /// Elements are named that a partial decides one by one.
    var namesElements: Bool {
        rule.partials.contains { partial in tree[partial.request].map { !$0.children.isEmpty } ?? false }
    }

    /// Nothing is left to forward: the gateway answers alone. Metadata goes on, for its brokers.
    var isRefusedWhole: Bool {
        if topError != KafkaError.none { return true }
        guard deniedCount > 0 else { return false }
        return rule.isWhole || (asked == deniedCount && header.key != KafkaKey.metadata)
    }

    mutating func take(
        _ denied: [Denied], of list: MessageNode, _ partial: APIRule.Partial, under parent: GovernedExpectation.Parent?,
        _ window: RawSpan
    ) {
        if parent == nil { asked += list.children.count }
        guard !denied.isEmpty else { return }
        if parent == nil { deniedCount += denied.count }
        if rule.isWhole {
            let refused = Dictionary(denied.map { ($0.element.range.lowerBound, $0) }) { first, _ in first }
            for element in list.children {
                let own = refused[element.range.lowerBound]
                graft(
                    partial.refused(element, own?.error ?? KafkaError.operationNotAttempted, own?.text ?? "", window),
                    into: partial.response, under: parent)
            }
            return
        }
        for refused in denied {
            graft(
                partial.refused(refused.element, refused.error, refused.text, window), into: partial.response,
                under: parent)
            edits.remove(refused.element.range)
            removed.insert(refused.element.range.lowerBound)
            if parent == nil, let name = partial.name.flatMap({ refused.element[$0] }) {
                deniedParents.insert(window.bytes(name.content))
            }
        }
        shrunk[list.count.lowerBound, default: (list, 0)].by += denied.count
    }

    /// Takes out one element that the partial allowed (a Metadata that would create a topic).
    mutating func remove(_ element: MessageNode, of list: MessageNode, error: Int16, _ window: RawSpan) {
        guard let partial = rule.partials.first else { return }
        edits.remove(element.range)
        removed.insert(element.range.lowerBound)
        deniedCount += 1
        shrunk[list.count.lowerBound, default: (list, 0)].by += 1
        graft(partial.refused(element, error, "", window), into: partial.response, under: nil)
    }

    /// All edits; arrays that lose elements get their new counts, each once.
    func finished() -> FrameEdits {
        var all = edits
        for (list, count) in shrunk.values {
            all.replaceCount(list.count, with: list.children.count - count, isFlexible: schema.isFlexible)
        }
        return all
    }

    /// Puts one element, encoded at once, into an array of the answer.
    private mutating func graft(
        _ value: MessageValue, into array: String, under parent: GovernedExpectation.Parent?
    ) {
        let place = Place(array: array, key: parent?.key)
        let index: Int
        if let known = places[place] {
            index = known
        } else {
            index = expectation.grafts.count
            places[place] = index
            expectation.grafts.append(.init(parent: parent, array: array))
        }
        guard let field = answer.field(array, under: parent?.array) else { return }
        expectation.grafts[index].elements += MessageWriter.element(field, isFlexible: answer.isFlexible, value)
        expectation.grafts[index].count += 1
    }

    // MARK: Answers of our own

    /// The error where no rule covers who asks.
    var fallbackError: Int16 {
        switch header.key {
        case 16, 15, 9: return KafkaError.groupAuthorizationFailed
        case KafkaKey.initProducerID:
            // Without a transaction it is the cluster's to allow.
            return tree["TransactionalId"]?.isNull == false
                ? KafkaError.transactionalIDAuthorizationFailed : KafkaError.clusterAuthorizationFailed
        case 66: return KafkaError.transactionalIDAuthorizationFailed
        case KafkaKey.metadata, 75: return KafkaError.topicAuthorizationFailed
        default: return KafkaError.clusterAuthorizationFailed
        }
    }

    /// An answer in which everything is refused with one error: at the top where there is a place for it, and in every
    /// element that the request names.
    func refusal(_ error: Int16, _ text: String, _ window: RawSpan) -> [UInt8] {
        var values: [String: MessageValue] = [
            "ErrorCode": .integer(Int64(error)), "ErrorMessage": .text(text), "NodeId": .integer(-1),
            "Port": .integer(-1),
        ]
        for partial in rule.partials where partial.parent == nil {
            guard let list = tree[partial.request] else { continue }
            values[partial.response] = partial.refused(list.children, in: answer, error, text, window)
        }
        administrativeResults(error, window, &values)
        return MessageWriter.answer(answer, correlation: header.correlation, values)
    }

    /// The answer where every element was refused, each with its own error.
    func wholeAnswer(_ window: RawSpan) -> [UInt8] {
        if topError != KafkaError.none { return refusal(topError, topText, window) }
        var writer = MessageWriter(isFlexible: answer.isFlexible)
        writer.structure(answer.fields, [:])
        // The skeleton has empty arrays: the grafts go into it as into a broker's answer.
        let skeleton = KafkaMachine.answer(header.correlation, writer.bytes, isFlexible: answer.hasFlexibleHeader)
        return GovernedAnswer.grafted(skeleton, answer, expectation)
    }

    /// APIs of administrators whose answers have their errors in elements only: one for each that was asked for.
    private func administrativeResults(_ error: Int16, _ window: RawSpan, _ values: inout [String: MessageValue]) {
        let code = MessageValue.integer(Int64(error))
        switch header.key {
        case 27:
            values["Markers"] = .list(
                (tree["Markers"]?.children ?? []).map { marker in
                    .fields([
                        "ProducerId": .integer(marker["ProducerId"]?.integer(window) ?? 0),
                        "Topics": .list(
                            (marker["Topics"]?.children ?? []).map { topic in
                                topicErrors(topic, name: "Name", numbers: "PartitionIndexes", code, window)
                            }),
                    ])
                })
        case 30:
            values["Results"] = .list(
                (tree["Creations"]?.children ?? []).map { _ in .fields(["ErrorCode": code, "ErrorMessage": .null]) })
        case 31:
            values["FilterResults"] = .list((tree["Filters"]?.children ?? []).map { _ in .fields(["ErrorCode": code]) })
        case 34:
            values["Results"] = .list(
                (tree["Dirs"]?.children ?? []).flatMap { $0["Topics"]?.children ?? [] }.map { topic in
                    topicErrors(topic, name: "TopicName", numbers: "Partitions", code, window)
                })
        case 43:
            values["ReplicaElectionResults"] = .list(
                (tree["TopicPartitions"]?.children ?? []).map { topic in
                    topicErrors(
                        topic, name: "Topic", numbers: "Partitions", code, window, results: "PartitionResult",
                        number: "PartitionId")
                })
        case 49:
            values["Entries"] = .list(
                (tree["Entries"]?.children ?? []).map { entry in
                    .fields([
                        "ErrorCode": code,
                        "Entity": .list(
                            (entry["Entity"]?.children ?? []).map { part in
                                .fields([
                                    "EntityType": text(part["EntityType"], window),
                                    "EntityName": text(part["EntityName"], window),
                                ])
                            }),
                    ])
                })
        case 51:
            let names = (tree["Deletions"]?.children ?? []) + (tree["Upsertions"]?.children ?? [])
            values["Results"] = .list(names.map { .fields(["User": text($0["Name"], window), "ErrorCode": code]) })
        default: break
        }
    }

    private func text(_ node: MessageNode?, _ window: RawSpan) -> MessageValue {
        guard let node, !node.isNull else { return .null }
        return .text(window.bytes(node.content))
    }

    private func topicErrors(
        _ topic: MessageNode, name: String, numbers: String, _ code: MessageValue, _ window: RawSpan,
        results: String = "Partitions", number: String = "PartitionIndex"
    ) -> MessageValue {
        .fields([
            name: text(topic["Name"] ?? topic[name], window),
            results: .repeated(["ErrorCode": code], at: number, numbers: topic[numbers]?.numbers(window) ?? []),
        ])
    }
}

extension APIRule {
    var looksAtAnswer: Bool {
        !filters.isEmpty || !nodes.isEmpty || !authorizedOperations.isEmpty || !blanks.isEmpty
            || key == KafkaKey.initProducerID
    }
}
