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

    /// Replaces a range; an empty one inserts. Edits may come in any order; at one place they keep their order, and what
    /// lies in a range that is replaced or removed goes with it.
    mutating func replace(_ range: Range<Int>, with replacement: [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: replacement)
        edits.append(Edit(range: range, bytes: start..<bytes.count))
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

    /// Orders the edits, and drops those that lie in a range that is taken out: at one place what is inserted comes first,
    /// then the longest range, in which the others lie.
    private mutating func sort() {
        let ordered = edits.enumerated().sorted { left, right in
            let (one, other) = (left.element.range, right.element.range)
            if one.lowerBound != other.lowerBound { return one.lowerBound < other.lowerBound }
            if one.isEmpty != other.isEmpty { return one.isEmpty }
            if one.count != other.count { return one.count > other.count }
            return left.offset < right.offset
        }
        edits = ordered.map(\.element)
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

    /// Appends a non-null string; what is longer than a string can be is cut off.
    mutating func append(string: [UInt8], isFlexible: Bool) {
        let content = string.prefix(FieldReader.longestString)
        if isFlexible {
            append(varint: UInt32(content.count + 1))
        } else {
            append(bigEndian: Int16(clamping: content.count))
        }
        append(contentsOf: content)
    }
}
