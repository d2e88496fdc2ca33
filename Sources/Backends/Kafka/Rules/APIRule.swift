import TidegateCore

/// What one API asks for, how a refusal of it is spelled, and what of its answer must be looked at.
///
/// The table is `../shared/wire/kafka-apis.md`, section 3, in code: everything that is not hot is decided by it.
struct APIRule: Sendable {
    var key: Int16
    /// What must be allowed before the request goes on.
    var asks: [Ask] = []
    /// Elements of the request that are refused one by one, and how their answers look.
    var partials: [Partial] = []
    /// One refused element refuses all (as Kafka does): the others get `KafkaError.operationNotAttempted`, or the top
    /// error stands for all.
    var isWhole = false
    /// What must go from the answer.
    var filters: [Filter] = []
    /// Brokers' addresses in the answer.
    var nodes: [Nodes] = []
    /// Fields of the answer that tell what the gateway's own user may do.
    var authorizedOperations: [AuthorizedOperations] = []
    /// Free text and addresses to blank in the answer.
    var blanks: [Blank] = []
    /// Arrays that no part of the rule looks into.
    var skips: Set<String> = []
    /// Told in ApiVersions and taken; what is taken but not told is answered with a refusal.
    var isOffered = true
    var isServed = true
    var highest = Int16.max

    enum Ask: Sendable {
        /// Open to whoever a rule of the route covers.
        case covered
        /// Open to nobody: the answer has this error.
        case nobody(Int16)
        case cluster(Action)
        /// One name at the top; null (or empty, where `emptyIsNone`) asks for nothing.
        case name(String, ResourceKind, Action, error: Int16)
        /// A number at the top that only brokers set to anything else.
        case number(String, in: ClosedRange<Int64>)
        /// Strings below the path that must not be there.
        case empty([String])
        /// Topics that a heartbeat names where its field is not null, which means what was said last; one refused refuses
        /// all with this error.
        case subscription(String, [Said], error: Int16)
    }

    /// Names of topics anywhere below a path, and what saying them asks for.
    struct Said: Sendable {
        var path: [String]
        var action: Action
    }

    struct Partial: Sendable {
        /// The array of the request; strings, or structures with `name` and perhaps `id`.
        var request: String
        var name: String?
        var id: String?
        var subject: Subject
        var action: Action
        /// The array of the answer, and what its elements call the name.
        var response: String
        var responseName: String
        /// The inner array, where errors stand with partitions: its name, and what its elements call their number (nil:
        /// they are plain numbers).
        var parts: (name: String, index: String?)?
        var responseParts: (name: String, index: String, error: String)?
        /// Groups[] of OffsetFetch 8+: the array whose elements hold `request` (and `response`), and their key.
        var parent: (array: String, key: String)?

        /// The arrays of a message that the partial is about, each with the element that holds it (nil: the message).
        func lists(_ array: String, in tree: MessageNode) -> [(list: MessageNode, outer: MessageNode?)] {
            guard let parent else { return tree[array].map { [($0, nil)] } ?? [] }
            return (tree[parent.array]?.children ?? []).compactMap { outer in outer[array].map { ($0, outer) } }
        }

        enum Subject: Sendable {
            case kind(ResourceKind, error: Int16)
            /// FindCoordinator: `KeyType` at the top says which.
            case coordinator
            /// Configuration resources: `ResourceType` of the element says which.
            case configuration
        }
    }

    /// Entries of a list that are dropped where the principal may not describe them.
    struct Filter: Sendable {
        /// Arrays and structures down to the array.
        var path: [String]
        var name: String?
        var id: String?
        var kind: ResourceKind
        /// ListConfigResources: the type says which kind; nil keeps the element only for `describe` on the cluster.
        var isConfiguration = false
    }

    struct Nodes: Sendable {
        /// The array; nil: at the top.
        var array: String?
        var id: String
    }

    struct AuthorizedOperations: Sendable {
        var array: String?
        var field: String
        /// The element's name field; nil for the cluster.
        var name: String?
        var kind: ResourceKind
    }

    enum Blank: Sendable {
        /// An array inside the elements of an array, emptied.
        case inner(array: String, String)
        /// A text in the elements of an array, emptied.
        case text([String], String)
        /// Values of settings that hold addresses, in answers to DescribeConfigs.
        case brokerSettings
    }
}

extension ResourceKind {
    static let topic = ResourceKind(KafkaKind.topic)
    static let group = ResourceKind(KafkaKind.group)
    static let transaction = ResourceKind(KafkaKind.transaction)
    static let cluster = ResourceKind(KafkaKind.cluster)
}
