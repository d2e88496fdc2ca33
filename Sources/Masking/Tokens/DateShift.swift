import TidegateCrypto
import TidegateWire

/// Moves the dates of one subject (a patient, a customer) by the same number of days, which only the key tells: intervals
/// between its dates stay true, the dates themselves do not.
///
/// The newest version of the key decides: after a rotation a subject's dates move otherwise, and intervals across it are
/// lost.
public final class DateShift: Sendable {
    public static let dayRange = 1...36_525

    /// Dates move by at most so many days, and by one at least.
    public let days: Int
    private let normalisation: Normalisation
    private let hash: MessageAuthenticator

    /// - Parameter normalisation: of subjects, so that spellings of one are one.
    /// - Throws: days out of range, or a domain that `Tokenizer` would refuse.
    public init(
        key: MaskingKey, domain: String, days: Int, normalisation: Normalisation = .none
    ) throws(TokenSettingsError) {
        guard DateShift.dayRange.contains(days) else {
            throw TokenSettingsError("dates cannot move by \(days) days", suggestion: "a number from 1 to 36525")
        }
        try Tokenizer.check(domain: domain)
        self.days = days
        self.normalisation = normalisation
        hash = MessageAuthenticator(
            key: key.derive(.dateShift, domain: domain, version: key.versions.first ?? 0, count: 32))
    }

    /// The days that a subject's dates move: from -`days` to `days`, never 0.
    ///
    /// - Parameter scratch: what it holds stays; room for the normalised subject.
    public func shift(for subject: RawSpan, scratch: inout [UInt8]) -> Int {
        let start = scratch.count
        normalisation.append(subject, to: &scratch)
        let code = unsafe hash.authenticate(scratch.span.bytes.extracting(start..<scratch.count))
        scratch.removeSubrange(start...)
        var number: UInt64 = 0
        for index in 0..<8 { number = number &<< 8 | UInt64(code[index]) }
        // Of 2^64 numbers so few days take their share, that no day is told from another by it.
        let choice = Int(truncatingIfNeeded: number % UInt64(2 &* days))
        return choice < days ? choice &- days : choice &- days &+ 1
    }
}
