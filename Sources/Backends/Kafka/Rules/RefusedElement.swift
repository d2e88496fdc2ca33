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
                ? (element[told.name]?.children ?? []).compactMap { $0[told.index]?.number(window) }
                : partNumbers(element, window)
            fields[told.name] = .repeated(
                [
                    told.error: .integer(Int64(error)),
                    "CommittedOffset": .integer(-1), "CommittedLeaderEpoch": .integer(-1), "Metadata": .text(""),
                    "Timestamp": .integer(-1), "Offset": .integer(-1), "LeaderEpoch": .integer(-1),
                    "EndOffset": .integer(-1), "LowWatermark": .integer(-1),
                ], at: told.index, numbers: numbers)
        }
        return .fields(fields)
    }

    /// All elements of an array refused with one error, encoded one by one: a peer can name very many.
    func refused(
        _ elements: [MessageNode], in answer: MessageSchema, _ error: Int16, _ text: String, _ window: RawSpan,
        isAnswer: Bool = false
    ) -> MessageValue {
        guard let field = answer.field(response, under: nil) else { return .null }
        var bytes: [UInt8] = []
        for element in elements {
            let value = refused(element, error, text, window, isAnswer: isAnswer)
            bytes += MessageWriter.element(field, isFlexible: answer.isFlexible, value)
        }
        return .encoded(bytes, count: elements.count)
    }

    /// The partitions that a request names under one topic.
    private func partNumbers(_ element: MessageNode, _ window: RawSpan) -> [Int32] {
        guard let parts, let list = element[parts.name] else { return [] }
        if let index = parts.index { return list.children.compactMap { $0[index]?.number(window) } }
        return list.numbers(window)
    }
}

extension MessageNode {
    /// A number of four bytes; nil where it is none.
    func number(_ window: RawSpan) -> Int32? {
        range.count == 4 ? window.bigEndian(Int32.self, at: range.lowerBound) : nil
    }

    /// The elements of an array of numbers of four bytes.
    func numbers(_ window: RawSpan) -> [Int32] {
        stride(from: content.lowerBound, to: content.upperBound - 3, by: 4).map { at in
            window.bigEndian(Int32.self, at: at) ?? 0
        }
    }
}
