import Foundation
import TestSupport
import Testing
import TidegateSchemas

/// Random schemas and values by seed, held against fastavro.
@Suite(.enabled(if: PythonOracle.isThere, PythonOracle.lacking))
struct AvroOracleTests {
    struct Case: Decodable {
        var schema: String
        var payload: String
    }

    @Test(arguments: [0, 1000, 2000])
    func `leaves are what fastavro reads, and edited payloads are what it is to read`(first: Int) throws {
        let count = 500
        let arguments = [String(first), String(count)]
        let cases = try Oracle.lines(Case.self, Oracle.run("avro_cases.py", ["generate"] + arguments))
        #expect(cases.count == count)
        var random = SeededGenerator(seed: UInt64(first))
        var answers: [UInt8] = []
        for (index, oracle) in cases.enumerated() {
            let payload = unhex(oracle.payload)
            let schema = try Schema(.avro, Array(oracle.schema.utf8))
            let harness = try Harness(schema, TakesAll())
            try #require(harness.finds(payload), "case \(first + index)")
            let texts = harness.texts(payload)
            let kept = harness.list.leaves.map { _ in LeafEdit.keep }
            #expect(harness.rewritten(payload, kept) == payload, "case \(first + index)")
            let edits = RandomEdits(harness.list.leaves, &random)
            let output = try #require(harness.rewritten(payload, edits.edits, texts: edits.texts))
            #expect(harness.finds(output), "case \(first + index)")
            answers += try JSONEncoder().encode(
                OracleAnswer(texts: texts.map { hex($0) }, edits: edits.answers, payload: hex(output)))
            answers.append(UInt8(ascii: "\n"))
        }
        let verdict = try Oracle.run("avro_cases.py", ["check"] + arguments, input: answers)
        #expect(String(decoding: verdict, as: UTF8.self) == "checked \(count)\n")
    }

    @Test func `no prefix of a payload is taken for a value`() throws {
        let cases = try Oracle.lines(Case.self, Oracle.run("avro_cases.py", ["generate", "5000", "150"]))
        var refused = 0
        for oracle in cases {
            let payload = unhex(oracle.payload)
            let harness = try Harness(try Schema(.avro, Array(oracle.schema.utf8)), TakesNothing(detects: true))
            #expect(harness.finds(payload))
            for end in 0..<min(payload.count, 300) {
                if harness.finds(Array(payload[..<end])) { Issue.record("a prefix of \(end) bytes was taken") }
                refused += 1
            }
            #expect(!harness.finds(payload + [0]))
        }
        #expect(refused > 1000)
    }
}
