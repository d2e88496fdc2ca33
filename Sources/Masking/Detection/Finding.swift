/// What a detector found in a text.
public struct Finding: Sendable { public var range: Range<Int> }
