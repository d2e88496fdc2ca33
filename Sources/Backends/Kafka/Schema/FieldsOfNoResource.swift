/// The overlay over Kafka's `entityType`: what every other string, uuid and bytes field is, so that a new one is noticed.
enum FieldsOfNoResource {
    /// Names that resources or addresses stand under although they have no `entityType`: the rules look at them by name.
    static let governed: Set<String> = [
        "TopicId", "Key", "CoordinatorKeys", "Host", "ResourceName", "ResourceNameFilter", "GroupId", "Records",
        "BatchIndexErrorMessage", "AcknowledgeErrorMessage", "TransactionalIdPattern", "SubscribedTopicRegex",
        "SourceTopicRegex", "ErrorMessage", "Value", "ClientHost",
    ]

    /// Names that stand for nothing that is governed.
    static let harmless: Set<String> = [
        // who and what a client is
        "ClientId", "ClientSoftwareName", "ClientSoftwareVersion", "MemberId", "GroupInstanceId",
        "InstanceId", "RackId", "Rack", "Reason", "Leader", "ProcessId", "ClientInstanceId",
        // how a group works, and its opaque blobs (topics in them are decided on Fetch)
        "ProtocolType", "ProtocolName", "ProtocolData", "GroupState", "GroupType", "AssignorName", "ServerAssignor",
        "StatesFilter", "TypesFilter", "Metadata", "Assignment", "MemberMetadata", "MemberAssignment",
        "CommittedMetadata", "SubtopologyId", "StatusDetail",
        // the cluster
        "ClusterId", "VoterDirectoryId", "ReplicaDirectoryId", "DirectoryId", "LogDir", "Path", "Feature",
        // log-in, tokens, users: for administrators, or refused to all
        "Mechanism", "Mechanisms", "AuthBytes", "Hmac", "TokenId", "PrincipalType", "PrincipalName",
        "OwnerPrincipalType", "OwnerPrincipalName", "TokenRequesterPrincipalType", "TokenRequesterPrincipalName",
        "Principal", "PrincipalFilter", "HostFilter", "User", "Salt", "SaltedPassword", "EntityType", "EntityName",
        "Match",
        // settings
        "ConfigurationKeys", "Documentation",
        // transactions
        "StateFilters", "UnknownStateFilters", "TransactionState",
        // telemetry, which is not served
        "Metrics", "RequestedMetrics", "AcceptedCompressionTypes", "CompressionType",
    ]

    /// `Name` is many things: each by its place.
    static let harmlessPlaces: Set<String> = [
        "ApiVersionsResponse.SupportedFeatures.Name", "ApiVersionsResponse.FinalizedFeatures.Name",
        "JoinGroupRequest.Protocols.Name", "CreateTopicsRequest.Topics.Configs.Name",
        "CreateTopicsResponse.Topics.Configs.Name", "DescribeConfigsResponse.Results.Configs.Name",
        "DescribeConfigsResponse.Results.Configs.Synonyms.Name", "AlterConfigsRequest.Resources.Configs.Name",
        "IncrementalAlterConfigsRequest.Resources.Configs.Name", "DescribeUserScramCredentialsRequest.Users.Name",
        "AlterUserScramCredentialsRequest.Deletions.Name", "AlterUserScramCredentialsRequest.Upsertions.Name",
        "DescribeQuorumResponse.Nodes.Listeners.Name", "AddRaftVoterRequest.Listeners.Name",
    ]

    static func isKnown(_ name: String, _ place: String) -> Bool {
        governed.contains(name) || harmless.contains(name) || harmlessPlaces.contains(place)
    }
}
