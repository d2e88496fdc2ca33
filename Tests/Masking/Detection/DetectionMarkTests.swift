import TestSupport
import Testing
import TidegateDetection

/// The blocks that `mark` marks in a document: whoever looks only at the values that touch one misses nothing.
struct DetectionMarkTests {
    private func isMarked(_ range: Range<Int>, _ pass: borrowing DetectionPass) -> Bool {
        for block in (range.lowerBound >> 6)...((range.upperBound - 1) >> 6)
        where pass.marks[block >> 6] >> UInt64(block & 63) & 1 != 0 {
            return true
        }
        return false
    }

    @Test(arguments: 0..<8)
    func `each value that something is found in touches a marked block`(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(300 + seed))
        let searches = try [Search()] + BuiltInDetector.allCases.map { try Search([$0]) }
        var pass = DetectionPass()
        for round in 0..<1500 {
            let search = searches[round % 2 == 0 ? 0 : round % searches.count]
            var document = Array("[".utf8)
            var values: [(text: String, range: Range<Int>)] = []
            for _ in 0..<Int.random(in: 1...40, using: &generator) {
                let text = String(decoding: DetectionFuzzTests.text(&generator), as: UTF8.self)
                let start = document.count
                document += DetectionFuzzTests.document(text, &generator).utf8
                values.append((text, start + 5..<document.count - 1))
                document.append(UInt8(ascii: ","))
            }
            _ = search.set.mark(document.span.bytes, &pass)
            #expect(pass.marks.count > (document.count - 1) >> 12)
            for (text, range) in values where !isMarked(range, pass) {
                for name in DetectionFuzzTests.names {
                    let found = search.found(text, name: name)
                    #expect(found.isEmpty, "seed \(seed), round \(round), \(name): \(text)")
                }
            }
        }
    }

    @Test func `a document of words has no marks, and only what is found in it is marked`() throws {
        let search = try Search()
        var pass = DetectionPass()
        let words = Array(String(repeating: "walnuts ", count: 80).utf8)
        #expect(!search.set.mark(words.span.bytes, &pass))
        var document = words
        document.replaceSubrange(320..<336, with: Array("john@example.com".utf8))
        document[319] = UInt8(ascii: "\"")
        document[336] = UInt8(ascii: "\"")
        #expect(search.set.mark(document.span.bytes, &pass))
        #expect(pass.marks == [1 << 5])
    }
}
