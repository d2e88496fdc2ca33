public import TidegateCore
import TidegatePolicy

/// Holds nodes against a schema and collects all that is wrong.
public struct SettingsValidator {
    public private(set) var problems: [ConfigurationProblem] = []

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
                properties.map(\.key).joined(separator: ", "))
        }
        for (key, value) in entries {
            guard let property = properties.first(where: { $0.key == key.text }) else {
                report(
                    key, "unknown key '\(key.text ?? "")'",
                    SettingsValidator.oneOf(properties.map(\.key), near: key.text))
                continue
            }
            if let words = property.unavailable {
                report(key, "'\(property.key)' is not available in this version", words)
            } else if value.isNull {
                report(key, "nothing stands behind '\(property.key)'", "a value, or leave the key out")
            } else {
                check(value, property.schema)
            }
        }
        for property in properties
        where property.isRequired && !entries.contains(where: { $0.key.text == property.key }) {
            report(node, "'\(property.key)' is missing", property.about)
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
            case .any, .orEmpty, .file, .glob: true
            case .address: node.address != nil
            case .portRange: TextForms.portRange(text) != nil
            case .url: TextForms.isURL(text)
            case .network: TextForms.isNetwork(text)
            case .duration: TextForms.seconds(text) != nil
            case .size: TextForms.bytes(text) != nil
            }
        if !isRight { report(node, "'\(text)' is not of the right form", "such as \(example)") }
        if check == .glob, text.hasSuffix("\\"), !text.hasSuffix("\\\\") {
            report(node, "the pattern '\(text)' ends with a lone '\\'", "a character behind it, or '\\\\'")
        }
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
        if let word, let nearest = words.min(by: { distance($0, word) < distance($1, word) }),
            distance(nearest, word) <= max(1, nearest.count / 3)
        {
            return "did you mean '\(nearest)'?"
        }
        return "one of \(words.joined(separator: ", "))"
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

/// Texts of a form: addresses, ranges, durations, sizes.
public enum TextForms {
    /// `9193-9199`, or one port.
    public static func portRange(_ text: String) -> ClosedRange<UInt16>? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard let low = ends.first.flatMap({ UInt16($0) }), let high = ends.last.flatMap({ UInt16($0) }),
            ends.count <= 2,
            low > 0, low <= high
        else { return nil }
        return low...high
    }

    static func isURL(_ text: String) -> Bool {
        (text.hasPrefix("https://") && text.count > 8) || (text.hasPrefix("http://") && text.count > 7)
    }

    static func isNetwork(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, !parts[0].isEmpty else { return false }
        let isIPv6 = parts[0].contains(":")
        if parts.count == 2 {
            guard let bits = Int(parts[1]), (0...(isIPv6 ? 128 : 32)).contains(bits) else { return false }
        }
        if isIPv6 { return parts[0].allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." } }
        let octets = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        return octets.count == 4 && octets.allSatisfy { UInt8($0) != nil }
    }

    /// An IPv4 or IPv6 address in figures.
    static func isNumericHost(_ text: String) -> Bool { !text.contains("/") && isNetwork(text) }

    /// True where two listeners on one port would meet: the same host, or one of them any.
    static func overlap(_ left: String, _ right: String) -> Bool {
        func canonical(_ host: String) -> String { host == "localhost" ? "127.0.0.1" : host }
        let any: Set<String> = ["0.0.0.0", "::"]
        return canonical(left) == canonical(right) || any.contains(left) || any.contains(right)
    }

    /// `30s`, `5m`, `2h`, `30d`.
    public static func seconds(_ text: String) -> Int? {
        guard let unit = text.last, let number = Int(text.dropLast()), number > 0 else { return nil }
        let factors: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let factor = factors[unit] else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }

    /// `64KiB`, `10GiB`, `1048576`.
    public static func bytes(_ text: String) -> Int? {
        let factors: [(String, Int)] = [
            ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("kB", 1000), ("MB", 1_000_000),
            ("GB", 1_000_000_000), ("B", 1), ("", 1),
        ]
        for (unit, factor) in factors where text.hasSuffix(unit) {
            guard let number = Int(text.dropLast(unit.count)), number > 0 else { continue }
            let (product, overflow) = number.multipliedReportingOverflow(by: factor)
            return overflow ? nil : product
        }
        return nil
    }
}
