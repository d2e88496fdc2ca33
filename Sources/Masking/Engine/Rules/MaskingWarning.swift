import TidegateCore

/// A rule that compiles and yet does not do what its author means.
public struct MaskingWarning: Sendable, Equatable {
    /// Of the rule, from 0.
    public var rule: Int
    public var message: String
    /// What would be right.
    public var suggestion: String

    /// - Parameter paths: of the rules that have one.
    static func all(_ rules: [MaskingRule], _ paths: [FieldPath?]) -> [MaskingWarning] {
        rules.indices.flatMap { index in about(index, rules, paths) }
    }

    private static func about(_ index: Int, _ rules: [MaskingRule], _ paths: [FieldPath?]) -> [MaskingWarning] {
        let rule = rules[index]
        var found: [MaskingWarning] = []
        func warn(_ message: String, _ suggestion: String) {
            found.append(MaskingWarning(rule: index, message: message, suggestion: suggestion))
        }
        if rule.parts?.isEmpty == true { warn("the rule looks nowhere", "'in' with value or headers") }
        let earlier = (0..<index).first { covers(rules[$0], paths[$0], rule, paths[index]) }
        if let earlier, rules[earlier].action != rule.action || rules[earlier].selector == rule.selector {
            warn(
                "never acts: rule \(earlier + 1), '\(rules[earlier].label)', covers what '\(rule.label)' names",
                "the narrower rule first, or one rule less")
        }
        if earlier == nil,
            let later = rules.indices.dropFirst(index + 1).first(where: { later in
                rules[later].action != rule.action && areParts(rule, of: rules[later])
                    && takesAround(rules[later], paths[later], rule, paths[index])
            })
        {
            warn(
                "never acts in documents: rule \(later + 1), '\(rules[later].label)', takes the whole of what it is in",
                "one rule less, or paths for what else is to be masked there")
        }
        if case .index = paths[index]?.segments.last, rule.action == .drop {
            warn("dropping an element by its number moves those behind it", "nullify keeps their places")
        }
        return found
    }

    /// True where the second rule looks wherever the first does.
    private static func areParts(_ narrow: MaskingRule, of wide: MaskingRule) -> Bool {
        let parts: Set<RecordPart> = [.value, .header]
        let looked = narrow.parts ?? parts
        return !looked.isEmpty && looked.isSubset(of: wide.parts ?? parts)
    }

    /// True where the first rule replaces, in a document, something that all of the second one's values are inside of.
    ///
    /// Careful: false where that is not plain to see.
    private static func takesAround(
        _ outer: MaskingRule, _ outerPath: FieldPath?, _ inner: MaskingRule, _ innerPath: FieldPath?
    ) -> Bool {
        if case .column = inner.selector { return false }
        if case .everything = inner.selector { return false }
        if case .everything = outer.selector { return true }
        guard let outerPath, let innerPath else { return false }
        return innerPath.segments.indices.contains { count in
            outerPath.covers(FieldPath(segments: Array(innerPath.segments[..<count])))
        }
    }

    /// True where the first rule takes all that the second could.
    private static func covers(
        _ wide: MaskingRule, _ widePath: FieldPath?, _ narrow: MaskingRule, _ narrowPath: FieldPath?
    ) -> Bool {
        guard areParts(narrow, of: wide) else { return false }
        if case .everything = wide.selector { return true }
        if case .detectors(let wide) = wide.selector, case .detectors(let narrow) = narrow.selector {
            return Set(narrow).isSubset(of: wide)
        }
        if wide.selector == narrow.selector { return true }
        guard let widePath, let narrowPath else { return false }
        return widePath.covers(narrowPath)
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
