import Glibc
import TidegateCore

/// A loss for which no gap line is stored yet.
struct Outage: Equatable {
    /// Of the gap line that will say so.
    var id: String
    var lines: Int
    var from: Instant
    var to: Instant

    mutating func add(lines: Int, from: Instant, to: Instant) {
        self.lines += lines
        self.from = min(self.from, from)
        self.to = max(self.to, to)
    }
}

/// The file `outage`: what is owed as a gap line outlives the process. Its blocks are there from the start, so that it can
/// be written on a full disk.
final class OutageNote {
    private static let size = 512
    private let path: String
    private let descriptor: Int32

    /// - Throws: what the system says.
    init(_ directory: String) throws(EvidenceError) {
        path = "\(directory)/outage"
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("open", path) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .system("fstat", path) }
        if status.st_size < OutageNote.size {
            let held = try text
            try put(Array(held.utf8))
            try PosixFileSystem.synchronizeDirectory(of: path)
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// What a process before owes; nil where it owes nothing.
    func read() throws(EvidenceError) -> Outage? {
        let words = try text.split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard words.count == 4, let lines = Int(words[0]), let from = Int64(words[1]), let to = Int64(words[2])
        else { return nil }
        return Outage(
            id: String(words[3]), lines: lines, from: Instant(nanoseconds: from), to: Instant(nanoseconds: to))
    }

    /// Stores what is owed; nil clears it.
    func write(_ outage: Outage?) throws(EvidenceError) {
        try put(
            outage.map { Array("\($0.lines) \($0.from.nanoseconds) \($0.to.nanoseconds) \($0.id)\n".utf8) } ?? [])
    }

    private var text: String {
        get throws(EvidenceError) {
            var bytes = [UInt8](repeating: 0, count: OutageNote.size)
            let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
            guard count >= 0 else { throw .system("pread", path) }
            return String(decoding: bytes.prefix(count), as: UTF8.self)
        }
    }

    /// One write of the whole, which fits into a sector.
    private func put(_ bytes: [UInt8]) throws(EvidenceError) {
        let blank = [UInt8](repeating: UInt8(ascii: " "), count: max(0, OutageNote.size - bytes.count))
        let all = Array((bytes + blank).prefix(OutageNote.size))
        let count = unsafe all.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        guard count == all.count else { throw .system("pwrite", path) }
        guard fdatasync(descriptor) == 0 else { throw .system("fdatasync", path) }
    }
}
