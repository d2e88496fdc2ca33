import TestSupport
import Testing
import TidegateCore
import TidegateKafka

@Suite struct MaskedFetchTests {
    /// Stars for what is called secret, nothing for the rest; `drop` and `none` name their outcomes.
    private var rehearsing: Rehearsing {
        var rehearsing = Rehearsing()
        rehearsing.maskers = { isReluctant in
            [
                ScriptedMasker(isReluctant: isReluctant) { content in
                    let text = String(decoding: content, as: UTF8.self)
                    if text.hasPrefix("secret") { return nil }
                    return text == "drop" ? .dropRecord : text == "none" ? .null : .unchanged
                }
            ]
        }
        return rehearsing
    }

    private func records(_ frame: [UInt8], holding range: Range<Int>) -> [UInt8] { Array(frame[range]) }

    /// The client's batches: found by their magic and length behind the frame's head.
    private func batches(_ frame: [UInt8]) -> [SampleBatch] {
        var found: [SampleBatch] = []
        var at = 8
        while at + 61 <= frame.count {
            let size = frame[(at + 8)..<(at + 12)].reduce(0) { $0 << 8 | Int($1) } + 12
            if frame[at + 16] == 2, size >= 61, at + size <= frame.count,
                let batch = SampleBatch(Array(frame[at..<(at + size)]))
            {
                found.append(batch)
                at += size
            } else {
                at += 1
            }
        }
        return found
    }

    @Test(arguments: UInt8(0)...4, [Int16(4), 11, 12, 13, 18])
    func `a touched batch is made anew in its codec, an untouched one keeps its bytes`(codec: UInt8, version: Int16)
        throws
    {
        let untouched = SampleBatch(at: 30, codec: codec, ["plain", nil, "also plain"]).bytes
        var touched = SampleBatch(at: 40, codec: codec, ["keep", "secret-1", "drop", "none", nil, "last"], producer: 9)
        touched.records[0].headers = ["a": "secret-2", "b": "visible"]
        let response = Fetching.response(version, [("customers", untouched + touched.bytes)])
        let outcome = rehearsing.play([
            .client(Fetching.request(version, ["customers"])), .backend(response),
        ])
        var expected = touched
        expected.records[0].headers["a"] = "********"
        expected.records[1].value = "********"
        expected.records[3].value = nil
        expected.records.remove(at: 2)
        #expect(outcome.toClient.holds(untouched))
        #expect(batches(outcome.toClient).last == expected)
        #expect(Fetching.partitions(outcome.toClient, version) == ["customers:0"])
        let lines = outcome.whole.lines.joined()
        #expect(!lines.contains("secret-"))
        #expect(outcome.whole.lines.contains { $0.contains("records.withheld") && $0.contains("masked") })
    }

    @Test(arguments: UInt8(1)...4)
    func `a batch that cannot be read is replaced by an empty one with its offsets`(codec: UInt8) throws {
        var bad = SampleBatch(at: 40, codec: codec, ["secret-1", "secret-2"])
        let codecOfBytes = bad.bytes
        var bytes = codecOfBytes
        for index in 61..<bytes.count { bytes[index] = 0xff }
        let good = SampleBatch(at: 42, ["plain"]).bytes
        let outcome = rehearsing.play([
            .client(Fetching.request(13, ["customers"])),
            .backend(Fetching.response(13, [("customers", bytes + good)])),
        ])
        bad.records = []
        bad.codec = 0
        #expect(batches(outcome.toClient).first == bad)
        #expect(outcome.toClient.holds(good))
        #expect(outcome.whole.lines.contains { $0.contains("records.withheld") })
    }

    @Test func `a batch whose records contradict its header is replaced`() {
        var bytes = SampleBatch(at: 40, ["secret-1", "secret-2"]).bytes
        bytes[60] = 3
        let outcome = rehearsing.play([
            .client(Fetching.request(13, ["customers"])), .backend(Fetching.response(13, [("customers", bytes)])),
        ])
        #expect(!outcome.toClient.holds("secret-"))
        #expect(batches(outcome.toClient).map(\.records) == [[]])
    }

