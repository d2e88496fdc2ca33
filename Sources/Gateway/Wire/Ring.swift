/// A first-in first-out ring of trivial elements: no reference counts, grows by doubling up to nothing but memory, frees
/// in `deinit`. An empty ring that was never used holds no memory.
///
/// Its owner bounds it: a machine that awaits replies stops reading requests at its limit.
@safe
public struct Ring<Element: BitwiseCopyable>: ~Copyable {
    @usableFromInline var storage: UnsafeMutablePointer<Element>?
    @usableFromInline var capacity: Int
    @usableFromInline var head: Int
    @usableFromInline var used: Int

    @inlinable
    public init() {
        unsafe storage = nil
        capacity = 0
        head = 0
        used = 0
    }

    deinit { unsafe storage?.deallocate() }

    @inlinable public var count: Int { used }

    @inlinable public var isEmpty: Bool { used == 0 }

    @inlinable
    public mutating func append(_ element: Element) {
        if used == capacity { grow() }
        unsafe storage![(head &+ used) & (capacity &- 1)] = element  // invariant: `grow` allocated it
        used &+= 1
    }

    /// The oldest element, taken out.
    @inlinable
    public mutating func popFirst() -> Element? {
        guard used > 0, let storage = unsafe storage else { return nil }
        let element = unsafe storage[head]
        head = (head &+ 1) & (capacity &- 1)
        used &-= 1
        return element
    }

    /// The oldest element.
    @inlinable public var first: Element? { used > 0 ? self[0] : nil }

    /// The newest element.
    @inlinable public var last: Element? { used > 0 ? self[used &- 1] : nil }

    /// The element at `index` from the oldest.
    ///
    /// - Precondition: `index` is below `count`; the callers count, no peer's number gets here.
    @inlinable
    public subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < used)
            return unsafe storage![(head &+ index) & (capacity &- 1)]  // invariant: used > 0
        }
        set {
            precondition(index >= 0 && index < used)
            unsafe storage![(head &+ index) & (capacity &- 1)] = newValue  // invariant: used > 0
        }
    }

    /// Forgets all elements and gives the memory back.
    @inlinable
    public mutating func removeAll() {
        unsafe storage?.deallocate()
        unsafe storage = nil
        capacity = 0
        head = 0
        used = 0
    }

    @usableFromInline
    mutating func grow() {
        let larger = max(8, capacity * 2)
        let fresh = UnsafeMutablePointer<Element>.allocate(capacity: larger)
        for index in 0..<used { unsafe (fresh + index).initialize(to: self[index]) }
        unsafe storage?.deallocate()
        unsafe storage = fresh
        capacity = larger
        head = 0
    }
}
