import Testing
import TidegateSchemas

/// Which leaves of an Avro value rules take.
struct AvroPathTests {
    static let order = """
        {"type":"record","name":"Order","namespace":"shop.v1","fields":[
          {"name":"id","type":"long"},
          {"name":"email","type":["null","string"],"confluent:tags":["PII"]},
          {"name":"attributes","type":{"type":"map","values":"string"}},
          {"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[
            {"name":"sku","type":"string"},{"name":"note","type":["string","null"]}]}}},
          {"name":"parent","type":["null","Order"]}]}
        """
    /// id 5, e-mail a@b, attributes {x: 1, email: c@d}, one line (sku s, note n), no parent.
    static let payload = wire("0a 0206 'a@b' 0402 'x' 02 '1' 0a 'email' 06 'c@d' 00 0202 's' 0002 'n' 00 00")

    private func found(_ resolver: some PlaceResolver) throws -> [String] {
        let harness = try Harness(try Schema(.avro, Array(AvroPathTests.order.utf8)), resolver)
        let isFound = harness.finds(AvroPathTests.payload)
        #expect(isFound)
        return harness.described(AvroPathTests.payload)
    }

    @Test func `a path takes its field, through arrays and unions`() throws {
        #expect(try found(TakesPaths(["email"])) == ["email=a@b"])
        #expect(try found(TakesPaths(["lines.note", "parent.email"])) == ["note=n"])
        #expect(try found(TakesPaths(["*.sku"])) == ["sku=s"])
        #expect(try found(TakesPaths(["nothing", "id.x"])) == [])
    }

    @Test func `a path takes one key of a map and no other`() throws {
        #expect(try found(TakesPaths(["attributes.email"])) == ["email=c@d"])
        #expect(try found(TakesPaths(["attributes.*"])) == ["x=1", "email=c@d"])
        #expect(try found(TakesPaths(["attributes.none"])) == [])
    }

