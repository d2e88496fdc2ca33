import Testing
import TidegateSchemas

struct JSONSchemaTests {
    private func paths(_ text: String, _ references: [(String, String)] = []) throws -> [String] {
        let schema = try Schema(
            .jsonSchema, Array(text.utf8), references: references.map { .init(name: $0.0, text: Array($0.1.utf8)) })
        return schema.taggedPaths.map { path in
            let steps = path.steps.map { step in
                switch step {
                case .property(let name): String(decoding: name, as: UTF8.self)
                case .anyProperty: "*"
                case .element: "[]"
                case .anyDepth: "**"
                }
            }
            return steps.joined(separator: ".") + ":" + path.tags.joined(separator: ",")
        }
    }

    @Test func `tagged properties are found wherever they stand`() throws {
        let text = """
            {"type":"object","properties":{"ssn":{"type":"string","confluent:tags":["PII","US"]},
              "list":{"type":"array","items":{"properties":{"mail":{"confluent:tags":["PII"]}}}},
              "either":{"oneOf":[{"type":"null"},{"type":"string","confluent:tags":["SECRET"]}]},
              "open":{"additionalProperties":{"confluent:tags":["ANY"]}}}}
            """
        #expect(try paths(text) == ["either:SECRET", "list.[].mail:PII", "open.*:ANY", "ssn:PII,US"])
    }

    @Test func `references are followed, into other schemas too`() throws {
        let text = """
            {"properties":{"home":{"$ref":"#/$defs/a~1b"},"work":{"$ref":"address.json#/definitions/x"},
              "all":{"$ref":"https://example.com/address"}},
             "$defs":{"a/b":{"properties":{"city":{"confluent:tags":["T"]}}}}}
            """
        let other = """
            {"$id":"https://example.com/address","properties":{"zip":{"confluent:tags":["Z"]}},
             "definitions":{"x":{"$ref":"#/definitions/y"},"y":{"confluent:tags":["Y"]}}}
            """
        #expect(try paths(text, [("address.json", other)]) == ["all.zip:Z", "home.city:T", "work:Y"])
        #expect(throws: SchemaError.self) { try paths(text) }
    }

    @Test func `what a schema that holds itself has tagged is tagged at any depth`() throws {
        let text = ##"{"properties":{"name":{"confluent:tags":["N"]},"child":{"$ref":"#"}}}"##
        let found = try paths(text)
        #expect(found.contains("name:N") && found.contains("child.name:N"))
        #expect(found.contains { $0.hasPrefix("child.") && $0.contains("**") && $0.hasSuffix("name:N") })
    }

    @Test(arguments: ["", "{", ##"{"$ref":"#/missing"}"##, #"{"properties":{"a":{"$ref":"other.json"}}}"#])
    func `what cannot be followed is refused`(text: String) {
        #expect(throws: SchemaError.self) { try paths(text) }
    }

    @Test func `a JSON Schema has no plan`() throws {
        let schema = try Schema(.jsonSchema, Array("{}".utf8))
        #expect(throws: SchemaError.self) { try SchemaPlan.compile(schema, against: TakesAll()) }
    }
}
