/// Why a key, or settings of tokens, cannot be used; without anything of a key.
public struct TokenSettingsError: Error, Sendable, Equatable {
    public var message: String
    /// What would be right.
    public var suggestion: String
    public init(_ message: String, suggestion: String) {
        self.message = message
        self.suggestion = suggestion
    }
}
