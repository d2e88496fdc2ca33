/// Plain counters of one route on one loop: written by the loop alone, copied out when /metrics asks.
public final class Meter {
    public struct Counts: Sendable, Equatable {
        public var sessionsActive = 0
        public var sessionsStarted: UInt64 = 0
        public var sessionsRejected: UInt64 = 0
        /// By `CloseReason.word`.
        public var sessionsEnded: [String: UInt64] = [:]
        /// By action (raw value) times three plus decision: allowed, denied, held.
        public var operations = [UInt64](repeating: 0, count: Action.allCases.count * 3)
        public var recordsDelivered: UInt64 = 0
        public var recordsProduced: UInt64 = 0
        public var recordsWithheld: UInt64 = 0
        public var maskedFields: UInt64 = 0
        public var maskFailures: UInt64 = 0
        /// What dry runs would have masked.
        public var fieldsInDryRun: UInt64 = 0
        public var openedFields: UInt64 = 0
        public var bytesFromClient: UInt64 = 0
        public var bytesFromBackend: UInt64 = 0
        public var bytesToClient: UInt64 = 0
        public var bytesToBackend: UInt64 = 0
        /// Stale clearances and other faults of our own: any is a bug.
        public var faults: UInt64 = 0
        public var decisions = Histogram()
        public var relays = Histogram()
        public init() {}
    }

    /// A histogram of seconds with bounds from 1 µs to 1 s, a factor of about 3 apart.
    public struct Histogram: Sendable, Equatable {
        public static let bounds: [Double] = [
            0.000_001, 0.000_003, 0.000_01, 0.000_03, 0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1,
        ]
        /// Not cumulative; one more than there are bounds.
        public var counts = [UInt64](repeating: 0, count: Histogram.bounds.count + 1)
        public var sum = 0.0
        public init() {}
        public mutating func observe(nanoseconds: Int64) {
            // The wall clock may step back; a sum must not.
            let seconds = Double(max(0, nanoseconds)) / 1e9
            var index = 0
            while index < Histogram.bounds.count, seconds > Histogram.bounds[index] { index += 1 }
            counts[index] += 1
            sum += seconds
        }
        public mutating func add(_ other: Histogram) {
            for index in counts.indices { counts[index] += other.counts[index] }
            sum += other.sum
        }
    }

    public let route: String
    public let protocolName: String
    public var counts = Counts()
    /// Monotonic nanoseconds, for how long a decision takes; injected, as every clock below the loop.
    let clock: @Sendable () -> Int64
    public init(route: String, protocolName: String, clock: @escaping @Sendable () -> Int64 = { 0 }) {
        self.route = route
        self.protocolName = protocolName
        self.clock = clock
    }

    /// Changes the counts from within a noncopyable struct: written there in place, Swift 6.3.1 makes code of it that the
    /// thread sanitizer's verifier refuses.
    func tally(_ change: (inout Counts) -> Void) { change(&counts) }

    public enum Outcome: Int { case allowed, denied, held }
    func count(_ action: Action, _ outcome: Outcome) {
        counts.operations[Int(action.rawValue) * 3 + outcome.rawValue] &+= 1
    }
}

extension Meter.Counts {
    /// Adds the counts of another loop.
    public mutating func add(_ other: Meter.Counts) {
        sessionsActive += other.sessionsActive
        sessionsStarted += other.sessionsStarted
        sessionsRejected += other.sessionsRejected
        sessionsEnded.merge(other.sessionsEnded, uniquingKeysWith: +)
        for index in operations.indices { operations[index] += other.operations[index] }
        recordsDelivered += other.recordsDelivered
        recordsProduced += other.recordsProduced
        recordsWithheld += other.recordsWithheld
        maskedFields += other.maskedFields
        maskFailures += other.maskFailures
        fieldsInDryRun += other.fieldsInDryRun
        openedFields += other.openedFields
        bytesFromClient += other.bytesFromClient
        bytesFromBackend += other.bytesFromBackend
        bytesToClient += other.bytesToClient
        bytesToBackend += other.bytesToBackend
        faults += other.faults
        decisions.add(other.decisions)
        relays.add(other.relays)
    }
}
