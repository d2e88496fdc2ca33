import TidegateCore
import TidegateWire

extension APIRule.Partial {
    /// The answer's element for an element that is refused.
    ///
    /// - Parameters:
    ///   - element: of the request, or of the broker's own answer where the right was lost meanwhile.
    ///   - text: for answers that carry any.
    func refused(
        _ element: MessageNode, _ error: Int16, _ text: String, _ window: RawSpan, isAnswer: Bool = false
    ) -> MessageValue {
        var fields: [String: MessageValue] = [
            "ErrorCode": .integer(Int64(error)), "ErrorMessage": text.isEmpty ? .null : .text(text),
        ]
        let name = isAnswer ? element[responseName] : name.map { element[$0] } ?? element
        if let name { fields[responseName] = name.isNull ? .null : .text(window.bytes(name.content)) }
        if let id = id.flatMap({ element[$0] }) { fields["TopicId"] = .id(id.topicID(window)) }
        if let type = element["ResourceType"] { fields["ResourceType"] = .integer(type.integer(window)) }
        if case .coordinator = subject {
            fields["NodeId"] = .integer(-1)
            fields["Port"] = .integer(-1)
        }
        if let told = responseParts {
            let numbers =
                isAnswer
                ? (element[told.name]?.children ?? []).compactMap { $0[told.index]?.integer(window) }
                : partNumbers(element, window)
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

    /// The partitions that a request names under one topic.
    private func partNumbers(_ element: MessageNode, _ window: RawSpan) -> [Int64] {
        guard let parts, let list = element[parts.name] else { return [] }
        if let index = parts.index { return list.children.compactMap { $0[index]?.integer(window) } }
        return stride(from: list.content.lowerBound, to: list.content.upperBound - 3, by: 4).map { at in
            Int64(window.bigEndian(Int32.self, at: at) ?? 0)
        }
    }
}
