import Glibc

/// Reads a file line by line in 64 KiB steps: memory is one step and the longest line.
final class LineReader {
    private static let step = 65_536
    let path: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var at = 0
    private var searched = 0
    private var isAtEnd = false
    /// Number of the line returned last, from 1.
    private(set) var line = 0
    /// Bytes up to the end of the line returned last.
    private(set) var consumed = 0

    init(_ path: String) throws(EvidenceError) {
        self.path = path
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open", path) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The next line without its newline; nil at the end, where a rest without a newline stays in `rest`.
    func next() throws(EvidenceError) -> ArraySlice<UInt8>? {
        while true {
            if let end = buffer[searched...].firstIndex(of: 10) {
                let found = buffer[at..<end]
                consumed += found.count + 1
                at = end + 1
                searched = at
                line += 1
                return found
            }
            searched = buffer.count
            guard try fill() else { return nil }
        }
    }

    /// Bytes behind the last newline, once `next` has returned nil.
    var rest: [UInt8] { Array(buffer[at...]) }

    private func fill() throws(EvidenceError) -> Bool {
        if isAtEnd { return false }
        buffer.removeFirst(at)
        searched -= at
        at = 0
        while true {
            var (count, failure) = (0, Int32(0))
            let read = unsafe [UInt8](unsafeUninitializedCapacity: LineReader.step) { space, filled in
                count = unsafe Glibc.read(descriptor, space.baseAddress, LineReader.step)
                failure = errno
                filled = max(0, count)
            }
            if count < 0, failure == EINTR { continue }
            if count < 0 { throw .system("read", path, failure) }
            buffer.append(contentsOf: read)
            isAtEnd = count == 0
            return count > 0
        }
    }
}
