/// A detector of a user's own: what it looks for, by which checksum it tells, and which words make it sure.
public struct UserPattern: Sendable, Equatable {
    public static let maximumNameLength = 64
    /// Bytes of a pattern.
    public static let maximumLength = 1000
    public static let maximumWords = 32
    /// Bytes of a context word.
    public static let wordLengths = 2...64

    public let name: String
    /// PCRE's syntax as far as vectorscan runs it, in time linear in the text; matched anywhere in a text of UTF-8.
    public let pattern: String
    /// What each match must pass, its separators taken out.
    public let checksum: Checksum?
    /// Words that stand near such a value, or in its field's name; case does not matter.
    public let context: [String]
    /// True where a match without any of these words is none.
    public let needsContext: Bool

    /// Compiles the pattern alone, to say what is wrong with it: milliseconds.
    public init(
        name: String, pattern: String, checksum: Checksum? = nil, context: [String] = [], needsContext: Bool = false
    ) throws(PatternError) {
        func refuse(_ message: String, _ suggestion: String) -> PatternError {
            PatternError(pattern: name, reason: .declaration, offset: nil, message: message, suggestion: suggestion)
        }
        guard !name.isEmpty, name.utf8.count <= UserPattern.maximumNameLength else {
            throw refuse("the name is empty or too long", "1 to \(UserPattern.maximumNameLength) bytes")
        }
        guard context.count <= UserPattern.maximumWords else {
            throw refuse("\(context.count) context words", "at most \(UserPattern.maximumWords)")
        }
        for word in context where !UserPattern.wordLengths.contains(word.utf8.count) || word.utf8.contains(0) {
            throw refuse(
                "the context word '\(word)' is too short or too long",
                "\(UserPattern.wordLengths.lowerBound) to \(UserPattern.wordLengths.upperBound) bytes")
        }
        guard !needsContext || !context.isEmpty else {
            throw refuse("context is required and no word is given", "one word at least that stands near the value")
        }
        try UserPattern.check(name, pattern)
        self.name = name
        self.pattern = pattern
        self.checksum = checksum
        self.context = context
        self.needsContext = needsContext
    }

    /// Refuses what cannot run.
    @discardableResult
    static func check(_ name: String, _ pattern: String) throws(PatternError) -> PatternDatabase {
        guard !pattern.isEmpty, pattern.utf8.count <= maximumLength else {
            throw PatternError(
                pattern: name, reason: .length, offset: nil, message: "the pattern has \(pattern.utf8.count) bytes",
                suggestion: "1 to \(maximumLength)")
        }
        if let zero = pattern.utf8.firstIndex(of: 0) {
            throw PatternError(
                pattern: name, reason: .syntax, offset: pattern.utf8.distance(from: pattern.utf8.startIndex, to: zero),
                message: "has a zero byte", suggestion: "\\x00 for that character")
        }
        if let excess = RepeatBounds.excess(in: pattern) {
            throw PatternError(
                pattern: name, reason: .tooLarge, offset: excess, message: "repeats too often",
                suggestion:
                    "at most \(RepeatBounds.largest) times, Unicode properties \(RepeatBounds.largestOfProperties), or +"
            )
        }
        let expression = PatternDatabase.Expression(text: pattern, identifier: 0)
        do throws(PatternDatabase.Failure) {
            return try PatternDatabase([expression])
        } catch {
            throw PatternError(name, error, of: pattern)
        }
    }
}

extension PatternError {
    init(_ name: String, _ failure: PatternDatabase.Failure, of pattern: String) {
        let complaint = PatternComplaint(said: failure.complaint, of: pattern)
        self.init(
            pattern: name, reason: complaint.reason, offset: complaint.offset, message: complaint.message,
            suggestion: complaint.suggestion)
    }
}
