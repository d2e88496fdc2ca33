/// Whose dates are moved: read before the document is masked, for a subject may stand behind its dates.
extension JSONScanner {
    /// Keeps what the paths of subjects name in the document that begins at `start`.
    ///
    /// - Returns: false where there are no such paths; else the caller ends the document (`DateSubjects.endDocument`).
    mutating func findSubjects(_ start: Int) -> Bool {
        if part.subjects.isEmpty { return false }
        let places = workspace.subjects.places(orStart: part.subjects.start)
        workspace.subjects.beginDocument()
        // A document that is none fails again when it is masked.
        _ = subjects(start, places, 0)
        hasEscape = false
        return true
    }

    /// As `findSubjects`, in a field of a record, for all of its fields.
    mutating func findSubjects(inField document: UnsafeRawBufferPointer) {
        unsafe begin(document)
        _ = withStops { scanner in
            guard let at = scanner.space(0) else { return false }
            return scanner.findSubjects(at)
        }
        workspace.subjects.endField()
    }

    private mutating func subjects(_ start: Int, _ places: PlaceSet, _ depth: Int) -> Int? {
        if places.isEmpty { return skip(start, depth: depth) }
        let named = part.subjects.allAccepted(places)
        if named != 0, byte(start) != UInt8(ascii: "n") {  // null is nobody
            guard let end = skip(start, depth: depth) else { return nil }
            unsafe withText(start, end, isText: byte(start) == UInt8(ascii: "\"")) { text, workspace in
                for slot in 0..<DateSubjects.limit where named &>> UInt32(slot) & 1 != 0 {
                    unsafe workspace.subjects.keep(text, slot: slot)
                }
            }
        }
        switch byte(start) {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard depth < JSONScanner.depthLimit else { return nil }
            let isList = byte(start) == UInt8(ascii: "[")
            workspace.subjects.enter(at: start, isList: isList)
            let end = members(start, places, depth, isList: isList)
            workspace.subjects.leave(at: end ?? start)
            return end
        case UInt8(ascii: "\""):
            if mayNest(start) { workspace.subjects.noteNested(at: start, places) }
            return string(start)
        default: return skip(start, depth: depth)
        }
    }

    private mutating func members(_ start: Int, _ places: PlaceSet, _ depth: Int, isList: Bool) -> Int? {
        let close = byte(start) &+ 2  // '{' and '}', '[' and ']' are two apart
        guard var at = space(start &+ 1) else { return nil }
        if byte(at) == close { return at &+ 1 }
        var index = 0
        while true {
            var inner = PlaceSet()
            if isList {
                inner = part.subjects.step(places, index: index)
                index &+= 1
            } else {
                guard byte(at) == UInt8(ascii: "\""), let keyEnd = string(at), let colon = space(keyEnd),
                    byte(colon) == UInt8(ascii: ":"), let begin = space(colon &+ 1)
                else { return nil }
                let part = part
                inner = unsafe withText(at, keyEnd, isText: true) { text, _ in
                    unsafe part.subjects.step(places, key: text)
                }
                at = begin
            }
            guard let end = subjects(at, inner, depth &+ 1), let next = space(end) else { return nil }
            if byte(next) != UInt8(ascii: ",") { return byte(next) == close ? next &+ 1 : nil }
            guard let following = space(next &+ 1) else { return nil }
            at = following
        }
    }
}
