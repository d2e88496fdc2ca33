import Dispatch
import Synchronization
import TestSupport
import Testing
import TidegateSchemas

/// One plan serves all threads, also while new keys bring new places.
struct SharedPlanTests {
    @Test func `threads that meet new keys at a time find what each is to find`() throws {
        let text = """
            {"type":"map","values":{"type":"record","name":"R","fields":[{"name":"a","type":"string"},
              {"name":"inner","type":{"type":"map","values":["null","R"]}}]}}
            """
        let schema = try Schema(.avro, Array(text.utf8))
        let paths = (0..<20).map { "k\($0).inner.k\(($0 + 1) % 20).a" }
        let plan = try SchemaPlan.compile(schema, against: TakesPaths(paths))
        let wrong = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            var random = SeededGenerator(seed: UInt64(thread))
            var list = LeafList()
            for _ in 0..<2000 {
                let outer = Int.random(in: 0..<30, using: &random)
                let inner = Int.random(in: 0..<30, using: &random)
                // {k<outer>: {a: "1", inner: {k<inner>: {a: "2", inner: {}}}}}
                let first = Array("k\(outer)".utf8)
                let second = Array("k\(inner)".utf8)
                let payload =
                    [0x02, UInt8(first.count * 2)] + first + wire("02 '1' 02") + [UInt8(second.count * 2)] + second
                    + wire("02 02 '2' 00 00 00")
                let isFound = plan.leaves(in: payload.span.bytes, into: &list)
                let expected = outer < 20 && inner == (outer + 1) % 20 ? [Int32(outer)] : []
                if !isFound || list.leaves.map(\.rule) != expected { wrong.withLock { $0 += 1 } }
            }
        }
        #expect(wrong.withLock { $0 } == 0)
    }
}
