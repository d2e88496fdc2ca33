/// A rule that compiles and yet does not do what its author means.
public struct MaskingWarning: Sendable, Equatable {
    /// Of the rule, from 0.
    public var rule: Int
    public var message: String
    /// What would be right.
    public var suggestion: String

    static func all(_ rules: [MaskingRule], _ paths: [FieldPath]) -> [MaskingWarning] {
        var found: [MaskingWarning] = []
        for (index, rule) in rules.enumerated() {
            if rule.parts.isEmpty {
                found.append(
                    MaskingWarning(
                        rule: index, message: "the rule looks nowhere", suggestion: "'in' with value or headers"))
            }
            let earlier = (0..<index).first {
                rule.parts.isSubset(of: rules[$0].parts) && !rule.parts.isEmpty && paths[$0].covers(paths[index])
            }
            if let earlier, rules[earlier].action != rule.action || paths[earlier] == paths[index] {
                found.append(
                    MaskingWarning(
                        rule: index,
                        message:
                            "never acts: rule \(earlier + 1), '\(rules[earlier].field)', covers what '\(rule.field)' names",
                        suggestion: "the narrower path first, or one rule less"))
            }
            if case .index = paths[index].segments.last, rule.action == .drop {
                found.append(
                    MaskingWarning(
                        rule: index, message: "dropping an element by its number moves those behind it",
                        suggestion: "nullify keeps their places"))
            }
        }
        return found
    }
}

extension FieldPath {
    /// True where this path, or a beginning of what it reaches, reaches all that the other does.
    ///
    /// Careful: false where that is not plain to see.
    func covers(_ other: FieldPath) -> Bool { FieldPath.covers(segments[...], other.segments[...]) }

    private static func covers(_ wide: ArraySlice<PathSegment>, _ narrow: ArraySlice<PathSegment>) -> Bool {
        guard let first = wide.first else { return true }
        if first == .anyDepth {
            let rest = wide.dropFirst()
            return narrow.indices.contains { covers(rest, narrow[$0...]) } || covers(rest, narrow[narrow.endIndex...])
        }
        guard let other = narrow.first, other != .anyDepth else { return false }
        switch (first, other) {
        case (.anyKey, .key), (.anyKey, .index), (.anyKey, .anyIndex), (.anyIndex, .index): break
        default: if first != other { return false }
        }
        return covers(wide.dropFirst(), narrow.dropFirst())
    }
}
