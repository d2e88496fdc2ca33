import Testing
import TidegateWire

@Suite struct RingTests {
    @Test func `elements leave in the order they came, across growth and wrap-around`() {
        var ring = Ring<Int>()
        var next = 0
        var expected = 0
        for round in 0..<200 {
            for _ in 0..<(round % 7) {
                ring.append(next)
                next += 1
            }
            for _ in 0..<(round % 5) where !ring.isEmpty {
                #expect(ring.popFirst() == expected)
                expected += 1
            }
        }
        while let element = ring.popFirst() {
            #expect(element == expected)
            expected += 1
        }
        #expect(expected == next)
        #expect(ring.first == nil)
    }
}
