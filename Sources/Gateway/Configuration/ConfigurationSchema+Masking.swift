import TidegateCore
import TidegateDetection
import TidegateMasking
import TidegateTokens

extension ConfigurationSchema {
    static let masking = SettingsSchema.object([
        Property(
            "keys", .map(key), "Secrets that tokens are made with, by a name of your own; default is the usual one."),
        Property("detectors", .map(detector), "Detectors of your own, by name."),
        Property("registries", .map(registry), "Schema registries, by a name of your own."),
        Property("profiles", .map(profile), "Profiles by a name of your own."),
    ])

    // MARK: Keys, detectors, registries

    private static let keyFile = Property(
        "file", .text(example: "secrets/masking-key", check: .secretFile),
        "At least 32 random bytes, taken as they are: a newline at the end counts.")
    private static let keyVariable = Property(
        "env", .text(example: "MASKING_KEY"), "A variable of the environment, instead of a file.")
    private static let keyVersion = Property(
        "version", .integer(MaskingKey.versionNumbers), required: true,
        "Which tokens name, so that keys can be changed.")

    private static let key = SettingsSchema.object([
        keyFile, keyVariable, keyVersion,
        Property(
            "previous", .list(.object([keyFile, keyVariable, keyVersion]), nonEmpty: true),
            "Versions before, which open and recognise what they made."),
    ])

    private static let detector = SettingsSchema.object([
        Property(
            "pattern", .text(example: "EMP-[0-9]{6}"), required: true,
            "A regular expression, matched in linear time: without look-around and back references."),
        Property(
            "checksum", .word(Checksum.allCases.map(\.rawValue)), "What else must hold of the characters found."),
        Property(
            "context", .oneOrMore(.text(example: "employee")),
            "Words of a field's name, or near by, that make it surer."),
        Property("needsContext", .boolean, "Nothing is found without one of the words (false)."),
    ])

    private static let registry = SettingsSchema.object([
        Property(
            "url", .text(example: "https://registry:8081", check: .url), required: true,
            "Where the registry answers in Confluent's API."),
        Property("username", .text(example: "tidegate"), "For basic authentication, with its password."),
        Property("passwordFile", .text(example: "secrets/registry", check: .secretFile), "The password, in a file."),
        Property("passwordEnv", .text(example: "REGISTRY_PASSWORD"), "The password, in the environment."),
        Property(
            "tls",
            .object([
                Property("ca", file, "Authorities to trust, in PEM; the system's without it."),
                Property("certificate", file, "The gateway's own certificate (mTLS)."),
                Property("key", privateKey, "Its key."),
            ]), "TLS towards the registry, beside https."),
        Property(
            "maxAge", duration("24h", 60...365 * day),
            "How long what was said is good while it cannot be reached (24h)."),
        Property("insecure", .boolean, "Schemas in the clear outside loopback, where whoever changes them unmasks."),
    ])

    // MARK: Profiles

    private static let profile = SettingsSchema.object([
        Property(
            "format", .word(MaskingFormat.allCases.map(\.rawValue)),
            "How values are read; auto (the default): a registry's framing where there is one, else JSON."),
        Property("registry", name, "One of registries: where the schemas of what carries an id are."),
        Property("schemas", .list(fileSchema, nonEmpty: true), "Schemas in files, for what carries no id."),
        Property(
            "onFailure", .word(MaskingOnFailure.allCases.map(\.rawValue)),
            "What happens to a value that cannot be looked into (redact-value).",
            caution: .init("pass", "values that cannot be looked into pass unmasked", "redact-value or drop-record")),
        Property(
            "rules", .list(rule, nonEmpty: true), required: true,
            "What is hidden, and how; the first that names a value acts."),
    ])

    private static let fileSchema = SettingsSchema.object([
        Property("topics", globs, "Topics whose records it describes."),
        Property(
            "streams", globs, "Keys and channels of Redis whose values it describes; fields of entries have no schema."),
        Property("tables", globs, "Tables whose values it describes; columns have no schema."),
        Property("in", .word(["key", "value"]), "Which part of a record (value)."),
        Property(
            "file", .text(example: "schemas/order.avsc", check: .file), required: true,
            "An .avsc, a .proto, a JSON Schema (.json), or a descriptor set (protoc --descriptor_set_out)."),
        Property("message", .text(example: "shop.Payment"), "The message's full name; Protobuf only."),
    ])

