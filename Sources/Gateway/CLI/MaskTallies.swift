import Synchronization
import TidegateControl
import TidegateMasking

/// What the rules and detectors of the profiles in force have done: a rule's count goes on over a reload.
final class MaskTallies: Sendable {
    private struct Key: Hashable {
        var profile, label: String
        var isDetector: Bool
    }

    private struct State {
        var profiles: [MaskingProfile] = []
        /// Counts of profiles before these.
        var before: [Key: UInt64] = [:]
    }

    private let state: Mutex<State>

    init(_ profiles: [MaskingProfile]) { state = Mutex(State(profiles: profiles)) }

    /// Other profiles are in force; what nobody counts any more is forgotten.
    func replace(_ profiles: [MaskingProfile]) {
        state.withLock { state in
            let counted = MaskTallies.counts(state)
            let kept = Set(MaskTallies.counts(State(profiles: profiles)).keys)
            state.before = counted.filter { kept.contains($0.key) }
            state.profiles = profiles
        }
    }

    /// In the order of their names.
    var counts: [GatewayMetrics.MaskCount] {
        state.withLock { MaskTallies.counts($0) }.map { key, count in
            .init(profile: key.profile, label: key.label, isDetector: key.isDetector, count: count)
        }
        .sorted { ($0.profile, $0.label) < ($1.profile, $1.label) }
    }

    /// Two rules of a profile may be called alike: they are counted together.
    private static func counts(_ state: State) -> [Key: UInt64] {
        var counts: [Key: UInt64] = [:]
        for profile in state.profiles {
            for tally in profile.tallies() {
                let key = Key(profile: profile.name, label: tally.label, isDetector: tally.isDetector)
                counts[key, default: 0] &+= tally.count
            }
        }
        for (key, count) in state.before { counts[key]? &+= count }
        return counts
    }
}
