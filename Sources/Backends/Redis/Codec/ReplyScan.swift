import TidegateCore
import TidegateWire

/// Finds the end of a reply, going on where it stopped when more bytes are there: each byte is looked at once.
struct ReplyScan {
    /// How deep aggregates nest: XINFO STREAM FULL needs 7, an EXEC around it 8.
    static let depthLimit = 32

    /// Bytes of the reply that are gone over.
    private(set) var scanned = 0
    /// Elements that are owed, of the open aggregates from the outermost; of those before the last one without it.
    private var owed: [Int] = []
    private var isBegun = false

    /// - Returns: where the reply ends, or nil where it is not wholly there; then `need` says how many bytes of it there
    ///   must be before it is worth to look again.
    mutating func end(
        _ window: RawSpan, from start: Int, byteLimit: Int, need: inout Int?
    ) throws(WireViolation) -> Int? {
        while true {
            if isBegun {
                while let last = owed.last, last == 0 { owed.removeLast() }
                if owed.isEmpty { return start + scanned }
            }
            let token: RESPToken
            switch try RESP.read(window, at: start + scanned, byteLimit: byteLimit) {
            case .incomplete(let upTo):
                // Where the length is not known: any more.
                need = (upTo ?? window.byteCount + 1) - start
                return nil
            case .token(let read): token = read
            }
            guard token.range.upperBound - start <= byteLimit else {
                throw WireViolation("a reply longer than the limit", side: .backend, at: start)
            }
            scanned = token.range.upperBound - start
            if token.kind == .attribute {
                // Its pairs, and the reply that they go before, count as one element.
                guard owed.count < ReplyScan.depthLimit else { throw tooDeep(start) }
                if !isBegun { owed.append(1) }
                isBegun = true
                owed.append(token.count)
                continue
            }
            if isBegun { owed[owed.count - 1] -= 1 }
            isBegun = true
            if token.isAggregate, token.count > 0 {
                guard owed.count < ReplyScan.depthLimit else { throw tooDeep(start) }
                owed.append(token.count)
            }
        }
    }

    private func tooDeep(_ start: Int) -> WireViolation {
        WireViolation("a reply that nests deeper than any", side: .backend, at: start)
    }

    /// Ready for the next reply.
    mutating func reset() {
        scanned = 0
        owed.removeAll(keepingCapacity: true)
        isBegun = false
    }
}
