/// The paths of a part in 64 places at most, as a scanner of documents steps through them: without a reference to count.
///
/// Lives as long as the `PartRules` that it is of.
@safe
struct NarrowPaths: BitwiseCopyable, @unchecked Sendable {  // what it points to does not change
    /// A place's name and rule.
    struct Place: BitwiseCopyable {
        var head: UInt64
        var tail: UInt64
        var rule: Int
    }

    /// A key as places compare it: its length and first seven bytes, and the eight bytes behind them.
    struct Name: BitwiseCopyable {
        var head: UInt64
        var tail: UInt64
        /// That is all of it.
        let isWhole: Bool

        /// - Parameters:
        ///   - first: has the first seven bytes lowest; what stands behind the key's end is not looked at.
        ///   - second: the eight behind them, likewise.
        @inline(__always)
        init(_ first: UInt64, _ second: UInt64, count: Int) {
            head = PathAutomaton.head(first, count: count)
            tail = count <= 7 ? 0 : count >= 15 ? second : second & ((1 &<< UInt64((count &- 7) &* 8)) &- 1)
            isWhole = count <= 15
        }
    }

    let ends: UInt64
    private let keys: UInt64
    private let anyKeys: UInt64
    private let anyDepths: UInt64
    private let places: UnsafeMutableBufferPointer<Place>

    init(_ places: [Place], keys: PlaceSet, anyKeys: PlaceSet, anyDepths: PlaceSet, ends: PlaceSet) {
        let room = UnsafeMutableBufferPointer<Place>.allocate(capacity: places.count)
        _ = unsafe room.initialize(from: places)
        unsafe self.places = room
        self.keys = keys.lowest
        self.anyKeys = anyKeys.lowest
        self.anyDepths = anyDepths.lowest
        self.ends = ends.lowest
    }

    func deallocate() { unsafe places.deallocate() }

    /// What is waited for inside of the member of that name.
    ///
    /// - Parameter isTail: whether a place's name, whose first 15 bytes are the key's, is the key.
    @inline(__always)
    func step(_ waiting: UInt64, _ name: Name, isTail: (Int) -> Bool) -> UInt64 {
        var next = waiting & anyDepths | (waiting & anyKeys) &<< 1
        var named = waiting & keys
        while named != 0 {
            let number = named.trailingZeroBitCount
            let place = unsafe places[number]
            if place.head == name.head, place.tail == name.tail, name.isWhole || isTail(number) {
                next |= 2 &<< UInt64(number)
            }
            named &= named &- 1
        }
        return next | (next & anyDepths) &<< 1
    }

    /// The rule of the lowest of these places, of which there is one.
    @inline(__always)
    func rule(_ ended: UInt64) -> Int { unsafe places[ended.trailingZeroBitCount].rule }
}
