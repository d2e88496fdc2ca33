import Testing
import TidegateDetection

struct PatternErrorTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        var pattern: String
        var reason: PatternError.Reason
        var offset: Int?
        var message: String
        var testDescription: String { pattern }

        init(_ pattern: String, _ reason: PatternError.Reason, _ offset: Int?, _ message: String) {
            self.pattern = pattern
            self.reason = reason
            self.offset = offset
            self.message = message
        }
    }

    @Test(arguments: [
        Refusal("(a)x\\1", .notLinear, 4, "refers back to a group"),
        Refusal("(?<x>a)\\k<x>", .notLinear, 7, "refers back to a group"),
        Refusal("ab(?=c)", .notLinear, 2, "looks ahead or behind"),
        Refusal("[(?=](?!c)d", .notLinear, 5, "looks ahead or behind"),
        Refusal("(?<=a)b", .notLinear, 0, "looks ahead or behind"),
        Refusal("(?<!a)b", .notLinear, 0, "looks ahead or behind"),
        Refusal("(?>a+)b", .notLinear, 0, "has an atomic group"),
        Refusal("xa++b", .notLinear, 2, "has a possessive quantifier"),
        Refusal("(a)(?(1)b|c)", .notLinear, 3, "has a condition"),
        Refusal("a*", .matchesNothing, nil, "matches an empty text, so it would match everywhere"),
        Refusal("a|", .matchesNothing, nil, "matches an empty text, so it would match everywhere"),
        Refusal("^", .matchesNothing, nil, "matches an empty text, so it would match everywhere"),
        Refusal("\\b", .matchesNothing, nil, "matches an empty text, so it would match everywhere"),
        Refusal("ab{1,100000}", .tooLarge, 2, "repeats too often"),
        Refusal("\\w{10,300}@\\w{10,300}", .tooLarge, nil, "needs too many states"),
        Refusal("x\\p{L}{1,200}", .tooLarge, 6, "repeats too often"),
        Refusal("[\\p{L}{}]{3,20}", .tooLarge, 9, "repeats too often"),
        Refusal(".{32000}", .tooLarge, 1, "repeats too often"),
        Refusal("[^{]{1,990}y", .tooLarge, nil, "needs too many states"),
        Refusal("a^b", .syntax, nil, "has ^ after something that must come before it"),
        Refusal("a$b", .syntax, nil, "has $ before something that must come after it"),
        Refusal("x(a", .syntax, 1, "opens a group that is not closed"),
        Refusal("xa)", .syntax, 2, "closes a group that is not open"),
        Refusal("x[a", .syntax, 1, "opens a class of characters that is not closed"),
        Refusal("xa[z-a]", .syntax, nil, "has a range that runs backwards"),
        Refusal("x*{2}", .syntax, nil, "repeats nothing, or more at least than at most"),
        Refusal("*a", .syntax, 0, "repeats nothing, or more at least than at most"),
        Refusal("a{3,2}", .syntax, 1, "repeats nothing, or more at least than at most"),
        Refusal("abc\\", .syntax, 3, "ends with a lone backslash"),
        Refusal("(*FOO)a", .syntax, 0, "has a control verb that vectorscan does not know"),
        Refusal("\\p{Foo}", .syntax, 3, "unknown property at index 3"),
        Refusal("", .length, nil, "the pattern has 0 bytes"),
        Refusal(String(repeating: "a", count: 1001), .length, nil, "the pattern has 1001 bytes"),
        Refusal("a\0b", .syntax, 1, "has a zero byte"),
    ])
    func `a pattern that cannot run is refused with its place and what would be right`(refusal: Refusal) {
        let error = #expect(throws: PatternError.self) { try UserPattern(name: "badge", pattern: refusal.pattern) }
        #expect(error?.reason == refusal.reason)
        #expect(error?.message == refusal.message)
        if let offset = refusal.offset { #expect(error?.offset == offset) }
        #expect(error?.pattern == "badge")
        #expect(error?.suggestion.isEmpty == false)
        #expect(error?.description.hasPrefix("pattern 'badge'") == true)
        #expect(throws: PatternError.self) { try NamePattern(refusal.pattern) }
    }

    @Test(arguments: [
        "\\p{Lu}\\d{12}", "(?:ab){3,20}", "[{]x{999}", "\\{1000000}", "\\d{4,}", "\\p{L}+", "x\\p{Lu}{2,3}",
    ])
    func `what can run is not refused for its braces`(pattern: String) throws {
        _ = try UserPattern(name: "n", pattern: pattern)
    }

    @Test func `names, words and sets have bounds`() throws {
        func reason(_ make: () throws -> Void) -> PatternError.Reason? {
            do {
                try make()
                return nil
            } catch { return (error as? PatternError)?.reason }
        }
        #expect(reason { _ = try UserPattern(name: "", pattern: "a") } == .declaration)
        #expect(reason { _ = try UserPattern(name: String(repeating: "n", count: 65), pattern: "a") } == .declaration)
        #expect(reason { _ = try UserPattern(name: "n", pattern: "a", context: ["x"]) } == .declaration)
        #expect(reason { _ = try UserPattern(name: "n", pattern: "a", context: ["a\0b"]) } == .declaration)
        #expect(reason { _ = try UserPattern(name: "n", pattern: "a", needsContext: true) } == .declaration)
        let words = (0..<33).map { "word\($0)" }
        #expect(reason { _ = try UserPattern(name: "n", pattern: "a", context: words) } == .declaration)
        #expect(reason { _ = try PatternSet([]) } == .declaration)
        let one = try UserPattern(name: "n", pattern: "a")
        #expect(reason { _ = try PatternSet([one, one]) } == .declaration)
        let many = try (0..<65).map { try UserPattern(name: "n\($0)", pattern: "a\($0)") }
        #expect(reason { _ = try PatternSet(many) } == .declaration)
        #expect(reason { _ = try PatternSet(Array(many.prefix(64))) } == nil)
    }
}
