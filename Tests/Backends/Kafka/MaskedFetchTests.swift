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
        bytes = SampleBatch.summed(bytes)
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
        var backwards = SampleBatch(at: 40, ["secret-1", "secret-2"])
        backwards.records.reverse()
        var beyond = SampleBatch(at: 40, ["secret-1", "secret-2"])
        beyond.lastOffsetDelta = 0
        for bytes in [SampleBatch.summed(bytes), backwards.bytes, beyond.bytes] {
            let outcome = rehearsing.play([
                .client(Fetching.request(13, ["customers"])), .backend(Fetching.response(13, [("customers", bytes)])),
            ])
            #expect(!outcome.toClient.holds("secret-"))
            #expect(batches(outcome.toClient).map(\.records) == [[]])
        }
    }

    /// `first-last:records` of each line of that type.
    private func told(_ type: String, _ outcome: Rehearsing.Outcome) -> [String] {
        outcome.whole.lines.compactMap { line in
            guard line.contains("\"\(type)\""),
                let match = line.firstMatch(of: #/"first":(\d+),"last":(\d+)\}\],"records":(\d+)/#)
            else { return nil }
            return "\(match.1)-\(match.2):\(match.3)"
        }
    }

    @Test(arguments: Int16(12)...13, [UInt8(0), 4])
    func `a damaged batch is an error, and the end of what came before it`(version: Int16, codec: UInt8) {
        let good = SampleBatch(at: 40, codec: codec, ["plain", "secret-1"]).bytes
        var bad = SampleBatch(at: 42, codec: codec, ["secret-2", "more"]).bytes
        bad[bad.count - 1] ^= 1
        func play(_ records: [UInt8]) -> Rehearsing.Outcome {
            rehearsing.play([
                .client(Fetching.request(version, ["customers"])),
                .backend(Fetching.response(version, [("customers", records)])),
            ])
        }
        let alone = play(bad + good)
        #expect(Fetching.partitions(alone.toClient, version) == ["customers:2"])
        #expect(batches(alone.toClient).isEmpty && !alone.toClient.holds("secret"))
        #expect(told("records.delivered", alone) == [] && told("records.withheld", alone) == ["42-43:2"])
        // Clients ask for it again and again: it is written once.
        let again = rehearsing.play([
            .client(Fetching.request(version, ["customers"])),
            .backend(Fetching.response(version, [("customers", bad)])),
            .client(Fetching.request(version, ["customers"], correlation: 11)),
            .backend(Fetching.response(version, [("customers", bad)], correlation: 11)),
        ])
        #expect(told("records.withheld", again) == ["42-43:2"])
        let behind = play(good + bad + good)
        #expect(Fetching.partitions(behind.toClient, version) == ["customers:0"])
        #expect(batches(behind.toClient).map(\.baseOffset) == [40])
        #expect(told("records.delivered", behind) == ["40-41:2"] && told("records.withheld", behind) == [])
    }

    @Test func `a batch of a codec that is not known is an error`() {
        var bytes = SampleBatch(at: 40, ["secret-1"]).bytes
        bytes[22] |= 5
        let outcome = rehearsing.play([
            .client(Fetching.request(13, ["customers"])),
            .backend(Fetching.response(13, [("customers", SampleBatch.summed(bytes))])),
        ])
        #expect(Fetching.partitions(outcome.toClient, 13) == ["customers:76"])
        #expect(outcome.whole.lines.contains { $0.contains("records.withheld") && $0.contains("not understood") })
    }

    @Test(arguments: [
        (["keep", "drop", "drop", "keep", "keep"], ["40-40:1", "43-44:2"], ["41-42:2"]),
        (["drop", "keep", "drop"], ["41-41:1"], ["40-40:1", "42-42:1"]),
        (["keep", "keep", "drop"], ["40-41:2"], ["42-42:1"]), (["drop", "drop"], [], ["40-41:2"]),
        (["keep", "secret"], ["40-41:2"], []), ([], ["40-40:0"], []),
    ])
    func `a record that is dropped is withheld, and not delivered`(
        values: [String], delivered: [String], withheld: [String]
    ) {
        var rehearsing = rehearsing
        for recording in [Recording.positions, .messages] {
            rehearsing.judge = { _, _ in Ruling(effect: .allow, rule: 0, mask: MaskIndex(1), recording: recording) }
            var batch = SampleBatch(at: 40, values)
            batch.lastOffsetDelta = max(0, batch.lastOffsetDelta)
            let outcome = rehearsing.play([
                .client(Fetching.request(13, ["orders"])),
                .backend(Fetching.response(13, [("orders", batch.bytes)])),
            ])
            #expect(told("records.delivered", outcome) == delivered)
            #expect(told("records.withheld", outcome) == withheld)
            let lines = outcome.whole.lines.filter { $0.contains("records.delivered") }
            #expect(lines.dropFirst().allSatisfy { $0.contains(#""bytes":0"#) && !$0.contains("masked_fields") })
            if recording == .messages {
                let offsets = values.indices.filter { values[$0] != "drop" }.map { "\(40 + $0)" }
                #expect(lines.joined().matches(of: #/"position":(\d+)/#).map { String($0.1) } == offsets)
            }
        }
    }

    @Test func `offsets around compacted records belong to the runs at the ends of their batch`() {
        var batch = SampleBatch(at: 40, ["gone", "keep", "gone", "drop", "gone"])
        batch.records = [batch.records[1], batch.records[3]]
        let outcome = rehearsing.play([
            .client(Fetching.request(13, ["customers"])),
            .backend(Fetching.response(13, [("customers", batch.bytes)])),
        ])
        #expect(told("records.delivered", outcome) == ["40-41:1"] && told("records.withheld", outcome) == ["43-44:1"])
    }

    @Test func `runs without end are told apart up to a limit`() {
        let values = (0..<3000).map { $0 % 2 == 0 ? "keep" : "drop" }
        let outcome = rehearsing.playWhole([
            .client(Fetching.request(13, ["customers"])),
            .backend(Fetching.response(13, [("customers", SampleBatch(at: 0, values).bytes)])),
        ])
        let lines = [told("records.delivered", outcome), told("records.withheld", outcome)]
        #expect(lines.map(\.count) == [512, 512])
        #expect(lines[0].prefix(2) == ["0-0:1", "2-2:1"] && lines[1].prefix(2) == ["1-1:1", "3-3:1"])
        // The last of each kind stands for the rest: none is claimed to have been kept back that was not.
        #expect(lines[0].last == "1022-2998:989" && lines[1].last == "1023-2999:989")
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
        #expect(fields.contains("MaxBytes=\(2 << 20)"))
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

    @Test func `headers are recorded as the client gets them, and the broker's timestamp where it is the records'`() {
        var rehearsing = rehearsing
        rehearsing.judge = { _, _ in Ruling(effect: .allow, rule: 0, mask: MaskIndex(1), recording: .messages) }
        var batch = SampleBatch(at: 40, ["shown", "bare"])
        batch.records[0].headers = ["a": "secret-1", "b": "seen", "c": "none"]
        func line(_ bytes: [UInt8]) -> String {
            rehearsing.play([
                .client(Fetching.request(13, ["orders"])), .backend(Fetching.response(13, [("orders", bytes)])),
            ]).whole.lines.first { $0.contains("records.delivered") } ?? ""
        }
        let created = line(batch.bytes)
        #expect(
            created.hasSuffix(
                #""messages":[{"position":40,"timestamp":1700000000000,"key":"k0","value":"shown","headers":["#
                    + #"{"key":"a","value":"********"},{"key":"b","value":"seen"},{"key":"c","value":null}]},"#
                    + #"{"position":41,"timestamp":1700000000010,"key":"k1","value":"bare"}]}"#), "\(created)")
        var appended = batch.bytes
        appended[22] |= 8
        let stamps = line(SampleBatch.summed(appended)).matches(of: #/"timestamp":(\d+)/#).map { String($0.1) }
        #expect(stamps == ["1700000000500", "1700000000500"])
    }

    @Test func `values that could not be masked are told with what was handed over, and not with what dropped them`() {
        var rehearsing = rehearsing
        rehearsing.maskers = { _ in [Failing()] }
        func lines(_ values: [String]) -> [String] {
            rehearsing.play([
                .client(Fetching.request(13, ["customers"])),
                .backend(Fetching.response(13, [("customers", SampleBatch(at: 40, values).bytes)])),
            ]).whole.lines.filter { $0.contains("records.delivered") }
        }
        #expect(lines(["one", "two"]).map { $0.contains(#""mask_failures":4"#) } == [true])
        #expect(lines(["one", "drop"]).map { $0.contains("mask_failures") } == [false])
    }

    @Test func `what is withheld where messages are recorded and nothing is masked says why`() {
        var rehearsing = rehearsing
        rehearsing.judge = { _, _ in Ruling(effect: .allow, rule: 0, recording: .messages) }
        func reasons(_ bytes: [UInt8]) -> [String] {
            rehearsing.playWhole([
                .client(Fetching.request(13, ["orders"])), .backend(Fetching.response(13, [("orders", bytes)])),
            ]).whole.lines.compactMap { line in
                line.contains("records.withheld")
                    ? line.firstMatch(of: #/"reason":"([^"]+)"/#).map { String($0.1) } : nil
            }
        }
        let large = SampleBatch.record([UInt8](repeating: 0, count: 3_000_000))
        #expect(reasons(SampleBatch.frame(large, count: 1, at: 40, codec: 1)) == ["limit exceeded"])
        var bytes = SampleBatch(at: 40, ["one"]).bytes
        bytes[60] = 3
        #expect(reasons(SampleBatch.summed(bytes)) == ["not understood"])
    }

    @Test func `a dry run hands over what cannot be read, and counts it`() {
        var rehearsing = rehearsing
        rehearsing.judge = { _, _ in Ruling(effect: .allow, rule: 0, mask: MaskIndex(1, isDryRun: true)) }
        func play(_ version: Int16, _ bytes: [UInt8]) -> Rehearsing.Outcome {
            rehearsing.play([
                .client(Fetching.request(version, ["orders"])),
                .backend(Fetching.response(version, [("orders", bytes)])),
            ])
        }
        var unreadable = SampleBatch(at: 40, codec: 4, ["secret-1", "secret-2"]).bytes
        for index in 61..<unreadable.count { unreadable[index] = 0xff }
        unreadable = SampleBatch.summed(unreadable)
        let large = SampleBatch.record([UInt8](repeating: 0, count: 3_000_000))
        var damaged = SampleBatch(at: 40, ["secret-1"]).bytes
        damaged[damaged.count - 1] ^= 1
        for bytes in [unreadable, SampleBatch.frame(large, count: 1, at: 40, codec: 1), damaged, old(1)] {
            let outcome = play(12, bytes)
            #expect(outcome.toClient.holds(bytes) && Fetching.partitions(outcome.toClient, 12) == ["orders:0"])
            let lines = outcome.whole.lines
            #expect(!lines.contains { $0.contains("records.withheld") })
            let counted = #/"would_mask_fields":0,"would_fail":[12],/#
            #expect(lines.count { $0.contains("records.delivered") && $0.contains(counted) } == 1, "\(lines)")
        }
    }

    @Test func `a dry run hands over the same bytes, and tells what it would have masked`() {
        var rehearsing = rehearsing
        rehearsing.judge = { _, _ in Ruling(effect: .allow, rule: 0, mask: MaskIndex(1, isDryRun: true)) }
        let bytes = SampleBatch(at: 40, codec: 4, ["secret-1", "drop", "none", "plain"]).bytes
        let outcome = rehearsing.play([
            .client(Fetching.request(13, ["orders"])), .backend(Fetching.response(13, [("orders", bytes)])),
        ])
        #expect(outcome.toClient.holds(bytes))
        let told = outcome.whole.lines.filter { $0.contains("records.") }
        #expect(told.count == 1 && told[0].contains(#""would_mask_fields":1,"would_fail":1"#), "\(told)")
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
            .client(Fetching.request(12, ["orders", "payments"])),
            .reload(
                ScriptedPolicy { _, question in Ruling(effect: question.name == "payments" ? .deny : .allow, rule: 1) }),
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

/// Can mask nothing, and lets it through or drops it.
private final class Failing: Masker {
    func mask(
        _ fields: Span<MaskField>, in bytes: RawSpan, for request: MaskRequest, into scratch: inout [UInt8],
        outcomes: inout [MaskOutcome],
        counters: inout MaskCounters
    ) -> Bool {
        for index in fields.indices {
            let isDropped = bytes.extracting(fields[index].range).withUnsafeBytes { $0.elementsEqual("drop".utf8) }
            outcomes.append(isDropped ? .dropRecord : .unchanged)
            counters.failures += 1
        }
        return true
    }
}
