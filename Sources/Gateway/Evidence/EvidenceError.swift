import Glibc

/// Why evidence cannot be stored, read or believed; says the file and, where there is one, the line.
public struct EvidenceError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        /// A system call failed, with its errno.
        case system(Int32)
        /// Another process writes into the directory.
        case inUse
        /// A line is not what its digest says, or no line of evidence at all.
        case brokenChain
        /// A segment is missing, or its header does not fit the one before.
        case brokenOrder
        /// There is no evidence, not from the start, or not up to a digest that was expected.
        case missing
        /// The line is no flat object ended by `}` and a newline.
        case malformed
    }

    public let code: Code
    public let file: String
    /// From 1; zero where no line is meant.
    public let line: Int
    public let reason: String

    public init(_ code: Code, file: String, line: Int = 0, _ reason: String) {
        self.code = code
        self.file = file
        self.line = line
        self.reason = reason
    }

    /// The failure of a system call that has just returned.
    static func system(_ call: StaticString, _ file: String, _ number: Int32 = errno) -> EvidenceError {
        var buffer = [CChar](repeating: 0, count: 128)
        let isKnown = unsafe strerror_r(number, &buffer, buffer.count) == 0
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return EvidenceError(.system(number), file: file, "\(call): \(isKnown ? text : "error \(number)")")
    }

    public var description: String { line > 0 ? "\(file):\(line): \(reason)" : "\(file): \(reason)" }
}
