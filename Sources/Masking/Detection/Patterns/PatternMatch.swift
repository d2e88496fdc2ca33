/// What a user's pattern matched in a text: the bytes from `start` up to `end`.
public struct PatternMatch: BitwiseCopyable, Sendable, Equatable {
    public var start: Int
    public var end: Int
    /// Place in the list that the set was made of.
    public var pattern: Int
    /// A context word of the pattern stands nearby or in the field's name.
    public var hasContext: Bool

    public init(start: Int, end: Int, pattern: Int, hasContext: Bool) {
        self.start = start
        self.end = end
        self.pattern = pattern
        self.hasContext = hasContext
    }
}

/// The patterns of a set whose context words stand in some text.
public struct PatternContext: BitwiseCopyable, Sendable, Equatable {
    var bits: UInt64
    public static let none = PatternContext(bits: 0)

    public func holds(_ pattern: Int) -> Bool { pattern >= 0 && pattern < 64 && bits >> UInt64(pattern) & 1 == 1 }
}
