/// Documents of which only paths ask something: no detectors, no names, nobody who wants reasons, nothing that is taken out.
/// The same questions as of any document, without those that are answered for all of it.
extension JSONScanner {
    /// An object that paths wait in.
    mutating func members(_ start: Int, _ places: UInt64, _ depth: Int) -> Int? {
        guard let paths = part.narrowPaths, var reader = unsafe JSONReader(document, stops, at: start) else {
            return nil
        }
        var at = reader.space(start &+ 1)
        guard at >= 0 else { return nil }
        if reader.byte(at) == UInt8(ascii: "}") { return at &+ 1 }
        while true {
            guard reader.byte(at) == UInt8(ascii: "\"") else { return nil }
            var nameEnd = reader.string(at)
            let inner: UInt64
            if nameEnd >= 0 {
                inner = paths.step(places, reader.name(at &+ 1, nameEnd &- 1)) {
                    unsafe part.paths.isTail(of: $0, bytes(at &+ 1, nameEnd &- 1))
                }
            } else {
                hasEscape = false
                guard let behind = string(at) else { return nil }
                inner = step(PlaceSet(lowest: places), at &+ 1, behind &- 1).lowest
                reader.seek(behind)
                nameEnd = behind
            }
            let colon = reader.space(nameEnd)
            guard colon >= 0, reader.byte(colon) == UInt8(ascii: ":") else { return nil }
            let begin = reader.space(colon &+ 1)
            guard begin >= 0 else { return nil }
            var end: Int
            let first = reader.byte(begin)
            let ended = inner & paths.ends
            if first == UInt8(ascii: "\""), inner == ended {
                guard let behind = string(begin, &reader) else { return nil }
                end = behind
                if ended != 0 { replace(begin, end, paths.rule(ended)) }
            } else if first &- UInt8(ascii: "0") < 10, ended == 0 {
                end = reader.number(begin)
                if end < 0 {
                    guard let behind = number(begin) else { return nil }
                    end = behind
                }
            } else {
                let inside = depth &+ 1
                let behind: Int?
                if first == UInt8(ascii: "{"), inner != 0, ended == 0 {
                    behind = inside < JSONScanner.depthLimit ? members(begin, inner, inside) : tooDeep()
                } else if first == UInt8(ascii: "\""), ended == 0 {
                    behind = waiting(begin, inner)
                } else if inner == 0 {
                    behind = skip(begin, depth: inside)
                } else {
                    behind = value(begin, PlaceSet(lowest: inner), depth: inside)
                }
                guard let behind else { return nil }
                end = behind
                reader.seek(end)
            }
            let next = reader.space(end)
            guard next >= 0 else { return nil }
            if reader.byte(next) != UInt8(ascii: ",") {
                return reader.byte(next) == UInt8(ascii: "}") ? next &+ 1 : nil
            }
            at = reader.space(next &+ 1)
            guard at >= 0 else { return nil }
        }
    }

    /// A string that a path may go on in, where it is a document.
    @inline(never)
    private mutating func waiting(_ start: Int, _ places: UInt64) -> Int? {
        hasEscape = false
        guard let end = string(start) else { return nil }
        if mayNest(start) { inspect(start, end, PlaceSet(lowest: places)) }
        return end
    }
}
