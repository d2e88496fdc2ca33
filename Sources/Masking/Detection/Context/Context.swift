/// What the words around a value, or in its field's name, announce.
struct Context: OptionSet, Sendable {
    var rawValue: UInt64
    init(rawValue: UInt64) { self.rawValue = rawValue }
    private init(bit: UInt64) { rawValue = 1 << bit }

    /// A detector's own words: its ordinal is the bit.
    @inline(__always)
    init(_ detector: BuiltInDetector) { rawValue = 1 << UInt64(detector.ordinal) }

    /// An order, a trace, a product: numbers that are nobody's.
    static let otherNumber = Context(bit: 56)
    static let time = Context(bit: 57)
    static let version = Context(bit: 58)
    /// A reference, an amount, a place: what may stand before any number, also that of a card.
    static let anyNumber = Context(bit: 59)
    /// Words that speak against what looks like a number of a person.
    static let against: Context = [.otherNumber, .time, .version, .anyNumber]
    static let all = Context(rawValue: 1 << 56 - 1)
}

/// The words that announce something, found by their hash: single words, and two or three joined (`credit card`).
struct ContextWords: Sendable {
    static let shared = ContextWords()

    private static let slots = 4096
    /// A bit for each word's hash, so that most other words need no search.
    private let filter: [UInt64]
    private let hashes: [UInt64]
    private let meanings: [UInt64]

    static let seed: UInt64 = 0xcbf2_9ce4_8422_2325

    /// FNV-1a, with letters taken small.
    @inline(__always)
    static func hash(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(byte.isCapital ? byte | 0x20 : byte)) &* 0x100_0000_01b3
    }

    private init() {
        var filter = [UInt64](repeating: 0, count: 1024)
        var hashes = [UInt64](repeating: 0, count: ContextWords.slots)
        var meanings = [UInt64](repeating: 0, count: ContextWords.slots)
        for (meaning, words) in ContextWords.vocabulary {
            for word in words.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
                let hash = word.utf8.reduce(ContextWords.seed) { ContextWords.hash($0, $1) }
                var slot = ContextWords.slot(hash)
                while hashes[slot] != 0, hashes[slot] != hash { slot = (slot &+ 1) % ContextWords.slots }
                hashes[slot] = hash
                meanings[slot] |= meaning.rawValue
                filter[Int(hash >> 54)] |= 1 << (hash >> 48 & 63)
            }
        }
        self.filter = filter
        self.hashes = hashes
        self.meanings = meanings
    }

    @inline(__always)
    private static func slot(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: (hash ^ hash >> 32) % UInt64(ContextWords.slots))
    }

    @inline(__always)
    func meaning(_ hash: UInt64) -> Context {
        if filter[Int(truncatingIfNeeded: hash &>> 54)] &>> (hash &>> 48 & 63) & 1 == 0 { return [] }
        var slot = ContextWords.slot(hash)
        while hashes[slot] != 0 {
            if hashes[slot] == hash { return Context(rawValue: meanings[slot]) }
            slot = (slot &+ 1) % ContextWords.slots
        }
        return []
    }
}

/// Reads the words of a name or a text one by one and says what each announces, by itself and joined to those before it.
struct WordReader {
    /// Hashes of the last one, two and three words, and of each without its last letter: the singular.
    private var one = ContextWords.seed
    private var two: UInt64 = 0
    private var three: UInt64 = 0
    private var singular: (UInt64, UInt64, UInt64) = (0, 0, 0)
    private var last: UInt8 = 0
    private var length = 0

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        singular = (one, two, three)
        last = byte | 0x20
        one = ContextWords.hash(one, byte)
        if two != 0 { two = ContextWords.hash(two, byte) }
        if three != 0 { three = ContextWords.hash(three, byte) }
        length &+= 1
    }

    /// Ends the word, if there is one.
    mutating func endWord() -> Context {
        guard length > 0 else { return [] }
        let words = ContextWords.shared
        var result = words.meaning(one)
        if two != 0 { result.formUnion(words.meaning(two)) }
        if three != 0 { result.formUnion(words.meaning(three)) }
        if result.isEmpty, last == UInt8(ascii: "s"), length > 3 {
            result = words.meaning(singular.0)
            if singular.1 != 0 { result.formUnion(words.meaning(singular.1)) }
        }
        three = two
        two = one
        one = ContextWords.seed
        length = 0
        return result
    }
}

