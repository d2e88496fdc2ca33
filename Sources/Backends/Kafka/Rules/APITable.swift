import TidegateCore

extension APIRule {
    private static let topicError = KafkaError.topicAuthorizationFailed
    private static let groupError = KafkaError.groupAuthorizationFailed
    private static let transactionError = KafkaError.transactionalIDAuthorizationFailed

    private static func group(_ action: Action) -> Ask { .name("GroupId", .group, action, error: groupError) }
    private static func transaction(_ field: String = "TransactionalId") -> Ask {
        .name(field, .transaction, .produce, error: transactionError)
    }

    /// Topics of a request, refused one by one, with or without partitions.
    private static func topics(
        _ action: Action, request: String = "Topics", name: String? = "Name", id: String? = nil,
        response: String = "Topics", responseName: String = "Name", parts: (String, String?)? = nil,
        responseParts: (String, String, String)? = nil, parent: (String, String)? = nil
    ) -> Partial {
        Partial(
            request: request, name: name, id: id, subject: .kind(.topic, error: topicError), action: action,
            response: response, responseName: responseName, parts: parts.map { (name: $0.0, index: $0.1) },
            responseParts: responseParts.map { (name: $0.0, index: $0.1, error: $0.2) },
            parent: parent.map { (array: $0.0, key: $0.1) })
    }

    private static let partitions: (String, String?) = ("Partitions", "PartitionIndex")
    private static let partitionErrors = ("Partitions", "PartitionIndex", "ErrorCode")

    private static func groups(_ action: Action, request: String, response: String) -> Partial {
        Partial(
            request: request, name: nil, id: nil, subject: .kind(.group, error: groupError), action: action,
            response: response, responseName: "GroupId")
    }

    private static func topicList(_ path: String..., name: String? = nil, id: String? = nil) -> Filter {
        Filter(path: path, name: name, id: id, kind: .topic)
    }

    /// Where a broker says its clients come from is where the gateway stands.
    private static let clientHosts = Blank.text(["Groups", "Members"], "ClientHost")

    /// Only the cluster's administrators.
    private static func admin(_ keys: Int16..., filters: [Filter] = []) -> [APIRule] {
        keys.map { APIRule(key: $0, asks: [.cluster(.admin)]) }
    }

