/// A slot and the generation of what lives in it: work for what is gone finds nothing.
///
/// 32 bits of slot, 24 of generation; the upper 8 are the driver's.
typealias Token = UInt64

/// Elements by token; a slot that is used again has another generation.
struct SlotTable<Element: AnyObject> {
    private var elements: [Element?] = []
    private var generations: [UInt32] = []
    private var free: [UInt32] = []
    private(set) var count = 0

    /// Slots in use or used before; what walks the table walks these.
    var slots: Int { elements.count }

    mutating func reserve() -> Token {
        count += 1
        if let slot = free.popLast() { return UInt64(generations[Int(slot)]) << 32 | UInt64(slot) }
        elements.append(nil)
        generations.append(1)
        return 1 << 32 | UInt64(elements.count - 1)
    }

    subscript(token: Token) -> Element? {
        get {
            let slot = Int(token & 0xFFFF_FFFF)
            guard slot < elements.count, generations[slot] == UInt32(token >> 32 & 0xFF_FFFF) else { return nil }
            return elements[slot]
        }
        set {
            let slot = Int(token & 0xFFFF_FFFF)
            guard slot < elements.count, generations[slot] == UInt32(token >> 32 & 0xFF_FFFF) else { return }
            elements[slot] = newValue
        }
    }

    func element(inSlot slot: Int) -> Element? { slot < elements.count ? elements[slot] : nil }

    mutating func remove(_ token: Token) {
        let slot = Int(token & 0xFFFF_FFFF)
        guard slot < elements.count, generations[slot] == UInt32(token >> 32 & 0xFF_FFFF) else { return }
        elements[slot] = nil
        generations[slot] = generations[slot] % 0xFF_FFFF + 1
        free.append(UInt32(slot))
        count -= 1
    }
}
