import Synchronization

/// Named conditions that must all hold before /readyz says yes. From any thread.
///
/// Names and reasons are shown without a token: they name no person and no resource.
public final class ReadinessState: Sendable {
    /// What the gateway waits for.
    public enum Condition: String, Sendable, CaseIterable {
        case configurationLoaded = "configuration loaded"
        case listenersBound = "listeners bound"
        case evidenceWritable = "evidence writable"
        case notDraining = "not draining"
    }

    private let held = Mutex<Set<Condition>>([.notDraining])

    /// Nothing holds yet, but that nobody has asked to stop.
    public init() {}

    public func set(_ condition: Condition, _ holds: Bool) {
        held.withLock { held in
            if holds { held.insert(condition) } else { held.remove(condition) }
        }
    }

    /// Conditions that do not hold, in their order; empty is ready.
    public var missing: [Condition] {
        let held = held.withLock { $0 }
        return Condition.allCases.filter { !held.contains($0) }
    }

    public var isReady: Bool { missing.isEmpty }
}
