public import TidegateCore
import TidegateSchemas
public import TidegateTokens

/// What a profile does with the values that its rules name.
public enum MaskingAction: Sendable, Equatable {
    /// A fixed text for a string; anything else becomes null, since a type holds or is absent.
    case redact(String)
    /// The first or last characters, behind or before four stars: the length does not show. A string of no more characters
    /// is starred whole; what is no string becomes null.
    case keepFirst(Int)
    case keepLast(Int)
    /// One part of an e-mail address stays; what is no address is starred whole.
    case email(EmailPart)
    case nullify
    /// The member or element goes, and a comma with it.
    case drop
    /// The lower bound of the number's bucket; `width` is a decimal number above zero.
    case bucket(width: String)
    /// The first day of the date's month or year, in the layout that it has.
    case coarsen(DatePart)
    /// The date or time moved by days that are the same for one subject.
    case shiftDate(DateShiftSettings)
    /// Something that stands for the value: the same for the same value in the same domain.
    case token(TokenSettings)

    public enum EmailPart: String, Sendable, CaseIterable {
        /// `****@example.com`, `alice@****`, `a****@example.com`.
        case domain, local, initial
    }
    public enum DatePart: String, Sendable, CaseIterable { case month, year }
}

/// What stands for a value, and under which key.
public struct TokenSettings: Sendable, Equatable {
    /// Of `masking.keys`.
    public var key: String
    /// Values of one domain can be joined over topics, streams and tables; those of two cannot.
    public var domain: String
    public var form: TokenForm
    public var normalisation: Normalisation
    public init(key: String, domain: String, form: TokenForm, normalisation: Normalisation = .none) {
        self.key = key
        self.domain = domain
        self.form = form
        self.normalisation = normalisation
    }
}

public struct DateShiftSettings: Sendable, Equatable {
    public var key: String
    public var domain: String
    /// At most so many days, either way.
    public var days: Int
    /// Where in the same document it stands whose date it is; without it all dates of the domain move alike.
    public var subject: String?
    public init(key: String, domain: String, days: Int, subject: String? = nil) {
        self.key = key
        self.domain = domain
        self.days = days
        self.subject = subject
    }
}

/// What a rule looks at.
public enum MaskingSelector: Sendable, Equatable {
    /// `card.number`, `**.email`, `items[0].sku`, `items[*]`, `*`; a name with dots in quotes: `"a.b".c`.
    case field(String)
    /// A regular expression that the names of fields, headers and columns are compared with, at any depth.
    case namePattern(String)
    /// What a schema marks with this tag.
    case tag(String)
    /// `[schema.]table.column`.
    case column(String)
    /// Built-in detectors and those of `masking.detectors`, by name.
    case detectors([String])
    /// Every value.
    case everything
}

/// What happens to a value that cannot be looked into.
public enum MaskingOnFailure: String, Sendable, CaseIterable {
    case redactValue = "redact-value"
    case dropRecord = "drop-record"
    case pass
}

public struct MaskingRule: Sendable, Equatable {
    public var selector: MaskingSelector
    /// Where the rule looks; nil is value and headers, with what it finds in a record key made a token.
    public var parts: Set<RecordPart>?
    public var action: MaskingAction
    public init(_ selector: MaskingSelector, in parts: Set<RecordPart>? = nil, action: MaskingAction) {
        self.selector = selector
        self.parts = parts
        self.action = action
    }

    /// A rule for a path.
    public init(field: String, parts: Set<RecordPart>? = nil, action: MaskingAction) {
        self.init(.field(field), in: parts, action: action)
    }

    /// How warnings call the rule.
    public var label: String {
        switch selector {
        case .field(let path): path
        case .namePattern(let pattern): "/\(pattern)/"
        case .tag(let tag): "tag \(tag)"
        case .column(let column): "column \(column)"
        case .detectors(let names): names.joined(separator: ", ")
        case .everything: "everything"
        }
    }

    /// How metrics call the rule, which anybody may read: without the table of a column.
    public var publicLabel: String {
        guard case .column(let column) = selector else { return label }
        return "column \(column.split(separator: ".").last ?? "")"
    }
}

