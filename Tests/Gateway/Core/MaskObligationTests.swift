import Synchronization
import TestSupport
import Testing
import TidegateCore

/// A masker that says what it was asked, and answers as it is told.
private final class Asked: Masker {
    private let requests = Mutex<[(resource: String, opens: UnmaskScope)]>([])
    private let opened: UInt32
    init(opened: UInt32 = 0) { self.opened = opened }

    var all: [(resource: String, opens: UnmaskScope)] { requests.withLock { $0 } }

    func mask(
        _ fields: Span<MaskField>, in bytes: RawSpan, for request: MaskRequest, into scratch: inout [UInt8],
        outcomes: inout [MaskOutcome], counters: inout MaskCounters
    ) -> Bool {
        requests.withLock {
            $0.append((String(decoding: request.resource, as: UTF8.self), request.opens))
        }
        for _ in fields.indices { outcomes.append(.unchanged) }
        counters.openedFields += opened
        return true
    }
}

/// What a rule says beside which profile: dry runs, and tokens to open.
@Suite struct MaskObligationTests {
    private let masked = Ruling(effect: .allow, rule: 0, mask: MaskIndex(1))
    private let dry = Ruling(effect: .allow, rule: 0, mask: MaskIndex(1, isDryRun: true))

    private func decided(_ governor: inout Governor) throws -> (Resource, Clearance) {
        let topic = try interned(&governor, 0, "orders")
        return (topic, try required(governor.decide(Operation(.consume, topic, wireName: WireName(0))).clearance))
    }

    /// The outcomes of contents, behind one that was there before, and what was counted.
    private func mask(
        _ governor: inout Governor, _ clearance: Clearance, _ contents: [String]
    ) throws -> (outcomes: [MaskOutcome], scratch: [UInt8], counters: MaskCounters) {
        var bytes: [UInt8] = []
        var fields: [MaskField] = []
        for (index, content) in contents.enumerated() {
            fields.append(
                MaskField(
                    part: .value, record: UInt32(index), range: bytes.count..<(bytes.count + content.utf8.count)))
            bytes += Array(content.utf8)
        }
        var scratch: [UInt8] = [7]
        var outcomes: [MaskOutcome] = [.null]
        let counters = governor.mask(
            fields.span, in: bytes.span.bytes, under: clearance, into: &scratch, outcomes: &outcomes)
        return (outcomes, scratch, try required(counters))
    }

    private func delivery(_ topic: Resource, at position: UInt64, _ counters: MaskCounters) -> Delivery {
        var delivery = Delivery(
            topic, first: Position(major: 0, minor: position), last: Position(major: 0, minor: position), records: 1,
            bytes: 10, towards: .client, wireName: WireName(0))
        delivery.count(counters)
        return delivery
    }

    @Test func `a dry run answers every field unchanged, and counts what would have been`() throws {
        let kit = ScriptedAuthority(
            maskers: [ScriptedMasker { $0 == Array("drop".utf8) ? .dropRecord : nil }], judge: { [dry] _, _ in dry })
        var governor = kit.makeGovernor(token: "analyst-token")
        let (topic, clearance) = try decided(&governor)
        let answer = try mask(&governor, clearance, ["secret", "drop", "more"])
        #expect(answer.outcomes == [.null, .unchanged, .unchanged, .unchanged] && answer.scratch == [7])
        #expect(answer.counters.isDryRun && answer.counters.maskedFields == 2 && answer.counters.failures == 1)
        _ = kit.takeLines()
        _ = governor.admit(delivery(topic, at: 0, answer.counters), under: clearance)
        let line = try #require(kit.takeLines().first)
        #expect(line.contains(#""bytes":10,"would_mask_fields":2,"would_fail":1,"rule""#), "\(line)")
        #expect(!line.contains("masked_fields") && !line.contains("mask_failures"))
        let counts = kit.meter.counts
        #expect(counts.maskedFields == 0 && counts.maskFailures == 0 && counts.fieldsInDryRun == 2)
        governor.end(.ended)
        #expect(kit.takeLines().last?.contains(#""masked_fields":0"#) == true)
    }

