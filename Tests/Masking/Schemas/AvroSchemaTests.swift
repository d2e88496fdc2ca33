import Testing
import TidegateSchemas

/// What is an Avro schema, and what is none.
struct AvroSchemaTests {
    private func schema(_ text: String, _ references: [String] = []) throws -> Schema {
        try Schema(.avro, Array(text.utf8), references: references.map { .init(name: "", text: Array($0.utf8)) })
    }

    @Test func `names of schemas that are referred to are known`() throws {
        let address =
            #"{"type":"record","name":"Address","namespace":"geo","fields":[{"name":"city","type":"string"}]}"#
        let person = """
            {"type":"record","name":"Person","namespace":"hr","fields":[{"name":"home","type":"geo.Address"},
              {"name":"work","type":["null","geo.Address"]}]}
            """
        let harness = try Harness(try schema(person, [address]), TakesPaths(["home.city", "work.city"]))
        let payload: [UInt8] = [0x02, 0x41, 0x02, 0x02, 0x42]
        let isFound = harness.finds(payload)
        #expect(isFound)
        #expect(harness.described(payload) == ["city=A", "city=B"])
        #expect(throws: SchemaError.self) { try schema(person) }
    }

    @Test func `a root that is no record is a schema as well`() throws {
        let harness = try Harness(try schema(#"["null","string"]"#), TakesAll())
        #expect(harness.masked([0x02, 0x02, 0x41], "xy") == [0x02, 0x04, 0x78, 0x79])
        #expect(harness.masked([0x00], "xy") == [0x00])
        let bare = try Harness(try schema(#""string""#), TakesAll())
        #expect(bare.masked([0x02, 0x41], "") == [0x00])
    }

    @Test func `a tag of a type holds wherever the type stands`() throws {
        let text = """
            {"type":"record","name":"R","fields":[{"name":"a","type":{"type":"record","name":"Secret",
              "confluent:tags":["SECRET"],"fields":[{"name":"x","type":"int"}]}},
              {"name":"b","type":{"type":"array","items":"Secret"}},{"name":"c","type":["null","Secret"]},
              {"name":"d","type":{"type":"map","values":"Secret"}},{"name":"e","type":"int"}]}
            """
        let read = try schema(text)
        #expect(read.tags == ["SECRET"])
        let harness = try Harness(read, TakesPaths(tags: ["SECRET"]))
        let payload: [UInt8] = [0x02, 0x02, 0x04, 0x00, 0x02, 0x06, 0x02, 0x02, 0x6b, 0x08, 0x00, 0x0a]
        let isFound = harness.finds(payload)
        #expect(isFound)
        #expect(harness.described(payload) == ["x=1", "x=2", "x=3", "x=4"])
    }

    @Test(arguments: [
        "", "{", "nonsense", "\"nonsense\"", "[]", #"[["null"]]"#, #"{"type":"record","name":"R"}"#,
        #"{"type":"record","name":"R","fields":[{"name":"a","type":"R"}]}"#,
        #"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}"#,
        #"{"type":"record","name":"R\"","fields":[]}"#,
        #"{"type":"record","name":"R","fields":[{"name":"a b","type":"int"}]}"#,
        #"{"type":"fixed","name":"F","size":-1}"#, #"{"type":"fixed","name":"F","size":99999999999}"#,
        #"{"type":"fixed","name":"F"}"#, #"{"type":"enum","name":"E","symbols":[]}"#,
        #"{"type":"enum","name":"E","symbols":["A","A"]}"#, #"{"type":"array"}"#, #"{"type":"map"}"#,
        #"{"type":"record","name":"R","fields":[{"name":"a","type":"missing.Name"}]}"#, "17", "null",
        #"{"type":"fixed","name":"F","size":4,"name":"\u0000"}"#,
    ])
    func `what is no schema is refused`(text: String) {
        #expect(throws: SchemaError.self) { try schema(text) }
    }

    @Test func `a schema that is nested too deeply is refused`() {
        var text = "\"int\""
        for _ in 0..<3000 { text = #"{"type":"array","items":\#(text)}"# }
        #expect(throws: SchemaError.self) { try schema(text) }
        #expect(throws: SchemaError.self) { try schema(String(repeating: "[", count: 500_000)) }
    }

    @Test func `a logical type that its rules do not allow is none`() throws {
        let harness = try Harness(
            try schema(#"{"type":"bytes","logicalType":"decimal","precision":2,"scale":5}"#), TakesAll())
        #expect(harness.masked([0x02, 0x07], "any") == [0x06] + Array("any".utf8))
    }
}