/// How a value is to be read.
public enum MaskingFormat: String, Sendable, CaseIterable {
    /// By its first bytes: registry framing where the profile has a registry, else JSON.
    case auto
    case json, text, avro, protobuf
}

public struct MaskingProfileSettings: Sendable, Equatable {
    public var name: String
    public var onFailure: MaskingOnFailure
    public var format: MaskingFormat
    public var rules: [MaskingRule]
    /// Of `masking.registries`; nil is none.
    public var registry: String?
    /// Schemas from files, by topic.
    public var schemas: [FileSchemaSettings]
    public init(
        name: String, onFailure: MaskingOnFailure = .redactValue, format: MaskingFormat = .auto, rules: [MaskingRule],
        registry: String? = nil, schemas: [FileSchemaSettings] = []
    ) {
        self.name = name
        self.onFailure = onFailure
        self.format = format
        self.rules = rules
        self.registry = registry
        self.schemas = schemas
    }
}

/// A schema from a file, for values that carry no id of one.
public struct FileSchemaSettings: Sendable, Equatable {
    /// Globs of topics, streams or tables.
    public var resources: [String]
    public var part: RecordPart
    /// An `.avsc`, a `.proto` or a descriptor set.
    public var file: String
    /// The message's full name; Protobuf only.
    public var message: String?
    public init(resources: [String], part: RecordPart = .value, file: String, message: String? = nil) {
        self.resources = resources
        self.part = part
        self.file = file
        self.message = message
    }

    /// The files that a schema's file imports, directly or not, whether they are there or not.
    public static func imports(ofFile file: String) -> [String] { Schema.imports(ofFile: file) }
}

/// All that profiles share: keys, detectors of the operator's own, registries.
public struct MaskingMaterial: Sendable {
    public var keys: [String: MaskingKey]
    public var detectors: [String: UserDetectorSettings]
    public var registries: [String: SchemaRegistrySettings]
    public init(
        keys: [String: MaskingKey] = [:], detectors: [String: UserDetectorSettings] = [:],
        registries: [String: SchemaRegistrySettings] = [:]
    ) {
        self.keys = keys
        self.detectors = detectors
        self.registries = registries
    }
}

/// A detector of the operator's own.
public struct UserDetectorSettings: Sendable, Equatable {
    public var pattern: String
    /// By name, as `Checksum` has them.
    public var checksum: String?
    /// Words of a field's name, or near by in a text.
    public var context: [String]
    /// Nothing is found without one of the words.
    public var needsContext: Bool
    public init(pattern: String, checksum: String? = nil, context: [String] = [], needsContext: Bool = false) {
        self.pattern = pattern
        self.checksum = checksum
        self.context = context
        self.needsContext = needsContext
    }
}

/// Where a registry is, and how long what it said is good.
public struct SchemaRegistrySettings: Sendable, Equatable {
    public var url: String
    public var username: String?
    public var password: [UInt8]
    /// Files in PEM: authorities, without which the system's are trusted, and the gateway's own certificate with its key.
    public struct TLS: Sendable, Equatable {
        public var ca: String?
        public var certificate: String?
        public var key: String?
        public init(ca: String? = nil, certificate: String? = nil, key: String? = nil) {
            self.ca = ca
            self.certificate = certificate
            self.key = key
        }
    }
    public var tls: TLS?
    /// Seconds that a schema is used for without the registry having been reached.
    public var maxAge: Int
    public init(url: String, username: String? = nil, password: [UInt8] = [], tls: TLS? = nil, maxAge: Int = 86_400) {
        self.url = url
        self.username = username
        self.password = password
        self.tls = tls
        self.maxAge = maxAge
    }
}

/// All that keeps a profile from being compiled, by rule.
public struct MaskingSettingsErrors: Error, Sendable, Equatable {
    public var list: [MaskingSettingsError]
    public init(_ list: [MaskingSettingsError]) { self.list = list }
}

/// Why one rule of a profile cannot be compiled.
public struct MaskingSettingsError: Sendable, Equatable {
    /// Of the rule, from 0; -1 is the profile as a whole.
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
