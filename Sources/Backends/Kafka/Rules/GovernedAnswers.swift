import TidegateCore
import TidegateWire

/// Answers to governed requests: lists without what the principal may not describe, addresses of the gateway instead of
/// the brokers', the principal's own rights, and the elements that the gateway refused.
extension KafkaMachine {
    mutating func readGoverned(
        _ frame: Range<Int>, _ head: Awaited, _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) throws(FieldReader.Failure) -> Progress {
        guard let rule = rules.rule(head.key),
            let schema = MessageCatalog.shared.response(head.key, version: head.version)
        else { throw .bad("an answer without a rule") }
        var expectation = GovernedExpectation()
        if case .governed(let kept)? = details[head.detail] { expectation = kept }
        var header = FieldReader(
            at: frame.lowerBound + 8, end: frame.upperBound, isFlexible: schema.hasFlexibleHeader)
        try header.skipTags(window)
        var reader = MessageReader(schema, body: header.at..<frame.upperBound, skipping: rule.skips)
        let tree = try reader.read(window)
        var answer = GovernedAnswer(schema: schema, expectation: expectation)
        if head.key == KafkaKey.metadata { learn(tree, window) }
        if isStale(head, governor) {
            if let error = refused(expectation, &governor) {
                output.say(answer.refusal(of: tree, rule, error, refusalText, head.correlation, window))
                return .done
            }
            rejudge(rule, tree, &answer, window, &governor)
        }
        for filter in rule.filters {
            guard try filterList(filter, tree, &answer, window, &governor, &output) else { return .parked }
        }
        if head.key == KafkaKey.describeTopicPartitions { hideCursor(tree, &answer, window, governor) }
        if let key = expectation.joining, tree["ErrorCode"]?.integer(window) == 0, let member = tree["MemberId"] {
            subscriptions.rename(key, to: window.bytes(member.content))
        }
        if head.key == KafkaKey.initProducerID { noteProducer(tree, window, governor) }
        for nodes in rule.nodes { rewrite(nodes, tree, &answer, window, governor) }
        try hideLeaders(head, tree, &answer, window, governor)
        for field in rule.authorizedOperations { rewrite(field, tree, &answer, window, &governor) }
        for blank in rule.blanks { apply(blank, tree, &answer, window) }
        hideMessages(tree, &answer, window)
        answer.graft(tree, window)
        guard let clearance = governor.openClearance() else {
            output.close(.refused(Refusal(.revoked)))
            return .closed
        }
        var edits = answer.finished()
        edits.send(frame, to: .client, under: clearance, &output)
        return .done
    }

    /// Topics and brokers told by an answer that passes by are known from then on.
    private func learn(_ tree: MessageNode, _ window: RawSpan) {
        var topics: [TopicID: [UInt8]] = [:]
        for topic in tree["Topics"]?.children ?? [] where topic["ErrorCode"]?.integer(window) == 0 {
            guard let name = topic["Name"], !name.isNull, let id = topic["TopicId"]?.topicID(window), !id.isZero else {
                continue
            }
            topics[id] = window.bytes(name.content)
        }
        var nodes: [Int32: KafkaCatalogue.Node] = [:]
        for broker in tree["Brokers"]?.children ?? [] {
            guard let id = broker["NodeId"], let host = broker["Host"], let port = broker["Port"],
                let name = window.text(host.content), let number = UInt16(exactly: port.integer(window))
            else { continue }
            nodes[Int32(truncatingIfNeeded: id.integer(window))] = .init(host: name, port: number)
        }
        cluster.learn(topics: topics, nodes: nodes)
    }

    // MARK: Lists

    /// - Returns: false where a topic's id is being looked up.
    private mutating func filterList(
        _ filter: APIRule.Filter, _ tree: MessageNode, _ answer: inout GovernedAnswer, _ window: RawSpan,
        _ governor: inout Governor, _ output: inout WireOutput
    ) throws(FieldReader.Failure) -> Bool {
        var lists: [MessageNode] = []
        tree.arrays(filter.path[...]) { lists.append($0) }
        for list in lists {
            for element in list.children {
                let name = filter.name.map { element[$0] } ?? (filter.id == nil ? element : nil)
                let keep: Bool
                if answer.expectation.dropsAll {
                    keep = false
                } else if filter.isConfiguration {
                    keep = maySeeConfiguration(element, window, governor)
                } else if let name, !name.isNull, !name.content.isEmpty {
                    keep = governor.permits(.describe, filter.kind, named: window.extracting(name.content))
                } else if let id = filter.id.flatMap({ element[$0] }) {
                    switch listedTopic(id.topicID(window), governor, &output) {
                    case .parked: return false
                    case .name(let bytes): keep = unsafe governor.permits(.describe, .topic, named: bytes.span.bytes)
                    case .unknown: keep = element["ErrorCode"].map { $0.integer(window) != 0 } ?? false
                    }
                } else {
                    keep = false
                }
                if !keep { answer.remove(element, of: list) }
            }
        }
        return true
    }

