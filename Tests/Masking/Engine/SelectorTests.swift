import Testing
import TidegateCore
import TidegateMasking
import TidegateTokens

/// Names, columns, everything; explaining; what a profile refuses.
struct SelectorTests {
    @Test func `names are found at any depth, escaped too, in headers and columns`() throws {
        let fixture = try EngineFixture([MaskingRule(.namePattern("(?i)^(ssn|tax_?id)$"), action: .redact("x"))])
        #expect(
            fixture.json(#"{"SSN":"1","a":[{"taxId":"2","ssns":"3"}],"\u0073sn":"4"}"#)
                == #"{"SSN":"x","a":[{"taxId":"x","ssns":"3"}],"\u0073sn":"x"}"#)
        #expect(fixture.field(.header, Array("1".utf8), name: "ssn").text == "x")
        #expect(fixture.field(.column, Array("1".utf8), name: "public.people.tax_id", type: 25).text == "x")
        #expect(fixture.field(.column, Array("1".utf8), name: "public.people.name", type: 25).outcome == .unchanged)
    }

    @Test func `a column is named with its table, in any schema or in one`() throws {
        let any = try EngineFixture([MaskingRule(.column("customers.phone"), action: .redact("x"))])
        let one = try EngineFixture([MaskingRule(.column("crm.customers.phone"), action: .redact("x"))])
        let value = Array("555".utf8)
        #expect(any.field(.column, value, name: "crm.customers.phone", type: 25).text == "x")
        #expect(any.field(.column, value, name: "crm.oldcustomers.phone", type: 25).outcome == .unchanged)
        #expect(one.field(.column, value, name: "crm.customers.phone", type: 25).text == "x")
        #expect(one.field(.column, value, name: "hr.customers.phone", type: 25).outcome == .unchanged)
    }

    @Test func `everything is every value, whatever it is`() throws {
        let fixture = try EngineFixture([MaskingRule(.everything, action: .redact("x"))])
        #expect(fixture.json(#"{"a":1}"#) == "null")
        #expect(fixture.json(#""a""#) == #""x""#)
        #expect(fixture.field(.header, Array("1".utf8), name: "any").text == "x")
    }

    @Test(arguments: [
        (UInt32(23), "42", Optional<[UInt8]>.none, "0000002a"), (20, "-7", nil, "fffffffffffffff9"),
        (1700, "12345.678", nil, "0003000100000003" + "0001" + "0929" + "1a7c"), (1082, "2026-11-26", nil, "00002662"),
        (2950, "550e8400-e29b-41d4-a716-446655440000", nil, "550e8400e29b41d4a716446655440000"),
    ])
    func `a column's binary form is the value's text`(type: UInt32, text: String, _: [UInt8]?, binary: String) throws {
        // Tokens of text and binary are the same, so the engine reads the same value in both.
        let fixture = try EngineFixture([MaskingRule(.column("t.c"), action: .redact("x"))])
        let bytes = stride(from: 0, to: binary.utf8.count, by: 2).map { index in
            UInt8(binary.dropFirst(index).prefix(2), radix: 16) ?? 0
        }
        // A text that the type cannot hold is null, in both forms.
        #expect(fixture.field(.column, Array(text.utf8), name: "s.t.c", type: type).outcome == .null)
        #expect(fixture.field(.column, bytes, name: "s.t.c", type: type, isBinary: true).outcome == .null)
    }

    @Test func `numbers and dates of a table stay what they are`() throws {
        let fixture = try EngineFixture([
            MaskingRule(.column("t.n"), action: .bucket(width: "10")),
            MaskingRule(.column("t.d"), action: .coarsen(.month)),
            MaskingRule(.column("t.j.x"), action: .redact("never")),
            MaskingRule(field: "j.mail", action: .email(.domain)),
        ])
        #expect(
            fixture.field(.column, [0, 0, 0, 42], name: "s.t.n", type: 23, isBinary: true).content == [0, 0, 0, 40])
        #expect(
            fixture.field(.column, [0, 0, 0x26, 0x62], name: "s.t.d", type: 1082, isBinary: true).content == [
                0, 0, 0x26, 0x49,
            ])
        #expect(fixture.field(.column, Array("2026-11-26".utf8), name: "s.t.d", type: 1082).text == "2026-11-01")
        let numeric: [UInt8] = [0, 3, 0, 1, 0, 0, 0, 3, 0, 1, 0x09, 0x29, 0x1a, 0x7c]
        #expect(
            fixture.field(.column, numeric, name: "s.t.n", type: 1700, isBinary: true).content
                == [0, 2, 0, 1, 0, 0, 0, 0, 0, 1, 0x09, 0x24])
        let json: [UInt8] = [1] + Array(#"{"mail":"ann@example.com"}"#.utf8)
        #expect(
            fixture.field(.column, json, name: "s.t.j", type: 3802, isBinary: true).content
                == [1] + Array(#"{"mail":"****@example.com"}"#.utf8))
    }

    @Test func `what a column's type writes in no text stays, or is null where a rule names it`() throws {
        let fixture = try EngineFixture([
            MaskingRule(.column("t.c"), action: .redact("x")), MaskingRule(.detectors(["email"]), action: .redact("x")),
        ])
        let nan: [UInt8] = [0, 0, 0, 0, 0xc0, 0, 0, 0]
        let infinity: [UInt8] = [0x7f, 0xff, 0xff, 0xff]
        for (type, bytes) in [(UInt32(1700), nan), (1082, infinity)] {
            #expect(fixture.field(.column, bytes, name: "s.t.d", type: type, isBinary: true).outcome == .unchanged)
            #expect(fixture.field(.column, bytes, name: "s.t.c", type: type, isBinary: true).outcome == .null)
        }
        for (type, bytes) in [(UInt32(3802), [UInt8]([2, 3])), (1009, [1, 2, 3])] {
            #expect(fixture.field(.column, bytes, name: "s.t.d", type: type, isBinary: true).outcome == .null)
            #expect(fixture.field(.column, bytes, name: "s.t.c", type: type, isBinary: true).outcome == .null)
        }
    }

    @Test func `a column of JSON stays JSON, whatever its rule makes of it`() throws {
        let fixture = try EngineFixture([
            MaskingRule(.column("t.c"), action: .redact("say \"x\"")), MaskingRule(field: "d.a", action: .keepLast(1)),
        ])
        let document = Array(#"{"a":"12"}"#.utf8)
        #expect(fixture.field(.column, document, name: "s.t.c", type: 114).text == #""say \"x\"""#)
        #expect(
            fixture.field(.column, [1] + document, name: "s.t.c", type: 3802, isBinary: true).content == [1]
                + Array(#""say \"x\"""#.utf8))
        #expect(fixture.field(.column, document, name: "s.t.d", type: 114).text == #"{"a":"****2"}"#)
        #expect(fixture.field(.column, Array(#"{"a":"12""#.utf8), name: "s.t.d", type: 114).text == #""[redacted]""#)
    }

    @Test func `explaining says where, why and how, and never what`() throws {
        let fixture = try EngineFixture([
            MaskingRule(field: "card.number", action: .keepLast(4)),
            MaskingRule(.detectors(["email"]), action: .redact("x")),
        ])
        var findings: [MaskingFinding]? = []
        let line = Array(#"{"card":{"number":"4111"},"notes":["","to ann@example.com"]}"#.utf8)
        _ = fixture.profile.mask(line: line, isJSON: true, explaining: &findings)
        let found = try #require(findings)
        #expect(found.map(\.path) == ["card.number", "notes[1]"])
        #expect(found.map(\.rule) == [0, 1])
        #expect(found[1].detector == "email" && found[1].start == 3 && found[1].end == 18)
        #expect(found.map(\.action) == ["keepLast", "redact"])
        #expect(found[0].start == 0 && found[0].end == 4)
        let tallies = fixture.profile.tallies()
        #expect(tallies.map(\.count) == [1, 1, 1])
        #expect(tallies.map(\.isDetector) == [false, false, true])
    }

    @Test func `what cannot work is refused with the rule that it is about`() throws {
        let cases: [(MaskingRule, String)] = [
            (MaskingRule(.detectors(["creditcard"]), action: .redact("x")), "no detector 'creditcard'"),
            (MaskingRule(.detectors([]), action: .redact("x")), "no detector"),
            (MaskingRule(.detectors(["email"]), action: .drop), "cannot be dropped"),
            (MaskingRule(.namePattern("(a+)+\\1"), action: .redact("x")), ""),
            (MaskingRule(.tag("PII"), action: .redact("x")), "can never match"),
            (MaskingRule(.column("phone"), action: .redact("x")), "names no column"),
            (MaskingRule(field: "a", parts: [.key], action: .keepLast(4)), "injective"),
            (MaskingRule(field: "a", parts: [.key], action: EngineFixture.token("d", .sealed)), "injective"),
            (
                MaskingRule(
                    field: "a",
                    action: EngineFixture.token(
                        "d", .preserving(PreservingSettings(keepFirst: 8, keepLast: 4, shape: .card)))), "FF1"
            ),
            (
                MaskingRule(
                    field: "a", action: .token(TokenSettings(key: "other", domain: "d", form: .opaque))),
                "no masking key 'other'"
            ),
        ]
        for (rule, expected) in cases {
            let good = MaskingRule(field: "b", action: .nullify)
            do {
                _ = try EngineFixture([good, rule])
                Issue.record("accepted: \(rule)")
            } catch let errors as MaskingSettingsErrors {
                #expect(errors.list.count == 1 && errors.list[0].rule == 1, "\(errors.list)")
                #expect(errors.list[0].message.contains(expected), "\(errors.list[0].message)")
                #expect(!errors.list[0].suggestion.isEmpty)
            }
        }
        #expect(throws: Never.self) {
            try EngineFixture([
                MaskingRule(
                    field: "a",
                    action: EngineFixture.token(
                        "d", .preserving(PreservingSettings(keepFirst: 6, keepLast: 4, shape: .card))))
            ])
        }
    }

    @Test func `a detector of the operator's own is found, with its checksum and its words`() throws {
        let detectors = [
            "employee": UserDetectorSettings(pattern: "EMP-[0-9]{6}"),
            "member": UserDetectorSettings(
                pattern: "[0-9]{8}", checksum: "luhn", context: ["member"], needsContext: true),
        ]
        let fixture = try EngineFixture(
            [MaskingRule(.detectors(["employee", "member"]), action: .redact("x"))], detectors: detectors)
        #expect(fixture.json(#"{"a":"see EMP-123456."}"#) == #"{"a":"see x."}"#)
        #expect(fixture.json(#"{"member":"12345674","order":"12345674"}"#) == #"{"member":"x","order":"12345674"}"#)
        #expect(fixture.json(#"{"member":"12345675"}"#) == #"{"member":"12345675"}"#)
    }
}
