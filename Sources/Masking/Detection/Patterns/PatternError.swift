/// A user's pattern that cannot run, and what to write instead.
public struct PatternError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Reason: Sendable, Equatable {
        /// The name, the context words or the number of patterns are out of bounds.
        case declaration
        /// Nothing is written, or more than `UserPattern.maximumLength` bytes.
        case length
        /// It would match at every place, having matched nothing.
        case matchesNothing
        /// Time linear in the text cannot be promised: back-references, lookaround, atomic groups and their like.
        case notLinear
        /// Written wrongly.
        case syntax
        /// Too many states.
        case tooLarge
        /// The machine lacks what vectorscan needs, or the memory.
        case unavailable
    }

    /// The name of the detector, or of what else the pattern is for.
    public var pattern: String
    public var reason: Reason
    /// Bytes from the pattern's beginning to what is wrong, where that is known.
    public var offset: Int?
    public var message: String
    /// What would be right.
    public var suggestion: String

    public var description: String {
        let place = offset.map { ", at \($0)" } ?? ""
        return "pattern '\(pattern)'\(place): \(message); \(suggestion)"
    }
}

/// What vectorscan says against an expression, in our words.
struct PatternComplaint {
    var reason: PatternError.Reason
    var offset: Int?
    var message: String
    var suggestion: String

    /// - Parameter said: vectorscan's message; `at index N` in it is an offset into the expression.
    init(said: String, of expression: String) {
        let known = PatternComplaint.known.first { said.contains($0.said) }
        reason = known?.reason ?? .syntax
        message = known?.message ?? said.prefix(1).lowercased() + said.dropFirst().prefix { $0 != "." }
        suggestion = known?.suggestion ?? "the syntax is that of PCRE, as far as it runs in linear time"
        offset = PatternComplaint.index(in: said) ?? known?.marks.compactMap { expression.offset(of: $0) }.min()
    }

    private struct Known {
        var said: String
        var reason: PatternError.Reason
        var message: String
        var suggestion: String
        /// What it is about, to be looked for in the expression.
        var marks: [String] = []
    }

    private static let known: [Known] = [
        Known(
            said: "Zero-width assertions", reason: .notLinear, message: "looks ahead or behind",
            suggestion: "match what surrounds the value too, or use \\b; context words say what must stand nearby",
            marks: ["(?=", "(?!", "(?<=", "(?<!"]),
        Known(
            said: "ack-references", reason: .notLinear, message: "refers back to a group",
            suggestion: "spell out the alternatives", marks: (1...9).map { "\\\($0)" } + ["\\k", "\\g", "(?P="]),
        Known(
            said: "back reference", reason: .notLinear, message: "refers back to a group",
            suggestion: "spell out the alternatives", marks: ["\\k", "\\g", "(?P="]),
        Known(
            said: "Atomic groups", reason: .notLinear, message: "has an atomic group",
            suggestion: "(?:...): nothing is ever tried twice here", marks: ["(?>"]),
        Known(
            said: "Possessive quantifiers", reason: .notLinear, message: "has a possessive quantifier",
            suggestion: "leave out the second +: nothing is ever tried twice here", marks: ["++", "*+", "?+", "}+"]),
        Known(
            said: "onditional", reason: .notLinear, message: "has a condition", suggestion: "use alternatives: (?:a|b)",
            marks: ["(?("]),
        Known(
            said: "matches empty buffer", reason: .matchesNothing,
            message: "matches an empty text, so it would match everywhere",
            suggestion: "something that must be there: + instead of *, no empty alternative"),
        Known(
            said: "match an empty buffer", reason: .matchesNothing,
            message: "matches an empty text, so it would match everywhere",
            suggestion: "something that must be there beside ^, $ and \\b"),
        Known(
            said: "Bounded repeat is too large", reason: .tooLarge, message: "repeats too often",
            suggestion: "a smaller bound, or {n,} without an upper one", marks: ["{"]),
        Known(
            said: "too large.", reason: .tooLarge, message: "needs too many states",
            suggestion: "smaller bounds: classes such as \\w with {m,n} cost most, + costs little"),
        Known(
            said: "Embedded start anchors", reason: .syntax, message: "has ^ after something that must come before it",
            suggestion: "^ at the beginning, or \\^ for the character"),
        Known(
            said: "Embedded end anchors", reason: .syntax, message: "has $ before something that must come after it",
            suggestion: "$ at the end, or \\$ for the character"),
        Known(
            said: "Embedded anchors", reason: .syntax, message: "has ^ or $ where nothing can match",
            suggestion: "^ at the beginning, $ at the end"),
        Known(
            said: "Missing close parenthesis", reason: .syntax, message: "opens a group that is not closed",
            suggestion: ") where it ends, or \\( for the character"),
        Known(
            said: "Unmatched parentheses", reason: .syntax, message: "closes a group that is not open",
            suggestion: "( where it begins, or \\) for the character"),
        Known(
            said: "Unterminated character class", reason: .syntax,
            message: "opens a class of characters that is not closed",
            suggestion: "] where it ends, or \\[ for the character"),
        Known(
            said: "Range out of order", reason: .syntax, message: "has a range that runs backwards",
            suggestion: "the lower character first"),
        Known(
            said: "Invalid repeat", reason: .syntax, message: "repeats nothing, or more at least than at most",
            suggestion: "something before * + ? {, and {m,n} with m not above n"),
        Known(
            said: "Unescaped \\ at end", reason: .syntax, message: "ends with a lone backslash",
            suggestion: "\\\\ for the character"),
        Known(
            said: "not valid UTF-8", reason: .syntax, message: "is no UTF-8", suggestion: "\\x{...} for code points"),
        Known(
            said: "control verb", reason: .syntax, message: "has a control verb that vectorscan does not know",
            suggestion: "leave it out, or \\( for the character"),
        Known(
            said: "Unrecognised character after (?", reason: .syntax, message: "has a group of an unknown kind",
            suggestion: "(?:...) to group, (?i) for either case"),
        Known(
            said: "Allocator", reason: .unavailable, message: "no memory for it",
            suggestion: "fewer or smaller patterns"),
        Known(
            said: "memory", reason: .unavailable, message: "no memory for it", suggestion: "fewer or smaller patterns"),
    ]

    private static func index(in said: String) -> Int? {
        guard let found = said.utf8Range(of: "index ") else { return nil }
        return Int(
            String(decoding: Array(said.utf8)[found.upperBound...].prefix { $0 >= 48 && $0 <= 57 }, as: UTF8.self))
    }
}

extension String {
    /// Bytes up to the first place of some ASCII text.
    fileprivate func utf8Range(of text: String) -> Range<Int>? {
        let bytes = Array(utf8)
        let other = Array(text.utf8)
        guard bytes.count >= other.count else { return nil }
        return (0...(bytes.count - other.count)).first { bytes[$0...].starts(with: other) }.map {
            $0..<($0 + other.count)
        }
    }

    /// Bytes of an expression up to some syntax, outside of escapes and of classes of characters.
    fileprivate func offset(of syntax: String) -> Int? {
        let bytes = Array(utf8)
        let wanted = Array(syntax.utf8)
        var isInClass = false
        var at = 0
        while at < bytes.count {
            if !isInClass, bytes[at...].starts(with: wanted) { return at }
            switch bytes[at] {
            case UInt8(ascii: "\\"): at += 1
            case UInt8(ascii: "["): isInClass = true
            case UInt8(ascii: "]"): isInClass = false
            default: break
            }
            at += 1
        }
        return nil
    }
}
