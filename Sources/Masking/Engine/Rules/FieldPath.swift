/// One step of a path into a JSON document.
enum PathSegment: Equatable, Sendable {
    case key([UInt8])
    /// `*`: any member, any element.
    case anyKey
    /// `**`: any number of levels, none too.
    case anyDepth
    /// `[2]`.
    case index(Int)
    /// `[*]`.
    case anyIndex
}

/// A dotted path, read: `card.number`, `**.email`, `items[*].sku`, `"odd.name".x`.
///
/// Arrays are looked through: `orders.id` reaches every `id` where `orders` is a list, so that a producer who turns an
/// object into a list leaks nothing.
struct FieldPath: Equatable, Sendable {
    let segments: [PathSegment]

    /// - Returns: nil and why, where the text is no path.
    static func parse(_ text: String) -> Result<FieldPath, PathError> {
        var segments: [PathSegment] = []
        let bytes = Array(text.utf8)
        var at = 0
        var expectsKey = true
        func fail(_ message: String) -> Result<FieldPath, PathError> {
            .failure(PathError(message: "\(message) at byte \(at + 1) of '\(text)'"))
        }
        if bytes.isEmpty { return fail("a path names at least one field") }
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "["):
                guard let close = bytes[at...].firstIndex(of: UInt8(ascii: "]")) else { return fail("'[' without ']'") }
                let inside = String(decoding: bytes[(at + 1)..<close], as: UTF8.self)
                if inside == "*" {
                    segments.append(.anyIndex)
                } else if let number = Int(inside), number >= 0 {
                    segments.append(.index(number))
                } else {
                    return fail("'[\(inside)]' is neither an index nor [*]")
                }
                at = close + 1
                expectsKey = false
            case UInt8(ascii: "."):
                if expectsKey { return fail("a dot without a name before it") }
                at += 1
                expectsKey = true
                if at == bytes.count { return fail("a path ends with a name, not a dot") }
            default:
                guard expectsKey else { return fail("a name follows a dot") }
                var name: [UInt8] = []
                if bytes[at] == UInt8(ascii: "\"") {
                    guard let close = bytes[(at + 1)...].firstIndex(of: UInt8(ascii: "\"")) else {
                        return fail("a quote is not closed")
                    }
                    name = Array(bytes[(at + 1)..<close])
                    at = close + 1
                    segments.append(.key(name))
                } else {
                    while at < bytes.count, bytes[at] != UInt8(ascii: "."), bytes[at] != UInt8(ascii: "[") {
                        name.append(bytes[at])
                        at += 1
                    }
                    switch name {
                    case Array("*".utf8): segments.append(.anyKey)
                    case Array("**".utf8): if segments.last != .anyDepth { segments.append(.anyDepth) }
                    default:
                        if name.contains(UInt8(ascii: "*")) { return fail("'*' stands alone between dots") }
                        segments.append(.key(name))
                    }
                }
                expectsKey = false
            }
        }
        return .success(FieldPath(segments: segments))
    }

    struct PathError: Error { var message: String }
}
