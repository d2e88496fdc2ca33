extension Array {
    /// Empties what is filled again and again, and gives back what an uncommonly long input took: more than 1 MiB.
    @inlinable
    package mutating func rest() {
        if capacity &* MemoryLayout<Element>.stride > 1 << 20 { self = [] } else { removeAll(keepingCapacity: true) }
    }
}