    /// What a rule looks at: exactly one of these.
    static let selectors: [Property] = [
        Property("field", .text(example: "card.number"), "Dotted path with *, **, [n], [*]."),
        Property(
            "fieldPattern", .text(example: "(?i)^(ssn|tax_?id)$"),
            "A regular expression for names of fields, headers and columns, at any depth."),
        Property("tag", .text(example: "PII"), "What a schema marks with this tag."),
        Property("column", .text(example: "customers.phone"), "[schema.]table.column; any schema without."),
        Property(
            "detect", .oneOrMore(.text(example: "credit-card")),
            "Values found by what they look like; all is every detector, your own too."),
        Property("everything", .boolean, "true: every value."),
    ]

    private static let rule = SettingsSchema.object(
        selectors + [
            Property(
                "in", .oneOrMore(.word(["key", "value", "headers"])),
                "Where; without it value and headers, and what is found in a record key becomes a token."),
            Property("action", action, required: true, "What is done with it."),
        ])

    // MARK: Actions

    private static let action = SettingsSchema.either([
        .word(["redact", "nullify", "drop"]),
        .choice([
            Property("redact", .text(example: "[redacted]", check: .orEmpty), "A fixed text of your own."),
            Property("keepFirst", .integer(1...1024), "The first characters stay."),
            Property("keepLast", .integer(1...1024), "The last characters stay."),
            Property(
                "email", .word(MaskingAction.EmailPart.allCases.map(\.rawValue)),
                "The part of an e-mail address that stays."
            ),
            Property("generalise", generalise, "A bucket or a coarser date."),
            Property("shiftDate", shiftDate, "Dates moved, all of one subject alike."),
            Property("token", token, "A token that equal values share."),
            Property("encrypt", encrypt, "The value encrypted: who may unmask gets it back."),
            Property(
                "hash", .anything, "A hash.",
                rejection: .init(
                    "a hash without a key is undone by guessing", "token: { domain: ... }, which is keyed")),
        ]),
    ])

    private static let generalise = SettingsSchema.choice([
        Property(
            "bucket", .text(example: "10", check: .width), "The lower bound of the number's bucket, so wide each."),
        Property(
            "date", .word(MaskingAction.DatePart.allCases.map(\.rawValue)), "The first day of the date's month or year."
        ),
    ])

    private static let domain = Property(
        "domain", .text(example: "email"), required: true,
        "What the values are, wherever they come from: those of one domain can be joined.")
    private static let keyName = Property("key", .text(example: "default"), "One of keys (default).")

    private static let shiftDate = SettingsSchema.object([
        domain, keyName,
        Property("days", .integer(1...36_500), required: true, "At most so many days, either way."),
        Property(
            "subject", .text(example: "patient.id"),
            "Path in the same document of whose date it is; without it all dates of the domain move alike."),
    ])

    private static let token = SettingsSchema.object([
        domain, keyName,
        Property(
            "normalise", .word(Normalisation.allCases.map(\.rawValue)),
            "What is done first, so that spellings of one value have one token (none)."),
        Property(
            "format", .word(TokenFormat.all),
            "A token of the value's own layout (FF1), which nothing tells from a value and `unmask` leaves as it is; without it an opaque one."
        ),
        Property("keepFirst", .integer(0...PreservingSettings.maximumKept), "Beside format: characters that stay (0)."),
        Property("keepLast", .integer(0...PreservingSettings.maximumKept), "Beside format: characters that stay (0)."),
        Property(
            "luhn", .word(LuhnRule.allCases.map(\.rawValue)),
            "Beside format: whether tokens pass the check of card numbers (invalid for cards, else any)."),
        Property("length", .integer(1...1024), "Beside format: how long values are, where all are alike."),
    ])

    private static let encrypt = SettingsSchema.object([
        domain, keyName,
        Property(
            "mode", .word(["deterministic", "random"]), required: true,
            "deterministic: equal values look equal and can be joined; random: nothing can be compared."),
    ])
}

/// The words of a format-preserving token's layout.
enum TokenFormat {
    /// Layouts whose length is known.
    static let shapes: [(word: String, shape: ValueShape)] = [
        ("card", .card), ("american-express", .americanExpress), ("ssn", .socialSecurity),
    ]
    static var all: [String] { shapes.map(\.word) + TokenAlphabet.allCases.map(\.rawValue) }
}
