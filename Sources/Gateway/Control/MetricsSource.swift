public import TidegateCore

/// What /metrics shows, gathered when it is asked for. Implemented where the gateway is wired together.
public protocol MetricsSource: Sendable {
    func metrics() -> GatewayMetrics
}

/// A copy of all figures at one moment.
public struct GatewayMetrics: Sendable {
    /// Counts of one route, added up over all loops.
    public struct RouteCounts: Sendable {
        public var route: String
        public var protocolName: String
        public var counts: Meter.Counts
        public init(route: String, protocolName: String, counts: Meter.Counts) {
            self.route = route
            self.protocolName = protocolName
            self.counts = counts
        }
    }

    /// How often a rule or a detector of a masking profile has acted, over all loops.
    public struct MaskCount: Sendable, Equatable {
        public var profile: String
        /// As the profile calls the rule, or the detector's name.
        public var label: String
        public var isDetector: Bool
        public var count: UInt64
        public init(profile: String, label: String, isDetector: Bool, count: UInt64) {
            self.profile = profile
            self.label = label
            self.isDetector = isDetector
            self.count = count
        }
    }

    public struct Reloads: Sendable {
        public var accepted: UInt64 = 0
        public var rejected: UInt64 = 0
        public var isLastSuccessful = true
        public var lastSuccess = Instant(nanoseconds: 0)
        public init() {}
    }

    public struct Evidence: Sendable {
        public var isWritable = true
        public var lines: UInt64 = 0
        public var bytes: UInt64 = 0
        public var commits: UInt64 = 0
        public var failures: UInt64 = 0
        public var linesLost: UInt64 = 0
        public var lastCommitSeconds = 0.0
        public var oldestWaitingSeconds = 0.0
        /// Free for this process on the disk of the evidence.
        public var freeBytes: UInt64 = 0
        public init() {}
    }

    public var routes: [RouteCounts]
    /// No profile has two of the same label and kind: a page with a sample that stands twice is refused whole.
    public var masks: [MaskCount]
    public var reloads: Reloads
    public var evidence: Evidence
    public var process: ProcessFigures
    public var version: String
    /// `io_uring` or `epoll`.
    public var driver: String

    public init(
        routes: [RouteCounts], masks: [MaskCount] = [], reloads: Reloads, evidence: Evidence,
        process: ProcessFigures = .current(), version: String, driver: String
    ) {
        self.routes = routes
        self.masks = masks
        self.reloads = reloads
        self.evidence = evidence
        self.process = process
        self.version = version
        self.driver = driver
    }
}
