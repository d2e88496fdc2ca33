public import TidegateCore
import TidegatePolicy

/// Holds nodes against a schema and collects all that is wrong.
public struct SettingsValidator {
    public private(set) var problems: [ConfigurationProblem] = []
    /// Every text that is the path of a file, by the schema's word.
    public private(set) var files: [ConfigurationNode] = []
    /// Those of them that hold secrets.
    public private(set) var secretFiles: [ConfigurationNode] = []

    public init() {}

    public mutating func check(_ node: ConfigurationNode, _ schema: SettingsSchema) {
        switch schema {
        case .anything: return
        case .text(let example, let check): text(node, example, check)
        case .integer(let range):
            guard let number = node.integer else {
                return report(
                    node, "\(SettingsValidator.describe(node)) where a whole number belongs",
                    "such as \(range.lowerBound)")
            }
            if !range.contains(number) {
                report(node, "\(number) is out of range", "from \(range.lowerBound) to \(range.upperBound)")
            }
        case .boolean:
            if node.boolean == nil {
                report(node, "\(SettingsValidator.describe(node)) where true or false belongs", "true or false")
            }
        case .word(let words):
            guard let text = node.text, words.contains(text) else {
                return report(
                    node, "\(SettingsValidator.describe(node)) is not known here",
                    SettingsValidator.oneOf(words, near: node.text))
            }
        case .list(let element, let nonEmpty):
            guard case .sequence(let elements) = node.content else {
                return report(node, "\(SettingsValidator.describe(node)) where a list belongs", "[...]")
            }
            if nonEmpty, elements.isEmpty { report(node, "the list is empty", "at least one element") }
            for inner in elements { check(inner, element) }
        case .oneOrMore(let element):
            if case .sequence(let elements) = node.content {
                // An empty list would read as "any" to whoever filters by it.
                if elements.isEmpty { report(node, "the list is empty", "at least one element, or leave the key out") }
                for inner in elements { check(inner, element) }
            } else {
                check(node, element)
            }
        case .object(let properties): object(node, properties)
        case .map(let value, let nonEmpty):
            guard case .mapping(let entries) = node.content else {
                return report(node, "\(SettingsValidator.describe(node)) where names and values belong", "NAME: ...")
            }
            if nonEmpty, entries.isEmpty { report(node, "nothing stands here", "at least one entry") }
            for entry in entries { check(entry.value, value) }
        case .either(let shapes): either(node, shapes)
        case .choice(let properties):
            guard case .mapping(let entries) = node.content, entries.count == 1 else {
                return report(
                    node, "exactly one of these belongs here", SettingsValidator.oneOf(properties.map(\.key), near: nil)
                )
            }
            object(node, properties)
        }
    }

    private mutating func report(_ node: ConfigurationNode, _ message: String, _ suggestion: String) {
        problems.append(ConfigurationProblem(at: node, message, suggestion: suggestion))
    }

    private mutating func object(_ node: ConfigurationNode, _ properties: [SettingsSchema.Property]) {
        guard case .mapping(let entries) = node.content else {
            return report(
                node, "\(SettingsValidator.describe(node)) where keys belong",
                SettingsValidator.wrapping(node, properties) ?? properties.map(\.key).joined(separator: ", "))
        }
        for (key, value) in entries {
            guard let property = properties.first(where: { $0.key == key.text }) else {
                unknown(key, properties)
                continue
            }
            if let words = property.unavailable {
                report(key, "'\(property.key)' is not available in this version", words)
            } else if let rejection = property.rejection {
                report(key, rejection.message, rejection.suggestion)
            } else if value.isNull {
                report(key, "nothing stands behind '\(property.key)'", "a value, or leave the key out")
            } else {
                check(value, property.schema)
                if let caution = property.caution, value.text == caution.word {
                    problems.append(
                        ConfigurationProblem(.warning, at: value, caution.message, suggestion: caution.suggestion))
                }
            }
        }
        for property in properties
        where property.isRequired && !entries.contains(where: { $0.key.text == property.key }) {
            report(node, "'\(property.key)' is missing", SettingsValidator.sample(property))
        }
    }

    private mutating func unknown(_ key: ConfigurationNode, _ properties: [SettingsSchema.Property]) {
        let name = key.text ?? ""
        let kept = properties.map(\.key).filter { $0 == name + "File" || $0 == name + "Env" }
        if kept.isEmpty {
            report(key, "unknown key '\(name)'", SettingsValidator.oneOf(properties.map(\.key), near: name))
        } else {
            report(
                key, "secrets never stand in the file", "\(kept.joined(separator: " or ")) instead of '\(name)'")
        }
    }

