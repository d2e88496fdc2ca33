import Testing
import TidegateSchemas

/// Texts of leaves at the edges of what a type holds, and texts that do not fit.
struct LeafTextTests {
    private func text(_ schema: String, _ payload: [UInt8]) throws -> String? {
        let harness = try Harness(try Schema(.avro, Array(schema.utf8)), TakesAll())
        guard harness.finds(payload) else { return nil }
        return harness.texts(payload).first.map { String(decoding: $0, as: UTF8.self) }
    }
    private func masked(_ schema: String, _ payload: [UInt8], _ text: String) throws -> [UInt8]? {
        try Harness(try Schema(.avro, Array(schema.utf8)), TakesAll()).masked(payload, text)
    }
    private func zigzag(_ value: Int64) -> [UInt8] {
        var rest = UInt64(bitPattern: (value << 1) ^ (value >> 63))
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
    private func long(_ logical: String) -> String { #"{"type":"long","logicalType":"\#(logical)"}"# }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, "+10000-01-01T00:00:00.000Z"), (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        (-62_167_219_200_001, "-0001-12-31T23:59:59.999Z"),
    ])
    func `a timestamp is its text, and its text is the timestamp`(value: Int64, written: String) throws {
        let schema = long("timestamp-millis")
        #expect(try text(schema, zigzag(value)) == written)
        #expect(try masked(schema, [0x02], written) == zigzag(value))
    }

    @Test func `the least and the greatest numbers have texts`() throws {
        for value in [Int64.min, .max, 0, -1] {
            #expect(try text(#""long""#, zigzag(value)) == String(value))
            #expect(try masked(#""long""#, [0x02], String(value)) == zigzag(value))
            for logical in ["timestamp-millis", "timestamp-micros", "timestamp-nanos", "local-timestamp-micros"] {
                let written = try #require(try text(long(logical), zigzag(value)))
                #expect(try masked(long(logical), [0x02], written) == zigzag(value), "\(logical) \(value)")
            }
        }
        #expect(try masked(#""long""#, [0x02], "9223372036854775808") == [0x00])
        #expect(try masked(#""int""#, [0x02], "2147483648") == [0x00])
        #expect(try masked(#""int""#, [0x02], "-2147483648") == zigzag(-2_147_483_648))
    }

    @Test(arguments: ["2021-02-29", "2021-13-01", "2021-00-10", "2021-1-1", "21-01-01", "2021-01-01x", "", "today"])
    func `what is no date makes a date empty`(written: String) throws {
        #expect(try masked(#"{"type":"int","logicalType":"date"}"#, [0x06], written) == [0x00])
    }

    @Test func `decimals of any length are exact`() throws {
        let schema = #"{"type":"bytes","logicalType":"decimal","precision":120,"scale":3}"#
        for written in [
            "0.000", "-0.001", "0.128", "-0.128", "-0.129", "32.767", "32.768", "9223372036854775.807",
            "9223372036854775.808", "-9223372036854775.808", "-9223372036854775.809",
            "123456789012345678901234567890123456789012345678901234567890.123",
            "-999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999.999",
        ] {
            let payload = try #require(try masked(schema, [0x02, 0x01], written))
            #expect(try text(schema, payload) == written)
        }
        #expect(try masked(schema, [0x02, 0x01], "7") == [0x04, 0x1b, 0x58])
        #expect(try masked(schema, [0x02, 0x01], "0.0001") == [0x02, 0x00])
        #expect(try masked(schema, [0x02, 0x01], "0.0010") == [0x02, 0x01])
    }

    @Test func `a decimal keeps to its precision and its fixed`() throws {
        let schema = #"{"type":"fixed","name":"F","size":2,"logicalType":"decimal","precision":4,"scale":2}"#
        #expect(try text(schema, [0xff, 0x85]) == "-1.23")
        #expect(try masked(schema, [0xff, 0x85], "99.99") == [0x27, 0x0f])
        #expect(try masked(schema, [0xff, 0x85], "-0.01") == [0xff, 0xff])
        #expect(try masked(schema, [0xff, 0x85], "100.00") == [0x00, 0x00])
    }

    @Test func `a text that is no UTF-8 makes a string empty, and bytes take it`() throws {
        for (schema, expected) in [(#""string""#, [0x00]), (#""bytes""#, [0x02, 0xff])] as [(String, [UInt8])] {
            let harness = try Harness(try Schema(.avro, Array(schema.utf8)), TakesAll())
            let isFound = harness.finds([0x02, 0x41])
            #expect(isFound)
            #expect(harness.rewritten([0x02, 0x41], [.text(0..<1)], texts: [0xff]) == expected)
        }
    }

    @Test func `a duration has a text and takes none`() throws {
        let schema = #"{"type":"fixed","name":"D","size":12,"logicalType":"duration"}"#
        let payload: [UInt8] = [1, 0, 0, 0, 2, 0, 0, 0, 0xd3, 0x0f, 0, 0]
        #expect(try text(schema, payload) == "P1M2DT4.051S")
        #expect(try masked(schema, payload, "P1M2DT4.051S") == [UInt8](repeating: 0, count: 12))
    }

    @Test func `a string that holds a UUID takes nothing else`() throws {
        let schema = #"{"type":"string","logicalType":"uuid"}"#
        let id = "2a4b7c1e-0000-4000-8000-00000000000f"
        let payload: [UInt8] = [72] + Array(id.utf8)
        #expect(try masked(schema, payload, id) == payload)
        #expect(
            try masked(schema, payload, "***") == [72] + Array("00000000-0000-0000-0000-000000000000".utf8))
    }

    @Test func `edits that do not belong to the leaves are refused`() throws {
        let harness = try Harness(try Schema(.avro, Array(#""string""#.utf8)), TakesAll())
        let isFound = harness.finds([0x02, 0x41])
        #expect(isFound)
        #expect(harness.rewritten([0x02, 0x41], []) == nil)
        #expect(harness.rewritten([0x02, 0x41], [.text(0..<9)], texts: [0x41]) == nil)
        #expect(harness.rewritten([0x02, 0x41, 0x42], [.empty]) == nil)
    }
}
