import TidegateCore
import TidegateWire

/// What is remembered of a governed request until its answer comes.
struct GovernedExpectation {
    /// Elements that the gateway puts into the answer's arrays: of an array at the top, or in the element of that key.
    struct Graft {
        var parent: (array: String, keyField: String, key: [UInt8])?
        var array: String
        var elements: [UInt8] = []
        var count = 0
    }
    var grafts: [Graft] = []
    /// Metadata 0 with nothing left asks for everything: nothing of the answer's own is told.
    var dropsAll = false
    /// FindCoordinator to 3 tells no key in its answer.
    var topError = KafkaError.none
}

/// Requests that the table decides: names are found, each is asked about, what is refused is taken out.
extension KafkaMachine {
    mutating func takeGoverned(
        _ header: RequestHead, _ frame: Range<Int>, _ window: RawSpan, _ governor: inout Governor,
        _ output: inout WireOutput
    ) throws(FieldReader.Failure) -> Progress {
        guard let rule = rules.rule(header.key),
            let schema = MessageCatalog.shared.request(header.key, version: header.version),
            let answer = MessageCatalog.shared.response(header.key, version: header.version)
        else { throw .bad("a request without a rule") }
        var reader = MessageReader(schema, body: header.body)
        let tree = try reader.read(window)
        var request = GovernedRequest(rule: rule, schema: schema, answer: answer, header: header, tree: tree)
        switch ask(&request, window, &governor, &output) {
        case .parked: return .parked
        case .refused(let error):
            owe(request.refusal(error, refusalText, window), &output)
            return .done
        case .allowed: break
        }
        for partial in rule.partials {
            guard try judge(partial, &request, window, &governor, &output) else { return .parked }
        }
        if header.key == KafkaKey.metadata { prepareMetadata(&request, window, &governor) }
        refreshAwaited = 0
        if request.isRefusedWhole {
            owe(request.wholeAnswer(window), &output)
            return .done
        }
        guard let clearance = governor.openClearance() else {
            owe(request.refusal(rule.fallbackError, "no rule of the route covers you", window), &output)
            return .done
        }
        let needsLook = rule.looksAtAnswer || !request.expectation.grafts.isEmpty
        expect(
            needsLook ? .governed : .opaque, header, governor,
            detail: needsLook ? .governed(request.expectation) : nil)
        request.edits.send(frame, to: .backend, under: clearance, &output)
        return .done
    }

    enum Asked {
        case allowed
        case refused(Int16)
        case parked
    }

    private mutating func ask(
        _ request: inout GovernedRequest, _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) -> Asked {
        let wireName = WireName(UInt16(request.header.key))
        for ask in request.rule.asks {
            switch ask {
            case .covered:
                refusalText = "no rule of the route covers you"
                // Where names are asked for, each is decided (and recorded) first; what is left is refused behind that.
                if governor.isCovered || request.namesElements { continue }
                governor.refuseRequest(wireName, "no rule of the route covers the principal")
                return .refused(request.rule.fallbackError)
            case .nobody(let error):
                refusalText = "not open to clients of the gateway"
                governor.refuseRequest(wireName, "not open to clients")
                return .refused(error)
            case .cluster(let action):
                let name: [UInt8] = Array("kafka-cluster".utf8)
                if !isAllowed(action, .cluster, name, wireName, &governor) {
                    return .refused(KafkaError.clusterAuthorizationFailed)
                }
            case .name(let field, let kind, let action, let error):
                guard let node = request.tree[field], !node.isNull else { continue }
                if !isAllowed(action, kind, window.bytes(node.content), wireName, &governor) { return .refused(error) }
            case .number(let field, let range):
                guard let node = request.tree[field] else { continue }
                if !range.contains(node.integer(window)) {
                    refusalText = "\(field) has a value that is not for clients"
                    governor.refuseRequest(wireName, "\(field) that is not for clients")
                    return .refused(
                        field == "EndpointType"
                            ? KafkaError.mismatchedEndpointType : KafkaError.clusterAuthorizationFailed)
                }
            case .names(let path, let kind, let action, let error):
                var found: [Range<Int>] = []
                request.tree.visit(path[...]) { found.append($0.content) }
                for range in found where !isAllowed(action, kind, window.bytes(range), wireName, &governor) {
                    return .refused(error)
                }
            case .subscription(let field, let error):
                if !isSubscriptionAllowed(field, request, window, &governor) { return .refused(error) }
            }
        }
        return .allowed
    }

