/// All paths of a profile in one nondeterministic automaton: a bit for each place in a path that is waited for.
///
/// A step costs a few operations on 256 bits, and a comparison for each *name* waited for, most of which its length and
/// first seven bytes decide.
struct PathAutomaton: Sendable {
    /// Room for all segments of all paths, and an end for each.
    static let limit = 256

    private(set) var start = PlaceSet()
    private var keys = PlaceSet()
    private var anyKeys = PlaceSet()
    private var anyDepths = PlaceSet()
    private var indexes = PlaceSet()
    private var anyIndexes = PlaceSet()
    private(set) var ends = PlaceSet()
    private var count = 0
    /// By place: length and first bytes of a name, or an index.
    private var heads: [UInt64] = []
    private var names: [Range<Int>] = []
    private var nameBytes: [UInt8] = []
    private var rules: [Int] = []

    var isEmpty: Bool { count == 0 }

    /// - Returns: false where there is no room for the path.
    mutating func add(_ path: FieldPath, rule: Int) -> Bool {
        guard count + path.segments.count + 1 <= PathAutomaton.limit else { return false }
        start.insert(count)
        for segment in path.segments {
            switch segment {
            case .key(let key):
                keys.insert(count)
                append(head: PathAutomaton.head(of: key), name: key, rule)
            case .anyKey:
                anyKeys.insert(count)
                append(rule)
            case .anyDepth:
                anyDepths.insert(count)
                append(rule)
            case .index(let index):
                indexes.insert(count)
                append(head: UInt64(index), rule)
            case .anyIndex:
                anyIndexes.insert(count)
                append(rule)
            }
        }
        ends.insert(count)
        append(rule)
        start = closed(start)
        return true
    }

    private mutating func append(head: UInt64 = 0, name: [UInt8] = [], _ rule: Int) {
        heads.append(head)
        names.append(nameBytes.count..<(nameBytes.count + name.count))
        nameBytes.append(contentsOf: name)
        rules.append(rule)
        count += 1
    }

    private static func head(of key: [UInt8]) -> UInt64 {
        var head = UInt64(key.count & 0xff) << 56
        for (index, byte) in key.prefix(7).enumerated() { head |= UInt64(byte) << UInt64(index * 8) }
        return head
    }

    /// `**` may be no level at all: what follows it is waited for as well. A path has no two of them in a row.
    @inline(__always)
    private func closed(_ places: PlaceSet) -> PlaceSet {
        places.union(places.intersection(anyDepths).advanced())
    }

    /// What is waited for inside of the member of that name, which is decoded.
    func step(_ places: PlaceSet, key: UnsafeRawBufferPointer) -> PlaceSet {
        unsafe step(places, key: key, head: PathAutomaton.head(of: key))
    }

    /// - Parameter head: of the key, for callers who make it at less cost.
    @inline(__always)
    func step(_ places: PlaceSet, key: UnsafeRawBufferPointer, head: UInt64) -> PlaceSet {
        if count <= 64 { return unsafe narrowStep(places, key: key, head: head) }
        var next = places.intersection(anyDepths).union(places.intersection(anyKeys).advanced())
        let named = places.intersection(keys)
        if !named.isEmpty {
            named.each { place in
                if heads[place] == head, unsafe key.count <= 7 || isTail(of: place, key) { next.insert(place &+ 1) }
            }
        }
        return closed(next)
    }

    /// The same where all places are in one word.
    @inline(__always)
    private func narrowStep(_ places: PlaceSet, key: UnsafeRawBufferPointer, head: UInt64) -> PlaceSet {
        let waiting = places.lowest
        var next = waiting & anyDepths.lowest | (waiting & anyKeys.lowest) &<< 1
        var named = waiting & keys.lowest
        while named != 0 {
            let place = named.trailingZeroBitCount
            if heads[place] == head, unsafe key.count <= 7 || isTail(of: place, key) { next |= 2 &<< UInt64(place) }
            named &= named &- 1
        }
        return PlaceSet(lowest: next | (next & anyDepths.lowest) &<< 1)
    }

    /// The head of a key of `count` bytes, which are the lowest of `word`.
    @inline(__always)
    static func head(_ word: UInt64, count: Int) -> UInt64 {
        let used: UInt64 = count < 7 ? (1 &<< UInt64(count &* 8)) &- 1 : 0x00ff_ffff_ffff_ffff
        return UInt64(truncatingIfNeeded: count & 0xff) &<< 56 | word & used
    }

