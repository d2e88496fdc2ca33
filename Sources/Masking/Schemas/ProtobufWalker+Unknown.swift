import TidegateWire

/// Fields that no schema names.
extension ProtobufWalker {
    mutating func skipUnknown(
        _ number: UInt32, _ wire: UInt8, _ item: Int, end: Int, _ payload: RawSpan, _ list: inout LeafList
    ) -> Bool {
        guard skip(number, wire, end: end, payload) else { return false }
        guard dropsUnknown else { return true }
        guard list.removals.count < leafLimit else { return false }
        list.removals.append(
            Removal(start: UInt32(truncatingIfNeeded: item), end: UInt32(truncatingIfNeeded: at), frame: frame))
        return true
    }

    mutating func skip(_ number: UInt32, _ wire: UInt8, end: Int, _ payload: RawSpan) -> Bool {
        switch wire {
        case 0: return varint(payload, end: end) != nil
        case 1: return skip(8, end: end)
        case 2:
            guard let count = length(payload, end: end) else { return false }
            at &+= count
            return true
        case 3: return skipGroup(number, end: end, payload)
        case 5: return skip(4, end: end)
        default: return false
        }
    }

    /// A group to its end, without recursion.
    mutating func skipGroup(_ number: UInt32, end: Int, _ payload: RawSpan) -> Bool {
        var open = [number]
        while let innermost = open.last {
            guard let (number, wire) = tag(payload, end: end) else { return false }
            switch wire {
            case 3:
                guard open.count < depthLimit else { return false }
                open.append(number)
            case 4:
                guard number == innermost else { return false }
                open.removeLast()
            default:
                guard skip(number, wire, end: end, payload) else { return false }
            }
        }
        return true
    }
}