    @Test func `a map that is taken whole gives its keys too`() throws {
        #expect(
            try found(TakesPaths(["attributes"])) == [
                "key of attributes=x", "x=1", "key of attributes=email", "email=c@d",
            ])
    }

    @Test func `a record that is taken whole gives all its leaves`() throws {
        #expect(try found(TakesPaths(["lines"])) == ["sku=s", "note=n"])
    }

    @Test func `a tag takes its field`() throws {
        #expect(try found(TakesPaths(tags: ["PII"])) == ["email=a@b"])
    }

    @Test(arguments: [
        (#"{"type":"array","items":"string","confluent:tags":["PII"]}"#, "02 02 'a' 00", ["f=a"]),
        (#"["null",{"type":"array","items":"string","confluent:tags":["PII"]}]"#, "02 02 02 'a' 00", ["f=a"]),
        (#"{"type":"array","items":{"type":{"type":"string"},"confluent:tags":["PII"]}}"#, "02 02 'a' 00", ["f=a"]),
        (#"{"type":"map","values":"string","confluent:tags":["PII"]}"#, "02 02 'k' 02 'a' 00", ["key of f=k", "k=a"]),
        (#"{"type":{"type":"string"},"confluent:tags":["PII"]}"#, "02 'a'", ["f=a"]),
        (#"{"type":["null","string"],"confluent:tags":"PII"}"#, "02 02 'a'", ["f=a"]),
        (#"{"type":{"type":"array","items":"string"},"confluent:tags":["PII"]}"#, "02 02 'a' 00", ["f=a"]),
        (#"{"type":"Ssn","confluent:tags":["PII"]}"#, "'a'", ["f=a"]),
        (#"{"type":{"type":"Ssn"},"confluent:tags":["PII"]}"#, "'a'", ["f=a"]),
        (#"["null",{"type":"Name","confluent:tags":["PII"]}]"#, "02 02 'a'", ["n=a"]),
        (#"{"type":"map","values":{"type":"Ssn","confluent:tags":["PII"]}}"#, "02 02 'k' 'a' 00", ["k=a"]),
        // A type that stands in itself.
        (#"["null",{"type":"R","confluent:tags":["PII"]}]"#, "02 'x' 02 'y' 00", ["s=x", "n=y"]),
    ])
    func `a tag of a type takes what stands there, and no other use of its name`(
        type: String, payload: String, expected: [String]
    ) throws {
        let text = #"""
            {"type":"record","name":"R","fields":[{"name":"s","type":{"type":"fixed","name":"Ssn","size":1}},
              {"name":"r","type":{"type":"record","name":"Name","fields":[{"name":"n","type":"string"}]}},
              {"name":"f","type":\#(type)}]}
            """#
        let harness = try Harness(try Schema(.avro, Array(text.utf8)), TakesPaths(tags: ["PII"]))
        let bytes = wire("'s' 02 'n' \(payload)")
        let isFound = harness.finds(bytes)
        #expect(isFound)
        #expect(harness.described(bytes) == expected)
    }

    @Test func `detectors see every leaf that no rule takes`() throws {
        let schema = try Schema(.avro, Array(AvroPathTests.order.utf8))
        let harness = try Harness(schema, TakesPaths(["lines.note"], detects: true))
        let isFound = harness.finds(AvroPathTests.payload)
        #expect(isFound)
        #expect(
            harness.described(AvroPathTests.payload) == [
                "id=5", "email=a@b", "key of attributes=x", "x=1", "key of attributes=email", "email=c@d", "sku=s",
                "note=n",
            ])
        #expect(harness.list.leaves.map(\.rule) == [-1, -1, -1, -1, -1, -1, -1, 0])
        #expect(harness.list.leaves.map(\.canBeAbsent) == [false, true, false, false, false, false, false, true])
    }

    @Test func `more keys than a plan keeps are each governed`() throws {
        let schema = try Schema(.avro, Array(#"{"type":"map","values":"string"}"#.utf8))
        let harness = try Harness(schema, TakesPaths(["k7777", "k9"]))
        for round in 0..<3 {
            var payload: [UInt8] = []
            for index in 0..<10_000 {
                let key = Array("k\(index)".utf8)
                payload += [0x02, UInt8(key.count * 2)] + key + [0x02, UInt8(ascii: "v")]
            }
            let isFound = harness.finds(payload + [0])
            #expect(isFound)
            #expect(harness.described(payload) == ["k9=v", "k7777=v"], "round \(round)")
        }
    }

    @Test func `a key's new places below a map are found at run time`() throws {
        let text = """
            {"type":"map","values":{"type":"record","name":"R","fields":[{"name":"a","type":"string"},
              {"name":"b","type":{"type":"map","values":"string"}}]}}
            """
        let harness = try Harness(try Schema(.avro, Array(text.utf8)), TakesPaths(["x.b.y", "z.a"]))
        func entry(_ key: String) -> [UInt8] {
            wire("02 02 '\(key)' 02 '1' 02 02 'y' 02 '2' 00")
        }
        let payload = entry("q") + entry("x") + entry("z") + [0x00]
        let isFound = harness.finds(payload)
        #expect(isFound)
        #expect(harness.described(payload) == ["y=2", "a=1"])
    }

    @Test func `what a rule takes is replaced, and nothing else changes`() throws {
        let schema = try Schema(.avro, Array(AvroPathTests.order.utf8))
        let harness = try Harness(schema, TakesPaths(["email", "attributes.email", "lines.note"]))
        let output = harness.masked(AvroPathTests.payload, "***-***")
        let text = "0e '***-***'"
        let expected = wire("0a 02 \(text) 0402 'x' 02 '1' 0a 'email' \(text) 00 0202 's' 00 \(text) 00 00")
        #expect(output == expected)
    }

    @Test func `an emptied leaf takes its union's null branch`() throws {
        let schema = try Schema(.avro, Array(AvroPathTests.order.utf8))
        let harness = try Harness(schema, TakesPaths(["email", "lines.note", "id"]))
        let isFound = harness.finds(AvroPathTests.payload)
        #expect(isFound)
        let output = harness.rewritten(AvroPathTests.payload, [.empty, .empty, .empty])
        let expected = wire("00 00 0402 'x' 02 '1' 0a 'email' 06 'c@d' 00 0202 's' 02 00 00")
        #expect(output == expected)
    }
}
