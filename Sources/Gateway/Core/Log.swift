import Glibc
import Synchronization

/// The structured log: one JSON object a line on standard error, a constant message with members of its own.
///
/// Written where something is handled, not where it is thrown; never in the steady state of a session.
public final class Log: Sendable {
    public enum Level: Int, Sendable, Comparable {
        case debug, info, warning, error
        public var name: String {
            switch self {
            case .debug: "debug"
            case .info: "info"
            case .warning: "warning"
            case .error: "error"
            }
        }
        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    private let minimum: Level
    private let sink: @Sendable ([UInt8]) -> Void

    /// - Parameter sink: takes whole lines, from any thread; standard error where left out.
    public init(minimum: Level = .info, sink: (@Sendable ([UInt8]) -> Void)? = nil) {
        self.minimum = minimum
        self.sink =
            sink ?? { line in
                // One write a line: lines of several threads do not mix (POSIX, pipes up to PIPE_BUF).
                _ = unsafe line.withUnsafeBytes { unsafe Glibc.write(2, $0.baseAddress, $0.count) }
            }
    }

    public func write(_ level: Level, _ message: StaticString, _ members: KeyValuePairs<StaticString, String> = [:]) {
        write(level, message) { line in
            for (key, value) in members { JSONText.member(key, value, to: &line) }
        }
    }

    /// - Parameter members: `,"key":value` of JSON, as evidence has them.
    func write(_ level: Level, _ message: StaticString, members: ArraySlice<UInt8>) {
        write(level, message) { $0.append(contentsOf: members) }
    }

    private func write(_ level: Level, _ message: StaticString, _ appendMembers: (inout [UInt8]) -> Void) {
        guard level >= minimum else { return }
        var line: [UInt8] = [UInt8(ascii: "{")]
        JSONText.member("time", Instant.current.rfc3339, to: &line)
        JSONText.member("level", level.name, to: &line)
        JSONText.member("message", "\(message)", to: &line)
        appendMembers(&line)
        line.append(contentsOf: [UInt8(ascii: "}"), 10])
        sink(line)
    }

    public func debug(_ message: StaticString, _ members: KeyValuePairs<StaticString, String> = [:]) {
        write(.debug, message, members)
    }
    public func info(_ message: StaticString, _ members: KeyValuePairs<StaticString, String> = [:]) {
        write(.info, message, members)
    }
    public func warning(_ message: StaticString, _ members: KeyValuePairs<StaticString, String> = [:]) {
        write(.warning, message, members)
    }
    public func error(_ message: StaticString, _ members: KeyValuePairs<StaticString, String> = [:]) {
        write(.error, message, members)
    }
}

extension Instant {
    /// The clock; for the edges. Below the event loop time is handed in.
    public static var current: Instant {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