    /// Decides on one name, and keeps the words of a refusal.
    mutating func isAllowed(
        _ action: Action, _ kind: ResourceKind, _ name: [UInt8], _ wireName: WireName, _ governor: inout Governor
    ) -> Bool {
        guard case .ready(let resource) = unsafe governor.resource(kind, named: name.span.bytes) else {
            refusalText = "more names than one connection may bring"
            return false
        }
        return isAllowed(Operation(action, resource, wireName: wireName), &governor)
    }

    private mutating func isAllowed(_ operation: Operation, _ governor: inout Governor) -> Bool {
        switch governor.decide(operation) {
        case .allow: return true
        case .hold: refusalText = "approval pending"
        case .deny(let refusal): refusalText = governor.text(refusal, operation)
        }
        return false
    }

    /// KIP-848: null means what the member said last; each heartbeat is decided on it again.
    private mutating func isSubscriptionAllowed(
        _ field: String, _ request: GovernedRequest, _ window: RawSpan, _ governor: inout Governor
    ) -> Bool {
        let wireName = WireName(UInt16(request.header.key))
        guard let group = request.tree["GroupId"],
            case .ready(let resource) = governor.resource(.group, named: window.extracting(group.content))
        else { return false }
        let key = SubscriptionKey(key: request.header.key, group: resource)
        if let node = request.tree[field], !node.isNull {
            var topics: [Resource] = []
            for name in node.children {
                guard case .ready(let topic) = governor.resource(.topic, named: window.extracting(name.content)) else {
                    return false
                }
                topics.append(topic)
            }
            if subscriptions.count >= 64 { subscriptions.removeAll() }
            subscriptions[key] = topics
        }
        for topic in subscriptions[key] ?? [] {
            guard isAllowed(Operation(.describe, topic, wireName: wireName), &governor) else { return false }
        }
        return true
    }

    // MARK: Elements

    /// - Returns: false where a question is open.
    private mutating func judge(
        _ partial: APIRule.Partial, _ request: inout GovernedRequest, _ window: RawSpan, _ governor: inout Governor,
        _ output: inout WireOutput
    ) throws(FieldReader.Failure) -> Bool {
        if let parent = partial.parent {
            guard let array = request.tree[parent.array] else { return true }
            for element in array.children {
                guard let key = element[parent.key], let list = element[partial.request] else { continue }
                let name = window.bytes(key.content)
                if request.deniedParents.contains(name) { continue }
                guard
                    try judge(
                        partial, list, under: (parent.array, parent.key, name), &request, window, &governor, &output)
                else { return false }
            }
            return true
        }
        guard let list = request.tree[partial.request] else {
            return judgeSingleCoordinator(partial, &request, window, &governor)
        }
        return try judge(partial, list, under: nil, &request, window, &governor, &output)
    }

    private mutating func judge(
        _ partial: APIRule.Partial, _ list: MessageNode,
        under parent: (array: String, keyField: String, key: [UInt8])?, _ request: inout GovernedRequest,
        _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) throws(FieldReader.Failure) -> Bool {
        guard !list.isNull else { return true }
        let wireName = WireName(UInt16(request.header.key))
        var denied: [GovernedRequest.Denied] = []
        for element in list.children {
            var error = KafkaError.none
            let nameNode = partial.name.map { element[$0] } ?? element
            let idNode = partial.id.flatMap { element[$0] }
            let byName = nameNode.map { !$0.isNull && !$0.content.isEmpty } ?? false
            switch partial.subject {
            case .kind(let kind, let code):
                if let idNode, !byName {
                    let id = idNode.topicID(window)
                    switch topic(named: 0..<0, id: id, window, &governor, &output) {
                    case .parked: return false
                    case .unknown: error = KafkaError.unknownTopicID
                    case .refused: error = code
                    case .found(let resource):
                        if !isAllowed(Operation(partial.action, resource, wireName: wireName), &governor) {
                            error = code
                        }
                    }
                } else {
                    let name = nameNode.map { window.bytes($0.content) } ?? []
                    if !isAllowed(partial.action, kind, name, wireName, &governor) { error = code }
                }
            case .coordinator:
                let isTransaction = request.tree["KeyType"]?.integer(window) == 1
                let name = window.bytes(element.content)
                if !isAllowed(.describe, isTransaction ? .transaction : .group, name, wireName, &governor) {
                    error =
                        isTransaction
                        ? KafkaError.transactionalIDAuthorizationFailed : KafkaError.groupAuthorizationFailed
                }
            case .configuration:
                error = judgeConfiguration(partial, element, wireName, window, &governor)
            }
            if error != KafkaError.none {
                let text = error == KafkaError.unknownTopicID ? "no topic of this id" : refusalText
                denied.append(.init(element: element, error: error, text: text))
            }
        }
        request.take(denied, of: list, partial, under: parent, window)
        return true
    }

