import Synchronization

/// How often each rule and each detector of a profile acted: numbers only.
final class MaskingTallies: Sendable {
    let rules: [String]
    let detectors: [String]
    private let counts: Mutex<[UInt64]>

    init(rules: [String], detectors: [String]) {
        self.rules = rules
        self.detectors = detectors
        counts = Mutex([UInt64](repeating: 0, count: rules.count + detectors.count))
    }

    /// Adds what one batch has counted, and sets it to zero.
    func take(_ counted: inout [UInt64]) {
        counts.withLock { counts in
            for index in counts.indices where index < counted.count { counts[index] &+= counted[index] }
        }
        for index in counted.indices { counted[index] = 0 }
    }

    var all: [(label: String, isDetector: Bool, count: UInt64)] {
        let counts = counts.withLock { $0 }
        return (rules.map { ($0, false) } + detectors.map { ($0, true) }).enumerated().map {
            ($0.element.0, $0.element.1, counts[$0.offset])
        }
    }
}
