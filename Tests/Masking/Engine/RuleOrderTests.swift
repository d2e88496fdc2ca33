import Foundation
import Testing
import TidegateCore
import TidegateMasking

/// Which of several rules acts, and what `check` says of those that never do.
struct RuleOrderTests {
    @Test func `everything is masked behind as many paths as there is room for`() throws {
        var rules = (0..<128).map { MaskingRule(field: "f\($0)", action: .redact("f")) }
        rules.append(MaskingRule(.everything, action: .redact("x")))
        let fixture = try EngineFixture(rules)
        #expect(fixture.json(#""a""#) == #""x""#)
        #expect(fixture.json(#"{"other":"clear"}"#) == "null")
        #expect(fixture.field(.header, Array("clear".utf8), name: "other").text == "x")
        #expect(fixture.field(.header, Array("clear".utf8), name: "f1").text == "f")
    }

    @Test(arguments: [
        (["a.b", "a"], [0]), (["a.b", "**"], [0]), (["a.b.c", "a.*"], [0]), (["items[0].sku", "items"], [0]),
        (["items[0].sku", "items[*]"], [0]), (["a", "a.b"], [1]), (["a.b", "**.b"], []), (["a.b", "ab"], []),
        (["items.sku", "items[*]"], []), (["a", "**"], [0]),
    ])
    func `a rule for what a later one takes whole is warned about`(paths: [String], expected: [Int]) throws {
        let rules = paths.enumerated().map { MaskingRule(field: $1, action: .redact("\($0)")) }
        let profile = try MaskingProfile(.init(name: "w", rules: rules))
        #expect(profile.warnings.map(\.rule) == expected)
    }

    @Test func `a rule in whose place everything goes is warned about, where it does something else`() throws {
        func warned(_ first: MaskingRule, _ second: MaskingAction = .redact("x")) throws -> [Int] {
            let profile = try MaskingProfile(
                MaskingProfileSettings(name: "w", rules: [first, MaskingRule(.everything, action: second)]),
                EngineFixture.material())
            return profile.warnings.map(\.rule)
        }
        #expect(try warned(MaskingRule(field: "card", action: .keepLast(4))) == [0])
        #expect(try warned(MaskingRule(.detectors(["email"]), action: .redact("mail"))) == [0])
        #expect(try warned(MaskingRule(field: "card", action: .redact("x"))) == [])
        #expect(try warned(MaskingRule(.column("t.c"), action: .keepLast(4))) == [])
        let narrow = MaskingRule(field: "card", parts: [.header], action: .keepLast(4))
        let values = MaskingRule(.everything, in: [.value], action: .redact("x"))
        #expect(try MaskingProfile(.init(name: "w", rules: [narrow, values])).warnings.isEmpty)
    }
}
