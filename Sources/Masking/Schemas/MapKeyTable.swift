import TidegateWire

/// What the keys of a plan's maps lead to: seen keys with their nodes, in bounded room. It is emptied when it is full.
struct MapKeyTable: Sendable {
    static let keyLimit = 4096
    static let byteLimit = 1 << 18
    /// Longer keys are looked up anew each time.
    static let lengthLimit = 256

    private struct Entry: BitwiseCopyable {
        var hash: UInt64
        var map: Int32
        var node: Int32
        var start: Int32
        var count: Int32
    }
    private var slots: [Int32] = []
    private var entries: [Entry] = []
    private var bytes: [UInt8] = []
    /// Keys are a peer's input: nobody is to choose those that collide.
    private let seed = UInt64.random(in: 0 ... .max)

    private func hash(_ map: Int32, _ key: RawSpan) -> UInt64 {
        var state = seed ^ UInt64(truncatingIfNeeded: map) &* 0x9E37_79B9_7F4A_7C15
        var at = 0
        while let word = key.littleEndian(UInt64.self, at: at) {
            state = MapKeyTable.mixed(state ^ word)
            at &+= 8
        }
        while let byte = key.byte(at: at) {
            state = MapKeyTable.mixed(state ^ UInt64(byte))
            at &+= 1
        }
        return state ^ state &>> 32
    }

    private static func mixed(_ word: UInt64) -> UInt64 {
        let product = word.multipliedFullWidth(by: 0x9FB2_1C65_1E98_DF25)
        return product.high ^ product.low
    }

    private func isKey(_ entry: Entry, _ key: RawSpan) -> Bool {
        let start = Int(entry.start)
        return unsafe bytes.span.bytes.equals(key, in: start..<(start &+ Int(entry.count)))
    }

    /// - Returns: the node; nil where the key was not seen.
    func find(_ map: Int32, _ key: RawSpan) -> Int32? {
        guard !entries.isEmpty, key.byteCount <= MapKeyTable.lengthLimit else { return nil }
        let hash = hash(map, key)
        var slot = Int(truncatingIfNeeded: hash & UInt64(slots.count &- 1))
        while slots[slot] >= 0 {
            let entry = entries[Int(slots[slot])]
            if entry.hash == hash, entry.map == map, isKey(entry, key) { return entry.node }
            slot = (slot &+ 1) & (slots.count &- 1)
        }
        return nil
    }

    mutating func insert(_ map: Int32, _ key: RawSpan, _ node: Int32) {
        guard key.byteCount <= MapKeyTable.lengthLimit, find(map, key) == nil else { return }
        if entries.count >= MapKeyTable.keyLimit || bytes.count + key.byteCount > MapKeyTable.byteLimit {
            entries.removeAll(keepingCapacity: true)
            bytes.removeAll(keepingCapacity: true)
            for index in slots.indices { slots[index] = -1 }
        }
        if slots.isEmpty { slots = [Int32](repeating: -1, count: MapKeyTable.keyLimit * 2) }
        let hash = hash(map, key)
        var slot = Int(truncatingIfNeeded: hash & UInt64(slots.count &- 1))
        while slots[slot] >= 0 { slot = (slot &+ 1) & (slots.count &- 1) }
        slots[slot] = Int32(entries.count)
        entries.append(Entry(hash: hash, map: map, node: node, start: Int32(bytes.count), count: Int32(key.byteCount)))
        bytes.append(bytes: key)
    }
}
