import TidegateDetection
import TidegateTokens
import TidegateWire
struct NumberBuckets: Sendable { init?(width: String) {}; func append(_ t: RawSpan, to: inout [UInt8]) -> Bool { false } }
enum CalendarText { enum P { case month, year }; static func append(_ t: RawSpan, coarsenedTo: P, to: inout [UInt8]) -> Bool { false } }
struct DateShift: Sendable { init(key: MaskingKey, domain: String, days: Int) throws(TokenSettingsError) {}; func append(_ t: RawSpan, subject: RawSpan, to: inout [UInt8]) -> Bool { false } }
extension DetectorSpecification { static func user(_ u: UserPattern) -> DetectorSpecification { .builtIn(.phone) } }
extension DetectorSet {
    func name(of: Int) -> String { "x" }
    static func make(_ l: [DetectorSpecification]) throws(PatternError) -> DetectorSet { DetectorSet(l) }
}
