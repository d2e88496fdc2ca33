/// The symbols that a format-preserving token replaces, in the order of their values.
public enum TokenAlphabet: String, Sendable, CaseIterable {
    case digits
    case lowerCase = "lower"
    case upperCase = "upper"
    case lowerAlphanumeric = "lower-alphanumeric"
    case upperAlphanumeric = "upper-alphanumeric"
    case alphanumeric

    public var symbols: [UInt8] {
        let (digits, upper, lower) = (UInt8(48)...57, UInt8(65)...90, UInt8(97)...122)
        return switch self {
        case .digits: Array(digits)
        case .lowerCase: Array(lower)
        case .upperCase: Array(upper)
        case .lowerAlphanumeric: Array(digits) + Array(lower)
        case .upperAlphanumeric: Array(digits) + Array(upper)
        case .alphanumeric: Array(digits) + Array(upper) + Array(lower)
        }
    }

    public var radix: Int { symbols.count }

    /// The fewest symbols of which there are a million numerals (NIST SP 800-38G revision 1, section 5.1).
    public var minimumLength: Int {
        var length = 0
        var size = 1
        while size < 1_000_000 {
            size *= radix
            length += 1
        }
        return length
    }
}