    static let all: [APIRule] =
        [
            APIRule(
                key: 2, asks: [.number("ReplicaId", in: -2 ... -1)],
                partials: [topics(.describe, parts: partitions, responseParts: partitionErrors)]),
            APIRule(
                key: KafkaKey.metadata, asks: [.covered],
                partials: [topics(.describe, id: "TopicId")],
                filters: [topicList("Topics", name: "Name", id: "TopicId")],
                nodes: [Nodes(array: "Brokers", id: "NodeId")],
                authorizedOperations: [
                    .init(array: "Topics", field: "TopicAuthorizedOperations", name: "Name", kind: .topic),
                    .init(field: "ClusterAuthorizedOperations", kind: .cluster),
                ], skips: ["Partitions"]),
            APIRule(
                key: 8, asks: [group(.commit)],
                partials: [topics(.commit, id: "TopicId", parts: partitions, responseParts: partitionErrors)]),
            APIRule(
                key: 9, asks: [group(.describe)],
                partials: [
                    topics(.describe, parts: ("PartitionIndexes", nil), responseParts: partitionErrors),
                    Partial(
                        request: "Groups", name: "GroupId", subject: .kind(.group, error: groupError),
                        action: .describe, response: "Groups", responseName: "GroupId"),
                    topics(
                        .describe, id: "TopicId", parts: ("PartitionIndexes", nil), responseParts: partitionErrors,
                        parent: ("Groups", "GroupId")),
                ],
                filters: [
                    topicList("Topics", name: "Name"), topicList("Groups", "Topics", name: "Name", id: "TopicId"),
                ], skips: ["Partitions"]),
            APIRule(
                key: 10, asks: [.number("KeyType", in: 0...1)],
                partials: [
                    Partial(
                        request: "CoordinatorKeys", subject: .coordinator, action: .describe, response: "Coordinators",
                        responseName: "Key")
                ],
                nodes: [Nodes(array: nil, id: "NodeId"), Nodes(array: "Coordinators", id: "NodeId")]),
            APIRule(key: 11, asks: [group(.consume)]),
            APIRule(key: 12, asks: [group(.consume)]),
            APIRule(key: 13, asks: [group(.consume)]),
            APIRule(key: 14, asks: [group(.consume)]),
            APIRule(
                key: 15, partials: [groups(.describe, request: "Groups", response: "Groups")],
                authorizedOperations: [
                    .init(array: "Groups", field: "AuthorizedOperations", name: "GroupId", kind: .group)
                ], blanks: [clientHosts]),
            APIRule(
                key: 16, asks: [.covered],
                filters: [Filter(path: ["Groups"], name: "GroupId", kind: .group)]),
            APIRule(key: 19, partials: [topics(.create)]),
            APIRule(
                key: 20,
                partials: [
                    topics(.delete, request: "TopicNames", name: nil, response: "Responses"),
                    topics(.delete, id: "TopicId", response: "Responses"),
                ]),
            APIRule(key: 21, partials: [topics(.delete, parts: partitions, responseParts: partitionErrors)]),
            APIRule(key: 22, asks: [.covered, transaction()], highest: 5),
            APIRule(
                key: 23, asks: [.number("ReplicaId", in: -2 ... -1)],
                partials: [
                    topics(
                        .describe, name: "Topic", responseName: "Topic", parts: ("Partitions", "Partition"),
                        responseParts: ("Partitions", "Partition", "ErrorCode"))
                ]),
            APIRule(
                key: 24, asks: [transaction("V3AndBelowTransactionalId")],
                partials: [
                    topics(
                        .produce, request: "V3AndBelowTopics", response: "ResultsByTopicV3AndBelow",
                        parts: ("Partitions", nil),
                        responseParts: ("ResultsByPartition", "PartitionIndex", "PartitionErrorCode"))
                ],
                isWhole: true, highest: 3),
            APIRule(key: 25, asks: [transaction(), group(.commit)]),
            APIRule(key: 26, asks: [transaction()]),
            APIRule(
                key: 28, asks: [transaction(), group(.commit)],
                partials: [topics(.commit, parts: partitions, responseParts: partitionErrors)]),
            APIRule(
                key: 32,
                partials: [
                    Partial(
                        request: "Resources", name: "ResourceName", subject: .configuration, action: .describe,
                        response: "Results", responseName: "ResourceName")
                ],
                blanks: [.brokerSettings]),
            APIRule(
                key: 33,
                partials: [
                    Partial(
                        request: "Resources", name: "ResourceName", subject: .configuration, action: .alter,
                        response: "Responses", responseName: "ResourceName")
                ]),
            APIRule(
                key: 44,
                partials: [
                    Partial(
                        request: "Resources", name: "ResourceName", subject: .configuration, action: .alter,
                        response: "Responses", responseName: "ResourceName")
                ]),
            APIRule(key: 37, partials: [topics(.alter, response: "Results")]),
            APIRule(key: 42, partials: [groups(.delete, request: "GroupsNames", response: "Results")]),
            APIRule(
                key: 47, asks: [group(.delete)],
                partials: [topics(.commit, parts: partitions, responseParts: partitionErrors)]),
            APIRule(
                key: 55, asks: [.cluster(.describe)], blanks: [.inner(array: "Nodes", "Listeners")]),
            APIRule(
                key: 60, asks: [.covered, .number("EndpointType", in: 1...1)],
                nodes: [Nodes(array: "Brokers", id: "BrokerId")],
                authorizedOperations: [.init(field: "ClusterAuthorizedOperations", kind: .cluster)]),
            APIRule(
                key: 61,
                partials: [
                    topics(
                        .consume, parts: ("PartitionIndexes", nil), responseParts: partitionErrors)
                ]),
            APIRule(
                key: 65,
                partials: [
                    Partial(
                        request: "TransactionalIds", subject: .kind(.transaction, error: transactionError),
                        action: .describe, response: "TransactionStates", responseName: "TransactionalId")
                ],
                filters: [topicList("TransactionStates", "Topics", name: "Topic")]),
            APIRule(
                key: 66, asks: [.covered],
                filters: [Filter(path: ["TransactionStates"], name: "TransactionalId", kind: .transaction)]),
            APIRule(
                key: 68,
                asks: [
                    group(.consume),
                    .subscription(
                        "SubscribedTopicNames", [.init(path: ["SubscribedTopicNames"], action: .describe)],
                        error: topicError),
                ],
                filters: [topicList("Assignment", "TopicPartitions", id: "TopicId")]),
            APIRule(
                key: 69, partials: [groups(.describe, request: "GroupIds", response: "Groups")],
                filters: [
                    topicList("Groups", "Members", "SubscribedTopicNames"),
                    topicList("Groups", "Members", "Assignment", "TopicPartitions", name: "TopicName"),
                    topicList("Groups", "Members", "TargetAssignment", "TopicPartitions", name: "TopicName"),
                ],
                authorizedOperations: [
                    .init(array: "Groups", field: "AuthorizedOperations", name: "GroupId", kind: .group)
                ], blanks: [clientHosts]),
            APIRule(
                key: 74, asks: [.covered],
                filters: [
                    Filter(path: ["ConfigResources"], name: "ResourceName", kind: .cluster, isConfiguration: true)
                ]),
            APIRule(
                key: 75, asks: [.covered], partials: [topics(.describe)],
                filters: [topicList("Topics", name: "Name")],
                authorizedOperations: [
                    .init(array: "Topics", field: "TopicAuthorizedOperations", name: "Name", kind: .topic)
                ], skips: ["Partitions"]),
            APIRule(
                key: 77, partials: [groups(.describe, request: "GroupIds", response: "Groups")],
                filters: [
                    topicList("Groups", "Members", "SubscribedTopicNames"),
                    topicList("Groups", "Members", "Assignment", "TopicPartitions", name: "TopicName"),
                ],
                authorizedOperations: [
                    .init(array: "Groups", field: "AuthorizedOperations", name: "GroupId", kind: .group)
                ], blanks: [clientHosts]),
            APIRule(
                key: 88,
                asks: [
                    group(.consume),
                    .empty(["Topology", "Subtopologies", "SourceTopicRegex"]),
                    .subscription(
                        "Topology",
                        [
                            .init(path: ["Topology", "Subtopologies", "SourceTopics"], action: .describe),
                            .init(path: ["Topology", "Subtopologies", "RepartitionSinkTopics"], action: .describe),
                            .init(
                                path: ["Topology", "Subtopologies", "StateChangelogTopics", "Name"], action: .create),
                            .init(
                                path: ["Topology", "Subtopologies", "RepartitionSourceTopics", "Name"], action: .create),
                        ], error: topicError),
                ],
                filters: [
                    topicList("PartitionsByUserEndpoint", "ActivePartitions", name: "Topic"),
                    topicList("PartitionsByUserEndpoint", "StandbyPartitions", name: "Topic"),
                ]),
            APIRule(
                key: 89, partials: [groups(.describe, request: "GroupIds", response: "Groups")],
                filters: [
                    topicList("Groups", "Topology", "Subtopologies", "SourceTopics"),
                    topicList("Groups", "Topology", "Subtopologies", "RepartitionSinkTopics"),
                    topicList("Groups", "Topology", "Subtopologies", "StateChangelogTopics", name: "Name"),
                    topicList("Groups", "Topology", "Subtopologies", "RepartitionSourceTopics", name: "Name"),
                ],
                authorizedOperations: [
                    .init(array: "Groups", field: "AuthorizedOperations", name: "GroupId", kind: .group)
                ], blanks: [clientHosts]),
            APIRule(
                key: 90,
                partials: [
                    Partial(
                        request: "Groups", name: "GroupId", subject: .kind(.group, error: groupError),
                        action: .describe, response: "Groups", responseName: "GroupId"),
                    topics(
                        .describe, name: "TopicName", responseName: "TopicName", parts: ("Partitions", nil),
                        responseParts: partitionErrors, parent: ("Groups", "GroupId")),
                ], filters: [topicList("Groups", "Topics", name: "TopicName")]),
            APIRule(
                key: 91, asks: [group(.commit)],
                partials: [
                    topics(
                        .commit, name: "TopicName", response: "Responses", responseName: "TopicName", parts: partitions,
                        responseParts: partitionErrors)
                ]),
            APIRule(
                key: 92, asks: [group(.delete)],
                partials: [topics(.commit, name: "TopicName", response: "Responses", responseName: "TopicName")]),
        ]
        // ACLs, quotas, users, reassignments, log directories, elections, features, brokers and voters.
        + admin(27, 29, 30, 31, 34, 35, 43, 45, 46, 48, 49, 50, 51, 57, 64, 80, 81)
        // Delegation tokens would be the gateway's own; 83 to 87 are between brokers. Taken and refused, never told.
        + [38, 39, 40, 41].map {
            APIRule(
                key: $0, asks: [.nobody(KafkaError.delegationTokenAuthorizationFailed)], isOffered: false)
        }
}