    @Test func `evidence of a dry run says so where nothing would have been masked`() throws {
        let kit = ScriptedAuthority(maskers: [ScriptedMasker { _ in .unchanged }], judge: { [dry] _, _ in dry })
        var governor = kit.makeGovernor(token: "analyst-token")
        let (topic, clearance) = try decided(&governor)
        let counters = try mask(&governor, clearance, ["plain"]).counters
        _ = kit.takeLines()
        _ = governor.admit(delivery(topic, at: 0, counters), under: clearance)
        #expect(kit.takeLines().first?.contains(#""would_mask_fields":0"#) == true)
    }

    @Test func `a dry run and what is masked in earnest never share a line`() throws {
        let kit = ScriptedAuthority(maskers: [ScriptedMasker()], judge: { [masked] _, _ in masked })
        var governor = kit.makeGovernor(token: "analyst-token")
        let (topic, clearance) = try decided(&governor)
        _ = kit.takeLines()
        for (position, isDryRun) in [(UInt64(0), false), (1, false), (2, true), (3, true), (4, false)] {
            var counters = MaskCounters()
            counters.maskedFields = 1
            counters.isDryRun = isDryRun
            _ = governor.admit(delivery(topic, at: position, counters), under: clearance)
        }
        let counts = kit.takeLines().map { line in
            line.matches(of: #/"(would_mask_fields|masked_fields)":(\d+)/#).map { "\($0.1) \($0.2)" }.joined()
        }
        #expect(counts == ["masked_fields 2", "would_mask_fields 2", "masked_fields 1"])
    }

    @Test func `the mask is told which tokens to open, and of which resource`() throws {
        let domains = UnmaskScope.domains(["email"])
        let asked = Asked(opened: 3)
        let kit = ScriptedAuthority(
            maskers: [asked], scopes: [.everything, domains],
            judge: { _, question in
                switch question.name {
                case "all": Ruling(effect: .allow, rule: 0, mask: MaskIndex(1, opens: 1))
                case "some": Ruling(effect: .allow, rule: 0, mask: MaskIndex(1, opens: 2))
                case "beyond": Ruling(effect: .allow, rule: 0, mask: MaskIndex(1, opens: 3))
                case "dry": Ruling(effect: .allow, rule: 0, mask: MaskIndex(1, isDryRun: true, opens: 1))
                default: Ruling(effect: .allow, rule: 0, mask: MaskIndex(1))
                }
            })
        var governor = kit.makeGovernor(token: "analyst-token")
        for name in ["all", "some", "beyond", "dry", "none"] {
            let topic = try interned(&governor, 0, name)
            let operation = Operation(.consume, topic, wireName: WireName(0))
            let clearance = try required(governor.decide(operation).clearance)
            _ = try mask(&governor, clearance, ["token"])
        }
        #expect(asked.all.map(\.resource) == ["all", "some", "beyond", "dry", "none"])
        #expect(asked.all.map(\.opens) == [.everything, domains, .nothing, .nothing, .nothing])
    }

    @Test func `tokens that were opened are counted`() throws {
        let kit = ScriptedAuthority(
            maskers: [Asked(opened: 3)], scopes: [.everything],
            judge: { _, _ in Ruling(effect: .allow, rule: 0, mask: MaskIndex(1, opens: 1)) })
        var governor = kit.makeGovernor(token: "analyst-token")
        let (topic, clearance) = try decided(&governor)
        let answer = try mask(&governor, clearance, ["token"])
        _ = kit.takeLines()
        for position in UInt64(0)...1 {
            _ = governor.admit(delivery(topic, at: position, answer.counters), under: clearance)
        }
        #expect(kit.takeLines().map { $0.contains(#""bytes":20,"opened_fields":6,"rule""#) } == [true])
        #expect(kit.meter.counts.openedFields == 6)
        governor.end(.ended)
        #expect(kit.takeLines().last?.contains(#""opened_fields":6"#) == true)
    }

    @Test func `a clearance is no bigger than its refusal`() {
        #expect(MemoryLayout<Clearance>.stride <= MemoryLayout<Refusal>.stride)
    }
}