    private static func head(of key: UnsafeRawBufferPointer) -> UInt64 {
        var head = UInt64(truncatingIfNeeded: key.count & 0xff) &<< 56
        if key.count >= 8 {
            head |= unsafe UInt64(littleEndian: key.loadUnaligned(as: UInt64.self)) & 0x00ff_ffff_ffff_ffff
        } else {
            for index in 0..<key.count { unsafe head |= UInt64(key[index]) &<< UInt64(index &* 8) }
        }
        return head
    }

    /// The first seven bytes are known to be equal.
    private func isTail(of place: Int, _ key: UnsafeRawBufferPointer) -> Bool {
        let name = names[place]
        guard name.count == key.count else { return false }
        for index in 7..<key.count {
            if unsafe nameBytes[name.lowerBound &+ index] != key[index] { return false }
        }
        return true
    }

    /// What is waited for inside of the element of that number. Arrays are looked through: names stay waited for.
    func step(_ places: PlaceSet, index: Int) -> PlaceSet {
        var next = places.intersection(keys).union(places.intersection(anyKeys)).union(places.intersection(anyDepths))
        next = next.union(places.intersection(anyKeys).union(places.intersection(anyIndexes)).advanced())
        places.intersection(indexes).each { place in
            if heads[place] == UInt64(index) { next.insert(place &+ 1) }
        }
        return closed(next)
    }

    /// What is waited for inside of any element: for schemas, which know no numbers of elements.
    func stepElement(_ places: PlaceSet) -> PlaceSet {
        var next = places.intersection(keys).union(places.intersection(anyKeys)).union(places.intersection(anyDepths))
        next = next.union(
            places.intersection(anyKeys).union(places.intersection(anyIndexes)).union(places.intersection(indexes))
                .advanced())
        return closed(next)
    }

    /// A bit for each rule, of those below 32, whose path ends here.
    func allAccepted(_ places: PlaceSet) -> UInt32 {
        var found: UInt32 = 0
        places.intersection(ends).each { place in
            if rules[place] < 32 { found |= 1 &<< UInt32(truncatingIfNeeded: rules[place]) }
        }
        return found
    }

    /// The first rule whose path ends here; nil where none does.
    @inline(__always)
    func accepted(_ places: PlaceSet) -> Int? {
        let ended = places.intersection(ends)
        return ended.isEmpty ? nil : rules[ended.first]
    }
}

/// Places in the automaton: 256 bits.
struct PlaceSet: Hashable, Sendable, BitwiseCopyable {
    private var a: UInt64 = 0, b: UInt64 = 0, c: UInt64 = 0, d: UInt64 = 0

    init() {}
    @inline(__always) fileprivate init(lowest: UInt64) { a = lowest }
    /// The first 64 places.
    @inline(__always) fileprivate var lowest: UInt64 { a }

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

    @inline(__always) func union(_ other: PlaceSet) -> PlaceSet {
        var result = self
        result.a |= other.a
        result.b |= other.b
        result.c |= other.c
        result.d |= other.d
        return result
    }

    @inline(__always) func intersection(_ other: PlaceSet) -> PlaceSet {
        var result = self
        result.a &= other.a
        result.b &= other.b
        result.c &= other.c
        result.d &= other.d
        return result
    }

    /// Each place's successor.
    @inline(__always) func advanced() -> PlaceSet {
        var result = PlaceSet()
        result.a = a &<< 1
        result.b = b &<< 1 | a &>> 63
        result.c = c &<< 1 | b &>> 63
        result.d = d &<< 1 | c &>> 63
        return result
    }

    /// The lowest place of a set that is not empty.
    @inline(__always) var first: Int {
        if a != 0 { return a.trailingZeroBitCount }
        if b != 0 { return 64 &+ b.trailingZeroBitCount }
        if c != 0 { return 128 &+ c.trailingZeroBitCount }
        return 192 &+ d.trailingZeroBitCount
    }

    @inline(__always) func each(_ body: (Int) -> Void) {
        PlaceSet.each(a, 0, body)
        if b | c | d == 0 { return }
        PlaceSet.each(b, 64, body)
        PlaceSet.each(c, 128, body)
        PlaceSet.each(d, 192, body)
    }

    @inline(__always) private static func each(_ word: UInt64, _ base: Int, _ body: (Int) -> Void) {
        var rest = word
        while rest != 0 {
            body(base &+ rest.trailingZeroBitCount)
            rest &= rest &- 1
        }
    }
}
