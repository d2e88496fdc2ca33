import Synchronization
import TidegateCore
import TidegateWire

/// What tests ask of the tables, without seeing into them.
package enum KafkaInspection {
    package static var messageCount: Int { schemas.count }

    private static var schemas: [MessageSchema] {
        MessageCatalog.shared.apis.compactMap { $0 }.flatMap { $0.requests + $0.responses }
    }

    private static func read(_ schema: MessageSchema, _ bytes: [UInt8]) -> MessageNode? {
        var reader = MessageReader(schema, body: 0..<bytes.count)
        return try? unsafe reader.read(bytes.span.bytes)
    }

    /// A message with one element in every array and a text in every string.
    static func sample(_ schema: MessageSchema, text: (String) -> String = { $0 }) -> [UInt8] {
        var writer = MessageWriter(isFlexible: schema.isFlexible)
        writer.structure(schema.fields, values(schema.fields, isResponse: schema.isResponse, text))
        return writer.bytes
    }

    private static func values(
        _ fields: [MessageSchema.Field], isResponse: Bool, _ text: (String) -> String
    ) -> [String: MessageValue] {
        var values: [String: MessageValue] = [:]
        for field in fields {
            let one = one(field, isResponse: isResponse, text)
            values[field.name] = field.isArray ? .list([one, one]) : one
        }
        if isResponse { return values }
        // What no client may say: a topic by name and id at once, and patterns that only a broker could evaluate.
        if values["Name"] != nil, values["TopicId"] != nil { values["TopicId"] = .id(TopicID(high: 0, low: 0)) }
        if values["SourceTopicRegex"] != nil { values["SourceTopicRegex"] = .list([]) }
        return values
    }

    private static func one(
        _ field: MessageSchema.Field, isResponse: Bool, _ text: (String) -> String
    ) -> MessageValue {
        switch field.kind {
        case .fixed: .integer(1)
        case .uuid: .id(TopicID(high: 1, low: 2))
        case .string: .text(text(field.name))
        case .bytes: .text(field.name)
        case .structure: .fields(values(field.fields, isResponse: isResponse, text))
        }
    }

    /// Messages that do not come back as they were written.
    package static func roundTrips() -> [String] {
        schemas.flatMap { schema -> [String] in
            var failures: [String] = []
            var defaults = MessageWriter(isFlexible: schema.isFlexible)
            defaults.structure(schema.fields, [:])
            for bytes in [defaults.bytes, sample(schema)] {
                guard let tree = read(schema, bytes) else {
                    failures.append("\(schema.name) \(schema.version) is not read")
                    continue
                }
                if tree.range != 0..<bytes.count || !covers(tree) {
                    failures.append("\(schema.name) \(schema.version) is not covered")
                }
            }
            return failures
        }
    }

    /// Children lie in order inside of their parent.
    private static func covers(_ node: MessageNode) -> Bool {
        var at = node.range.lowerBound
        for child in node.children {
            if child.range.lowerBound < at || child.range.upperBound > node.range.upperBound { return false }
            at = child.range.upperBound
            if !covers(child) { return false }
        }
        return true
    }

    package static func truncationsAccepted() -> [String] {
        schemas.flatMap { schema -> [String] in
            let bytes = sample(schema)
            return (0..<bytes.count).filter { read(schema, Array(bytes[..<$0])) != nil }.map {
                "\(schema.name) \(schema.version) at \($0)"
            }
        }
    }

    package static func readNoise(seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        for schema in schemas {
            var bytes = sample(schema)
            for _ in 0..<4 where !bytes.isEmpty {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                bytes[Int(state % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: state >> 32)
            }
            _ = read(schema, bytes)
        }
    }

    /// Asks a cluster that nobody refreshes for what it does not know, and then takes its refresher away for good.
    ///
    /// - Returns: how often who waited was woken, and whether questions are answered: before, those that waited, and two
    ///   that come later.
    package static func asksRetired() -> (wakes: Int, answered: [Bool]) {
        let cluster = KafkaCluster(
            name: "retired", settings: KafkaSettings(bootstrap: []), log: Log(minimum: .error, sink: { _ in }))
        let wakes = Atomic<Int>(0)
        let first = cluster.refresh(waking: Waker { wakes.add(1, ordering: .relaxed) })
        let before = cluster.isDone(first)
        cluster.retire()
        let later = [
            cluster.refresh(waking: Waker {}), cluster.lookUp(at: Instant(seconds: 1), waking: Waker {}),
            cluster.lookUp(at: Instant(seconds: 1), waking: Waker {}),
        ]
        return (wakes.load(ordering: .relaxed), [before] + ([first] + later).map(cluster.isDone))
    }

    /// Whether a cluster's refresh is found stalled at each of three looks: one is asked for before the first, and made
    /// before the last where the broker answers.
    package static func looksAtRefresh(answered: Bool) -> [Bool] {
        let cluster = KafkaCluster(
            name: "watched", settings: KafkaSettings(bootstrap: []), log: Log(minimum: .error, sink: { _ in }))
        var watch = KafkaCluster.Watch()
        _ = cluster.refresh(waking: Waker {})
        var found = [watch.isStalled(cluster)]
        if answered {
            cluster.begin()
            cluster.publishFailure()
        }
        found.append(watch.isStalled(cluster))
        found.append(watch.isStalled(cluster))
        return found
    }

    /// Partitions of the longest fetch session, and the bytes of memory that each takes, its share of free places included.
    package static var longestFetchSession: (partitions: Int, bytesEach: Int) {
        var entries: [FetchSession.Key: FetchSession.Entry] = [:]
        entries.reserveCapacity(FetchSession.limit)
        let each = MemoryLayout<FetchSession.Key>.stride + MemoryLayout<FetchSession.Entry>.stride
        return (FetchSession.limit, entries.capacity * 4 / 3 * each / FetchSession.limit)
    }

    /// String, uuid and bytes fields that neither Kafka's `entityType`, nor a rule, nor `FieldsOfNoResource` knows.
    package static func unaccountedFields() -> [String] {
        var open: Set<String> = []
        for api in MessageCatalog.shared.apis.compactMap({ $0 }) {
            for schema in api.requests + api.responses {
                collect(schema.fields, path: schema.name, &open)
            }
        }
        return open.sorted()
    }

    private static func collect(_ fields: [MessageSchema.Field], path: String, _ open: inout Set<String>) {
        for field in fields {
            let place = "\(path).\(field.name)"
            switch field.kind {
            case .structure: collect(field.fields, path: place, &open)
            case .fixed: continue
            case .uuid, .string, .bytes:
                if !field.entity.isEmpty || FieldsOfNoResource.isKnown(field.name, place) { continue }
                open.insert(place)
            }
        }
    }
}