    /// DescribeConfigs and its like: what a resource is stands beside its name (ConfigResource.Type).
    private mutating func judgeConfiguration(
        _ partial: APIRule.Partial, _ element: MessageNode, _ wireName: WireName, _ window: RawSpan,
        _ governor: inout Governor
    ) -> Int16 {
        let name = partial.name.flatMap { element[$0] }.map { window.bytes($0.content) } ?? []
        switch element["ResourceType"]?.integer(window) {
        case 2:
            return isAllowed(partial.action, .topic, name, wireName, &governor)
                ? KafkaError.none : KafkaError.topicAuthorizationFailed
        case 32:
            return isAllowed(partial.action, .group, name, wireName, &governor)
                ? KafkaError.none : KafkaError.groupAuthorizationFailed
        default:
            let action: Action = partial.action == .describe ? .describe : .admin
            return isAllowed(action, .cluster, Array("kafka-cluster".utf8), wireName, &governor)
                ? KafkaError.none : KafkaError.clusterAuthorizationFailed
        }
    }

    /// FindCoordinator 0 to 3 asks for one key, which stands at the top; before version 1 it is a group.
    private mutating func judgeSingleCoordinator(
        _ partial: APIRule.Partial, _ request: inout GovernedRequest, _ window: RawSpan, _ governor: inout Governor
    ) -> Bool {
        guard case .coordinator = partial.subject, let key = request.tree["Key"] else { return true }
        let isTransaction = request.tree["KeyType"]?.integer(window) == 1
        let wireName = WireName(UInt16(request.header.key))
        if !isAllowed(
            .describe, isTransaction ? .transaction : .group, window.bytes(key.content), wireName, &governor)
        {
            request.topError =
                isTransaction ? KafkaError.transactionalIDAuthorizationFailed : KafkaError.groupAuthorizationFailed
            request.topText = refusalText
        }
        return true
    }

    // MARK: Metadata

    /// Metadata can create topics: only with `create`, and never by accident.
    private mutating func prepareMetadata(
        _ request: inout GovernedRequest, _ window: RawSpan, _ governor: inout Governor
    ) {
        guard let topics = request.tree["Topics"], !topics.isNull else { return }
        let version = request.header.version
        let left = topics.children.count - request.deniedCount
        if version == 0, !topics.children.isEmpty, left == 0 { request.expectation.dropsAll = true }
        let wireName = WireName(UInt16(KafkaKey.metadata))
        var mayCreate = true
        for element in topics.children where !request.removed.contains(element.range.lowerBound) {
            guard let name = element["Name"], !name.isNull else { continue }
            let bytes = window.bytes(name.content)
            if catalogue?.names.contains(bytes) == true { continue }
            if !governor.permits(.create, .topic, named: window.extracting(name.content)) {
                mayCreate = false
                // Before version 4 a broker may create whatever is asked for.
                if version < 4 { request.remove(element, of: topics, error: 3, window) }
            } else if version < 4 || request.tree["AllowAutoTopicCreation"]?.integer(window) == 1 {
                _ = isAllowed(.create, .topic, bytes, wireName, &governor)
            }
        }
        if !mayCreate, let flag = request.tree["AllowAutoTopicCreation"], flag.integer(window) == 1 {
            request.edits.replace(flag.range, with: [0])
        }
    }
}

extension MessageNode {
    /// Calls for every node at the end of a path, through arrays and structures.
    func visit(_ path: ArraySlice<String>, _ body: (MessageNode) -> Void) {
        guard let first = path.first else {
            if count.isEmpty { return body(self) }
            for child in children { body(child) }
            return
        }
        if let next = self[first] {
            next.visit(path.dropFirst(), body)
        } else {
            for child in children { child.visit(path, body) }
        }
    }
}
