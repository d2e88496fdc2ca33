/// Which part of a record a field is.
public enum RecordPart: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    case key, value, header
    /// A named field of a stream's entry.
    case field
    /// A column of a row; its name is `schema.table.column`.
    case column
}

/// A field of a record that a mask may look at.
public struct MaskField: Sendable {
    public var part: RecordPart
    /// The record's number in the batch, from 0: what belongs together.
    public var record: UInt32
    /// The content, in the bytes that go with it.
    public var range: Range<Int>
    /// The name of a header, a stream's field, a column; empty where there is none.
    public var name: Range<Int>
    /// A column's type, by Postgres' number; 0 is none.
    public var type: UInt32 = 0
    /// A column in the type's binary form.
    public var isBinary = false
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
    /// Tokens that were opened.
    public var openedFields: UInt32 = 0
    /// Set by the governor: nothing of it was done, it is what would have been.
    public var isDryRun = false
    public init() {}
}

/// Whose reversible tokens are opened: those of nobody, of all domains, or of some.
public enum UnmaskScope: Sendable, Equatable {
    case nothing, everything
    case domains([String])

    public func includes(_ domain: String) -> Bool {
        switch self {
        case .nothing: false
        case .everything: true
        case .domains(let domains): domains.contains(domain)
        }
    }
}

/// What a mask is to know beside the bytes.
public struct MaskRequest: Sendable {
    /// The topic, stream or table, as its protocol writes it.
    public var resource: [UInt8]
    public var opens: UnmaskScope
    /// Called when what was open has an answer.
    public var waker: Waker
    public init(resource: [UInt8] = [], opens: UnmaskScope = .nothing, waker: Waker = Waker {}) {
        self.resource = resource
        self.opens = opens
        self.waker = waker
    }
}

/// A compiled masking profile. Called once a batch, never once a record. Implemented by Masking.
public protocol Masker: AnyObject, Sendable {
    /// Looks at each field and appends its outcome, in order; edited content is appended to `scratch`.
    ///
    /// - Returns: false where a question is still open (a schema is being fetched): park that side, ask again when the
    ///   request's waker was called. Nothing was appended then.
    func mask(
        _ fields: Span<MaskField>, in bytes: RawSpan, for request: MaskRequest, into scratch: inout [UInt8],
        outcomes: inout [MaskOutcome],
        counters: inout MaskCounters
    ) -> Bool
}
