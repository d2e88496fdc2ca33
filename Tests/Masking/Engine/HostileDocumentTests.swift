import Foundation
import TestSupport
import Testing
import TidegateCore
import TidegateMasking

/// Documents that are odd, broken or made to hide something.
@Suite struct HostileDocumentTests {
    private func profile(
        _ rules: [MaskingRule], onFailure: MaskingOnFailure = .redactValue
    ) throws -> MaskingProfile { try MaskingProfile(.init(name: "test", onFailure: onFailure, rules: rules)) }

    @Test func `a document cut off anywhere is replaced whole`() throws {
        let profile = try profile([MaskingRule(field: "**.secret", action: .keepLast(4))])
        let document = Array(
            #"{"a":[1,{"secret":"4111111111111111"},-2.5e3],"b":{"secret":true},"é":"\ud83d\ude00"}"#.utf8)
        for end in 0..<document.count {
            #expect(
                profile.mask(line: Array(document[..<end]), isJSON: true) == Array("\"[redacted]\"".utf8),
                "cut at \(end)")
        }
    }

    @Test(
        arguments: [
            #"{"card":"PLANTED"}"#, #"{"\u0063ard":"PLANTED"}"#, #"{"c\u0061\u0072d":"PLANTED"}"#,
            #"{"card":1,"card":"PLANTED"}"#, #"{"card":"PLANTED","card":1}"#, #"{"card":["PLANTED"]}"#,
            #"{"card":{"deep":["PLANTED",{"er":"PLANTED"}]}}"#, #"[{"card":"PLANTED"}]"#, #"[[[{"card":"PLANTED"}]]]"#,
            " \n\t{ \"card\" : \"PLANTED\" } ", #"{"x":{"card":{"card":"PLANTED"}}}"#, #"{"card":"PLANTED"}{"#,
            "\u{feff}{\"card\":\"PLANTED\"}", #"{"card":"PLANTED",}"#, #"{"a":NaN,"card":"PLANTED"}"#,
        ], [MaskingAction.redact("x"), .keepFirst(1), .keepLast(1), .nullify, .drop])
    func `a planted secret never survives`(document: String, action: MaskingAction) throws {
        let profile = try profile([MaskingRule(field: "**.card", action: action)])
        let masked = profile.mask(line: Array(document.utf8), isJSON: true) ?? []
        let text = String(decoding: masked, as: UTF8.self)
        #expect(!text.contains("PLANTED") && !text.contains("LANTED") && !text.contains("PLANTE"), "\(text)")
    }

    @Test(arguments: ["", " ", "\n", "\u{feff}"])
    func `a header that holds a document is looked into, whatever stands before it`(before: String) throws {
        let profile = try profile([MaskingRule(field: "trace.card", action: .redact("x"))])
        let name = Array("trace".utf8)
        let value = Array("\(before){\"card\":\"PLANTED\"}".utf8)
        let bytes = name + value
        var scratch: [UInt8] = []
        var outcomes: [MaskOutcome] = []
        var counters = MaskCounters()
        let fields = [MaskField(part: .header, range: name.count..<bytes.count, name: 0..<name.count)]
        let isDone = profile.mask(
            fields.span, in: bytes.span.bytes, for: MaskRequest(), into: &scratch, outcomes: &outcomes,
            counters: &counters)
        #expect(isDone && outcomes.count == 1)
        #expect(outcomes.first != .unchanged)
        #expect(!String(decoding: scratch, as: UTF8.self).contains("PLANTED"))
    }

    @Test func `what is kept does not tell how long the value was`() throws {
        for action in [MaskingAction.keepLast(4), .keepFirst(4)] {
            let profile = try profile([MaskingRule(field: "n", action: action)])
            let lengths = (5...40).map { count in
                profile.mask(line: Array("{\"n\":\"\(String(repeating: "7", count: count))\"}".utf8), isJSON: true)?
                    .count
            }
            #expect(Set(lengths).count == 1)
            let short = (0...4).map { count in
                profile.mask(line: Array("{\"n\":\"\(String(repeating: "7", count: count))\"}".utf8), isJSON: true)
            }
            #expect(Set(short).count == 1)
        }
    }

