import Foundation
import Synchronization
import TestSupport
import Testing
import TidegateCore
import TidegateEvidence

/// A loop that remembers what it was told, and can be waited for.
final class RecordingLoop: EvidenceWaiter {
    enum Word: Equatable, Sendable {
        case durable(Ticket)
        case failed, recovered
    }
    let index: Int
    private let words = Mutex<[Word]>([])
    private let changed = DispatchSemaphore(value: 0)

    init(_ index: Int = 0) { self.index = index }

    func evidenceIsDurable(upTo ticket: Ticket) { note(.durable(ticket)) }
    func evidenceFailed() { note(.failed) }
    func evidenceRecovered() { note(.recovered) }

    private func note(_ word: Word) {
        words.withLock { $0.append(word) }
        changed.signal()
    }

    var heard: [Word] { words.withLock { $0 } }

    /// Waits until a word was heard; false after ten seconds (times the patience).
    func hears(_ word: Word) -> Bool {
        let end = DispatchTime.now() + .seconds(10 * patienceFactor)
        while !heard.contains(word) {
            if changed.wait(timeout: end) == .timedOut { return heard.contains(word) }
        }
        return true
    }
}

/// Files that can be told to fail.
final class FaultyFiles: EvidenceFileSystem, Sendable {
    enum Fault: Equatable, Sendable { case none, write, tornWrite, synchronize, create }
    let fault = Mutex(Fault.none)
    /// Called from the writer's thread before each synchronisation.
    let beforeSync = Mutex<(@Sendable () -> Void)?>(nil)
    /// Writes that succeed before the fault shows.
    let grace = Mutex(0)
    /// Bytes of the largest write.
    let largest = Mutex(0)

    func set(_ value: Fault) { fault.withLock { $0 = value } }
    var current: Fault { fault.withLock { $0 } }

    func create(_ path: String) throws(EvidenceError) -> any EvidenceFile {
        if current == .create { throw EvidenceError(.system(ENOSPC), file: path, "no space") }
        return File(try PosixFileSystem().create(path), self)
    }
    func open(_ path: String) throws(EvidenceError) -> any EvidenceFile {
        File(try PosixFileSystem().open(path), self)
    }

    final class File: EvidenceFile {
        let file: any EvidenceFile
        let files: FaultyFiles
        var path: String { file.path }
        init(_ file: any EvidenceFile, _ files: FaultyFiles) {
            self.file = file
            self.files = files
        }
        func append(_ bytes: [UInt8]) throws(EvidenceError) {
            files.largest.withLock { $0 = max($0, bytes.count) }
            let isSpared = files.grace.withLock { grace in
                grace -= 1
                return grace >= 0
            }
            switch isSpared ? .none : files.current {
            case .write: throw EvidenceError(.system(ENOSPC), file: path, "no space")
            case .tornWrite:
                try file.append(Array(bytes.prefix(bytes.count / 2)))
                throw EvidenceError(.system(ENOSPC), file: path, "no space")
            case .none, .synchronize, .create: try file.append(bytes)
            }
        }
        func synchronize() throws(EvidenceError) {
            files.beforeSync.withLock { $0 }?()
            if files.current == .synchronize { throw EvidenceError(.system(EIO), file: path, "i/o error") }
            try file.synchronize()
        }
        func truncate(to length: Int) throws(EvidenceError) { try file.truncate(to: length) }
    }
}

/// Storage that does not answer a synchronisation until it is let go.
struct Hang {
    private let files: FaultyFiles
    private let entered = DispatchSemaphore(value: 0)
    private let release = DispatchSemaphore(value: 0)

    init(_ files: FaultyFiles) {
        self.files = files
        files.beforeSync.withLock { [entered, release] in
            $0 = {
                entered.signal()
                release.wait()
            }
        }
    }

    /// Returns once the writer waits for it.
    func isReached() { entered.wait() }

    func letOneBy() { release.signal() }

    func end() {
        files.beforeSync.withLock { $0 = nil }
        release.signal()
    }
}

/// A directory for one test, removed at its end.
final class Scratch {
    let path = "/tmp/tidegate-evidence-\(UUID().uuidString)"
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func writer(
        _ durability: EvidenceSettings.Durability = .strict, _ onFailure: EvidenceSettings.OnFailure = .stop,
        rolling: EvidenceRolling = EvidenceRolling(), files: FaultyFiles = FaultyFiles()
    ) throws -> EvidenceWriter {
        try EvidenceWriter(
            EvidenceSettings(directory: path, durability: durability, onFailure: onFailure, rolling: rolling),
            idPrefix: "test", log: Log(minimum: .error, sink: { _ in }), files: files)
    }

    func verdict() throws -> EvidenceVerdict { try EvidenceVerifier(directory: path).verify() }