    /// Where the key of a list is a key inside too (`subjects: [...]`), what was meant.
    private static func wrapping(
        _ node: ConfigurationNode, _ properties: [SettingsSchema.Property]
    ) -> String? {
        guard case .sequence = node.content, let name = node.path.split(separator: ".").last,
            properties.contains(where: { $0.key == name })
        else { return nil }
        return "\(name): { \(name): [...] }"
    }

    /// A key as it could be written, with what it means.
    private static func sample(_ property: SettingsSchema.Property) -> String {
        switch property.schema {
        case .text(let example, _): "\(property.key): \(example) (\(property.about))"
        case .word(let words): "\(property.key): \(words.joined(separator: " or ")) (\(property.about))"
        default: property.about
        }
    }

    /// Tried by what kind of node stands there; the first shape of that kind speaks.
    private mutating func either(_ node: ConfigurationNode, _ shapes: [SettingsSchema]) {
        for shape in shapes {
            var attempt = SettingsValidator()
            attempt.check(node, shape)
            if attempt.problems.isEmpty { return }
        }
        let fitting = shapes.first { SettingsValidator.isOfKind(node, $0) } ?? shapes[0]
        check(node, fitting)
    }

    private static func isOfKind(_ node: ConfigurationNode, _ schema: SettingsSchema) -> Bool {
        switch (node.content, schema) {
        case (.mapping, .object), (.mapping, .map), (.mapping, .choice), (.sequence, .list): true
        case (.scalar, .text), (.scalar, .word), (.scalar, .integer), (.scalar, .boolean): true
        default: false
        }
    }

    private mutating func text(_ node: ConfigurationNode, _ example: String, _ check: SettingsSchema.TextCheck) {
        guard let text = SettingsValidator.plain(node), check == .orEmpty || !text.isEmpty else {
            return report(node, "\(SettingsValidator.describe(node)) where a text belongs", "such as \(example)")
        }
        let isRight: Bool =
            switch check {
            case .any, .orEmpty, .file, .secretFile, .glob: true
            case .address: SettingsValidator.isAddress(node)
            case .portRange: TextForms.portRange(text) != nil
            case .url: TextForms.isURL(text)
            case .network: TextForms.isNetwork(text)
            case .width: TextForms.isWidth(text)
            case .duration(let range): within(node, TextForms.seconds(text), range, TextForms.duration)
            case .size(let range): within(node, TextForms.bytes(text), range, TextForms.size)
            }
        if check == .file || check == .secretFile { files.append(node) }
        if check == .secretFile { secretFiles.append(node) }
        if !isRight { report(node, "'\(text)' is not of the right form", "such as \(example)") }
        if check == .glob, !text.reversed().prefix(while: { $0 == "\\" }).count.isMultiple(of: 2) {
            report(node, "the pattern '\(text)' ends with a lone '\\'", "a character behind it, or '\\\\'")
        }
    }

    /// - Returns: false where there is no value; one out of range is told, and is of the right form.
    private mutating func within(
        _ node: ConfigurationNode, _ value: Int?, _ range: ClosedRange<Int>, _ name: (Int) -> String
    ) -> Bool {
        guard let value else { return false }
        if !range.contains(value) {
            report(
                node, "'\(node.text ?? "")' is out of range",
                "from \(name(range.lowerBound)) to \(name(range.upperBound))")
        }
        return true
    }

    /// What stands in brackets is an IPv6 address.
    private static func isAddress(_ node: ConfigurationNode) -> Bool {
        guard let (host, _) = node.address else { return false }
        return node.text?.hasPrefix("[") != true || (host.contains(":") && TextForms.address(host) != nil)
    }

    /// A scalar's text that is no null.
    private static func plain(_ node: ConfigurationNode) -> String? {
        if case .scalar = node.content { node.text } else { nil }
    }

    static func describe(_ node: ConfigurationNode) -> String {
        switch node.content {
        case .scalar(let text, _): node.isNull ? "nothing" : "'\(text)'"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }

    /// The words, the nearest first where one is near.
    static func oneOf(_ words: [String], near word: String?) -> String {
        word.flatMap { nearest(words, to: $0) }.map { "did you mean '\($0)'?" }
            ?? "one of \(words.joined(separator: ", "))"
    }

    /// nil where none is near.
    public static func nearest(_ words: [String], to word: String) -> String? {
        words.min { distance($0, word) < distance($1, word) }
            .flatMap { distance($0, word) <= max(1, $0.count / 3) ? $0 : nil }
    }

    /// Levenshtein's.
    static func distance(_ left: String, _ right: String) -> Int {
        let a = Array(left.lowercased())
        let b = Array(right.lowercased())
        var row = Array(0...b.count)
        for (i, character) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in b.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (character == other ? 0 : 1))
                diagonal = above
            }
        }
        return row[b.count]
    }
}
