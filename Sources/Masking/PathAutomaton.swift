/// All paths of a profile in one automaton: a bit for each place in a path that is waited for.
struct PathAutomaton: Sendable {
    /// Places that are waited for: 256 bits.
    struct States: Equatable, Sendable {
        var a: UInt64 = 0, b: UInt64 = 0, c: UInt64 = 0, d: UInt64 = 0

        @inline(__always) var isEmpty: Bool { a | b | c | d == 0 }

        @inline(__always) mutating func insert(_ place: Int) {
            let bit: UInt64 = 1 &<< UInt64(place & 63)
            switch place &>> 6 {
            case 0: a |= bit
            case 1: b |= bit
            case 2: c |= bit
            default: d |= bit
            }
        }

        @inline(__always) mutating func formUnion(_ other: States) {
            a |= other.a
            b |= other.b
            c |= other.c
            d |= other.d
        }

        @inline(__always) func forEach(_ body: (Int) -> Void) {
            States.each(a, 0, body)
            States.each(b, 64, body)
            States.each(c, 128, body)
            States.each(d, 192, body)
        }

        @inline(__always) private static func each(_ word: UInt64, _ base: Int, _ body: (Int) -> Void) {
            var rest = word
            while rest != 0 {
                body(base &+ rest.trailingZeroBitCount)
                rest &= rest &- 1
            }
        }
    }

    static let limit = 256

    private enum Kind: UInt8 { case key, anyKey, anyDepth, index, anyIndex, end }
    private struct Place {
        var kind: Kind
        var key: [UInt8] = []
        var index = 0
        var rule = 0
    }

    private var places: [Place] = []
    private var starts: [Int] = []
    /// The first bytes and the length of each key, for a quick no.
    private var keyHeads: [UInt64] = []

    /// - Returns: false where there is no room for the path.
    mutating func add(_ path: FieldPath, rule: Int) -> Bool {
        guard places.count + path.segments.count + 1 <= PathAutomaton.limit else { return false }
        starts.append(places.count)
        for segment in path.segments {
            switch segment {
            case .key(let key): places.append(Place(kind: .key, key: key, rule: rule))
            case .anyKey: places.append(Place(kind: .anyKey, rule: rule))
            case .anyDepth: places.append(Place(kind: .anyDepth, rule: rule))
            case .index(let index): places.append(Place(kind: .index, index: index, rule: rule))
            case .anyIndex: places.append(Place(kind: .anyIndex, rule: rule))
            }
        }
        places.append(Place(kind: .end, rule: rule))
        keyHeads = places.map { PathAutomaton.head(of: $0.key) }
        return true
    }

    private static func head(of key: [UInt8]) -> UInt64 {
        var head = UInt64(truncatingIfNeeded: key.count) &<< 56
        for (index, byte) in key.prefix(7).enumerated() { head |= UInt64(byte) &<< UInt64(index * 8) }
        return head
    }

    var isEmpty: Bool { places.isEmpty }

    /// Where every path begins.
    var start: States {
        var states = States()
        for place in starts { enter(place, &states) }
        return states
    }

    /// `**` may be no level at all: what follows it is waited for as well.
    @inline(__always)
    private func enter(_ place: Int, _ states: inout States) {
        var at = place
        states.insert(at)
        while places[at].kind == .anyDepth {
            at &+= 1
            states.insert(at)
        }
    }

    /// What is waited for inside of the member of that name.
    @inline(__always)
    func step(_ states: States, key: UnsafeRawBufferPointer) -> States {
        var next = States()
        var head = UInt64(truncatingIfNeeded: key.count) &<< 56
        for index in 0..<min(7, key.count) { unsafe head |= UInt64(key[index]) &<< UInt64(index &* 8) }
        states.forEach { place in
            switch places[place].kind {
            case .key:
                if keyHeads[place] == head, key.count <= 7 || (unsafe key.elementsEqual(places[place].key)) {
                    enter(place &+ 1, &next)
                }
            case .anyKey: enter(place &+ 1, &next)
            case .anyDepth: enter(place, &next)
            case .index, .anyIndex, .end: return
            }
        }
        return next
    }

    /// What is waited for inside of the element of that number. Arrays are looked through: names stay waited for.
    func step(_ states: States, index: Int) -> States {
        var next = States()
        states.forEach { place in
            switch places[place].kind {
            case .key, .anyKey: next.insert(place)
            case .anyDepth: enter(place, &next)
            case .index: if places[place].index == index { enter(place &+ 1, &next) }
            case .anyIndex: enter(place &+ 1, &next)
            case .end: return
            }
        }
        return next
    }

    /// The first rule whose path ends here; nil where none does.
    @inline(__always)
    func accepted(_ states: States) -> Int? {
        var best: Int?
        states.forEach { place in
            if places[place].kind == .end { best = min(best ?? .max, places[place].rule) }
        }
        return best
    }
}
