import TidegateCore
import TidegateWire

/// What is remembered of a governed request until its answer comes.
struct GovernedExpectation {
    /// The element of an array that holds another array, by its key.
    struct Parent {
        var array: String
        var keyField: String
        var key: [UInt8]
    }

    /// Elements that the gateway puts into the answer's arrays: of an array at the top, or in the element of that key.
    struct Graft {
        var parent: Parent?
        var array: String
        var elements: [UInt8] = []
        var count = 0
    }
    var grafts: [Graft] = []
    /// Metadata 0 with nothing left asks for everything: nothing of the answer's own is told.
    var dropsAll = false
    /// What was allowed for the request as a whole: asked again where the authority changes before the answer comes.
    var allowed: [(operation: Operation, kind: ResourceKind)] = []
    /// FindCoordinator asked for transactions: the answer does not tell.
    var isTransaction = false
    /// A heartbeat whose member has no id yet: its answer tells it.
    var joining: KafkaMachine.SubscriptionKey?

    /// Bytes that it holds while it waits, about.
    var weight: Int {
        grafts.reduce(allowed.count * (MemoryLayout<Operation>.stride + 8)) {
            $0 + $1.elements.count + ($1.parent?.key.count ?? 0) + 64
        }
    }
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
        if awaitNames(request, window, governor, &output) { return .parked }
        if let error = ask(&request, window, &governor) ?? restoreCursor(&request, window, &governor) {
            owe(request.refusal(error, refusalText, window), &output)
            return .done
        }
        for partial in rule.partials { judge(partial, &request, window, &governor) }
        if header.key == KafkaKey.metadata { prepareMetadata(&request, window, &governor) }
        if request.isRefusedWhole {
            owe(request.wholeAnswer(window), &output)
            return .done
        }
        guard let clearance = governor.openClearance() else {
            owe(request.refusal(request.fallbackError, "no rule of the route covers you", window), &output)
            return .done
        }
        let needsLook = rule.looksAtAnswer || answer.holdsText || !request.expectation.grafts.isEmpty
        let expectation = request.expectation
        expect(
            needsLook ? .governed : .opaque, header, governor,
            detail: needsLook || !expectation.allowed.isEmpty ? .governed(expectation) : nil)
        var edits = request.finished()
        edits.send(frame, to: .backend, under: clearance, &output)
        return .done
    }

    /// Whatever the catalogue must be asked for is asked before the first decision, so that none is made twice.
    ///
    /// - Returns: true where the client is parked.
    private mutating func awaitNames(
        _ request: GovernedRequest, _ window: RawSpan, _ governor: borrowing Governor, _ output: inout WireOutput
    ) -> Bool {
        if refresh.isDone { return false }
        var ids: [TopicID] = []
        for partial in request.rule.partials {
            guard let field = partial.id else { continue }
            for (list, _) in partial.lists(partial.request, in: request.tree) {
                for element in list.children { if let node = element[field] { ids.append(node.topicID(window)) } }
            }
        }
        if awaitTopics(ids, governor, &output) { return true }
        guard request.header.key == KafkaKey.metadata, request.header.version < 4 else { return false }
        // Such a request creates what is not there: what is there must be known as of now.
        for element in request.tree["Topics"]?.children ?? [] {
            guard let name = element["Name"], !name.isNull,
                !governor.permits(
                    .create, .topic, named: window.extracting(name.content), by: rules.wireName(request.header.key))
            else { continue }
            return awaitRefresh(governor, &output, isLookUp: true)
        }
        return false
    }

    /// - Returns: the error that refuses the request whole; nil where it may go on.
    private mutating func ask(
        _ request: inout GovernedRequest, _ window: RawSpan, _ governor: inout Governor
    ) -> Int16? {
        let wireName = WireName(UInt16(request.header.key))
        for ask in request.rule.asks {
            switch ask {
            case .covered:
                refusalText = "no rule of the route covers you"
                // Where names are asked for, each is decided (and recorded) first; what is left is refused behind that.
                if governor.isCovered || request.namesElements { continue }
                governor.refuseRequest(wireName, "no rule of the route covers the principal")
                return request.fallbackError
            case .nobody(let error):
                refusalText = "not open to clients of the gateway"
                governor.refuseRequest(wireName, "not open to clients")
                return error
            case .cluster(let action):
                let name: [UInt8] = Array("kafka-cluster".utf8)
                if !isAllowed(action, .cluster, name, &request, &governor) {
                    return KafkaError.clusterAuthorizationFailed
                }
            case .name(let field, let kind, let action, let error):
                guard let node = request.tree[field], !node.isNull else { continue }
                if !isAllowed(action, kind, window.bytes(node.content), &request, &governor) { return error }
            case .number(let field, let range):
                guard let node = request.tree[field] else { continue }
                if !range.contains(node.integer(window)) {
                    refusalText = "\(field) has a value that is not for clients"
                    governor.refuseRequest(wireName, "\(field) that is not for clients")
                    return field == "EndpointType"
                        ? KafkaError.mismatchedEndpointType : KafkaError.clusterAuthorizationFailed
                }
            case .empty(let path):
                var isEmpty = true
                request.tree.visit(path[...]) { _ in isEmpty = false }
                if !isEmpty {
                    refusalText = "\(path.last ?? "") is evaluated by brokers, with rights that are not the client's"
                    governor.refuseRequest(wireName, "a pattern that is not for clients")
                    return KafkaError.invalidRequest
                }
            case .subscription(let field, let names, let error):
                if let error = askSubscription(field, names, error, &request, window, &governor) { return error }
            }
        }
        return nil
    }

    /// As below, and remembered: asked again where the authority changes before the answer comes.
    private mutating func isAllowed(
        _ action: Action, _ kind: ResourceKind, _ name: [UInt8], _ request: inout GovernedRequest,
        _ governor: inout Governor
    ) -> Bool {
        guard case .ready(let resource) = unsafe governor.resource(kind, named: name.span.bytes) else {
            refusalText = "more names than one connection may bring"
            return false
        }
        let operation = Operation(action, resource, wireName: WireName(UInt16(request.header.key)))
        guard isAllowed(operation, &governor) else { return false }
        // What a change has done by then is told.
        if !action.isChange || KafkaKey.administrativeReads.contains(request.header.key) {
            request.expectation.allowed.append((operation, kind))
        }
        return true
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

    /// True where what was allowed before is allowed still.
    mutating func stands(_ operation: Operation, _ governor: inout Governor) -> Bool {
        switch governor.standing(operation) {
        case .allow: return true
        case .hold: refusalText = "approval pending"
        case .deny(let refusal): refusalText = governor.text(refusal, operation)
        }
        return false
    }

    /// What members of groups say once and then only repeat (KIP-848, KIP-1071: null means unchanged): each heartbeat is
    /// decided on what was said last.
    ///
    /// - Parameter field: what is null then.
    /// - Returns: the error that refuses the heartbeat.
    private mutating func askSubscription(
        _ field: String, _ names: [APIRule.Said], _ error: Int16, _ request: inout GovernedRequest, _ window: RawSpan,
        _ governor: inout Governor
    ) -> Int16? {
        let wireName = WireName(UInt16(request.header.key))
        let tree = request.tree
        guard let group = tree["GroupId"],
            case .ready(let resource) = governor.resource(.group, named: window.extracting(group.content))
        else {
            refusalText = "more names than one connection may bring"
            return error
        }
        let member = tree["MemberId"].map { window.bytes($0.content) } ?? []
        let epoch = tree["MemberEpoch"]?.integer(window) ?? 0
        let key = SubscriptionKey(key: request.header.key, group: resource, member: member)
        if epoch < 0 {
            // The member leaves: it needs no right to what it read.
            subscriptions.remove(key)
            return nil
        }
        if member.isEmpty { request.expectation.joining = key }
        if let node = tree[field], !node.isNull {
            var said: [Operation] = []
            for list in names {
                var found: [Range<Int>] = []
                tree.visit(list.path[...]) { found.append($0.content) }
                for range in found {
                    guard case .ready(let topic) = governor.resource(.topic, named: window.extracting(range)) else {
                        refusalText = "more names than one connection may bring"
                        return error
                    }
                    let operation = Operation(list.action, topic, wireName: wireName)
                    guard isAllowed(operation, &governor) else { return error }
                    said.append(operation)
                }
            }
            subscriptions.set(key, said)
            return nil
        }
        if let said = subscriptions[key] {
            for operation in said {
                // What is created was recorded when it was said.
                let stands = operation.action.isChange ? stands(operation, &governor) : isAllowed(operation, &governor)
                if !stands { return error }
            }
            return nil
        }
        // A member that joins, or asks by a pattern alone: the broker's answer is filtered.
        if epoch == 0 || tree["SubscribedTopicRegex"].map({ !$0.isNull }) == true {
            subscriptions.set(key, [])
            return nil
        }
        // Said on another connection, perhaps: the member joins again, and says it.
        refusalText = "the gateway has not heard what this member subscribes to"
        return KafkaError.unknownMemberID
    }

    // MARK: Elements

    private mutating func judge(
        _ partial: APIRule.Partial, _ request: inout GovernedRequest, _ window: RawSpan, _ governor: inout Governor
    ) {
        if partial.parent == nil, request.tree[partial.request] == nil {
            return judgeSingleCoordinator(partial, &request, window, &governor)
        }
        for (list, outer) in partial.lists(partial.request, in: request.tree) {
            var parent: GovernedExpectation.Parent?
            if let outer, let names = partial.parent, let node = outer[names.key] {
                let key = window.bytes(node.content)
                if request.deniedParents.contains(key) { continue }
                parent = .init(array: names.array, keyField: names.key, key: key)
            }
            judge(partial, list, under: parent, &request, window, &governor)
        }
    }

    private mutating func judge(
        _ partial: APIRule.Partial, _ list: MessageNode, under parent: GovernedExpectation.Parent?,
        _ request: inout GovernedRequest, _ window: RawSpan, _ governor: inout Governor
    ) {
        guard !list.isNull else { return }
        let wireName = WireName(UInt16(request.header.key))
        if case .coordinator = partial.subject {
            request.expectation.isTransaction = request.tree["KeyType"]?.integer(window) == 1
        }
        var denied: [GovernedRequest.Denied] = []
        for element in list.children {
            let error: Int16
            switch partial.subject {
            case .kind(let kind, let code):
                error = judge(element, partial, kind, code, wireName, window, &governor)
            case .coordinator:
                let isTransaction = request.expectation.isTransaction
                let name = window.bytes(element.content)
                let isAllowed = isAllowed(
                    .describe, isTransaction ? .transaction : .group, name, wireName, &governor)
                error = isAllowed ? KafkaError.none : KafkaError.coordinatorDenied(isTransaction: isTransaction)
            case .configuration:
                error = judgeConfiguration(partial, element, wireName, window, &governor)
            }
            if error != KafkaError.none { denied.append(.init(element: element, error: error, text: refusalText)) }
        }
        request.take(denied, of: list, partial, under: parent, window)
    }

    /// One element that stands for a thing of one kind, by its name or by its id.
    private mutating func judge(
        _ element: MessageNode, _ partial: APIRule.Partial, _ kind: ResourceKind, _ code: Int16, _ wireName: WireName,
        _ window: RawSpan, _ governor: inout Governor
    ) -> Int16 {
        let nameNode = partial.name.map { element[$0] } ?? element
        let name = nameNode.map { window.bytes($0.content) } ?? []
        let id = partial.id.flatMap { element[$0] }?.topicID(window)
        if let id, !id.isZero, !name.isEmpty {
            // Brokers go by one of the two: which one is not for the gateway to guess.
            refusalText = "a topic is asked for by its name or by its id, not by both"
            governor.refuseRequest(wireName, "a topic by name and id at once")
            return KafkaError.invalidRequest
        }
        if let id, name.isEmpty {
            switch topic(named: 0..<0, id: id, window, &governor) {
            case .unknown:
                refusalText = "no topic of this id"
                return KafkaError.unknownTopicID
            case .refused:
                refusalText = "more names than one connection may bring"
                return code
            case .found(let resource):
                let operation = Operation(partial.action, resource, wireName: wireName)
                return isAllowed(operation, &governor) ? KafkaError.none : code
            }
        }
        if kind == .topic, name.count > FetchRequest.longestName {
            refusalText = "a topic's name has at most \(FetchRequest.longestName) bytes"
            return KafkaError.invalidTopic
        }
        return isAllowed(partial.action, kind, name, wireName, &governor) ? KafkaError.none : code
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
    ) {
        guard case .coordinator = partial.subject, let key = request.tree["Key"] else { return }
        let isTransaction = request.tree["KeyType"]?.integer(window) == 1
        let name = window.bytes(key.content)
        if !isAllowed(.describe, isTransaction ? .transaction : .group, name, &request, &governor) {
            request.topError = KafkaError.coordinatorDenied(isTransaction: isTransaction)
            request.topText = refusalText
        }
    }

    // MARK: Metadata

    /// Metadata can create topics: only with `create`, and never by accident.
    private mutating func prepareMetadata(
        _ request: inout GovernedRequest, _ window: RawSpan, _ governor: inout Governor
    ) {
        guard let topics = request.tree["Topics"], !topics.isNull else { return }
        let version = request.header.version
        let flag = request.tree["AllowAutoTopicCreation"]
        // Before version 4 a broker may create whatever is asked for.
        let creates = version < 4 || flag?.isTrue(window) == true
        let wireName = WireName(UInt16(KafkaKey.metadata))
        var mayCreate = true
        for element in topics.children where creates && !request.removed.contains(element.range.lowerBound) {
            guard let name = element["Name"], !name.isNull else { continue }
            let bytes = window.bytes(name.content)
            // A catalogue that could not be asked anew says nothing of now.
            let isThere = catalogue?.names.contains(bytes) == true && (version >= 4 || !cluster.lastRefreshFailed)
            // Decided, and recorded, only where something would be created.
            if governor.permits(.create, .topic, named: window.extracting(name.content), by: wireName),
                isThere || isAllowed(.create, .topic, bytes, wireName, &governor)
            {
                continue
            }
            // The catalogue may be behind: without the right nothing is created, whether the topic seems to be there or not.
            mayCreate = false
            if version < 4, !isThere { request.remove(element, of: topics, error: KafkaError.unknownTopic, window) }
        }
        if !mayCreate, let flag, flag.isTrue(window) { request.edits.replace(flag.range, with: [0]) }
        if version == 0, !topics.children.isEmpty, request.deniedCount == topics.children.count {
            request.expectation.dropsAll = true
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
