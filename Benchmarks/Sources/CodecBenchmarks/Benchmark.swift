import CAllocations
import CBench

/// Keeps a result alive that nobody uses; not generic, or the optimiser sees through it.
@inline(never) @_optimize(none)
func keep(_ value: Int) {}

/// What a case must not allocate.
enum Allocations {
    /// Nothing once warm; anything fails the whole run.
    case none
    /// At most one for each item, once warm: what is edited may take a block of its own.
    case onePerItem
    /// Counted and shown; `perUnit` compares two sizes of one case instead.
    case counted
}

/// All cases of this executable, and what their last runs allocated.
///
/// Google Benchmark runs a case several times with more and more iterations; the last run counts, so everything before is
/// warm-up.
final class Suite {
    private(set) var allocations: [String: Double] = [:]
    private var mustBeNone: [String] = []
    private var mustBeFew: [(name: String, items: Int)] = []
    private var comparisons: [(small: String, large: String, units: Int, unit: String)] = []

    /// Registers a case.
    ///
    /// - Parameters:
    ///   - bytes: what one operation handles, for the rate; 0 where a rate says nothing.
    ///   - items: what one operation counts as.
    ///   - prepare: makes what the operation works on, outside of the measurement; run once, before the first iteration.
    func add<Subject>(
        _ name: String, allocating allowed: Allocations, bytes: Int = 0, items: Int = 1,
        on prepare: @escaping () -> Subject, _ operation: @escaping (Subject) -> Void
    ) {
        switch allowed {
        case .none: mustBeNone.append(name)
        case .onePerItem: mustBeFew.append((name, items))
        case .counted: break
        }
        var made: Subject?
        let body = Body { measurement in
            let subject = made ?? prepare()
            if made == nil {
                made = subject
                for _ in 0..<100 { operation(subject) }
            }
            let iterations = measurement.iterations
            let before = allocations_so_far()
            while measurement.keepsRunning {
                var left = iterations
                while left > 0 {
                    operation(subject)
                    left &-= 1
                }
            }
            // The clock's own two reads allocate nothing.
            let used = Double(allocations_so_far() - before) / Double(iterations)
            self.allocations[name] = used
            measurement.report(allocations: used, bytes: iterations * Int64(bytes), items: iterations * Int64(items))
        }
        unsafe cbench_register(name, runBody, Unmanaged.passRetained(body).toOpaque())
    }

    /// Two sizes of one case must allocate alike: the units that one has more cost none.
    func perUnit(_ unit: String, small: String, large: String, units: Int) {
        comparisons.append((small, large, units, unit))
    }

    /// What was allocated and must not have been; cases that a filter left out are not judged.
    func failures() -> [String] {
        var found: [String] = []
        for name in mustBeNone {
            guard let used = allocations[name], used > 0 else { continue }
            found.append("\(name): \(used) allocations an operation, must be 0")
        }
        for (name, items) in mustBeFew {
            guard let used = allocations[name], used > Double(items) else { continue }
            found.append("\(name): \(used / Double(items)) allocations an item, at most 1 is allowed")
        }
        for (small, large, units, unit) in comparisons {
            guard let less = allocations[small], let more = allocations[large] else { continue }
            let each = (more - less) / Double(units)
            print("\(large): \(each) allocations for each further \(unit)")
            if each > 0.001 { found.append("\(large): \(each) allocations for each further \(unit), must be 0") }
        }
        return found
    }
}

/// One run of a case; Google Benchmark owns it for the time of the call.
@safe
private struct Measurement {
    private let state: OpaquePointer
    init(_ state: OpaquePointer) { unsafe self.state = state }

    /// How many iterations this run has.
    var iterations: Int64 { unsafe cbench_iterations(state) }
    /// True once: reading it first starts the clock, reading it again stops it.
    var keepsRunning: Bool { unsafe cbench_keep_running(state) }

    func report(allocations: Double, bytes: Int64, items: Int64) {
        unsafe cbench_set_counter(state, "allocs/op", allocations)
        if bytes > 0 { unsafe cbench_set_bytes(state, bytes) }
        unsafe cbench_set_items(state, items)
    }
}

/// A closure that C can carry.
private final class Body {
    let run: (Measurement) -> Void
    init(_ run: @escaping (Measurement) -> Void) { self.run = run }
}

private func runBody(_ state: OpaquePointer, _ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    unsafe Unmanaged<Body>.fromOpaque(context).takeUnretainedValue().run(Measurement(state))
}
