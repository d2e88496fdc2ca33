import Foundation
import TestSupport
import Testing
import TidegateSchemas

/// Random schemas and messages by seed, held against Python's protobuf.
@Suite(.enabled(if: PythonOracle.isThere, PythonOracle.lacking))
struct ProtobufOracleTests {
    struct Case: Decodable {
        var schema: String
        var descriptors: String
        var payload: String
        var seed: Int
    }

    private func harness(_ oracle: Case, _ resolver: some PlaceResolver) throws -> Harness {
        // Both ways to say the same: the text, and descriptors.
        let schema =
            oracle.seed % 3 == 0
            ? try Schema(descriptors: unhex(oracle.descriptors)) : try Schema(.protobuf, Array(oracle.schema.utf8))
        var options = PlanOptions()
        options.unknownFields = oracle.seed % 2 == 0 ? .drop : .keep
        return try Harness(schema, message: try #require(schema.message(at: .first)), resolver, options)
    }

    @Test(arguments: [0, 1000, 2000])
    func `leaves are what Python reads, and edited payloads are what it is to read`(first: Int) throws {
        let count = 300
        let arguments = [String(first), String(count)]
        let cases = try Oracle.lines(Case.self, Oracle.run("protobuf_cases.py", ["generate"] + arguments))
        #expect(cases.count == count)
        var random = SeededGenerator(seed: UInt64(first))
        var answers: [UInt8] = []
        for oracle in cases {
            let payload = unhex(oracle.payload)
            let harness = try harness(oracle, TakesAll())
            try #require(harness.finds(payload), "case \(oracle.seed)")
            let texts = harness.texts(payload)
            let kept = harness.list.leaves.map { _ in LeafEdit.keep }
            if !harness.list.mustRewrite {
                #expect(harness.rewritten(payload, kept) == payload, "case \(oracle.seed)")
            } else {
                #expect(oracle.seed % 2 == 0)
            }
            let edits = RandomEdits(harness.list.leaves, &random)
            let output = try #require(harness.rewritten(payload, edits.edits, texts: edits.texts))
            #expect(harness.finds(output) && !harness.list.mustRewrite, "case \(oracle.seed)")
            answers += try JSONEncoder().encode(
                OracleAnswer(texts: texts.map { hex($0) }, edits: edits.answers, payload: hex(output)))
            answers.append(UInt8(ascii: "\n"))
        }
        let verdict = try Oracle.run("protobuf_cases.py", ["check"] + arguments, input: answers)
        #expect(String(decoding: verdict, as: UTF8.self) == "checked \(count)\n")
    }

    @Test func `whatever becomes of a payload's bytes, it is refused or written within its bounds`() throws {
        let cases = try Oracle.lines(Case.self, Oracle.run("protobuf_cases.py", ["generate", "7000", "150"]))
        var random = SeededGenerator(seed: 3)
        var refused = 0
        for oracle in cases {
            let payload = unhex(oracle.payload)
            guard !payload.isEmpty else { continue }
            let harness = try harness(oracle, TakesAll())
            for _ in 0..<100 {
                var broken = payload
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    broken[Int.random(in: 0..<broken.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                guard let masked = harness.masked(broken, "*") else {
                    refused += 1
                    continue
                }
                #expect(harness.finds(masked))
            }
        }
        #expect(refused > 1000)
    }
}
