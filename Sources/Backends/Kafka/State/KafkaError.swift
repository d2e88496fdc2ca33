import TidegateCore

/// Kafka's error codes that the gateway itself says (org.apache.kafka.common.protocol.Errors).
enum KafkaError {
    static let unknownServerError: Int16 = -1
    static let none: Int16 = 0
    static let corruptMessage: Int16 = 2
    static let unknownTopic: Int16 = 3
    static let leaderNotAvailable: Int16 = 5
    static let invalidTopic: Int16 = 17
    static let unknownMemberID: Int16 = 25
    static let topicAuthorizationFailed: Int16 = 29
    static let groupAuthorizationFailed: Int16 = 30
    static let clusterAuthorizationFailed: Int16 = 31
    static let unsupportedSASLMechanism: Int16 = 33
    static let illegalSASLState: Int16 = 34
    static let unsupportedVersion: Int16 = 35
    static let invalidRequest: Int16 = 42
    static let unsupportedForMessageFormat: Int16 = 43
    static let invalidProducerIDMapping: Int16 = 49
    static let transactionalIDAuthorizationFailed: Int16 = 53
    static let operationNotAttempted: Int16 = 55
    static let saslAuthenticationFailed: Int16 = 58
    static let delegationTokenAuthorizationFailed: Int16 = 65
    static let fetchSessionIDNotFound: Int16 = 70
    static let unsupportedCompressionType: Int16 = 76
    static let unknownTopicID: Int16 = 100
    static let shareSessionNotFound: Int16 = 122
    static let mismatchedEndpointType: Int16 = 114

    /// What FindCoordinator says for a key that may not be described.
    static func coordinatorDenied(isTransaction: Bool) -> Int16 {
        isTransaction ? transactionalIDAuthorizationFailed : groupAuthorizationFailed
    }

    /// What is said where a right to a thing of that kind is missing.
    static func denied(_ kind: ResourceKind) -> Int16 {
        switch kind {
        case .topic: topicAuthorizationFailed
        case .group: groupAuthorizationFailed
        case .transaction: transactionalIDAuthorizationFailed
        default: clusterAuthorizationFailed
        }
    }
}

/// Kafka's API keys that the machine treats by hand.
enum KafkaKey {
    static let produce: Int16 = 0
    static let fetch: Int16 = 1
    static let metadata: Int16 = 3
    static let initProducerID: Int16 = 22
    static let consumerGroupHeartbeat: Int16 = 68
    static let describeTopicPartitions: Int16 = 75
    /// What only administrators may ask, and what changes nothing.
    static let administrativeReads: Set<Int16> = [29, 35, 46, 48, 50]
    static let saslHandshake: Int16 = 17
    static let apiVersions: Int16 = 18
    static let saslAuthenticate: Int16 = 36
}

/// The kinds of resources on a Kafka route, in the order of the backend's declaration.
enum KafkaKind {
    static let topic: UInt8 = 0
    static let group: UInt8 = 1
    static let transaction: UInt8 = 2
    static let cluster: UInt8 = 3
}
