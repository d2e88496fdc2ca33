public import TidegateCore

/// What a profile does with the values that its rules name.
public enum MaskingAction: Sendable, Equatable {
    /// A fixed text for a string; anything else becomes null, since a type holds or is absent.
    case redact(String)
    /// The first or last characters, behind or before four stars: the length does not show. A string of no more characters
    /// is starred whole; what is no string becomes null.
    case keepFirst(Int)
    case keepLast(Int)
    case nullify
    /// The member or element goes, and a comma with it.
    case drop
}

/// What happens to a value that cannot be looked into.
public enum MaskingOnFailure: String, Sendable, CaseIterable {
    case redactValue = "redact-value"
    case dropRecord = "drop-record"
    case pass
}

public struct MaskingRule: Sendable, Equatable {
    /// `card.number`, `**.email`, `items[0].sku`, `items[*]`, `*`; a name with dots in quotes: `"a.b".c`.
    public var field: String
    /// Where the rule looks; without `in` values and headers.
    public var parts: Set<RecordPart>
    public var action: MaskingAction
    public init(field: String, parts: Set<RecordPart> = [.value, .header], action: MaskingAction) {
        self.field = field
        self.parts = parts
        self.action = action
    }
}

public struct MaskingProfileSettings: Sendable, Equatable {
    public var name: String
    public var onFailure: MaskingOnFailure
    public var rules: [MaskingRule]
    public init(name: String, onFailure: MaskingOnFailure = .redactValue, rules: [MaskingRule]) {
        self.name = name
        self.onFailure = onFailure
        self.rules = rules
    }
}

/// All that keeps a profile from being compiled, by rule.
public struct MaskingSettingsErrors: Error, Sendable, Equatable {
    public var list: [MaskingSettingsError]
    public init(_ list: [MaskingSettingsError]) { self.list = list }
}

/// Why one rule of a profile cannot be compiled.
public struct MaskingSettingsError: Sendable, Equatable {
    /// Of the rule, from 0.
    public var rule: Int
    public var message: String
    /// What would be right.
    public var suggestion: String
    public init(rule: Int, message: String, suggestion: String) {
        self.rule = rule
        self.message = message
        self.suggestion = suggestion
    }
}