    @Test func `a batch that is cut off is left out`() {
        let whole = SampleBatch(at: 40, ["plain"]).bytes
        let cut = Array(SampleBatch(at: 41, ["secret-1", "secret-2"]).bytes.dropLast(3))
        for end in [10, 40, cut.count] {
            let outcome = rehearsing.play([
                .client(Fetching.request(12, ["customers"])),
                .backend(Fetching.response(12, [("customers", whole + cut[..<end])])),
            ])
            #expect(batches(outcome.toClient).map(\.baseOffset) == [40])
            #expect(!outcome.toClient.holds("secret-"))
        }
    }

    @Test func `message sets before record batches are refused where they would be masked`() {
        var old = [UInt8](repeating: 0, count: 40)
        old[11] = 28
        old[16] = 1
        let outcome = rehearsing.play([
            .client(Fetching.request(12, ["customers", "orders"])),
            .backend(Fetching.response(12, [("customers", old), ("orders", old)])),
        ])
        #expect(Fetching.partitions(outcome.toClient, 12) == ["customers:43", "orders:0"])
    }

    @Test func `the request's limits are lowered where the answer must be held`() throws {
        let outcome = rehearsing.play([.client(Fetching.request(13, ["customers"]))])
        let fields = try #require(KafkaInspection.fields(ofRequest: outcome.toBackend, 1, 13))
        #expect(fields.contains("MaxBytes=\(16 << 20)"))
    }

    @Test func `a mask that comes with a reload holds for the answer that is awaited`() {
        let outcome = rehearsing.play([
            .client(Fetching.request(13, ["orders"])),
            .reload(ScriptedPolicy { _, _ in Ruling(effect: .allow, rule: 0, mask: MaskIndex(1)) }),
            .backend(Fetching.response(13, [("orders", SampleBatch(at: 1, codec: 4, ["secret-1"]).bytes)])),
        ])
        #expect(batches(outcome.toClient).first?.records.first?.value == "********")
    }

    @Test func `messages are recorded as the client gets them`() {
        var rehearsing = rehearsing
        rehearsing.judge = { _, _ in Ruling(effect: .allow, rule: 0, mask: MaskIndex(1), recording: .messages) }
        let outcome = rehearsing.play([
            .client(Fetching.request(13, ["orders"])),
            .backend(Fetching.response(13, [("orders", SampleBatch(at: 40, codec: 3, ["secret-1", "shown"]).bytes)])),
        ])
        let lines = outcome.whole.lines.joined()
        #expect(lines.contains("********") && lines.contains("shown") && !lines.contains("secret-1"))
    }

    /// One message of a set before record batches, or of a format that does not exist.
    private func old(_ magic: UInt8) -> [UInt8] {
        var bytes = SampleBatch(at: 0, ["secret-1"]).bytes
        bytes[16] = magic
        return bytes
    }

    @Test(arguments: [UInt8(0), 1, 3, 0xff])
    func `what cannot be read is not handed over where messages are recorded`(magic: UInt8) {
        var rehearsing = rehearsing
        rehearsing.judge = { _, _ in Ruling(effect: .allow, rule: 0, recording: .messages) }
        let outcome = rehearsing.play([
            .client(Fetching.request(12, ["orders"])), .backend(Fetching.response(12, [("orders", old(magic))])),
        ])
        #expect(Fetching.partitions(outcome.toClient, 12) == ["orders:43"])
        #expect(!outcome.toClient.holds("secret-1"))
    }

    @Test(arguments: [UInt8(3), 0xff])
    func `a batch of an unknown format is handed over to nobody`(magic: UInt8) {
        let streamed = rehearsing.play([
            .client(Fetching.request(12, ["orders"])), .backend(Fetching.response(12, [("orders", old(magic))])),
        ])
        #expect(streamed.whole.violation?.side == .backend && !streamed.toClient.holds("secret-1"))
        let rebuilt = rehearsing.play([
            .client(Fetching.request(12, ["orders"])), .reload(nil),
            .backend(Fetching.response(12, [("orders", old(magic))])),
        ])
        #expect(Fetching.partitions(rebuilt.toClient, 12) == ["orders:43"])
    }

    @Test func `an answer that must be held fits into what a frame may have`() throws {
        var rehearsing = rehearsing
        rehearsing.limits.frameBytes = 1 << 20
        let outcome = rehearsing.play([.client(Fetching.request(13, ["customers"]))])
        let fields = try #require(KafkaInspection.fields(ofRequest: outcome.toBackend, 1, 13))
        #expect(fields.contains("MaxBytes=\(1 << 19)"))
        #expect(fields.contains("Topics.0.Partitions.0.PartitionMaxBytes=\(1 << 19)"))
    }
}
