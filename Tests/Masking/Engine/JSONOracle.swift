import TidegateMasking

/// What the engine is compared with: reads a document into a tree, edits the tree, prints it. Slow, and plain to see.
indirect enum JSONTree: Equatable {
    case null
    case bool(Bool)
    /// As written.
    case number(String)
    case string(String)
    case array([JSONTree])
    /// In order, with duplicates.
    case object([Member])

    struct Member: Equatable {
        var name: String
        var value: JSONTree
    }

    /// Nil where the text is not one JSON value.
    static func read(_ text: String) -> JSONTree? {
        var reader = Reader(text: Array(text.unicodeScalars))
        guard let tree = reader.value() else { return nil }
        reader.space()
        return reader.at == reader.text.count ? tree : nil
    }

    private struct Reader {
        let text: [Unicode.Scalar]
        var at = 0
        var next: Unicode.Scalar? { at < text.count ? text[at] : nil }

        mutating func space() { while let next, " \t\r\n".unicodeScalars.contains(next) { at += 1 } }

        mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            space()
            guard next == scalar else { return false }
            at += 1
            return true
        }

        mutating func value() -> JSONTree? {
            if take("\"") { return string().map(JSONTree.string) }
            if take("[") {
                var elements: [JSONTree] = []
                if take("]") { return .array([]) }
                repeat {
                    guard let element = value() else { return nil }
                    elements.append(element)
                } while take(",")
                return take("]") ? .array(elements) : nil
            }
            if take("{") {
                var members: [Member] = []
                if take("}") { return .object([]) }
                repeat {
                    guard take("\""), let name = string(), take(":"), let value = value() else { return nil }
                    members.append(Member(name: name, value: value))
                } while take(",")
                return take("}") ? .object(members) : nil
            }
            var word = ""
            while let next, next.properties.isAlphabetic || "+-.0123456789".unicodeScalars.contains(next) {
                word.unicodeScalars.append(next)
                at += 1
            }
            switch word {
            case "null": return .null
            case "true": return .bool(true)
            case "false": return .bool(false)
            default: return Double(word) == nil ? nil : .number(word)
            }
        }

        mutating func string() -> String? {
            var units: [UInt16] = []
            while let scalar = next {
                at += 1
                if scalar == "\"" { return String(decoding: units, as: UTF16.self) }
                guard scalar == "\\" else {
                    units.append(contentsOf: String(scalar).utf16)
                    continue
                }
                guard let escape = next else { return nil }
                at += 1
                switch escape {
                case "u":
                    guard at + 4 <= text.count else { return nil }
                    var digits = ""
                    digits.unicodeScalars.append(contentsOf: text[at..<(at + 4)])
                    guard let unit = UInt16(digits, radix: 16) else { return nil }
                    units.append(unit)
                    at += 4
                case "n": units.append(10)
                case "t": units.append(9)
                case "r": units.append(13)
                case "b": units.append(8)
                case "f": units.append(12)
                default: units.append(contentsOf: String(escape).utf16)
                }
            }
            return nil
        }
    }

    /// The tree after the rules: the first rule whose path reaches a value edits it, and nothing inside is looked at.
    func edited(_ rules: [Rule]) -> JSONTree { edited(rules.map { ($0.path[...], $0.action) }) ?? .null }

    struct Rule {
        var path: [Step]
        var action: MaskingAction
        var text: String { path.map(\.text).joined(separator: ".") }
    }

    enum Step: Equatable {
        case name(String)
        case anyName, anyDepth, anyIndex
        case index(Int)
        var text: String {
            switch self {
            case .name(let name): name
            case .anyName: "*"
            case .anyDepth: "**"
            case .index(let index): "[\(index)]"
            case .anyIndex: "[*]"
            }
        }
    }

    private typealias Waiting = [(ArraySlice<Step>, MaskingAction)]

    /// Nil where the value is to go.
    private func edited(_ waiting: Waiting) -> JSONTree? {
        if let (_, action) = waiting.first(where: { $0.0.allSatisfy { $0 == .anyDepth } }) {
            switch (action, self) {
            case (.drop, _): return nil
            case (_, .null): return .null
            case (.redact(let text), .string): return .string(text)
            case (.keepLast(let count), .string(let text)):
                let scalars = Array(text.unicodeScalars)
                return .string(Self.starred(scalars.count > count ? scalars.suffix(count) : [], atEnd: true))
            case (.keepFirst(let count), .string(let text)):
                let scalars = Array(text.unicodeScalars)
                return .string(Self.starred(scalars.count > count ? scalars.prefix(count) : [], atEnd: false))
            default: return .null
            }
        }
        switch self {
        case .object(let members):
            return .object(
                members.compactMap { member in
                    member.value.edited(Self.inside(waiting, name: member.name)).map {
                        Member(name: member.name, value: $0)
                    }
                })
        case .array(let elements):
            return .array(
                elements.enumerated().compactMap { index, element in
                    element.edited(Self.inside(waiting, index: index))
                })
        default: return self
        }
    }

    private static func starred(_ kept: some Sequence<Unicode.Scalar>, atEnd: Bool) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: kept)
        return atEnd ? "****" + String(text) : String(text) + "****"
    }

    private static func inside(_ waiting: Waiting, name: String) -> Waiting {
        waiting.flatMap { path, action -> Waiting in
            guard let first = path.first else { return [] }
            let rest = path.dropFirst()
            switch first {
            case .name(let wanted): return Array(wanted.utf8) == Array(name.utf8) ? [(rest, action)] : []
            case .anyName: return [(rest, action)]
            case .anyDepth: return [(path, action)] + inside([(rest, action)], name: name)
            case .index, .anyIndex: return []
            }
        }
    }

    private static func inside(_ waiting: Waiting, index: Int) -> Waiting {
        waiting.flatMap { path, action -> Waiting in
            guard let first = path.first else { return [] }
            let rest = path.dropFirst()
            switch first {
            case .name: return [(path, action)]
            case .anyName: return [(path, action), (rest, action)]
            case .anyDepth: return [(path, action)] + inside([(rest, action)], index: index)
            case .index(let wanted): return wanted == index ? [(rest, action)] : []
            case .anyIndex: return [(rest, action)]
            }
        }
    }
}
