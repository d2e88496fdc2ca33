/// What says how many bytes of memory it holds, about.
public protocol Weighed {
    var weight: Int { get }
}

/// What needs memory, kept beside a ring of trivial elements that name it by number. Zero names nothing.
///
/// Its owner bounds it by `weight`.
public struct SideTable<Value: Weighed> {
    @usableFromInline var values: [UInt32: Value] = [:]
    @usableFromInline var next: UInt32 = 1
    /// Bytes that all values hold, about.
    public private(set) var weight = 0

    public init() {}

    /// The value of that number, left where it is.
    @inlinable public subscript(number: UInt32) -> Value? { number == 0 ? nil : values[number] }

    public mutating func keep(_ value: Value) -> UInt32 {
        let number = next
        next = next == .max ? 1 : next + 1
        values[number] = value
        weight += value.weight
        return number
    }

    /// Takes the value of that number out.
    @discardableResult
    public mutating func drop(_ number: UInt32) -> Value? {
        guard number != 0, let value = values.removeValue(forKey: number) else { return nil }
        weight -= value.weight
        return value
    }
}