    private enum ListedTopic {
        case name([UInt8])
        case unknown
        case parked
    }

    private mutating func listedTopic(
        _ id: TopicID, _ governor: borrowing Governor, _ output: inout WireOutput
    ) -> ListedTopic {
        if let name = cluster.catalogue(newerThan: catalogue).topics[id] { return .name(name) }
        if let resource = heard[id] { return .name(Array(governor.name(of: resource).utf8)) }
        if answerRefresh.isOpen(cluster, governor, isLookUp: true) {
            output.park(.backend)
            return .parked
        }
        return cluster.catalogue(newerThan: nil).topics[id].map { .name($0) } ?? .unknown
    }

    private func maySeeConfiguration(
        _ element: MessageNode, _ window: RawSpan, _ governor: borrowing Governor
    ) -> Bool {
        guard let name = element["ResourceName"] else { return false }
        let span = window.extracting(name.content)
        // Version 0 has no type and lists client metrics only.
        switch element["ResourceType"]?.integer(window) ?? 16 {
        case 2: return governor.permits(.describe, .topic, named: span)
        case 32: return governor.permits(.describe, .group, named: span)
        default: return KafkaMachine.maySeeCluster(governor)
        }
    }

    static func maySeeCluster(_ governor: borrowing Governor) -> Bool {
        let name = Array("kafka-cluster".utf8)
        return unsafe governor.permits(.describe, .cluster, named: name.span.bytes)
    }

    // MARK: Addresses

    private func rewrite(
        _ nodes: APIRule.Nodes, _ tree: MessageNode, _ answer: inout GovernedAnswer, _ window: RawSpan,
        _ governor: borrowing Governor
    ) {
        let list = nodes.array.flatMap { tree[$0] }
        if nodes.array != nil, list == nil { return }
        let elements = list?.children ?? [tree]
        for element in elements {
            guard let id = element[nodes.id], let host = element["Host"], let port = element["Port"] else { continue }
            let number = Int32(truncatingIfNeeded: id.integer(window))
            if number < 0, host.content.isEmpty { continue }
            if let address = governor.session.route.advertise?.address(ofNode: number) {
                var bytes: [UInt8] = []
                bytes.append(string: Array(address.host.utf8), isFlexible: answer.schema.isFlexible)
                answer.edits.replace(host.range, with: bytes)
                answer.edits.replace(port.range, with: Int32(address.port).bigEndianBytes)
            } else if let list, element["ErrorCode"] == nil {
                // A broker without an advertised port cannot be reached: it is left out.
                answer.remove(element, of: list)
            } else {
                hideCoordinator(element, id, host, port, &answer)
            }
        }
    }

    /// A coordinator that cannot be reached: COORDINATOR_NOT_AVAILABLE, as Kafka says it (node -1, no host).
    private func hideCoordinator(
        _ element: MessageNode, _ id: MessageNode, _ host: MessageNode, _ port: MessageNode,
        _ answer: inout GovernedAnswer
    ) {
        if let error = element["ErrorCode"] { answer.edits.replace(error.range, with: Int16(15).bigEndianBytes) }
        answer.edits.replace(id.range, with: Int32(-1).bigEndianBytes)
        var empty: [UInt8] = []
        empty.append(string: [], isFlexible: answer.schema.isFlexible)
        answer.edits.replace(host.range, with: empty)
        answer.edits.replace(port.range, with: Int32(-1).bigEndianBytes)
    }

    // MARK: Rights

    /// AclOperation codes of the rights that a principal can have on a thing.
    private static let operations: [(code: Int, action: Action)] = [
        (3, .consume), (4, .produce), (5, .create), (6, .delete), (7, .alter), (8, .describe), (10, .describe),
        (11, .alter),
    ]
    private static let notAsked = Int64(Int32.min)

    private func rewrite(
        _ field: APIRule.AuthorizedOperations, _ tree: MessageNode, _ answer: inout GovernedAnswer,
        _ window: RawSpan, _ governor: inout Governor
    ) {
        let elements = field.array.map { tree[$0]?.children ?? [] } ?? [tree]
        for element in elements {
            guard let place = element[field.field], place.integer(window) != KafkaMachine.notAsked else { continue }
            let name =
                field.name.flatMap { element[$0] }.map { window.bytes($0.content) } ?? Array("kafka-cluster".utf8)
            var mask: Int32 = 0
            for (code, action) in KafkaMachine.operations
            where unsafe governor.permits(action, field.kind, named: name.span.bytes) {
                mask |= 1 << Int32(code)
            }
            answer.edits.replace(place.range, with: mask.bigEndianBytes)
        }
    }

    // MARK: Text

