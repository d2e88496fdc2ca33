import Testing
import TidegateSchemas

/// What is a Protobuf schema, and what is none; messages that are made to break a reader.
struct ProtobufSchemaTests {
    private func schema(_ text: String, _ references: [(String, String)] = []) throws -> Schema {
        try Schema(
            .protobuf, Array(text.utf8), references: references.map { .init(name: $0.0, text: Array($0.1.utf8)) })
    }

    @Test func `imports are found by their names`() throws {
        let money = #"syntax = "proto3"; package geo; message Money { string units = 1; }"#
        let text = """
            syntax = "proto3"; import "geo/money.proto"; import "google/protobuf/timestamp.proto";
            message M { geo.Money price = 1; google.protobuf.Timestamp at = 2; }
            """
        let read = try schema(text, [("geo/money.proto", money)])
        let harness = try Harness(read, message: 0, TakesPaths(["price.units", "at.seconds"]))
        let payload = wire("0a03 0a01 '5' 1202 0807")
        let isFound = harness.finds(payload)
        #expect(isFound)
        #expect(harness.described(payload) == ["units=5", "seconds=7"])
        #expect(throws: SchemaError.self) { try schema(text) }
    }

    @Test func `extensions are fields that have names`() throws {
        let text = """
            syntax = "proto2"; package p; message M { extensions 100 to 200; }
            extend M { optional string secret = 100; }
            """
        let harness = try Harness(try schema(text), message: 0, TakesPaths(["p.secret"]))
        // Its name has a dot: a path's segments are split at them, so it is taken by name alone.
        let payload = wire("a20601 'x'")
        let isFound = harness.finds(payload)
        #expect(isFound && harness.list.leaves.isEmpty && !harness.list.mustRewrite)
    }

    @Test(arguments: [
        "nonsense", "syntax = \"proto9\";", "syntax = \"proto3\"; message M { int32 a = 1; int32 b = 1; }",
        "syntax = \"proto3\"; message M { Missing a = 1; }",
        "syntax = \"proto3\"; import \"missing.proto\"; message M {}",
        "syntax = \"proto3\"; import \"/etc/passwd\"; message M {}", "syntax = \"proto3\"; message M { int32 a = 0; }",
        "syntax = \"proto3\"; message M {", "\u{0}\u{1}",
    ])
    func `what is no schema is refused`(text: String) {
        #expect(throws: SchemaError.self) { try schema(text) }
    }

    @Test func `a schema that is nested too deeply is refused`() {
        let deep = String(repeating: "message M{", count: 100_000)
        #expect(throws: SchemaError.self) { try schema("syntax = \"proto3\";" + deep) }
        let hidden = String(repeating: "message M{/*}*/\"}\"", count: 50_000)
        #expect(throws: SchemaError.self) { try schema("syntax = \"proto3\";" + hidden) }
        let list = "message M { int32 a = 1 [(x) = " + String(repeating: "{a:", count: 50_000) + "] ; }"
        #expect(throws: SchemaError.self) { try schema("syntax = \"proto3\";" + list) }
    }

    @Test(arguments: [[], [0xff, 0xff], [0x0a, 0x7f]] as [[UInt8]])
    func `what is no set of descriptors is refused`(bytes: [UInt8]) {
        #expect(throws: SchemaError.self) { try Schema(descriptors: bytes) }
    }

    static let node = """
        syntax = "proto2";
        message Node { optional Node next = 1; optional string text = 2; repeated int32 many = 3;
          optional group Inner = 4 { optional Node next = 1; } map<string, Node> map = 5; required int32 must = 6; }
        """

    @Test(arguments: [
        "0a", "0a05 00", "12ffffffffffffffffff01", "12ffffffff0f", "0a02 1205", "08", "1a03 80808001", "1a01 80", "23",
        "2b", "23 1c", "24", "1c", "00", "0000", "02", "0f", "0e", "8080808010 00", "ffffffff1f 00",
        "80808080808080808001 00", "09 00000000000000", "0d 000000", "7b 83", "7b 8401", "2a02 0a05", "2a03 0a02 'x'",
        "a2ffffffffffffffffff01",
    ])
    func `a message that ends within something, or has what no encoder writes, is refused`(bytes: String) throws {
        for unknown in [PlanOptions.UnknownFields.drop, .keep] {
            var options = PlanOptions()
            options.unknownFields = unknown
            let harness = try Harness(try schema(ProtobufSchemaTests.node), message: 0, TakesAll(), options)
            let isFound = harness.finds(wire(bytes))
            #expect(!isFound)
        }
    }

    @Test func `messages and groups that are nested too deeply are refused`() throws {
        let harness = try Harness(try schema(ProtobufSchemaTests.node), message: 0, TakesAll())
        var payload: [UInt8] = []
        for depth in 0..<80 {
            let isFound = harness.finds(payload)
            #expect(isFound == (depth < 64), "\(depth)")
            var length: [UInt8] = [UInt8(payload.count & 0x7f)]
            if payload.count > 127 { length = [UInt8(payload.count & 0x7f) | 0x80, UInt8(payload.count >> 7)] }
            payload = [0x0a] + length + payload
        }
        for tag: UInt8 in [0x23, 0x7b] {
            let groups = [UInt8](repeating: tag, count: 200_000) + [UInt8](repeating: tag + 1, count: 200_000)
            let isFound = harness.finds(groups)
            #expect(!isFound)
        }
    }

    @Test func `a required field is zero where it is emptied`() throws {
        let harness = try Harness(try schema(ProtobufSchemaTests.node), message: 0, TakesPaths(["must", "text"]))
        let isFound = harness.finds(wire("1201 'x' 3007"))
        #expect(isFound)
        #expect(harness.rewritten(wire("1201 'x' 3007"), [.empty, .empty]) == wire("3000"))
    }
}