extension TextBytes {
    /// What a field's name announces: its words, told apart by case, marks and digits, single and joined.
    func meaningOfName() -> Context {
        var reader = WordReader()
        var result: Context = []
        var before: UInt8 = 0
        var at = 0
        while at < count {
            let byte = self[at]
            if !byte.isWordByte || byte.isDigit {
                result.formUnion(reader.endWord())
            } else if isIdeograph(at) {
                result.formUnion(reader.endWord())
                for offset in 0..<3 { reader.append(self[at &+ offset]) }
                result.formUnion(reader.endWord())
                at &+= 2
            } else {
                let isHump = byte.isCapital && before.isLetter && (!before.isCapital || isSmall(at &+ 1))
                if isHump { result.formUnion(reader.endWord()) }
                reader.append(byte)
            }
            before = byte
            at &+= 1
        }
        result.formUnion(reader.endWord())
        // "phoneNumber" says more than "number" can take back; "orderId" says nothing of a person.
        return result.isDisjoint(with: .all) ? result : result.intersection(.all)
    }

    /// A character of three bytes that is a word of its own, as in Chinese; two or three of them are joined like words.
    private func isIdeograph(_ offset: Int) -> Bool { self[offset] >= 0xe3 && self[offset] <= 0xed }

    private func isSmall(_ offset: Int) -> Bool { self[offset].isLetter && !self[offset].isCapital }

    /// What the words before `start` and directly behind `end` announce; of words that contradict the nearer one holds.
    ///
    /// - Parameter reach: how many bytes before are read.
    /// - Parameter behind: whether the words behind are read too.
    func meaningAround(_ start: Int, _ end: Int, reach: Int = 64, behind: Bool = true) -> Context {
        var reader = WordReader()
        var result: Context = []
        var digits = 0
        var at = max(0, start &- reach)
        if at > 0 { while at < start, self[at].isWordByte, !isIdeograph(at) { at &+= 1 } }
        while at < start {
            let byte = self[at]
            if isIdeograph(at) {
                take(reader.endWord(), &result, &digits)
                for offset in 0..<3 { reader.append(self[at &+ offset]) }
                take(reader.endWord(), &result, &digits)
                at &+= 2
            } else if byte.isWordByte, !byte.isDigit {
                if byte.isCapital, self[at &- 1].isLetter, !self[at &- 1].isCapital {
                    take(reader.endWord(), &result, &digits)
                }
                reader.append(byte)
            } else {
                take(reader.endWord(), &result, &digits)
                if byte.isDigit { digits &+= 1 }
            }
            at &+= 1
        }
        take(reader.endWord(), &result, &digits)
        if !result.isDisjoint(with: .against) || !behind { return result }
        reader = WordReader()
        at = end
        let limit = min(count, end &+ 32)
        scan: while at < limit {
            let byte = self[at]
            switch byte {
            case UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "\n"),
                UInt8(ascii: "\""), UInt8(ascii: "|"), UInt8(ascii: "\t"), UInt8(ascii: "="):
                break scan
            default: break
            }
            if byte.isDigit { break }
            if byte.isWordByte {
                reader.append(byte)
            } else {
                result.formUnion(reader.endWord().intersection(.all))
            }
            at &+= 1
        }
        if at == limit, at < count, self[at].isWordByte { return result }
        result.formUnion(reader.endWord().intersection(.all))
        return result
    }

    @inline(__always)
    private func take(_ meaning: Context, _ result: inout Context, _ digits: inout Int) {
        if meaning.isEmpty { return }
        if meaning.isDisjoint(with: .all) {
            result = meaning
        } else {
            // What was announced before six digits or more has been said.
            if digits >= 6 { result = [] }
            result.subtract(.against)
            result.formUnion(meaning.intersection(.all))
        }
        digits = 0
    }

    /// What the words before `start` announce, back to the next digit: nothing else can be meant.
    func meaningDirectlyBefore(_ start: Int) -> Context {
        var at = start
        while at > 0, start &- at < 64, !isDigit(at &- 1) { at &-= 1 }
        return meaningAround(start, start, reach: start &- at, behind: false)
    }

    /// What a part of the bytes announces, taken as a name.
    func meaning(_ start: Int, _ end: Int) -> Context {
        guard start >= 0, start < end, end <= count else { return [] }
        return unsafe TextBytes(block(start), end &- start).meaningOfName()
    }
}
