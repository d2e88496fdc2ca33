import Testing
import TidegateSchemas

/// Which leaves of a Protobuf message rules take, and what is written.
struct ProtobufPathTests {
    static let order = """
        syntax = "proto3";
        package shop.v1;
        import "confluent/meta.proto";
        import "google/protobuf/struct.proto";
        import "google/protobuf/wrappers.proto";
        message Order {
          int64 id = 1;
          string email = 2 [(confluent.field_meta).tags = "PII", (confluent.field_meta).tags = "EMAIL"];
          map<string, string> attributes = 3;
          repeated Line lines = 4;
          message Line { string sku = 1; repeated int32 sizes = 2; Inner inner = 3; message Inner { string x = 1; } }
          google.protobuf.Struct extra = 5;
          google.protobuf.StringValue nick = 6;
          map<int32, Line> byNumber = 7;
          oneof contact { string phone = 8; string fax = 9; }
        }
        message Other { option (confluent.message_meta).tags = "SECRET"; string text = 1; }
        message Holder { Other other = 1; repeated Other others = 2; }
        """

    private func harness(
        _ resolver: some PlaceResolver, _ message: String = "shop.v1.Order",
        _ unknown: PlanOptions.UnknownFields = .drop
    ) throws -> Harness {
        let schema = try Schema(.protobuf, Array(ProtobufPathTests.order.utf8))
        var options = PlanOptions()
        options.unknownFields = unknown
        return try Harness(schema, message: try #require(schema.message(named: message)), resolver, options)
    }

    private func found(_ payload: [UInt8], _ resolver: some PlaceResolver, _ message: String = "shop.v1.Order") throws
        -> [String]
    {
        let harness = try harness(resolver, message)
        let isFound = harness.finds(payload)
        #expect(isFound)
        return harness.described(payload)
    }

    private let payload = wire(
        "0805 1203 'a@b' 1a06 0a01 'x' 1201 '1' 1a0c 0a05 'email' 1203 'c@d' 220b 0a01 's' 1202 07 08 1a02 0a00 4203 '555'"
    )

    @Test func `a path takes its field, through repeated fields and packed ones`() throws {
        #expect(try found(payload, TakesPaths(["email"])) == ["email=a@b"])
        #expect(try found(payload, TakesPaths(["lines.sizes"])) == ["sizes=7", "sizes=8"])
        #expect(try found(payload, TakesPaths(["lines"])) == ["sku=s", "sizes=7", "sizes=8", "x="])
        #expect(try found(payload, TakesPaths(["phone", "fax"])) == ["phone=555"])
    }

    @Test func `a path takes one key of a map and no other, whatever stands first`() throws {
        #expect(try found(payload, TakesPaths(["attributes.email"])) == ["email=c@d"])
        let turned = wire("1a0c 1203 'c@d' 0a05 'email' 1a03 1201 'v' 1a0a 0a01 'a' 0a05 'email'")
        #expect(try found(turned, TakesPaths(["attributes.email"])) == ["email=c@d"])
        #expect(try found(turned, TakesPaths(["attributes.v", "attributes.a"])) == [])
        #expect(
            try found(payload, TakesPaths(["attributes"])) == [
                "key of attributes=x", "x=1", "key of attributes=email", "email=c@d",
            ])
    }

