import TestSupport
import Testing
import TidegateCore

@Suite struct GlobTests {
    @Test(arguments: [
        ("orders", "orders", true), ("orders", "orders.eu", false), ("orders.*", "orders.eu.west", true),
        ("orders.*", "orders", false), ("*", "", true), ("?", "", false), ("o?ders", "orders", true),
        ("Orders", "orders", false), ("\\*", "*", true), ("\\*", "x", false), ("a*b*c", "aXbYbZc", true),
        ("a*b*c", "aXbYbZ", false), ("**", "anything", true), ("", "", true), ("", "x", false),
    ])
    func `matches the whole name, case-sensitively`(pattern: String, name: String, matches: Bool) {
        #expect(Glob(pattern).matches(name) == matches)
    }

    @Test func `agrees with the definition on random patterns and names`() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<20_000 {
            let pattern = text(from: "ab*?\\.", upTo: 7, &random)
            let name = text(from: "ab*.\\", upTo: 8, &random)
            #expect(Glob(pattern).matches(name) == defined(Array(pattern), Array(name)), "\(pattern) on \(name)")
        }
    }

    @Test func `takes no time that grows with the stars`() {
        let pattern = String(repeating: "a*", count: 200) + "b"
        #expect(!Glob(pattern).matches(String(repeating: "a", count: 2000)))
    }

    /// The grammar, said recursively.
    private func defined(_ pattern: [Character], _ name: [Character]) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        let rest = Array(pattern.dropFirst())
        switch first {
        case "*": return defined(rest, name) || (!name.isEmpty && defined(pattern, Array(name.dropFirst())))
        case "?": return !name.isEmpty && defined(rest, Array(name.dropFirst()))
        case "\\":
            guard let literal = rest.first else { return name == ["\\"] }
            return name.first == literal && defined(Array(rest.dropFirst()), Array(name.dropFirst()))
        default: return name.first == first && defined(rest, Array(name.dropFirst()))
        }
    }

    private func text(from letters: String, upTo limit: Int, _ random: inout SeededGenerator) -> String {
        let count = Int.random(in: 0...limit, using: &random)
        return String((0..<count).map { _ in letters.randomElement(using: &random) ?? "a" })
    }
}
