import TestSupport
import Testing
import TidegateSchemas

/// Payloads that are made to break a reader.
struct HostileAvroTests {
    private func harness(_ schema: String, _ resolver: some PlaceResolver = TakesAll()) throws -> Harness {
        try Harness(try Schema(.avro, Array(schema.utf8)), resolver)
    }
    /// 2^60 in zig-zag, and its negative.
    private let giant: [UInt8] = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]
    private let negative: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]

    @Test(arguments: [
        #"{"type":"array","items":"null"}"#, #"{"type":"array","items":{"type":"fixed","name":"F","size":0}}"#,
        #"{"type":"array","items":{"type":"record","name":"R","fields":[{"name":"a","type":"null"}]}}"#,
    ])
    func `a giant count of elements that take no bytes costs nothing`(schema: String) throws {
        let harness = try harness(schema)
        let isFound = harness.finds(giant + [0x00])
        let isSized = harness.finds(negative + [0x00, 0x00])
        #expect(isFound && isSized)
        let lies = harness.finds(negative + [0x02, 0x00, 0x00])
        #expect(!lies)
    }

    @Test func `a giant count of elements that are not there is refused`() throws {
        for items in [#""int""#, #"["null","int"]"#, #"{"type":"array","items":"null"}"#] {
            let array = try harness(#"{"type":"array","items":\#(items)}"#)
            let isFound = array.finds(giant + [0x02, 0x00])
            #expect(!isFound)
            let map = try harness(#"{"type":"map","values":\#(items)}"#)
            let isMap = map.finds(giant + [0x00, 0x02, 0x00])
            #expect(!isMap)
        }
        let map = try harness(#"{"type":"map","values":"null"}"#)
        let isMap = map.finds(giant + [0x00, 0x00])
        #expect(!isMap)
    }

    @Test(
        arguments: [
            [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02], [0xff, 0xff, 0xff, 0xff, 0x0f, 0x00],
            [0x01, 0x00], [0x08, 0x41], [0x80], [],
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        ] as [[UInt8]])
    func `a length that cannot be is refused`(payload: [UInt8]) throws {
        let harness = try harness(#""string""#)
        let isFound = harness.finds(payload)
        #expect(!isFound)
    }

    @Test func `a block of the least count there is is refused`() throws {
        let least: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]
        let harness = try harness(#"{"type":"array","items":"null"}"#)
        let isFound = harness.finds(least + [0x00, 0x00])
        #expect(!isFound)
    }

    @Test func `a block whose size is not that of its elements is refused`() throws {
        let harness = try harness(#"{"type":"array","items":"int"}"#)
        let exact = harness.finds([0x03, 0x04, 0x02, 0x04, 0x00])
        let short = harness.finds([0x03, 0x02, 0x02, 0x04, 0x00])
        let long = harness.finds([0x03, 0x06, 0x02, 0x04, 0x00])
        #expect(exact && !short && !long)
    }

    @Test func `numbers, branches and symbols that the schema does not have are refused`() throws {
        for (schema, payload) in [
            (#"["null","int"]"#, [0x04, 0x00]), (#"["null","int"]"#, [0x01]), (#""boolean""#, [0x02]),
            (#""int""#, [0x80, 0x80, 0x80, 0x80, 0x10]), (#"{"type":"enum","name":"E","symbols":["A"]}"#, [0x02]),
            (#"{"type":"enum","name":"E","symbols":["A"]}"#, [0x01]), (#""float""#, [0, 0, 0]), (#""null""#, [0x00]),
        ] as [(String, [UInt8])] {
            let harness = try harness(schema)
            let isFound = harness.finds(payload)
            #expect(!isFound, "\(schema)")
        }
    }

    @Test func `a value that is nested too deeply is refused`() throws {
        let harness = try harness(
            #"{"type":"record","name":"N","fields":[{"name":"v","type":"int"},{"name":"n","type":["null","N"]}]}"#)
        func payload(_ depth: Int) -> [UInt8] {
            Array(repeating: [0x02, 0x02], count: depth).flatMap { $0 } + [0x02, 0x00]
        }
        let fits = harness.finds(payload(63))
        #expect(fits && harness.list.leaves.count == 64)
        let isDeep = harness.finds(payload(64))
        let isDeepest = harness.finds(payload(500_000))
        #expect(!isDeep && !isDeepest)
    }

    @Test func `a value of more leaves than the limit is refused`() throws {
        var options = PlanOptions()
        options.leafLimit = 100
        let harness = try Harness(
            try Schema(.avro, Array(#"{"type":"array","items":"boolean"}"#.utf8)), TakesAll(), options)
        let fits = harness.finds([0xc8, 0x01] + [UInt8](repeating: 1, count: 100) + [0])
        let tooMany = harness.finds([0xca, 0x01] + [UInt8](repeating: 1, count: 101) + [0])
        #expect(fits && !tooMany)
    }

    @Test func `random bytes are refused or written within their bounds`() throws {
        var random = SeededGenerator(seed: 11)
        let harness = try harness(AvroPathTests.order)
        var taken = 0
        for _ in 0..<20_000 {
            var bytes = AvroPathTests.payload
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let masked = harness.masked(bytes, "some text") else { continue }
            taken += 1
            let isFound = harness.finds(masked)
            #expect(isFound)
        }
        #expect(taken > 0)
    }
}
