import Testing
import TidegateCore
import TidegateMasking

/// Names of headers, stream fields and columns, with dots in them.
struct FieldNameTests {
    private func masked(_ part: RecordPart, _ name: String, _ rule: MaskingRule) throws -> Bool {
        let fixture = try EngineFixture([rule])
        return fixture.field(part, Array("536904399".utf8), name: name, type: part == .column ? 25 : 0).outcome
            != .unchanged
    }

    @Test(arguments: [RecordPart.header, .field])
    func `a name with dots is one name, and its parts are a path`(part: RecordPart) throws {
        for field in ["\"user.ssn\"", "user.ssn", "**.ssn", "user.*"] {
            #expect(try masked(part, "user.ssn", MaskingRule(field: field, action: .redact("x"))), "\(field)")
        }
        #expect(try masked(part, "user.ssn", MaskingRule(.namePattern("^user\\.ssn$"), action: .redact("x"))))
        #expect(try !masked(part, "user.ssn", MaskingRule(field: "ssn", action: .redact("x"))))
        #expect(try !masked(part, "user.ssn", MaskingRule(field: "user.name", action: .redact("x"))))
        #expect(try !masked(part, "user.ssn", MaskingRule(.namePattern("^ssn$"), action: .redact("x"))))
        #expect(try masked(part, "user.ssn", MaskingRule(.detectors(["us-ssn"]), action: .redact("x"))))
        #expect(try masked(part, "ssn", MaskingRule(field: "ssn", action: .redact("x"))))
    }

    @Test func `a column is named by the part behind its table, dots and all`() throws {
        for field in ["\"a.b\"", "b"] {
            #expect(
                try masked(.column, "public.people.a.b", MaskingRule(field: field, action: .redact("x"))), "\(field)")
        }
        #expect(try masked(.column, "public.people.a.b", MaskingRule(.namePattern("^a\\.b$"), action: .redact("x"))))
        #expect(try masked(.column, "public.people.ssn", MaskingRule(field: "ssn", action: .redact("x"))))
        #expect(try masked(.column, "my.schema.people.ssn", MaskingRule(.namePattern("^ssn$"), action: .redact("x"))))
        #expect(try masked(.column, "people.ssn", MaskingRule(field: "ssn", action: .redact("x"))))
        #expect(try !masked(.column, "public.people.ssn", MaskingRule(field: "people", action: .redact("x"))))
        #expect(try !masked(.column, "public.people.ssn", MaskingRule(field: "people.ssn", action: .redact("x"))))
    }
}
