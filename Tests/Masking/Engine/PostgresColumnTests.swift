import Testing
import TidegateCore
import TidegateMasking
import TidegateTokens

/// Columns whose types hide what is in them: arrays, bytes, addresses, and types that nobody knows.
struct PostgresColumnTests {
    private static let detecting = [MaskingRule(.detectors(["credit-card", "email", "ipv4"]), action: .redact("x"))]

    private static func column(
        _ rules: [MaskingRule], _ content: [UInt8], _ type: UInt32, isBinary: Bool = false
    ) throws -> EngineFixture.Masked {
        try EngineFixture(rules).field(.column, content, name: "public.t.c", type: type, isBinary: isBinary)
    }

    private static func column(_ rules: [MaskingRule], _ text: String, _ type: UInt32) throws -> String {
        try column(rules, Array(text.utf8), type).text
    }

    private static func bigEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        (0..<MemoryLayout<T>.size).reversed().map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
    }

    /// One dimension from 1 on; nil is null.
    private static func array(_ type: UInt32, _ elements: [[UInt8]?]) -> [UInt8] {
        var bytes = bigEndian(Int32(1)) + bigEndian(Int32(elements.contains { $0 == nil } ? 1 : 0)) + bigEndian(type)
        bytes += bigEndian(Int32(elements.count)) + bigEndian(Int32(1))
        for element in elements {
            bytes += bigEndian(Int32(element?.count ?? -1)) + (element ?? [])
        }
        return bytes
    }

    @Test(arguments: [
        ("{ann@example.com,bob}", UInt32(1009), "{\"x\",bob}"), ("{bob,NULL,\"NULL\"}", 1009, "unchanged"),
        ("{{\"to ann@example.com\",b},{c,d}}", 1015, "{{\"to x\",b},{c,d}}"), ("{}", 1009, "unchanged"),
        ("[0:1]={a,ann@example.com}", 1009, "[0:1]={a,\"x\"}"), ("{4111111111111111,42}", 1016, "{NULL,42}"),
        ("{\"{\\\"a\\\":\\\"ann@example.com\\\"}\"}", 3807, "{\"{\\\"a\\\":\\\"x\\\"}\"}"),
        ("{\"a \\\"quoted\\\" \\\\ ann@example.com\"}", 1009, "{\"a \\\"quoted\\\" \\\\ x\"}"),
        ("{10.1.2.3,10.1.2.4/32}", 1041, "{NULL,NULL}"), ("{ann@example.com", 1009, "null"),
        ("{\"unclosed}", 1009, "null"), ("ann", 1009, "null"), ("{a}}", 1009, "null"),
    ])
    func `an array's elements are looked at one by one`(text: String, type: UInt32, expected: String) throws {
        let masked = try PostgresColumnTests.column(PostgresColumnTests.detecting, Array(text.utf8), type)
        #expect((masked.outcome == .unchanged ? "unchanged" : masked.text) == expected)
    }

    @Test func `an array in binary is the same array`() throws {
        let array = PostgresColumnTests.array
        func column(_ rules: [MaskingRule], _ content: [UInt8], _ type: UInt32, _ isBinary: Bool) throws
            -> EngineFixture.Masked
        {
            try PostgresColumnTests.column(rules, content, type, isBinary: isBinary)
        }
        let mail = Array("ann@example.com".utf8)
        let card = PostgresColumnTests.bigEndian(Int64(4_111_111_111_111_111))
        let small = PostgresColumnTests.bigEndian(Int64(42))
        let x = Array("x".utf8)
        let rules = PostgresColumnTests.detecting
        #expect(try column(rules, array(25, [mail, nil, x]), 1009, true).content == array(25, [x, nil, x]))
        #expect(try column(rules, array(20, [card, small]), 1016, true).content == array(20, [nil, small]))
        #expect(try column(rules, array(20, [small]), 1016, true).outcome == .unchanged)
        let document = [1] + Array(#"{"a":"ann@example.com"}"#.utf8)
        #expect(
            try column(rules, array(3802, [document]), 3807, true).content
                == array(3802, [[1] + Array(#"{"a":"x"}"#.utf8)]))
        let whole = array(20, [card])
        for count in 0..<whole.count {
            #expect(try column(rules, Array(whole[..<count]), 1016, true).outcome == .null, "\(count)")
        }
        #expect(try column(rules, whole + [0], 1016, true).outcome == .null)
        var many = whole
        many.replaceSubrange(12..<16, with: [0x7f, 0xff, 0xff, 0xff])
        #expect(try column(rules, many, 1016, true).outcome == .null)
    }

    @Test func `paths go into arrays, and a rule for the column takes it whole`() throws {
        let rules = [
            MaskingRule(field: "c[1]", action: .redact("x")), MaskingRule(field: "d", action: .redact("x")),
            MaskingRule(field: "c.ssn", action: .redact("y")),
        ]
        let fixture = try EngineFixture(rules)
        func masked(_ text: String, _ name: String, _ type: UInt32) -> String {
            let masked = fixture.field(.column, Array(text.utf8), name: "public.t.\(name)", type: type)
            return masked.outcome == .unchanged ? text : masked.text
        }
        #expect(masked("{a,b,c}", "c", 1009) == "{a,\"x\",c}")
        #expect(masked("{a,b}", "d", 1009) == "null")
        #expect(masked("{a,b}", "e", 1009) == "{a,b}")
        #expect(masked(#"{"{\"ssn\":\"1\"}"}"#, "c", 3807) == #"{"{\"ssn\":\"y\"}"}"#)
    }

    @Test func `bytes are looked at as the text that they may be`() throws {
        let hex = { (text: String) in "\\x" + text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
        let column: (String, UInt32) throws -> String = {
            try PostgresColumnTests.column(PostgresColumnTests.detecting, $0, $1)
        }
        #expect(try column(hex("to ann@example.com"), 17) == hex("to x"))
        #expect(try column(hex("to nobody"), 17) == hex("to nobody"))
        #expect(try column("to\\040ann@example.com", 17) == hex("to x"))
        #expect(
            try column("\\xff" + hex("ann@example.com").dropFirst(2), 17) == "null", "no text: nothing to write into")
        #expect(try column("\\xABC", 17) == "null")
        let mail = Array("ann@example.com".utf8)
        #expect(try PostgresColumnTests.column(PostgresColumnTests.detecting, mail, 17, isBinary: true).text == "x")
        let named = [MaskingRule(field: "c", action: .redact("x"))]
        #expect(try PostgresColumnTests.column(named, hex("secret"), 17) == "\\x78")
        #expect(try PostgresColumnTests.column(named, [0xff, 0], 17, isBinary: true).text == "x")
    }

    @Test func `addresses are texts in both forms`() throws {
        let rules = PostgresColumnTests.detecting
        #expect(try PostgresColumnTests.column(rules, "10.1.2.3", 869) == "null")
        let binary: [UInt8] = [2, 32, 0, 4, 10, 1, 2, 3]
        #expect(try PostgresColumnTests.column(rules, binary, 869, isBinary: true).outcome == .null)
        #expect(
            try PostgresColumnTests.column(rules, [2, 24, 1, 4, 10, 1, 2, 0], 650, isBinary: true).outcome == .null)
        #expect(try PostgresColumnTests.column(rules, [2, 24, 1, 4, 10, 1], 650, isBinary: true).outcome == .null)
        let six = [MaskingRule(.detectors(["ipv6", "mac"]), action: .redact("x"))]
        let address: [UInt8] = [3, 128, 0, 16, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
        #expect(try PostgresColumnTests.column(six, address, 869, isBinary: true).outcome == .null)
        #expect(try PostgresColumnTests.column(six, [8, 0, 0x2b, 1, 2, 3], 829, isBinary: true).outcome == .null)
        #expect(
            try PostgresColumnTests.column(rules, [8, 0, 0x2b, 1, 2, 3], 829, isBinary: true).outcome == .unchanged)
        let only = [MaskingRule(field: "other", action: .redact("x"))]
        #expect(try PostgresColumnTests.column(only, binary, 869, isBinary: true).outcome == .unchanged)
    }

    @Test func `what a type writes that nobody knows is null where a rule could mean it`() throws {
        let bytes: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 25, 0, 0, 0, 1, 0x61]
        let inside = [MaskingRule(field: "**.ssn", action: .redact("x"))]
        let names = [MaskingRule(.namePattern("^ssn$"), action: .redact("x"))]
        let nothing = [MaskingRule(.column("t.other"), action: .redact("x"))]
        for rules in [PostgresColumnTests.detecting, inside, names] {
            #expect(try PostgresColumnTests.column(rules, bytes, 90_001, isBinary: true).outcome == .null)
            // A label of an enumeration is its text in both forms, a boolean shows nobody.
            #expect(
                try PostgresColumnTests.column(rules, Array("shipped".utf8), 90_001, isBinary: true).outcome
                    == .unchanged)
            #expect(try PostgresColumnTests.column(rules, Array("shipped".utf8), 90_001).outcome == .unchanged)
            #expect(try PostgresColumnTests.column(rules, [1], 16, isBinary: true).outcome == .unchanged)
        }
        for rules in [inside, names] {
            #expect(try PostgresColumnTests.column(rules, #"("{""ssn"":""1""}",2)"#, 90_001) == "null")
            #expect(try PostgresColumnTests.column(rules, #""ssn"=>"1""#, 90_001) == "null")
        }
        #expect(try PostgresColumnTests.column(nothing, bytes, 90_001, isBinary: true).outcome == .unchanged)
        #expect(try PostgresColumnTests.column(PostgresColumnTests.detecting, "(ann@example.com,2)", 90_001) == "null")
    }

    @Test func `a whole number of a table has the token of the same number in JSON`() throws {
        let digits = TokenForm.preserving(PreservingSettings(alphabet: .digits))
        let fixture = try EngineFixture([MaskingRule(field: "n", action: EngineFixture.token("n", digits))])
        for number in [1_234_567, 1_999_999_999, 9_999_999, 2_147_483_647] + Array(1_000_000..<1_000_040) {
            let json = try #require(fixture.json(#"{"n":\#(number)}"#))
            let token = String(json.dropFirst(5).dropLast())
            for type in [UInt32(23), 20, 1700, 701] {
                let text = fixture.field(.column, Array("\(number)".utf8), name: "s.t.n", type: type).text
                #expect(text == token, "type \(type)")
            }
            let binary = fixture.field(
                .column, PostgresColumnTests.bigEndian(Int32(number)), name: "s.t.n", type: 23, isBinary: true)
            #expect(binary.content == Int32(token).map { PostgresColumnTests.bigEndian($0) })
        }
    }

    @Test func `no bytes trap, whatever type they are said to have`() throws {
        let fixture = try EngineFixture([
            MaskingRule(.detectors(["all"]), action: .redact("x")), MaskingRule(field: "c[1].a", action: .nullify),
        ])
        let seeds: [[UInt8]] = [
            PostgresColumnTests.array(25, [Array("ann@example.com".utf8), nil]), [2, 32, 0, 4, 10, 1, 2, 3],
            Array("[1:2]={{\"a\\\"\",NULL},{b,c}}".utf8), Array("\\x616e6e406578616d706c652e636f6d".utf8),
            Array("a\\134\\\\b".utf8), [0, 3, 0, 1, 0, 0, 0, 3, 0, 1, 0x09, 0x29, 0x1a, 0x7c],
        ]
        let types: [UInt32] = [
            0, 16, 17, 20, 21, 23, 114, 650, 700, 701, 774, 829, 869, 1005, 1007, 1009, 1016, 1041, 1082, 1114, 1231,
            1700, 2950, 3802, 3807, 90_001,
        ]
        var random = UInt64(7)
        var masked = 0
        for _ in 0..<400 {
            for seed in seeds {
                var bytes = seed
                for _ in 0..<3 {
                    random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    let at = Int(random >> 33) % max(1, bytes.count)
                    switch random >> 60 & 3 {
                    case 0: bytes[at] = UInt8(truncatingIfNeeded: random >> 40)
                    case 1: bytes.insert([0x7f, 0xff, 0x5c, 0x22][Int(random >> 50 & 3)], at: at)
                    case 2 where bytes.count > 1: bytes.remove(at: at)
                    default: bytes[at] = [0, 0x80, 0x7b, 0x7d][Int(random >> 50 & 3)]
                    }
                }
                for type in types {
                    for isBinary in [false, true] {
                        let made = fixture.field(.column, bytes, name: "s.t.c", type: type, isBinary: isBinary)
                        if made.outcome != .unchanged { masked += 1 }
                    }
                }
            }
        }
        #expect(masked > 10_000)
    }
}