    private func apply(
        _ blank: APIRule.Blank, _ tree: MessageNode, _ answer: inout GovernedAnswer, _ window: RawSpan
    ) {
        switch blank {
        case .inner(let array, let inner):
            for element in tree[array]?.children ?? [] {
                guard let list = element[inner], !list.children.isEmpty else { continue }
                var bytes: [UInt8] = []
                bytes.append(count: 0, isFlexible: answer.schema.isFlexible)
                answer.edits.replace(list.range, with: bytes)
            }
        case .text(let path, let field):
            var lists: [MessageNode] = []
            tree.arrays(path[...]) { lists.append($0) }
            var empty: [UInt8] = []
            empty.append(string: [], isFlexible: answer.schema.isFlexible)
            for list in lists {
                for element in list.children {
                    guard let text = element[field], !text.content.isEmpty else { continue }
                    answer.edits.replace(text.range, with: empty)
                }
            }
        case .brokerSettings:
            for result in tree["Results"]?.children ?? [] {
                let type = result["ResourceType"]?.integer(window)
                guard type == 4 || type == 8 else { continue }
                for setting in result["Configs"]?.children ?? [] {
                    guard let name = setting["Name"].flatMap({ window.text($0.content) }),
                        KafkaMachine.holdsAddresses(name)
                    else { continue }
                    hide(setting["Value"], &answer)
                    for synonym in setting["Synonyms"]?.children ?? [] { hide(synonym["Value"], &answer) }
                }
            }
        }
    }

    /// Settings of a broker whose values are addresses of brokers and controllers.
    private static func holdsAddresses(_ name: String) -> Bool {
        name.contains("listeners") || name.contains("quorum.voters") || name.contains("quorum.bootstrap")
            || name.contains("bootstrap.servers") || name == "host.name" || name == "advertised.host.name"
    }

    private func hide(_ value: MessageNode?, _ answer: inout GovernedAnswer) {
        guard let value, !value.isNull else { return }
        answer.edits.replace(
            value.range, with: answer.schema.isFlexible ? [0] : Int16(-1).bigEndianBytes)
    }
}

/// The edits of one governed answer.
struct GovernedAnswer {
    let schema: MessageSchema
    let expectation: GovernedExpectation
    var edits = FrameEdits()
    /// Arrays by where they start: how many elements they lose and gain.
    private var counts: [Int: (list: MessageNode, change: Int)] = [:]
    private(set) var removed: Set<Int> = []

    init(schema: MessageSchema, expectation: GovernedExpectation) {
        self.schema = schema
        self.expectation = expectation
    }

    mutating func remove(_ element: MessageNode, of list: MessageNode) {
        guard removed.insert(element.range.lowerBound).inserted else { return }
        edits.remove(element.range)
        counts[list.count.lowerBound, default: (list, 0)].change -= 1
    }

    /// Puts the refused elements before the broker's own.
    mutating func graft(_ tree: MessageNode, _ window: RawSpan) {
        // Elements that hold arrays of their own, by their keys: of one array, as no API has them in two.
        var holders: [[UInt8]: MessageNode] = [:]
        if let parent = expectation.grafts.lazy.compactMap(\.parent).first {
            for element in tree[parent.array]?.children ?? [] {
                guard let key = element[parent.keyField] else { continue }
                holders[window.bytes(key.content)] = element
            }
        }
        for graft in expectation.grafts {
            let holder = graft.parent.map { holders[$0.key] } ?? tree
            guard let list = holder?[graft.array] else { continue }
            edits.replace(list.count.upperBound..<list.count.upperBound, with: graft.elements)
            counts[list.count.lowerBound, default: (list, 0)].change += graft.count
        }
    }

    mutating func finished() -> FrameEdits {
        for (list, change) in counts.values where change != 0 || list.isNull {
            edits.replaceCount(
                list.count, with: list.elementCount + change, isFlexible: schema.isFlexible)
        }
        return edits
    }

    /// Grafts into an answer that the gateway composed.
    static func grafted(_ frame: [UInt8], _ schema: MessageSchema, _ expectation: GovernedExpectation) -> [UInt8] {
        let window = unsafe frame.span.bytes
        var reader = MessageReader(schema, body: (schema.hasFlexibleHeader ? 9 : 8)..<frame.count)
        do throws(FieldReader.Failure) {
            let tree = try reader.read(window)
            var answer = GovernedAnswer(schema: schema, expectation: expectation)
            answer.graft(tree, window)
            var edits = answer.finished()
            return edits.applied(to: frame)
        } catch {
            return frame  // invariant: the writer and the reader share one schema; a test holds them together
        }
    }
}

extension MessageNode {
    /// How many elements an array has: strings and structures have nodes.
    var elementCount: Int { isNull ? 0 : children.count }

    /// Calls for every array at the end of a path.
    func arrays(_ path: ArraySlice<String>, _ body: (MessageNode) -> Void) {
        guard let first = path.first else { return body(self) }
        if let next = self[first] {
            next.arrays(path.dropFirst(), body)
        } else if !count.isEmpty {
            for child in children { child.arrays(path, body) }
        }
    }

    /// All nodes of those names below.
    func collect(_ names: Set<String>, _ found: inout [MessageNode]) {
        for child in children {
            if child.children.isEmpty {
                if names.contains(child.name) { found.append(child) }
            } else {
                child.collect(names, &found)
            }
        }
    }
}
