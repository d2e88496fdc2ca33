import TidegateCore
import TidegateDetection
import TidegateWire

/// What no path names: which values the detectors look at, and members that go.
extension JSONScanner {
    /// True where a number may be an identifier that is written with a fraction or an exponent: its digits are not seen
    /// before they are put together.
    mutating func isScaled(_ start: Int, _ end: Int) -> Bool {
        guard part.detectors != nil, end &- start >= NumberText.shortestScaled else { return false }
        for at in start..<end {
            switch byte(at) {
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): return true
            default: continue
            }
        }
        return false
    }

    /// True where a string may be base64 of a text.
    @inline(__always)
    mutating func mayBeBase64(_ start: Int, _ end: Int) -> Bool {
        unsafe Base64Text.mayBe(bytes(start &+ 1, end &- 1), anything: hasPatterns)
    }

    /// True where detectors may find something in what stands there: a block that it touches is marked.
    @inline(__always)
    mutating func isMarked(_ start: Int, _ end: Int) -> Bool {
        if !detects { return false }
        var block = start &>> 6
        let last = (end &- 1) &>> 6
        while block <= last {
            let bits = marks[block &>> 6] &>> UInt64(block & 63)
            if bits & 1 != 0 { return true }
            block &+= 1
        }
        return false
    }

    /// Looks at a string or a number with the detectors, for JSON in a string, and for base64.
    mutating func inspect(_ start: Int, _ end: Int, _ places: PlaceSet) {
        let name = unsafe nameEnd > nameStart ? bytes(nameStart, nameEnd) : rootName
        if unsafe !namesHaveEscapes && !JSONScanner.isGeneral(name) {
            return unsafe inspect(start, end, places, name)
        }
        inspectWithFullName(start, end, places)
    }

    mutating func inspect(_ start: Int, _ end: Int, _ places: PlaceSet, _ name: UnsafeRawBufferPointer) {
        if byte(start) == UInt8(ascii: "\"") {
            unsafe inspectText(start, end, name, places)
            return
        }
        let made = workspace.replaced.count
        workspace.subjects.position = start
        let outcome = unsafe workspace.inspect(
            number: bytes(start, end).bytes, isScaled: isScaled(start, end), name: name, part)
        finish(outcome, from: made, isText: false, start, end)
    }

    /// Looks at a string: the last one that was read.
    ///
    /// - Returns: what became of it.
    mutating func inspectText(
        _ start: Int, _ end: Int, _ name: UnsafeRawBufferPointer, _ places: PlaceSet, isName: Bool = false
    ) {
        workspace.subjects.position = start
        let inside = unsafe bytes(start &+ 1, end &- 1)
        let isPlain = !hasEscape && !mayNest(start)
        if isPlain {
            // Most have nothing in them.
            let isFound = unsafe isMarked(start, end) && workspace.finds(in: inside.bytes, name: name, part)
            if !isFound, !mayBeBase64(start, end), unsafe !NumberText.isScaled(inside) { return }
            if isFound {
                let made = workspace.replaced.count
                let outcome = unsafe workspace.compose(inside.bytes, part)
                return finish(outcome, from: made, isText: true, isName: isName, start, end)
            }
        }
        let made = workspace.replaced.count
        let (part, depth) = (part, nesting)
        let outcome = unsafe withText(start, end, isText: true) { text, workspace in
            var replaced = workspace.takeReplaced()
            let outcome = unsafe workspace.inspect(text.bytes, name: name, part, places, depth: depth, into: &replaced)
            workspace.replaced = replaced
            return outcome
        }
        finish(outcome, from: made, isText: true, isName: isName, start, end)
    }

    /// Writes what became of what stands there; null is no name.
    mutating func finish(
        _ outcome: MaskingWorkspace.Inspection, from made: Int, isText: Bool, isName: Bool = false, _ start: Int,
        _ end: Int
    ) {
        var outcome = outcome
        if isName, case .null = outcome { outcome = .failed }
        // Of a number in a key all digits count, and how they are written.
        if workspace.isKey, !isText, case .edited = outcome { outcome = .failed }
        if write(outcome, from: made, isText: isText, start, end) {
            copied = end
            edits &+= 1
        }
        workspace.replaced.removeLast(workspace.replaced.count - made)
    }

    /// True where a string begins as a document would: its first character, or an escape that may stand for it.
    @inline(__always)
    mutating func mayNest(_ start: Int) -> Bool {
        switch byte(start &+ 1) {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\\"), UInt8(ascii: " "), 0xef: return true
        default: return false
        }
    }

    /// Where members or elements of one object or array can be taken out, a comma with each.
    struct Removal {
        /// Behind the last one that stays, or behind the opening bracket.
        var keptEnd: Int
        /// Where the first one began that was taken out since; -1 where none was.
        var start = -1
    }

    /// Takes a member out whose successor begins at `next`.
    mutating func remove(_ start: Int, upTo next: Int, _ removal: inout Removal) {
        if removal.start < 0 {
            copy(to: start)
            removal.start = start
        }
        copied = next
        edits &+= 1
    }

    /// Takes the last member out, which ends at `end`, and the comma before it.
    mutating func removeLast(upTo end: Int, _ removal: Removal) {
        if removal.start < 0 {
            copy(to: removal.keptEnd)
        } else {
            output.removeLast(removal.start &- removal.keptEnd)
        }
        copied = end
        edits &+= 1
    }
}
