/// Bounds of repetitions that vectorscan would refuse after seconds of work, and hundreds of megabytes.
enum RepeatBounds {
    static let largest = 1000
    /// Where Unicode properties are repeated: each has hundreds of states.
    static let largestOfProperties = 10

    /// Offset of the first repetition that is too large to be tried.
    static func excess(in pattern: String) -> Int? {
        let bytes = Array(pattern.utf8)
        let properties = [Array("\\p".utf8), Array("\\P".utf8)]
        let hasProperties = bytes.indices.contains { at in properties.contains { bytes[at...].starts(with: $0) } }
        var isInClass = false
        var isProperty = false
        var at = 0
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\\"):
                at += 1
                isProperty = at < bytes.count && (bytes[at] | 0x20) == UInt8(ascii: "p")
            case UInt8(ascii: "["): isInClass = true
            case UInt8(ascii: "]"): isInClass = false
            case UInt8(ascii: "{") where !isInClass && !isProperty:
                let end = bytes[at...].firstIndex(of: UInt8(ascii: "}")) ?? bytes.count
                let bounds = bytes[(at + 1)..<end].split(separator: UInt8(ascii: ",")).map {
                    Int(String(decoding: $0, as: UTF8.self)) ?? 0
                }
                let last = at > 0 ? bytes[at - 1] : 0
                let isOfMany = [UInt8(ascii: "}"), UInt8(ascii: ")"), UInt8(ascii: "]")].contains(last)
                if (bounds.max() ?? 0) > (hasProperties && isOfMany ? largestOfProperties : largest) { return at }
            case UInt8(ascii: "}"): isProperty = false
            default: break
            }
            at += 1
        }
        return nil
    }
}
