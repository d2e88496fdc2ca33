import TidegateWire

/// A regular expression for names of fields. It matches a part of a name, unless `^` and `$` say otherwise.
public struct NamePattern: Sendable {
    public let pattern: String
    private let database: PatternDatabase

    /// - Parameter pattern: as of `UserPattern`; `(?i)` at its beginning for either case.
    public init(_ pattern: String) throws(PatternError) {
        database = try UserPattern.check("field name", pattern)
        self.pattern = pattern
    }

    /// True where the name, or a stretch of it where it is no UTF-8, has a match; true as well where it cannot be told.
    public func matches(_ name: RawSpan) -> Bool {
        var start = 0
        while let stretch = UTF8Stretches.next(in: name, from: start) {
            var isFound = false
            let isOver = unsafe name.extracting(stretch).withUnsafeBytes { bytes in
                unsafe withUnsafeMutablePointer(to: &isFound) { found in
                    unsafe database.scan(bytes, found) { _, _, _, _, found in
                        unsafe found?.assumingMemoryBound(to: Bool.self).pointee = true
                        return 1
                    }
                }
            }
            if isFound || !isOver { return true }
            start = stretch.upperBound
        }
        return false
    }
}