    func lines() throws -> [String] {
        var lines: [String] = []
        try EvidenceReader(directory: path).read { _, line in
            lines.append(String(decoding: line, as: UTF8.self))
            return true
        }
        return lines
    }

    func segment(_ number: Int) -> String { "\(path)/evidence-\(String(format: "%012d", number)).jsonl" }
    func bytes(_ file: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: file))) }
    func write(_ bytes: [UInt8], _ file: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: file)) }
}

func line(_ number: Int, padding: Int = 0) -> [UInt8] {
    Array(#"{"type":"records.delivered","id":"l-\#(number)","pad":"\#(String(repeating: "x", count: padding))"}"#.utf8)
        + [10]
}

struct EvidenceWriterTests {
    let scratch = Scratch()

    @Test func `what was submitted is durable, chained and readable`() throws {
        let loop = RecordingLoop()
        let writer = try scratch.writer()
        writer.submit(line(1) + line(2), upTo: 2, from: loop)
        #expect(loop.hears(.durable(2)))
        // Durable means: on disk now, not only after close.
        #expect(try scratch.lines().count == 3)
        writer.submit(line(3), upTo: 3, from: loop)
        #expect(loop.hears(.durable(3)))
        writer.write("config.reloaded") { JSONText.member("version", 2, to: &$0) }
        writer.close()
        let lines = try scratch.lines()
        #expect(lines.count == 5)
        #expect(lines[0].hasPrefix(#"{"type":"segment.opened","#))
        #expect(lines[1].hasPrefix(#"{"type":"records.delivered","id":"l-1","pad":"","digest":""#))
        #expect(lines[4].contains(#""type":"config.reloaded""#) && lines[4].contains(#""version":2"#))
        for line in lines {
            #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) is [String: Any])
        }
        let verdict = try scratch.verdict()
        #expect(verdict.problem == nil)
        #expect(verdict.lines == 5 && verdict.segments == 1 && verdict.unfinishedBytes == 0)
        #expect(writer.status.linesWritten == 4 && writer.status.isWritable)
    }

    @Test func `directory and files are the owner's alone`() throws {
        let writer = try scratch.writer()
        writer.close()
        let files = FileManager.default
        let directory = try files.attributesOfItem(atPath: scratch.path)[.posixPermissions] as? Int
        let segment = try files.attributesOfItem(atPath: scratch.segment(1))[.posixPermissions] as? Int
        #expect(directory == 0o700)
        #expect(segment == 0o600)
    }

    @Test func `a commit takes all that gathered while the one before was synchronised`() throws {
        let files = FaultyFiles()
        let writer = try scratch.writer(files: files)
        let loops = [RecordingLoop(0), RecordingLoop(1)]
        let hang = Hang(files)
        writer.submit(line(1), upTo: 1, from: loops[0])
        hang.isReached()
        for number in 2...50 {
            writer.submit(line(number), upTo: Ticket(number), from: loops[number % 2])
        }
        #expect(loops[0].heard.isEmpty && loops[1].heard.isEmpty)
        #expect(writer.status.commits == 0)
        hang.letOneBy()
        hang.isReached()
        #expect(loops[0].heard == [.durable(1)])
        hang.end()
        #expect(loops[0].hears(.durable(50)) && loops[1].hears(.durable(49)))
        #expect(loops[0].heard == [.durable(1), .durable(50)])
        #expect(loops[1].heard == [.durable(49)])
        writer.close()
        #expect(writer.status.commits == 2)
        #expect(try scratch.verdict().problem == nil)
    }

    @Test func `nothing is durable in strict mode before it is synchronised`() throws {
        let files = FaultyFiles()
        let writer = try scratch.writer(files: files)
        let loop = RecordingLoop()
        files.set(.synchronize)
        writer.submit(line(1), upTo: 1, from: loop)
        #expect(loop.hears(.failed))
        #expect(loop.heard.first == .failed)
        #expect(!writer.status.isWritable)
        #expect(writer.status.failure?.contains("i/o error") == true)
        files.set(.none)
        #expect(loop.hears(.recovered))
        writer.submit(line(2), upTo: 2, from: loop)
        #expect(loop.hears(.durable(2)))
        writer.close()
        #expect(!loop.heard.contains(.durable(1)))
        let lines = try scratch.lines()
        // What failed was taken back, the gap says so, and the chain goes on.
        #expect(!lines.contains { $0.contains("l-1") })
        #expect(lines.contains { $0.contains(#""type":"evidence.gap""#) && $0.contains(#""lines":1"#) })
        #expect(lines.last?.contains("l-2") == true)
        let verdict = try scratch.verdict()
        #expect(verdict.problem == nil && verdict.gaps == 1)
    }

    @Test(arguments: [FaultyFiles.Fault.write, .tornWrite, .synchronize])
    func `a gap is counted and written down where the operator chose that`(fault: FaultyFiles.Fault) throws {
        let files = FaultyFiles()
        let writer = try scratch.writer(.strict, .gap, files: files)
        let loop = RecordingLoop()
        writer.submit(line(1), upTo: 1, from: loop)
        #expect(loop.hears(.durable(1)))
        files.set(fault)
        writer.submit(line(2) + line(3), upTo: 3, from: loop)
        #expect(loop.hears(.durable(3)))
        #expect(writer.status.linesLost == 2 && !writer.status.isWritable)
        files.set(.none)
        writer.submit(line(4), upTo: 4, from: loop)
        #expect(loop.hears(.durable(4)))
        writer.close()
        #expect(!loop.heard.contains(.failed))
        let lines = try scratch.lines()
        let gap = try #require(lines.first { $0.contains(#""type":"evidence.gap""#) })
        #expect(gap.contains(#""lines":2"#) && gap.contains(#""from":""#) && gap.contains(#""to":""#))
        #expect(lines.filter { $0.contains(#""id":"l-"#) }.count == 2)
        #expect(try scratch.verdict().problem == nil)
    }

    @Test func `a failure is told to every loop, also for what is submitted later`() throws {
        let files = FaultyFiles()
        let writer = try scratch.writer(files: files)
        let loops = [RecordingLoop(0), RecordingLoop(1)]
        for loop in loops {
            writer.submit(line(1), upTo: 1, from: loop)
            #expect(loop.hears(.durable(1)))
        }
        files.set(.tornWrite)
        writer.submit(line(2), upTo: 2, from: loops[0])
        #expect(loops[0].hears(.failed) && loops[1].hears(.failed))
        let late = RecordingLoop(2)
        writer.submit(line(3), upTo: 1, from: late)
        #expect(late.hears(.failed))
        writer.close()
        let closed = RecordingLoop(3)
        writer.submit(line(4), upTo: 1, from: closed)
        #expect(closed.heard == [.failed])
    }

    @Test func `relaxed mode answers when written and synchronises soon`() throws {
        let files = FaultyFiles()
        let writer = try scratch.writer(.relaxed, files: files)
        let loop = RecordingLoop()
        let synced = DispatchSemaphore(value: 0)
        files.beforeSync.withLock { $0 = { synced.signal() } }
        for number in 1...20 {
            writer.submit(line(number), upTo: Ticket(number), from: loop)
            #expect(loop.hears(.durable(Ticket(number))))
        }
        #expect(synced.wait(timeout: .now() + 10) == .success)
        writer.close()
        #expect(try scratch.verdict().lines == 21)
    }

    @Test func `segments roll by size and the chain runs over them`() throws {
        let writer = try scratch.writer(rolling: EvidenceRolling(bytes: 2000))
        let loop = RecordingLoop()
        for number in 1...40 {
            writer.submit(line(number, padding: 100), upTo: Ticket(number), from: loop)
            #expect(loop.hears(.durable(Ticket(number))))
        }
        writer.close()
        let verdict = try scratch.verdict()
        #expect(verdict.problem == nil)
        #expect(verdict.segments > 3)
        #expect(verdict.lines == UInt64(40 + verdict.segments))
        // Earlier segments may be archived: the rest still holds together.
        try FileManager.default.removeItem(atPath: scratch.segment(1))
        let rest = try scratch.verdict()
        #expect(rest.problem == nil && rest.firstSegment == 2)
        // One from the middle may not.
        try FileManager.default.removeItem(atPath: scratch.segment(3))
        let broken = try scratch.verdict()
        #expect(broken.problem?.code == .brokenOrder)
        #expect(broken.problem?.reason.contains("segment 3 is missing") == true)
    }

    @Test func `a segment that cannot be made is tried again`() throws {
        let files = FaultyFiles()
        let writer = try scratch.writer(.strict, .gap, rolling: EvidenceRolling(bytes: 1000), files: files)
        let loop = RecordingLoop()
        files.set(.create)
        for number in 1...10 {
            writer.submit(line(number, padding: 200), upTo: Ticket(number), from: loop)
            #expect(loop.hears(.durable(Ticket(number))))
        }
        #expect(writer.status.linesLost > 0)
        files.set(.none)
        writer.submit(line(11, padding: 200), upTo: 11, from: loop)
        #expect(loop.hears(.durable(11)))
        writer.close()
        let verdict = try scratch.verdict()
        #expect(verdict.problem == nil && verdict.gaps == 1 && verdict.segments == 2)
    }

    @Test func `a second writer is refused and told who holds the directory`() throws {
        let writer = try scratch.writer()
        let error = #expect(throws: EvidenceError.self) { try scratch.writer() }
        #expect(error?.code == .inUse)
        #expect(error?.file == "\(scratch.path)/pid")
        #expect(error?.reason.contains("process \(getpid())") == true)
        writer.close()
    }
}
