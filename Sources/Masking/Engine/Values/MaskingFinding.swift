/// What a mask found in one value, for `tidegate mask --explain`: where and why, never what.
public struct MaskingFinding: Sendable, Equatable {
    /// As a rule would write it; empty where the value is the whole of a text.
    public var path: String
    /// In the profile, from 0.
    public var rule: Int
    /// Nil where the place alone decided.
    public var detector: String?
    /// Bytes of the value's text, in UTF-8.
    public var start: Int
    public var end: Int
    /// 0 to 100; 100 where the place alone decided.
    public var confidence: Int
    /// The action's word in the configuration.
    public var action: String
}