    @Test(arguments: 0..<40)
    func `random documents come out as a tree that is edited and printed`(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<60 {
            let tree = Tree.random(&generator, depth: 0)
            let path = Tree.randomPath(&generator)
            let action: MaskingAction =
                [.redact("R"), .nullify, .drop, .keepLast(2), .keepFirst(2)]
                .randomElement(using: &generator) ?? .nullify
            let rules = [MaskingRule(field: path.joined(separator: "."), action: action)]
            let profile = try profile(rules)
            let document = tree.text
            let masked = profile.mask(line: Array(document.utf8), isJSON: true).map {
                String(decoding: $0, as: UTF8.self)
            }
            let expected = tree.edited(path[...], action)?.text ?? "null"
            #expect(masked == expected, "\(path) \(action) on \(document)")
            if action != .drop, let masked {
                let again = profile.mask(line: Array(masked.utf8), isJSON: true).map {
                    String(decoding: $0, as: UTF8.self)
                }
                #expect(
                    again == masked || action == .keepLast(2) || action == .keepFirst(2), "not idempotent: \(masked)")
            }
        }
    }
}

/// A naive engine: a tree, edited by the rules' own words, and printed.
private indirect enum Tree {
    case word(String)
    case text(String)
    case list([Tree])
    case object([(key: String, value: Tree)])

    var text: String {
        switch self {
        case .word(let word): word
        case .text(let text): "\"\(text)\""
        case .list(let items): "[" + items.map(\.text).joined(separator: ",") + "]"
        case .object(let members): "{" + members.map { "\"\($0.key)\":\($0.value.text)" }.joined(separator: ",") + "}"
        }
    }

    static func random(_ generator: inout SeededGenerator, depth: Int) -> Tree {
        switch Int.random(in: 0..<(depth < 4 ? 7 : 4), using: &generator) {
        case 0: return .word(["1", "-2.5", "true", "null", "0"].randomElement(using: &generator) ?? "1")
        case 1, 2, 3: return .text(String(repeating: "v", count: Int.random(in: 0...6, using: &generator)) + "é")
        case 4:
            return .list(
                (0..<Int.random(in: 0...3, using: &generator)).map { _ in random(&generator, depth: depth + 1) })
        default:
            return .object(
                (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                    (["a", "b", "c"].randomElement(using: &generator) ?? "a", random(&generator, depth: depth + 1))
                })
        }
    }

    static func randomPath(_ generator: inout SeededGenerator) -> [String] {
        var path = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
            ["a", "b", "c", "*", "**"].randomElement(using: &generator) ?? "a"
        }
        // A name at the end, so that the whole document is not what is named.
        path.append(["a", "b", "*"].randomElement(using: &generator) ?? "a")
        return path
    }

    /// The rest of the path lies inside of this value; nil where the value itself goes.
    func edited(_ path: ArraySlice<String>, _ action: MaskingAction) -> Tree? { edited([path], action) }

    private func edited(_ paths: [ArraySlice<String>], _ action: MaskingAction) -> Tree? {
        var waiting = paths
        for path in paths where path.first == "**" {
            var rest = path
            while rest.first == "**" {
                rest = rest.dropFirst()
                waiting.append(rest)
            }
        }
        if waiting.contains(where: \.isEmpty) { return replaced(action) }
        switch self {
        case .word, .text: return self
        // Lists are looked through, and an element is what `*` names too.
        case .list(let items):
            let inner = waiting + waiting.filter { $0.first == "*" }.map { $0.dropFirst() }
            return .list(items.compactMap { $0.edited(inner, action) })
        case .object(let members):
            return .object(
                members.compactMap { key, value in
                    let inner = waiting.compactMap { path -> ArraySlice<String>? in
                        switch path.first {
                        case "**": path
                        case "*": path.dropFirst()
                        case key: path.dropFirst()
                        default: nil
                        }
                    }
                    guard !inner.isEmpty else { return (key, value) }
                    return value.edited(inner, action).map { (key, $0) }
                })
        }
    }

    private func replaced(_ action: MaskingAction) -> Tree? {
        switch (action, self) {
        case (.drop, _): return nil
        case (.redact(let text), .text): return .text(text)
        case (.keepLast(let count), .text(let text)):
            return .text("****" + (text.count > count ? String(text.suffix(count)) : ""))
        case (.keepFirst(let count), .text(let text)):
            return .text((text.count > count ? String(text.prefix(count)) : "") + "****")
        default: return .word("null")
        }
    }
}
