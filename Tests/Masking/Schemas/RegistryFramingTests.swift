import Testing
import TidegateSchemas

/// Framings as Confluent's serialisers write them.
struct RegistryFramingTests {
    private func framing(_ bytes: [UInt8]) -> RegistryFraming? { RegistryFraming.parse(bytes.span.bytes) }
    private func path(_ bytes: [UInt8]) -> [Int]? {
        RegistryFraming.messagePath(bytes.span.bytes, at: 0).map { Array($0.path) + [$0.end] }
    }

    @Test func `an id is four bytes behind a zero`() {
        #expect(framing([0, 0, 0, 1, 2, 9])?.schema == .id(258))
        #expect(framing([0, 0, 0, 1, 2, 9])?.length == 5)
        #expect(framing([0, 0xff, 0xff, 0xff, 0xff])?.schema == .id(.max))
    }

    @Test func `a GUID is sixteen bytes behind a one`() {
        let bytes: [UInt8] = [
            1, 0x89, 0x79, 0x17, 0x62, 0x23, 0x36, 0x41, 0x86, 0x96, 0x74, 0x29, 0x9b, 0x90, 0xa8, 0x02, 0xe2,
        ]
        #expect(framing(bytes)?.schema.guidText == "89791762-2336-4186-9674-299b90a802e2")
        #expect(framing(bytes)?.length == 17)
        #expect(framing(Array(bytes.dropLast())) == nil)
    }

    @Test(arguments: [[], [0], [0, 1, 2, 3], [2, 0, 0, 0, 1], [0x7b, 0x22]] as [[UInt8]])
    func `other bytes have no framing`(bytes: [UInt8]) { #expect(framing(bytes) == nil) }

    @Test func `message indexes are zig-zag, and a zero is short for the first message`() {
        #expect(path([0x00, 0xff]) == [0, 1])
        #expect(path([0x02, 0x00]) == [0, 2])
        #expect(path([0x04, 0x02, 0x06]) == [1, 3, 3])
        #expect(path([0x02, 0x80, 0x02]) == [128, 3])
    }

    @Test(
        arguments: [
            [], [0x02], [0x01], [0x02, 0x01], [0x80], [0x12] + [UInt8](repeating: 2, count: 9),
            [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], [0x02, 0x80, 0x80, 0x80, 0x01],
        ] as [[UInt8]])
    func `indexes that lead nowhere are none`(bytes: [UInt8]) { #expect(path(bytes) == nil) }

    @Test func `paths of different messages differ`() {
        var paths: Set<MessagePath> = []
        for first in 0..<20 {
            for second in 0..<20 {
                var path = MessagePath()
                let fits = [path.append(Int64(first)), path.append(Int64(second))]
                paths.insert(path)
                let rest = (0..<7).map { _ in path.append(65_535) }
                #expect(fits + rest == Array(repeating: true, count: 8) + [false])
                paths.insert(path)
            }
        }
        #expect(paths.count == 800)
    }
}
