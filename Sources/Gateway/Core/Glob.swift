/// A pattern over names: `*` any characters (dots too), `?` one, `\` takes the next literally. Matches the whole name,
/// case-sensitively, in linear time in the name for each star.
public struct Glob: Sendable, Hashable, CustomStringConvertible {
    private enum Token: Sendable, Hashable {
        case literal(Unicode.Scalar)
        case one
        case any
    }
    public let description: String
    private let tokens: [Token]
    /// Without `*` and `?`: names exactly one thing.
    public let isExact: Bool
    /// Characters that must be there as they are: the more, the more specific.
    public let literalCount: Int

    public init(_ text: String) {
        description = text
        var tokens: [Token] = []
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if isEscaped {
                tokens.append(.literal(scalar))
                isEscaped = false
                continue
            }
            switch scalar {
            case "\\": isEscaped = true
            case "*": if tokens.last != .any { tokens.append(.any) }
            case "?": tokens.append(.one)
            default: tokens.append(.literal(scalar))
            }
        }
        if isEscaped { tokens.append(.literal("\\")) }
        self.tokens = tokens
        isExact = !tokens.contains { $0 == .any || $0 == .one }
        literalCount = tokens.count {
            if case .literal = $0 { true } else { false }
        }
    }

    /// True where some name matches both.
    public func overlaps(_ other: Glob) -> Bool {
        // By how many tokens are left of each: `row[j]` holds whether the last i and the last j match something alike.
        let (ours, theirs) = (tokens, other.tokens)
        var below = [Bool](repeating: false, count: theirs.count + 1)
        for i in 0...ours.count {
            var row = below
            for j in 0...theirs.count {
                let left = i > 0 ? ours[ours.count - i] : nil
                let right = j > 0 ? theirs[theirs.count - j] : nil
                row[j] =
                    switch (left, right) {
                    case (nil, nil): true
                    case (.any, _): below[j] || (j > 0 && row[j - 1])
                    case (_, .any): row[j - 1] || (i > 0 && below[j])
                    case (nil, _), (_, nil): false
                    case (.literal(let one), .literal(let another)): one == another && below[j - 1]
                    case (.one, _), (_, .one): below[j - 1]
                    }
            }
            below = row
        }
        return below[theirs.count]
    }

    /// True where the pattern is the whole of `name`. Only the last star is tried again, which is enough for globs.
    public func matches(_ name: String) -> Bool {
        let scalars = Array(name.unicodeScalars)
        var token = 0
        var at = 0
        var star = -1
        var retry = 0
        while at < scalars.count {
            if token < tokens.count, tokens[token] == .any {
                star = token
                retry = at
                token += 1
            } else if token < tokens.count, tokens[token] == .one || tokens[token] == .literal(scalars[at]) {
                token += 1
                at += 1
            } else if star >= 0 {
                retry += 1
                at = retry
                token = star + 1
            } else {
                return false
            }
        }
        while token < tokens.count, tokens[token] == .any { token += 1 }
        return token == tokens.count
    }
}
