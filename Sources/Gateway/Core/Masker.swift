/// Which part of a record a field is.
public enum RecordPart: UInt8, Sendable, BitwiseCopyable, CaseIterable { case key, value, header }

/// A field of a record that a mask may look at.
public struct MaskField: Sendable {
    public var part: RecordPart
    /// The record's number in the batch, from 0: what belongs together.
    public var record: UInt32
    /// The content, in the bytes that go with it.
    public var range: Range<Int>
    /// The name of a header, a stream's field, a column; empty where there is none.
    public var name: Range<Int>
    @inlinable
    public init(part: RecordPart, record: UInt32 = 0, range: Range<Int>, name: Range<Int> = 0..<0) {
        self.part = part
        self.record = record
        self.range = range
        self.name = name
    }
}

/// What became of a field.
public enum MaskOutcome: Sendable, Equatable {
    case unchanged
    /// Its new content, a range of the scratch.
    case edited(Range<Int>)
    /// The whole content is to be null.
    case null
    /// The record is to be left out: it could not be masked, and the profile says so.
    case dropRecord
}

/// What a mask did, without values.
public struct MaskCounters: Sendable, Equatable {
    /// Fields edited inside of values, and values replaced whole.
    public var maskedFields: UInt32 = 0
    /// Values that could not be parsed, so that the profile's `onFailure` applied.
    public var failures: UInt32 = 0
    public init() {}
}

/// A compiled masking profile. Called once a batch, never once a record. Implemented by Masking.
public protocol Masker: AnyObject, Sendable {
    /// Looks at each field and appends its outcome, in order; edited content is appended to `scratch`.
    ///
    /// - Returns: false where a question is still open (a schema is being fetched): park that side, ask again. Nothing
    ///   was appended then.
    func mask(
        _ fields: Span<MaskField>, in bytes: RawSpan, into scratch: inout [UInt8], outcomes: inout [MaskOutcome],
        counters: inout MaskCounters
    ) -> Bool
}
