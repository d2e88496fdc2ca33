import TidegateCore
import TidegateWire

/// An answer that is not of the shape its command has: nobody gets it.
struct ShapeFailure: Error {}

/// Goes through a reply that is wholly there, token by token.
struct ReplyCursor {
    var at: Int
    let end: Int

    init(_ range: Range<Int>) {
        at = range.lowerBound
        end = range.upperBound
    }

    /// The next token; attributes are gone over.
    mutating func next(_ window: RawSpan) throws(ShapeFailure) -> RESPToken {
        while true {
            let token = try read(window)
            guard token.kind == .attribute else { return token }
            for _ in 0..<token.count { try skip(window) }
        }
    }

    /// The next token, left where it is.
    func peek(_ window: RawSpan) throws(ShapeFailure) -> RESPToken {
        var copy = self
        return try copy.next(window)
    }

    /// Goes over one value, whatever it is; returns where it stood.
    @discardableResult
    mutating func skip(_ window: RawSpan) throws(ShapeFailure) -> Range<Int> {
        let start = at
        var owed = 1
        while owed > 0 {
            let token = try read(window)
            owed &-= 1
            if token.isAggregate { owed &+= token.count &+ (token.kind == .attribute ? 1 : 0) }
        }
        return start..<at
    }

    private mutating func read(_ window: RawSpan) throws(ShapeFailure) -> RESPToken {
        do throws(WireViolation) {
            guard at < end, case .token(let token) = try RESP.read(window, at: at, byteLimit: end - at),
                token.range.upperBound <= end
            else { throw WireViolation("") }
            at = token.range.upperBound
            return token
        } catch { throw ShapeFailure() }
    }
}
