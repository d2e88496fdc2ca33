import Foundation
import Synchronization
import TestSupport
import Testing
import TidegateCore
import TidegateEvidence

/// Events that are answered only when they are stored.
struct EvidenceDeskTests {
    let scratch = Scratch()

    @Test func `an event is on stable storage when the desk says so`() throws {
        let writer = try scratch.writer(.strict)
        let desk = EvidenceDesk(writer)
        for number in 1...3 {
            #expect(desk.write("tokens.opened", within: 10) { JSONText.member("refused", number, to: &$0) })
            let lines = try scratch.lines().filter { $0.contains("\"tokens.opened\"") }
            #expect(lines.count == number && lines.last?.contains("\"refused\":\(number)") == true)
        }
        writer.close()
        #expect(!desk.write("tokens.opened", within: 10) { _ in }, "nothing is stored any more")
        #expect(try scratch.verdict().problem == nil)
    }

    @Test func `what cannot be stored is told, and what comes after it too`() throws {
        let files = FaultyFiles()
        let writer = try scratch.writer(.strict, .stop, files: files)
        let desk = EvidenceDesk(writer)
        files.set(.write)
        #expect(!desk.write("tokens.opened", within: 10) { _ in })
        #expect(!desk.write("tokens.opened", within: 10) { _ in })
        files.set(.none)
        #expect(eventually { desk.write("tokens.opened", within: 10) { _ in } })
        writer.close()
    }

    @Test func `storage that does not answer is waited for no longer than was asked`() throws {
        let files = FaultyFiles()
        let held = DispatchSemaphore(value: 0)
        let writer = try scratch.writer(.strict, files: files)
        let desk = EvidenceDesk(writer)
        files.beforeSync.withLock { $0 = { held.wait() } }
        #expect(!desk.write("tokens.opened", within: 0.05) { _ in })
        files.beforeSync.withLock { $0 = nil }
        held.signal()
        #expect(eventually { desk.write("tokens.opened", within: 10) { _ in } })
        writer.close()
    }
}
