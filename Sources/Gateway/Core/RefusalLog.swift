/// What one loop's log is told of refusals and of sessions that ended badly, within a budget of bytes: peers cause them as
/// fast as they like, and a log must not fill a disk. Evidence has each of them.
///
/// Not Sendable, not locked. Its lines hold names and constant words, as evidence does: never a token or a clear value.
public final class RefusalLog {
    static let burstBytes = 64 << 10
    static let bytesASecond = 4 << 10

    private let log: Log
    private var credit = RefusalLog.burstBytes
    /// Of the last call.
    private var second: Int64 = 0
    private var leftOut: UInt64 = 0

    public init(_ log: Log) { self.log = log }

    /// - Parameter members: as `KeyValuePairs` of `Log`.
    public func tell(
        _ message: StaticString, at now: Instant, level: Log.Level = .info,
        _ members: KeyValuePairs<StaticString, String>
    ) {
        var bytes: [UInt8] = [UInt8(ascii: " ")]
        for (key, value) in members { JSONText.member(key, value, to: &bytes) }
        tell(message, at: now, level: level, bytes.dropFirst())
    }

    /// - Parameter members: `,"key":value` of JSON.
    func tell(_ message: StaticString, at now: Instant, level: Log.Level = .info, _ members: ArraySlice<UInt8>) {
        settle(at: now)
        guard credit >= members.count else {
            leftOut &+= 1
            return
        }
        credit -= members.count
        log.write(level, message, members: members)
    }

    /// Says how many were left out, once their second is over. Asked by the loop at each wake-up.
    func settle(at now: Instant) {
        let current = now.nanoseconds / 1_000_000_000
        guard current != second else { return }
        let elapsed = Int(clamping: min(16, max(0, current - second)))
        credit = min(RefusalLog.burstBytes, credit + elapsed * RefusalLog.bytesASecond)
        second = current
        guard leftOut > 0 else { return }
        log.info("refusals were left out of the log", ["count": "\(leftOut)"])
        leftOut = 0
    }
}
