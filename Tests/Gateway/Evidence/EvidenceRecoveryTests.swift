import Foundation
import Testing
import TidegateCore
import TidegateEvidence

struct EvidenceRecoveryTests {
    let scratch = Scratch()

    private func fill(_ numbers: ClosedRange<Int>, rolling: EvidenceRolling = EvidenceRolling()) throws {
        let writer = try scratch.writer(rolling: rolling)
        let loop = RecordingLoop()
        for number in numbers {
            writer.submit(line(number), upTo: Ticket(number), from: loop)
            #expect(loop.hears(.durable(Ticket(number))))
        }
        writer.close()
    }

    @Test func `the chain goes on after a restart`() throws {
        try fill(1...3)
        try fill(4...6)
        let verdict = try scratch.verdict()
        #expect(verdict.problem == nil && verdict.lines == 7 && verdict.segments == 1 && verdict.gaps == 0)
    }

    @Test func `a line torn by a crash at any byte becomes a gap`() throws {
        try fill(1...2)
        let whole = try scratch.bytes(scratch.segment(1))
        let last = try #require(whole.dropLast().lastIndex(of: 10)) + 1
        for end in [last + 1, last + 20, whole.count - 2, whole.count - 1] {
            try scratch.write(Array(whole[..<end]), scratch.segment(1))
            try fill(3...3)
            let verdict = try scratch.verdict()
            #expect(verdict.problem == nil && verdict.gaps == 1 && verdict.lines == 4)
            let lines = try scratch.lines()
            #expect(lines[2].contains(#""bytes":\#(end - last)"#))
            let aside = "\(scratch.segment(1)).torn-\(last)"
            #expect(try scratch.bytes(aside) == Array(whole[last..<end]))
        }
    }

    @Test(arguments: [0, 1, 30])
    func `a segment torn in its header begins anew`(kept: Int) throws {
        try fill(1...30, rolling: EvidenceRolling(bytes: 4000))
        let before = try scratch.verdict()
        let next = scratch.segment(before.segments + 1)
        try scratch.write(Array(try scratch.bytes(scratch.segment(1)).prefix(kept)), next)
        try fill(31...31)
        let verdict = try scratch.verdict()
        #expect(verdict.problem == nil)
        #expect(verdict.segments == before.segments + 1)
        #expect(verdict.gaps == (kept == 0 ? 0 : 1))
    }

    @Test func `every changed byte is found, with file and line, and refuses a start`() throws {
        try fill(1...4)
        let whole = try scratch.bytes(scratch.segment(1))
        var line = 1
        for (index, byte) in whole.enumerated() {
            defer { if byte == 10 { line += 1 } }
            if index % 7 != 0 || byte == 10 { continue }
            var changed = whole
            changed[index] = byte ^ 1 == 10 ? byte ^ 2 : byte ^ 1
            try scratch.write(changed, scratch.segment(1))
            let problem = try #require(try scratch.verdict().problem, "byte \(index)")
            #expect(problem.file == scratch.segment(1) && problem.line == line, "byte \(index)")
            let error = #expect(throws: EvidenceError.self) { try scratch.writer() }
            #expect(error?.line == line && error?.file == scratch.segment(1))
        }
    }

    @Test func `a line that was taken out, added or moved is found`() throws {
        try fill(1...5)
        let whole = try scratch.bytes(scratch.segment(1))
        let lines = whole.split(separator: 10).map { Array($0) + [10] }
        func problem(_ lines: [[UInt8]]) throws -> Int? {
            try scratch.write(Array(lines.joined()), scratch.segment(1))
            return try scratch.verdict().problem?.line
        }
        #expect(try problem(lines) == nil)
        var without = lines
        without.remove(at: 2)
        #expect(try problem(without) == 3)
        var twice = lines
        twice.insert(lines[2], at: 3)
        #expect(try problem(twice) == 4)
        var swapped = lines
        swapped.swapAt(2, 3)
        #expect(try problem(swapped) == 3)
        var foreign = lines
        foreign.append(Array(#"{"type":"x"}"#.utf8) + [10])
        #expect(try problem(foreign) == 7)
        // A chain of its own, with right digests, is not that of this directory.
        #expect(try problem([lines[1]]) == 1)
    }

    @Test func `the digest is SHA-256 of the digest before and the line`() throws {
        try fill(1...2)
        let script = """
            import hashlib, sys
            previous = bytes(32)
            for line in open(sys.argv[1], 'rb'):
                body, digest = line[:-78] + b'}', line[-67:-3].decode()
                previous = hashlib.sha256(previous + body).digest()
                assert previous.hex() == digest, line
            """
        let python = Process()
        python.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        python.arguments = ["python3", "-c", script, scratch.segment(1)]
        try python.run()
        python.waitUntilExit()
        #expect(python.terminationStatus == 0)
    }

    @Test func `an empty directory is not intact and a missing one an error`() throws {
        #expect(throws: EvidenceError.self) { try scratch.verdict() }
        try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
        #expect(try scratch.verdict().problem?.code == .missing)
    }

    @Test func `lines longer than the reading step are read whole`() throws {
        let writer = try scratch.writer()
        let loop = RecordingLoop()
        writer.submit(line(1, padding: 300_000) + line(2, padding: 65_536), upTo: 2, from: loop)
        #expect(loop.hears(.durable(2)))
        writer.close()
        let verdict = try scratch.verdict()
        #expect(verdict.problem == nil && verdict.lines == 3 && verdict.bytes > 365_000)
    }
}
