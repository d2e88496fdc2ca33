import Testing
import TidegateMasking

/// The engine against a naive one: parse, edit, print.
struct PathMaskingOracleTests {
    private func profile(_ rules: [JSONTree.Rule]) throws -> MaskingProfile {
        try MaskingProfile(
            .init(name: "random", rules: rules.map { MaskingRule(field: $0.text, action: $0.action) }))
    }

    @Test(arguments: 1...8)
    func `random documents under random rules are what the naive engine makes of them`(seed: Int) throws {
        var random = RandomDocuments(seed: UInt64(seed))
        var edited = 0
        for _ in 0..<400 {
            let document = random.document()
            let rules = random.rules()
            let tree = try #require(JSONTree.read(document), "\(document)")
            let result = try profile(rules).mask(line: Array(document.utf8), isJSON: true)
            let masked = String(decoding: try #require(result), as: UTF8.self)
            let expected = tree.edited(rules)
            #expect(JSONTree.read(masked) == expected, "\(document) under \(rules.map(\.text)) became \(masked)")
            if expected == tree {
                #expect(masked == document)
            } else {
                edited += 1
            }
        }
        #expect(edited > 100)
    }

    /// Markers stand around what the rule names: what is before the first and behind the last one is not touched.
    @Test(arguments: 1...4)
    func `what stands around a masked value stays byte by byte`(seed: Int) throws {
        var random = RandomDocuments(seed: UInt64(seed) &* 7919)
        let profile = try profile([.init(path: [.anyDepth, .name("target")], action: .redact("R"))])
        for _ in 0..<200 {
            let before = random.document(depth: 1)
            let after = random.document(depth: 1)
            let value = random.quoted(random.text())
            let masked = profile.mask(
                line: Array("{\"x\":\(before),\"target\" :  \(value) ,\"y\":[\(after)]} ".utf8), isJSON: true)
            #expect(
                masked.map { String(decoding: $0, as: UTF8.self) }
                    == "{\"x\":\(before),\"target\" :  \"R\" ,\"y\":[\(after)]} ")
        }
    }

    @Test(arguments: 1...4)
    func `masking twice is masking once`(seed: Int) throws {
        var random = RandomDocuments(seed: UInt64(seed) &* 104_729)
        for _ in 0..<300 {
            let document = random.document()
            // Where elements are dropped, those behind them get other numbers, which other rules may name.
            let all = random.rules()
            let hasNumbers = all.contains { $0.path.contains { if case .index = $0 { true } else { false } } }
            let rules = all.filter { !hasNumbers || $0.action != .drop }
            if rules.isEmpty { continue }
            let profile = try profile(rules)
            let once = try #require(profile.mask(line: Array(document.utf8), isJSON: true))
            let twice = try #require(profile.mask(line: once, isJSON: true))
            #expect(once == twice, "\(document) under \(rules.map(\.text))")
        }
    }

    @Test func `no beginning of a document passes`() throws {
        var random = RandomDocuments(seed: 42)
        let profile = try profile([.init(path: [.anyDepth, .name("email")], action: .keepLast(2))])
        for _ in 0..<20 {
            let document = Array("{\"email\":\"secret\",\"x\":\(random.document(depth: 1))}".utf8)
            for count in 0..<document.count {
                #expect(profile.mask(line: Array(document[..<count]), isJSON: true) == Array("\"[redacted]\"".utf8))
            }
        }
    }

    @Test(arguments: 1...4)
    func `a secret in a masked place never shows, however it is written`(seed: Int) throws {
        var random = RandomDocuments(seed: UInt64(seed) &* 15_485_863)
        for action in [MaskingAction.redact("x"), .nullify, .drop, .keepFirst(2), .keepLast(2)] {
            let profile = try profile([.init(path: [.anyDepth, .name("card"), .name("number")], action: action)])
            for _ in 0..<60 {
                let secret = String((0..<12).map { _ in "0123456789".randomElement(using: &random.generator) ?? "0" })
                let name = random.quoted("number")
                let value: String =
                    switch random.pick(4) {
                    case 0: random.quoted(secret)
                    case 1: "1\(secret)"
                    case 2: "[\(random.quoted(secret)),{\"deep\":\(random.quoted(secret))}]"
                    default: "{\"deep\":[\(random.quoted(secret))]}"
                    }
                let card = "{\(name):\(value),\"kind\":1,\(random.quoted("number")):\(value)}"
                let document =
                    "[{\(random.quoted("card")):[\(card),[\(card)]]},{\"z\":\(random.document(depth: 2)),\"card\":\(card)}]"
                let result = try #require(profile.mask(line: Array(document.utf8), isJSON: true))
                let masked = String(decoding: result, as: UTF8.self)
                let tree = try #require(JSONTree.read(masked))
                #expect(!masked.contains(secret) && !"\(tree)".contains(secret), "\(document)")
            }
        }
    }
}
