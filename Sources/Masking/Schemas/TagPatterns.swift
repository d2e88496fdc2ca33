/// Tags that a registry keeps beside a schema (Confluent, data contracts: `metadata.tags`), by patterns of full names:
/// `shop.v1.Order.email`, `**.email`.
///
/// `?` is one character and `*` any number of them, neither a dot; `**` is any number of any. A backslash takes the next
/// character as it is.
struct TagPatterns: Sendable {
    private enum Token: Equatable {
        case byte(UInt8)
        case one
        case segment
        case anything
    }
    private let patterns: [(tokens: [Token], tags: [String])]

    /// Longer patterns and more of them are refused: names are matched against each.
    static let limit = 1000

    init(_ tags: [String: [String]]) throws(SchemaError) {
        guard tags.count <= TagPatterns.limit, tags.keys.allSatisfy({ $0.utf8.count <= TagPatterns.limit }) else {
            throw SchemaError("the schema has too many tags beside it, or too long patterns")
        }
        patterns = tags.sorted { $0.key < $1.key }.map { (TagPatterns.tokens(Array($0.key.utf8)), $0.value) }
    }

    var isEmpty: Bool { patterns.isEmpty }

    func tags(of name: String) -> [String] {
        let bytes = Array(name.utf8)
        return patterns.flatMap { TagPatterns.matches(bytes, $0.tokens) ? $0.tags : [] }
    }

    private static func tokens(_ pattern: [UInt8]) -> [Token] {
        var tokens: [Token] = []
        var at = 0
        while at < pattern.count {
            switch pattern[at] {
            case UInt8(ascii: "\\") where at + 1 < pattern.count:
                at += 1
                tokens.append(.byte(pattern[at]))
            case UInt8(ascii: "?"): tokens.append(.one)
            case UInt8(ascii: "*"):
                let isDouble = at + 1 < pattern.count && pattern[at + 1] == UInt8(ascii: "*")
                if isDouble { at += 1 }
                tokens.append(isDouble ? .anything : .segment)
            default: tokens.append(.byte(pattern[at]))
            }
            at += 1
        }
        return tokens
    }

    /// All ends of the name's beginnings that a pattern's beginning matches, token by token.
    private static func matches(_ name: [UInt8], _ tokens: [Token]) -> Bool {
        var ends = [Bool](repeating: false, count: name.count + 1)
        ends[0] = true
        for token in tokens {
            var next = [Bool](repeating: false, count: name.count + 1)
            for at in 0...name.count {
                switch token {
                case .byte(let byte): if at > 0, ends[at - 1], name[at - 1] == byte { next[at] = true }
                case .one: if at > 0, ends[at - 1], name[at - 1] != UInt8(ascii: ".") { next[at] = true }
                case .segment: next[at] = ends[at] || at > 0 && next[at - 1] && name[at - 1] != UInt8(ascii: ".")
                case .anything: next[at] = ends[at] || at > 0 && next[at - 1]
                }
            }
            ends = next
        }
        return ends[name.count]
    }
}
