import Foundation
import Synchronization
import TestSupport
import Testing
import TidegateCore
import TidegateEvidence

/// Waits for a condition, for ten seconds (times the patience) at most.
func eventually(_ condition: () -> Bool) -> Bool {
    let end = DispatchTime.now() + .seconds(10 * patienceFactor)
    while !condition() {
        if DispatchTime.now() > end { return false }
        usleep(2000)
    }
    return true
}

extension Scratch {
    /// Stores one line, durably.
    func store(_ number: Int, rolling: EvidenceRolling = EvidenceRolling()) throws {
        let writer = try writer(rolling: rolling)
        let loop = RecordingLoop()
        writer.submit(line(number), upTo: Ticket(number), from: loop)
        #expect(loop.hears(.durable(Ticket(number))))
        writer.close()
    }

    func gaps() throws -> [String] { try lines().filter { $0.contains(#""type":"evidence.gap""#) } }
}

struct EvidenceFailureTests {
    let scratch = Scratch()

    @Test(arguments: [FaultyFiles.Fault.tornWrite, .synchronize])
    func `a roll after a failed commit leaves nothing of it behind`(fault: FaultyFiles.Fault) throws {
        let files = FaultyFiles()
        let writer = try scratch.writer(.strict, .gap, rolling: EvidenceRolling(bytes: 1000), files: files)
        let loop = RecordingLoop()
        writer.submit(line(1), upTo: 1, from: loop)
        #expect(loop.hears(.durable(1)))
        files.set(fault)
        writer.submit(line(2), upTo: 2, from: loop)
        #expect(loop.hears(.durable(2)))
        files.set(.none)
        writer.submit(line(3, padding: 1200), upTo: 3, from: loop)
        #expect(loop.hears(.durable(3)))
        writer.close()
        let verdict = try scratch.verdict()
        #expect(verdict.problem == nil && verdict.segments == 2 && verdict.gaps == 1)
    }

    @Test func `a header left by a roll that failed is not adopted`() throws {
        try scratch.store(1)
        // Every commit rolls: segment 2 follows from line 1.
        try scratch.store(2, rolling: EvidenceRolling(bytes: 10))
        let second = try scratch.bytes(scratch.segment(2))
        let header = Array(second[...(try #require(second.firstIndex(of: 10)))])
        try FileManager.default.removeItem(atPath: scratch.segment(2))
        try scratch.store(3)
        try scratch.write(header, scratch.segment(2))
        try scratch.store(4)
        let verdict = try scratch.verdict()
        #expect(verdict.problem == nil && verdict.segments == 2 && verdict.lines == 5)
        // With lines behind it, it is another chain.
        try scratch.write(second, scratch.segment(2))
        let error = #expect(throws: EvidenceError.self) { try scratch.writer() }
        #expect(error?.code == .brokenOrder)
    }

    @Test func `a roll that fails is survived by a restart, with a torn line in the segment before`() throws {
        let files = FaultyFiles()
        let writer = try scratch.writer(.strict, .gap, rolling: EvidenceRolling(bytes: 600), files: files)
        let loop = RecordingLoop()
        writer.submit(line(1), upTo: 1, from: loop)
        #expect(loop.hears(.durable(1)))
        files.set(.tornWrite)
        writer.submit(line(2, padding: 500), upTo: 2, from: loop)
        #expect(loop.hears(.durable(2)))
        writer.close()
        #expect(try scratch.bytes(scratch.segment(2)).isEmpty)
        let first = try scratch.bytes(scratch.segment(1))
        try scratch.write(first + Array(#"{"type":"rec"#.utf8), scratch.segment(1))
        try scratch.store(3)
        let verdict = try scratch.verdict()
        #expect(verdict.problem == nil && verdict.segments == 2 && verdict.gaps == 2)
        #expect(try scratch.gaps().contains { $0.contains(#""bytes":12"#) })
    }

    @Test(arguments: [EvidenceSettings.OnFailure.stop, .gap])
    func `relaxed mode lets nothing pile up behind storage that does not answer`(
        onFailure: EvidenceSettings.OnFailure
    ) throws {
        let files = FaultyFiles()
        var settings = EvidenceSettings(directory: scratch.path, durability: .relaxed, onFailure: onFailure)
        settings.pendingBytes = 32 << 10
        let writer = try EvidenceWriter(
            settings, idPrefix: "test", log: Log(minimum: .error, sink: { _ in }), files: files)
        let loop = RecordingLoop()
        let hang = Hang(files)
        writer.submit(line(1), upTo: 1, from: loop)
        hang.isReached()
        let large = line(2, padding: 4 << 10)
        for number in 2...12 { writer.submit(large, upTo: Ticket(number), from: loop) }
        #expect(loop.heard.contains(onFailure == .stop ? .failed : .durable(12)))
        #expect(!writer.status.isWritable && writer.status.linesLost == 3)
        hang.end()
        #expect(loop.hears(.durable(9)))
        if onFailure == .stop { #expect(loop.hears(.recovered)) }
        #expect(eventually { writer.status.isWritable })
        writer.submit(line(13), upTo: 13, from: loop)
        #expect(loop.hears(.durable(13)))
        writer.close()
        #expect(writer.status.isWritable)
        let verdict = try scratch.verdict()
        #expect(verdict.problem == nil && verdict.gaps == 1)
        let gap = try #require(try scratch.gaps().first)
        #expect(gap.contains(#""lines":3"#))
    }

    @Test func `relaxed mode takes one large batch for no outage`() throws {
        let files = FaultyFiles()
        var settings = EvidenceSettings(directory: scratch.path, durability: .relaxed)
        settings.pendingBytes = 32 << 10
        let writer = try EvidenceWriter(
            settings, idPrefix: "test", log: Log(minimum: .error, sink: { _ in }), files: files)
        let loop = RecordingLoop()
        let hang = Hang(files)
        writer.submit(line(1), upTo: 1, from: loop)
        hang.isReached()
        writer.submit(line(2, padding: 64 << 10), upTo: 2, from: loop)
        #expect(writer.status.isWritable && !loop.heard.contains(.failed))
        hang.end()
        #expect(loop.hears(.durable(2)))
        writer.close()
        #expect(try scratch.verdict().lines == 3)
    }

    @Test func `a commit is written in pieces, and one that fails between them is taken back whole`() throws {
        let files = FaultyFiles()
        let writer = try scratch.writer(.strict, .gap, files: files)
        let loop = RecordingLoop()
        let many = (1...3000).flatMap { line($0, padding: 1000) }
        writer.submit(many, upTo: 1, from: loop)
        #expect(loop.hears(.durable(1)))
        #expect(files.largest.withLock { $0 } < 2 << 20)
        files.grace.withLock { $0 = 1 }
        files.set(.tornWrite)
        writer.submit(many, upTo: 2, from: loop)
        #expect(loop.hears(.durable(2)))
        files.set(.none)
        writer.submit(line(3), upTo: 3, from: loop)
        #expect(loop.hears(.durable(3)))
        writer.close()
        let verdict = try scratch.verdict()
        // The segment's header, what was stored before, the gap, and the line behind it.
        #expect(verdict.problem == nil && verdict.lines == 3003 && verdict.gaps == 1)
        #expect(try scratch.gaps().first?.contains(#""lines":3000"#) == true)
    }

    @Test func `lines that were let go and not synchronised are counted as lost`() throws {
        let files = FaultyFiles()
        let writer = try scratch.writer(.relaxed, .gap, files: files)
        let loop = RecordingLoop()
        files.set(.synchronize)
        for number in 1...2 {
            writer.submit(line(number), upTo: Ticket(number), from: loop)
            #expect(loop.hears(.durable(Ticket(number))))
        }
        #expect(eventually { writer.status.linesLost == 2 })
        files.set(.none)
        writer.submit(line(3), upTo: 3, from: loop)
        #expect(loop.hears(.durable(3)))
        writer.close()
        let gap = try #require(try scratch.gaps().first)
        #expect(gap.contains(#""lines":2"#))
        let verdict = try scratch.verdict()
        #expect(verdict.problem == nil && verdict.lines == 3)
    }

    @Test func `a gap that is owed at the end is written by the next start, once`() throws {
        let files = FaultyFiles()
        let log = Mutex<[String]>([])
        let writer = try EvidenceWriter(
            EvidenceSettings(directory: scratch.path, onFailure: .gap), idPrefix: "first",
            log: Log(minimum: .error) { line in log.withLock { $0.append(String(decoding: line, as: UTF8.self)) } },
            files: files)
        let loop = RecordingLoop()
        files.set(.write)
        writer.submit(line(1) + line(2), upTo: 2, from: loop)
        #expect(loop.hears(.durable(2)))
        writer.close()
        #expect(log.withLock { $0.last }?.contains(#""lines":"2""#) == true)
        let note = try scratch.bytes("\(scratch.path)/outage")
        try scratch.store(3)
        let gaps = try scratch.gaps()
        #expect(gaps.count == 1 && gaps[0].contains(#""lines":2"#) && gaps[0].contains("first-gap-0"))
        try scratch.store(4)
        // A crash between the gap line and the cleared note.
        try scratch.write(note, "\(scratch.path)/outage")
        try scratch.store(5)
        #expect(try scratch.gaps().count == 1)
        #expect(try scratch.verdict().problem == nil)
    }

    @Test func `a recovery that was cut short is gone on with`() throws {
        try scratch.store(1)
        let length = try scratch.bytes(scratch.segment(1)).count
        try scratch.write(Array(#"{"type":"#.utf8), "\(scratch.segment(1)).torn-\(length)")
        for _ in 1...2 {
            try scratch.store(2)
            let gaps = try scratch.gaps()
            #expect(gaps.count == 1 && gaps[0].contains(#""bytes":8"#))
        }
        #expect(try scratch.verdict().problem == nil)
    }

    @Test func `names that the writer does not give are no segments`() throws {
        try scratch.store(1)
        for name in ["0000000000001", "18446744073709551615", "000000000000"] {
            try scratch.write([], "\(scratch.path)/evidence-\(name).jsonl")
        }
        try scratch.store(2)
        #expect(try scratch.verdict().problem == nil)
    }
}

struct EvidenceAnchorTests {
    let scratch = Scratch()

    private func stands(_ digest: String) throws -> EvidenceError? {
        let digest = try #require(EvidenceDigest(digest))
        return try EvidenceVerifier(directory: scratch.path).verify(expecting: digest).problem
    }

    @Test func `an end that was taken away is found with a digest kept elsewhere`() throws {
        try scratch.store(1)
        try scratch.store(2)
        let kept = try scratch.verdict().digest
        #expect(try stands(kept) == nil)
        try scratch.store(3, rolling: EvidenceRolling(bytes: 10))
        // It is passed on the way to a later end, and is the beginning where what was before is archived.
        #expect(try stands(kept) == nil)
        let second = try scratch.verdict().digest
        let first = try scratch.bytes(scratch.segment(1))
        try FileManager.default.removeItem(atPath: scratch.segment(1))
        #expect(try stands(kept) == nil)
        #expect(try EvidenceVerifier(directory: scratch.path).verify(fromStart: true).problem?.code == .missing)
        try scratch.write(first, scratch.segment(1))
        #expect(try EvidenceVerifier(directory: scratch.path).verify(fromStart: true).problem == nil)

        try FileManager.default.removeItem(atPath: scratch.segment(2))
        #expect(try scratch.verdict().problem == nil)
        #expect(try stands(second)?.code == .missing)
        let end = try #require(first.dropLast().lastIndex(of: 10))
        try scratch.write(Array(first[...end]), scratch.segment(1))
        #expect(try scratch.verdict().problem == nil)
        #expect(try stands(kept)?.code == .missing)
    }

    @Test func `what is no digest cannot be expected`() {
        #expect(EvidenceDigest("00") == nil)
        #expect(EvidenceDigest(String(repeating: "G", count: 64)) == nil)
    }

    @Test func `the log says where the chain stands, at each roll and at the end`() throws {
        let log = Mutex<[String]>([])
        let writer = try EvidenceWriter(
            EvidenceSettings(directory: scratch.path, rolling: EvidenceRolling(bytes: 1000)), idPrefix: "test",
            log: Log { line in log.withLock { $0.append(String(decoding: line, as: UTF8.self)) } })
        let loop = RecordingLoop()
        for number in 1...3 {
            writer.submit(line(number, padding: 700), upTo: Ticket(number), from: loop)
            #expect(loop.hears(.durable(Ticket(number))))
        }
        writer.close()
        let anchors = log.withLock { $0 }.filter { $0.contains("evidence stands") }
        #expect(anchors.count == (try scratch.verdict().segments))
        let digest = try scratch.verdict().digest
        #expect(anchors.last?.contains(digest) == true)
        for anchor in anchors {
            let start = try #require(anchor.range(of: #""digest":""#)?.upperBound)
            #expect(try stands(String(anchor[start...].prefix(64))) == nil)
        }
    }
}
