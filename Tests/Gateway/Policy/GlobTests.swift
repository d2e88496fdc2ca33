import Testing
import TidegatePolicy

@Suite struct GlobTests {
    @Test(arguments: [
        ("orders", "orders", true), ("orders", "orders2", false), ("orders.*", "orders.eu.v1", true),
        ("orders.*", "orders", false), ("*", "", true), ("*", "any.thing", true), ("o?ders", "orders", true),
        ("o?ders", "oders", false), (#"a\*b"#, "a*b", true), (#"a\*b"#, "axb", false), ("Orders", "orders", false),
        ("*-eu-*", "x-eu-y", true), ("**", "x", true), ("a*b*c", "abbbcbc", true), ("ä?", "äö", true),
    ])
    func `a glob matches the whole name`(pattern: String, name: String, expected: Bool) {
        #expect(Glob(pattern).matches(name) == expected)
    }

    @Test func `a hostile pattern takes no exponential time`() {
        let pattern = Glob(String(repeating: "a*", count: 60) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 2000)))
    }

    /// The obvious recursion, for short names.
    private func naive(_ pattern: ArraySlice<Character>, _ name: ArraySlice<Character>) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        if first == "*" { return (0...name.count).contains { naive(pattern.dropFirst(), name.dropFirst($0)) } }
        guard let character = name.first else { return false }
        return (first == "?" || first == character) && naive(pattern.dropFirst(), name.dropFirst())
    }

    @Test func `globs agree with the obvious matcher on random names`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let pattern = String((0..<Int.random(in: 0...6, using: &generator)).map { _ in "ab*?".randomElement(using: &generator) ?? "a" })
            let name = String((0..<Int.random(in: 0...6, using: &generator)).map { _ in "ab".randomElement(using: &generator) ?? "a" })
            #expect(Glob(pattern).matches(name) == naive(Array(pattern)[...], Array(name)[...]), "\(pattern) on \(name)")
        }
    }
}
