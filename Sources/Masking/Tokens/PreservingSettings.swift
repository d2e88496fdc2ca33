import TidegateCrypto

/// Whether a token passes the check of card numbers (Luhn; ISO/IEC 7812-1, annex B).
public enum LuhnRule: String, Sendable, CaseIterable {
    /// Values pass, tokens never do: no detector takes a token for a card, and masking finds nothing to mask again.
    case invalid
    /// Values pass, and so do tokens: for systems behind that check.
    case valid
    /// Neither is looked at: a tenth of all tokens passes.
    case any
}

/// What is known of the values before there are any; only `PreservingSettings.refusal` uses it.
public enum ValueShape: Sendable, Equatable {
    /// 16 digits. A value of another length is judged when it comes.
    case card
    /// 15 digits.
    case americanExpress
    /// 9 digits: a US social security number.
    case socialSecurity
    /// So many symbols of the alphabet.
    case length(Int)

    public var length: Int {
        switch self {
        case .card: 16
        case .americanExpress: 15
        case .socialSecurity: 9
        case .length(let count): count
        }
    }

    var name: String {
        switch self {
        case .card: "a card's 16 digits"
        case .americanExpress: "an American Express card's 15 digits"
        case .socialSecurity: "a social security number's 9 digits"
        case .length(let count): "\(count) characters"
        }
    }
}

/// How a token keeps the layout of its value.
///
/// Symbols of the alphabet are replaced; space, dash and dot stay where they are, and do not count; with anything else in
/// it a value has no token.
public struct PreservingSettings: Sendable, Equatable {
    public static let maximumKept = 32

    public var alphabet: TokenAlphabet
    /// Symbols that stay as they are, not counting separators; what they are changes all the others of the token.
    public var keepFirst: Int
    public var keepLast: Int
    public var luhn: LuhnRule
    public var shape: ValueShape?

    /// - Parameter luhn: without it `invalid` for the shapes of cards, otherwise `any`.
    public init(
        alphabet: TokenAlphabet = .digits, keepFirst: Int = 0, keepLast: Int = 0, luhn: LuhnRule? = nil,
        shape: ValueShape? = nil
    ) {
        self.alphabet = alphabet
        self.keepFirst = keepFirst
        self.keepLast = keepLast
        self.luhn = luhn ?? (shape == .card || shape == .americanExpress ? .invalid : .any)
        self.shape = shape
    }

    /// Why no value could ever have such a token; nil where some can.
    public var refusal: TokenSettingsError? {
        for (name, count) in [("first", keepFirst), ("last", keepLast)]
        where !(0...PreservingSettings.maximumKept).contains(count) {
            return TokenSettingsError(
                "the \(name) \(count) characters cannot be kept", suggestion: "a number from 0 to 32")
        }
        if luhn != .any, alphabet != .digits {
            return TokenSettingsError(
                "Luhn's check is of digits, and the alphabet is '\(alphabet.rawValue)'",
                suggestion: "alphabet: digits, or luhn: any")
        }
        guard let shape else { return nil }
        guard shape.length >= 1, shape.length <= FF1.maximumLength else {
            return TokenSettingsError(
                "\(shape.length) characters cannot be encrypted with FF1",
                suggestion: "a length from \(alphabet.minimumLength) to \(FF1.maximumLength)")
        }
        let kept = keepFirst + keepLast
        let rest = max(0, shape.length - kept)
        if rest >= alphabet.minimumLength { return nil }
        let reason = "FF1 needs a million values at least (NIST SP 800-38G), so \(alphabet.minimumLength)"
        let most = shape.length - alphabet.minimumLength
        if most < 0 {
            return TokenSettingsError(
                "\(shape.name) are too few to encrypt: \(reason)", suggestion: "an opaque or a reversible token")
        }
        return TokenSettingsError(
            "keeping \(kept) of \(shape.name) leaves \(rest) to encrypt: \(reason)",
            suggestion: most == 0
                ? "keep none of them, or take an opaque or a reversible token"
                : "keep \(most) at most, first and last together, or take an opaque or a reversible token")
    }
}
