import TidegateCore
import TidegateWire

/// Record keys: two never become one, for whoever joins, compacts or partitions by them.
extension MaskingProfile {
    /// A record's key, which is told from all others or leaves with its record.
    func key(
        _ content: RawSpan, _ reading: Reading, _ workspace: MaskingWorkspace, into scratch: inout [UInt8],
        _ counters: inout MaskCounters
    ) -> MaskOutcome {
        let start = scratch.count
        let before = counters
        (workspace.isKeyLost, workspace.hasFailed) = (false, false)
        var outcome = value(content, rules.keys, reading, workspace, into: &scratch, &counters)
        if case .null = outcome { workspace.hasFailed = true }
        if workspace.hasFailed, outcome != .dropRecord, outcome != .unchanged {
            scratch.removeLast(scratch.count - start)
            var from = 0
            if case .json(_, let payload) = reading { from = min(payload, content.byteCount) }
            let payload = content.extracting(from..<content.byteCount)
            let isDocument =
                if case .json = reading { from > 0 || NestedDocument.mayBe(payload) } else { false }
            scratch.append(bytes: content.extracting(0..<from))
            if isDocument { scratch.append(UInt8(ascii: "\"")) }
            _ = workspace.appendWholeKey(payload, to: &scratch)
            if isDocument { scratch.append(UInt8(ascii: "\"")) }
            outcome = .edited(start..<scratch.count)
        }
        guard workspace.isKeyLost else { return outcome }
        if scratch.count > start { scratch.removeLast(scratch.count - start) }
        counters = before
        counters.failures &+= 1
        return .dropRecord
    }
}
