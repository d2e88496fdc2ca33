/// What a part of the configuration may hold: the one source of the validator and of the published JSON Schema.
public indirect enum SettingsSchema: Sendable {
    /// Text; `example` is shown where something else stands there.
    case text(example: String, check: TextCheck = .any)
    case integer(ClosedRange<Int>)
    case boolean
    /// One of some words.
    case word([String])
    case list(SettingsSchema, nonEmpty: Bool = false)
    /// One element or a list of them.
    case oneOrMore(SettingsSchema)
    /// Fixed keys.
    case object([Property])
    /// Names of the writer's own choosing.
    case map(SettingsSchema, nonEmpty: Bool = false)
    /// Exactly one of several shapes, tried by what kind of node stands there.
    case either([SettingsSchema])
    /// Exactly one of these keys (a backend's protocol, an action).
    case choice([Property])
    /// Whatever; another part reads it.
    case anything

    public struct Property: Sendable {
        public var key: String
        public var schema: SettingsSchema
        public var isRequired: Bool
        /// One sentence for the published schema and for editors.
        public var about: String
        /// Non-nil: the contract knows the key, this version does not build its effect; it is refused, with these words.
        public var unavailable: String?
        /// Non-nil: the key is refused for good, with these words.
        public var rejection: Rejection?
        /// A value that is taken, with a warning.
        public var caution: Caution?
        public init(
            _ key: String, _ schema: SettingsSchema, required: Bool = false, _ about: String,
            unavailable: String? = nil, rejection: Rejection? = nil, caution: Caution? = nil
        ) {
            self.key = key
            self.schema = schema
            isRequired = required
            self.about = about
            self.unavailable = unavailable
            self.rejection = rejection
            self.caution = caution
        }
    }

    /// Why a key is never taken, and what is.
    public struct Rejection: Sendable {
        public var message, suggestion: String
        public init(_ message: String, _ suggestion: String) {
            self.message = message
            self.suggestion = suggestion
        }
    }

    /// What a word gives up, and what would not.
    public struct Caution: Sendable {
        public var word, message, suggestion: String
        public init(_ word: String, _ message: String, _ suggestion: String) {
            self.word = word
            self.message = message
            self.suggestion = suggestion
        }
    }

    /// Closer looks at a text.
    public enum TextCheck: Sendable, Equatable {
        case any
        /// Quotes with nothing between them are a value too.
        case orEmpty
        /// `host:port`, an IPv6 host in brackets.
        case address
        /// `9193-9199`.
        case portRange
        case url
        /// A path of a file, which is watched.
        case file
        /// As `file`; it holds a secret, so that not everybody should read it.
        case secretFile
        /// `10.0.0.0/8` or one address.
        case network
        /// `30s`, `2h`, `30d`, in seconds from the lowest to the highest.
        case duration(ClosedRange<Int>)
        /// `10GiB`, in bytes.
        case size(ClosedRange<Int>)
        /// A glob: `*`, `?`, `\`.
        case glob
        /// A decimal number above zero, such as `10` or `0.25`.
        case width
    }
}
