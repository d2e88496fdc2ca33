import TidegateCore
import TidegateWire

/// Changes to one frame: ranges of it replaced by bytes of our own; all else stays the very bytes that came.
struct FrameEdits {
    private struct Edit {
        var range: Range<Int>
        var bytes: Range<Int>
    }
    private var edits: [Edit] = []
    private var bytes: [UInt8] = []
    var isEmpty: Bool { edits.isEmpty }

    /// Replaces a range; an empty one inserts. Edits may come in any order and must not overlap; at one place they keep
    /// their order.
    mutating func replace(_ range: Range<Int>, with replacement: [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: replacement)
        edits.append(Edit(range: range, bytes: start..<bytes.count))
    }

    /// Takes back what was said of exactly that range.
    mutating func forget(_ range: Range<Int>) { edits.removeAll { $0.range == range } }

    /// Removes a range and what was said of its parts before.
    mutating func removeCovering(_ range: Range<Int>) {
        edits.removeAll {
            $0.range.lowerBound >= range.lowerBound && $0.range.upperBound <= range.upperBound && !$0.range.isEmpty
        }
        remove(range)
    }

    mutating func remove(_ range: Range<Int>) {
        if !range.isEmpty { edits.append(Edit(range: range, bytes: bytes.count..<bytes.count)) }
    }

    /// The frame with its edits, for answers that the gateway composes itself.
    mutating func applied(to frame: [UInt8]) -> [UInt8] {
        sort()
        var result: [UInt8] = []
        var at = 4
        for edit in edits {
            result.append(contentsOf: frame[at..<max(at, edit.range.lowerBound)])
            result.append(contentsOf: bytes[edit.bytes])
            at = max(at, edit.range.upperBound)
        }
        result.append(contentsOf: frame[at...])
        return Int32(clamping: result.count).bigEndianBytes + result
    }

    /// Orders the edits, and drops those that lie in a range that is taken out.
    private mutating func sort() {
        edits.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
        var end = 0
        edits.removeAll { edit in
            if edit.range.lowerBound < end { return true }
            end = max(end, edit.range.upperBound)
            return false
        }
    }

    /// Sends the frame, its length first.
    ///
    /// - Parameter frame: the whole frame in the window, its four bytes of length included.
    mutating func send(
        _ frame: Range<Int>, to side: Side, under clearance: Clearance, _ output: inout WireOutput
    ) {
        if edits.isEmpty { return output.pass(frame, to: side, under: clearance) }
        sort()
        var length = frame.count - 4
        for edit in edits { length += edit.bytes.count - edit.range.count }
        let base = output.scratch.count
        output.scratch.append(bigEndian: Int32(clamping: length))
        output.put(base..<output.scratch.count, to: side, under: clearance)
        let own = output.scratch.count
        output.scratch.append(contentsOf: bytes)
        var at = frame.lowerBound + 4
        for edit in edits {
            output.pass(at..<max(at, edit.range.lowerBound), to: side, under: clearance)
            output.put(
                (own + edit.bytes.lowerBound)..<(own + edit.bytes.upperBound), to: side, under: clearance)
            at = max(at, edit.range.upperBound)
        }
        output.pass(at..<frame.upperBound, to: side, under: clearance)
    }
}

extension [UInt8] {
    /// Appends a number of elements (or a compact one, plus one: KIP-482).
    mutating func append(count: Int, isFlexible: Bool) {
        if isFlexible {
            append(varint: UInt32(clamping: count + 1))
        } else {
            append(bigEndian: Int32(clamping: count))
        }
    }

    /// Appends a non-null string.
    mutating func append(string: [UInt8], isFlexible: Bool) {
        if isFlexible {
            append(varint: UInt32(clamping: string.count + 1))
        } else {
            append(bigEndian: Int16(clamping: string.count))
        }
        append(contentsOf: string)
    }
}
