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
    private var taken: [Int: Int] = [:]
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
        _ denied: [Denied], of list: MessageNode, _ partial: APIRule.Partial,
        under parent: (array: String, keyField: String, key: [UInt8])?, _ window: RawSpan
    ) {
        if parent == nil { asked += list.children.count }
        guard !denied.isEmpty else { return }
        if parent == nil { deniedCount += denied.count }
        var values: [MessageValue] = []
        if rule.isWhole {
            values = list.children.map { element in
                let refused = denied.first { $0.element.range == element.range }
                return value(
                    of: element, refused?.error ?? KafkaError.operationNotAttempted, refused?.text ?? "", partial,
                    window)
            }
        } else {
            for refused in denied {
                values.append(value(of: refused.element, refused.error, refused.text, partial, window))
                edits.remove(refused.element.range)
                removed.insert(refused.element.range.lowerBound)
                if parent == nil, let name = partial.name.flatMap({ refused.element[$0] }) {
                    deniedParents.insert(window.bytes(name.content))
                }
            }
            shrink(list, by: denied.count)
        }
        graft(values, into: partial.response, under: parent)
    }

    /// Takes out one element that the partial allowed (a Metadata that would create a topic).
    mutating func remove(_ element: MessageNode, of list: MessageNode, error: Int16, _ window: RawSpan) {
        guard let partial = rule.partials.first else { return }
        edits.remove(element.range)
        removed.insert(element.range.lowerBound)
        deniedCount += 1
        shrink(list, by: 1)
        graft([value(of: element, error, "", partial, window)], into: partial.response, under: nil)
    }

    private mutating func shrink(_ list: MessageNode, by count: Int) {
        taken[list.count.lowerBound, default: 0] += count
        let left = list.children.count - (taken[list.count.lowerBound] ?? 0)
        edits.forget(list.count)
        edits.replaceCount(list.count, with: left, isFlexible: schema.isFlexible)
    }

    private mutating func graft(
        _ values: [MessageValue], into array: String, under parent: (array: String, keyField: String, key: [UInt8])?
    ) {
        let fields =
            parent.map { outer in answer.fields.first { $0.name == outer.array }?.fields ?? [] } ?? answer.fields
        guard let field = fields.first(where: { $0.name == array }) else { return }
        var graft = GovernedExpectation.Graft(parent: parent, array: array)
        for value in values {
            graft.elements += MessageWriter.element(field, isFlexible: answer.isFlexible, value)
            graft.count += 1
        }
        if let index = expectation.grafts.firstIndex(where: { $0.array == array && $0.parent?.key == parent?.key }) {
            expectation.grafts[index].elements += graft.elements
            expectation.grafts[index].count += graft.count
        } else {
            expectation.grafts.append(graft)
        }
    }

    /// The answer's element for a refused element of the request.
    private func value(
        of element: MessageNode, _ error: Int16, _ text: String, _ partial: APIRule.Partial, _ window: RawSpan
    ) -> MessageValue {
        var fields: [String: MessageValue] = [
            "ErrorCode": .integer(Int64(error)), "ErrorMessage": text.isEmpty ? .null : .text(text),
        ]
        let name = partial.name.map { element[$0] } ?? element
        if let name { fields[partial.responseName] = name.isNull ? .null : .text(window.bytes(name.content)) }
        if let id = partial.id.flatMap({ element[$0] }) { fields["TopicId"] = .id(id.topicID(window)) }
        if let type = element["ResourceType"] { fields["ResourceType"] = .integer(type.integer(window)) }
        if case .coordinator = partial.subject {
            fields["NodeId"] = .integer(-1)
            fields["Port"] = .integer(-1)
        }
        if let parts = partial.parts, let told = partial.responseParts {
            let list = element[parts.name]
            var numbers: [Int64] = []
            if let index = parts.index {
                numbers = list?.children.compactMap { $0[index]?.integer(window) } ?? []
            } else if let content = list?.content {
                var at = content.lowerBound
                while at + 4 <= content.upperBound {
                    numbers.append(Int64(window.bigEndian(Int32.self, at: at) ?? 0))
                    at += 4
                }
            }
            fields[told.name] = .list(
                numbers.map { number in
                    .fields([
                        told.index: .integer(number), told.error: .integer(Int64(error)),
                        "CommittedOffset": .integer(-1), "CommittedLeaderEpoch": .integer(-1), "Metadata": .text(""),
                        "Timestamp": .integer(-1), "Offset": .integer(-1), "LeaderEpoch": .integer(-1),
                        "EndOffset": .integer(-1), "LowWatermark": .integer(-1),
                    ])
                })
        }
        return .fields(fields)
    }

    // MARK: Answers of our own

    /// An answer in which everything is refused with one error: at the top where there is a place for it, and in every
    /// element that the request names.
    func refusal(_ error: Int16, _ text: String, _ window: RawSpan) -> [UInt8] {
        var values: [String: MessageValue] = [
            "ErrorCode": .integer(Int64(error)), "ErrorMessage": .text(text), "NodeId": .integer(-1),
            "Port": .integer(-1),
        ]
        for partial in rule.partials where partial.parent == nil {
            guard let list = tree[partial.request] else { continue }
            values[partial.response] = .list(list.children.map { value(of: $0, error, text, partial, window) })
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
        var partitions: [MessageValue] = []
        if let content = topic[numbers]?.content {
            var at = content.lowerBound
            while at + 4 <= content.upperBound {
                partitions.append(
                    .fields([
                        number: .integer(Int64(window.bigEndian(Int32.self, at: at) ?? 0)), "ErrorCode": code,
                    ]))
                at += 4
            }
        }
        return .fields([name: text(topic["Name"] ?? topic[name], window), results: .list(partitions)])
    }
}

extension APIRule {
    /// The error where nobody's name is in the request.
    var fallbackError: Int16 {
        switch key {
        case 16, 15, 9: KafkaError.groupAuthorizationFailed
        case 22, 66: KafkaError.transactionalIDAuthorizationFailed
        case KafkaKey.metadata, 75: KafkaError.topicAuthorizationFailed
        default: KafkaError.clusterAuthorizationFailed
        }
    }

    var looksAtAnswer: Bool {
        !filters.isEmpty || !nodes.isEmpty || !authorizedOperations.isEmpty || !blanks.isEmpty
    }
}
