public import TidegateWire

/// Names of one connection, interned: kind and bytes to a number, by open addressing with a seeded hash (names are a
/// peer's input). No allocation once a name is known; none at all before the first.
@usableFromInline
struct NameTable {
    /// Names and bytes that one connection may bring; more is refused. Each name may be as long as Kafka's topics are
    /// (249 bytes), and all together hold no more than an outbox may.
    @usableFromInline static let limit = (names: 16_384, bytes: 4 << 20)
    @usableFromInline static let seed = UInt64.random(in: .min ... .max)
    /// Odd and secret: with a known factor, names whose top bits differ collide under every seed.
    @usableFromInline static let factor = UInt64.random(in: .min ... .max) | 1
    /// Names whose slots are taken so far on are refused: nobody makes look-ups slow by choosing names.
    @usableFromInline static let probeLimit = 512

    /// Index + 1 of the name in that place; a power of two.
    @usableFromInline var slots: [UInt32] = []
    /// Where each name starts in `bytes`; one more than there are names.
    @usableFromInline var starts: [UInt32] = []
    @usableFromInline var kinds: [UInt8] = []
    @usableFromInline var bytes: [UInt8] = []

    @usableFromInline init() {}

    @usableFromInline var count: Int { kinds.count }

    /// Three quarters of the limits are taken.
    var isNearlyFull: Bool {
        kinds.count > NameTable.limit.names * 3 / 4 || bytes.count > NameTable.limit.bytes * 3 / 4
    }

    /// Bytes of memory that the table holds.
    var heldBytes: Int {
        (slots.capacity + starts.capacity) * MemoryLayout<UInt32>.stride + kinds.capacity + bytes.capacity
    }

    @inlinable
    static func hash(_ kind: UInt8, _ name: RawSpan) -> UInt64 {
        let seed = seed
        let factor = factor
        var hash = seed ^ (UInt64(kind) &* 0x9E37_79B9_7F4A_7C15)
        var at = 0
        while let word = name.littleEndian(UInt64.self, at: at) {
            let (high, low) = (hash ^ word).multipliedFullWidth(by: factor)
            hash = high ^ low &+ seed
            at &+= 8
        }
        while let byte = name.byte(at: at) {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
            at &+= 1
        }
        hash ^= hash &>> 29
        hash = hash &* 0xBF58_476D_1CE4_E5B9
        return hash ^ (hash &>> 32)
    }

    /// The number of a name, new or known; nil where the table is full.
    @inlinable
    mutating func intern(_ kind: UInt8, _ name: RawSpan) -> UInt32? {
        if let found = find(kind, name) { return found }
        return insert(kind, name)
    }

    @inlinable
    func find(_ kind: UInt8, _ name: RawSpan) -> UInt32? {
        if slots.isEmpty { return nil }
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: NameTable.hash(kind, name)) & mask
        while true {
            let entry = slots[slot]
            if entry == 0 { return nil }
            let index = Int(entry &- 1)
            let range = Int(starts[index])..<Int(starts[index &+ 1])
            if kinds[index] == kind, unsafe bytes.span.bytes.equals(name, in: range) {
                return entry &- 1
            }
            slot = (slot &+ 1) & mask
        }
    }

    @usableFromInline
    mutating func insert(_ kind: UInt8, _ name: RawSpan) -> UInt32? {
        guard kinds.count < NameTable.limit.names, bytes.count + name.byteCount <= NameTable.limit.bytes else {
            return nil
        }
        let hash = NameTable.hash(kind, name)
        guard hasRoom(hash) else { return nil }
        if starts.isEmpty { starts.append(0) }
        let index = UInt32(kinds.count)
        kinds.append(kind)
        bytes.append(bytes: name)
        starts.append(UInt32(bytes.count))
        if kinds.count * 2 > slots.count { rehash() } else { place(index, hash) }
        return index
    }

    private func hasRoom(_ hash: UInt64) -> Bool {
        if slots.isEmpty { return true }
        let mask = slots.count - 1
        let start = Int(truncatingIfNeeded: hash)
        for step in 0..<min(slots.count, NameTable.probeLimit) where slots[(start &+ step) & mask] == 0 { return true }
        return false
    }

    private mutating func place(_ index: UInt32, _ hash: UInt64) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = index + 1
    }

    private mutating func rehash() {
        slots = [UInt32](repeating: 0, count: max(16, slots.count * 2))
        let all = bytes
        for index in kinds.indices {
            let name = unsafe all.span.bytes.extracting(Int(starts[index])..<Int(starts[index + 1]))
            place(UInt32(index), NameTable.hash(kinds[index], name))
        }
    }

    /// The name as text; bytes that are no UTF-8 are replaced, so that no rule written in text can match them by accident.
    func name(_ index: UInt32) -> String {
        guard Int(index) < kinds.count else { return "" }
        return String(decoding: bytes[Int(starts[Int(index)])..<Int(starts[Int(index) + 1])], as: UTF8.self)
    }

    func nameBytes(_ index: UInt32) -> [UInt8] {
        guard Int(index) < kinds.count else { return [] }
        return Array(bytes[Int(starts[Int(index)])..<Int(starts[Int(index) + 1])])
    }

    func kind(_ index: UInt32) -> UInt8 { Int(index) < kinds.count ? kinds[Int(index)] : .max }
}
