import TidegateWire

/// The room that finding needs, used again for each text: after the first texts nothing is allocated.
public struct DetectionPass: ~Copyable {
    /// What `find` found in the last text: sorted by start, without overlap.
    public internal(set) var findings: [Finding] = []

    var run = CharacterRun()
    var folded: [UInt8] = []
    var origins: [Int32] = []
    var matches: [PatternMatch] = []
    var names = NameMeanings()

    /// The name's meaning.
    var name: Context = []
    /// What is around the last place that was asked for.
    var around: Context = []
    var aroundPlace = -1
    var justBefore: Context = []
    var justBeforePlace = -1
    /// Any context is taken as given, and the first finding ends the scan: `mayMatch`.
    var isAssuming = false
    var hasHit = false
    /// Hits do not end the scan: their blocks of 64 bytes are marked.
    var isMarking = false
    /// What `mark` found: bit i of word n is set where something may be found that touches block 64 * n + i.
    public var marks: [UInt64] = []

    /// Behind the last zone of digits and letters that was read, and the last token.
    var zoneEnd = 0
    /// Where the zone begins that is being read.
    var zoneStart = 0
    var isInZone = false
    var tokenEnd = 0
    var addressEnd = 0
    var keyEnd = 0
    /// Before it no token of three parts begins: all of them would have the same parts behind the first one.
    var noTokenUntil = 0

    public init() {}

    /// Bytes of room that is kept for the next texts, and those of them that hold something of the last.
    package var room: (all: Int, used: Int) {
        (
            folded.capacity + origins.capacity * 4 + marks.capacity * 8
                + findings.capacity * MemoryLayout<Finding>.stride + matches.capacity
                * MemoryLayout<PatternMatch>.stride,
            folded.count + origins.count + findings.count + matches.count
        )
    }

    /// Forgets the last text, and gives back what an uncommonly long one took.
    package mutating func rest() {
        findings.rest()
        folded.rest()
        origins.rest()
        matches.rest()
        marks.rest()
    }

    mutating func begin() {
        zoneEnd = 0
        isInZone = false
        tokenEnd = 0
        addressEnd = 0
        keyEnd = 0
        noTokenUntil = 0
        aroundPlace = -1
        justBeforePlace = -1
    }

    /// True where the field's name, or words near the place, announce the detector's values.
    mutating func announces(_ detector: BuiltInDetector, _ text: TextBytes, _ start: Int, _ end: Int) -> Bool {
        if isAssuming || name.contains(Context(detector)) { return true }
        if !name.isDisjoint(with: .against) { return false }
        return near(text, start, end).contains(Context(detector))
    }

    /// What the words around the zone announce that `start` lies in.
    mutating func near(_ text: TextBytes, _ start: Int, _ end: Int) -> Context {
        let place = isInZone ? zoneStart : start
        if aroundPlace != place {
            aroundPlace = place
            around = text.meaningAround(place, place == start ? end : max(end, run.end))
        }
        return around
    }

    /// True where the name or the word just before says that it is a number of another kind.
    ///
    /// - Parameter words: those that are believed.
    mutating func contradicts(_ text: TextBytes, _ start: Int, by words: Context = .against) -> Bool {
        if isAssuming || !name.isDisjoint(with: .all) { return false }
        if !name.isDisjoint(with: words) { return true }
        if justBeforePlace != start {
            justBeforePlace = start
            justBefore = text.meaningAround(start, start, reach: 24, behind: false)
        }
        return !justBefore.isDisjoint(with: words)
    }
}

/// What names announce, kept by their bytes: a stream has few names and says them all the time.
struct NameMeanings {
    struct Meaning: BitwiseCopyable {
        var context: Context = []
        var patterns: PatternContext = .none
    }
    private struct Entry: BitwiseCopyable {
        var first: UInt64 = 0
        var second: UInt64 = 0
        var third: UInt64 = 0
        var count = -1
        var meaning = Meaning()
    }
    private var entries: [Entry] = []
    /// Whose patterns the entries know.
    private var owner: ObjectIdentifier?
    private static let slots = 256

    /// What the name announces to the set; longer ones than 24 bytes are read each time.
    mutating func meaning(_ name: RawSpan, for set: DetectorSet, _ patterns: PatternSet?) -> Meaning {
        let count = name.byteCount
        if count == 0 { return Meaning() }
        if count > 24 { return NameMeanings.read(name, patterns) }
        if owner != ObjectIdentifier(set) {
            owner = ObjectIdentifier(set)
            entries = [Entry](repeating: Entry(), count: NameMeanings.slots)
        }
        let first = NameMeanings.word(name, 0)
        let second = count > 8 ? NameMeanings.word(name, 8) : 0
        let third = count > 16 ? NameMeanings.word(name, 16) : 0
        let mixed = (first ^ second &* 3 ^ third &* 5 ^ UInt64(count)) &* 0x9E37_79B9_7F4A_7C15
        let slot = Int(truncatingIfNeeded: mixed >> 56) & (NameMeanings.slots &- 1)
        let entry = entries[slot]
        if entry.count == count, entry.first == first, entry.second == second, entry.third == third {
            return entry.meaning
        }
        let meaning = NameMeanings.read(name, patterns)
        entries[slot] = Entry(first: first, second: second, third: third, count: count, meaning: meaning)
        return meaning
    }

    @inline(__always)
    private static func word(_ name: RawSpan, _ offset: Int) -> UInt64 {
        if let whole = name.littleEndian(UInt64.self, at: offset) { return whole }
        var word: UInt64 = 0
        var at = name.byteCount &- 1
        while at >= offset {
            word = word << 8 | UInt64(name.byte(at: at) ?? 0)
            at &-= 1
        }
        return word
    }

    private static func read(_ name: RawSpan, _ patterns: PatternSet?) -> Meaning {
        let context = unsafe name.withUnsafeBytes { raw -> Context in
            guard let base = raw.baseAddress else { return [] }
            let start = unsafe base.assumingMemoryBound(to: UInt8.self)
            return unsafe TextBytes(start, raw.count).meaningOfName()
        }
        return Meaning(context: context, patterns: patterns?.context(of: name) ?? .none)
    }
}