    @Test func `a number that is a key is its decimal`() throws {
        let payload = wire("3a07 08ff01 1202 0a00 3a07 0807 1203 0a01 'q' 3a02 1200")
        #expect(try found(payload, TakesPaths(["byNumber.7.sku"])) == ["sku=q"])
        #expect(try found(payload, TakesPaths(["byNumber.255.sku", "byNumber.0.sku"])) == ["sku="])
        let flags = try Schema(
            .protobuf,
            Array(#"syntax = "proto3"; message M { map<bool, string> f = 1; map<sint64, string> n = 2; }"#.utf8))
        let harness = try Harness(flags, message: 0, TakesPaths(["f.*", "n.-5", "n.0"]))
        let entries = wire("0a03 1201 'a' 0a05 0801 1201 'b' 1205 0809 1201 'c' 1205 0807 1201 'd' 1203 1201 'e'")
        let isFound = harness.finds(entries)
        #expect(isFound)
        #expect(harness.described(entries) == ["false=a", "true=b", "-5=c", "0=e"])
    }

    @Test func `a Struct and a wrapper are no levels of a path`() throws {
        func inside(_ tag: UInt8, _ parts: [UInt8]...) -> [UInt8] {
            let body = parts.flatMap { $0 }
            return [tag, UInt8(body.count)] + body
        }
        func member(_ name: String, _ value: [UInt8]) -> [UInt8] {
            inside(0x0a, inside(0x0a, Array(name.utf8)), inside(0x12, value))
        }
        // {"card": "4", "list": [{"n": true}]}, and a nickname.
        let inner = inside(0x0a, inside(0x2a, member("n", wire("2001"))))
        let payload =
            inside(0x2a, member("card", wire("1a01 '4'")), member("list", inside(0x32, inner))) + wire("3203 0a01 'z'")
        #expect(try found(payload, TakesPaths(["extra.card", "nick"])) == ["card=4", "nick=z"])
        #expect(try found(payload, TakesPaths(["extra.list.n"])) == ["n=true"])
        #expect(try found(payload, TakesPaths(["extra.n", "extra.fields", "nick.value"])) == [])
    }

    @Test func `tags of fields and of messages take what has them`() throws {
        #expect(try found(payload, TakesPaths(tags: ["EMAIL"])) == ["email=a@b"])
        let holder = wire("0a03 0a01 'a' 1203 0a01 'b'")
        #expect(try found(holder, TakesPaths(tags: ["SECRET"]), "shop.v1.Holder") == ["text=a", "text=b"])
        #expect(try Schema(.protobuf, Array(ProtobufPathTests.order.utf8)).tags == ["PII", "EMAIL", "SECRET"])
    }

    @Test func `an emptied field is left out, an element is zero, lengths around them are right`() throws {
        let harness = try harness(TakesPaths(["email", "lines.sizes", "phone"]))
        let isFound = harness.finds(payload)
        #expect(isFound)
        let output = harness.rewritten(payload, [.empty, .text(0..<5), .empty, .empty], texts: Array("30000".utf8))
        #expect(
            output
                == wire(
                    "0805 1a06 0a01 'x' 1201 '1' 1a0c 0a05 'email' 1203 'c@d' 220d 0a01 's' 1204 b0ea01 00 1a02 0a00"))
    }

    @Test func `lengths grow with what is in them, at every depth`() throws {
        let harness = try harness(TakesPaths(["lines.inner.x"]))
        let text = String(repeating: "y", count: 20_000)
        let output = try #require(harness.masked(payload, text))
        let isFound = harness.finds(output)
        #expect(isFound)
        #expect(harness.described(output) == ["x=" + text])
        #expect(harness.masked(output, "") == payload)
    }

    @Test func `unknown fields are dropped at any depth, or kept`() throws {
        let hidden = wire(
            "0805 a20103 'ssn' 2205 1a03 7a01 'h' 1a06 0a01 'x' 7a01 'q' 7d 01020304 7b 0805 7c 4203 '555'")
        let dropping = try harness(TakesPaths(["email"]))
        let isFound = dropping.finds(hidden)
        #expect(isFound)
        #expect(dropping.list.leaves.isEmpty && dropping.list.mustRewrite)
        #expect(dropping.rewritten(hidden, []) == wire("0805 2202 1a00 1a03 0a01 'x' 4203 '555'"))
        let keeping = try harness(TakesPaths(["phone"]), "shop.v1.Order", .keep)
        #expect(keeping.masked(hidden, "1") == Array(hidden.dropLast(5)) + wire("4201 '1'"))
    }

    @Test func `a field whose wire type is not the schema's is unknown`() throws {
        let harness = try harness(TakesAll())
        let isFound = harness.finds(wire("0a01 'x' 1005"))
        #expect(isFound)
        #expect(harness.list.leaves.isEmpty)
        #expect(harness.rewritten(wire("0a01 'x' 1005"), []) == [])
    }

    @Test func `message indexes lead to nested messages`() throws {
        let schema = try Schema(.protobuf, Array(ProtobufPathTests.order.utf8))
        func message(_ indexes: Int64...) -> Int? {
            var path = MessagePath()
            for index in indexes where !path.append(index) { return nil }
            return schema.message(at: path)
        }
        #expect(message(0) == schema.message(named: "shop.v1.Order"))
        #expect(message(1) == schema.message(named: "shop.v1.Other"))
        #expect(message(0, 1) == schema.message(named: "shop.v1.Order.Line"))
        #expect(message(0, 1, 0) == schema.message(named: "shop.v1.Order.Line.Inner"))
        #expect(message(3) == nil && message(0, 9) == nil && message() == nil)
        #expect(schema.message(named: "shop.v1.Order.Line.Inner") != nil)
    }
}
