/// What a detector found in a text: the bytes from `start` up to `end`, as they stood in the text.
public struct Finding: BitwiseCopyable, Sendable, Equatable {
    /// Offset of the first byte.
    public var start: Int
    /// Offset behind the last byte.
    public var end: Int
    /// The detector's place in the list that the set was made of.
    public var detector: Int
    /// How sure the detector is, 50 to 100. What is less sure is no finding.
    public var confidence: Int

    public init(start: Int, end: Int, detector: Int, confidence: Int) {
        self.start = start
        self.end = end
        self.detector = detector
        self.confidence = confidence
    }

    public var range: Range<Int> { start..<end }
}
