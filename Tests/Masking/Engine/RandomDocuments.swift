import TestSupport
import TidegateMasking

/// Documents written as producers write them: odd spaces, escapes, duplicate names, all kinds of values.
struct RandomDocuments {
    var generator: SeededGenerator
    /// Few, so that paths meet them; one longer than the automaton's heads, and its near double.
    static let names = ["a", "b", "n", "email", "a much longer name", "a much longer nome", "é", "n1234567"]
    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }

    mutating func space() -> String { pick(4) > 0 ? "" : [" ", "\n", "\t ", "  \r\n", "          "][pick(5)] }

    /// A string as it is written, some characters escaped.
    mutating func quoted(_ text: String) -> String {
        var written = "\""
        for scalar in text.unicodeScalars {
            if pick(8) == 0 || scalar == "\"" || scalar == "\\" || scalar.value < 0x20 {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16, uppercase: pick(2) == 0)
                    written += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            } else {
                written.unicodeScalars.append(scalar)
            }
        }
        return written + "\""
    }

    mutating func text() -> String {
        let alphabet = Array("abcdefghijklmnop 0123456789@.é€😀\"\\\n/".unicodeScalars)
        var text = String.UnicodeScalarView()
        for _ in 0..<pick(24) { text.append(alphabet[pick(alphabet.count)]) }
        return String(text)
    }

    mutating func scalar() -> String {
        switch pick(6) {
        case 0: "null"
        case 1: "true"
        case 2: "false"
        case 3: ["0", "-1", "4111111111111111", "1.5e+10", "-0.25E-3", "12"][pick(6)]
        default: quoted(text())
        }
    }

    mutating func document(depth: Int = 0) -> String {
        let kind = depth > 4 ? 0 : pick(depth == 0 ? 12 : 6)
        var written = space()
        switch kind {
        case 0, 1: written += scalar()
        case 2, 3:
            written += "["
            let count = pick(5)
            for index in 0..<count { written += document(depth: depth + 1) + (index < count - 1 ? "," : "") }
            written += (count == 0 ? space() : "") + "]"
        default:
            written += "{"
            let count = pick(6)
            for index in 0..<count {
                let name = RandomDocuments.names[pick(RandomDocuments.names.count)]
                written += space() + quoted(name) + space() + ":" + document(depth: depth + 1)
                if index < count - 1 { written += "," }
            }
            written += (count == 0 ? space() : "") + "}"
        }
        return written + space()
    }

    mutating func rules() -> [JSONTree.Rule] {
        (0...pick(4)).map { _ in
            var path: [JSONTree.Step] = []
            for _ in 0...pick(3) {
                switch pick(9) {
                case 0: path.append(.anyName)
                case 1: if path.last != .anyDepth { path.append(.anyDepth) }
                case 2: path.append(.index(pick(3)))
                case 3: path.append(.anyIndex)
                default: path.append(.name(RandomDocuments.names[pick(RandomDocuments.names.count)]))
                }
            }
            if path.isEmpty { path = [.name("a")] }
            let actions: [MaskingAction] = [
                .redact("<\"gone\">"), .keepFirst(1 + pick(4)), .keepLast(1 + pick(6)), .nullify, .drop,
            ]
            return JSONTree.Rule(path: path, action: actions[pick(actions.count)])
        }
    }
}
